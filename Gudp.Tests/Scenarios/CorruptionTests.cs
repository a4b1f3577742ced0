using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Scenarios;

/// <summary>T7: damaged datagrams.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class CorruptionTests
{
    private const int Port = 7_000;
    private const int Strangers = 5_000;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly MessagingConfig Plain = new() { Core = SimWorld.Plain };
    private static readonly LinkModel Path = new() { Delay = TimeSpan.FromMilliseconds(10) };

    [Test]
    public void T7_Every_flipped_bit_is_noticed_and_all_arrives_as_it_was_sent([Values(1, 2, 3)] int seed)
    {
        Damage there = new((ulong)seed, ppm: 200_000);
        Damage back = new((ulong)seed + 100, ppm: 200_000);
        using SimWorld world = new((ulong)seed);
        world.Network.DefaultLink = Path;
        Node left = world.AddNode(between: host => new Interceptor(host) { Receives = back.FlipOneBit });
        Node right = world.AddNode(between: host => new Interceptor(host) { Receives = there.FlipOneBit });
        using PeerPair pair = new(world, left, right, Plain);
        BulkFlow bulk = new(pair.Client, pair.Server, 1_000_000);

        world.RunUntil(bulk.Advance, Patience, "The arrival");

        DaemonCounters counters = right.Daemon.ReadCounters();
        pair.AssertAlive();
        Assert.That(there.Done, Is.GreaterThan(50));
        Assert.That(back.Done, Is.GreaterThan(10));
        Assert.That(counters.DatagramsDropped, Is.GreaterThanOrEqualTo(there.Done), "None of them was accepted.");
    }

    [Test]
    public void T7_A_transfer_of_which_one_in_fifty_is_damaged_is_whole([Values(1, 2, 3)] int seed)
    {
        using SimWorld world = new((ulong)seed);
        world.Network.DefaultLink = Path with { CorruptPpm = 20_000 };
        Node left = world.AddNode();
        Node right = world.AddNode();
        using PeerPair pair = new(world, left, right, Plain);
        BulkFlow bulk = new(pair.Client, pair.Server, 3_000_000);

        world.RunUntil(bulk.Advance, Patience, "The arrival");

        long damaged = world.Network.Faults.Corrupted;
        long dropped = left.Daemon.ReadCounters().DatagramsDropped + right.Daemon.ReadCounters().DatagramsDropped;
        pair.AssertAlive();
        Assert.That(damaged, Is.GreaterThan(30));
        Assert.That(dropped, Is.GreaterThanOrEqualTo(damaged - world.Network.UnderWay));
    }

    // The first packet of a handshake is the only one a server takes from just anybody.
    [Test]
    public void T7_A_stranger_whose_packets_are_damaged_leaves_no_trace()
    {
        Damage damage = new(seed: 1, ppm: 1_000_000);
        byte[]? hello = null;
        using SimWorld world = new(1);
        world.Network.DefaultLink = Path;
        Node right = world.AddNode();
        Node left = world.AddNode(between: host => new Interceptor(host)
        {
            Sends = datagram =>
            {
                hello ??= datagram.ToArray();
                return false;
            },
        });
        Endpoint server = right.Open(Port);
        server.Listen();
        left.Open(0).Connect(server.LocalAddress);
        world.Settle();

        for (int i = 0; i < Strangers; i++)
        {
            byte[] damaged = [.. hello!];
            damage.FlipOneBit(damaged);
            world.Network.Inject(PeerAddress.FromIPv4(0x0B00_0000 + (uint)i, 9), server.LocalAddress, damaged);
            world.Network.AdvanceTo(world.Now);
            world.Settle();
        }

        DaemonCounters counters = right.Daemon.ReadCounters();
        Assert.That(counters.DatagramsDropped, Is.EqualTo(Strangers));

        // Who speaks another version is told which are spoken here, and nothing is kept of it.
        Assert.That(counters.DatagramsSent, Is.LessThanOrEqualTo(counters.Dropped(DropReason.UnknownVersion)));
        Assert.That(right.Daemon.ReadConnections(), Is.Empty);
        Assert.That(server.TryAccept(out _), Is.False);
    }

    /// <summary>Flips one bit of some datagrams.</summary>
    private sealed class Damage(ulong seed, int ppm)
    {
        private readonly Prng _draws = new(seed);

        internal long Done { get; private set; }

        internal bool FlipOneBit(Span<byte> datagram)
        {
            if (!datagram.IsEmpty && _draws.NextChance(ppm))
            {
                datagram[(int)_draws.NextBelow(datagram.Length)] ^= (byte)(1 << (int)_draws.NextBelow(8));
                Done++;
            }

            return true;
        }
    }
}
