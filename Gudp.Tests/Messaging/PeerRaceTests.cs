using System.Buffers.Binary;
using System.Collections.Concurrent;
using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>Sessions that come and go under threads that read, send, claim and wait, over real sockets (D-12).</summary>
[TestFixture]
public sealed class PeerRaceTests
{
    private const int Rounds = 25;
    private const int MessagesEach = 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly MessagingConfig Quick = new()
    {
        LaneRingBytes = 64 * 1024,
        ReconnectDelay = TimeSpan.FromMilliseconds(10),
        MaxReconnectDelay = TimeSpan.FromMilliseconds(10),
        Core = new() { Connections = new() { Security = new() { Protection = Protection.Plain } } },
    };

    // An attempt that nobody answers is soon over, and so is a connection whose other end is gone without a word.
    private static readonly MessagingConfig Hasty = Quick with
    {
        Core = Quick.Core with
        {
            Connections = Quick.Core.Connections with
            {
                HandshakeTimeout = TimeSpan.FromMilliseconds(500),
                IdleTimeout = TimeSpan.FromSeconds(3),
            },
        },
    };

    // The discard service, which nobody runs.
    private static readonly PeerAddress Nobody = PeerAddress.LoopbackIPv4(9);

    // Goal: whoever reads a pinned peer hears of no end, whenever it looks, and gets the sessions one after the other.
    // Method: the other end greets on each connection, waits until all arrived, and leaves; readers by each face.
    [Test]
    public void M6_A_reader_of_a_pinned_peer_is_told_the_end_only_when_it_is_unpinned([Values] bool isAsync)
    {
        using Household house = new(ThreadMode.SeveralDaemons, Quick);
        MessageEndpoint[] endpoints = house.Open(2);
        endpoints[1].Listen();
        Peer pinned = endpoints[0].Pin(endpoints[1].LocalAddress);
        Task<List<long>> reading = isAsync ? ReadAllAsync(pinned) : Task.Run(() => ReadAll(pinned));

        for (int round = 0; round < Rounds; round++)
        {
            using Peer greeter = endpoints[1].Accept(Patience) ?? throw new TimeoutException("Nobody came back.");
            Greet(greeter, round);
        }

        bool early = reading.IsCompleted;
        pinned.Close();
        bool ended = reading.Wait(Patience);

        Assert.That(early, Is.False, "Nobody unpinned it.");
        Assert.That(ended, Is.True, "The end is told.");
        Assert.That(reading.Result, Is.Ordered, "One session after the other (I8).");
        Assert.That(reading.Result, Is.Unique);

        if (endpoints[0].SessionsGivenUp == 0)
        {
            Assert.That(reading.Result, Has.Count.EqualTo(Rounds * MessagesEach));
        }

        pinned.Dispose();
    }

    // Goal: a peer whose connection is taken over again and again, under threads that do everything else with it, loses
    //   no order, no memory and nobody who waits.
    // Method: two endpoints of one id open by turns, each before the other one has closed.
    [Test]
    public void I8_Sessions_take_over_under_threads_that_read_hold_send_claim_and_wait()
    {
        PeerId id = PeerId.Parse("600d1d");
        using Daemon daemon = new(Quick.Core);
        using Daemon other = new(Quick.Core);
        using MessageEndpoint server = new(daemon, PeerAddress.LoopbackIPv4(0), Quick);
        MessagingConfig named = Quick with
        {
            Core = Quick.Core with { Connections = Quick.Core.Connections with { PeerId = id } },
        };
        MessageEndpoint[] twins =
        [
            new(other, PeerAddress.LoopbackIPv4(0), named), new(other, PeerAddress.LoopbackIPv4(0), named),
        ];
        daemon.Start();
        other.Start();
        server.Listen();
        Peer dialled = twins[0].Connect(server.LocalAddress);
        Peer peer = server.Accept(Patience)!;
        using CancellationTokenSource over = new();
        ConcurrentBag<ReceivedMessage> held = [];
        Task<List<long>> reading = Task.Run(() => ReadAndHold(peer, held));
        Task[] others =
        [
            Task.Run(() => SendAndClaim(peer, over.Token)),
            Task.Run(() => SendAndWaitAsync(peer, over.Token)),
            Task.Run(() => ListAndCount(server, over.Token)),
        ];

        for (int round = 1; round <= Rounds; round++)
        {
            MessageEndpoint next = twins[round % 2];
            Assert.That(
                SpinWait.SpinUntil(() => next.CountPeers(PeerFilter.Active) == 0, Patience), Is.True, "It has heard.");
            dialled = next.Connect(server.LocalAddress);
            Assert.That(dialled.WaitUntilOpen(Patience), Is.True, "The connection");
            Greet(dialled, round);
        }

        over.Cancel();
        dialled.Dispose();
        bool ended = reading.Wait(Patience) && Task.WaitAll(others, Patience);

        foreach (ReceivedMessage message in held)
        {
            message.Dispose();
        }

        peer.Dispose();
        Array.ForEach(twins, twin => twin.Dispose());
        bool drained = SpinWait.SpinUntil(() => server.Memory.Blocks == 0, Patience);

        Assert.That(ended, Is.True, "Everybody comes out.");
        Assert.That(reading.Result, Is.Ordered);
        Assert.That(reading.Result, Is.Unique);
        Assert.That(reading.Result, Is.Not.Empty);
        Assert.That(drained, Is.True, "Every block came back.");
        Assert.That(daemon.Fault ?? other.Fault, Is.Null);
    }

    // Goal: whoever waits by whatever member, at a peer that is pinned and away or here, comes out when what it waits for
    //   can not be any more.
    [Test]
    public void M6_Everybody_who_waits_at_pinned_peers_comes_out_whatever_is_disposed([Values] PinVictim victim)
    {
        using Household house = new(ThreadMode.SeveralDaemons, Hasty);
        MessageEndpoint[] endpoints = house.Open(2);
        endpoints[1].Listen();
        Peer here = endpoints[0].Pin(endpoints[1].LocalAddress);
        Peer away = endpoints[0].Pin(Nobody);
        Assert.That(here.WaitUntilOpen(Patience), Is.True);
        _ = away.TrySend("waits"u8, new SendOptions { NotifyReceived = true }, out SendReceipt receipt);
        Task[] waits =
        [
            Task.Run(() => here.Receive(Patience, out _)),
            Task.Run(() => away.Receive(Patience, out _)),
            Task.Run(() => away.WaitUntilOpen(Patience)),
            Task.Run(() => away.Flush(Patience)),
            here.ReceiveAsync().AsTask(),
            away.ReceiveAsync().AsTask(),
            away.WaitUntilOpenAsync().AsTask(),
            away.FlushAsync().AsTask(),
            away.WaitForReceivedAsync(receipt.Id).AsTask(),
            FillAsync(away),
        ];

        Dispose(victim, house, endpoints, here, away);
        bool ended = Task.WaitAll(waits, Patience);

        Assert.That(ended, Is.True, string.Join(", ", waits.Select(wait => wait.Status)));
        here.Dispose();
        away.Dispose();
    }

    private static void Greet(Peer peer, int round)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];

        for (int i = 0; i < MessagesEach; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, (round * MessagesEach) + i);
            Assert.That(peer.TrySend(number), Is.EqualTo(SendStatus.Accepted));
        }

        Assert.That(peer.Flush(Patience), Is.True, "All of it arrived.");
    }

    private static List<long> ReadAll(Peer peer)
    {
        List<long> all = [];

        while (peer.Receive(Patience, out ReceivedMessage message) == ReceiveStatus.Received)
        {
            all.Add(NumberIn(message));
            message.Dispose();
        }

        return all;
    }

    private static async Task<List<long>> ReadAllAsync(Peer peer)
    {
        List<long> all = [];

        await foreach (ReceivedMessage message in peer.ReceiveAllAsync())
        {
            all.Add(NumberIn(message));
            message.Dispose();
        }

        return all;
    }

    // Each third message is held until all is over, whatever became of its session.
    private static List<long> ReadAndHold(Peer peer, ConcurrentBag<ReceivedMessage> held)
    {
        List<long> all = [];

        while (peer.Receive(Patience, out ReceivedMessage message) == ReceiveStatus.Received)
        {
            all.Add(NumberIn(message));

            if (all.Count % 3 == 0)
            {
                held.Add(message);
            }
            else
            {
                message.Dispose();
            }
        }

        return all;
    }

    private static void SendAndClaim(Peer peer, CancellationToken over)
    {
        ReceiptUpdate[] updates = new ReceiptUpdate[16];

        while (!over.IsCancellationRequested)
        {
            if (peer.TryClaim(100, new SendOptions { NotifyReceived = true }, out MessageClaim claim)
                == SendStatus.Accepted)
            {
                claim.Span.Fill(1);
                _ = claim.Commit();
            }
            else
            {
                _ = peer.WaitToSend(TimeSpan.FromMilliseconds(1));
            }

            _ = peer.TakeUpdates(updates);
        }
    }

    private static async Task SendAndWaitAsync(Peer peer, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            try
            {
                SendReceipt receipt = await peer.SendAsync(new byte[10], default, over);
                SendReceipt end = await peer.WaitForReceivedAsync(receipt.Id, over);
                Assert.That(end.Transfer, Is.Not.EqualTo(TransferState.Queued).And.Not.EqualTo(TransferState.Sent));
            }
            catch (Exception fault) when (fault is OperationCanceledException or MessageRefusedException)
            {
                // Over, or between two connections.
            }
        }
    }

    private static void ListAndCount(MessageEndpoint endpoint, CancellationToken over)
    {
        Peer[] peers = new Peer[4];
        PeerEvent[] events = new PeerEvent[4];

        while (!over.IsCancellationRequested)
        {
            _ = endpoint.CopyPeers(PeerFilter.Known, peers);
            _ = endpoint.TakePeerChanges(events);
            _ = endpoint.ReadStatistics(PeerFilter.Known);
            _ = endpoint.ReadStatistics();
        }
    }

    // Sends until there is no room, and then waits.
    private static async Task FillAsync(Peer peer)
    {
        try
        {
            while (true)
            {
                _ = await peer.SendAsync(new byte[1_000]);
            }
        }
        catch (MessageRefusedException)
        {
            // It is closed.
        }
    }

    private static void Dispose(PinVictim victim, Household house, MessageEndpoint[] endpoints, Peer here, Peer away)
    {
        switch (victim)
        {
            case PinVictim.Daemon:
                house.Daemons[0].Dispose();
                break;
            case PinVictim.EndpointAndPeers:
                endpoints[0].Dispose();
                endpoints[1].Dispose();
                house.Daemons[1].Dispose();
                break;
            case PinVictim.Wishes:
                here.Unpin();
                away.Unpin();
                house.Daemons[1].Dispose();
                break;
            default:
                away.Dispose();
                here.Dispose();
                break;
        }
    }

    private static long NumberIn(ReceivedMessage message) => BinaryPrimitives.ReadInt64LittleEndian(message.Span);
}

/// <summary>What ends while others wait at pinned peers.</summary>
public enum PinVictim
{
    /// <summary>The peers themselves.</summary>
    Peers,

    /// <summary>Their pins, and the process at the other end.</summary>
    Wishes,

    /// <summary>Their endpoint, and the process at the other end.</summary>
    EndpointAndPeers,

    /// <summary>Their daemon.</summary>
    Daemon,
}
