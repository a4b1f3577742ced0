using Gudp.Core;
using Gudp.Core.Buffers;
using Gudp.Core.Packets;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Outcomes on their way to the application (P-8.6).</summary>
[TestFixture]
public sealed class UpdateQueueTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Test]
    public void Room_is_refused_when_reserved_and_waiting_updates_reach_the_limit()
    {
        UpdateQueue queue = new(limit: 2, budget: null);

        SendStatus[] reserved = [queue.TryReserve(), queue.TryReserve(), queue.TryReserve()];
        queue.Add(new PacketUpdate(new PacketTicket(1), PacketOutcome.Lost));
        queue.Release();
        SendStatus afterRelease = queue.TryReserve();

        Assert.That(reserved, Is.EqualTo(new[] { SendStatus.Accepted, SendStatus.Accepted, SendStatus.UpdatesFull }));
        Assert.That(afterRelease, Is.EqualTo(SendStatus.Accepted));
    }

    [Test]
    public void Updates_come_out_in_order_however_many_are_taken_at_once()
    {
        UpdateQueue queue = new(limit: 1_000, budget: null);
        List<long> taken = [];
        PacketUpdate[] room = new PacketUpdate[7];

        for (long i = 1; i <= 1_000; i++)
        {
            queue.TryReserve();
            queue.Add(new PacketUpdate(new PacketTicket(i), PacketOutcome.Received));

            if (i % 3 == 0)
            {
                taken.AddRange(room[..queue.Take(room.AsSpan(0, (int)(i % 7)))].Select(update => update.Ticket.Value));
            }
        }

        for (int count = queue.Take(room); count > 0; count = queue.Take(room))
        {
            taken.AddRange(room[..count].Select(update => update.Ticket.Value));
        }

        Assert.That(taken, Is.EqualTo(Enumerable.Range(1, 1_000).Select(i => (long)i)));
    }

    [Test]
    public void Threads_that_wait_all_go_on_at_the_end()
    {
        UpdateQueue queue = new(limit: 10, budget: null);
        bool[] hadOne = new bool[4];
        Thread[] waiting = new Thread[hadOne.Length];

        for (int i = 0; i < waiting.Length; i++)
        {
            int own = i;
            waiting[i] = new Thread(() => hadOne[own] = queue.Wait(Timeout.InfiniteTimeSpan));
            waiting[i].Start();
        }

        queue.End();

        foreach (Thread thread in waiting)
        {
            Assert.That(thread.Join(Limit), Is.True, "A thread sleeps for ever.");
        }

        Assert.That(hadOne, Is.All.False);
    }

    [Test]
    public void A_thread_that_waits_goes_on_with_an_update()
    {
        UpdateQueue queue = new(limit: 10, budget: null);
        queue.TryReserve();
        bool hadOne = false;
        Thread waiting = new(() => hadOne = queue.Wait(Timeout.InfiniteTimeSpan));
        waiting.Start();

        queue.Add(new PacketUpdate(new PacketTicket(1), PacketOutcome.Lost));

        Assert.That(waiting.Join(Limit), Is.True);
        Assert.That(hadOne, Is.True);
    }

    [Test]
    public void What_was_not_taken_before_the_end_can_be_taken_and_is_no_share_of_the_budget()
    {
        MemoryBudget budget = new(1024 * 1024);
        UpdateQueue queue = new(limit: 1_000, budget);

        for (int i = 0; i < 1_000; i++)
        {
            queue.TryReserve();
            queue.Add(new PacketUpdate(new PacketTicket(i + 1), PacketOutcome.Lost));
        }

        long before = budget.InUseBytes;
        queue.End();
        long atEnd = budget.InUseBytes;
        int taken = queue.Take(new PacketUpdate[1_000]);

        Assert.That((before > 0, atEnd), Is.EqualTo((true, 0L)));
        Assert.That(taken, Is.EqualTo(1_000));
        Assert.That(budget.InUseBytes, Is.Zero);
        Assert.That(queue.Wait(Timeout.InfiniteTimeSpan), Is.False);
    }
}
