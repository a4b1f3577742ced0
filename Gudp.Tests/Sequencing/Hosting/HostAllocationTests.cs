using Gudp.Sequencing;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Hosting;

/// <summary>What a member says makes no garbage; what it is granted makes the grant and its messages, which it may keep.</summary>
[TestFixture, Category("Release")]
public sealed class HostAllocationTests
{
    private const int Messages = 1_000;

    [Test]
    public void Publishing_promising_and_asking_allocate_nothing()
    {
        // Asking hands the commit to the server, whose log keeps messages: as many as this, and then none more.
        SequenceHost host = new(new SequencingConfig { LogMessages = 10, Roster = [new("a") { Publish = ["x"] }] });
        SequenceClient member = host.Join("a");
        member.WaitForGrant(Timeout.InfiniteTimeSpan);
        byte[] payload = new byte[100];
        long allocated = 0;

        for (int step = 1; step <= 20; step++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();

            for (int i = 0; i < Messages; i++)
            {
                member.Publish("x", payload);
                member.Publish("x", "a text of no great length");
            }

            member.Promise(step);
            member.RequestTo(step);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            host.Run();
            member.TryTakeGrant(out _);
        }

        Assert.That(allocated, Is.Zero);
    }

    // A grant, its empty batch and what the test's own loop makes: nothing of the way there.
    [Test]
    public void A_step_of_asynchronous_members_allocates_hardly_more_than_its_grant()
    {
        const int Steps = 2_000;
        const int WarmSteps = 1_000;
        long before = 0;
        long after = 0;
        SequenceHost host = new(new SequencingConfig
        {
            Roster = [.. Enumerable.Range(0, 4).Select(i => new MemberDeclaration($"m{i}")
            {
                Publish = ["x"], Subscribe = ["x"], Lookahead = Delay.Ticks(1),
            })],
        });

        for (int i = 0; i < 4; i++)
        {
            int member = i;
            host.Add($"m{i}", async client =>
            {
                for (int step = 1; step <= Steps; step++)
                {
                    if (member == 0 && step == WarmSteps)
                    {
                        before = GC.GetAllocatedBytesForCurrentThread();
                    }

                    await client.AdvanceToAsync(step);
                }

                after = GC.GetAllocatedBytesForCurrentThread();
            });
        }

        host.Run();

        Assert.That((after - before) / (4.0 * (Steps - WarmSteps)), Is.LessThan(200));
    }
}
