using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

[TestFixture]
public sealed class ServerEngineTests
{
    private const ulong Epoch = 1;
    private const long Stranger = 99;

    [Test]
    public void A_second_member_of_the_same_name_is_rejected_and_the_first_unaffected()
    {
        SequencingConfig config = Pair();
        SingleProcessRun run = new(config);
        run.Settle();
        run["a"].TryTakeGrant(out _);
        run["a"].Publish("x", "here"u8, null);
        run["a"].Flush();
        run.Settle();

        run.Inject(Stranger, HelloOf(config, "a"));

        Assert.That(ErrorTo(run, Stranger), Is.EqualTo(SequencingError.NameTaken));
        Assert.That(run["a"].Phase, Is.EqualTo(MemberPhase.Running));
    }

    [Test]
    public void A_name_outside_the_roster_is_rejected()
    {
        SingleProcessRun run = new(Pair());

        run.Inject(Stranger, HelloOf(new MemberOptions("z")));

        Assert.That(ErrorTo(run, Stranger), Is.EqualTo(SequencingError.NotDeclared));
    }

    [Test]
    public void Another_configuration_another_declaration_and_another_run_are_rejected()
    {
        MemberOptions[] wrong =
        [
            new("a") { Publish = ["x"], Subscribe = ["y"], ConfigHash = 12345 },
            new("a") { Publish = ["x"] },
            new("a") { Publish = ["x"], Subscribe = ["y"], Lookahead = Delay.Ticks(7) },
            new("a") { Publish = ["x"], SubscribeQuietly = ["y"] },
            new("a") { Publish = ["x"], Subscribe = ["y"], RunId = 1 },
        ];

        foreach (MemberOptions options in wrong)
        {
            SingleProcessRun run = new(Pair());
            run.Inject(Stranger, HelloOf(options));
            Assert.That(ErrorTo(run, Stranger), Is.EqualTo(SequencingError.ConfigMismatch));
        }
    }

    [Test]
    public void A_member_that_leaves_before_the_start_frees_its_name()
    {
        SequencingConfig config = Pair();
        SingleProcessRun run = new(config);
        run.MoveUp(0);
        run.Lose(0);

        run.Inject(Stranger, HelloOf(config, "a"));

        Assert.That(run.Down[Stranger].Dequeue()[0], Is.EqualTo((byte)FrameType.Welcome));
    }

    // Clause: what a commit of each kind meets in each state, and what the next one meets after it.
    [TestCase("gathering", "request", SequencingError.NotJoined)]
    [TestCase("running", "publication", SequencingError.None)]
    [TestCase("running", "early publication", SequencingError.LookaheadViolation)]
    [TestCase("running", "late round", SequencingError.RoundLimit)]
    [TestCase("running", "large publication", SequencingError.TooLarge)]
    [TestCase("running", "unknown channel", SequencingError.UnknownChannel)]
    [TestCase("running", "subscribed channel", SequencingError.NotDeclared)]
    [TestCase("running", "promise", SequencingError.None)]
    [TestCase("running", "lookahead", SequencingError.None)]
    [TestCase("running", "no lookahead", SequencingError.LookaheadViolation)]
    [TestCase("running", "request", SequencingError.None)]
    [TestCase("running", "resign", SequencingError.None)]
    [TestCase("running", "wrong digest", SequencingError.DigestMismatch)]
    [TestCase("running", "role", SequencingError.BadFrame)]
    [TestCase("waiting", "publication", SequencingError.AlreadyRequesting)]
    [TestCase("waiting", "promise", SequencingError.AlreadyRequesting)]
    [TestCase("waiting", "request", SequencingError.AlreadyRequesting)]
    [TestCase("waiting", "resign", SequencingError.AlreadyRequesting)]
    [TestCase("resigned", "publication", SequencingError.NotJoined)]
    [TestCase("resigned", "request", SequencingError.NotJoined)]
    [TestCase("listener", "publication", SequencingError.NotASender)]
    [TestCase("listener", "promise", SequencingError.NotASender)]
    [TestCase("listener", "lookahead", SequencingError.NotASender)]
    [TestCase("listener", "request", SequencingError.None)]
    public void An_element_meets_its_answer_in_each_state(string state, string element, SequencingError expected)
    {
        SingleProcessRun run = new(Pair());
        ulong step = 1;
        int link = state == "listener" ? 2 : 0;

        if (state == "gathering")
        {
            run.MoveUp(0);
        }
        else
        {
            run.Settle();
        }

        if (state is "waiting" or "resigned")
        {
            run.Inject(link, Commit(step++, state == "waiting" ? "request" : "resign"));
        }

        run.Down[link].Clear();
        run.Inject(link, Commit(step, element));

        Assert.That(ErrorTo(run, link), Is.EqualTo(expected));
    }

    [TestCase((1L << 62) - 1, SequencingError.None)]
    [TestCase(1L << 62, SequencingError.Overflow)]
    public void A_publication_must_be_within_reach_of_a_wire_integer(long at, SequencingError expected)
        => Assert.That(CommitCheck.CheckTag(at, Tag.Zero, maxRounds: 10), Is.EqualTo(expected));

    [Test]
    public void One_wrong_element_leaves_no_trace_of_the_others()
    {
        SingleProcessRun run = new(Pair());
        run.Settle();
        FrameWriter writer = new();
        writer.BeginFrame(FrameType.Commit, Epoch, 1);
        writer.WriteNumber(1);
        CommitElements.WritePublication(writer, 0, 0, 5, "good"u8);
        CommitElements.WritePublication(writer, 9, 0, 5, "no such channel"u8);
        writer.EndFrame();

        run.Inject(0, writer.Written.ToArray());

        Assert.That(run.Server.Members.All[1].Inbox.Count, Is.Zero);
        Assert.That(run.Server.Members.All[0].Step, Is.Zero);
        run.Inject(0, Commit(1, "publication"));
        Assert.That(run.Server.Members.All[1].Inbox.Count, Is.EqualTo(1));
    }

    [Test]
    public void A_step_counts_once_and_a_gap_is_refused()
    {
        SingleProcessRun run = new(Pair());
        run.Settle();

        run.Inject(0, Commit(1, "publication"));
        run.Inject(0, Commit(1, "publication"));
        run.Inject(0, Commit(3, "publication"));

        Assert.That(run.Server.Members.All[1].Inbox.Count, Is.EqualTo(1));
        Assert.That(run.Server.Counters.StepsRepeated, Is.EqualTo(1));
        Assert.That(ErrorTo(run, 0), Is.EqualTo(SequencingError.WrongSequence));
    }

    [Test]
    public void A_frame_of_another_session_is_refused_before_it_is_looked_at()
    {
        SingleProcessRun run = new(Pair());
        run.Settle();

        run.Inject(0, Commit(1, "publication", session: 2));

        Assert.That(ErrorTo(run, 0), Is.EqualTo(SequencingError.StaleEpoch));
    }

    [Test]
    public void Frames_of_unknown_types_are_skipped()
    {
        SingleProcessRun run = new(Pair());
        run.Settle();
        byte[] unknown = [0x7F, 0, 0, 3, 1, 2, 3];

        run.Inject(0, [.. unknown, .. Commit(1, "publication")]);

        Assert.That(run.Server.Members.All[1].Inbox.Count, Is.EqualTo(1));
        Assert.That(run.Server.Refusals, Is.Zero);
    }

    [TestCase(CrashPolicy.Stall, false, SequencingError.None)]
    [TestCase(CrashPolicy.Resign, true, SequencingError.None)]
    [TestCase(CrashPolicy.Abort, false, SequencingError.Stopped)]
    public void A_lost_member_is_handled_by_its_policy(CrashPolicy policy, bool othersGoOn, SequencingError error)
    {
        SingleProcessRun run = new(Pair(policy));
        run.Settle();
        run["b"].TryTakeGrant(out _);
        run["b"].Request(AdvanceMode.To, 50);
        run.Settle();

        run.Lose(0);
        run.Settle();

        Assert.That(run["b"].TryTakeGrant(out _), Is.EqualTo(othersGoOn));
        Assert.That(run["b"].Error, Is.EqualTo(error));
        Assert.That(run.Server.ExternalFacts[0], Is.EqualTo(new ExternalFact(ExternalFactKind.Lost, "a", Tag.Zero)));
        Assert.That(run.Server.IsInfluenced, Is.EqualTo(policy != CrashPolicy.Stall));
    }

    [Test]
    public void A_wait_names_the_member_at_its_root_and_the_grant_says_so()
    {
        SingleProcessRun run = new(Chain());
        run.Settle();
        run["c"].TryTakeGrant(out _);
        run["c"].Request(AdvanceMode.To, 10);
        run["b"].Request(AdvanceMode.Next, 50);
        run.Settle();

        Assert.That(run.Server.BlockedBy("c"), Is.EqualTo("a"));
        Assert.That(run.Server.BlockedBy("a"), Is.Null);

        run["a"].Request(AdvanceMode.To, 60);
        run.Settle();

        Assert.That(run["c"].TryTakeGrant(out Grant grant));
        Assert.That(grant.WaitedFor, Is.EqualTo("a"));
        Assert.That(grant.Waited, Is.GreaterThan(TimeSpan.Zero));
        Assert.That(run.Server.BlockedBy("c"), Is.Null);
    }

    [Test]
    public void Two_that_wait_for_a_million_ticks_cost_one_request_each_and_two_passes()
    {
        SingleProcessRun run = new(Pair());
        run.Settle();
        run["c"].Resign();
        run.Settle();
        long before = run.Server.Evaluations;

        run["a"].Request(AdvanceMode.Next, 1_000_000);
        run["b"].Request(AdvanceMode.Next, 1_000_000);
        run.Settle();

        Assert.That(run["b"].Now, Is.EqualTo(new Tag(1_000_000, 0)));
        Assert.That(run.Server.Evaluations - before, Is.AtMost(2));
    }

    [Test]
    public void A_large_batch_comes_in_several_messages_and_whole()
    {
        SingleProcessRun run = new(Pair());
        run.Settle();
        run["b"].TryTakeGrant(out _);

        for (int i = 0; i < 5; i++)
        {
            run["a"].Publish("x", new byte[50_000], 5);
        }

        run["a"].Request(AdvanceMode.To, 10);
        run["b"].Request(AdvanceMode.To, 5);
        run["c"].Resign();
        run.Settle();

        Assert.That(run["b"].TryTakeGrant(out Grant grant));
        Assert.That(grant.Messages, Has.Count.EqualTo(5));
        Assert.That(grant.Messages.Select(message => message.Payload.Length), Is.All.EqualTo(50_000));
    }

    [Test]
    public void A_damaged_grant_is_noticed_by_its_digest_at_once()
    {
        SingleProcessRun run = new(Pair());
        run.Settle();
        run["b"].TryTakeGrant(out _);
        run["a"].Publish("x", "value"u8, 5);
        run["a"].Request(AdvanceMode.To, 10);
        run["b"].Request(AdvanceMode.To, 5);

        while (run.MoveUp(0) || run.MoveUp(1))
        {
        }

        byte[] batch = run.Down[1].Dequeue();
        batch[batch.AsSpan().IndexOf("value"u8)] ^= 1;
        run["b"].HandleMessage(batch);

        Assert.That(run["b"].Error, Is.EqualTo(SequencingError.DigestMismatch));
    }

    [Test]
    public void Every_truncation_and_every_flipped_byte_is_survived_by_both_sides()
    {
        SequencingConfig config = Pair();
        byte[][] upward =
            [HelloOf(config, "a"), Commit(1, "publication"), Commit(1, "request"), Commit(1, "lookahead")];

        foreach (byte[] message in upward)
        {
            foreach (byte[] damaged in Damaged(message))
            {
                SingleProcessRun run = new(config);
                run.Settle();
                run.Inject(0, damaged);
                run.Inject(Stranger, damaged);
                Assert.That(run["b"].Phase, Is.EqualTo(MemberPhase.Running));
            }
        }

        foreach (byte[] damaged in Damaged(GrantWithBatch(config)))
        {
            SingleProcessRun run = new(config);
            run.Settle();
            run["b"].Request(AdvanceMode.To, 5);
            run["b"].HandleMessage(damaged);
            Assert.That(run["b"].Phase, Is.Not.EqualTo(MemberPhase.Joining));
        }
    }

    [Test]
    public void Random_bytes_from_members_and_strangers_change_nothing([Range(1, 20)] int seed)
    {
        Prng draws = new((ulong)seed);
        SingleProcessRun run = new(Pair());
        run.Settle();

        for (int i = 0; i < 500; i++)
        {
            byte[] bytes = new byte[draws.NextBelow(60)];

            for (int at = 0; at < bytes.Length; at++)
            {
                bytes[at] = (byte)draws.NextBelow(256);
            }

            run.Inject(draws.NextBelow(2) == 0 ? 0 : Stranger, bytes);
        }

        run.Down[0].Clear();
        run["a"].Request(AdvanceMode.To, 7);
        run["b"].Request(AdvanceMode.To, 7);
        run["c"].Request(AdvanceMode.To, 7);
        run.Settle();
        Assert.That(run["b"].Now, Is.EqualTo(new Tag(7, 0)));
    }

    private static SequencingConfig Pair(CrashPolicy policyOfA = CrashPolicy.Stall) => new()
    {
        Roster =
        [
            new MemberDeclaration("a") { Publish = ["x"], Subscribe = ["y"], CrashPolicy = policyOfA },
            new MemberDeclaration("b") { Publish = ["y"], Subscribe = ["x"] },
            new MemberDeclaration("c") { Sends = false, Publish = ["x"] },
        ],
        MaxRounds = 100,
        MaxPayloadBytes = 100_000,
    };

    private static SequencingConfig Chain() => new()
    {
        Roster =
        [
            new MemberDeclaration("a") { Publish = ["x"] },
            new MemberDeclaration("b") { Publish = ["y"], Subscribe = ["x"] },
            new MemberDeclaration("c") { Subscribe = ["y"] },
        ],
    };

    private static byte[] HelloOf(SequencingConfig config, string name) => HelloOf(MemberOptions.From(config, name));

    private static byte[] HelloOf(MemberOptions options)
    {
        MemberEngine engine = new(options);
        engine.TryPeekOutgoing(out ReadOnlySpan<byte> hello);
        return hello.ToArray();
    }

    private static byte[] Commit(ulong step, string element, ulong session = 1)
    {
        FrameWriter writer = new();
        writer.BeginFrame(FrameType.Commit, Epoch, session);
        writer.WriteNumber(step);

        switch (element)
        {
            case "publication":
                CommitElements.WritePublication(writer, 0, 0, 5, "m"u8);
                break;
            case "early publication":
                CommitElements.WritePublication(writer, 0, 0, 0, "m"u8);
                break;
            case "late round":
                CommitElements.WritePublication(writer, 0, 0, new Tag(5, 101), "m"u8);
                break;
            case "large publication":
                CommitElements.WritePublication(writer, 0, 0, 5, new byte[100_001]);
                break;
            case "unknown channel":
                CommitElements.WritePublication(writer, 2, 0, 5, "m"u8);
                break;
            case "subscribed channel":
                CommitElements.WritePublication(writer, 1, 0, 5, "m"u8);
                break;
            case "promise":
                CommitElements.WritePromise(writer, 0, 5);
                break;
            case "lookahead":
                CommitElements.WriteLookahead(writer, Delay.Ticks(3));
                break;
            case "no lookahead":
                CommitElements.WriteLookahead(writer, Delay.None);
                break;
            case "request":
                CommitElements.WriteRequest(writer, 0, new AdvanceRequest(AdvanceMode.To, 5, default));
                break;
            case "resign":
                CommitElements.WriteResign(writer);
                break;
            case "wrong digest":
                CommitElements.WriteDigest(writer, 1);
                break;
            default:
                writer.WriteNumber(4);
                writer.WriteBlock([]);
                break;
        }

        writer.EndFrame();
        return writer.Written.ToArray();
    }

    private static byte[] GrantWithBatch(SequencingConfig config)
    {
        SingleProcessRun run = new(config);
        run.Settle();
        run["a"].Publish("x", "value"u8, 5);
        run["a"].Request(AdvanceMode.To, 10);
        run["b"].Request(AdvanceMode.To, 5);

        while (run.MoveUp(0) || run.MoveUp(1))
        {
        }

        return run.Down[1].Dequeue();
    }

    private static IEnumerable<byte[]> Damaged(byte[] message)
    {
        for (int length = 0; length < message.Length; length++)
        {
            yield return message[..length];
        }

        for (int at = 0; at < message.Length; at++)
        {
            foreach (byte change in new byte[] { 0x01, 0x40, 0x80, 0xFF })
            {
                byte[] damaged = [.. message];
                damaged[at] ^= change;
                yield return damaged;
            }
        }
    }

    private static SequencingError ErrorTo(SingleProcessRun run, long link)
    {
        while (run.Down[link].TryDequeue(out byte[]? message))
        {
            FrameReader reader = new(message);

            while (Frame.TryNext(ref reader, out Frame frame))
            {
                if (frame.Type is FrameType.Error or FrameType.Reject
                    && RefusalFrame.TryRead(frame.Body, out RefusalFrame refusal))
                {
                    return refusal.Error;
                }
            }
        }

        return SequencingError.None;
    }
}
