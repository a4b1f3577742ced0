using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>
/// Every error code of lock-time section 20, by one thing that a member, a newcomer or an operator says wrong: refused
/// whole and counted, the run as it was, and a text that names what was given and what is allowed.
/// </summary>
[TestFixture]
public sealed class ErrorCodeTests
{
    private const long Stranger = 99;
    private const long Listener = 2;
    private const int Codes = 20;

    private static readonly Case[] Cases =
    [
        new(SequencingError.PastTag, "The stop 3 was given; members have come to 4, the run can end at (4,1) or later.")
        {
            Before = run => AdvanceAll(run, 4),
            Say = run => run.Inject(Stranger, StopOf(run, 3)),
            Link = Stranger,
        },
        new(SequencingError.AlreadyRequesting, "Step 2 of \"a\" comes while its To(9) of step 1 waits at 0; nothing more")
        {
            Before = run => Ask(run, "a", AdvanceMode.To, 9),
            Say = run => run.Inject(0, Commit(2, Publish(20))),
        },
        new(SequencingError.LookaheadViolation, "Publication 1 of step 1 at 4 on 'state' is before the earliest 5.")
        {
            Say = run => run.Inject(0, Commit(1, Publish(4))),
        },
        new(SequencingError.NotASender, "Promise of step 1: \"l\" has not the role to send at 0.")
        {
            Say = run => run.Inject(Listener, Commit(1, writer => CommitElements.WritePromise(writer, 0, 7))),
            Link = Listener,
        },
        new(SequencingError.UnknownChannel, "Publication 1 of step 1 names channel 9; \"a\" declared 2, from 0 on.")
        {
            Say = run => run.Inject(0, Commit(1, Publish(20, channel: 9))),
        },
        new(SequencingError.NotDeclared, "Publication 1 of step 1 on 'control': \"a\" declared it as Subscribe, Wake only.")
        {
            Say = run => run.Inject(0, Commit(1, Publish(20, channel: 0))),
        },
        new(SequencingError.ConfigMismatch, "The member's configuration is 0000000000003039, the server's is ")
        {
            Say = run => run.Inject(Stranger, Hello(MemberOptions.From(Config(), "a", configHash: 12345))),
            Link = Stranger,
        },
        new(SequencingError.NameTaken, "\"a\" is here already")
        {
            Before = run =>
            {
                run["a"].Request(AdvanceMode.To, 9);
                run.Settle();
            },
            Say = run => run.Inject(Stranger, Hello(MemberOptions.From(Config(), "a"))),
            Link = Stranger,
        },
        new(SequencingError.NotJoined, "Step 1 comes from nobody; a commit comes after a hello.")
        {
            Say = run => run.Inject(Stranger, Commit(1, Publish(20))),
            Link = Stranger,
        },
        new(SequencingError.RoundLimit, "Publication 1 of step 1 at (20,31) on 'state' comes after round 30 (MaxRounds)")
        {
            Say = run => run.Inject(0, Commit(1, Publish(new Tag(20, 31)))),
        },
        new(SequencingError.Overflow, "is beyond the last time 4611686018427387903.")
        {
            Say = run => run.Inject(0, Commit(1, Publish((1L << 62) - 1))),
        },
        new(SequencingError.Trimmed, "The log begins with number 4, after 1.")
        {
            Before = FillTheLog,
            Say = run => run.Inject(Stranger, Hello(
                new MemberOptions("eye") { Observes = true, Sends = false, Subscribe = ["state"], Join = 1 })),
            Link = Stranger,
        },
        new(SequencingError.WrongSequence, "Step 3 of \"a\" does not follow 0; 1 is next.")
        {
            Say = run => run.Inject(0, Commit(3, Publish(20))),
        },
        new(SequencingError.StaleEpoch, "session 2 was given; \"a\" is in epoch 1, session 1.")
        {
            Say = run => run.Inject(0, Commit(1, Publish(20), session: 2)),
        },
        new(SequencingError.DigestMismatch, "Digest of step 1 is 0000000000000001; the server's after the grant at 0 is ")
        {
            Say = run => run.Inject(0, Commit(1, Publish(20) + (writer => CommitElements.WriteDigest(writer, 1)))),
        },
        new(SequencingError.InboxLimit, "The publications of step 1 take 67240 bytes; \"b\" at 0 has 0 of 66000 (MaxInboxBytes)")
        {
            Say = run => run.Inject(0, Commit(1, writer =>
            {
                for (int i = 0; i < 410; i++)
                {
                    CommitElements.WritePublication(writer, 1, 0, 20, new byte[100]);
                }
            })),
        },
        new(SequencingError.Stopped, "Publication 1 of step 2 comes after the final grant at 60; allowed are a resign, a digest")
        {
            Before = run => run.Members.ForEach(member => Ask(run, member.Name, AdvanceMode.Next, Tag.Infinity)),
            Say = run => run.Inject(0, Commit(2, writer =>
                CommitElements.WritePublication(writer, 1, 60, 70, "m"u8))),
        },
        new(SequencingError.TooLarge, "Publication 1 of step 1 on 'state' has 101 bytes; the most are 100 (MaxPayloadBytes).")
        {
            Say = run => run.Inject(
                0, Commit(1, writer => CommitElements.WritePublication(writer, 1, 0, 20, new byte[101]))),
        },
        new(SequencingError.BadFrame, "Element 2 of step 1 is malformed, unknown or not in its place after Promise.")
        {
            Say = run => run.Inject(0, Commit(1, (writer => CommitElements.WritePromise(writer, 0, 20)) + Publish(20))),
        },
    ];

    private static IEnumerable<TestCaseData> Numbers()
        => Cases.Select((entry, i) => new TestCaseData(i).SetArgDisplayNames($"{(int)entry.Error} {entry.Error}"));

    [TestCaseSource(nameof(Numbers))]
    public void A_code_refuses_all_is_counted_and_says_what_was_given_and_what_is_allowed(int number)
    {
        Case wrong = Cases[number];
        SingleProcessRun run = new(Config());
        run.Server.AllowOperator(Stranger);
        run.Settle();
        wrong.Before(run);
        run.Down.GetValueOrDefault(wrong.Link)?.Clear();
        string before = RunDump.Of(run.Server);
        long refusals = run.Server.Refusals;

        wrong.Say(run);

        RefusalFrame refusal = RefusalTo(run, wrong.Link);
        Assert.That(refusal.Error, Is.EqualTo(wrong.Error), refusal.Detail);
        Assert.That(refusal.Detail, Does.Contain(wrong.Text));
        Assert.That(RunDump.Of(run.Server), Is.EqualTo(before));
        Assert.That(run.Server.Refusals - refusals, Is.EqualTo(1));
    }

    // 16, Diverged, is what a library says of its own program: see ResumeTests.
    [Test]
    public void Every_code_of_section_20_is_in_the_table()
    {
        IEnumerable<int> tested = Cases.Select(entry => (int)entry.Error).Append((int)SequencingError.Diverged);

        Assert.That(tested, Is.EquivalentTo(Enumerable.Range(1, Codes)));
    }

    private static void AdvanceAll(SingleProcessRun run, Tag tag)
        => run.Members.ForEach(member => Ask(run, member.Name, AdvanceMode.To, tag));

    private static void Ask(SingleProcessRun run, string name, AdvanceMode mode, Tag target)
    {
        run[name].TryTakeGrant(out _);
        Assert.That(run[name].Request(mode, target), Is.EqualTo(SequencingError.None));
        run.Settle();
    }

    // The log keeps the last two of these.
    private static void FillTheLog(SingleProcessRun run)
    {
        foreach (long at in new[] { 5, 6, 7, 8, 9 })
        {
            run["a"].Publish("state", "m"u8, at);
        }

        AdvanceAll(run, 50);
    }

    private static byte[] StopOf(SingleProcessRun run, Tag tag)
    {
        OperatorEngine someone = new("op");
        someone.Stop(tag);
        Assert.That(someone.TryPeekOutgoing(out ReadOnlySpan<byte> message));
        return message.ToArray();
    }

    private static byte[] Hello(MemberOptions options)
    {
        Assert.That(new MemberEngine(options).TryPeekOutgoing(out ReadOnlySpan<byte> hello));
        return hello.ToArray();
    }

    private static Action<FrameWriter> Publish(Tag at, int channel = 1)
        => writer => CommitElements.WritePublication(writer, channel, 0, at, "m"u8);

    private static byte[] Commit(ulong step, Action<FrameWriter> say, ulong session = 1)
    {
        FrameWriter writer = new();
        writer.BeginFrame(FrameType.Commit, 1, session);
        writer.WriteNumber(step);
        say(writer);
        writer.EndFrame();
        return writer.Written.ToArray();
    }

    private static RefusalFrame RefusalTo(SingleProcessRun run, long link)
    {
        foreach (byte[] message in run.Down[link])
        {
            FrameReader reader = new(message);

            if (Frame.TryNext(ref reader, out Frame frame) && frame.Type is FrameType.Error or FrameType.Reject
                && RefusalFrame.TryRead(frame.Body, out RefusalFrame refusal))
            {
                return refusal;
            }
        }

        return default;
    }

    private static SequencingConfig Config() => new()
    {
        Roster =
        [
            new MemberDeclaration("a") { Publish = ["state"], Subscribe = ["control"], Lookahead = Delay.Ticks(5) },
            new MemberDeclaration("b") { Publish = ["control"], Subscribe = ["state"] },
            new MemberDeclaration("l") { Subscribe = ["state"], Sends = false },
        ],
        Channels = [new ChannelDeclaration("state") { Latency = LatencyModel.Uniform(0, 5) }],
        MaxRounds = 30,
        MaxPayloadBytes = 100,
        MaxInboxBytes = 66_000,
        LogMessages = 2,
        StopTag = 60,
    };

    private sealed record Case(SequencingError Error, string Text)
    {
        internal Action<SingleProcessRun> Before { get; init; } = _ => { };

        internal required Action<SingleProcessRun> Say { get; init; }

        internal long Link { get; init; }
    }
}
