using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Log;

/// <summary>A run that goes on and on keeps no more than its limits say.</summary>
[TestFixture]
public sealed class LogMemoryTests
{
    // Two members in step: each grant publishes, seals, trims; the record goes to nobody.
    [Test]
    [Category("Release")]
    public void Memory_after_200_000_grants_is_that_after_20_000()
    {
        SequencingConfig config = new()
        {
            Roster =
            [
                new("a") { Publish = ["x"], Subscribe = ["y"], Lookahead = Delay.Ticks(1) },
                new("b") { Publish = ["y"], Subscribe = ["x"], Lookahead = Delay.Ticks(1) },
            ],
            LogBytes = 2 << 20,
            LogMessages = 5_000,
        };
        RunLayout layout = new(config);
        SingleProcessRun run = new(layout, config);
        using RunRecordWriter writer = new(Stream.Null, RunRecording.HeadOf(layout, config, int.MaxValue));
        run.Server.Record(writer);
        run.Settle();

        Walk(run, 20_000);
        long before = Measure();
        Walk(run, 180_000);
        long after = Measure();

        Assert.That(run.Server.Run.Log.Count, Is.EqualTo(5_000));
        Assert.That(after, Is.LessThan(before * 1.05));
    }

    private static long Measure()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static void Walk(SingleProcessRun run, int grants)
    {
        byte[] payload = new byte[40];

        for (int i = 0; i < grants; i += 2)
        {
            foreach (MemberEngine member in run.Members)
            {
                Assert.That(member.TryTakeGrant(out Grant grant), Is.True, member.ErrorDetail);
                member.Publish(member.Name == "a" ? "x" : "y", payload, null);
                member.Request(AdvanceMode.To, grant.Tag + Delay.Ticks(1));
            }

            run.Settle();
        }
    }
}
