using System.Net.Sockets;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

[TestFixture]
public sealed class SimulatedNetworkTests
{
    private static readonly LinkModel Harsh = new()
    {
        Delay = TimeSpan.FromMilliseconds(20),
        Jitter = TimeSpan.FromMilliseconds(5),
        LossPpm = 100_000,
        BurstPpm = 5_000,
        DuplicatePpm = 50_000,
        DuplicateBy = TimeSpan.FromMilliseconds(100),
        ReorderPpm = 50_000,
        CorruptPpm = 50_000,
        RateBytesPerSecond = 200_000,
        QueueBytes = 5_000,
    };

    private readonly byte[] _buffer = new byte[65_535];

    [Test]
    public void A_datagram_arrives_after_the_delay_and_not_a_tick_earlier()
    {
        var world = new Pair(new LinkModel { Delay = TimeSpan.FromMilliseconds(20) });
        Instant arrival = world.Network.Now + TimeSpan.FromMilliseconds(20);

        world.Send([1, 2, 3]);

        Assert.That(world.Network.NextArrival, Is.EqualTo(arrival));
        world.Network.AdvanceTo(new Instant(arrival.Ticks - 1));
        Assert.That(world.RightHost.HasReadable, Is.False);
        world.Network.AdvanceTo(arrival);
        Assert.That(world.RightHost.HasReadable, Is.True);
        Assert.That(world.Right.TryReceive(_buffer, out int length, out int each, out PeerAddress from),
            Is.EqualTo(SocketOutcome.Done));
        Assert.That(_buffer[..length], Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That((each, from), Is.EqualTo((3, world.Left.LocalAddress)));
        Assert.That(world.Network.NextArrival, Is.EqualTo(Instant.Never));
    }

    [Test]
    public void The_same_seed_gives_the_same_run()
    {
        (ulong Trace, SimulatedFaults Faults) first = HarshRun(seed: 7);
        (ulong Trace, SimulatedFaults Faults) second = HarshRun(seed: 7);

        Assert.That(second, Is.EqualTo(first));
    }

    [Test]
    public void Another_seed_gives_another_run()
        => Assert.That(HarshRun(seed: 8).Trace, Is.Not.EqualTo(HarshRun(seed: 7).Trace));

    [Test]
    public void A_harsh_run_meets_every_fault_and_loses_count_of_none()
    {
        SimulatedFaults faults = HarshRun(seed: 7).Faults;

        Assert.Multiple(() =>
        {
            Assert.That(faults.Lost, Is.Positive);
            Assert.That(faults.Duplicated, Is.Positive);
            Assert.That(faults.Reordered, Is.Positive);
            Assert.That(faults.Corrupted, Is.Positive);
            Assert.That(faults.QueueDropped, Is.Positive);
            Assert.That(faults.Begun, Is.EqualTo(faults.Ended));
        });
    }

    [Test]
    public void A_perfect_link_only_delivers()
    {
        var world = new Pair(LinkModel.Perfect);

        world.SendNumbered(100, 50);
        int[] order = world.Drain(_buffer);

        Assert.That(order, Is.EqualTo(Enumerable.Range(0, 100)));
        Assert.That(world.Network.Faults, Is.EqualTo(new SimulatedFaults { Sent = 100, Delivered = 100 }));
    }

    [Test]
    public void Held_back_datagrams_are_overtaken()
    {
        var world = new Pair(new LinkModel { ReorderPpm = 200_000, ReorderBy = TimeSpan.FromTicks(1) });

        world.SendNumbered(100, 50);
        int[] order = world.Drain(_buffer);

        Assert.That(order, Is.EquivalentTo(Enumerable.Range(0, 100)).And.Not.Ordered);
    }

    [Test]
    public void A_rate_spaces_datagrams_exactly_without_a_rounding_drift()
    {
        // 3 bytes a second: one byte takes 3,333,333 and one third ticks.
        var world = new Pair(new LinkModel { RateBytesPerSecond = 3, QueueBytes = 100 });
        var arrivals = new List<long>();

        for (int i = 0; i < 6; i++)
        {
            world.Send([(byte)i]);
        }

        while (!world.Network.NextArrival.IsNever)
        {
            arrivals.Add(world.Network.NextArrival.Ticks);
            world.Network.AdvanceTo(world.Network.NextArrival);
        }

        Assert.That(
            arrivals,
            Is.EqualTo(new[] { 3_333_333, 6_666_666, 10_000_000, 13_333_333, 16_666_666, 20_000_000 }));
    }

    [TestCase(300, 3)]
    [TestCase(299, 2)]
    public void The_queue_of_a_rate_holds_its_bytes_and_not_one_more(int queueBytes, int expectedPackets)
    {
        var world = new Pair(new LinkModel { RateBytesPerSecond = 1_000, QueueBytes = queueBytes });

        world.SendNumbered(5, 100);
        int[] arrived = world.Drain(_buffer);

        Assert.That(arrived, Is.EqualTo(Enumerable.Range(0, expectedPackets)));
        Assert.That(world.Network.Faults.QueueDropped, Is.EqualTo(5 - expectedPackets));
    }

    [Test]
    public void A_queue_has_room_again_as_soon_as_the_bytes_are_carried()
    {
        var world = new Pair(new LinkModel { RateBytesPerSecond = 1_000, QueueBytes = 200 });
        Instant firstIsCarried = new(TimeSpan.FromMilliseconds(100).Ticks);
        world.SendNumbered(2, 100);

        world.Network.AdvanceTo(new Instant(firstIsCarried.Ticks - 1));
        world.SendNumbered(1, 100);
        long droppedBefore = world.Network.Faults.QueueDropped;
        world.Network.AdvanceTo(firstIsCarried);
        world.SendNumbered(1, 100);

        Assert.That((droppedBefore, world.Network.Faults.QueueDropped), Is.EqualTo((1, 1)));
    }

    [Test]
    public void An_idle_link_takes_a_datagram_longer_than_its_queue()
    {
        var world = new Pair(new LinkModel { RateBytesPerSecond = 1_000, QueueBytes = 10 });

        world.SendNumbered(1, 500);

        Assert.That(world.Drain(_buffer), Has.Length.EqualTo(1));
    }

    [Test]
    public void A_cut_stops_one_direction_until_it_is_healed()
    {
        var world = new Pair(LinkModel.Perfect);
        world.Network.SetLink(world.LeftHost, world.RightHost, new LinkModel { Cut = true });

        world.SendNumbered(3, 10);
        world.Right.TrySend([9], 1, world.Left.LocalAddress);
        int whileCut = world.Drain(_buffer).Length;
        SocketOutcome otherWay = world.Left.TryReceive(_buffer, out _, out _, out _);
        world.Network.SetLink(world.LeftHost, world.RightHost, null);
        world.SendNumbered(2, 10);

        Assert.That((whileCut, otherWay), Is.EqualTo((0, SocketOutcome.Done)));
        Assert.That(world.Drain(_buffer), Has.Length.EqualTo(2));
        Assert.That(world.Network.Faults.CutDropped, Is.EqualTo(3));
    }

    [TestCase(1200, 1)]
    [TestCase(1201, 0)]
    public void What_is_longer_than_the_path_vanishes_without_a_word(int bytes, int expected)
    {
        var world = new Pair(new LinkModel { LargestBytes = 1200 });

        world.SendNumbered(1, bytes);

        Assert.That(world.Drain(_buffer), Has.Length.EqualTo(expected));
        Assert.That(world.Network.Faults.TooLongDropped, Is.EqualTo(1 - expected));
    }

    [Test]
    public void A_host_or_a_link_added_elsewhere_moves_no_draw()
    {
        var alone = new Pair(Harsh);
        var crowded = new Pair(Harsh);
        SimulatedHost third = crowded.Network.AddHost();
        IDatagramSocket loud = third.Open(PeerAddress.AnyIPv4(0), 0, 0);

        for (int i = 0; i < 500; i++)
        {
            alone.SendNumbered(1, 100, firstNumber: i);
            loud.TrySend([1], 1, crowded.Right.LocalAddress.WithPort(9));
            loud.TrySend([1], 1, crowded.Left.LocalAddress.WithPort(9));
            crowded.SendNumbered(1, 100, firstNumber: i);
        }

        Assert.That(crowded.Drain(_buffer), Is.EqualTo(alone.Drain(_buffer)));
    }

    [Test]
    public void There_and_back_are_two_directions_with_draws_of_their_own()
    {
        var model = new LinkModel { LossPpm = 300_000 };
        var there = new Pair(model);
        var back = new Pair(model);

        there.SendNumbered(200, 10);
        back.SendNumbered(200, 10, backwards: true);

        Assert.That(back.Drain(_buffer, atLeft: true), Is.Not.EqualTo(there.Drain(_buffer)));
    }

    [Test]
    public void A_full_receive_buffer_drops_and_counts_and_has_room_after_a_read()
    {
        const int Charge = 100 + 512;
        var world = new Pair(LinkModel.Perfect, receiveBufferBytes: 3 * Charge);

        world.SendNumbered(5, 100);
        world.Network.AdvanceTo(world.Network.Now);
        world.Right.TryReceive(_buffer, out _, out _, out _);
        world.SendNumbered(1, 100);

        Assert.That(world.Drain(_buffer), Has.Length.EqualTo(3));
        Assert.That(world.Network.Faults.OverflowDropped, Is.EqualTo(2));
    }

    [Test]
    public void What_is_sent_to_nobody_is_undeliverable()
    {
        var world = new Pair(LinkModel.Perfect);

        world.Left.TrySend([1], 1, PeerAddress.FromIPv4(0x0B00_0001, 5));
        world.Left.TrySend([1], 1, world.Right.LocalAddress.WithPort(5));
        world.Drain(_buffer);

        Assert.That(world.Network.Faults.Undeliverable, Is.EqualTo(2));
    }

    [Test]
    public void A_restarted_host_hears_nothing_of_its_former_life_and_sits_behind_the_same_link()
    {
        var world = new Pair(new LinkModel { Delay = TimeSpan.FromMilliseconds(1) });
        PeerAddress port = world.Right.LocalAddress;
        world.SendNumbered(1, 10);
        world.Network.AdvanceTo(world.Network.NextArrival);
        world.SendNumbered(1, 10, firstNumber: 1);

        world.RightHost.Dispose();
        SocketOutcome old = world.Right.TryReceive(_buffer, out _, out _, out _);
        SimulatedHost again = world.Network.AddHost(world.RightHost.Address);
        IDatagramSocket reopened = again.Open(port, 0, 0);
        world.Network.AdvanceTo(world.Network.NextArrival);

        Assert.That(old, Is.EqualTo(SocketOutcome.Closed));
        Assert.That(reopened.TryReceive(_buffer, out _, out _, out _), Is.EqualTo(SocketOutcome.Done));
        Assert.That(_buffer[0], Is.EqualTo(1), "Only what was still under way may reach the new one.");
        Assert.That(reopened.TryReceive(_buffer, out _, out _, out _), Is.EqualTo(SocketOutcome.WouldBlock));
        Assert.That(world.Network.LinkOf(world.LeftHost, again), Is.EqualTo(world.Network.DefaultLink));
    }

    [Test]
    public void Ports_are_chosen_from_40000_on_and_a_taken_one_is_refused()
    {
        SimulatedHost host = new SimulatedNetwork(1).AddHost();

        int first = host.Open(PeerAddress.AnyIPv4(0), 0, 0).LocalAddress.Port;
        int second = host.Open(PeerAddress.AnyIPv6(0), 0, 0).LocalAddress.Port;
        SocketException taken = Assert.Throws<SocketException>(() => host.Open(PeerAddress.AnyIPv4(first), 0, 0))!;
        SocketException foreign = Assert.Throws<SocketException>(
            () => host.Open(PeerAddress.FromIPv4(0x0102_0304, 0), 0, 0))!;

        Assert.That((first, second), Is.EqualTo((40_000, 40_001)));
        Assert.That(taken.SocketErrorCode, Is.EqualTo(SocketError.AddressAlreadyInUse));
        Assert.That(foreign.SocketErrorCode, Is.EqualTo(SocketError.AddressNotAvailable));
    }

    [Test]
    public void An_injected_datagram_comes_from_whom_it_claims()
    {
        var world = new Pair(new LinkModel { Cut = true });
        PeerAddress claimed = PeerAddress.FromIPv4(0x0102_0304, 5);

        world.Network.Inject(claimed, world.Right.LocalAddress, [1]);
        world.Network.AdvanceTo(world.Network.Now);
        world.Right.TryReceive(_buffer, out _, out _, out PeerAddress from);

        Assert.That(from, Is.EqualTo(claimed));
    }

    [TestCase(2, 250, 3)]
    [TestCase(3, 201, 3)]
    [TestCase(3, 300, 3)]
    public void Several_datagrams_of_one_send_arrive_one_by_one(int maxSegments, int bytes, int expected)
    {
        var network = new SimulatedNetwork(1) { Sockets = new SocketModel { MaxSegments = Math.Max(maxSegments, 3) } };
        IDatagramSocket left = network.AddHost().Open(PeerAddress.AnyIPv4(0), 0, 0);
        IDatagramSocket right = network.AddHost().Open(PeerAddress.AnyIPv4(0), 0, 0);

        left.TrySend(new byte[bytes], 100, right.LocalAddress);
        network.AdvanceTo(network.Now);

        Assert.That(network.Faults.Delivered, Is.EqualTo(expected));
    }

    // Sizes of what waits, and of what each call then brings.
    [TestCase(64, new[] { 100, 100, 100 }, new[] { 300 })]
    [TestCase(64, new[] { 100, 100, 40, 100 }, new[] { 240, 100 })]
    [TestCase(64, new[] { 40, 100, 100 }, new[] { 40, 200 })]
    [TestCase(64, new[] { 100, 0, 100 }, new[] { 100, 0, 100 })]
    [TestCase(2, new[] { 100, 100, 100 }, new[] { 200, 100 })]
    [TestCase(1, new[] { 100, 100 }, new[] { 100, 100 })]
    public void Waiting_datagrams_of_one_size_are_joined_as_far_as_was_asked(
        int maxJoined, int[] sizes, int[] expected)
    {
        SimulatedNetwork network = new(1) { Sockets = new SocketModel { MaxJoined = maxJoined } };
        IDatagramSocket left = network.AddHost().Open(PeerAddress.AnyIPv4(0), 0, 0);
        IDatagramSocket right = network.AddHost().Open(PeerAddress.AnyIPv4(0), 0, 0);
        List<int> lengths = [];

        foreach (int size in sizes)
        {
            left.TrySend(new byte[size], size, right.LocalAddress);
        }

        network.AdvanceTo(network.Now);

        while (right.TryReceive(_buffer, out int length, out _, out _) == SocketOutcome.Done)
        {
            lengths.Add(length);
        }

        Assert.That(lengths, Is.EqualTo(expected));
    }

    [Test]
    public void A_host_never_sleeps_and_a_wake_counts_once()
    {
        var world = new Pair(LinkModel.Perfect);

        world.RightHost.Wake();
        bool woken = world.RightHost.Wait(TimeSpan.MaxValue);
        bool idle = world.RightHost.Wait(TimeSpan.MaxValue);
        world.Send([1]);
        world.Network.AdvanceTo(world.Network.Now);
        bool readable = world.RightHost.Wait(TimeSpan.MaxValue);

        Assert.That((woken, idle, readable), Is.EqualTo((true, false, true)));
    }

    [Test]
    public void The_clock_shows_virtual_time_and_has_no_timers()
    {
        var network = new SimulatedNetwork(1);

        network.AdvanceTo(new Instant(TimeSpan.FromDays(1).Ticks));

        Assert.That(network.Time.GetElapsedTime(0), Is.EqualTo(TimeSpan.FromDays(1)));
        Assert.That(network.Time.GetUtcNow(), Is.EqualTo(new DateTimeOffset(2000, 1, 2, 0, 0, 0, TimeSpan.Zero)));
        Assert.That(
            () => network.Time.CreateTimer(_ => { }, null, TimeSpan.Zero, TimeSpan.Zero),
            Throws.InstanceOf<NotSupportedException>());
    }

    [Test]
    public void Time_does_not_run_backwards()
    {
        var network = new SimulatedNetwork(1);
        network.AdvanceTo(new Instant(10));

        Assert.That(() => network.AdvanceTo(new Instant(9)), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    [Category("Release")]
    public void A_run_allocates_nothing_once_warm()
    {
        var world = new Pair(Harsh);
        Exchange(world, 20_000);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Exchange(world, 2_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(allocated, Is.Zero);
    }

    private void Exchange(Pair world, int datagrams)
    {
        for (int i = 0; i < datagrams; i++)
        {
            world.Send(_buffer.AsSpan(0, 1 + (i * 37 % 1400)));
            world.Network.AdvanceTo(world.Network.Now + TimeSpan.FromMilliseconds(1));

            while (world.Right.TryReceive(_buffer, out _, out _, out _) == SocketOutcome.Done)
            {
            }
        }
    }

    private (ulong Trace, SimulatedFaults Faults) HarshRun(ulong seed)
    {
        var world = new Pair(Harsh, seed);

        for (int i = 0; i < 500; i++)
        {
            world.SendNumbered(8, 100 + (i % 1000), firstNumber: i, backwards: i % 3 == 0);
            world.Network.AdvanceTo(world.Network.Now + TimeSpan.FromMilliseconds(2));
            world.Drain(_buffer, atLeft: i % 2 == 0);
        }

        return (world.Network.TraceHash, world.Network.Faults);
    }

    /// <summary>Two hosts with one socket each, and datagrams that carry a number.</summary>
    private sealed class Pair
    {
        internal Pair(LinkModel model, ulong seed = 1, int receiveBufferBytes = 1 << 24)
        {
            Network = new SimulatedNetwork(seed) { DefaultLink = model };
            LeftHost = Network.AddHost();
            RightHost = Network.AddHost();
            Left = LeftHost.Open(PeerAddress.AnyIPv4(0), 0, receiveBufferBytes);
            Right = RightHost.Open(PeerAddress.AnyIPv4(0), 0, receiveBufferBytes);
        }

        internal SimulatedNetwork Network { get; }

        internal SimulatedHost LeftHost { get; }

        internal SimulatedHost RightHost { get; }

        internal IDatagramSocket Left { get; }

        internal IDatagramSocket Right { get; }

        internal void Send(ReadOnlySpan<byte> datagram) => Left.TrySend(datagram, datagram.Length, Right.LocalAddress);

        internal void SendNumbered(int packets, int bytes, int firstNumber = 0, bool backwards = false)
        {
            byte[] datagram = new byte[Math.Max(4, bytes)];
            (IDatagramSocket from, IDatagramSocket to) = backwards ? (Right, Left) : (Left, Right);

            for (int i = 0; i < packets; i++)
            {
                BitConverter.TryWriteBytes(datagram, firstNumber + i);
                from.TrySend(datagram, datagram.Length, to.LocalAddress);
            }
        }

        /// <summary>Lets everything arrive; the numbers received on one side, in order.</summary>
        internal int[] Drain(byte[] buffer, bool atLeft = false)
        {
            while (!Network.NextArrival.IsNever)
            {
                Network.AdvanceTo(Network.NextArrival);
            }

            var numbers = new List<int>();
            IDatagramSocket socket = atLeft ? Left : Right;

            while (socket.TryReceive(buffer, out _, out _, out _) == SocketOutcome.Done)
            {
                numbers.Add(BitConverter.ToInt32(buffer));
            }

            return [.. numbers];
        }
    }
}
