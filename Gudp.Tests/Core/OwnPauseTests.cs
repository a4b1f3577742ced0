using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>A process that stood still does not hold it against its peers (S-9).</summary>
[TestFixture]
public sealed class OwnPauseTests
{
    private static readonly TimeSpan OneWay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    // S-9.2
    [Test]
    public void A_pause_of_twice_the_idle_time_out_kills_no_connection_whose_peer_is_there()
    {
        using SimWorld world = new(1);
        Pair pair = AddPatientPair(world);
        world.Run(TimeSpan.FromSeconds(2));

        PauseLeft(world, pair);
        world.Run(TimeSpan.FromSeconds(20));

        Assert.That(pair.Client.Status.IsOpen, Is.True, pair.Client.CloseReason?.ToString());
        Assert.That(pair.Server.Status.IsOpen, Is.True, pair.Server.CloseReason?.ToString());
        Assert.That(pair.Left.Daemon.ReadCounters().OwnPauses, Is.EqualTo(1));
        Assert.That(pair.Right.Daemon.ReadCounters().OwnPauses, Is.Zero);
    }

    // A suspended machine: both ends stood still, and nothing waits in any socket.
    [Test]
    public void A_pause_of_both_ends_kills_no_connection()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = new LinkModel { Delay = OneWay };
        Pair pair = world.AddConnectedPair();
        world.Run(TimeSpan.FromSeconds(2));

        pair.Right.IsStopped = true;
        PauseLeft(world, pair);
        pair.Right.IsStopped = false;
        world.Run(TimeSpan.FromSeconds(20));

        Assert.That(pair.Client.Status.IsOpen, Is.True, pair.Client.CloseReason?.ToString());
        Assert.That(pair.Server.Status.IsOpen, Is.True, pair.Server.CloseReason?.ToString());
    }

    // The acks of all that was in flight wait in the socket, the first of them for 30 s.
    // S-9.3
    [Test]
    public void A_pause_in_the_middle_of_sending_declares_nothing_lost_and_measures_nothing()
    {
        using SimWorld world = new(1);
        Pair pair = AddPatientPair(world);

        for (int i = 0; i < 200; i++)
        {
            pair.Client.TrySend(new byte[1_000]);
        }

        world.Run(TimeSpan.FromMilliseconds(30));
        long inFlight = pair.Client.ReadCounters().BytesInFlight;
        PauseLeft(world, pair);
        world.Run(TimeSpan.FromSeconds(5));

        ConnectionCounters counters = pair.Client.ReadCounters();
        Assert.That(inFlight, Is.GreaterThan(0));
        Assert.That(counters.PacketsLost, Is.Zero);
        Assert.That(counters.ProbesSent, Is.Zero);
        Assert.That(counters.SmoothedRtt, Is.LessThan(3 * OneWay));
        Assert.That(pair.Server.ReadCounters().PayloadBytesReceived, Is.GreaterThan(200 * 1_000));
    }

    [Test]
    public void After_a_pause_a_peer_that_is_gone_is_found_dead_by_its_silence()
    {
        using SimWorld world = new(1);
        Pair pair = AddPatientPair(world);
        world.Run(TimeSpan.FromSeconds(2));
        pair.Right.IsStopped = true;

        PauseLeft(world, pair);
        world.RunUntil(() => pair.Client.Status.IsFinal, TimeSpan.FromSeconds(5));

        Assert.That(pair.Client.Status.Reasons, Is.EqualTo(FinalReasons.TimedOut));
    }

    // S-9.4: what was put off once is judged the next time, however late that is.
    [Test]
    public void A_daemon_that_is_always_late_still_finds_a_peer_dead()
    {
        using SimWorld world = new(1);
        Pair pair = AddPatientPair(world);
        world.Run(TimeSpan.FromSeconds(2));
        pair.Right.IsStopped = true;
        pair.Left.IsStopped = true;
        int turns = 0;

        for (; turns < 100 && !pair.Client.Status.IsFinal; turns++)
        {
            world.Run(TimeSpan.FromSeconds(1));
            pair.Left.Daemon.ProcessIO();
        }

        Assert.That(pair.Client.Status.Reasons, Is.EqualTo(FinalReasons.TimedOut));
        Assert.That(turns, Is.LessThan(20), "15 s of silence, and the grace of a late turn.");
    }

    // More waits in the socket than a turn's budget: all of it is read before a timer is judged.
    // S-9.2
    [Test]
    public void The_socket_is_read_empty_before_a_timer_is_judged()
    {
        using SimWorld world = new(1);
        Pair pair = AddPatientPair(world, new TurnBudgets { ReceiveDatagrams = 1 });
        world.Run(TimeSpan.FromSeconds(2));
        pair.Left.IsStopped = true;

        for (int i = 0; i < 10; i++)
        {
            world.Run(TimeSpan.FromSeconds(3));
            pair.Server.TrySend([(byte)i]);
        }

        world.Run(TimeSpan.FromMilliseconds(100));
        pair.Left.Daemon.ProcessIO();

        Assert.That(pair.Left.Host.HasReadable, Is.False);
        Assert.That(pair.Client.Status.IsOpen, Is.True, pair.Client.CloseReason?.ToString());
    }

    // S-9.1
    [Test]
    public void A_turn_that_is_a_little_late_is_no_pause()
    {
        using SimWorld world = new(1);
        Pair pair = AddPatientPair(world);
        world.Run(TimeSpan.FromSeconds(2));
        pair.Left.IsStopped = true;
        Instant due = world.Now + pair.Left.Daemon.UntilNextDeadline;

        world.Run(due - world.Now + TimeSpan.FromMilliseconds(200));
        pair.Left.Daemon.ProcessIO();
        long atTheLimit = pair.Left.Daemon.ReadCounters().OwnPauses;
        due = world.Now + pair.Left.Daemon.UntilNextDeadline;
        world.Run(due - world.Now + TimeSpan.FromMilliseconds(201));
        pair.Left.Daemon.ProcessIO();

        Assert.That(atTheLimit, Is.Zero);
        Assert.That(pair.Left.Daemon.ReadCounters().OwnPauses, Is.EqualTo(1));
    }

    [Test]
    public void A_close_that_was_under_way_still_flushes_after_a_pause()
    {
        using SimWorld world = new(1);
        Pair pair = AddPatientPair(world);
        world.Network.SetLinks(pair.Left.Host, pair.Right.Host, new LinkModel { Cut = true });
        pair.Client.TrySend("the last"u8);
        pair.Client.Close();
        world.Run(TimeSpan.FromMilliseconds(10));

        world.Network.SetLinks(pair.Left.Host, pair.Right.Host, null);
        PauseLeft(world, pair);
        world.Run(TimeSpan.FromSeconds(5));

        // Unreliable: what left into the cut is gone. But the goodbye comes, and the wait for an ack was not cut short.
        Assert.That(pair.Server.Status.Reasons, Is.EqualTo(FinalReasons.ClosedByPeer));
    }

    private static Pair AddPatientPair(SimWorld world, TurnBudgets budgets = default)
    {
        world.Network.DefaultLink = new LinkModel { Delay = OneWay };
        Node left = world.AddNode(SimWorld.Plain with { Budgets = budgets });
        Node right = world.AddNode(SimWorld.Plain with
        {
            Connections = SimWorld.Plain.Connections with { IdleTimeout = TimeSpan.FromMinutes(2) },
        });
        Endpoint server = right.Open(7000);
        Connection client = left.Open(0).Connect(server.LocalAddress);
        Connection? accepted = null;
        world.RunUntil(
            () => server.TryAccept(out accepted) && client.Status.IsOpen, TimeSpan.FromSeconds(5));
        return new Pair(left, right, client, accepted!);
    }

    private static void PauseLeft(SimWorld world, Pair pair)
    {
        pair.Left.IsStopped = true;
        world.Run(Pause);
        pair.Left.IsStopped = false;
    }
}
