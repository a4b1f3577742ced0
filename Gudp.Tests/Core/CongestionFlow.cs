using Gudp.Core;
using Gudp.Core.Congestion;

namespace Gudp.Tests.Core;

/// <summary>A flow that fills its window once per round trip, over a path that takes the same time always.</summary>
internal sealed class CongestionFlow(ICongestionController controller, TimeSpan roundTrip)
{
    internal static readonly Instant Start = new(TimeSpan.TicksPerSecond);

    private const int PacketBytes = 1200;

    internal ICongestionController Controller { get; } = controller;

    internal Instant Now { get; private set; } = Start;

    internal TimeSpan RoundTrip { get; set; } = roundTrip;

    internal int Window => Controller.WindowBytes;

    internal void Advance(TimeSpan span) => Now += span;

    internal void RunRounds(int rounds, bool applicationLimited = false)
    {
        for (int i = 0; i < rounds; i++)
        {
            Advance(new TimeSpan(1));
            Instant sentAt = Now;
            int packets = Window / PacketBytes;
            Advance(RoundTrip);

            for (int packet = 0; packet < packets; packet++)
            {
                // Acknowledgements come one after another, close together.
                Advance(new TimeSpan(1));
                Controller.OnSent(PacketBytes, sentAt);
                Acknowledge(PacketBytes, sentAt, applicationLimited);
            }
        }
    }

    internal void RunFor(TimeSpan span) => RunRounds((int)Math.Round(span / RoundTrip));

    internal void Acknowledge(int bytes, Instant sentAt, bool applicationLimited)
    {
        RttSample rtt = new(RoundTrip, RoundTrip, RoundTrip, IsMeasured: true);
        Controller.OnAcked(bytes, sentAt, applicationLimited, rtt, Now);
    }

    internal void LoseOne(bool persistent = false)
    {
        Advance(new TimeSpan(1));
        Instant sentAt = Now;
        Advance(RoundTrip);
        Controller.OnLost(PacketBytes, sentAt, persistent, Now);
    }
}
