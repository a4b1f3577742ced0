using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>Real threads and the system's UDP on loopback: what virtual time cannot show.</summary>
[TestFixture]
[Category("Release")]
[NonParallelizable]
public sealed class MessageThreadTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly MessagingConfig Config = new()
    {
        LaneRingBytes = 256 * 1024,
        Core = new() { Connections = new() { Security = new() { Protection = Protection.Plain } } },
    };

    // Goal: writers that share a lane, readers that block, and the loop's thread never lose, double or disorder a
    // message. Method: each writer numbers its messages; the lane keeps each writer's order.
    [Test]
    public void Several_writers_share_a_lane_and_a_blocked_reader_gets_all()
    {
        const int Writers = 3;
        const int MessagesEach = 20_000;
        using Link link = new();
        Thread[] writers = [.. Enumerable.Range(0, Writers)
            .Select(writer => new Thread(() => Write(link.Client, writer, MessagesEach)))];

        Array.ForEach(writers, thread => thread.Start());
        int[] next = new int[Writers];

        for (int i = 0; i < Writers * MessagesEach; i++)
        {
            ReceiveStatus status = link.Server.Receive(Patience, out ReceivedMessage message);
            Assert.That(status, Is.EqualTo(ReceiveStatus.Received), $"Message {i}.");
            int writer = message.Span[0];
            int number = BitConverter.ToInt32(message.Span[1..]);
            Assert.That(number, Is.EqualTo(next[writer]), $"Writer {writer}.");
            next[writer]++;
            message.Dispose();
        }

        Array.ForEach(writers, thread => thread.Join());
        Assert.That(link.Client.Flush(Patience), Is.True);
    }

    // Goal: a reader turned away by one that polls is never left asleep with a message waiting.
    [Test]
    public void Readers_that_block_and_readers_that_poll_share_a_lane()
    {
        const int Messages = 50_000;
        using Link link = new();
        int read = 0;
        Thread blocked = new(() =>
        {
            while (link.Server.Receive(Patience, out ReceivedMessage message) == ReceiveStatus.Received)
            {
                message.Dispose();
                Interlocked.Increment(ref read);
            }
        });
        Thread polling = new(() =>
        {
            int mine = 0;
            Counter counter = default;

            while (!link.Server.Status.IsFinal && Volatile.Read(ref read) < Messages)
            {
                mine = link.Server.Poll(ref counter, budget: 3);
                Interlocked.Add(ref read, mine);
            }
        });

        blocked.Start();
        polling.Start();
        Write(link.Client, 0, Messages);
        bool all = SpinWait.SpinUntil(() => Volatile.Read(ref read) == Messages, Patience);
        link.Client.Close();
        blocked.Join();
        polling.Join();

        Assert.That(all, Is.True, $"{read} of {Messages} were read.");
    }

    [Test]
    public void Large_messages_pass_a_blocked_reader_and_are_reported_taken()
    {
        using Link link = new();
        byte[] large = LaneTests.Pattern(16 * 1024 * 1024, 9);

        SendStatus status = link.Client.TrySend(large, new SendOptions { NotifyTaken = true }, out SendReceipt receipt);
        ReceiveStatus received = link.Server.Receive(Patience, out ReceivedMessage message);
        bool equal = received == ReceiveStatus.Received && message.Span.SequenceEqual(large);
        message.Dispose();
        bool flushed = link.Client.Flush(Patience);
        SpinWait.SpinUntil(() => link.Client.StateOf(receipt.Id).Take == TakeState.Taken, Patience);

        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        Assert.That(equal, Is.True);
        Assert.That(flushed, Is.True);
        Assert.That(link.Client.StateOf(receipt.Id).Take, Is.EqualTo(TakeState.Taken));
    }

    [Test]
    public async Task A_task_waits_for_messages_and_for_the_end()
    {
        using Link link = new();
        Task<ReceivedMessage?> waiting = link.Server.ReceiveAsync().AsTask();

        link.Client.TrySend([42]);
        ReceivedMessage? first = await waiting.WaitAsync(Patience);
        Task<ReceivedMessage?> last = link.Server.ReceiveAsync().AsTask();
        byte content = first!.Value.Span[0];
        first.Value.Dispose();
        link.Client.Close();
        ReceivedMessage? end = await last.WaitAsync(Patience);

        Assert.That(content, Is.EqualTo(42));
        Assert.That(end, Is.Null);
    }

    [Test]
    public void Closing_wakes_everybody_who_waits()
    {
        using Link link = new();
        Task<ReceiveStatus> reader = Task.Run(() => link.Server.Receive(Timeout.InfiniteTimeSpan, out _));
        Task<ReceiveStatus> ownReader = Task.Run(() => link.Client.Receive(Timeout.InfiniteTimeSpan, out _));

        link.Client.Close();
        bool woken = Task.WaitAll([reader, ownReader], Patience);

        Assert.That(woken, Is.True);
        Assert.That(reader.Result, Is.EqualTo(ReceiveStatus.Closed));
        Assert.That(ownReader.Result, Is.EqualTo(ReceiveStatus.Closed));
    }

    private static void Write(Peer peer, int writer, int messages)
    {
        Prng draws = new((ulong)writer);
        byte[] message = new byte[2_000];
        message[0] = (byte)writer;

        for (int number = 0; number < messages; number++)
        {
            BitConverter.TryWriteBytes(message.AsSpan(1), number);
            int length = 5 + (int)draws.NextBelow(draws.NextChance(100_000) ? 1_900 : 60);

            while (!TrySend(peer, message.AsSpan(0, length), byClaim: number % 3 == 0))
            {
                peer.WaitToSend(Patience);
            }
        }
    }

    private static bool TrySend(Peer peer, ReadOnlySpan<byte> message, bool byClaim)
    {
        if (!byClaim)
        {
            return peer.TrySend(message) == SendStatus.Accepted;
        }

        if (peer.TryClaim(message.Length, default, out MessageClaim claim) != SendStatus.Accepted)
        {
            return false;
        }

        message.CopyTo(claim.Span);
        return claim.Commit() == SendStatus.Accepted;
    }

    private struct Counter : IMessageHandler
    {
        private int _count;

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message) => _count++;
    }

    /// <summary>Two daemons with threads on loopback, and one connection between them.</summary>
    private sealed class Link : IDisposable
    {
        private readonly Daemon _left = new(Config.Core);
        private readonly Daemon _right = new(Config.Core);

        internal Link()
        {
            _left.Start();
            _right.Start();
            PeerAddress loopback = PeerAddress.LoopbackIPv4(0);
            MessageEndpoint listener = new(_right, loopback, Config);
            listener.Listen();
            Client = new MessageEndpoint(_left, loopback, Config).Connect(listener.LocalAddress);
            Assert.That(Client.WaitUntilOpen(Patience), Is.True);
            Server = listener.Accept(Patience)!;
        }

        internal Peer Client { get; }

        internal Peer Server { get; }

        public void Dispose()
        {
            Client.Dispose();
            Server.Dispose();
            _left.Dispose();
            _right.Dispose();
            Assert.That(_left.Fault, Is.Null);
            Assert.That(_right.Fault, Is.Null);
        }
    }
}
