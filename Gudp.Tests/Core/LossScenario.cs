using Gudp.Core;
using Gudp.Core.Engine;

namespace Gudp.Tests.Core;

/// <summary>One sender's view of a path: time is set by hand, acknowledgements bring no samples.</summary>
internal sealed class LossScenario
{
    internal const int PacketBytes = 1200;

    private readonly RttEstimator _rtt = new(RttEstimator.DefaultFirstRoundTrip);

    private LossScenario(int leastProbeMs = 0, int largestProbeMs = 600_000)
    {
        LossRules rules = new(
            PacketThreshold: 3,
            MaxAckDelay: TimeSpan.FromMilliseconds(25),
            Granularity: TimeSpan.FromMilliseconds(1))
        {
            LeastProbeTimeout = TimeSpan.FromMilliseconds(leastProbeMs),
            LargestProbeTimeout = TimeSpan.FromMilliseconds(largestProbeMs),
        };

        Detector = new LossDetector(Ring, _rtt, rules);
    }

    internal SentPacketRing Ring { get; } = new(64, 1024);

    internal LossDetector Detector { get; }

    internal Instant Now { get; private set; } = new(TimeSpan.TicksPerSecond);

    internal List<int> Lost { get; } = [];

    internal List<int> Acked { get; } = [];

    internal List<int> PersistentAt { get; } = [];

    internal int ProbesAsked { get; private set; }

    /// <summary>A packet declared lost is acknowledged after all.</summary>
    internal void FindWrong(int number)
    {
        Ring.TryFind(new PacketNumber(number), out SentPacket late);
        Detector.OnSpuriousLoss(late, Now);
    }

    internal static LossScenario WithoutSample() => new();

    internal static LossScenario WithRoundTrip(
        TimeSpan roundTrip, int leastProbeMs = 0, int largestProbeMs = 600_000)
    {
        LossScenario path = new(leastProbeMs, largestProbeMs);
        path._rtt.AddSample(roundTrip, TimeSpan.Zero);
        path.Detector.OnAckReceived(path.Now);
        return path.After(TimeSpan.FromMilliseconds(1));
    }

    internal LossScenario After(TimeSpan span)
    {
        Now += span;
        return this;
    }

    internal void Send(int packets, bool hasPayload = true)
    {
        for (int i = 0; i < packets; i++)
        {
            Ring.Add(new SentPacket
            {
                SentAt = Now,
                Bytes = PacketBytes,
                IsAckEliciting = true,
                HasPayload = hasPayload,
            });
        }
    }

    internal void SendAck() => Ring.Add(new SentPacket { SentAt = Now, Bytes = 40, LargestAckedInIt = 0 });

    internal void Acknowledge(params int[] numbers)
    {
        bool isNews = false;

        foreach (int number in numbers)
        {
            if (Ring.TrySettle(new PacketNumber(number), out _))
            {
                Acked.Add(number);
                isNews = true;
            }
        }

        if (isNews)
        {
            Detector.OnAckReceived(Now);
            CollectLost();
        }
    }

    internal void CollectLost()
    {
        while (Detector.TryNextLost(Now, out SentPacket lost, out bool isPersistent))
        {
            Lost.Add((int)lost.Number);

            if (isPersistent)
            {
                PersistentAt.Add((int)lost.Number);
            }
        }
    }

    internal void AdvanceToNextDeadline()
    {
        Instant deadline = Detector.Deadline;

        if (deadline.IsNever)
        {
            return;
        }

        Now = Instant.Later(Now, deadline);
        ProbesAsked += Detector.TryProbe(Now) ? 1 : 0;
        CollectLost();
    }
}
