using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Lanes;
using NUnit.Framework;
using static Gudp.Tests.Messaging.HandFrames;

namespace Gudp.Tests.Messaging;

/// <summary>Message lanes against peers that break rules: scenarios H45 to H54 and H81.</summary>
[TestFixture]
public sealed class HostileMessageTests
{
    private const int Ring = 64 * 1024;
    private const int Largest = 1024 * 1024;

    private static readonly MessagingConfig Small = new()
    {
        LaneRingBytes = Ring,
        Lanes = 8,
        MaxMessageBytes = Largest,
        PeerMemoryBytes = 8 * 1024 * 1024,
    };

    [TestCase(0, 0, 0, PayloadVerdict.Malformed)]
    [TestCase(0, 0, 1, PayloadVerdict.Malformed)]
    [TestCase(10, 0, 0, PayloadVerdict.Malformed)]
    [TestCase(10, 10, 1, PayloadVerdict.Malformed)]
    [TestCase(10, 5, 6, PayloadVerdict.Malformed)]
    [TestCase(10, (1L << 62) - 1, 6, PayloadVerdict.Malformed)]
    [TestCase(Largest + 1, 0, 6, PayloadVerdict.TooLarge)]
    [TestCase((1L << 62) - 1, (1L << 62) - 7, 6, PayloadVerdict.TooLarge)]
    [TestCase(Largest, Largest - 6, 6, PayloadVerdict.Held)]
    public void H45_numbers_of_a_fragment_that_make_no_sense_close_before_any_memory_is_taken(
        long total, long start, int length, PayloadVerdict expected)
    {
        foreach (byte mode in new byte[] { 1, 2, 3, 4 })
        {
            using HandPeer peer = new(Small);
            peer.Take(Open(3, mode));

            PayloadVerdict verdict = peer.Give(Fragment(3, 0, 0, (total, start), new byte[length]));

            Assert.That(verdict, Is.EqualTo(expected), $"Mode {mode}.");
            Assert.That(expected == PayloadVerdict.Held || peer.End.Memory.Blocks == 0, Is.True, "No block is rented.");
            Assert.That(peer.Read(), Is.Empty);
        }
    }

    // D-9.3
    [Test]
    public void H46_first_fragments_of_many_largest_messages_cost_what_they_hold([Values(1, 2, 3, 4)] int mode)
    {
        using HandPeer peer = new(Small with { MaxMessageBytes = 64 * 1024, PeerMemoryBytes = 64 * 1024 * 1024 });
        int held = 0;
        peer.Take(Open(3, (byte)mode));

        for (int id = 0; id < 200; id++)
        {
            held += peer.Give(Fragment(3, id, 0, (64 * 1024, 0), new byte[500])) == PayloadVerdict.Held ? 1 : 0;
        }

        Assert.That(peer.End.Memory.Blocks, Is.LessThanOrEqualTo(MessageReceiveLane.MostPartials));
        Assert.That(peer.End.Memory.UsedBytes, Is.LessThanOrEqualTo(MessageReceiveLane.MostPartials * 4 * 1024));
        Assert.That(held, mode <= 2 ? Is.LessThanOrEqualTo(MessageReceiveLane.MostPartials) : Is.EqualTo(200));
        Assert.That(peer.Drops(3, MessageDrop.Incomplete), mode <= 2 ? Is.Zero : Is.EqualTo(136));
    }

    [Test]
    public void H46_reliable_first_fragments_beyond_the_connections_credit_close()
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, 1));
        PayloadVerdict last = PayloadVerdict.Held;
        int held = 0;

        for (int id = 0; id < 64 && last == PayloadVerdict.Held; id++)
        {
            last = peer.Give(Fragment(3, id, 0, (Largest, 0), new byte[500]));
            held += last == PayloadVerdict.Held ? 1 : 0;
        }

        Assert.That(last, Is.EqualTo(PayloadVerdict.CreditExceeded));
        Assert.That(held, Is.EqualTo(Small.ConnectionCreditBytes / Largest), "A message counts its whole length.");
    }

    // D-9.3
    [Test]
    public void H46_a_fragment_far_ahead_of_what_is_here_takes_no_memory([Values(1, 4)] int mode)
    {
        MessagingConfig config = Small with { MaxMessageBytes = 4 * Largest, PeerMemoryBytes = 16 * Largest };
        using HandPeer peer = new(config);
        peer.Take(Open(3, (byte)mode));

        PayloadVerdict verdict = peer.Give(Fragment(3, 0, 0, (4 * Largest, 3 * Largest), new byte[10]));

        Assert.That(verdict, Is.EqualTo(mode == 1 ? PayloadVerdict.Refused : PayloadVerdict.Held));
        Assert.That(peer.End.Memory.Blocks, Is.Zero);
    }

    // D-9.4
    [Test]
    public void H47_fragments_that_contradict_each_other_close([Values(1, 2, 3, 4)] int mode, [Values] bool inOnePacket)
    {
        byte[][] conflicts =
        [
            Fragment(3, 0, 0, (20, 0), [1, 2, 3]),
            Fragment(3, 0, 0, (10, 2), [9, 4]),
            Message(3, 0, 0, [1, 2, 3]),
        ];

        foreach (byte[] conflict in conflicts)
        {
            using HandPeer peer = new(Small);
            byte[] first = [.. Open(3, (byte)mode), .. Fragment(3, 0, 0, (10, 0), [1, 2, 3])];
            PayloadVerdict verdict = inOnePacket ? peer.Give(first, conflict) : peer.Give(first);

            verdict = inOnePacket ? verdict : peer.Give(conflict);

            bool closed = verdict == PayloadVerdict.FragmentConflict
                || peer.End.CloseReason?.Code == CloseCode.FragmentConflict;
            Assert.That(closed, Is.True, $"Mode {mode}: {verdict}.");
        }
    }

    // D-9.4
    [Test]
    public void H47_the_same_bytes_again_are_no_conflict_and_the_first_copy_stays([Values(1, 2, 3, 4)] int mode)
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, (byte)mode), Fragment(3, 0, 0, (6, 0), [1, 2, 3]), Fragment(3, 0, 0, (6, 2), [3, 4]));

        PayloadVerdict conflict = peer.Give(Fragment(3, 0, 0, (6, 3), [9, 5, 6]));
        peer.Take(Fragment(3, 0, 0, (6, 1), [2, 3, 4, 5, 6]));

        Assert.That(conflict, Is.EqualTo(PayloadVerdict.FragmentConflict));
        Assert.That(peer.Read().Single(), Is.EqualTo(new byte[] { 1, 2, 3, 4, 5, 6 }));
    }

    [Test]
    public void H49_fragments_of_a_message_that_was_delivered_are_ignored_and_acknowledged([Values(1, 2, 3, 4)] int mode)
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, (byte)mode), Fragment(3, 0, 1, (4, 0), [1, 2]), Fragment(3, 0, 1, (4, 2), [3, 4]));
        int first = peer.Read().Count;

        PayloadVerdict again = peer.Give(Fragment(3, 0, 1, (4, 2), [3, 4]));
        PayloadVerdict other = peer.Give(Fragment(3, 0, 1, (9, 2), [7, 7]));

        Assert.That((first, again, other), Is.EqualTo((1, PayloadVerdict.Held, PayloadVerdict.Held)));
        Assert.That(peer.Read(), Is.Empty);
        Assert.That(peer.End.Memory.Blocks, Is.Zero);
        Assert.That(peer.Written().Count(text => text == "MessagesTaken 3 0-0"), Is.EqualTo(1), "One answer.");
    }

    [TestCase(0)]
    [TestCase(Largest)]
    public void H51_an_empty_and_a_largest_message_arrive(int length)
    {
        byte[] content = LaneTests.Pattern(length, 5);

        foreach (byte mode in new byte[] { 1, 2 })
        {
            using HandPeer peer = new(Small);
            peer.Take(Open(3, mode));

            for (int at = 0; at < length; at += 1_000)
            {
                byte[] part = content[at..Math.Min(length, at + 1_000)];
                peer.Take(Fragment(3, 0, 0, (length, at), part));
            }

            if (length == 0)
            {
                peer.Take(Message(3, 0, 0, []));
            }

            Assert.That(peer.Read().Single().AsSpan().SequenceEqual(content), Is.True);
        }
    }

    // D-9.3
    [Test]
    public void H46_the_holes_of_all_incomplete_messages_of_a_lane_are_bounded_and_closing_one_needs_no_room()
    {
        const int Total = 10_000;
        using HandPeer peer = new(Small);
        peer.Take(Open(3, 1));
        int held = 0;

        for (int i = 0; i < 64 * 100; i++)
        {
            held += peer.Give(Fragment(3, i % 64, 0, (Total, 1 + (2 * (i / 64))), [1])) == PayloadVerdict.Held ? 1 : 0;
        }

        PayloadVerdict closing = peer.Give(Fragment(3, 0, 0, (Total, 2), [1]));
        PayloadVerdict another = peer.Give(Fragment(3, 0, 0, (Total, 9_000), [1]));
        PayloadVerdict tooMany = peer.Give(Fragment(3, 1, 0, (Total, 9_000), [1]));

        Assert.That(held, Is.EqualTo(PartialMessage.MostRanges));
        Assert.That((closing, another, tooMany), Is.EqualTo(
            (PayloadVerdict.Held, PayloadVerdict.Held, PayloadVerdict.Refused)));
        Assert.That(peer.End.CloseReason, Is.Null);
    }

    // D-9.5
    [Test]
    public void H52_an_id_beyond_the_credit_closes([Values(1, 2)] int mode)
    {
        const int Last = IdCredit.First - 1;
        PayloadVerdict[] verdicts =
        [
            Verdict(Message(3, Last, 0, [1])),
            Verdict(Message(3, Last + 1, 0, [1])),
            Verdict(Fragment(3, Last + 1, 0, (5, 1), [1])),
            Verdict(Skip(3, Last, Last + 1, 5)),
            Verdict(Skip(3, Last, Last + 2)),
            Verdict(Message(3, (1L << 62) - 1, 0, [1])),
        ];

        Assert.That(verdicts, Is.EqualTo(new[]
        {
            PayloadVerdict.Held, PayloadVerdict.CreditExceeded, PayloadVerdict.CreditExceeded, PayloadVerdict.Held,
            PayloadVerdict.CreditExceeded, PayloadVerdict.CreditExceeded,
        }));

        PayloadVerdict Verdict(byte[] frame)
        {
            using HandPeer peer = new(Small);
            return peer.Give(Open(3, (byte)mode), frame);
        }
    }

    [Test]
    public void H52_bytes_beyond_the_connections_credit_close_on_every_kind_of_lane()
    {
        using HandPeer peer = new(Small);
        long credit = Small.ConnectionCreditBytes;
        peer.Take(Open(3, 1), Skip(3, 0, 1, credit - Ring), Open(1, 0), Data(1, Ring - 1, [1]));

        PayloadVerdict more = peer.Give(Message(3, 1, 0, [1]));
        PayloadVerdict skip = peer.Give(Skip(3, 2, 3, 1));

        // What a skip charges is read at once; but no news of that has gone out.
        Assert.That((more, skip), Is.EqualTo((PayloadVerdict.CreditExceeded, PayloadVerdict.CreditExceeded)));
    }

    [Test]
    public void H53_a_skip_that_charges_for_several_ids_closes()
    {
        using HandPeer peer = new(Small);

        PayloadVerdict verdict = peer.Give(Open(3, 1), Skip(3, 0, 2, 1));

        Assert.That(verdict, Is.EqualTo(PayloadVerdict.LaneViolation));
    }

    [Test]
    public void H54_credit_that_is_lowered_is_ignored()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        pair.Client.Peer.TrySend(new byte[1_000]);
        pair.RunUntilQuiet();

        pair.Client.Session.HandleFrames(
            new PacketNumber(90_000), [.. Numbers(0x22, 1, 0), .. Numbers(0x23, 0)], pair.Now);
        SendStatus status = pair.Client.Peer.TrySend(new byte[1_000]);
        pair.RunUntilQuiet();
        int received = 0;

        while (pair.Server.Peer.TryReceive(out ReceivedMessage message))
        {
            received++;
            message.Dispose();
        }

        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        Assert.That(received, Is.EqualTo(2));
    }

    // R5, D-9.5
    [Test]
    public void H81_a_lane_that_is_not_read_stops_only_its_own_credit([Values(1, 2)] int mode)
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, (byte)mode), Open(4, (byte)mode), Open(5, 4));
        long next = 0;

        // Lane 4 is in the hand of a handler that does not come back; lane 3 goes on far beyond its first credit.
        peer.Take(Message(4, 0, 0, [4]), Message(4, 1, 0, [4]));
        int read = 0;
        StuckHandler handler = new(peer.Peer, () =>
        {
            for (; next < 1_000; next++)
            {
                peer.Take(Message(3, next, 0, [3]));
                read += peer.Read().Count;
                peer.Written();
            }
        });
        peer.Peer.Poll(ref handler, 1);

        // On mode 2 the newer of them has made the older outdated.
        PayloadVerdict beyond = peer.Give(Message(4, IdCredit.LimitAfter(mode - 1), 0, [4]));
        peer.Take(Message(5, 0, 0, [5]));

        Assert.That(read, Is.EqualTo(1_000));
        Assert.That(beyond, Is.EqualTo(PayloadVerdict.CreditExceeded), "No more was granted for what was not read.");
        Assert.That(peer.End.CloseReason, Is.Null);
    }

    private readonly struct StuckHandler(Peer peer, Action meanwhile) : IMessageHandler
    {
        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
        {
            Assert.That(from, Is.SameAs(peer));
            meanwhile();
        }
    }
}
