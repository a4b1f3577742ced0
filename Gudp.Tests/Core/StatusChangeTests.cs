using Gudp.Core;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Who waits for a status to change (S-8.6). Waits are bounded and end by what happens, not by time.</summary>
[TestFixture]
public sealed class StatusChangeTests
{
    private static readonly TimeSpan JoinTimeout = TimeSpan.FromSeconds(20);

    [Test]
    public void A_change_since_the_last_look_is_told_at_once()
    {
        StatusWord word = new();
        ConnectionStatus before = word.Read();
        word.TrySetOpen();

        bool changed = word.WaitForChange(StatusMask.Open, before, TimeSpan.Zero, out ConnectionStatus now);

        Assert.That(changed, Is.True);
        Assert.That(now.IsOpen, Is.True);
    }

    [Test]
    public void What_the_mask_does_not_name_does_not_count()
    {
        StatusWord word = new();
        ConnectionStatus before = word.Read();
        word.TrySetOpen();

        bool changed = word.WaitForChange(
            StatusMask.Congestion | StatusMask.PeerSilent, before, TimeSpan.Zero, out ConnectionStatus now);

        Assert.That(changed, Is.False);
        Assert.That(now.IsOpen, Is.True, "The status is handed out also when the time was over.");
    }

    [TestCase(StatusMask.None)]
    [TestCase(StatusMask.All)]
    public void The_end_is_told_whatever_the_mask_and_also_to_who_knew_it(StatusMask mask)
    {
        StatusWord word = new();
        word.End(FinalReasons.TimedOut, CloseReason.ByApplication);

        bool changed = word.WaitForChange(mask, word.Read(), Timeout.InfiniteTimeSpan, out ConnectionStatus now);

        Assert.That(changed, Is.True);
        Assert.That(now.IsFinal, Is.True);
    }

    [Test]
    public void A_mask_with_bits_of_no_level_is_refused()
    {
        using SimWorld world = new(1);
        Connection connection = world.AddConnectedPair().Client;

        Assert.That(
            () => connection.WaitForChange((StatusMask)(1u << 24), default, TimeSpan.Zero, out _),
            Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    // Each waiter goes on from the level it last saw, so every one must see the last level, whatever it missed between.
    [Test]
    public void No_waiter_misses_the_last_of_many_quick_changes()
    {
        const int Waiters = 8;
        const int Rounds = 2_000;
        StatusWord word = new();
        using Barrier start = new(Waiters + 1);
        int arrived = 0;
        Thread[] threads = Start(Waiters, () =>
        {
            start.SignalAndWait(JoinTimeout);
            ConnectionStatus seen = default;

            while (seen.SendQueueLevel != SendQueueLevel.Full
                && word.WaitForChange(StatusMask.All, seen, JoinTimeout, out seen))
            {
            }

            Interlocked.Add(ref arrived, seen.SendQueueLevel == SendQueueLevel.Full ? 1 : 0);
        });

        start.SignalAndWait(JoinTimeout);

        for (int i = 0; i < Rounds; i++)
        {
            word.TrySetLevels(Levels((CongestionLevel)(i % 3), SendQueueLevel.Clear));
        }

        word.TrySetLevels(Levels(CongestionLevel.Clear, SendQueueLevel.Full));

        Assert.That(threads.All(thread => thread.Join(JoinTimeout)), Is.True, "A waiter was never woken.");
        Assert.That(arrived, Is.EqualTo(Waiters));
    }

    [Test]
    public async Task A_task_waits_for_the_levels_named_and_for_the_end()
    {
        StatusWord word = new();
        ValueTask<ConnectionStatus> busy = word.WaitForChangeAsync(StatusMask.Congestion, word.Read(), default);
        word.TrySetOpen();
        bool isEarly = busy.IsCompleted;
        word.TrySetLevels(Levels(CongestionLevel.Busy, SendQueueLevel.Clear));
        ConnectionStatus seen = await busy.AsTask().WaitAsync(JoinTimeout);

        ValueTask<ConnectionStatus> ended = word.WaitForChangeAsync(StatusMask.None, seen, default);
        word.End(FinalReasons.ClosedByPeer, CloseReason.ByApplication);
        ConnectionStatus final = await ended.AsTask().WaitAsync(JoinTimeout);

        Assert.That(isEarly, Is.False);
        Assert.That(seen.Congestion, Is.EqualTo(CongestionLevel.Busy));
        Assert.That(final.Reasons, Is.EqualTo(FinalReasons.ClosedByPeer));
    }

    [Test]
    public void A_cancelled_task_ends_and_disturbs_nobody()
    {
        StatusWord word = new();
        using CancellationTokenSource source = new();
        ValueTask<ConnectionStatus> waiting = word.WaitForChangeAsync(StatusMask.All, word.Read(), source.Token);

        source.Cancel();

        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(word.TrySetOpen(), Is.True);
        Assert.That(word.WaitForChange(StatusMask.Open, default, TimeSpan.Zero, out _), Is.True);
    }

    [Test]
    public void Time_outs_of_any_length_are_taken()
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair();
        Endpoint idle = pair.Left.Open(0);
        Thread[] threads = Start(1, () => idle.Accept(TimeSpan.MaxValue));

        bool isOpen = pair.Client.WaitUntilOpen(TimeSpan.MaxValue);
        bool isNow = pair.Client.WaitUntilOpen(TimeSpan.MinValue);
        ReceiveStatus nothing = pair.Client.Receive([], TimeSpan.MinValue, out _);
        idle.Accept(TimeSpan.MinValue);
        pair.Client.Close();
        ReceiveStatus closed = pair.Client.Receive([], TimeSpan.MaxValue, out _);
        idle.Dispose();

        Assert.That(isOpen, Is.True);
        Assert.That(isNow, Is.True);
        Assert.That(nothing, Is.EqualTo(ReceiveStatus.TimedOut));
        Assert.That(closed, Is.EqualTo(ReceiveStatus.Closed));
        Assert.That(threads[0].Join(JoinTimeout), Is.True, "Accept went on waiting.");
    }

    // T25. Goal: while eight threads write levels without pause, an end set by another is not lost, whoever is blocked
    // wakes, and what was received before is read before the end is told.
    [Test, Category("Release")]
    public void T25_The_end_wakes_every_blocked_reader_and_is_told_after_the_last_packet()
    {
        const int Rounds = 20;

        for (int round = 0; round < Rounds; round++)
        {
            CloseAmongWriters((ulong)(round + 1));
        }
    }

    private static void CloseAmongWriters(ulong seed)
    {
        const int Writers = 8;
        const int Readers = 4;
        const int Packets = 50;
        using SimWorld world = new(seed);
        Pair pair = world.AddConnectedPair();
        Connection reading = pair.Server;
        StatusWord word = ((Gudp.Core.Engine.IConnectionOwner)reading).StatusWord;
        int received = 0;
        int closed = 0;
        int told = 0;

        for (int i = 0; i < Packets; i++)
        {
            pair.Client.TrySend([(byte)i]);
        }

        world.RunUntil(() => reading.ReadCounters().PayloadBytesReceived >= Packets, TimeSpan.FromSeconds(5));
        using Barrier start = new(Writers + (2 * Readers) + 1);
        Thread[] threads =
        [
            .. Start(Writers, () =>
            {
                start.SignalAndWait(JoinTimeout);

                for (int i = 0; word.TrySetLevels(Levels((CongestionLevel)(i % 3), (SendQueueLevel)(i / 3 % 3))); i++)
                {
                }
            }),
            .. Start(Readers, () =>
            {
                byte[] buffer = new byte[10];
                start.SignalAndWait(JoinTimeout);
                ReceiveStatus status;

                while ((status = reading.Receive(buffer, JoinTimeout, out _)) == ReceiveStatus.Received)
                {
                    Interlocked.Increment(ref received);
                }

                Interlocked.Add(ref closed, status == ReceiveStatus.Closed ? 1 : 0);
            }),
            .. Start(Readers, () =>
            {
                start.SignalAndWait(JoinTimeout);
                bool changed = reading.WaitForChange(
                    StatusMask.None, reading.Status, JoinTimeout, out ConnectionStatus now);
                Interlocked.Add(ref told, changed && now.IsFinal && reading.CloseReason is not null ? 1 : 0);
            }),
        ];

        start.SignalAndWait(JoinTimeout);
        reading.Close();

        Assert.That(threads.All(thread => thread.Join(JoinTimeout)), Is.True, "Somebody never saw the end.");
        Assert.That(reading.Status.Reasons, Is.EqualTo(FinalReasons.ClosedLocally));
        Assert.That((received, closed, told), Is.EqualTo((Packets, Readers, Readers)));
        Assert.That(reading.TryReceive([], out _), Is.EqualTo(ReceiveStatus.Closed));
    }

    private static WorkingLevels Levels(CongestionLevel congestion, SendQueueLevel queue)
        => new(congestion, queue, IsPathValidated: true, IsPacketSizeReduced: false, IsPeerSilent: false);

    private static Thread[] Start(int count, Action body)
    {
        Thread[] threads = new Thread[count];

        for (int i = 0; i < count; i++)
        {
            threads[i] = new Thread(() => body()) { IsBackground = true };
            threads[i].Start();
        }

        return threads;
    }
}
