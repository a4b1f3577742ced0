using Gudp.Core;
using Gudp.Core.Congestion;

namespace Gudp.Tests.Core;

/// <summary>A flow that fills its window once per round trip, over a path that takes the same time always.</summary>
internal sealed class CongestionFlow(ICongestionController controller, TimeSpan roundTrip, int packetBytes = 1200)
{
    internal static readonly Instant Start = new(TimeSpan.TicksPerSecond);

    // The path has no bottleneck, so a model of one finds no end to its rate.
    private const int MostPackets = 1 << 16;

    private readonly DeliveryRateEstimator _deliveries = new();
    private readonly Queue<DeliveryMark> _marks = new(MostPackets);
    private int _inFlight;

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
            int packets = Math.Min(Window / packetBytes, MostPackets);

            for (int packet = 0; packet < packets; packet++)
            {
                _marks.Enqueue(Send(packetBytes, applicationLimited));
            }

            Advance(RoundTrip);

            for (int packet = 0; packet < packets; packet++)
            {
                // Acknowledgements come one after another, close together.
                Advance(new TimeSpan(1));
                Take(packetBytes, sentAt, applicationLimited, _marks.Dequeue());
            }
        }
    }

    internal void RunFor(TimeSpan span) => RunRounds((int)Math.Round(span / RoundTrip));

    /// <summary>One packet sent at some moment is acknowledged now.</summary>
    internal void Acknowledge(int bytes, Instant sentAt, bool applicationLimited)
        => Take(bytes, sentAt, applicationLimited, Send(bytes, applicationLimited));

    /// <summary>One packet sent at some moment is declared lost now.</summary>
    internal void Lose(Instant sentAt, bool persistent = false)
    {
        DeliveryMark mark = Send(packetBytes, applicationLimited: false);
        _inFlight -= packetBytes;
        _deliveries.OnLost(packetBytes);
        Controller.OnLost(new LostPacket(packetBytes, sentAt, persistent, mark, _deliveries.Lost), Now);
        Controller.OnAckEnd(_deliveries.TakeReport(Measured, _inFlight, Now), Now);
    }

    internal void LoseOne(bool persistent = false)
    {
        Advance(new TimeSpan(1));
        Instant sentAt = Now;
        Advance(RoundTrip);
        Lose(sentAt, persistent);
    }

    private RttSample Measured => new(RoundTrip, RoundTrip, RoundTrip, IsMeasured: true);

    private DeliveryMark Send(int bytes, bool applicationLimited)
    {
        if (applicationLimited)
        {
            _deliveries.OnApplicationLimited(_inFlight + bytes);
        }

        DeliveryMark mark = _deliveries.OnSent(bytes, _inFlight, Now);
        _inFlight += bytes;
        Controller.OnSent(bytes, mark, Now);
        return mark;
    }

    private void Take(int bytes, Instant sentAt, bool applicationLimited, in DeliveryMark mark)
    {
        _inFlight -= bytes;
        _deliveries.OnAcked(bytes, sentAt, mark, Now);
        Controller.OnAcked(new AckedPacket(bytes, sentAt, applicationLimited, Measured), Now);
        Controller.OnAckEnd(_deliveries.TakeReport(Measured, _inFlight, Now), Now);
    }
}
