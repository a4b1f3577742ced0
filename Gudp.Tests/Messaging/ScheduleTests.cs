using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>Which lane goes first, and by how much (D-11.1, D-11.2).</summary>
[TestFixture]
public sealed class ScheduleTests
{
    private const int Round = 400;

    // D-11.1, T10: counted in bytes over many packets, whatever the mode and the length of the messages.
    [TestCase(LaneMode.OrderedReliable, 1_000)]
    [TestCase(LaneMode.OrderedReliable, 40)]
    [TestCase(LaneMode.UnorderedReliable, 700)]
    [TestCase(LaneMode.Unreliable, 300)]
    public void T10_lanes_of_one_priority_share_by_weight_within_a_tenth(LaneMode mode, int messageBytes)
    {
        MessagingConfig config = new()
        {
            LaneRingBytes = 4 * 1024 * 1024,
            DatagramQueueBytes = 4 * 1024 * 1024,
            LanePlan = LanePlan.Default
                .With(3, new LaneOptions { Mode = mode, Weight = 1 })
                .With(4, new LaneOptions { Mode = mode, Weight = 2 })
                .With(5, new LaneOptions { Mode = mode, Weight = 5 }),
        };
        using SessionPair pair = SessionPair.Opened(config: config);
        byte[] message = new byte[messageBytes];
        GoBeyondFirstCredit(pair, 3, 4, 5);
        Fill(pair, message, 3, 4, 5);

        if (mode != LaneMode.Unreliable)
        {
            RaiseCredit(pair, 3, 4, 5);
        }

        Dictionary<int, long> bytes = CountBytes(pair, packets: Round);
        long total = bytes.Values.Sum();

        Assert.That(bytes[3], Is.EqualTo(total / 8.0).Within(total / 80.0));
        Assert.That(bytes[4], Is.EqualTo(total / 4.0).Within(total / 40.0));
        Assert.That(bytes[5], Is.EqualTo(total * 5 / 8.0).Within(total / 16.0));
    }

    // D-11.1
    [Test]
    public void A_lower_priority_gets_only_what_the_higher_one_leaves()
    {
        MessagingConfig config = new()
        {
            LaneRingBytes = 4 * 1024 * 1024,
            LanePlan = LanePlan.Default
                .With(3, new LaneOptions { Priority = -1, Weight = 255 })
                .With(4, new LaneOptions { Priority = 1 }),
        };
        using SessionPair pair = SessionPair.Opened(config: config);
        Fill(pair, new byte[1_000], 3, 4);
        RaiseCredit(pair, 3, 4);

        Dictionary<int, long> bytes = CountBytes(pair, packets: Round);

        Assert.That(bytes[4], Is.Positive);
        Assert.That(bytes.GetValueOrDefault(3), Is.Zero);
    }

    // T10 in packets: whatever waits in the background, an urgent message is in the next packet.
    [Test]
    public void T10_an_urgent_message_goes_in_the_next_packet_beside_512_KB_of_background()
    {
        MessagingConfig config = new()
        {
            LanePlan = LanePlan.Default.With(4, new LaneOptions { Mode = LaneMode.UnorderedReliable, Priority = 1 }),
        };
        using SessionPair pair = SessionPair.Opened(config: config);

        for (int i = 0; i < 512; i++)
        {
            pair.Client.Peer.TrySend(new byte[1_024]);
        }

        _ = CountBytes(pair, packets: 10);
        pair.Client.Peer.TrySend(new byte[40], new SendOptions { Lane = 4 });
        Dictionary<int, long> next = CountBytes(pair, packets: 1);

        Assert.That(next[4], Is.EqualTo(40));
    }

    // R5
    [Test]
    public void R5_a_lane_without_credit_stops_no_other_of_any_mode_or_priority()
    {
        MessagingConfig config = new()
        {
            LaneRingBytes = 64 * 1024,
            LanePlan = LanePlan.Default
                .With(3, new LaneOptions { Mode = LaneMode.UnorderedReliable, Priority = 9 })
                .With(4, new LaneOptions { Mode = LaneMode.SequencedReliable, Priority = -9 }),
        };
        using SessionPair pair = SessionPair.Opened(config: config);

        for (int i = 0; i < 4_000; i++)
        {
            _ = pair.Client.Peer.TrySend(new byte[100], new SendOptions { Lane = 3 });
            pair.Step();
        }

        SendStatus blocked = pair.Client.Peer.TrySend(new byte[100], new SendOptions { Lane = 3 });
        pair.Client.Peer.TrySend([4], new SendOptions { Lane = 4, NotifyReceived = true }, out SendReceipt other);
        pair.Client.Peer.TrySend([1], new SendOptions { Lane = 1, NotifyReceived = true }, out SendReceipt ordered);
        pair.RunUntilQuiet();

        Assert.That(blocked, Is.EqualTo(SendStatus.NoCredit));
        Assert.That(pair.Client.Peer.StateOf(other.Id).Transfer, Is.EqualTo(TransferState.Received));
        Assert.That(pair.Client.Peer.StateOf(ordered.Id).Transfer, Is.EqualTo(TransferState.Received));
        Assert.That(pair.Client.BlockedFrames.Select(frame => frame.Lane), Is.All.EqualTo(3));
    }

    // D-11.2
    [Test]
    public void A_lane_opens_with_its_mode_priority_and_weight()
    {
        MessagingConfig config = new()
        {
            LanePlan = LanePlan.Default.With(
                3, new LaneOptions { Mode = LaneMode.SequencedReliable, Priority = -3, Weight = 200 }),
        };
        using SessionPair pair = SessionPair.Opened(config: config);
        pair.Client.Peer.TrySend([1], new SendOptions { Lane = 3 });
        byte[] packet = new byte[1_100];

        int bytes = pair.Client.Session.WriteFrames(pair.Client.NextNumber(), packet, pair.Now);

        Assert.That(packet[..6], Is.EqualTo(new byte[] { (byte)FrameType.LaneOpen, 3, 2, unchecked((byte)-3), 200, 0x26 }));
        Assert.That(bytes, Is.LessThan(20));
    }

    // 1 lane against 64: the same messages take the same packets, but for each lane's own heads.
    [Test]
    public void Sixty_four_lanes_take_hardly_more_packets_than_one()
    {
        MessagingConfig config = new() { Lanes = 66 };

        int one = PacketsFor(lanes: 1);
        int many = PacketsFor(lanes: 64);

        Assert.That(many, Is.LessThanOrEqualTo(one * 13 / 10));

        int PacketsFor(int lanes)
        {
            using SessionPair pair = SessionPair.Opened(config: config);

            for (int i = 0; i < 6_400; i++)
            {
                int lane = (i % lanes) + (i % lanes == 0 ? 1 : 2);
                SendStatus status = pair.Client.Peer.TrySend(new byte[32], new SendOptions { Lane = lane });
                Assert.That(status, Is.EqualTo(SendStatus.Accepted));
            }

            RaiseCredit(pair, 1);
            byte[] packet = new byte[1_100];
            int packets = 0;

            for (; pair.Client.Session.HasDataToSend; packets++)
            {
                PacketNumber number = pair.Client.NextNumber();
                pair.Client.Session.WriteFrames(number, packet, pair.Now);
                pair.Client.Session.HandleAcked(number, pair.Now);
                pair.Client.Session.HandleAckEnd(pair.Now);
            }

            return packets;
        }
    }

    // D-9.5
    private static void GoBeyondFirstCredit(SessionPair pair, params int[] lanes)
    {
        foreach (int lane in lanes)
        {
            _ = pair.Client.Peer.TrySend([], new SendOptions { Lane = lane });
        }

        pair.RunUntilQuiet();

        while (pair.Server.Peer.TryReceive(out ReceivedMessage message))
        {
            message.Dispose();
        }

        pair.RunUntilQuiet();
    }

    // As if the peer's rings had grown, of lanes in use: nobody reads what these tests send.
    private static void RaiseCredit(SessionPair pair, params int[] lanes)
    {
        byte[] packet = new byte[100];
        LaneFrameWriter writer = new(packet);

        foreach (int lane in lanes)
        {
            writer.TryLaneOffset(FrameType.LaneCredit, lane, 1024 * 1024);
        }

        PayloadVerdict verdict = pair.Client.Session.HandleFrames(
            pair.Server.NextNumber(), packet.AsSpan(0, writer.Used), pair.Now);
        Assert.That(verdict, Is.EqualTo(PayloadVerdict.Held));
    }

    private static void Fill(SessionPair pair, byte[] message, params int[] lanes)
    {
        foreach (int lane in lanes)
        {
            while (pair.Client.Peer.TrySend(message, new SendOptions { Lane = lane }) == SendStatus.Accepted)
            {
                // Until it is full.
            }
        }
    }

    // Content of each lane in the next packets, which arrive at nobody.
    private static Dictionary<int, long> CountBytes(SessionPair pair, int packets)
    {
        Dictionary<int, long> bytes = [];
        byte[] packet = new byte[1_100];

        for (int i = 0; i < packets && pair.Client.Session.HasDataToSend; i++)
        {
            int length = pair.Client.Session.WriteFrames(pair.Client.NextNumber(), packet, pair.Now);
            LaneFrameReader reader = new(packet.AsSpan(0, length));

            while (reader.TryNext(out LaneFrame frame))
            {
                if (frame.Type is FrameType.LaneData or FrameType.Message or FrameType.Fragment)
                {
                    bytes[frame.Lane] = bytes.GetValueOrDefault(frame.Lane) + frame.Content.Length;
                }
            }
        }

        return bytes;
    }
}
