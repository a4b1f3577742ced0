using Gudp.Core;
using Gudp.Core.Buffers;
using Gudp.Core.Loop;
using Gudp.Core.Sockets;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>The watch where time-outs, interrupts, floods and the turns of others meet it.</summary>
[TestFixture]
public sealed class TurnWatchEdgeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Test]
    public void A_deadline_made_by_a_sender_while_another_thread_sleeps_in_the_kernel_is_kept()
    {
        using TurnPair pair = new(Patience);
        int sender = Environment.CurrentManagedThreadId;
        bool isKeptByDaemon = false;
        int received = 0;

        // A packet of the peer's may wake the sleeper just then: once is enough.
        for (int i = 0; i < 5; i++)
        {
            pair.Settle();
            int waiter = 0;
            Task<ReceiveStatus> waiting = Start(() =>
            {
                Volatile.Write(ref waiter, Environment.CurrentManagedThreadId);
                return pair.Client.Receive(new byte[16], Patience, out _);
            });
            SpinWait.SpinUntil(
                () => Volatile.Read(ref waiter) is int id && id != 0 && pair.ClientNetwork.Waiter == id
                    && pair.ClientNetwork.Limit > TimeSpan.FromMilliseconds(500), Patience);
            pair.Trace.Clear();
            pair.ClientNetwork.LoseNextRun();

            pair.Client.TrySend("lost once"u8, PacketDelivery.Reliable);
            received += pair.ReceiveAtServer(Patience) == "lost once" ? 1 : 0;
            isKeptByDaemon |= pair.Trace.Leaders(TraceEventKind.PacketSent)
                .Any(leader => leader != sender && leader != waiter);
            pair.Server.TrySend("come home"u8, PacketDelivery.Reliable);
            waiting.Wait(Patience);
        }

        Assert.That((received, isKeptByDaemon), Is.EqualTo((5, true)));
    }

    [Test]
    public void A_time_out_is_kept_while_every_turn_has_work()
    {
        using Daemon daemon = Start(new BrokenNetwork { IsFlooded = true });
        Endpoint endpoint = daemon.Open(PeerAddress.LoopbackIPv4(0));

        Task<Connection?> waiting = Start(() => endpoint.Accept(TimeSpan.FromMilliseconds(300)));
        bool isBack = waiting.Wait(Patience);
        endpoint.Dispose();

        Assert.That(isBack, Is.True);
        Assert.That(waiting.Result, Is.Null);
    }

    [Test]
    public void Who_is_interrupted_on_the_way_to_the_watch_leaves_it_to_the_daemon()
    {
        BrokenNetwork network = new();
        using Daemon daemon = Start(network);
        Endpoint endpoint = daemon.Open(PeerAddress.LoopbackIPv4(0));
        SpinWait.SpinUntil(() => network.Waiter != 0, Patience);
        bool isInterrupted = false;
        network.MayRead.Reset();
        network.Wake();
        network.IsHeld.Wait(Patience);
        Thread user = new(() =>
        {
            try
            {
                endpoint.Accept(Patience);
            }
            catch (ThreadInterruptedException)
            {
                isInterrupted = true;
            }
        });

        user.Start();
        SpinWait.SpinUntil(() => user.ThreadState == ThreadState.WaitSleepJoin, Patience);
        user.Interrupt();
        user.Join();
        network.MayRead.Set();
        bool isWatched = SpinWait.SpinUntil(() => network.Waiter != 0, Patience);

        Assert.That((isInterrupted, isWatched), Is.EqualTo((true, true)));
    }

    [Test]
    public void A_wait_for_less_than_no_time_only_looks()
    {
        using TurnPair pair = new(Patience);
        CountedPlace place = new(int.MaxValue);

        Task<bool> waiting = Start(() => pair.ClientDaemon.Watch.Wait(place, 0, Timeout.InfiniteTimeSpan));
        bool isBack = waiting.Wait(Patience / 4);
        place.IsDone = true;

        Assert.That(isBack, Is.True);
        Assert.That(waiting.Result, Is.False);
    }

    [Test]
    public void What_is_left_of_a_limit_that_is_over_is_nothing_and_not_less()
    {
        WaitLimit limit = new(TimeSpan.FromTicks(1));

        SpinWait.SpinUntil(() => limit.Left <= TimeSpan.Zero, Patience);

        Assert.That(limit.Left, Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void Who_spins_without_a_limit_does_not_sleep()
    {
        CountingNetwork network = new();
        EventLoop loop = new(
            network, new LoopClock(TimeProvider.System), SimWorld.Plain with { Waiting = WaitingPolicy.Spin },
            new DaemonCounterSet(), Gudp.Core.Config.Limits.From(default));
        loop.Turns.Open(_ => { });

        bool isOver = loop.Turns.Wait(new CountedPlace(1_000), 0, TimeSpan.MaxValue);

        Assert.That((isOver, network.Waits), Is.EqualTo((true, 0)));
        loop.Turns.Close();
    }

    // It may hold locks of its own, and stand in the middle of changing what a turn reads.
    [Test]
    public void Who_opens_or_closes_a_connection_runs_no_turn_inside_that_call()
    {
        CountingNetwork network = new();
        using Daemon daemon = Start(network);

        Endpoint endpoint = daemon.Open(PeerAddress.LoopbackIPv4(0));

        for (int i = 0; i < 50; i++)
        {
            endpoint.Connect(PeerAddress.LoopbackIPv4(9)).Close();
        }

        endpoint.Dispose();
        bool isRun = SpinWait.SpinUntil(() => network.Readers.Count > 0, Patience);

        Assert.That(isRun, Is.True);
        Assert.That(network.Readers, Has.No.Member(Environment.CurrentManagedThreadId));
    }

    [Test]
    public void A_daemon_that_ends_in_the_middle_of_everything_sends_everybody_home()
    {
        const int Ends = 40;
        int home = 0;

        for (int i = 0; i < Ends; i++)
        {
            using TurnPair pair = new(Patience);
            Task<bool>[] users =
            [
                Start(() => ReceivesUntilClosed(pair.Client)),
                Start(() => SendsUntilClosed(pair.Client)),
                Start(() => SendsUntilClosed(pair.Server)),
                Start(() => pair.Client.WaitForChange(
                    StatusMask.None, pair.Client.Status, Timeout.InfiniteTimeSpan, out _)),
            ];

            Thread.SpinWait(i * 500);
            pair.ClientDaemon.Shutdown(TimeSpan.Zero);
            pair.ServerDaemon.Shutdown(TimeSpan.Zero);
            home += Task.WaitAll(users, Patience) && users.All(user => user.Result) ? 1 : 0;
        }

        Assert.That(home, Is.EqualTo(Ends));
    }

    private static bool ReceivesUntilClosed(Connection at)
    {
        byte[] buffer = new byte[64];
        ReceiveStatus status;

        do
        {
            status = at.Receive(buffer, Timeout.InfiniteTimeSpan, out _);
        }
        while (status == ReceiveStatus.Received);

        return status == ReceiveStatus.Closed;
    }

    private static bool SendsUntilClosed(Connection at)
    {
        while (at.TrySend("much"u8, PacketDelivery.Unreliable) != SendStatus.Closed)
        {
            at.WaitForUpdates(TimeSpan.FromMilliseconds(1));
        }

        return true;
    }

    private static Daemon Start(IDatagramNetwork network)
    {
        Daemon daemon = new(
            SimWorld.Plain with { Waiting = WaitingPolicy.Block },
            network, TimeProvider.System, SystemSecrets.Instance, new Prng(1));
        daemon.Start();
        return daemon;
    }

    private static Task<T> Start<T>(Func<T> body)
        => Task.Factory.StartNew(body, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Over after so many looks.</summary>
    private sealed class CountedPlace(int looks) : IWaitPlace
    {
        private int _left = looks;

        internal volatile bool IsDone;

        public bool IsOver(long token) => IsDone || Interlocked.Decrement(ref _left) <= 0;

        public bool Park(long token, TimeSpan limit) => SpinWait.SpinUntil(() => IsOver(token), limit);
    }
}
