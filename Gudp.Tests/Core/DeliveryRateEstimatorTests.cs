using Gudp.Core;
using Gudp.Core.Congestion;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>How fast the path delivers, from what packets take along (P-5.5).</summary>
[TestFixture]
public sealed class DeliveryRateEstimatorTests
{
    private const int PacketBytes = 1_000;

    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(100);

    private readonly Queue<(Instant SentAt, DeliveryMark Mark)> _underWay = new();
    private DeliveryRateEstimator _rates = new();
    private Instant _now;
    private int _inFlight;

    [SetUp]
    public void Begin()
    {
        _rates = new DeliveryRateEstimator();
        _underWay.Clear();
        _inFlight = 0;
        _now = new Instant(TimeSpan.TicksPerHour);
    }

    [Test]
    public void Before_any_ack_nothing_is_known()
    {
        Send();

        AckReport report = Report();

        Assert.That((report.HasPacket, report.BytesPerSecond, report.Delivered), Is.EqualTo((false, 0L, 0L)));
    }

    [Test]
    public void A_flight_of_ten_over_a_round_trip_is_a_tenth_of_its_bytes_per_millisecond()
    {
        for (int i = 0; i < 10; i++)
        {
            Send();
        }

        AckReport report = AckAfter(RoundTrip, packets: 10);

        Assert.That(report.BytesPerSecond, Is.EqualTo(10 * PacketBytes * 10));
        Assert.That((report.NewlyAcked, report.InFlight), Is.EqualTo((10 * PacketBytes, 0)));
    }

    [Test]
    public void Acks_in_a_lump_prove_no_more_than_the_sending_did()
    {
        // One packet each 10 ms for 500 ms, acknowledged all at once: 100,000 bytes a second left, and not more came.
        for (int i = 0; i < 50; i++)
        {
            Send();
            _now += TimeSpan.FromMilliseconds(10);
        }

        AckReport report = AckAfter(RoundTrip, packets: 50);

        Assert.That(report.BytesPerSecond, Is.InRange(80_000, 105_000));
    }

    [Test]
    public void A_burst_of_sends_proves_no_more_than_the_acks_do()
    {
        for (int i = 0; i < 11; i++)
        {
            Send();
        }

        AckAfter(RoundTrip, packets: 1);
        AckReport report = default;

        for (int i = 0; i < 10; i++)
        {
            report = AckAfter(TimeSpan.FromMilliseconds(20), packets: 1);
        }

        Assert.That(report.BytesPerSecond, Is.EqualTo(11 * PacketBytes * 1_000 / 300).Within(1));
    }

    [Test]
    public void A_span_below_the_least_round_trip_gives_no_rate()
    {
        Send();

        AckReport report = AckAfter(RoundTrip / 2, packets: 1);

        Assert.That(report.HasPacket, Is.True);
        Assert.That(report.BytesPerSecond, Is.Zero);
    }

    [Test]
    public void A_pause_of_the_application_is_no_part_of_a_rate()
    {
        Send();
        AckAfter(RoundTrip, packets: 1);
        _now += TimeSpan.FromSeconds(60);
        Send();

        AckReport report = AckAfter(RoundTrip, packets: 1);

        Assert.That(report.BytesPerSecond, Is.EqualTo(PacketBytes * 10));
    }

    [Test]
    public void What_is_still_in_flight_on_a_former_path_does_not_begin_the_first_flight()
    {
        _inFlight = 50 * PacketBytes;
        Send();

        AckReport report = AckAfter(RoundTrip, packets: 1);

        Assert.That(report.BytesPerSecond, Is.EqualTo(PacketBytes * 10));
    }

    [Test]
    public void Flights_the_application_limited_are_marked_until_all_of_them_is_delivered()
    {
        _rates.OnApplicationLimited(PacketBytes);
        Send();
        Send();

        AckReport limited = AckAfter(RoundTrip, packets: 1);
        AckAfter(TimeSpan.Zero, packets: 1);
        Send();
        AckReport free = AckAfter(RoundTrip, packets: 1);

        Assert.That((limited.Mark.IsApplicationLimited, free.Mark.IsApplicationLimited), Is.EqualTo((true, false)));
    }

    [Test]
    public void Losses_are_told_once_and_by_the_flight_they_belong_to()
    {
        Send();
        _rates.OnLost(PacketBytes);
        Send();
        _rates.OnLost(PacketBytes);
        _underWay.Dequeue();

        AckReport first = AckAfter(RoundTrip, packets: 1);
        AckReport second = Report();

        Assert.That((first.NewlyLost, first.Lost, first.LostInFlight), Is.EqualTo((2_000, 2_000L, 1_000L)));
        Assert.That((second.NewlyLost, second.NewlyAcked, second.HasPacket), Is.EqualTo((0, 0, false)));
    }

    private void Send()
    {
        _underWay.Enqueue((_now, _rates.OnSent(PacketBytes, _inFlight, _now)));
        _inFlight += PacketBytes;
    }

    private AckReport AckAfter(TimeSpan wait, int packets)
    {
        _now += wait;

        for (int i = 0; i < packets; i++)
        {
            (Instant sentAt, DeliveryMark mark) = _underWay.Dequeue();
            _inFlight -= PacketBytes;
            _rates.OnAcked(PacketBytes, sentAt, mark, _now);
        }

        return Report();
    }

    private AckReport Report()
        => _rates.TakeReport(new RttSample(RoundTrip, RoundTrip, RoundTrip, IsMeasured: true), _inFlight, _now);
}
