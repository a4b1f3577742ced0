using Gudp.Sequencing;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>
/// Every error of lock-time section 20 that a commit can meet: the whole commit is refused, the run is as it was, and the
/// text names what was given and what is allowed (clauses ).
/// </summary>
[TestFixture]
public sealed class CommitRefusalTests
{
    private delegate void Say(FrameWriter writer);

    private static readonly (SequencingError Error, string Text, Say Say)[] Refused =
    [
        (SequencingError.LookaheadViolation,
            "Publication 3 of step 1 at 12 on 'state' is before the earliest 15.",
            writer =>
            {
                Publish(writer, 15);
                Publish(writer, 16);
                Publish(writer, 12);
            }),
        (SequencingError.LookaheadViolation, "Stop of step 1 at 14 is before the earliest 15.",
            writer => CommitElements.WriteStop(writer, 0, 14)),
        (SequencingError.LookaheadViolation, "Lookahead of step 1 is none; the least is 1 rounds.",
            writer => CommitElements.WriteLookahead(writer, Delay.None)),
        (SequencingError.UnknownChannel, "names channel 9; \"a\" declared 2, from 0 on.",
            writer => CommitElements.WritePublication(writer, 9, 0, 20, "m"u8)),
        (SequencingError.UnknownChannel, "Interest 2 of step 1 names channel 7",
            writer =>
            {
                CommitElements.WriteInterest(writer, 0, isOn: false);
                CommitElements.WriteInterest(writer, 7, isOn: false);
            }),
        (SequencingError.NotDeclared, "on 'control': \"a\" declared it as Subscribe, Wake only.",
            writer => CommitElements.WritePublication(writer, 0, 0, 20, "m"u8)),
        (SequencingError.NotDeclared, "Interest 1 of step 1 on 'state': \"a\" declared it as Publish only.",
            writer => CommitElements.WriteInterest(writer, 1, isOn: false)),
        (SequencingError.TooLarge, "on 'state' has 101 bytes; the most are 100 (MaxPayloadBytes).",
            writer => CommitElements.WritePublication(writer, 1, 0, 20, new byte[101])),
        (SequencingError.RoundLimit, "at (20,31) on 'state' comes after round 30 (MaxRounds)",
            writer => Publish(writer, new Tag(20, 31))),
        (SequencingError.RoundLimit, "Lookahead of step 1 is 31 rounds; the most rounds are 30 (MaxRounds).",
            writer => CommitElements.WriteLookahead(writer, Delay.Rounds(31))),
        (SequencingError.Overflow, "is beyond the last time 4611686018427387903.",
            writer => Publish(writer, (1L << 62) - 3)),
        (SequencingError.DigestMismatch, "Digest of step 1 is 0000000000000001; the server's after the grant at 0 is ",
            writer => CommitElements.WriteDigest(writer, 1)),
        (SequencingError.InboxLimit, "The publications of step 1 take 164000 bytes; \"b\" at 0 has 0 of 66000",
            writer =>
            {
                for (int i = 0; i < 1_000; i++)
                {
                    CommitElements.WritePublication(writer, 1, 0, 20, new byte[100]);
                }
            }),
        (SequencingError.BadFrame, "Element 2 of step 1 is malformed, unknown or not in its place after Promise.",
            writer =>
            {
                CommitElements.WritePromise(writer, 0, 20);
                Publish(writer, 20);
            }),
        (SequencingError.BadFrame, "Element 1 of step 1",
            writer =>
            {
                writer.WriteNumber(12);
                writer.WriteBlock([]);
            }),
    ];

    private static IEnumerable<TestCaseData> Cases()
        => Refused.Select((entry, i) => new TestCaseData(i).SetArgDisplayNames($"{entry.Error} {i}"));

    [TestCaseSource(nameof(Cases))]
    public void A_wrong_element_refuses_all_and_says_what_was_given_and_what_is_allowed(int index)
    {
        (SequencingError error, string text, Say say) = Refused[index];
        SingleProcessRun run = Start();
        string before = RunDump.Of(run.Server);

        run.Inject(0, Commit(1, 1, say));

        RefusalFrame refusal = RefusalTo(run);
        Assert.That((refusal.Error, refusal.Step), Is.EqualTo((error, 1UL)), refusal.Detail);
        Assert.That(refusal.Detail, Does.Contain(text));
        Assert.That(RunDump.Of(run.Server), Is.EqualTo(before));
        Assert.That(run.Server.Refusals, Is.EqualTo(1));
    }

    [TestCase(3UL, 1UL, SequencingError.WrongSequence, "Step 3 of \"a\" does not follow 0; 1 is next.")]
    [TestCase(1UL, 2UL, SequencingError.StaleEpoch, "session 2 was given; \"a\" is in epoch 1, session 1.")]
    public void A_step_or_session_that_is_not_the_next_one_is_named(
        ulong step, ulong session, SequencingError error, string text)
    {
        SingleProcessRun run = Start();
        string before = RunDump.Of(run.Server);

        run.Inject(0, Commit(step, session, writer => Publish(writer, 20)));

        RefusalFrame refusal = RefusalTo(run);
        Assert.That(refusal.Error, Is.EqualTo(error));
        Assert.That(refusal.Detail, Does.Contain(text));
        Assert.That(RunDump.Of(run.Server), Is.EqualTo(before));
    }

    [Test]
    public void A_commit_while_a_request_waits_names_the_request()
    {
        SingleProcessRun run = Start();
        run["a"].Request(AdvanceMode.To, 9);
        run.Settle();
        run.Down[0].Clear();

        run.Inject(0, Commit(2, 1, writer => Publish(writer, 20)));

        RefusalFrame refusal = RefusalTo(run);
        Assert.That(refusal.Error, Is.EqualTo(SequencingError.AlreadyRequesting));
        Assert.That(refusal.Detail, Does.Contain("its To(9) of step 1 waits at 0"));
    }

    // S-F10; and names of 255 bytes do not make a text longer than the wire allows.
    [Test]
    public void A_refusal_with_long_names_fits_the_wire()
    {
        string name = new('é', 127);
        SequencingConfig config = new()
        {
            Roster = [new MemberDeclaration(name) { Publish = [new string('x', 255), new string('é', 127)] }],
            MaxRounds = 30,
        };
        SingleProcessRun run = new(config);
        run.Settle();
        run.Down[0].Clear();

        run.Inject(0, Commit(7, 1, writer => Publish(writer, 20)));

        Assert.That(RefusalTo(run).Error, Is.EqualTo(SequencingError.WrongSequence));
    }

    // Truncated at every byte, twice, and in another order: refused and counted, or dropped, and the run is as it was.
    [Test]
    public void Cut_repeated_and_reordered_commits_are_refused_whole_and_counted()
    {
        byte[] whole = Commit(1, 1, Everything);
        FrameReader reader = new(whole);
        Assert.That(Frame.TryNext(ref reader, out Frame frame));
        byte[] body = frame.Body.ToArray();
        SingleProcessRun run = Start();
        string before = RunDump.Of(run.Server);

        for (int length = 0; length < whole.Length; length++)
        {
            run.Inject(0, whole[..length]);
        }

        Assert.That(run.Server.Refusals, Is.EqualTo(whole.Length - 1));
        Assert.That(RunDump.Of(run.Server), Is.EqualTo(before));

        // Cut in its body, with the frame's length as it should be: some are whole commits of fewer elements.
        int applied = 0;

        for (int length = 0; length < body.Length; length++)
        {
            SingleProcessRun fresh = Start();
            FrameWriter cut = new();
            cut.BeginFrame(FrameType.Commit, 1, 1);
            cut.WriteBytes(body.AsSpan(0, length));
            cut.EndFrame();
            fresh.Inject(0, cut.Written.ToArray());
            applied += fresh.Server.Refusals == 0 ? 1 : 0;
            Assert.That(fresh.Server.Refusals == 0 || RunDump.Of(fresh.Server) == before, $"{length}");
        }

        Assert.That(applied, Is.EqualTo(9));

        run.Inject(0, whole);
        string after = RunDump.Of(run.Server);
        run.Inject(0, whole);
        Assert.That(RunDump.Of(run.Server), Is.EqualTo(after).And.Not.EqualTo(before));
        Assert.That(run.Server.Counters.StepsRepeated, Is.EqualTo(1));
    }

    [Test]
    public void Elements_of_every_pair_of_kinds_in_the_wrong_order_are_refused()
    {
        Say[] kinds =
        [
            writer => Publish(writer, 20), writer => CommitElements.WritePromise(writer, 0, 18),
            writer => CommitElements.WriteLookahead(writer, Delay.Ticks(2)),
            writer => CommitElements.WriteRole(writer, true, true),
            writer => CommitElements.WriteInterest(writer, 0, isOn: true),
            writer => CommitElements.WriteStop(writer, 0, 30),
            writer => CommitElements.WriteResign(writer),
            writer => CommitElements.WriteStateChecksum(writer, 5),
        ];

        for (int first = 0; first < kinds.Length; first++)
        {
            for (int second = 0; second < kinds.Length; second++)
            {
                SingleProcessRun run = Start();
                run.Inject(0, Commit(1, 1, kinds[first] + kinds[second]));

                // Publications and interests repeat; anything else is said once, and in order.
                bool isInOrder = first < second || (first == second && first is 0 or 4);
                Assert.That(RefusalTo(run).Error == SequencingError.None, Is.EqualTo(isInOrder), $"{first} {second}");
            }
        }
    }

    private static void Everything(FrameWriter writer)
    {
        Publish(writer, 20);
        Publish(writer, 21);
        CommitElements.WritePromise(writer, 0, 18);
        CommitElements.WriteLookahead(writer, Delay.Ticks(2));
        CommitElements.WriteRole(writer, sends: true, receives: false);
        CommitElements.WriteInterest(writer, 0, isOn: false);
        CommitElements.WriteStop(writer, 0, 90);
        CommitElements.WriteRequest(writer, 0, new AdvanceRequest(AdvanceMode.Next, 9, new Grid(3, 1, 2)));
        CommitElements.WriteStateChecksum(writer, 5);
    }

    private static void Publish(FrameWriter writer, Tag at) => CommitElements.WritePublication(writer, 1, 0, at, "m"u8);

    private static SingleProcessRun Start()
    {
        SequencingConfig config = new()
        {
            Roster =
            [
                new MemberDeclaration("a")
                {
                    Publish = ["state"],
                    Subscribe = ["control"],
                    Lookahead = Delay.Ticks(15),
                    MayStop = true,
                },
                new MemberDeclaration("b") { Publish = ["control"], Subscribe = ["state"] },
            ],
            Channels = [new ChannelDeclaration("state") { Latency = LatencyModel.Uniform(0, 5) }],
            MaxRounds = 30,
            MaxPayloadBytes = 100,
            MaxInboxBytes = 66_000,
        };

        SingleProcessRun run = new(config);
        run.Settle();
        run.Down[0].Clear();
        return run;
    }

    private static byte[] Commit(ulong step, ulong session, Say say)
    {
        FrameWriter writer = new();
        writer.BeginFrame(FrameType.Commit, 1, session);
        writer.WriteNumber(step);
        say(writer);
        writer.EndFrame();
        return writer.Written.ToArray();
    }

    private static RefusalFrame RefusalTo(SingleProcessRun run)
    {
        foreach (byte[] message in run.Down[0])
        {
            FrameReader reader = new(message);

            if (Frame.TryNext(ref reader, out Frame frame) && frame.Type == FrameType.Error
                && RefusalFrame.TryRead(frame.Body, out RefusalFrame refusal))
            {
                return refusal;
            }
        }

        return default;
    }
}
