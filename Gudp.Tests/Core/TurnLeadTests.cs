using Gudp.Core;
using Gudp.Core.Loop;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>The turn lock by itself, and who takes it. The lock knows threads by number only, so one thread plays two.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class TurnLeadTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly DaemonCounterSet _counters = new();

    [Test]
    public void One_leads_at_a_time()
    {
        EventLoop loop = Loop();

        bool first = loop.TryLead();
        bool second = loop.TryLead();
        bool isAsked = loop.Release();
        bool third = loop.TryLead();

        Assert.That((first, second, isAsked, third), Is.EqualTo((true, false, false, true)));
    }

    [Test]
    public void Who_lets_go_learns_that_somebody_asked_and_the_next_turn_takes_it()
    {
        EventLoop loop = Loop();
        loop.TryLead();

        bool hasLed = loop.TryLeadOrAsk();
        bool isAsked = loop.Release();
        loop.Turn(default);

        Assert.That((hasLed, isAsked, loop.IsAsked), Is.EqualTo((false, true, false)));
    }

    [Test]
    public void A_turn_inside_a_turn_breaks_a_rule()
    {
        EventLoop loop = Loop();
        loop.TryLead();

        Assert.Throws<InvariantException>(() => loop.Turn(default));
    }

    [Test]
    public void What_was_asked_before_a_turn_began_asks_for_no_second_one()
    {
        EventLoop loop = Loop();
        loop.Turns.Open(_ => { });
        loop.Ask();

        bool ran = loop.Turns.TryRun(out _);

        Assert.That((ran, _counters.Turns, loop.IsAsked), Is.EqualTo((true, 1L, false)));
        loop.Turns.Close();
    }

    [Test]
    public void Nobody_leads_before_the_beginning_or_after_the_end()
    {
        EventLoop loop = Loop();

        loop.Turns.TryRun(out _);
        long before = _counters.Turns;
        loop.Turns.Open(_ => { });
        loop.Turns.TryRun(out _);
        long during = _counters.Turns;
        loop.Turns.Close();
        loop.Turns.TryRun(out _);

        Assert.That((before, during, _counters.Turns), Is.EqualTo((0L, 1L, 1L)));
    }

    [Test]
    public void A_send_while_nothing_is_in_flight_runs_its_turn_itself()
    {
        const int Tries = 100;
        using TurnPair pair = new(Patience);
        int received = 0;
        bool hasLed = false;

        // The daemon's thread may send something of its own just then, such as a probe of the path: once is enough.
        for (int i = 0; i < Tries; i++)
        {
            pair.Settle();
            pair.Trace.Clear();
            pair.Client.TrySend("now"u8, PacketDelivery.Reliable);
            hasLed |= pair.Trace.Leaders(TraceEventKind.PacketSent).Contains(Environment.CurrentManagedThreadId);
            received += pair.ReceiveAtServer(Patience) == "now" ? 1 : 0;
        }

        Assert.That((hasLed, received), Is.EqualTo((true, Tries)));
    }

    [Test]
    public void A_stream_of_small_packets_does_not_run_a_turn_for_each()
    {
        const int Packets = 2_000;
        using TurnPair pair = new(Patience);
        pair.Settle();
        long before = pair.ClientDaemon.ReadCounters().Turns;
        int sent = 0;

        for (int i = 0; i < Packets; i++)
        {
            sent += pair.Client.TrySend("small"u8) == SendStatus.Accepted ? 1 : 0;
        }

        // By who else runs one at the same time it may be some; by sends alone it is one in 65,507 bytes and one in 50 us.
        long turns = pair.ClientDaemon.ReadCounters().Turns - before;
        Assert.That(sent, Is.GreaterThan(0));
        Assert.That(turns, Is.LessThan(Packets / 2));
    }

    [Test]
    public void What_is_sent_behind_a_packet_in_flight_leaves_without_a_further_call()
    {
        using TurnPair pair = new(Patience);
        pair.Settle();

        pair.Client.TrySend("first"u8, PacketDelivery.Reliable);
        pair.Client.TrySend("second"u8, PacketDelivery.Reliable);
        string first = pair.ReceiveAtServer(Patience);
        string second = pair.ReceiveAtServer(Patience);

        Assert.That((first, second), Is.EqualTo(("first", "second")));
    }

    [Test]
    public void A_fault_in_the_turn_of_a_sender_ends_the_daemon_and_not_the_send()
    {
        using TurnPair pair = new(Patience);
        pair.Settle();
        pair.Trace.ThrowOnce();

        Assert.DoesNotThrow(() => pair.Client.TrySend("broken"u8, PacketDelivery.Reliable));
        bool isFinal = SpinWait.SpinUntil(() => pair.Client.Status.IsFinal, Patience);

        Assert.That(isFinal, Is.True);
        Assert.That(pair.ClientDaemon.Fault, Is.TypeOf<InvalidOperationException>());
        Assert.That(pair.Client.Status.Reasons, Is.EqualTo(FinalReasons.LoopFaulted));
    }

    [Test]
    public void Without_a_daemons_thread_neither_sending_nor_receiving_runs_a_turn()
    {
        using Daemon daemon = new(SimWorld.Plain);
        Endpoint endpoint = daemon.Open(PeerAddress.LoopbackIPv4(0));
        Connection connection = endpoint.Connect(PeerAddress.LoopbackIPv4(9));
        daemon.ProcessIO();
        long before = daemon.ReadCounters().Turns;

        connection.TrySend("waits"u8);
        ReceiveStatus status = connection.Receive(new byte[16], TimeSpan.FromMilliseconds(1), out _);

        Assert.That(status, Is.EqualTo(ReceiveStatus.TimedOut));
        Assert.That(daemon.ReadCounters().Turns, Is.EqualTo(before));
    }

    private EventLoop Loop()
        => new(new CountingNetwork(), new LoopClock(TimeProvider.System), default, _counters, Gudp.Core.Config.Limits.From(default));
}
