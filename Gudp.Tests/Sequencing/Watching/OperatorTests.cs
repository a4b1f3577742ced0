using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Watching;

/// <summary>Barriers, steps, stops, starts and looks from beside the run (clauses ).</summary>
[TestFixture]
public sealed class OperatorTests
{
    private const long Link = 99;

    [Test]
    public void S_B16_a_barrier_holds_grants_at_it_or_above_until_it_is_moved()
    {
        SingleProcessRun run = Started(Senders());
        OperatorEngine op = Allowed(run);

        Ask(run, op, () => op.Hold(BarrierAction.Set, 200, 0));
        bool a = AskTo(run, "a", 300);
        bool b = AskTo(run, "b", 189);
        WaitKind root = run.Server.WhoBlocks("a", run.Now)!.Root.Kind;
        Ask(run, op, () => op.Hold(BarrierAction.Set, 400, 0));
        run.Settle();

        Assert.That((a, b, root), Is.EqualTo((false, true, WaitKind.Barrier)));
        Assert.That(run["a"].TryTakeGrant(out Grant grant) && grant.Tag == 300);
        Assert.That((grant.WaitedFor, grant.WaitedBecause), Is.EqualTo(((string?)null, WaitKind.Barrier)));
    }

    [Test]
    public void The_smallest_barrier_counts_and_each_operator_clears_its_own()
    {
        SingleProcessRun run = Started(Senders());
        OperatorEngine one = Allowed(run);
        OperatorEngine two = new("two");

        Ask(run, one, () => one.Hold(BarrierAction.Set, 200, 0));
        Ask(run, two, () => two.Hold(BarrierAction.Set, 100, 0));
        Ask(run, one, () => one.Hold(BarrierAction.Clear, 0, 0));

        Assert.That(one.Status!.Barrier, Is.EqualTo((Tag)100));
        Ask(run, two, () => two.Hold(BarrierAction.Clear, 0, 0));
        Assert.That(two.Status!.Barrier, Is.Null);
    }

    [Test]
    public void A_step_lets_one_tag_pass_and_holds_again()
    {
        SingleProcessRun run = Started(Senders());
        OperatorEngine op = Allowed(run);
        Ask(run, op, () => op.Hold(BarrierAction.Set, 0, 0));
        AskTo(run, "a", 5);
        AskTo(run, "b", 5);

        Ask(run, op, () => op.Hold(BarrierAction.Step, 0, 1));
        bool both = Take(run, "a") is { } a && Take(run, "b") is { } b && a.Tag == 5 && b.Tag == 5;
        bool next = AskTo(run, "a", 6);

        Assert.That((both, next), Is.EqualTo((true, false)));
        Assert.That(op.Status!.Barrier, Is.EqualTo(new Tag(5, 1)));
    }

    // Asked for before anybody is ready, and without a barrier set before.
    [Test]
    public void Steps_that_nobody_is_ready_for_are_taken_when_somebody_is()
    {
        SingleProcessRun run = Started(Senders());
        OperatorEngine op = Allowed(run);

        Ask(run, op, () => op.Hold(BarrierAction.Step, 0, 2));
        long pending = op.Status!.PendingSteps;
        bool[] grants = [AskTo(run, "a", 5), AskTo(run, "a", 6), AskTo(run, "a", 7)];

        Assert.That(pending, Is.EqualTo(2));
        Assert.That(grants, Is.EqualTo(new[] { true, true, false }));
    }

    [Test]
    public void A_stop_is_one_round_above_the_largest_grant_and_an_external_fact()
    {
        SingleProcessRun run = Started(Senders());
        OperatorEngine op = Allowed(run);
        AskTo(run, "a", 7);

        Ask(run, op, () => op.Stop(null));
        run["a"].Request(AdvanceMode.To, 20);
        run["b"].Request(AdvanceMode.To, 20);
        run.Settle();

        Assert.That(Take(run, "a"), Has.Property(nameof(Grant.Tag)).EqualTo(new Tag(7, 1)));
        Assert.That(Take(run, "b"), Has.Property(nameof(Grant.IsFinal)).True);
        Assert.That(run.Server.ExternalFacts, Is.EqualTo(new[]
        {
            new ExternalFact(ExternalFactKind.StopSet, "operator", new Tag(7, 1)),
        }));
        Assert.That(run.Server.IsInfluenced);
    }

    [Test]
    public void A_stop_in_the_past_is_refused_and_changes_nothing()
    {
        SingleProcessRun run = Started(Senders());
        OperatorEngine op = Allowed(run);
        AskTo(run, "a", 7);

        Ask(run, op, () => op.Stop(7));

        Assert.That(op.Error, Is.EqualTo(SequencingError.PastTag));
        Assert.That(run.Server.ReadStatus(run.Now).Stop, Is.Null);
    }

    [Test]
    public void Strangers_may_not_ask_but_a_member_may_for_itself()
    {
        SingleProcessRun run = Started(Senders());
        OperatorEngine stranger = new("stranger");

        foreach (Action ask in new Action[]
        {
            stranger.AskStatus, () => stranger.AskWhoBlocks("a"), () => stranger.AskWhoBlocks(""), () => stranger.Stop(null),
            stranger.Start, () => stranger.Hold(BarrierAction.Set, 5, 0),
        })
        {
            Ask(run, stranger, ask);
            Assert.That(stranger.Error, Is.EqualTo(SequencingError.NotAllowed));
        }

        ulong request = run["a"].Health.NextRequest();
        run.Inject(0, run["a"].AskWhoBlocks(request));
        run.Settle();
        Assert.That(run["a"].Health.Answered, Is.EqualTo(request));
        Assert.That(run.Server.ReadStatus(run.Now), Has.Property(nameof(RunStatus.Stop)).Null);
    }

    // It lost its members with the next question.
    [Test]
    public void A_status_stays_what_it_was_when_something_else_is_asked()
    {
        SingleProcessRun run = Started(Senders());
        OperatorEngine op = Allowed(run);
        Ask(run, op, op.AskStatus);
        RunStatus status = op.Status!;
        string before = $"{status}";

        Ask(run, op, () => op.AskWhoBlocks(""));

        Assert.That($"{status}", Is.EqualTo(before));
        Assert.That(status.Members, Has.Count.EqualTo(2));
    }

    [Test]
    public void A_run_that_starts_on_command_waits_for_it()
    {
        SequencingConfig config = Senders(startsOnCommand: true);
        SingleProcessRun run = new(config);
        OperatorEngine op = Allowed(run);
        run.Settle();
        WaitReport before = run.Server.WhoBlocks("a", run.Now)!;

        Ask(run, op, op.Start);
        run.Settle();

        Assert.That(before.Root.Kind, Is.EqualTo(WaitKind.Barrier));
        Assert.That(op.Status!.Stage, Is.EqualTo(RunStage.Running), "The answer is how the run stood right after.");
        Assert.That(run["a"].TryTakeGrant(out _));
    }

    [Test]
    public void The_status_of_a_large_run_comes_whole()
    {
        const int Count = 600;
        SequencingConfig config = new()
        {
            Roster = [.. Enumerable.Range(0, Count).Select(i => new MemberDeclaration($"member-{i:000}") { Publish = ["x"] })],
        };
        SingleProcessRun run = new(config);
        OperatorEngine op = Allowed(run);
        run.MoveUp(3);

        Ask(run, op, op.AskStatus);

        Assert.That(op.Status!.Members.Select(member => member.Name), Is.EqualTo(config.Roster.Select(m => m.Name)));
        Assert.That(op.Status.Members[3].Activity, Is.EqualTo(MemberActivity.Joining));
        Assert.That(op.Status.Stage, Is.EqualTo(RunStage.Gathering));
    }

    [Test]
    public void All_that_wait_are_told_with_their_chains()
    {
        SingleProcessRun run = Started(new SequencingConfig
        {
            Roster =
            [
                new MemberDeclaration("a") { Publish = ["x"], Subscribe = ["x"] },
                new MemberDeclaration("b") { Publish = ["x"], Subscribe = ["x"] },
                new MemberDeclaration("c") { Subscribe = ["x"] },
            ],
        });
        OperatorEngine op = Allowed(run);
        AskTo(run, "a", 10);
        AskTo(run, "c", 20);

        Ask(run, op, () => op.AskWhoBlocks(""));

        Assert.That(op.Waits.Select(wait => $"{wait.Member} by {wait.Root.Member}"),
            Is.EqualTo(new[] { "a by b", "c by b" }));
    }

    [Test]
    public void More_names_than_there_is_room_for_are_refused()
    {
        SingleProcessRun run = Started(Senders());
        Allowed(run);

        for (int i = 0; i <= Barriers.MaxBarriers; i++)
        {
            OperatorEngine op = new($"op{i}");
            Ask(run, op, () => op.Hold(BarrierAction.Set, 5, 0));
            Assert.That(op.Error, Is.EqualTo(i < Barriers.MaxBarriers ? SequencingError.None : SequencingError.TooLarge));
        }
    }

    // Goal: an operator that holds and steps a run changes no history. Method: random systems, stepped from their start to
    // their end a tag at a time, against the same systems left alone.
    [Test]
    public void A_run_that_is_stepped_to_its_end_has_the_history_it_has_alone([Range(1, 10)] int seed)
    {
        SequencingConfig config = DeterminismTests.Draw(new Prng((ulong)seed));
        string alone = DeterminismTests.Play(config, (ulong)seed, DeterminismTests.RandomTurns(config), scheduleSeed: 1);
        SingleProcessRun run = new(config);
        OperatorEngine op = Allowed(run);
        ScriptedMember[] members =
            [.. run.Members.Select((engine, i) => new ScriptedMember(engine, config.Roster[i], (ulong)seed, until: 60))];
        Ask(run, op, () => op.Hold(BarrierAction.Set, 0, 0));

        for (int steps = 0; run.Server.Phase != RunPhase.Ended; steps++)
        {
            Assert.That(steps, Is.LessThan(20_000), "Steps end the run.");
            Array.ForEach(members, member => member.Act());
            Ask(run, op, () => op.Hold(BarrierAction.Step, 0, 1));
        }

        string histories = string.Join('\n', members.Select(member => string.Join(';', member.History)));
        Assert.That($"{run.Server.RunDigest:x16}\n{histories}", Is.EqualTo(alone));
    }

    [Test]
    public void An_answer_to_something_else_than_was_asked_is_none()
    {
        OperatorEngine op = new("operator");
        op.AskStatus();
        op.OnSent();

        op.HandleMessage(Waits(HealthPurpose.Answer, 1, chains: 0));

        Assert.That(op.IsAnswered, Is.False);
        Assert.That(op.Error, Is.EqualTo(SequencingError.None));
    }

    [Test]
    public void An_answer_in_parts_without_end_is_a_bad_frame()
    {
        OperatorEngine op = new("operator");
        op.AskWhoBlocks("");
        op.OnSent();

        for (int i = 0; i < 10_000 && !op.IsAnswered; i++)
        {
            op.HandleMessage(Waits(HealthPurpose.PartOfAnswer, 1, chains: 10));
        }

        Assert.That(op.Error, Is.EqualTo(SequencingError.BadFrame));
        Assert.That(op.Waits, Has.Count.LessThan(5_000));
    }

    [Test]
    public void Bytes_that_are_no_frame_of_an_operator_are_refused([Range(1, 20)] int seed)
    {
        SingleProcessRun run = Started(Senders());
        Allowed(run);
        Prng draws = new((ulong)seed);

        foreach (FrameType type in new[]
        {
            FrameType.Barrier, FrameType.Stop, FrameType.Start, FrameType.StatusQuery, FrameType.WhoBlocks,
        })
        {
            FrameWriter writer = new();
            writer.BeginFrame(type, 0, 0);
            byte[] body = new byte[draws.NextBelow(40)];

            for (int i = 0; i < body.Length; i++)
            {
                body[i] = (byte)draws.NextBelow(draws.NextChance(500_000) ? 4 : 256);
            }

            writer.WriteBytes(body);
            writer.EndFrame();
            Assert.That(() => run.Inject(Link, writer.Written.ToArray()), Throws.Nothing);
        }

        run.Down[Link].Clear();
        OperatorEngine op = new("judge");
        Ask(run, op, op.AskStatus);
        Assert.That(op.Error, Is.EqualTo(SequencingError.None), "The run lives.");
    }

    private static byte[] Waits(HealthPurpose purpose, ulong request, int chains)
    {
        FrameWriter writer = new();
        HealthFrame.Begin(writer, 1, 0, (purpose, request, chains));

        for (int i = 0; i < chains; i++)
        {
            HealthFrame.WriteChain(writer, [new WaitLink { Member = "a" }], 0);
        }

        writer.EndFrame();
        return writer.Written.ToArray();
    }

    private static SequencingConfig Senders(bool startsOnCommand = false) => new()
    {
        Roster = [new MemberDeclaration("a") { Publish = ["x"] }, new MemberDeclaration("b") { Publish = ["x"] }],
        StartsOnCommand = startsOnCommand,
    };

    private static SingleProcessRun Started(SequencingConfig config)
    {
        SingleProcessRun run = new(config);
        run.Settle();
        run.Members.ForEach(member => member.TryTakeGrant(out _));
        return run;
    }

    private static OperatorEngine Allowed(SingleProcessRun run)
    {
        run.Server.AllowOperator(Link);
        return new OperatorEngine("operator");
    }

    private static void Ask(SingleProcessRun run, OperatorEngine op, Action ask)
    {
        ask();
        long link = op.Name == "stranger" ? Link + 1 : Link;

        while (op.TryPeekOutgoing(out ReadOnlySpan<byte> message))
        {
            run.Inject(link, message.ToArray());
            op.OnSent();

            while (run.Down.TryGetValue(link, out Queue<byte[]>? queue) && queue.TryDequeue(out byte[]? answer))
            {
                op.HandleMessage(answer);
            }
        }

        Assert.That(op.IsAnswered, "Every question has an answer.");
        run.Settle();
    }

    private static bool AskTo(SingleProcessRun run, string name, long time)
    {
        run[name].Request(AdvanceMode.To, time);
        run.Settle();
        return run[name].TryTakeGrant(out _);
    }

    private static Grant? Take(SingleProcessRun run, string name)
        => run[name].TryTakeGrant(out Grant grant) ? grant : null;
}
