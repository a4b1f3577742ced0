using System.Buffers.Binary;
using System.Collections.Concurrent;
using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>
/// Several threads on one connection, in each of the ways a process may drive its endpoints (docs/THREADS.md, M27): real
/// sockets, real threads, and everything that ends while others are at work.
/// </summary>
[TestFixture]
[Category("Release")]
[NonParallelizable]
public sealed class ThreadModeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly MessagingConfig Config = new()
    {
        LaneRingBytes = 64 * 1024,
        Core = new() { Connections = new() { Security = new() { Protection = Protection.Plain } } },
    };

    // Goal: whoever sends and whoever reads, by whichever member, nothing is lost and nothing comes twice.
    // Method: each writer numbers its messages; all readers together must see each number once.
    [Test]
    public void M27_Several_threads_send_and_receive_on_one_connection([Values] ThreadMode mode)
    {
        const int MessagesEach = 4_000;
        using Household house = new(mode, Config);
        MessageEndpoint[] endpoints = house.Open(2);
        (Peer client, Peer server) = house.Connect(endpoints[0], endpoints[1], Patience);
        Writers writers = new(endpoints[0], client, MessagesEach);
        using Readers readers = new(endpoints[1], server, Writers.Count * MessagesEach);

        Task[] all = [.. readers.Start(), .. writers.Start()];
        bool done = Task.WaitAll(all, Patience);

        Assert.That(done, Is.True, $"{readers.Read} of {Writers.Count * MessagesEach} were read.");
        Assert.That(readers.Numbers.Distinct().Count(), Is.EqualTo(Writers.Count * MessagesEach));
        Assert.That(readers.Numbers, Has.Count.EqualTo(Writers.Count * MessagesEach));
    }

    // Goal: whatever is disposed while senders and readers are inside, all come out, and all memory comes back.
    [Test]
    public void M27_Whatever_is_disposed_meanwhile_everybody_comes_out_and_all_memory_comes_back(
        [Values] ThreadMode mode, [Values] Victim victim)
    {
        const int Rounds = 6;

        for (int round = 0; round < Rounds; round++)
        {
            Household house = new(mode, Config);
            MessageEndpoint[] endpoints = house.Open(2);
            (Peer client, Peer server) = house.Connect(endpoints[0], endpoints[1], Patience);
            Writers writers = new(endpoints[0], client, int.MaxValue);
            using Readers readers = new(endpoints[1], server, int.MaxValue);
            Task[] all = [.. readers.Start(), .. writers.Start()];

            SpinWait.SpinUntil(() => readers.Read > 50 * round, Patience);
            End(victim, house, endpoints, client, server);

            // What the victim leaves alive ends after it: those who are inside must have noticed the first end too.
            client.Dispose();
            server.Dispose();
            endpoints[1].Dispose();
            bool done = Task.WaitAll(all, Patience);
            house.Dispose();

            Assert.That(done, Is.True, $"Round {round}: somebody never came out.");
            Assert.That(house.BlocksOut, Is.Zero, $"Round {round}: memory is missing.");
        }
    }

    // Goal: peers over several daemons of one process are peers like any other.
    [Test]
    public void M27_Endpoints_of_several_daemons_all_talk_to_each_other([Values] ThreadMode mode)
    {
        const int Count = 4;
        using Household house = new(mode, Config);
        MessageEndpoint[] endpoints = house.Open(Count);
        List<(Peer Client, Peer Server)> links = [];

        for (int from = 0; from < Count; from++)
        {
            for (int to = from + 1; to < Count; to++)
            {
                links.Add(house.Connect(endpoints[from], endpoints[to], Patience));
            }
        }

        Parallel.ForEach(links, link => link.Client.TrySend("there"u8));
        Parallel.ForEach(links, link => link.Server.TrySend("and back"u8));
        string[] received = [.. links.AsParallel().SelectMany(link => new[] { Next(link.Client), Next(link.Server) })];

        Assert.That(received.Count(text => text == "there"), Is.EqualTo(links.Count));
        Assert.That(received.Count(text => text == "and back"), Is.EqualTo(links.Count));
        Assert.That(house.Daemons, Has.Count.EqualTo(mode == ThreadMode.SeveralDaemons ? Count : 1));
    }

    [Test]
    public void M27_In_manual_mode_no_thread_of_the_library_runs()
    {
        const string Name = "facespump";

        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("Names of threads are read from /proc.");
        }

        MessagingConfig named = Config with { Core = Config.Core with { Name = Name } };
        using Household manual = new(ThreadMode.Manual, named);
        MessageEndpoint[] endpoints = manual.Open(2);
        manual.Connect(endpoints[0], endpoints[1], Patience);
        int inManualMode = ThreadsNamed(Name);
        using Household threaded = new(ThreadMode.SeveralDaemons, named);
        threaded.Open(2);
        SpinWait.SpinUntil(() => ThreadsNamed(Name) == 2, Patience);
        int withThreads = ThreadsNamed(Name);

        Assert.That(inManualMode, Is.Zero);
        Assert.That(withThreads, Is.EqualTo(2), "A daemon with a thread shows, so one in manual mode would.");
    }

    private static int ThreadsNamed(string daemon) => Directory.GetDirectories("/proc/self/task")
        .Select(task => Path.Combine(task, "comm"))
        .Count(path => File.Exists(path) && ReadName(path).StartsWith($"gudp-{daemon}", StringComparison.Ordinal));

    // A thread may end between being listed and being read.
    private static string ReadName(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static string Next(Peer peer)
    {
        Assert.That(peer.Receive(Patience, out ReceivedMessage message), Is.EqualTo(ReceiveStatus.Received));

        using (message)
        {
            return System.Text.Encoding.ASCII.GetString(message.Span);
        }
    }

    private static void End(
        Victim victim, Household house, MessageEndpoint[] endpoints, Peer client, Peer server)
    {
        switch (victim)
        {
            case Victim.SendingPeer:
                client.Dispose();
                break;
            case Victim.ReceivingPeer:
                server.Dispose();
                break;
            case Victim.Endpoints:
                Array.ForEach(endpoints, endpoint => endpoint.Dispose());
                break;
            default:
                house.Daemons[^1].Dispose();
                break;
        }
    }

    /// <summary>What is disposed while others are at work.</summary>
    public enum Victim
    {
        SendingPeer,
        ReceivingPeer,
        Endpoints,
        Daemon,
    }

    /// <summary>One thread for each way to send, until told enough or the connection ends.</summary>
    private sealed class Writers(MessageEndpoint endpoint, Peer peer, int messagesEach)
    {
        internal const int Count = 5;

        internal Task[] Start() =>
        [
            Run(0, (int number) => peer.TrySend(Number(number))),
            Run(1, (int number) => SendByClaim(number)),
            Run(2, (int number) => SendInPlace(number)),
            Run(3, (int number) => SendToMany(number)),
            Task.Run(() => SendAsync(4)),
        ];

        private Task Run(int writer, Func<int, SendStatus> send) => Task.Factory.StartNew(
            () =>
            {
                for (int i = 0; i < messagesEach; i++)
                {
                    SendStatus status = send((writer * 100_000_000) + i);

                    while (status is not SendStatus.Accepted and not SendStatus.Closed)
                    {
                        peer.WaitToSend(Patience);
                        status = send((writer * 100_000_000) + i);
                    }

                    if (status == SendStatus.Closed)
                    {
                        return;
                    }
                }
            },
            TaskCreationOptions.LongRunning);

        private SendStatus SendByClaim(int number)
        {
            SendStatus status = peer.TryClaim(sizeof(int), default, out MessageClaim claim);

            if (status != SendStatus.Accepted)
            {
                return status;
            }

            BinaryPrimitives.WriteInt32LittleEndian(claim.Span, number);
            return claim.Commit();
        }

        private SendStatus SendInPlace(int number)
        {
            using MessageBuffer buffer = new(endpoint);

            // Long enough, now and then, not to stand in the lane's ring.
            int length = number % 50 == 0 ? 30_000 : 100;
            SendStatus status = buffer.TryReserve(length);

            if (status != SendStatus.Accepted)
            {
                return peer.Status.IsFinal ? SendStatus.Closed : status;
            }

            BinaryPrimitives.WriteInt32LittleEndian(buffer.GetSpan(length), number);
            buffer.Advance(length);
            return peer.TrySend(buffer, default, out _);
        }

        private SendStatus SendToMany(int number)
        {
            Span<SendResult> results = stackalloc SendResult[1];
            endpoint.TrySend([peer], Number(number), default, results);
            return results[0].Status;
        }

        private async Task SendAsync(int writer)
        {
            try
            {
                for (int i = 0; i < messagesEach; i++)
                {
                    await peer.SendAsync(Number((writer * 100_000_000) + i)).ConfigureAwait(false);
                }
            }
            catch (MessageRefusedException refused) when (refused.Status == SendStatus.Closed)
            {
                // The end that was made.
            }
        }

        private static byte[] Number(int number)
        {
            byte[] bytes = new byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
            return bytes;
        }
    }

    /// <summary>One thread for each way to read, until all was read or the connection ends.</summary>
    private sealed class Readers(MessageEndpoint endpoint, Peer peer, int expected) : IDisposable
    {
        private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

        private readonly CancellationTokenSource _allRead = new();
        private int _read;

        internal int Read => Volatile.Read(ref _read);

        internal ConcurrentBag<int> Numbers { get; } = [];

        private bool IsOver => _allRead.IsCancellationRequested || peer.Status.IsFinal;

        public void Dispose() => _allRead.Dispose();

        internal Task[] Start() =>
        [
            Task.Factory.StartNew(ReadOfPeer, TaskCreationOptions.LongRunning),
            Task.Factory.StartNew(ReadOfAll, TaskCreationOptions.LongRunning),
            Task.Factory.StartNew(PollPeer, TaskCreationOptions.LongRunning),
            Task.Factory.StartNew(PollAll, TaskCreationOptions.LongRunning),
            Task.Run(ReadPeerAsync),
            Task.Run(ReadAllAsync),
        ];

        internal void Note(ReadOnlySpan<byte> message)
        {
            Numbers.Add(BinaryPrimitives.ReadInt32LittleEndian(message));

            if (Interlocked.Increment(ref _read) == expected)
            {
                _allRead.Cancel();
            }
        }

        private void ReadOfPeer()
        {
            ReceiveStatus status = ReceiveStatus.TimedOut;

            while (status != ReceiveStatus.Closed && !_allRead.IsCancellationRequested)
            {
                status = peer.Receive(Look, out ReceivedMessage message);
                Take(status, message);
            }
        }

        private void ReadOfAll()
        {
            ReceiveStatus status = ReceiveStatus.TimedOut;

            while (status != ReceiveStatus.Closed && !_allRead.IsCancellationRequested)
            {
                status = endpoint.Receive(Look, out _, out ReceivedMessage message);
                Take(status, message);
            }
        }

        private void Take(ReceiveStatus status, ReceivedMessage message)
        {
            if (status == ReceiveStatus.Received)
            {
                using (message)
                {
                    Note(message.Span);
                }
            }
        }

        private void PollPeer()
        {
            Noter noter = new(this);

            while (!IsOver)
            {
                if (peer.Poll(ref noter, budget: 3) == 0)
                {
                    Thread.Yield();
                }
            }
        }

        private void PollAll()
        {
            Noter noter = new(this);

            while (!IsOver)
            {
                if (endpoint.Poll(ref noter, budget: 3) == 0)
                {
                    Thread.Yield();
                }
            }
        }

        private async Task ReadPeerAsync()
        {
            try
            {
                await foreach (ReceivedMessage message in peer.ReceiveAllAsync(_allRead.Token).ConfigureAwait(false))
                {
                    Take(ReceiveStatus.Received, message);
                }
            }
            catch (OperationCanceledException)
            {
                // All was read.
            }
        }

        private async Task ReadAllAsync()
        {
            try
            {
                await foreach ((Peer _, ReceivedMessage message)
                    in endpoint.ReceiveAllAsync(_allRead.Token).ConfigureAwait(false))
                {
                    Take(ReceiveStatus.Received, message);
                }
            }
            catch (OperationCanceledException)
            {
                // All was read.
            }
        }

        private readonly struct Noter(Readers readers) : IMessageHandler
        {
            public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message) => readers.Note(message);
        }
    }
}
