using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Lanes;
using NUnit.Framework;
using static Gudp.Tests.Messaging.HandFrames;

namespace Gudp.Tests.Messaging;

/// <summary>The receiver's side of the rules about slow consumers, R4 to R20.</summary>
[TestFixture]
public sealed class ReceiveRuleTests
{
    private const int Ring = 64 * 1024;

    private static readonly MessagingConfig Small = new()
    {
        LaneRingBytes = Ring,
        Lanes = 8,
        MaxMessageBytes = 1024 * 1024,
        PeerMemoryBytes = 8 * 1024 * 1024,
    };

    [Test]
    public void R4_a_config_that_grants_more_than_there_is_memory_is_refused()
    {
        MessagingConfig config = Small with
        {
            Lanes = 256,
            LaneRingBytes = 4 * 1024 * 1024,
            PeerMemoryBytes = (12 * 1024 * 1024) - 1,
        };
        MessagingConfig enough = config with { PeerMemoryBytes = 12 * 1024 * 1024 };

        GudpConfigException? refused = Assert.Throws<GudpConfigException>(() => config.Validate());

        Assert.That(refused!.Message, Does.Contain("PeerMemoryBytes"));
        Assert.That(refused.Message, Does.Contain("12582912 or more"));
        Assert.DoesNotThrow(() => enough.Validate());
        Assert.That(enough.ConnectionCreditBytes, Is.EqualTo(enough.PeerMemoryBytes));
    }

    // D-9.5
    [Test]
    public void The_credit_of_ids_tells_how_many_were_read([Values(0, 100, 4_000, 30_000)] int length)
    {
        using HandPeer peer = new(Small with { LaneRingBytes = 1024 * 1024, PeerMemoryBytes = 64 * 1024 * 1024 });
        peer.Take(Open(3, 1));
        long granted = 64;
        int mostUntold = Math.Min(1_024, length == 0 ? 1_024 : (64 * 1024 / length) + 1);

        for (int id = 0; id < 4_096; id++)
        {
            peer.Take(Message(3, id, 0, new byte[length]));
            peer.Read();

            foreach (string text in peer.Written())
            {
                granted = text.StartsWith("LaneCredit 3 ", StringComparison.Ordinal) ? long.Parse(text[13..]) : granted;
            }

            Assert.That(granted - 4_096, Is.InRange(id + 1 - mostUntold, id + 1));
        }
    }

    [Test]
    public void R5_R19_the_control_lane_goes_on_when_the_connections_credit_is_used_up()
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, 1), Skip(3, 0, 1, Small.ConnectionCreditBytes), Open(0, 0));

        peer.Take(Data(0, 0, [4, 7, 7]));

        Assert.That(peer.Read().Single(), Is.EqualTo(new byte[] { 7, 7 }));
    }

    [Test]
    public void R7_without_memory_a_packet_is_refused_and_nothing_is_closed([Values(1, 2)] int mode)
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, (byte)mode));
        MemoryHoard all = new(peer.Session.Memory);

        PayloadVerdict without = peer.Give(Message(3, 0, 0, [1]), Message(3, 1, 0, [2]));
        PayloadVerdict part = peer.Give(Fragment(3, 2, 0, (9, 0), [1]));
        all.Return();
        PayloadVerdict with = peer.Give(Message(3, 0, 0, [1]), Message(3, 1, 0, [2]));

        Assert.That((without, part, with), Is.EqualTo(
            (PayloadVerdict.Refused, PayloadVerdict.Refused, PayloadVerdict.Held)));
        Assert.That(peer.Read(), Is.Not.Empty);
        Assert.That(peer.End.CloseReason, Is.Null);
    }

    [Test]
    public void R7_unreliable_messages_without_memory_are_dropped_and_counted([Values(3, 4)] int mode)
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, (byte)mode));
        MemoryHoard all = new(peer.Session.Memory);

        peer.Take(Message(3, 0, 1, [1]), Fragment(3, 1, 1, (9, 0), [1]));
        all.Return();

        Assert.That(peer.Drops(3, MessageDrop.NoRoom), Is.EqualTo(2));
        Assert.That(peer.Read(), Is.Empty);
        Assert.That(peer.Written(), Has.Member("MessagesRefused 3 0-1"));
    }

    // Half-arrived messages on every lane, of every reliable mode, and largest ones among them: all complete.
    [Test]
    public void R19_half_arrived_messages_on_all_lanes_still_complete()
    {
        LanePlan plan = LanePlan.Default;

        foreach (int lane in new[] { 3, 4, 5 })
        {
            plan = plan.With(lane, new LaneOptions { Mode = LaneMode.UnorderedReliable });
        }

        using SessionPair pair = SessionPair.Opened(config: Small with { LanePlan = plan });
        int[] lanes = [0, 1, 3, 4, 5, 6, 7];

        foreach (int lane in lanes)
        {
            foreach (int length in new[] { 100_000, 700_000 })
            {
                SendStatus status = pair.Client.Peer.TrySend(
                    LaneTests.Pattern(length, (ulong)lane), new SendOptions { Lane = lane });
                Assert.That(
                    status,
                    Is.EqualTo(SendStatus.Accepted).Or.EqualTo(SendStatus.PeerFull).Or.EqualTo(SendStatus.LaneFull));
            }
        }

        int received = 0;
        bool done = pair.RunUntil(() =>
        {
            while (pair.Server.Peer.TryReceive(out ReceivedMessage message))
            {
                received++;
                message.Dispose();
            }

            return pair.Client.IsQuiet && pair.Server.IsQuiet;
        });

        Assert.That(done, Is.True);
        Assert.That(pair.Client.Peer.Flush(TimeSpan.Zero), Is.True, "No deadlock by credit.");
        Assert.That(received, Is.GreaterThanOrEqualTo(lanes.Length));
        Assert.That(pair.Server.Violations, Is.Empty);
    }

    // Both ends send as much as they may before either reads: what arrives must find memory all the same.
    [Test]
    public void R19_two_ends_full_of_what_they_send_still_receive([Values(0, 1)] int mode)
    {
        LanePlan plan = LanePlan.Default.With(3, new LaneOptions { Mode = (LaneMode)mode });
        using SessionPair pair = SessionPair.Opened(config: Small with { LanePlan = plan });
        SessionEnd[] ends = [pair.Client, pair.Server];
        int[] accepted = new int[2];
        int[] received = new int[2];

        for (int end = 0; end < 2; end++)
        {
            while (ends[end].Peer.TrySend(new byte[200_000], new SendOptions { Lane = 3 }) == SendStatus.Accepted)
            {
                accepted[end]++;
            }
        }

        bool done = pair.RunUntil(() =>
        {
            for (int end = 0; end < 2; end++)
            {
                while (ends[end].Peer.TryReceive(out ReceivedMessage message))
                {
                    received[end]++;
                    message.Dispose();
                }
            }

            return received[0] == accepted[1] && received[1] == accepted[0];
        });

        Assert.That(done, Is.True, $"{received[0]} of {accepted[1]}, {received[1]} of {accepted[0]} arrived.");
    }

    [Test]
    public void R20_memory_of_a_stalled_peer_is_bounded_and_goes_back_at_the_end()
    {
        using HandPeer peer = new(Small);

        for (int lane = 3; lane < 7; lane++)
        {
            peer.Take(Open(lane, (byte)(lane - 2)));

            for (int id = 0; id < 300; id++)
            {
                peer.Give(Fragment(lane, id, 1, (15_000, 0), new byte[1_000]));
                peer.Give(Message(lane, 300 + id, 1, new byte[900]));
            }
        }

        long stalled = peer.Session.Memory.UsedBytes;
        peer.EndConnection();
        peer.Session.Peer.Dispose();

        Assert.That(stalled, Is.GreaterThan(100_000).And.LessThan(Small.PeerMemoryBytes));
        Assert.That(peer.Session.Memory.UsedBytes, Is.Zero);
    }
}
