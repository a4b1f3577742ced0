using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>What each mode promises, over paths that lose, repeat and reorder (D-8.1 to D-8.6).</summary>
[TestFixture]
public sealed class MessageLaneTests
{
    private const int Unordered = 3;
    private const int Sequenced = 4;
    private const int SequencedUnreliable = 5;
    private const int Unreliable = 2;

    private static readonly PathModel Rough = new() { LossPpm = 100_000, DuplicatePpm = 50_000, MostDelaySteps = 6 };

    private static readonly MessagingConfig AllModes = new()
    {
        LanePlan = LanePlan.Default
            .With(Unordered, new LaneOptions { Mode = LaneMode.UnorderedReliable })
            .With(Sequenced, new LaneOptions { Mode = LaneMode.SequencedReliable })
            .With(SequencedUnreliable, new LaneOptions { Mode = LaneMode.SequencedUnreliable }),
    };

    [Test]
    public void Unordered_reliable_messages_arrive_exactly_once_and_end_received([Range(1, 10)] int seed)
    {
        using SessionPair pair = SessionPair.Opened((ulong)seed, Rough, AllModes);
        MessageFlow flow = new(pair, Unordered, new Prng((ulong)seed).Split(1), mostBytes: 4_000);

        bool done = flow.Run(300);

        Assert.That(done, Is.True);
        Assert.That(flow.Received, Has.Count.EqualTo(300));
        Assert.That(flow.Ends(TransferState.Received), Is.EqualTo(300));
        Assert.That(flow.Ends(TakeState.Taken), Is.EqualTo(300));
        Assert.That(pair.Server.Violations, Is.Empty);
        Assert.That(pair.Client.Violations, Is.Empty);
    }

    // D-8.6
    [Test]
    public void Sequenced_reliable_messages_never_go_backwards_and_the_last_one_arrives([Range(1, 10)] int seed)
    {
        using SessionPair pair = SessionPair.Opened((ulong)seed, Rough, AllModes);
        MessageFlow flow = new(pair, Sequenced, new Prng((ulong)seed).Split(2), mostBytes: 4_000);

        bool done = flow.Run(300);

        Assert.That(done, Is.True);
        Assert.That(flow.Received, Is.Ordered);
        Assert.That(flow.Received, Is.Unique);
        Assert.That(flow.Received[^1], Is.EqualTo(299));
        Assert.That(flow.Ends(TransferState.Received) + flow.Ends(TransferState.Expired), Is.EqualTo(300));
        Assert.That(flow.Ends(TakeState.Taken), Is.EqualTo(flow.Received.Count));
        Assert.That(pair.Server.Violations, Is.Empty);
    }

    [Test]
    public void Sequenced_unreliable_messages_never_go_backwards([Range(1, 10)] int seed)
    {
        using SessionPair pair = SessionPair.Opened((ulong)seed, Rough, AllModes);
        MessageFlow flow = new(pair, SequencedUnreliable, new Prng((ulong)seed).Split(3), mostBytes: 900);

        bool done = flow.Run(300);

        Assert.That(done, Is.True);
        Assert.That(flow.Received, Is.Ordered);
        Assert.That(flow.Received, Is.Unique);
        Assert.That(flow.Ends(TransferState.Received) + flow.Ends(TransferState.Expired), Is.EqualTo(300));
        Assert.That(flow.Ends(TransferState.Expired), Is.Positive);
        Assert.That(pair.Client.Retransmits, Is.Zero);
    }

    // D-8.5
    [Test]
    public void Unreliable_messages_arrive_once_at_most_and_each_ends_as_its_packets_did([Range(1, 10)] int seed)
    {
        using SessionPair pair = SessionPair.Opened((ulong)seed, Rough, AllModes);
        MessageFlow flow = new(pair, Unreliable, new Prng((ulong)seed).Split(4), mostBytes: 3_000);

        bool done = flow.Run(300);

        Assert.That(done, Is.True);
        Assert.That(flow.Received, Is.Unique);
        Assert.That(flow.Ends(TransferState.Received), Is.EqualTo(flow.Received.Count), "Nobody loses an ack here.");
        Assert.That(flow.Ends(TransferState.Received) + flow.Ends(TransferState.Expired), Is.EqualTo(300));
        Assert.That(flow.Ends(TransferState.Expired), Is.Positive);
        Assert.That(pair.Client.Retransmits, Is.Zero);
    }

    // D-8.1, D-8.3
    [TestCase(Unordered, 0)]
    [TestCase(Unordered, 1)]
    [TestCase(Unordered, 16 * 1024 * 1024)]
    [TestCase(Sequenced, 16 * 1024 * 1024)]
    [TestCase(SequencedUnreliable, 64 * 1024)]
    [TestCase(Unreliable, 0)]
    [TestCase(Unreliable, 64 * 1024)]
    public void The_longest_and_the_shortest_message_arrive(int lane, int bytes)
    {
        using SessionPair pair = SessionPair.Opened(
            path: new PathModel { PacketsPerStep = 256 }, config: AllModes);
        byte[] message = LaneTests.Pattern(bytes, 7);

        SendStatus status = pair.Client.Peer.TrySend(message, new SendOptions { Lane = lane });
        byte[]? received = null;
        bool arrived = pair.RunUntil(() => (received ??= Take(pair)) is not null);

        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        Assert.That(arrived, Is.True);
        Assert.That(received.AsSpan().SequenceEqual(message), Is.True);
        Assert.That(pair.RunUntilQuiet(), Is.True);
    }

    // H51
    [TestCase(Unordered, 16 * 1024 * 1024)]
    [TestCase(Sequenced, 16 * 1024 * 1024)]
    [TestCase(SequencedUnreliable, 64 * 1024)]
    [TestCase(Unreliable, 64 * 1024)]
    public void H51_one_byte_more_than_the_longest_is_too_large(int lane, int bytes)
    {
        using SessionPair pair = SessionPair.Opened(config: AllModes);

        SendStatus status = pair.Client.Peer.TrySend(new byte[bytes + 1], new SendOptions { Lane = lane });

        Assert.That(status, Is.EqualTo(SendStatus.TooLarge));
    }

    [Test]
    public void A_claim_of_any_mode_is_written_in_place_and_holds_nobody_up([Values(Unordered, Unreliable)] int lane)
    {
        using SessionPair pair = SessionPair.Opened(config: AllModes);
        SendOptions options = new() { Lane = lane };
        pair.Client.Peer.TryClaim(5, options, out MessageClaim claim);
        pair.Client.Peer.TryClaim(7, options, out MessageClaim abandoned);
        pair.Client.Peer.TrySend([9], options);
        pair.RunUntilQuiet();
        byte[]? first = Take(pair);

        claim.Span.Fill(4);
        SendStatus committed = claim.Commit();
        abandoned.Abandon();
        pair.RunUntilQuiet();

        Assert.That(first, Is.EqualTo(new byte[] { 9 }));
        Assert.That(committed, Is.EqualTo(SendStatus.Accepted));
        Assert.That(Take(pair), Is.EqualTo(new byte[] { 4, 4, 4, 4, 4 }));
        Assert.That(Take(pair), Is.Null);
    }

    internal static byte[]? Take(SessionPair pair)
    {
        if (!pair.Server.Peer.TryReceive(out ReceivedMessage message))
        {
            return null;
        }

        byte[] content = message.Span.ToArray();
        message.Dispose();
        return content;
    }
}
