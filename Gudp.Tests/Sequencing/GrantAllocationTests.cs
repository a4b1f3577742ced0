using Gudp.Bench.Grants;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>What a grant leaves behind, in the server's engine and in its members'.</summary>
[TestFixture, Category("Release")]
public sealed class GrantAllocationTests
{
    private const int Few = 10_000;
    private const int Many = 1_000_000;

    [Test]
    public void A_warm_server_and_members_that_read_in_place_allocate_nothing_for_a_grant()
    {
        long allocated = AllocatedByFew(GrantWork.Ticks, out long events);

        Assert.That(events, Is.Zero);
        Assert.That(allocated, Is.Zero);
    }

    // How many events are where at once is chance, so that now and then a queue is longer than ever before and grows: a
    // few bytes over thousands of grants, where one object for each would be hundreds of thousands.
    [Test]
    public void A_warm_run_allocates_nothing_for_a_grant_with_messages_but_what_a_queue_grows_by()
    {
        long allocated = AllocatedByFew(GrantWork.Phold, out long events);

        Assert.That(events, Is.GreaterThan(10 * Few));
        Assert.That(allocated, Is.LessThan(Few));
    }

    [Test]
    public void After_a_million_grants_a_run_takes_no_more_memory_than_after_ten_thousand()
    {
        EngineRun run = new(GrantWork.Ticks, 16);
        run.GoOn(Few);

        long before = GC.GetTotalMemory(forceFullCollection: true);
        run.GoOn(Many - Few);
        long after = GC.GetTotalMemory(forceFullCollection: true);

        Assert.That(run.Grants, Is.GreaterThanOrEqualTo(Many));
        Assert.That(after, Is.LessThanOrEqualTo(before * 1.05));
        GC.KeepAlive(run);
    }

    private static long AllocatedByFew(GrantWork work, out long events)
    {
        EngineRun run = new(work, 16);
        run.GoOn(4 * Few);

        long before = GC.GetAllocatedBytesForCurrentThread();
        run.GoOn(Few);
        events = run.Events;
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
