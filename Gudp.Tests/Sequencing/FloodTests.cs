using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>Frames that are well formed, and too many: what they order of the server has a limit.</summary>
[TestFixture]
public sealed class FloodTests
{
    private const long Stranger = 99;

    [Test]
    public void A_member_that_says_again_and_again_that_it_is_stopped_fills_no_memory()
    {
        SingleProcessRun run = new(Config());
        run.Settle();

        for (int turn = 0; turn < 20_000; turn++)
        {
            FrameWriter writer = new();
            SuspendFrame.Write(writer, turn % 2 == 0, 1, 1);
            run.Inject(0, writer.Written.ToArray());
        }

        Assert.That(run.Server.ExternalFacts, Has.Count.EqualTo(RunState.MaxFacts));
        Assert.That(run.Server.ReadStatus(run.Now).ExternalFacts, Is.EqualTo(20_000));
    }

    [Test]
    public void A_message_of_a_thousand_questions_gets_a_few_answers_and_one_refusal()
    {
        SingleProcessRun run = new(Config());
        run.Settle();
        run.Server.AllowOperator(Stranger);
        FrameWriter questions = new();

        for (int i = 0; i < 1_000; i++)
        {
            new StatusQueryFrame((ulong)i, 0).Write(questions);
        }

        run.Inject(Stranger, questions.Written.ToArray());

        Assert.That(run.Down[Stranger], Has.Count.LessThan(20));
        Assert.That(run.Server.Refusals, Is.EqualTo(1));
    }

    [Test]
    public void A_step_is_not_used_up_while_a_grant_below_the_barrier_waits_for_the_wall()
    {
        SingleProcessRun run = new(Config(pace: 1));
        run.Settle();
        run.Server.AllowOperator(Stranger);
        FrameWriter steps = new();
        new BarrierFrame(1, "op", BarrierAction.Step) { Steps = 2 }.Write(steps);
        run.Inject(Stranger, steps.Written.ToArray());
        run["a"].Request(AdvanceMode.To, 10);
        run["b"].Request(AdvanceMode.To, 12);
        run.Settle();

        RunStatus before = run.Server.ReadStatus(run.Now);
        run.Pass(TimeSpan.FromSeconds(11));

        Assert.That(before.PendingSteps, Is.EqualTo(1));
        Assert.That(run["a"].Now, Is.EqualTo(new Tag(10, 0)));
        Assert.That(run.Server.ReadStatus(run.Now).PendingSteps, Is.Zero);
    }

    private static SequencingConfig Config(double pace = 0) => new()
    {
        Pace = pace,
        TickLength = TimeSpan.FromSeconds(1),
        Roster =
        [
            new MemberDeclaration("a") { Publish = ["x"], Lookahead = Delay.Ticks(100) },
            new MemberDeclaration("b") { Publish = ["y"], Lookahead = Delay.Ticks(100) },
        ],
    };
}
