using System.Diagnostics;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;
using Gudp.Tools.Relay;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

[TestFixture]
public sealed class UdpRelayTests
{
    private const int Datagrams = 500;
    private const int Batch = 50;       // small enough for the smallest receive buffer a system grants

    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(10);

    [Test]
    [Category("Release")]
    public void Exactly_the_datagrams_the_seed_says_are_lost_in_each_direction()
    {
        var options = new ImpairmentOptions { Seed = 1, Link = new LinkModel { LossPpm = 200_000 } };
        using var network = new UdpNetwork();
        using IDatagramSocket client = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        using IDatagramSocket target = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        using var relay = new UdpRelay(PeerAddress.LoopbackIPv4(0), target.LocalAddress, options);
        relay.Start();
        List<int> predictedThere = Survivors(relay.DrawsOf(client: 0, isToTarget: true), options.Up);
        List<int> predictedBack = Survivors(relay.DrawsOf(client: 0, isToTarget: false), options.Down);

        PeerAddress listening = relay.LocalAddress;
        List<int> there = Exchange(network, client, listening, target, predictedThere, out PeerAddress upstream);
        List<int> back = Exchange(network, target, upstream, client, predictedBack, out PeerAddress answering);
        RelayCounts counts = CountsOnceAllAreRead(network, relay);

        Assert.Multiple(() =>
        {
            Assert.That(relay.Fault, Is.Null);
            Assert.That(there, Is.EqualTo(predictedThere));
            Assert.That(back, Is.EqualTo(predictedBack));
            Assert.That(answering, Is.EqualTo(listening));
            Assert.That(counts.ToTarget.Lost, Is.EqualTo(Datagrams - predictedThere.Count));
            Assert.That(counts.ToClients.Lost, Is.EqualTo(Datagrams - predictedBack.Count));
            Assert.That((counts.Clients, counts.Refused, counts.SendFailed), Is.EqualTo((1, 0, 0)));
        });
    }

    [Test]
    [Category("Release")]
    public void A_delay_is_added_in_each_direction_and_never_less()
    {
        var delay = TimeSpan.FromMilliseconds(20);
        var options = new ImpairmentOptions { Link = new LinkModel { Delay = delay } };
        using var network = new UdpNetwork();
        using IDatagramSocket client = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        using IDatagramSocket target = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        using var relay = new UdpRelay(PeerAddress.LoopbackIPv4(0), target.LocalAddress, options);
        relay.Start();

        long start = Stopwatch.GetTimestamp();
        client.TrySend([1], 1, relay.LocalAddress);
        bool isThere = TryReceive(network, target, out _, out PeerAddress upstream);
        target.TrySend([2], 1, upstream);
        bool isBack = TryReceive(network, client, out _, out _);
        TimeSpan roundTrip = Stopwatch.GetElapsedTime(start);

        Assert.That((isThere, isBack), Is.EqualTo((true, true)));

        // The wait for a datagram is as coarse as a millisecond, and begins when the relay reads it.
        Assert.That(roundTrip, Is.GreaterThanOrEqualTo(2 * delay));
    }

    [Test]
    [Category("Release")]
    public void Each_direction_has_its_own_rate_and_queue()
    {
        // Two datagrams of 100 bytes fit into the queue up, of which one is carried at a time.
        var options = new ImpairmentOptions
        {
            Up = new LinkModel { RateBytesPerSecond = 1_000, QueueBytes = 200 },
            Down = new LinkModel { LargestBytes = 50 },
        };
        using var network = new UdpNetwork();
        using IDatagramSocket client = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        using IDatagramSocket target = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        using var relay = new UdpRelay(PeerAddress.LoopbackIPv4(0), target.LocalAddress, options);
        relay.Start();

        long start = Stopwatch.GetTimestamp();
        client.TrySend(Numbered(1, 100), 100, relay.LocalAddress);
        client.TrySend(Numbered(2, 100), 100, relay.LocalAddress);
        client.TrySend(Numbered(3, 100), 100, relay.LocalAddress);
        TryReceive(network, target, out int first, out PeerAddress upstream);
        TryReceive(network, target, out int second, out _);
        TimeSpan both = Stopwatch.GetElapsedTime(start);
        target.TrySend(Numbered(4, 51), 51, upstream);
        target.TrySend(Numbered(5, 50), 50, upstream);
        TryReceive(network, client, out int back, out _);

        RelayCounts counts = relay.ReadCounts();
        Assert.That((first, second, back), Is.EqualTo((1, 2, 5)));
        Assert.That(both, Is.GreaterThanOrEqualTo(TimeSpan.FromMilliseconds(200)));
        Assert.That((counts.ToTarget.QueueDropped, counts.ToClients.TooLongDropped), Is.EqualTo((1, 1)));
    }

    [Test]
    [Category("Release")]
    public void A_rebound_client_comes_from_another_port_and_is_answered_there_only()
    {
        var options = new ImpairmentOptions { RebindEvery = TimeSpan.FromMilliseconds(20) };
        using var network = new UdpNetwork();
        using IDatagramSocket client = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        using IDatagramSocket target = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        using var relay = new UdpRelay(PeerAddress.LoopbackIPv4(0), target.LocalAddress, options);
        relay.Start();
        HashSet<PeerAddress> seen = [];
        bool isAnswered = false;
        long start = Stopwatch.GetTimestamp();

        // An answer can meet a port that has just closed, so one of several has to arrive.
        while ((seen.Count < 3 || !isAnswered) && Stopwatch.GetElapsedTime(start) < Generous)
        {
            client.TrySend([1], 1, relay.LocalAddress);
            network.Wait(TimeSpan.FromMilliseconds(5));

            while (target.TryReceive(new byte[16], out _, out _, out PeerAddress from) == SocketOutcome.Done)
            {
                seen.Add(from);
                target.TrySend([2], 1, from);
            }

            isAnswered |= client.TryReceive(new byte[16], out _, out _, out _) == SocketOutcome.Done;
        }

        Assert.That(relay.Fault, Is.Null);
        Assert.That(seen, Has.Count.GreaterThanOrEqualTo(3));
        Assert.That(isAnswered, Is.True);
        Assert.That(relay.ReadCounts().Rebindings, Is.GreaterThanOrEqualTo(2));
        Assert.That(relay.ReadCounts().Clients, Is.EqualTo(1));
    }

    private static byte[] Numbered(int number, int bytes)
    {
        byte[] datagram = new byte[bytes];
        BitConverter.TryWriteBytes(datagram, number);
        return datagram;
    }

    private static List<int> Survivors(LinkDraws draws, LinkModel model)
        => [.. Enumerable.Range(0, Datagrams).Where(packet => !draws.Decide(model, packet).IsLost)];

    // The last survivor can be here before the relay has read a lost one behind it.
    private static RelayCounts CountsOnceAllAreRead(UdpNetwork network, UdpRelay relay)
    {
        long start = Stopwatch.GetTimestamp();
        RelayCounts counts = relay.ReadCounts();

        while (counts.ToTarget.Sent + counts.ToClients.Sent < 2 * Datagrams
            && Stopwatch.GetElapsedTime(start) < Generous)
        {
            network.Wait(TimeSpan.FromMilliseconds(1));
            counts = relay.ReadCounts();
        }

        return counts;
    }

    /// <summary>Sends numbered datagrams in batches, each once the survivors of the one before have arrived.</summary>
    private static List<int> Exchange(
        UdpNetwork network,
        IDatagramSocket from,
        PeerAddress via,
        IDatagramSocket to,
        List<int> predicted,
        out PeerAddress sender)
    {
        var arrived = new List<int>();
        sender = default;

        for (int sent = 0; sent < Datagrams; sent += Batch)
        {
            for (int i = sent; i < sent + Batch; i++)
            {
                from.TrySend(BitConverter.GetBytes(i), sizeof(int), via);
            }

            int due = predicted.Count(number => number < sent + Batch);

            while (arrived.Count < due && TryReceive(network, to, out int number, out sender))
            {
                arrived.Add(number);
            }
        }

        return arrived;
    }

    private static bool TryReceive(UdpNetwork network, IDatagramSocket socket, out int number, out PeerAddress from)
    {
        Span<byte> buffer = stackalloc byte[128];
        long start = Stopwatch.GetTimestamp();

        while (Stopwatch.GetElapsedTime(start) < Generous)
        {
            if (socket.TryReceive(buffer, out _, out _, out from) == SocketOutcome.Done)
            {
                number = BitConverter.ToInt32(buffer);
                return true;
            }

            network.Wait(Generous);
        }

        number = 0;
        from = default;
        return false;
    }
}
