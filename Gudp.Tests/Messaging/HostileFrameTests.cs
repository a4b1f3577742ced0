using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Wire;
using NUnit.Framework;
using static Gudp.Tests.Messaging.HandFrames;

namespace Gudp.Tests.Messaging;

/// <summary>
/// What a session makes of frames that no honest peer sends: a verdict, never an exception, never memory.
/// </summary>
[TestFixture]
public sealed class HostileFrameTests
{
    private static readonly MessagingConfig Small = new()
    {
        LaneRingBytes = 64 * 1024,
        Lanes = 4,
        MaxMessageBytes = 64 * 1024,
    };

    private static IEnumerable<TestCaseData> Verdicts()
    {
        yield return Case("data of a lane that was not opened", PayloadVerdict.LaneViolation, Data(1, 0, [1, 2]));
        yield return Case("data on a message lane", PayloadVerdict.LaneViolation, [.. Open(2, 4), .. Data(2, 0, [1])]);
        yield return Case("an opened lane's data", PayloadVerdict.Held, [.. Open(1, 0), .. Data(1, 0, [2, 1])]);
        yield return Case("a lane that was not agreed", PayloadVerdict.LaneViolation, Open(4, 0));
        yield return Case("a lane beyond all lanes", PayloadVerdict.Malformed, Open(256, 0));
        yield return Case("a control lane of another mode", PayloadVerdict.LaneViolation, Open(0, 1));
        yield return Case("a lane that changes its mode", PayloadVerdict.LaneViolation, [.. Open(1, 1), .. Open(1, 2)]);
        yield return Case("a mode there is not", PayloadVerdict.Malformed, Open(1, 5));
        yield return Case("the last byte of the credit", PayloadVerdict.Held,
            [.. Open(1, 0), .. Data(1, (64 * 1024) - 1, [1])]);
        yield return Case("one byte beyond the credit", PayloadVerdict.CreditExceeded,
            [.. Open(1, 0), .. Data(1, 64 * 1024, [1])]);
        yield return Case("an offset near the end of all offsets", PayloadVerdict.CreditExceeded,
            [.. Open(1, 0), .. Data(1, (1L << 62) - 1, [1, 2, 3])]);
        yield return Case("a skip beyond the credit", PayloadVerdict.CreditExceeded,
            [.. Open(1, 0), .. Skip(1, 0, 1L << 40)]);
        yield return Case("a skip of nothing", PayloadVerdict.Malformed, [.. Open(1, 0), .. Skip(1, 5, 5)]);
        yield return Case("a message on an ordered lane", PayloadVerdict.LaneViolation,
            [.. Open(1, 0), .. Message(1, 0, 0, [1])]);
        yield return Case("an unreliable message", PayloadVerdict.Held, [.. Open(2, 4), .. Message(2, 0, 0, [1])]);
        yield return Case("flags that are not defined", PayloadVerdict.Malformed,
            [.. Open(2, 4), .. Message(2, 0, 2, [1])]);
        yield return Case("taken before anything was sent", PayloadVerdict.LaneViolation, Numbers(0x25, 1, 0));
        yield return Case("refused before anything was sent", PayloadVerdict.LaneViolation,
            Numbers(0x2B, 1, 5, 0, 0));
        yield return Case("refused ids below zero", PayloadVerdict.Malformed, Numbers(0x2B, 1, 5, 0, 6));
        yield return Case("more refused ranges than a frame may have", PayloadVerdict.Malformed,
            Numbers(0x2B, 1, 1 << 20, 65, 0));
        yield return Case("credit for a lane", PayloadVerdict.Held, Numbers(0x22, 1, 1 << 20));
        yield return Case("a fragment on an ordered lane", PayloadVerdict.LaneViolation,
            [.. Open(1, 0), .. Fragment(1, 0, 0, (4, 0), [1])]);
        yield return Case("a fragment on a lane that was not opened", PayloadVerdict.LaneViolation,
            Fragment(1, 0, 0, (4, 0), [1]));
        yield return Case("settled on a lane that was not opened", PayloadVerdict.LaneViolation, Settled(1, 0));
        yield return Case("settled on any lane", PayloadVerdict.Held,
            [.. Open(1, 0), .. Settled(1, 5), .. Open(3, 1), .. Settled(3, 1L << 60)]);
        yield return Case("taken ids before anything was sent", PayloadVerdict.LaneViolation,
            Numbers(0x28, 1, 5, 0, 0));
        yield return Case("blocked on an unreliable lane", PayloadVerdict.LaneViolation,
            [.. Open(2, 4), .. Numbers(0x24, 2, 1)]);
        yield return Case("a frame that may be skipped", PayloadVerdict.Held, [.. Numbers(0x41, 3), 1, 2, 3]);
        yield return Case("a skippable frame longer than its packet", PayloadVerdict.Malformed,
            [.. Numbers(0x5F, 4), 1, 2, 3]);
        yield return Case("a type nobody knows", PayloadVerdict.UnknownFrame, Numbers(0x3F));
        yield return Case("a type above those that may be skipped", PayloadVerdict.UnknownFrame, Numbers(0x60, 0));
        yield return Case("one of Core's types", PayloadVerdict.UnknownFrame, [0x01]);
    }

    [TestCaseSource(nameof(Verdicts))]
    public void A_packet_gets_its_verdict(PayloadVerdict expected, byte[] frames)
    {
        using SessionPair pair = SessionPair.Opened(config: Small);

        PayloadVerdict verdict = pair.Server.Session.HandleFrames(new PacketNumber(1), frames, pair.Now);

        Assert.That(verdict, Is.EqualTo(expected));
    }

    [Test]
    public void A_packet_is_taken_whole_or_not_at_all()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        byte[] good = [.. Open(1, 0), .. Data(1, 0, [4, 7, 7])];
        byte[] bad = [.. good, .. Data(3, 0, [1])];

        PayloadVerdict verdict = pair.Server.Session.HandleFrames(new PacketNumber(1), bad, pair.Now);

        Assert.That(verdict, Is.EqualTo(PayloadVerdict.LaneViolation));
        Assert.That(pair.Server.Peer.TryReceive(out _), Is.False, "The good frames must not count either.");
    }

    [Test]
    public void Every_truncation_of_every_frame_is_malformed()
    {
        byte[][] frames =
        [
            Open(1, 0), Data(1, 300, [1, 2, 3]), Numbers(0x22, 1, 70_000), Numbers(0x23, 70_000), Numbers(0x24, 1, 900),
            Numbers(0x25, 1, 70_000), Message(2, 70_000, 1, [1, 2, 3]),
            [.. Numbers(0x27, 2, 5), 0, .. Numbers(9, 0, 2), 1, 2], Numbers(0x28, 2, 900, 1, 0, 70, 3),
            Numbers(0x29, 2, 900), Skip(1, 300, 900), Numbers(0x2B, 1, 900, 1, 0, 70, 3), [.. Numbers(0x40, 2), 1, 2],
        ];

        foreach (byte[] frame in frames)
        {
            LaneFrameReader whole = new(frame);
            bool read = whole.TryNext(out _) || whole.Skipped == 1;
            bool ended = !whole.TryNext(out _) && !whole.IsMalformed;
            Assert.That(read && ended, Is.True, $"Frame {frame[0]:x2} as a whole.");

            for (int length = 1; length < frame.Length; length++)
            {
                LaneFrameReader cut = new(frame.AsSpan(0, length));

                while (cut.TryNext(out _))
                {
                }

                Assert.That(cut.IsMalformed, Is.True, $"Frame {frame[0]:x2} cut to {length} bytes.");
            }
        }
    }

    [Test]
    public void A_message_longer_than_allowed_ends_the_connection()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        byte[] header = new byte[8];
        int bytes = VarInt.Write(header, (64 * 1024 * 2) + 2);

        pair.Server.Session.HandleFrames(
            new PacketNumber(1), [.. Open(1, 0), .. Data(1, 0, header[..bytes])], pair.Now);
        bool received = pair.Server.Peer.TryReceive(out _);

        Assert.That(received, Is.False);
        Assert.That(pair.Server.CloseReason?.Code, Is.EqualTo(CloseCode.MessageTooLarge));
    }

    [Test]
    public void A_skip_inside_a_message_ends_the_connection()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);

        pair.Server.Session.HandleFrames(
            new PacketNumber(1), [.. Open(1, 0), .. Data(1, 0, [8]), .. Skip(1, 1, 5)], pair.Now);
        bool received = pair.Server.Peer.TryReceive(out _);

        Assert.That(received, Is.False, "Stale bytes of the ring must not be shown as a message.");
        Assert.That(pair.Server.CloseReason?.Code, Is.EqualTo(CloseCode.LaneViolation));
    }

    [Test]
    public void Content_received_twice_is_not_written_twice()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        pair.Server.Session.HandleFrames(
            new PacketNumber(1), [.. Open(1, 0), .. Data(1, 0, [4, 1])], pair.Now);

        pair.Server.Session.HandleFrames(new PacketNumber(2), Data(1, 0, [4, 9, 2]), pair.Now);
        bool received = pair.Server.Peer.TryReceive(out ReceivedMessage message);

        Assert.That(received, Is.True);
        Assert.That(message.Span.ToArray(), Is.EqualTo(new byte[] { 1, 2 }));
        message.Dispose();
    }

    [Test]
    public void Holes_without_number_are_refused_and_the_lane_still_completes()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        PayloadVerdict last = PayloadVerdict.Held;
        int held = 0;
        pair.Server.Session.HandleFrames(new PacketNumber(1), Open(1, 0), pair.Now);

        for (int i = 1; i < 2_000 && last == PayloadVerdict.Held; i++)
        {
            last = pair.Server.Session.HandleFrames(new PacketNumber(1 + i), Data(1, 2 * i, [0]), pair.Now);
            held += last == PayloadVerdict.Held ? 1 : 0;
        }

        PayloadVerdict filler = pair.Server.Session.HandleFrames(
            new PacketNumber(5_000), Data(1, 0, [0, 0, 0, 0]), pair.Now);

        Assert.That(last, Is.EqualTo(PayloadVerdict.Refused));
        Assert.That(held, Is.GreaterThanOrEqualTo(64));
        Assert.That(filler, Is.EqualTo(PayloadVerdict.Held), "What fills a hole needs no room.");
    }

    [Test]
    public void Without_memory_a_packet_is_refused_and_taken_later()
    {
        MessagingConfig tight = Small with { PeerMemoryBytes = 512 * 1024, EndpointMemoryBytes = 512 * 1024 };
        using SessionPair pair = SessionPair.Opened(config: tight);
        MemoryHoard all = new(pair.Server.Memory);
        byte[] frames = [.. Open(1, 0), .. Data(1, 0, [2, 1])];

        PayloadVerdict without = pair.Server.Session.HandleFrames(new PacketNumber(1), frames, pair.Now);
        all.Return();
        PayloadVerdict with = pair.Server.Session.HandleFrames(new PacketNumber(2), frames, pair.Now);

        Assert.That(without, Is.EqualTo(PayloadVerdict.Refused));
        Assert.That(with, Is.EqualTo(PayloadVerdict.Held));
    }

    // Goal: no input makes a session throw, grow, or hand out a message beyond its limits.
    // Method: honest packets with bytes changed, cut, doubled and joined, and packets of noise.
    [Test]
    public void Noise_gets_verdicts_and_nothing_else([Range(1, 10)] int seed)
    {
        Prng draws = new((ulong)seed);
        byte[] packet = new byte[1_100];

        for (int round = 0; round < 20; round++)
        {
            using SessionPair pair = SessionPair.Opened(config: Small with { Lanes = 6 });
            pair.Server.Peer.TrySend(new byte[5_000], new SendOptions { NotifyTaken = true });
            pair.Run(3);

            for (int lane = 0; lane < 6; lane++)
            {
                pair.Server.Session.HandleFrames(new PacketNumber(90_000 + lane), Open(lane, ModeAt(lane)), pair.Now);
            }

            for (int i = 0; i < 500; i++)
            {
                int length = DrawPacket(draws, packet);
                pair.Server.Session.HandleFrames(new PacketNumber(100_000 + i), packet.AsSpan(0, length), pair.Now);
                AnswerSometimes(draws, pair);
                pair.Server.Session.HandleTurnEnd(pair.Now);

                while (pair.Server.Peer.TryReceive(out ReceivedMessage message))
                {
                    Assert.That(message.Span.Length, Is.LessThanOrEqualTo(Small.MaxMessageBytes));
                    message.Dispose();
                }
            }

            Assert.That(pair.Server.Memory.UsedBytes, Is.LessThan(2_000_000));
        }
    }

    // What the session says goes out, and arrives or is lost; now and then its deadlines pass.
    private static void AnswerSometimes(Prng draws, SessionPair pair)
    {
        MessageSession session = pair.Server.Session;
        byte[] packet = new byte[1_100];

        if (draws.NextChance(950_000) || !session.HasDataToSend)
        {
            return;
        }

        PacketNumber number = pair.Server.NextNumber();
        session.WriteFrames(number, packet, pair.Now);

        if (draws.NextChance(500_000))
        {
            session.HandleAcked(number, pair.Now);
            session.HandleAckEnd(pair.Now);
        }
        else
        {
            session.HandleLost(number, pair.Now);
        }

        session.HandleTimeout(pair.Now + TimeSpan.FromMilliseconds(draws.NextBelow(4_000)));
    }

    private static int DrawPacket(Prng draws, byte[] packet)
    {
        int length = 0;

        for (int frames = (int)draws.NextBetween(1, 6); frames > 0; frames--)
        {
            int lane = (int)draws.NextBelow(7);
            long offset = draws.NextChance(900_000) ? draws.NextBelow(70_000) : (long)(draws.NextUInt64() >> 2);
            byte[] content = LaneTests.Pattern((int)draws.NextBelow(60), draws.NextUInt64());
            long id = draws.NextBelow(300);
            byte[] frame = draws.NextBelow(14) switch
            {
                0 => Open(lane, ModeOf(draws, lane)),
                1 or 2 or 3 => Data(lane, offset, content),
                4 => Skip(lane, offset, offset + draws.NextBelow(500)),
                5 => Message(lane, id, (byte)draws.NextBelow(3), content),
                10 => Fragment(
                    lane, id, (byte)draws.NextBelow(2), (draws.NextBelow(200), draws.NextBelow(150)), content),
                11 => Fragment(
                    lane, draws.NextBelow(8), 1, (64_000, 50 * draws.NextBelow(1_200)), new byte[50]),
                12 => Skip(lane, id, id + 1 + draws.NextBelow(2), draws.NextBelow(3) * 50),
                13 => Settled(lane, offset),
                6 => Numbers((int)draws.NextBetween(0x22, 0x25), lane, offset),
                7 => Numbers(
                    draws.NextChance(500_000) ? 0x28 : 0x2B,
                    lane, offset, draws.NextBelow(4), draws.NextBelow(9), 1, 2, 3),
                8 => Numbers(0x27, lane, offset, 0, 100, 5, 3),
                _ => content,
            };
            frame.CopyTo(packet, length);
            length += frame.Length;
        }

        if (draws.NextChance(300_000) && length > 0)
        {
            packet[draws.NextBelow(length)] = (byte)draws.NextUInt64();
        }

        return draws.NextChance(200_000) ? (int)draws.NextBelow(length + 1) : length;
    }

    // Mostly the mode the lane has in this run, so that its content gets through.
    private static byte ModeOf(Prng draws, int lane)
        => draws.NextChance(950_000) ? ModeAt(lane) : (byte)draws.NextBelow(6);

    private static byte ModeAt(int lane) => (byte)(lane % 5);

    private static TestCaseData Case(string name, PayloadVerdict expected, byte[] frames)
        => new TestCaseData(expected, frames).SetName($"{name} is {expected}");
}
