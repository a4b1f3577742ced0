using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>The table of states and elements, clause: every cell, and that a refusal leaves no trace.</summary>
[TestFixture]
public sealed class CommitTableTests
{
    private const long Stranger = 99;

    // a sends, receives and may stop; l only receives; z ends the run when it is lost.
    private static readonly string[] Elements =
    [
        "publication", "promise", "look-ahead", "role", "interest", "stop", "snapshot", "resign", "request", "digest",
        "checksum",
    ];

    // One answer for the whole row, or one for each element in the order above; "-" is applied.
    private static readonly (string State, string Answers)[] Table =
    [
        ("stranger", "NotJoined"),
        ("joining", "NotJoined"),
        ("running", "- - - - - - - - - - -"),
        ("listener", "NotASender NotASender NotASender - - NotASender - - - - -"),
        ("waiting", "AlreadyRequesting"),
        ("lost", "NotJoined"),
        ("resigned", "NotJoined"),
        ("final", "Stopped Stopped Stopped Stopped Stopped Stopped Stopped - Stopped - -"),
        ("aborted", "Stopped"),
        ("ended", "NotJoined"),
    ];

    private static IEnumerable<TestCaseData> Cells()
    {
        foreach ((string state, string answers) in Table)
        {
            string[] row = answers.Split(' ');

            for (int i = 0; i < Elements.Length; i++)
            {
                string answer = row.Length == 1 ? row[0] : row[i];
                SequencingError expected = answer == "-" ? SequencingError.None : Enum.Parse<SequencingError>(answer);
                yield return new TestCaseData(state, Elements[i], expected);
            }
        }
    }

    [TestCaseSource(nameof(Cells))]
    public void Every_element_meets_its_answer_in_every_state(string state, string element, SequencingError expected)
    {
        SingleProcessRun run = new(Config());
        (long link, string name) = Bring(run, state);
        Member member = run.Server.Members.Find(name)!;
        string before = RunDump.Of(run.Server);
        run.Down.GetValueOrDefault(link)?.Clear();

        run.Inject(link, CommitOf(run, member, element));

        RefusalFrame refusal = RefusalTo(run, link);
        Assert.That(refusal.Error, Is.EqualTo(expected), refusal.Detail);

        if (expected != SequencingError.None)
        {
            Assert.That(RunDump.Of(run.Server), Is.EqualTo(before));
            Assert.That(refusal.Detail, Does.Contain("tep "));
            Assert.That(refusal.Step, Is.Not.Zero);
        }
        else
        {
            AssertEffect(run, member, element);
        }
    }

    private static void AssertEffect(SingleProcessRun run, Member member, string element)
    {
        MemberState state = run.Server.Members.StateOf(member);
        Assert.That(member.Step, Is.Not.Zero);

        switch (element)
        {
            case "publication":
                Assert.That(run.Server.Members.Find("l")!.Inbox.Count, Is.EqualTo(1));
                break;
            case "promise":
                Assert.That(state.Promise, Is.EqualTo(new Tag(7, 0)));
                break;
            case "look-ahead":
                Assert.That(state.Lookahead, Is.EqualTo(Delay.Ticks(3)));
                break;
            case "role":
                Assert.That((state.Sends, state.Receives), Is.EqualTo((false, false)));
                break;
            case "interest":
                Assert.That(member.Subscriptions.Wakes.ToArray(), Has.None.True);
                break;
            case "stop":
                Assert.That(run.Server.Run.Limits.Stop, Is.EqualTo(new Tag(8, 0)));
                break;
            case "snapshot":
                Assert.That(run.Server.Run.Snapshots.Count, Is.EqualTo(1));
                break;
            case "resign":
                Assert.That(member.Life, Is.EqualTo(MemberLife.Resigned));
                break;
            case "request":
                Assert.That(state.Request.Target, Is.EqualTo(new Tag(9, 0)));
                break;
            case "checksum":
                Assert.That((member.Checksums.Last, member.Checksums.Count), Is.EqualTo((77UL, 1L)));
                break;
            default:
                Assert.That(member.CommitDigest.Count, Is.EqualTo(state.Now == Tag.Zero ? 0 : 1));
                break;
        }
    }

    /// <summary>Brings the run there, by the members' own libraries.</summary>
    private static (long Link, string Name) Bring(SingleProcessRun run, string state)
    {
        if (state == "joining")
        {
            run.MoveUp(0);
            return (0, "a");
        }

        run.Settle();

        switch (state)
        {
            case "waiting":
                run["a"].Request(AdvanceMode.To, 9);
                break;
            case "lost":
                run.Lose(0);
                return (Stranger, "a");
            case "resigned":
                run["a"].Resign();
                break;
            case "final":
                foreach (MemberEngine member in run.Members)
                {
                    member.Request(AdvanceMode.Next, Tag.Infinity);
                }

                break;
            case "aborted":
                run.Lose(2);
                break;
            case "ended":
                run.Members.ForEach(member => member.Resign());
                break;
            default:
                break;
        }

        run.Settle();
        return state switch
        {
            "stranger" => (Stranger, "a"),
            "listener" => (1, "l"),
            _ => (0, "a"),
        };
    }

    private static byte[] CommitOf(SingleProcessRun run, Member member, string element)
    {
        Tag now = run.Server.Members.StateOf(member).Now;
        FrameWriter writer = new();
        writer.BeginFrame(FrameType.Commit, 1, member.Session);
        writer.WriteNumber(member.Step + 1);
        int subscribed = member.Name == "a" ? 1 : 0;

        switch (element)
        {
            case "publication":
                CommitElements.WritePublication(writer, 0, now, now + Delay.Ticks(5), "m"u8);
                break;
            case "promise":
                CommitElements.WritePromise(writer, now, now + Delay.Ticks(7));
                break;
            case "look-ahead":
                CommitElements.WriteLookahead(writer, Delay.Ticks(3));
                break;
            case "role":
                CommitElements.WriteRole(writer, sends: false, receives: false);
                break;
            case "interest":
                CommitElements.WriteInterest(writer, subscribed, isOn: false);
                break;
            case "stop":
                CommitElements.WriteStop(writer, now, now + Delay.Ticks(8));
                break;
            case "snapshot":
                CommitElements.WriteSnapshot(writer, "s", "state"u8);
                break;
            case "resign":
                CommitElements.WriteResign(writer);
                break;
            case "request":
                CommitElements.WriteRequest(writer, now, new AdvanceRequest(AdvanceMode.To, now + Delay.Ticks(9), default));
                break;
            case "digest":
                CommitElements.WriteDigest(writer, member.Digest.Value);
                break;
            default:
                CommitElements.WriteStateChecksum(writer, 77);
                break;
        }

        writer.EndFrame();
        return writer.Written.ToArray();
    }

    private static SequencingConfig Config() => new()
    {
        Roster =
        [
            new MemberDeclaration("a") { Publish = ["x"], Subscribe = ["y"], MayStop = true },
            new MemberDeclaration("l") { Publish = ["y"], Subscribe = ["x"], Sends = false },
            new MemberDeclaration("z") { Publish = ["y"], CrashPolicy = CrashPolicy.Abort },
        ],
        StopTag = 100,
    };

    private static RefusalFrame RefusalTo(SingleProcessRun run, long link)
    {
        while (run.Down.TryGetValue(link, out Queue<byte[]>? queue) && queue.TryDequeue(out byte[]? message))
        {
            FrameReader reader = new(message);

            while (Frame.TryNext(ref reader, out Frame frame))
            {
                if (frame.Type == FrameType.Error && RefusalFrame.TryRead(frame.Body, out RefusalFrame refusal))
                {
                    return refusal;
                }
            }
        }

        return default;
    }
}
