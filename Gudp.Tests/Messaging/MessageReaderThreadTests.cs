using System.Collections.Concurrent;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Lanes;
using NUnit.Framework;
using static Gudp.Tests.Messaging.HandFrames;

namespace Gudp.Tests.Messaging;

/// <summary>Several readers of message lanes while the leader takes packets, and the end in between.</summary>
[TestFixture]
public sealed class MessageReaderThreadTests
{
    private const int Readers = 3;
    private const int Messages = 20_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Goal: each message to one reader, none twice, none lost, and every block back.
    // Method: readers that copy and readers that poll, on lanes of two modes, against one leader.
    [Test]
    public void Each_message_goes_to_one_of_several_readers()
    {
        using HandPeer peer = new();
        ConcurrentBag<int> received = [];
        int count = 0;
        peer.Take(Open(3, 1), Open(4, 4));
        Task[] readers = [.. Enumerable.Range(0, Readers).Select(i => Task.Factory.StartNew(
            () => Read(peer.Peer, i % 2 == 0, received, ref count), TaskCreationOptions.LongRunning))];

        for (int id = 0; id < Messages / 2; id++)
        {
            byte[] first = BitConverter.GetBytes(2 * id);
            byte[] second = BitConverter.GetBytes((2 * id) + 1);
            peer.Take(Message(3, id, 1, first), Fragment(4, id, 1, (4, 0), second[..2]), Fragment(4, id, 1, (4, 2), second[2..]));

            // The credit of one lane and the room of the other are bounded: readers keep up, and their credit is told.
            int most = id < 100 ? IdCredit.First / 2 : 500;
            SpinWait.SpinUntil(() => (2 * id) - Volatile.Read(ref count) < most, Patience);
            peer.Written(out List<PacketNumber> packets);
            packets.ForEach(packet => peer.Session.HandleAcked(packet, peer.Now));
        }

        bool done = Task.WaitAll(readers, Patience);

        Assert.That(done, Is.True, $"{Volatile.Read(ref count)} of {Messages} were read.");
        Assert.That(received.Order(), Is.EqualTo(Enumerable.Range(0, Messages)));
        Assert.That(peer.Session.Memory.Blocks, Is.Zero);
    }

    [Test]
    public void The_end_and_the_disposal_amid_reading_leave_no_block_behind([Range(1, 20)] int seed)
    {
        HandPeer peer = new();
        Prng draws = new((ulong)seed);
        bool stops = false;
        peer.Take(Open(3, 1), Open(4, 3));
        Task[] readers = [.. Enumerable.Range(0, Readers).Select(i => Task.Factory.StartNew(
            () =>
            {
                while (!Volatile.Read(ref stops))
                {
                    ReadOne(peer.Peer, i % 2 == 0, static _ => { });
                }
            },
            TaskCreationOptions.LongRunning))];
        Task disposer = Task.Run(peer.Peer.Dispose);

        for (int id = 0; id < 200 + (int)draws.NextBelow(200); id++)
        {
            peer.Give(Message(3, id, 1, new byte[100]), Message(4, id, 1, new byte[100]));
            peer.Give(Fragment(3, 1_000 + id, 1, (500, 0), new byte[100]));
        }

        peer.EndConnection();
        bool disposed = disposer.Wait(Patience);
        Volatile.Write(ref stops, true);
        bool done = Task.WaitAll(readers, Patience);

        Assert.That(disposed && done, Is.True);
        Assert.That(peer.Session.Memory.Blocks, Is.Zero);
    }

    private static void Read(Peer peer, bool polls, ConcurrentBag<int> received, ref int count)
    {
        while (Volatile.Read(ref count) < Messages)
        {
            int before = 0;
            ReadOne(peer, polls, index =>
            {
                received.Add(index);
                before++;
            });
            Interlocked.Add(ref count, before);
        }
    }

    private static void ReadOne(Peer peer, bool polls, Action<int> read)
    {
        if (polls)
        {
            Handler handler = new(read);
            peer.Poll(ref handler, 10);
        }
        else if (peer.TryReceive(out ReceivedMessage message))
        {
            read(BitConverter.ToInt32(message.Span));
            message.Dispose();
        }
    }

    private readonly struct Handler(Action<int> read) : IMessageHandler
    {
        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message) => read(BitConverter.ToInt32(message));
    }
}
