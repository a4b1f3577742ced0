using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

[TestFixture]
public sealed class SimulatedNatTests
{
    private static readonly LinkModel Slow = new() { Delay = TimeSpan.FromMilliseconds(10) };
    private static readonly PeerAddress Seen = PeerAddress.FromIPv4(0x0102_0304, 777);

    private readonly byte[] _buffer = new byte[2_000];

    [Test]
    public void A_rebound_socket_is_seen_under_its_new_address_and_answered_there()
    {
        World world = new();

        world.Network.Rebind(world.Left.LocalAddress, Seen);
        world.Left.TrySend([1], 1, world.Right.LocalAddress);
        world.Deliver();
        world.Right.TryReceive(_buffer, out _, out _, out PeerAddress from);
        world.Right.TrySend([2], 1, from);
        world.Deliver();
        SocketOutcome answer = world.Left.TryReceive(_buffer, out _, out _, out PeerAddress answering);

        Assert.That((from, answer, answering), Is.EqualTo((Seen, SocketOutcome.Done, world.Right.LocalAddress)));
        Assert.That(world.Left.LocalAddress, Is.Not.EqualTo(Seen), "The socket itself does not notice.");
        Assert.That(world.Network.OutsideOf(world.Left.LocalAddress), Is.EqualTo(Seen));
    }

    [Test]
    public void The_former_address_leads_nowhere_also_for_what_is_under_way()
    {
        World world = new();
        PeerAddress former = world.Left.LocalAddress;
        world.Right.TrySend([1], 1, former);

        world.Network.Rebind(former, Seen);
        world.Right.TrySend([2], 1, former);
        world.Deliver();
        PeerAddress newest = world.Network.Rebind(former, changesAddress: false);
        world.Right.TrySend([3], 1, Seen);
        world.Right.TrySend([4], 1, newest);
        world.Deliver();
        world.Left.TryReceive(_buffer, out _, out _, out _);

        Assert.That(_buffer[0], Is.EqualTo(4));
        Assert.That(world.Left.TryReceive(_buffer, out _, out _, out _), Is.EqualTo(SocketOutcome.WouldBlock));
        Assert.That((world.Network.Faults.UnmappedDropped, world.Network.Faults.Rebindings), Is.EqualTo((3, 2)));
    }

    [Test]
    public void A_socket_given_its_own_address_back_is_as_before()
    {
        World world = new();
        world.Network.Rebind(world.Left.LocalAddress, Seen);

        world.Network.Rebind(world.Left.LocalAddress, world.Left.LocalAddress);
        world.Right.TrySend([1], 1, Seen);
        world.Right.TrySend([2], 1, world.Left.LocalAddress);
        world.Deliver();
        world.Left.TryReceive(_buffer, out _, out _, out _);

        Assert.That(_buffer[0], Is.EqualTo(2));
        Assert.That(world.Network.Faults.UnmappedDropped, Is.EqualTo(1));
    }

    [Test]
    public void Addresses_are_made_up_anew_each_time()
    {
        World world = new();
        PeerAddress local = world.Left.LocalAddress;

        PeerAddress port = world.Network.Rebind(local, changesAddress: false);
        PeerAddress address = world.Network.Rebind(local, changesAddress: true);
        PeerAddress again = world.Network.Rebind(local, changesAddress: false);

        Assert.That(port, Is.EqualTo(local.WithPort(50_000)));
        Assert.That(address, Is.EqualTo(PeerAddress.FromIPv4(0x6440_0001, 50_001)));
        Assert.That(again, Is.EqualTo(address.WithPort(50_002)));
    }

    [Test]
    public void The_way_stays_that_of_the_host()
    {
        World world = new();
        world.Network.SetLink(world.RightHost, world.LeftHost, Slow with { LargestBytes = 10 });

        world.Network.Rebind(world.Left.LocalAddress, Seen);
        world.Right.TrySend(new byte[11], 11, Seen);

        Assert.That(world.Network.Faults.TooLongDropped, Is.EqualTo(1));
    }

    [Test]
    public void An_address_of_somebody_else_or_of_nobody_is_refused()
    {
        World world = new();
        PeerAddress left = world.Left.LocalAddress;
        world.Network.Rebind(world.Right.LocalAddress, Seen);

        Assert.Multiple(() =>
        {
            Assert.That(() => world.Network.Rebind(left, Seen), Throws.ArgumentException);
            Assert.That(() => world.Network.Rebind(left, world.Right.LocalAddress), Throws.ArgumentException);
            Assert.That(() => world.Network.Rebind(left, PeerAddress.AnyIPv4(5)), Throws.ArgumentException);
            Assert.That(() => world.Network.Rebind(left, Seen.WithPort(0)), Throws.ArgumentException);
            Assert.That(() => world.Network.Rebind(left, PeerAddress.LoopbackIPv6(5)), Throws.ArgumentException);
        });
    }

    [Test]
    public void The_trace_tells_a_rebound_socket_from_another()
    {
        ulong rebound = TraceOf(rebinds: true);
        ulong again = TraceOf(rebinds: true);

        Assert.That(again, Is.EqualTo(rebound));
        Assert.That(rebound, Is.Not.EqualTo(TraceOf(rebinds: false)));
    }

    [TestCase(1_000, SocketOutcome.Done)]
    [TestCase(1_001, SocketOutcome.TooLarge)]
    public void A_host_refuses_what_is_longer_than_its_own_limit(int bytes, SocketOutcome expected)
    {
        World world = new();
        world.LeftHost.LargestDatagramBytes = 1_000;

        SocketOutcome outcome = world.Left.TrySend(new byte[bytes], bytes, world.Right.LocalAddress);

        Assert.That(outcome, Is.EqualTo(expected));
        Assert.That(world.Network.Faults.Refused, Is.EqualTo(expected == SocketOutcome.Done ? 0 : 1));
    }

    [TestCase(0, 4_000)]
    [TestCase(3_000, 3_000)]
    [TestCase(9_000, 5_000)]
    public void A_host_grants_buffers_as_it_is_told(int asked, int granted)
    {
        SimulatedHost host = new SimulatedNetwork(1).AddHost();
        host.DefaultBufferBytes = 4_000;
        host.LargestBufferBytes = 5_000;

        DatagramCapabilities given = host.Open(PeerAddress.AnyIPv4(0), asked, asked).Capabilities;

        Assert.That((given.SendBufferBytes, given.ReceiveBufferBytes), Is.EqualTo((granted, granted)));
    }

    private static ulong TraceOf(bool rebinds)
    {
        World world = new();

        if (rebinds)
        {
            world.Network.Rebind(world.Left.LocalAddress, Seen);
        }

        world.Left.TrySend([1], 1, world.Right.LocalAddress);
        world.Deliver();
        return world.Network.TraceHash;
    }

    private sealed class World
    {
        internal World()
        {
            LeftHost = Network.AddHost();
            RightHost = Network.AddHost();
            Left = LeftHost.Open(PeerAddress.AnyIPv4(0), 0, 0);
            Right = RightHost.Open(PeerAddress.AnyIPv4(0), 0, 0);
        }

        internal SimulatedNetwork Network { get; } = new(1) { DefaultLink = Slow };

        internal SimulatedHost LeftHost { get; }

        internal SimulatedHost RightHost { get; }

        internal IDatagramSocket Left { get; }

        internal IDatagramSocket Right { get; }

        internal void Deliver() => Network.AdvanceTo(Network.Now + Slow.Delay);
    }
}
