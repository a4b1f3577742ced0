using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>What a member has promised holds, whatever it says later (lock-time 5.3).</summary>
[TestFixture]
public sealed class PromiseTests
{
    [Test]
    public void A_promise_is_never_lowered_and_what_would_is_counted()
    {
        SingleProcessRun run = Start();
        MemberEngine a = run["a"];

        SequencingError[] errors = [a.Promise(20), a.Promise(10), a.Promise(20), a.Flush()];
        run.Settle();

        Assert.That(errors, Is.All.EqualTo(SequencingError.None));
        Assert.That(a.IgnoredPromises, Is.EqualTo(2));
        Assert.That(a.EarliestPublication, Is.EqualTo(new Tag(20, 0)));
        Assert.That(PromiseAtServer(run), Is.EqualTo(new Tag(20, 0)));
    }

    // Another library may send it all the same.
    [Test]
    public void A_lower_promise_on_the_wire_changes_nothing()
    {
        SingleProcessRun run = Start();
        run["a"].Promise(20);
        run["a"].Flush();
        run.Settle();
        FrameWriter writer = new();
        writer.BeginFrame(FrameType.Commit, 1, 1);
        writer.WriteNumber(2);
        CommitElements.WritePromise(writer, 0, 10);
        writer.EndFrame();

        run.Inject(0, writer.Written.ToArray());

        Assert.That(run.Server.Refusals, Is.Zero);
        Assert.That(run.Server.Members.Find("a")!.Step, Is.EqualTo(2));
        Assert.That(PromiseAtServer(run), Is.EqualTo(new Tag(20, 0)));
    }

    // At the end of a time delays are not ordered: (t, last round) + one round is later than + 1 tick is at round 0 of it.
    [TestCase(1, 0)]
    [TestCase(9, 0)]
    [TestCase(0, 1)]
    public void A_new_look_ahead_larger_or_smaller_keeps_what_the_old_one_promised(long ticks, int rounds)
    {
        SingleProcessRun run = Start();
        MemberEngine a = run["a"];
        a.TryTakeGrant(out _);
        a.Request(AdvanceMode.To, Tag.EndOf(3));
        run.Settle();
        Tag before = a.EarliestPublication;

        a.SetLookahead(Delay.Of(ticks, (uint)rounds));
        a.Flush();
        run.Settle();

        Assert.That(a.EarliestPublication, Is.EqualTo(Tag.Later(before, Tag.EndOf(3) + Delay.Of(ticks, (uint)rounds))));
        Assert.That(PromiseAtServer(run), Is.EqualTo(before));
    }

    private static Tag PromiseAtServer(SingleProcessRun run)
        => run.Server.Members.StateOf(run.Server.Members.Find("a")!).Promise;

    private static SingleProcessRun Start()
    {
        SingleProcessRun run = new(new()
        {
            Roster =
            [
                new MemberDeclaration("a") { Publish = ["x"], Lookahead = Delay.Ticks(5) },
                new MemberDeclaration("b") { Subscribe = ["x"] },
            ],
        });
        run.Settle();
        return run;
    }
}
