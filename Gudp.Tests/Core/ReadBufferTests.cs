using Gudp.Core;
using Gudp.Core.Buffers;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class ReadBufferTests
{
    private static readonly TimeSpan JoinTimeout = TimeSpan.FromSeconds(10);

    [Test]
    public void Packets_come_out_in_order_with_their_boundaries()
    {
        var buffer = new ReadBuffer(maxPackets: 8, maxBytes: 100);
        buffer.TryAdd([1, 2, 3]);
        buffer.TryAdd([]);
        buffer.TryAdd([4]);

        Assert.That(Take(buffer), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(Take(buffer), Is.EqualTo(Array.Empty<byte>()));
        Assert.That(Take(buffer), Is.EqualTo(new byte[] { 4 }));
    }

    [Test]
    public void Packets_survive_the_end_of_the_ring()
    {
        var buffer = new ReadBuffer(maxPackets: 3, maxBytes: 10);

        for (byte i = 0; i < 50; i++)
        {
            buffer.TryAdd([i, i, i]);
            buffer.TryAdd([i, i, i, i]);

            Assert.That(Take(buffer), Is.EqualTo(new[] { i, i, i }));
            Assert.That(Take(buffer), Is.EqualTo(new[] { i, i, i, i }));
        }
    }

    [Test]
    public void Packets_survive_the_growth_of_a_ring_that_has_wrapped()
    {
        var buffer = new ReadBuffer(maxPackets: 1_000, maxBytes: 100_000);
        byte[] packet = new byte[1_000];
        int next = 0;

        for (int i = 0; i < 60; i++)
        {
            packet[0] = (byte)i;
            Assert.That(buffer.TryAdd(packet), Is.True);

            if (i % 3 == 0)
            {
                Assert.That(Take(buffer)[0], Is.EqualTo(next++));
            }
        }

        while (buffer.Count > 0)
        {
            Assert.That(Take(buffer)[0], Is.EqualTo(next++));
        }

        Assert.That(next, Is.EqualTo(60));
    }

    [Test]
    public void As_many_packets_as_allowed_fit()
    {
        var buffer = new ReadBuffer(maxPackets: 2, maxBytes: 100);

        Assert.That(buffer.TryAdd([1]) && buffer.TryAdd([2]), Is.True);
    }

    [Test]
    public void One_packet_more_than_allowed_is_refused_and_changes_nothing()
    {
        var buffer = new ReadBuffer(maxPackets: 2, maxBytes: 100);
        buffer.TryAdd([1]);
        buffer.TryAdd([2]);

        bool isAdded = buffer.TryAdd([3]);

        Assert.That(isAdded, Is.False);
        Assert.That(buffer.Count, Is.EqualTo(2));
        Assert.That(Take(buffer), Is.EqualTo(new byte[] { 1 }));
    }

    [TestCase(100, ExpectedResult = true)]
    [TestCase(101, ExpectedResult = false)]
    public bool Bytes_fit_up_to_the_limit(int bytes)
        => new ReadBuffer(maxPackets: 10, maxBytes: 100).TryAdd(new byte[bytes]);

    [TestCase(10, 100, ExpectedResult = true)]
    [TestCase(11, 100, ExpectedResult = false)]
    [TestCase(10, 101, ExpectedResult = false)]
    public bool Room_is_known_beforehand(int packets, int bytes)
        => new ReadBuffer(maxPackets: 10, maxBytes: 100).HasRoomFor(packets, bytes);

    [Test]
    public void An_empty_buffer_says_so_without_waiting()
    {
        ReceiveStatus status = new ReadBuffer(1, 10).TryTake(new byte[10], out int length);

        Assert.That(status, Is.EqualTo(ReceiveStatus.Empty));
        Assert.That(length, Is.Zero);
    }

    [Test]
    public void Waiting_on_an_empty_buffer_times_out()
    {
        ReceiveStatus status = new ReadBuffer(1, 10).Take(new byte[10], TimeSpan.FromMilliseconds(1), out _);

        Assert.That(status, Is.EqualTo(ReceiveStatus.TimedOut));
    }

    [Test]
    public void A_packet_too_large_for_the_caller_stays_and_names_its_size()
    {
        var buffer = new ReadBuffer(1, 10);
        buffer.TryAdd([1, 2, 3]);

        ReceiveStatus tooSmall = buffer.TryTake(new byte[2], out int needed);
        ReceiveStatus enough = buffer.TryTake(new byte[needed], out _);

        Assert.That(tooSmall, Is.EqualTo(ReceiveStatus.BufferTooSmall));
        Assert.That(needed, Is.EqualTo(3));
        Assert.That(enough, Is.EqualTo(ReceiveStatus.Received));
    }

    [Test]
    public void What_was_received_is_drained_before_the_end_is_reported_each_time()
    {
        var buffer = new ReadBuffer(4, 10);
        buffer.TryAdd([7]);

        buffer.End();

        Assert.That(Take(buffer), Is.EqualTo(new byte[] { 7 }));
        Assert.That(buffer.TryTake(new byte[10], out _), Is.EqualTo(ReceiveStatus.Closed));
        Assert.That(buffer.Take(new byte[10], JoinTimeout, out _), Is.EqualTo(ReceiveStatus.Closed));
    }

    [Test]
    public void A_packet_that_comes_after_the_end_is_discarded()
    {
        var buffer = new ReadBuffer(4, 10);
        buffer.End();

        bool isTakenOver = buffer.HasRoomFor(1, 1) && buffer.TryAdd([7]);

        Assert.That(isTakenOver, Is.True, "The leader had room when it asked.");
        Assert.That(buffer.TryTake(new byte[10], out _), Is.EqualTo(ReceiveStatus.Closed));
    }

    [Test]
    public void Memory_is_charged_as_it_grows_and_given_back_once_drained_at_the_end()
    {
        var budget = new MemoryBudget(1_000_000);
        var buffer = new ReadBuffer(100, 100_000, budget);
        long before = budget.InUseBytes;

        buffer.TryAdd(new byte[50_000]);
        long during = budget.InUseBytes;
        buffer.End();
        long undrained = budget.InUseBytes;
        Take(buffer);

        Assert.That(before, Is.Zero);
        Assert.That(during, Is.GreaterThanOrEqualTo(50_000));
        Assert.That(undrained, Is.EqualTo(during));
        Assert.That(budget.InUseBytes, Is.Zero);
    }

    [Test]
    public void A_spent_budget_refuses_packets_that_the_own_limits_would_allow()
    {
        var budget = new MemoryBudget(10_000);
        var buffer = new ReadBuffer(100, 100_000, budget);

        Assert.That(buffer.TryAdd(new byte[4_000]), Is.True);
        Assert.That(buffer.HasRoomFor(1, 50_000), Is.False);
        Assert.That(budget.Refusals, Is.EqualTo(1));
    }

    // G10, T25: the end wakes everybody, also with nothing to read.
    [Test]
    public void All_blocked_consumers_return_when_the_end_comes()
    {
        const int Consumers = 8;
        var buffer = new ReadBuffer(4, 100);
        var results = new ReceiveStatus[Consumers];
        Thread[] threads = Start(
            Consumers, i => results[i] = buffer.Take(new byte[10], Timeout.InfiniteTimeSpan, out _));

        buffer.End();

        Assert.That(threads.All(thread => thread.Join(JoinTimeout)), Is.True, "A consumer slept through the end.");
        Assert.That(results, Is.All.EqualTo(ReceiveStatus.Closed));
    }

    // G8. Goal: no wake-up is lost, whatever the number of consumers. Method: the producer offers each packet until it
    // fits and never looks whether anybody waits; then all of them must have been taken, once each.
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(8)]
    public void Every_packet_is_taken_once_by_any_number_of_consumers(int consumers)
    {
        const int Packets = 20_000;
        var buffer = new ReadBuffer(maxPackets: 16, maxBytes: 64);
        int[] taken = new int[Packets];
        Thread[] threads = Start(consumers, _ => Drain(buffer, taken));

        for (int i = 0; i < Packets; i++)
        {
            while (!buffer.TryAdd(BitConverter.GetBytes(i)))
            {
                Thread.Yield();
            }
        }

        buffer.End();

        Assert.That(threads.All(thread => thread.Join(JoinTimeout)), Is.True, "A consumer was never woken.");
        Assert.That(taken, Is.All.EqualTo(1));
    }

    // One signal may be used up by a consumer whose buffer is too small; it must reach one whose buffer is not.
    [Test]
    public void A_consumer_with_too_small_a_buffer_passes_the_signal_on()
    {
        const int Rounds = 200;
        var buffer = new ReadBuffer(4, 100);
        int received = 0;
        Thread[] threads = Start(2, i =>
        {
            // The first has no room for anything and comes again each time.
            byte[] own = new byte[i == 0 ? 0 : 10];

            while (buffer.Take(own, Timeout.InfiniteTimeSpan, out _) is var status && status != ReceiveStatus.Closed)
            {
                if (status == ReceiveStatus.Received)
                {
                    Interlocked.Increment(ref received);
                }
            }
        });

        for (int i = 0; i < Rounds; i++)
        {
            buffer.TryAdd([1]);
            Assert.That(SpinWait.SpinUntil(() => buffer.Count == 0, JoinTimeout), Is.True, "The signal was lost.");
        }

        buffer.End();

        Assert.That(threads.All(thread => thread.Join(JoinTimeout)), Is.True);
        Assert.That(received, Is.EqualTo(Rounds));
    }

    [Test, Category("Release")]
    public void Passing_packets_allocates_nothing_once_warm()
    {
        var buffer = new ReadBuffer(64, 64 * 1024);
        byte[] packet = new byte[1_000];
        Pass(buffer, packet, 1_000);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Pass(buffer, packet, 1_000);

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static void Pass(ReadBuffer buffer, byte[] packet, int times)
    {
        for (int i = 0; i < times; i++)
        {
            buffer.TryAdd(packet);
            buffer.Take(packet, Timeout.InfiniteTimeSpan, out _);
        }
    }

    private static void Drain(ReadBuffer buffer, int[] taken)
    {
        byte[] own = new byte[4];

        while (buffer.Take(own, Timeout.InfiniteTimeSpan, out _) == ReceiveStatus.Received)
        {
            Interlocked.Increment(ref taken[BitConverter.ToInt32(own)]);
        }
    }

    private static Thread[] Start(int count, Action<int> work)
    {
        var threads = new Thread[count];

        for (int i = 0; i < count; i++)
        {
            int index = i;
            threads[i] = new Thread(() => work(index)) { IsBackground = true };
            threads[i].Start();
        }

        return threads;
    }

    private static byte[] Take(ReadBuffer buffer)
    {
        byte[] destination = new byte[100_000];
        ReceiveStatus status = buffer.TryTake(destination, out int length);
        Assert.That(status, Is.EqualTo(ReceiveStatus.Received));
        return destination[..length];
    }
}
