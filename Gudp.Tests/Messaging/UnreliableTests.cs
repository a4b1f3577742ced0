using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Status;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class UnreliableTests
{
    private static readonly SendOptions Unreliable = new() { Lane = SendOptions.UnreliableLane };

    [TestCase(0, SendStatus.Accepted)]
    [TestCase(-1, SendStatus.TooLarge)]
    public void The_longest_message_fits_exactly(int spare, SendStatus expected)
    {
        using SessionPair pair = SessionPair.Opened();
        byte[] message = LaneTests.Pattern(pair.Client.Peer.MaxUnreliableBytes - spare, 3);

        SendStatus status = pair.Client.Peer.TrySend(message, Unreliable);
        pair.RunUntilQuiet();
        bool received = pair.Server.Peer.TryReceive(out ReceivedMessage arrived);

        Assert.That(status, Is.EqualTo(expected));
        Assert.That(received, Is.EqualTo(expected == SendStatus.Accepted));
        Assert.That(!received || arrived.Span.SequenceEqual(message), Is.True);
        arrived.Dispose();
    }

    [Test]
    public void Messages_arrive_at_most_once_and_unchanged([Range(1, 10)] int seed)
    {
        PathModel rough = new() { LossPpm = 200_000, DuplicatePpm = 200_000, MostDelaySteps = 5 };
        using SessionPair pair = SessionPair.Opened((ulong)seed, rough);
        Prng draws = new Prng((ulong)seed).Split(3);
        HashSet<int> received = [];

        for (int i = 0; i < 500; i++)
        {
            byte[] message = LaneTests.Pattern(4 + (int)draws.NextBelow(1_000), (ulong)i);
            BitConverter.TryWriteBytes(message, i);
            Assert.That(pair.Client.Peer.TrySend(message, Unreliable), Is.EqualTo(SendStatus.Accepted));
            pair.Step();
            Drain(pair.Server.Peer, received);
        }

        pair.RunUntilQuiet();
        Drain(pair.Server.Peer, received);

        Assert.That(received, Has.Count.InRange(300, 480));
        Assert.That(pair.Client.Retransmits, Is.Zero, "An unreliable message goes out once.");
    }

    [Test]
    public void Without_a_reader_the_newest_are_dropped_and_counted()
    {
        using SessionPair pair = SessionPair.Opened();
        byte[] message = new byte[1_000];

        for (int i = 0; i < 1_000; i++)
        {
            pair.Client.Peer.TrySend(message, Unreliable);
            pair.Step();
        }

        pair.RunUntilQuiet();
        int received = 0;

        for (; pair.Server.Peer.TryReceive(out ReceivedMessage arrived); received++)
        {
            arrived.Dispose();
        }

        long dropped = pair.Server.Session.TallyOf(SendOptions.UnreliableLane)
            .Read(MessageCount.FirstDrop + (int)MessageDrop.NoRoom);
        Assert.That(dropped, Is.Positive);
        Assert.That(received + dropped, Is.EqualTo(1_000));
    }

    [Test]
    public void A_full_queue_refuses_and_signals_when_it_is_empty()
    {
        using SessionPair pair = SessionPair.Opened();
        byte[] message = new byte[1_000];

        while (pair.Client.Peer.TrySend(message, Unreliable) == SendStatus.Accepted)
        {
        }

        SendStatus refused = pair.Client.Peer.TrySend(message, Unreliable);
        bool before = pair.Client.Peer.WaitToSend(TimeSpan.Zero);
        pair.RunUntilQuiet();
        bool after = pair.Client.Peer.WaitToSend(TimeSpan.Zero);

        Assert.That(refused, Is.EqualTo(SendStatus.LaneFull));
        Assert.That(before, Is.False);
        Assert.That(after, Is.True);
    }

    [Test]
    public void A_message_that_no_longer_fits_a_packet_goes_in_parts()
    {
        using SessionPair pair = SessionPair.Opened();
        byte[] message = LaneTests.Pattern(pair.Client.Peer.MaxUndividedBytes, 5);
        pair.Client.Peer.TrySend(message, Unreliable);

        pair.Client.MaxFrameBytes = 600;
        pair.RunUntilQuiet();

        Assert.That(pair.Client.Peer.Flush(TimeSpan.Zero), Is.True);
        Assert.That(pair.Server.Peer.TryReceive(out ReceivedMessage arrived), Is.True);
        Assert.That(arrived.Span.SequenceEqual(message), Is.True);
        arrived.Dispose();
    }

    private static void Drain(Peer peer, HashSet<int> received)
    {
        while (peer.TryReceive(out ReceivedMessage message))
        {
            int index = BitConverter.ToInt32(message.Span);
            byte[] expected = LaneTests.Pattern(message.Span.Length, (ulong)index);
            Assert.That(received.Add(index), Is.True, "At most once.");
            Assert.That(message.Span[4..].SequenceEqual(expected.AsSpan(4)), Is.True);
            Assert.That(message.IsReliable, Is.False);
            message.Dispose();
        }
    }
}
