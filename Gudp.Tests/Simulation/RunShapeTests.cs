using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

/// <summary>Each shape in which Linux takes and brings runs of datagrams, shown by the simulated network.</summary>
[TestFixture]
public sealed class RunShapeTests
{
    private const int Million = 1_000_000;
    private const int Bytes = 100;

    private static readonly SocketModel Offload = new() { MaxSegments = 64, MaxJoined = 64 };

    private readonly byte[] _buffer = new byte[65_535];

    [Test]
    public void A_run_of_every_count_is_sent_in_one_call_and_comes_in_one([Range(2, 64)] int count)
    {
        Sockets world = new(Offload);

        SocketOutcome outcome = world.Left.TrySend(Numbered(count * Bytes), Bytes, world.Right.LocalAddress);

        Assert.That(outcome, Is.EqualTo(SocketOutcome.Done));
        Assert.That(world.ReadAll(_buffer), Is.EqualTo(new[] { (count * Bytes, Bytes) }));
        Assert.That((world.Faults.RunsSent, world.Faults.RunsReceived, world.Faults.Sent), Is.EqualTo((1L, 1L, (long)count)));
    }

    [TestCase(2)]
    [TestCase(64)]
    public void The_last_datagram_of_a_run_may_be_shorter(int count)
    {
        Sockets world = new(Offload);

        world.Left.TrySend(Numbered((count * Bytes) - 1), Bytes, world.Right.LocalAddress);

        Assert.That(world.ReadAll(_buffer), Is.EqualTo(new[] { ((count * Bytes) - 1, Bytes) }));
    }

    [Test]
    public void A_probe_of_another_size_between_two_runs_comes_by_itself()
    {
        Sockets world = new(Offload);

        world.Left.TrySend(Numbered(3 * Bytes), Bytes, world.Right.LocalAddress);
        world.Left.TrySend(Numbered(4 * Bytes), 4 * Bytes, world.Right.LocalAddress);
        world.Left.TrySend(Numbered(2 * Bytes), Bytes, world.Right.LocalAddress);

        // A shorter one behind the probe would end a run of its size: a kernel cannot tell them from one send, nor can we.
        Assert.That(world.ReadAll(_buffer), Is.EqualTo(new[]
        {
            (3 * Bytes, Bytes), (5 * Bytes, 4 * Bytes), (Bytes, Bytes),
        }));
    }

    [Test]
    public void Runs_of_several_sends_are_joined_and_more_than_one_call_may_carry()
    {
        Sockets world = new(Offload with { MaxJoined = 200 });

        for (int i = 0; i < 3; i++)
        {
            world.Left.TrySend(Numbered(50 * Bytes), Bytes, world.Right.LocalAddress);
        }

        Assert.That(world.ReadAll(_buffer), Is.EqualTo(new[] { (150 * Bytes, Bytes) }));
    }

    [Test]
    public void What_is_joined_never_exceeds_its_limit_or_the_buffer()
    {
        Sockets limited = new(Offload);
        Sockets filled = new(Offload with { MaxJoined = 1_000 });

        limited.SendSingles(100);
        filled.SendSingles(100);

        Assert.That(limited.ReadAll(_buffer), Is.EqualTo(new[] { (64 * Bytes, Bytes), (36 * Bytes, Bytes) }));
        Assert.That(
            filled.ReadAll(_buffer.AsSpan(0, (70 * Bytes) + 50)), Is.EqualTo(new[] { (70 * Bytes, Bytes), (30 * Bytes, Bytes) }));
    }

    [Test]
    public void Datagrams_of_two_peers_are_never_joined()
    {
        Sockets world = new(Offload);
        IDatagramSocket other = world.LeftHost.Open(PeerAddress.AnyIPv4(0), 0, 0);

        for (int i = 0; i < 3; i++)
        {
            world.Left.TrySend(Numbered(2 * Bytes), Bytes, world.Right.LocalAddress);
            other.TrySend(Numbered(2 * Bytes), Bytes, world.Right.LocalAddress);
        }

        Assert.That(world.ReadAll(_buffer), Is.EqualTo(Enumerable.Repeat((2 * Bytes, Bytes), 6)));
    }

    [Test]
    public void What_is_joined_may_end_anywhere_and_every_count_comes()
    {
        Sockets world = new(Offload with { JoinEndsPpm = 40_000 });
        HashSet<int> counts = [];
        long datagrams = 0;

        for (int i = 0; i < 4_000; i++)
        {
            world.Left.TrySend(Numbered(64 * Bytes), Bytes, world.Right.LocalAddress);

            foreach ((int length, int bytes) in world.ReadAll(_buffer))
            {
                counts.Add(length / bytes);
                datagrams += length / bytes;
            }
        }

        Assert.That(counts, Is.EquivalentTo(Enumerable.Range(1, 64)));
        Assert.That(datagrams, Is.EqualTo(4_000 * 64));
    }

    [Test]
    public void A_refused_run_goes_one_by_one_and_the_socket_has_no_offload_from_then_on()
    {
        Sockets world = new(Offload with { RefusalPpm = Million });

        SocketOutcome first = world.Left.TrySend(Numbered(350), Bytes, world.Right.LocalAddress);
        SocketOutcome second = world.Left.TrySend(Numbered(350), Bytes, world.Right.LocalAddress);

        Assert.That((first, second), Is.EqualTo((SocketOutcome.Done, SocketOutcome.Done)));
        Assert.That((world.Left.Capabilities.MaxSegments, world.Left.OffloadRefusals), Is.EqualTo((1, 1L)));
        Assert.That((world.Faults.RunsRefused, world.Faults.RunsSent, world.Faults.Sent), Is.EqualTo((1L, 0L, 8L)));
        Assert.That(world.ReadAll(_buffer).Sum(read => read.Length), Is.EqualTo(700));
    }

    [Test]
    public void A_veto_passes_and_only_four_in_a_row_end_offload()
    {
        Sockets world = new(Offload with { VetoPpm = Million });
        List<int> segments = [];

        for (int i = 0; i < 4; i++)
        {
            world.Left.TrySend(Numbered(3 * Bytes), Bytes, world.Right.LocalAddress);
            segments.Add(world.Left.Capabilities.MaxSegments);
        }

        Assert.That(segments, Is.EqualTo(new[] { 64, 64, 64, 1 }));
        Assert.That((world.Faults.Sent, world.Left.OffloadRefusals), Is.EqualTo((12L, 4L)));
    }

    // Runs longer than a datagram may be go in several calls: any of them may be the one that is refused.
    [Test]
    public void A_refusal_in_the_middle_of_what_goes_in_several_calls_loses_nothing()
    {
        bool isRefusedLater = false;

        for (ulong seed = 1; seed <= 40; seed++)
        {
            Sockets world = new(Offload with { RefusalPpm = Million / 3 }, seed);
            byte[] run = Numbered(60 * 4_000);

            SocketOutcome outcome = world.Left.TrySend(run, 4_000, world.Right.LocalAddress);

            Assert.That((outcome, world.Faults.Sent), Is.EqualTo((SocketOutcome.Done, 60L)));
            isRefusedLater |= world.Faults is { RunsSent: > 0, RunsRefused: 1 };
        }

        Assert.That(isRefusedLater, Is.True);
    }

    [Test]
    public void A_full_buffer_takes_a_run_whole_or_not_at_all()
    {
        Sockets world = new(Offload with { FullPpm = Million / 2 });
        List<long> taken = [];

        for (int i = 0; i < 50; i++)
        {
            long before = world.Faults.Sent;
            SocketOutcome outcome = world.Left.TrySend(Numbered(5 * Bytes), Bytes, world.Right.LocalAddress);
            taken.Add(world.Faults.Sent - before);
            Assert.That(outcome, Is.EqualTo(taken[^1] == 5 ? SocketOutcome.Done : SocketOutcome.WouldBlock));
        }

        Assert.That(taken, Does.Contain(0L).And.Contain(5L).And.All.AnyOf(0L, 5L));
        Assert.That(world.Faults.Blocked, Is.EqualTo(5 * taken.Count(count => count == 0)));
    }

    [Test]
    public void A_full_buffer_cuts_a_refused_run_after_any_of_its_datagrams()
    {
        HashSet<long> taken = [];

        for (ulong seed = 1; seed <= 400; seed++)
        {
            Sockets world = new(Offload with { VetoPpm = Million, FullPpm = Million / 4 }, seed);
            SocketOutcome outcome = world.Left.TrySend(Numbered(6 * Bytes), Bytes, world.Right.LocalAddress);

            Assert.That(outcome, Is.EqualTo(world.Faults.Sent == 6 ? SocketOutcome.Done : SocketOutcome.WouldBlock));
            Assert.That(world.Faults.Sent + world.Faults.Blocked, Is.EqualTo(6));
            taken.Add(world.Faults.Sent);
        }

        Assert.That(taken, Is.EquivalentTo(new long[] { 0, 1, 2, 3, 4, 5, 6 }));
    }

    [Test]
    public void The_same_seed_shows_the_same_shapes_and_another_one_others()
    {
        SocketModel drawn = Offload with
        {
            JoinEndsPpm = 100_000,
            FullPpm = 100_000,
            VetoPpm = 100_000,
            RefusalPpm = 10_000,
        };

        string first = Play(drawn, 7);
        string again = Play(drawn, 7);
        string other = Play(drawn, 8);

        Assert.That(again, Is.EqualTo(first));
        Assert.That(other, Is.Not.EqualTo(first));
    }

    // How datagrams are read says nothing to the network, and it decides nothing here.
    [Test]
    public void Joining_alone_changes_no_history([Values(2, 64, 1_000)] int maxJoined, [Values(0, 200_000)] int joinEndsPpm)
    {
        ulong alone = BulkTrace(new SocketModel { MaxSegments = 64 });

        ulong joined = BulkTrace(new SocketModel
        {
            MaxSegments = 64,
            MaxJoined = maxJoined,
            JoinEndsPpm = joinEndsPpm,
        });

        Assert.That(joined, Is.EqualTo(alone));
    }

    [Test]
    public void Runs_alone_change_no_history([Values(2, 7, 64)] int maxSegments)
        => Assert.That(BulkTrace(new SocketModel { MaxSegments = maxSegments }), Is.EqualTo(BulkTrace(SocketModel.Plain)));

    [Test]
    public void Drawn_shapes_are_valid_and_each_is_drawn()
    {
        SocketModel[] drawn = [.. Enumerable.Range(1, 300).Select(seed => SocketModel.Drawn(new Prng((ulong)seed)))];

        foreach (SocketModel model in drawn)
        {
            Assert.DoesNotThrow(model.Validate);
        }

        Assert.That(drawn.Select(model => model.MaxSegments), Does.Contain(1).And.Contain(64).And.Some.InRange(2, 15));
        Assert.That(drawn.Select(model => model.MaxJoined), Does.Contain(1).And.Contain(64).And.Some.GreaterThan(64));
        Assert.That(drawn.Count(model => model.FullPpm > 0), Is.InRange(100, 200));
        Assert.That(drawn.Count(model => model.VetoPpm > 0), Is.InRange(100, 200));
        Assert.That(drawn.Count(model => model.RefusalPpm > 0), Is.InRange(100, 200));
        Assert.That(drawn.Count(model => model.JoinEndsPpm > 0), Is.InRange(100, 200));
    }

    [Test]
    public void A_model_out_of_range_is_refused()
    {
        SocketModel[] wrong =
        [
            new() { MaxSegments = 0 }, new() { MaxSegments = 65 }, new() { MaxJoined = 0 }, new() { JoinEndsPpm = -1 },
            new() { FullPpm = Million + 1 }, new() { VetoPpm = -1 }, new() { RefusalPpm = Million + 1 },
        ];

        foreach (SocketModel model in wrong)
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => _ = new SimulatedNetwork(1) { Sockets = model });
        }
    }

    private static byte[] Numbered(int bytes)
    {
        byte[] run = new byte[bytes];

        for (int i = 0; i < bytes; i++)
        {
            run[i] = (byte)(i * 7);
        }

        return run;
    }

    private string Play(SocketModel model, ulong seed)
    {
        Sockets world = new(model, seed);
        List<string> story = [];

        for (int i = 0; i < 60; i++)
        {
            story.Add($"{world.Left.TrySend(Numbered(9 * Bytes), Bytes, world.Right.LocalAddress)}");
            story.AddRange(world.ReadAll(_buffer).Select(read => $"{read}"));
        }

        return string.Join(' ', story) + $" {world.Trace:x16}";
    }

    /// <summary>A connection that carries 600 packets there, over a path with a delay and nothing else.</summary>
    private static ulong BulkTrace(SocketModel model)
    {
        using SimWorld world = new(seed: 5, model);
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(3) };
        Pair pair = world.AddConnectedPair();
        byte[] packet = new byte[pair.Client.MaxPacketBytes];
        byte[] buffer = new byte[packet.Length];
        int sent = 0;
        int read = 0;

        for (int turn = 0; read < 600 && turn < 10_000; turn++)
        {
            while (sent < 600 && pair.Client.TrySend(packet, PacketDelivery.Reliable) == SendStatus.Accepted)
            {
                sent++;
            }

            world.Run(TimeSpan.FromMilliseconds(1));

            while (pair.Server.TryReceive(buffer, out _) == ReceiveStatus.Received)
            {
                read++;
            }
        }

        Assert.That(read, Is.EqualTo(600));
        Assert.That(world.Network.Faults.RunsSent > 0, Is.EqualTo(model.MaxSegments > 1));
        Assert.That(world.Network.Faults.RunsReceived > 0, Is.EqualTo(model.MaxJoined > 1));
        return world.Network.TraceHash;
    }

    /// <summary>Two hosts with a socket each.</summary>
    private sealed class Sockets
    {
        private readonly SimulatedNetwork _network;

        internal Sockets(SocketModel model, ulong seed = 1)
        {
            _network = new SimulatedNetwork(seed) { Sockets = model };
            LeftHost = _network.AddHost();
            Left = LeftHost.Open(PeerAddress.AnyIPv4(0), 0, 0);
            Right = _network.AddHost().Open(PeerAddress.AnyIPv4(0), 0, 1 << 20);
        }

        internal SimulatedHost LeftHost { get; }

        internal IDatagramSocket Left { get; }

        internal IDatagramSocket Right { get; }

        internal SimulatedFaults Faults => _network.Faults;

        internal ulong Trace => _network.TraceHash;

        internal void SendSingles(int count)
        {
            for (int i = 0; i < count; i++)
            {
                Left.TrySend(Numbered(Bytes), Bytes, Right.LocalAddress);
            }
        }

        internal List<(int Length, int DatagramBytes)> ReadAll(Span<byte> buffer)
        {
            List<(int, int)> read = [];
            _network.AdvanceTo(_network.Now);

            while (Right.TryReceive(buffer, out int length, out int bytes, out PeerAddress from) == SocketOutcome.Done)
            {
                Assert.That(from.Port, Is.GreaterThanOrEqualTo(Left.LocalAddress.Port));
                read.Add((length, bytes));
            }

            return read;
        }
    }
}
