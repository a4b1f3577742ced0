using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Joining;

/// <summary>An observer has no part in the run, whatever its frames say (clause ).</summary>
[TestFixture]
public sealed class HostileObserverTests
{
    private const long Link = 900;

    [Test]
    public void Without_a_channel_it_cannot_take_roles_and_the_server_says_so()
    {
        LinkedRun run = Watched([]);

        Say(run, writer => CommitElements.WriteRole(writer, sends: true, receives: true));

        Assert.That(Refusal(run).Error, Is.EqualTo(SequencingError.NotDeclared));
        Assert.That(run.Server.Phase, Is.EqualTo(RunPhase.Running));
    }

    [Test]
    public void It_leaves_no_snapshot_for_those_who_join()
    {
        LinkedRun run = Watched(["x"]);

        Say(run, writer => CommitElements.WriteSnapshot(writer, "state", "poison"u8));

        Assert.That(Refusal(run).Error, Is.EqualTo(SequencingError.NotDeclared));
        Assert.That(run.Server.Run.Snapshots.Count, Is.Zero);
    }

    [TestCase("twice", SequencingError.NotDeclared)]
    [TestCase("not subscribed", SequencingError.NotDeclared)]
    [TestCase("unsorted", SequencingError.NotDeclared)]
    [TestCase("unknown bit", SequencingError.NotDeclared)]
    [TestCase("unnamed", SequencingError.NotDeclared)]
    [TestCase("before the start", SequencingError.PastTag)]
    public void A_hello_that_is_not_whole_is_refused(string wrong, SequencingError expected)
    {
        LinkedRun run = new(Config());
        run.Settle();
        const InterestBits Reads = InterestBits.Subscribe | InterestBits.Wake;
        DeclaredInterest x = new("x", Reads, BufferPolicy.All);
        DeclaredInterest y = new("y", Reads, BufferPolicy.All);

        Hello(run, wrong == "unnamed" ? "" : "eye", wrong == "before the start" ? -1 : 0, wrong switch
        {
            "twice" => [x, x],
            "not subscribed" => [x with { Bits = InterestBits.Wake }],
            "unsorted" => [y, x],
            "unknown bit" => [x with { Bits = (InterestBits)32 }],
            _ => [x],
        });

        Assert.That(Refusal(run).Error, Is.EqualTo(expected));
        Assert.That(run.Server.Members.Observers, Is.Empty);
    }

    private static SequencingConfig Config() => new()
    {
        Roster = [new("a") { Publish = ["x", "y"] }],
    };

    private static LinkedRun Watched(string[] channels)
    {
        LinkedRun run = new(Config());
        run.Settle();
        Hello(run, "eye", 0, [.. channels.Select(name => new DeclaredInterest(
            name, InterestBits.Subscribe | InterestBits.Wake, BufferPolicy.All))]);
        Assert.That(run.Server.Members.Observers, Has.Count.EqualTo(1));
        Assert.That(run.Server.Members.Observers[0].GrantsSent, Is.EqualTo(1));
        return run;
    }

    private static void Hello(LinkedRun run, string name, long join, DeclaredInterest[] interests)
    {
        FrameWriter writer = new();
        new HelloFrame
        {
            RunId = run.Config.RunId,
            Name = name,
            Flags = RoleBits.Receives | RoleBits.Observes,
            Interests = interests,
            Join = JoinKind.At,
            JoinTag = new Tag(join, 0),
        }.Write(writer);
        run.Inject(Link, writer.Written.ToArray());
    }

    private static void Say(LinkedRun run, Action<FrameWriter> element)
    {
        FrameWriter writer = new();
        writer.BeginFrame(FrameType.Commit, Outbox.Epoch, run.Server.Members.Observers[0].Session);
        writer.WriteNumber(1);
        element(writer);
        writer.EndFrame();
        run.Inject(Link, writer.Written.ToArray());
    }

    private static RefusalFrame Refusal(LinkedRun run)
    {
        FrameReader reader = new(run.SentTo(Link).Last());
        Assert.That(Frame.TryNext(ref reader, out Frame frame), Is.True);
        Assert.That(frame.Type, Is.EqualTo(FrameType.Error).Or.EqualTo(FrameType.Reject));
        Assert.That(RefusalFrame.TryRead(frame.Body, out RefusalFrame refusal), Is.True);
        return refusal;
    }
}
