using Gudp.Core;
using Gudp.Core.Buffers;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class BufferPoolTests
{
    private const int SmallestBlock = 4 * 1024;

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(4_096)]
    [TestCase(4_097)]
    [TestCase(1_200_000)]
    public void A_buffer_is_exactly_as_long_as_asked_for(int bytes)
    {
        PooledBuffer buffer = Rent(new BufferPool(new MemoryBudget(1L << 30)), bytes);

        Assert.That(buffer.Span.Length, Is.EqualTo(bytes));
    }

    [Test]
    public void More_than_the_largest_block_is_the_callers_mistake()
    {
        var pool = new BufferPool(new MemoryBudget(1L << 30));

        Assert.Throws<ArgumentOutOfRangeException>(() => pool.TryRent(BufferPool.LargestBytes + 1, out _));
    }

    [Test]
    public void A_returned_buffer_is_given_out_again()
    {
        var pool = new BufferPool(new MemoryBudget(1L << 20));
        PooledBuffer first = Rent(pool, 100);
        first.Return();

        PooledBuffer second = Rent(pool, 200);

        Assert.That(second, Is.SameAs(first));
        Assert.That(pool.Grown, Is.EqualTo(1));
    }

    [Test]
    public void Rents_minus_returns_are_what_is_outstanding()
    {
        var pool = new BufferPool(new MemoryBudget(1L << 20));
        PooledBuffer first = Rent(pool, 100);
        Rent(pool, 100);

        first.Return();

        Assert.That(pool.Outstanding, Is.EqualTo(1));
    }

    [Test]
    public void Returning_twice_stops_the_program()
    {
        PooledBuffer buffer = Rent(new BufferPool(new MemoryBudget(1L << 20)), 100);
        buffer.Return();

        Assert.Throws<InvariantException>(buffer.Return);
    }

    [Test]
    public void The_budget_is_used_to_the_last_block()
    {
        var pool = new BufferPool(new MemoryBudget(2 * SmallestBlock));

        Assert.That(pool.TryRent(1, out _) && pool.TryRent(1, out _), Is.True);
    }

    [Test]
    public void Beyond_the_budget_a_rent_is_refused_and_counted()
    {
        var budget = new MemoryBudget(2 * SmallestBlock);
        var pool = new BufferPool(budget);
        Rent(pool, 1);
        Rent(pool, 1);

        bool isRented = pool.TryRent(1, out _);

        Assert.That(isRented, Is.False);
        Assert.That(budget.Refusals, Is.EqualTo(1));
        Assert.That(pool.Outstanding, Is.EqualTo(2));
    }

    [Test]
    public void Free_blocks_of_another_size_make_way()
    {
        var pool = new BufferPool(new MemoryBudget(4 * SmallestBlock));
        PooledBuffer[] small = [Rent(pool, 1), Rent(pool, 1)];
        small[0].Return();
        small[1].Return();

        bool isRented = pool.TryRent(4 * SmallestBlock, out _);

        Assert.That(isRented, Is.True);
    }

    [Test]
    public void Threads_that_rent_and_return_leave_nothing_outstanding_and_never_share_a_block()
    {
        var pool = new BufferPool(new MemoryBudget(1L << 20));
        int shared = 0;

        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 4 }, worker =>
        {
            for (int i = 0; i < 2_000; i++)
            {
                PooledBuffer buffer = Rent(pool, 64);
                buffer.Span.Fill((byte)worker);

                if (buffer.Span.ContainsAnyExcept((byte)worker))
                {
                    Interlocked.Increment(ref shared);
                }

                buffer.Return();
            }
        });

        Assert.That(pool.Outstanding, Is.Zero);
        Assert.That(shared, Is.Zero);
    }

    [TestCase(100, ExpectedResult = true)]
    [TestCase(101, ExpectedResult = false)]
    public bool A_budget_is_reserved_up_to_its_limit(long bytes) => new MemoryBudget(100).TryReserve(bytes);

    [Test]
    public void Giving_back_more_than_was_taken_stops_the_program()
        => Assert.Throws<InvariantException>(() => new MemoryBudget(100).Release(1));

    [Test]
    public void A_transmit_buffer_holds_the_largest_datagram()
        => Assert.That(new TransmitBuffer().Span.Length, Is.GreaterThanOrEqualTo(65_507));

    private static PooledBuffer Rent(BufferPool pool, int bytes)
    {
        Assert.That(pool.TryRent(bytes, out PooledBuffer? buffer), Is.True);
        return buffer!;
    }
}
