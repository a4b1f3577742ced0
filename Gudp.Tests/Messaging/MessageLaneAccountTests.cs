using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>Message lanes over a path that loses, repeats and reorders: what arrives, and that memory comes back.</summary>
[TestFixture]
public sealed class MessageLaneAccountTests
{
    private const int Lane = 3;
    private const int Messages = 200;

    private static readonly PathModel Rough = new()
    {
        LossPpm = 100_000,
        DuplicatePpm = 100_000,
        AckLossPpm = 50_000,
        MostDelaySteps = 6,
    };

    // Goal: exactly what each mode promises, each asked message answered once, and no block left behind.
    // Method: drawn lengths, some in parts; a reader that holds some, refuses some and polls some.
    [Test]
    public void Every_mode_keeps_its_promise_and_gives_back_its_memory([Values(1, 2, 3, 4)] int mode, [Range(1, 5)] int seed)
    {
        MessagingConfig config = new()
        {
            LanePlan = LanePlan.Default.With(Lane, new LaneOptions { Mode = (LaneMode)mode }),
        };
        using SessionPair pair = SessionPair.Opened((ulong)seed, Rough, config);
        Prng draws = new Prng((ulong)seed).Split(7);
        Reader reader = new(pair.Server.Peer, draws);
        ReceiptUpdate[] updates = new ReceiptUpdate[64];
        List<SendReceipt> ends = [];

        for (int i = 0; i < Messages; i++)
        {
            byte[] message = LaneTests.Pattern(4 + (int)draws.NextBelow(i % 10 == 0 ? 20_000 : 300), (ulong)i);
            BitConverter.TryWriteBytes(message, i);
            SendOptions options = new() { Lane = Lane, NotifyTaken = true };
            Assert.That(pair.Client.Peer.TrySend(message, options), Is.EqualTo(SendStatus.Accepted));
            pair.Step();
            reader.ReadSome();
            Fetch(pair.Client.Peer, updates, ends);
        }

        // What stayed incomplete on an unreliable lane is given up by its age.
        pair.Run(2_100);
        bool quiet = pair.RunUntil(() =>
        {
            reader.ReadAll();
            Fetch(pair.Client.Peer, updates, ends);
            return pair.Client.IsQuiet && pair.Server.IsQuiet && reader.IsIdle;
        });

        Assert.That(quiet, Is.True);
        Assert.That(pair.Server.Violations.Concat(pair.Client.Violations), Is.Empty);
        AssertPromise((LaneMode)mode, reader.Received);
        Assert.That(ends.Select(end => end.Id.Value).Distinct().Count(), Is.EqualTo(Messages), "Each has an end.");
        AssertAnswers(ends, reader);
        Assert.That(pair.Server.Memory.Blocks, Is.Zero, "The receiver gave back what it rented.");
        Assert.That(pair.Server.Memory.UsedBytes, Is.Zero);
    }

    private static void Fetch(Peer peer, ReceiptUpdate[] updates, List<SendReceipt> ends)
    {
        for (int count = updates.Length; count == updates.Length;)
        {
            count = peer.TakeUpdates(updates);
            ends.AddRange(updates.Take(count).Select(update => update.Receipt).Where(receipt => receipt.Take
                is not TakeState.Pending));
        }
    }

    private static void AssertPromise(LaneMode mode, List<int> received)
    {
        Assert.That(received, Is.Unique);

        switch (mode)
        {
            case LaneMode.UnorderedReliable:
                Assert.That(received, Is.EquivalentTo(Enumerable.Range(0, Messages)));
                break;
            case LaneMode.SequencedReliable:
                Assert.That(received, Is.Ordered);
                Assert.That(received[^1], Is.EqualTo(Messages - 1), "The last one arrives.");
                break;
            case LaneMode.SequencedUnreliable:
                Assert.That(received, Is.Ordered);
                Assert.That(received, Is.Not.Empty);
                break;
            default:
                Assert.That(received, Has.Count.InRange(Messages / 2, Messages - 1));
                break;
        }
    }

    private static void AssertAnswers(List<SendReceipt> ends, Reader reader)
    {
        foreach (SendReceipt end in ends)
        {
            int index = (int)end.Id.Value;

            if (end.Take == TakeState.Taken)
            {
                Assert.That(reader.Taken, Has.Member(index), "Only what was taken is told as taken.");
            }
            else if (end.Take == TakeState.Refused)
            {
                Assert.That(reader.Taken, Has.No.Member(index), "Nothing taken is told as refused.");
            }
        }
    }

    private sealed class Reader(Peer peer, Prng draws) : IMessageHandler
    {
        private readonly List<(int Index, ReceivedMessage Message)> _held = [];

        internal List<int> Received { get; } = [];

        internal HashSet<int> Taken { get; } = [];

        internal bool IsIdle => _held.Count == 0;

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
            => Taken.Add(Check(message));

        internal void ReadSome()
        {
            if (draws.NextChance(300_000))
            {
                Reader self = this;
                peer.Poll(ref self, 5);
            }
            else if (draws.NextChance(500_000) && peer.TryReceive(out ReceivedMessage message))
            {
                _held.Add((Check(message.Span), message));
            }

            while (_held.Count > 10)
            {
                Settle();
            }
        }

        internal void ReadAll()
        {
            Reader self = this;
            peer.Poll(ref self, 1_000);

            while (_held.Count > 0)
            {
                Settle();
            }
        }

        private void Settle()
        {
            (int index, ReceivedMessage message) = _held[0];
            _held.RemoveAt(0);

            if (draws.NextChance(200_000))
            {
                message.Refuse();
            }
            else
            {
                Taken.Add(index);
                message.Dispose();
            }
        }

        private int Check(ReadOnlySpan<byte> message)
        {
            int index = BitConverter.ToInt32(message);
            byte[] expected = LaneTests.Pattern(message.Length, (ulong)index);
            Assert.That(message[4..].SequenceEqual(expected.AsSpan(4)), Is.True, $"Message {index} differs.");
            Received.Add(index);
            return index;
        }
    }
}
