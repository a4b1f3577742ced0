using Gudp.Core;
using Gudp.Core.Loop;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Who waits in the kernel, and that nobody is forgotten. Real sockets, bounded waits, no judged times.</summary>
[TestFixture]
public sealed class TurnWatchTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Test]
    public void A_single_user_that_waits_sits_in_the_kernel_itself_and_runs_the_turn()
    {
        using TurnPair pair = new(Patience);
        pair.Settle();
        pair.Trace.Clear();
        int waiter = 0;
        Task<string> waiting = Start(() =>
        {
            Volatile.Write(ref waiter, Environment.CurrentManagedThreadId);
            return pair.Receive(pair.Client, Patience);
        });

        bool isInside = SpinWait.SpinUntil(
            () => waiter != 0 && pair.ClientNetwork.Waiter == Volatile.Read(ref waiter), Patience);
        pair.Server.TrySend("come"u8, PacketDelivery.Reliable);

        Assert.That(isInside, Is.True);
        Assert.That(waiting.Wait(Patience), Is.True);
        Assert.That(waiting.Result, Is.EqualTo("come"));
        Assert.That(pair.Trace.Leaders(TraceEventKind.PacketReceived), Has.Member(waiter));
    }

    [Test]
    public void Two_that_wait_are_both_served()
    {
        using TurnPair pair = new(Patience);
        Task<string> first = Start(() => pair.Client.WaitForChange(
            StatusMask.None, pair.Client.Status, Patience, out _) ? "ended" : "late");
        Task<string> second = Start(() => new TurnReader().Receive(pair.Client, Patience));
        bool isWatched = SpinWait.SpinUntil(() => pair.ClientNetwork.Waiter != 0, Patience);

        pair.Server.TrySend("for the second"u8, PacketDelivery.Reliable);
        bool isSecondServed = second.Wait(Patience);
        pair.Server.Close();

        Assert.That((isWatched, isSecondServed), Is.EqualTo((true, true)));
        Assert.That(first.Wait(Patience), Is.True);
        Assert.That((first.Result, second.Result), Is.EqualTo(("ended", "for the second")));
    }

    [Test]
    public void Who_has_left_is_followed_by_the_daemons_own_thread()
    {
        using TurnPair pair = new(Patience);
        int user = Environment.CurrentManagedThreadId;

        ReceiveStatus status = pair.Client.Receive(new byte[16], TimeSpan.FromMilliseconds(5), out _);
        bool isFollowed = SpinWait.SpinUntil(
            () => pair.ClientNetwork.Waiter is int waiter && waiter != 0 && waiter != user, Patience);

        Assert.That(status, Is.EqualTo(ReceiveStatus.TimedOut));
        Assert.That(isFollowed, Is.True);
    }

    [Test]
    public void A_task_that_waits_is_served_by_the_daemons_thread()
    {
        using TurnPair pair = new(Patience);
        ConnectionStatus open = pair.Client.Status;

        Task<ConnectionStatus> ended = pair.Client.WaitForChangeAsync(StatusMask.None, open).AsTask();
        ReceiveStatus status = pair.Client.Receive(new byte[16], TimeSpan.FromMilliseconds(2), out _);
        pair.Server.Close();

        Assert.That(status, Is.EqualTo(ReceiveStatus.TimedOut));
        Assert.That(ended.Wait(Patience), Is.True);
        Assert.That(ended.Result.IsFinal, Is.True);
    }

    [Test]
    public void An_idle_daemon_has_no_tick()
    {
        CountingNetwork network = new();
        using Daemon daemon = new(
            SimWorld.Plain, network, TimeProvider.System, SystemSecrets.Instance, new Prng(1));
        Endpoint endpoint = daemon.Open(PeerAddress.LoopbackIPv4(0));
        daemon.Start();

        endpoint.Accept(TimeSpan.FromMilliseconds(3));
        bool sleepsLong = SpinWait.SpinUntil(
            () => network.Waiter != 0 && network.Limit >= TimeSpan.FromSeconds(59), Patience);
        int waits = network.Waits;
        long turns = daemon.ReadCounters().Turns;
        endpoint.LocalAddress.ToString();

        Assert.That(sleepsLong, Is.True);
        Assert.That((network.Waits, daemon.ReadCounters().Turns), Is.EqualTo((waits, turns)));
    }

    [Test]
    public void A_daemon_that_ends_sends_home_who_holds_its_watch()
    {
        using TurnPair pair = new(Patience);
        Task<ReceiveStatus> waiting = Start(
            () => pair.Client.Receive(new byte[16], Timeout.InfiniteTimeSpan, out _));
        SpinWait.SpinUntil(() => pair.ClientNetwork.Waiter != 0, Patience);

        pair.ClientDaemon.Shutdown(TimeSpan.Zero);

        Assert.That(waiting.Wait(Patience), Is.True);
        Assert.That(waiting.Result, Is.EqualTo(ReceiveStatus.Closed));
    }

    [Test]
    public void A_fault_in_the_turn_of_who_waits_ends_the_daemon_and_the_wait()
    {
        using TurnPair pair = new(Patience);
        pair.Settle();
        pair.Trace.ThrowOnce();
        Task<ReceiveStatus> waiting = Start(
            () => pair.Client.Receive(new byte[16], Timeout.InfiniteTimeSpan, out _));

        pair.Server.TrySend("brings the fault"u8, PacketDelivery.Reliable);

        Assert.That(waiting.Wait(Patience), Is.True);
        Assert.That(waiting.Result, Is.EqualTo(ReceiveStatus.Closed));
        Assert.That(pair.ClientDaemon.Fault, Is.Not.Null);
    }

    // P10. With a tick in the way of a message, each of them would cost a wait that runs out.
    [TestCase(1)]
    [TestCase(15)]
    public void No_message_waits_for_a_timer_however_coarse_it_is(int milliseconds)
    {
        const int Rounds = 300;
        using TurnPair pair = new(Patience, TimeSpan.FromMilliseconds(milliseconds));
        pair.Settle();
        Task<int> echo = Start(() => Echo(pair.Server, Rounds));
        TurnReader reader = new();
        int answers = 0;
        int before = pair.ClientNetwork.RanOut + pair.ServerNetwork.RanOut;

        for (int i = 0; i < Rounds; i++)
        {
            pair.Client.TrySend("ping"u8, PacketDelivery.Reliable);
            answers += reader.Receive(pair.Client, Patience) == "ping" ? 1 : 0;
        }

        int ranOut = pair.ClientNetwork.RanOut + pair.ServerNetwork.RanOut - before;
        Assert.That((answers, echo.Wait(Patience)), Is.EqualTo((Rounds, true)));
        Assert.That(ranOut, Is.LessThan(Rounds / 2));
    }

    [Test]
    public void Threads_that_send_wait_and_leave_in_every_order_lose_nothing()
    {
        const int Threads = 4;
        const int Rounds = 400;
        using TurnPair pair = new(Patience);
        Task<int> echo = Start(() => Echo(pair.Server, Threads * Rounds));

        // Each sends and takes any one answer: some wait in the kernel, some on their monitor, some not at all.
        Task<int>[] users = [.. Enumerable.Range(0, Threads).Select(user => Start(() =>
        {
            TurnReader reader = new();
            int taken = 0;

            for (int i = 0; i < Rounds; i++)
            {
                while (pair.Client.TrySend("x"u8, PacketDelivery.Reliable) != SendStatus.Accepted)
                {
                    pair.Client.WaitForUpdates(TimeSpan.FromMilliseconds(1));
                }

                taken += reader.Receive(pair.Client, Patience) == "x" ? 1 : 0;
            }

            return taken;
        }))];

        Assert.That(Task.WaitAll(users, 3 * Patience), Is.True);
        Assert.That(users.Sum(user => user.Result), Is.EqualTo(Threads * Rounds));
        Assert.That(echo.Wait(Patience), Is.True);
        Assert.That(pair.ClientNetwork.MostInside, Is.EqualTo(1));
        Assert.That(pair.ServerNetwork.MostInside, Is.EqualTo(1));
    }

    private static int Echo(Connection at, int count)
    {
        byte[] buffer = new byte[64];
        int echoed = 0;

        while (echoed < count && at.Receive(buffer, Patience, out int length) == ReceiveStatus.Received)
        {
            at.TrySend(buffer.AsSpan(0, length), PacketDelivery.Reliable);
            echoed++;
        }

        return echoed;
    }

    private static Task<T> Start<T>(Func<T> body)
        => Task.Factory.StartNew(body, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private sealed class TurnReader
    {
        private readonly byte[] _buffer = new byte[64];

        internal string Receive(Connection at, TimeSpan patience)
            => at.Receive(_buffer, patience, out int length) == ReceiveStatus.Received
                ? System.Text.Encoding.UTF8.GetString(_buffer, 0, length)
                : "";
    }
}
