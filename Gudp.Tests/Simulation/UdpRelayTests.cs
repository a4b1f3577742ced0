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
        List<int> predictedThere = Survivors(relay.DrawsOf(client: 0, isToTarget: true), options.Link);
        List<int> predictedBack = Survivors(relay.DrawsOf(client: 0, isToTarget: false), options.Link);

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

    [TestCase("5%", 50_000)]
    [TestCase("0.1%", 1_000)]
    [TestCase("0%", 0)]
    [TestCase("100%", 1_000_000)]
    public void A_chance_is_a_percentage(string text, int expected)
    {
        bool isRead = ImpairmentOptions.TryReadChance(text, out int partsPerMillion);

        Assert.That((isRead, partsPerMillion), Is.EqualTo((true, expected)));
    }

    [TestCase("5")]
    [TestCase("101%")]
    [TestCase("-1%")]
    [TestCase("%")]
    [TestCase("NaN%")]
    [TestCase("")]
    public void Another_text_is_no_chance(string text)
        => Assert.That(ImpairmentOptions.TryReadChance(text, out _), Is.False);

    [TestCase("20ms", 20_000)]
    [TestCase("1.5s", 1_500_000)]
    [TestCase("300us", 300)]
    [TestCase("0ms", 0)]
    public void A_time_has_a_unit(string text, long microseconds)
    {
        bool isRead = ImpairmentOptions.TryReadSpan(text, out TimeSpan span);

        Assert.That((isRead, span), Is.EqualTo((true, TimeSpan.FromMicroseconds(microseconds))));
    }

    [TestCase("20")]
    [TestCase("20m")]
    [TestCase("-1ms")]
    [TestCase("2h")]
    [TestCase("3601s")]
    public void Another_text_is_no_time(string text)
        => Assert.That(ImpairmentOptions.TryReadSpan(text, out _), Is.False);

    [TestCase("64kbit", 8_000)]
    [TestCase("10Mbit", 1_250_000)]
    [TestCase("1gbit", 125_000_000)]
    public void A_rate_is_bits_and_becomes_bytes(string text, long expected)
    {
        bool isRead = ImpairmentOptions.TryReadRate(text, out long bytesPerSecond);

        Assert.That((isRead, bytesPerSecond), Is.EqualTo((true, expected)));
    }

    [TestCase("0kbit")]
    [TestCase("10")]
    [TestCase("10mb")]
    public void Another_text_is_no_rate(string text)
        => Assert.That(ImpairmentOptions.TryReadRate(text, out _), Is.False);

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
        Span<byte> buffer = stackalloc byte[16];
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
