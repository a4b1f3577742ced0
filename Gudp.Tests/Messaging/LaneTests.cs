using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class LaneTests
{
    private static readonly PathModel Rough = new()
    {
        LossPpm = 100_000,
        DuplicatePpm = 50_000,
        AckLossPpm = 50_000,
        MostDelaySteps = 5,
    };

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(31)]
    [TestCase(32)]
    [TestCase(1_100)]
    [TestCase(8_192)]
    [TestCase(262_144)]
    [TestCase(262_145)]
    [TestCase(1_048_576)]
    [TestCase(16 * 1024 * 1024)]
    public void A_message_of_any_size_arrives_as_it_was_sent(int bytes)
    {
        using SessionPair pair = SessionPair.Opened(path: new PathModel { PacketsPerStep = 256 });
        byte[] message = Pattern(bytes, seed: 7);

        SendStatus status = pair.Client.Peer.TrySend(message);
        byte[]? received = null;
        bool arrived = pair.RunUntil(() => TryTake(pair.Server.Peer, out received));

        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        Assert.That(arrived, Is.True);
        Assert.That(received!.AsSpan().SequenceEqual(message), Is.True);
        Assert.That(pair.RunUntilQuiet(), Is.True);
    }

    // Goal: whatever the path does, each lane's messages arrive once, in order, unchanged.
    // Method: a seed draws sizes, lanes, the ways of sending and of reading; the path loses, repeats and reorders.
    [Test]
    public void Ordered_lanes_deliver_everything_once_and_in_order([Range(1, 40)] int seed)
    {
        MessagingConfig config = new() { LaneRingBytes = 64 * 1024, Lanes = 6 };
        using SessionPair pair = SessionPair.Opened((ulong)seed, Rough, config);
        LaneTraffic traffic = new(pair, new Prng((ulong)seed).Split(99), messages: 400, mostBytes: 3_000);

        bool finished = pair.RunUntil(traffic.Advance);

        traffic.AssertDeliveredExactly(finished);
        Assert.That(pair.RunUntilQuiet(), Is.True, "Everything must settle.");
        Assert.That(pair.Server.Violations, Is.Empty);
        Assert.That(pair.Client.Violations, Is.Empty);
    }

    [Test]
    public void Large_and_small_messages_share_a_small_ring([Range(1, 10)] int seed)
    {
        MessagingConfig config = new() { LaneRingBytes = 64 * 1024, Lanes = 6 };
        using SessionPair pair = SessionPair.Opened((ulong)seed, Rough, config);
        LaneTraffic traffic = new(pair, new Prng((ulong)seed).Split(99), messages: 60, mostBytes: 200_000);

        bool finished = pair.RunUntil(traffic.Advance, mostSteps: 60_000);

        traffic.AssertDeliveredExactly(finished);
        Assert.That(pair.RunUntilQuiet(), Is.True, "Everything must settle.");
        Assert.That(pair.Server.Violations, Is.Empty);
    }

    private static bool TryTake(Peer peer, out byte[]? content)
    {
        content = null;

        if (!peer.TryReceive(out ReceivedMessage message))
        {
            return false;
        }

        content = message.Span.ToArray();
        message.Dispose();
        return true;
    }

    internal static byte[] Pattern(int bytes, ulong seed)
    {
        byte[] pattern = new byte[bytes];
        Prng draws = new(seed);

        for (int i = 0; i < bytes; i++)
        {
            pattern[i] = (byte)draws.NextUInt64();
        }

        return pattern;
    }
}
