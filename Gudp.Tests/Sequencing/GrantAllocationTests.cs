using Gudp.Bench.Grants;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>What a grant leaves behind, in the server's engine and in its members'.</summary>
[TestFixture, Category("Release")]
public sealed class GrantAllocationTests
{
    private const int Few = 10_000;
    private const int Many = 1_000_000;

    [TestCase(nameof(GrantWork.Ticks))]
    [TestCase(nameof(GrantWork.Phold))]
    public void A_warm_server_and_members_that_read_in_place_allocate_nothing_for_a_grant(string name)
    {
        GrantWork work = Enum.Parse<GrantWork>(name);
        EngineRun run = new(work, 16);

        // Every queue and buffer has been as long as it gets.
        run.GoOn(4 * Few);

        long before = GC.GetAllocatedBytesForCurrentThread();
        run.GoOn(Few);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(run.Events, work == GrantWork.Phold ? Is.GreaterThan(Few) : Is.Zero);
        Assert.That(allocated, Is.Zero);
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
}
