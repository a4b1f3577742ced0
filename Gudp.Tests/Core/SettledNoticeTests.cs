using Gudp.Core;
using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>When the peer is told what is settled (P-2.7).</summary>
[TestFixture]
public sealed class SettledNoticeTests
{
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(100);
    private static readonly Instant Start = new(TimeSpan.TicksPerSecond);

    [Test]
    public void A_number_is_told_a_round_trip_after_all_below_it_were_settled()
    {
        SettledNotice notice = new();
        notice.OnAck(ranges: 2, new PacketNumber(50), RoundTrip, Start);
        bool atOnce = notice.IsDue;

        notice.OnAck(ranges: 2, new PacketNumber(90), RoundTrip, Start + RoundTrip);

        Assert.That(atOnce, Is.False);
        Assert.That(notice.IsDue, Is.True);
        Assert.That(notice.Below, Is.EqualTo(new PacketNumber(50)));
    }

    [Test]
    public void Nothing_is_told_while_the_peer_repeats_nothing()
    {
        SettledNotice notice = new();

        for (int i = 0; i < 10; i++)
        {
            notice.OnAck(ranges: 1, new PacketNumber(100 * i), RoundTrip, Start + (i * RoundTrip));
        }

        Assert.That(notice.IsDue, Is.False);
    }

    [Test]
    public void It_goes_once_per_round_trip_and_each_number_once()
    {
        SettledNotice notice = new();
        List<long> told = [];

        // An ack each millisecond for ten round trips; from the fifth on nothing more gets settled.
        for (int i = 0; i < 1_000; i++)
        {
            notice.OnAck(
                ranges: 5, new PacketNumber(Math.Min(i, 500)), RoundTrip, Start + TimeSpan.FromMilliseconds(i));

            if (notice.IsDue)
            {
                told.Add(notice.Below.Value);
                notice.OnWritten();
            }
        }

        Assert.That(told, Is.EqualTo(new long[] { 100, 200, 300, 400, 500 }));
    }
}
