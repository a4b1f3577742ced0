using Gudp.Core;
using Gudp.Core.Congestion;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class PacerTests
{
    private const int PacketBytes = 1200;
    private const int LargeBuffer = 4 << 20;

    private static readonly TimeSpan Granularity = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan OneTick = new(1);
    private static readonly Instant Start = new(1_000_000);

    [Test]
    public void Nothing_is_held_back_before_the_first_sample()
    {
        Pacer pacer = new(PacketBytes, LargeBuffer, Granularity);

        pacer.OnWindowChanged(12_000, new RttSample(Ms(333), Ms(333), Ms(333), IsMeasured: false), Start);
        pacer.OnSent(1_000_000, Start);

        Assert.That(pacer.Allowance(Start), Is.EqualTo(int.MaxValue));
        Assert.That(pacer.NextRelease(PacketBytes, Start), Is.EqualTo(Start));
    }

    [Test]
    public void The_rate_is_five_quarters_of_a_window_per_round_trip()
        => Assert.That(Pacing(windowBytes: 120_000, Ms(100)).BytesPerSecond, Is.EqualTo(1_500_000));

    // P-5.3
    [TestCase(120_000, 1.0, LargeBuffer, 12_000, TestName = "Ten packets at least")]
    [TestCase(120_000, 20.0, LargeBuffer, 30_000, TestName = "What the coarsest timer lets pass when that is more")]
    [TestCase(120_000, 1.0, 48_000, 12_000, TestName = "A quarter of the peer's buffer that just suffices")]
    [TestCase(120_000, 1.0, 47_996, 11_999, TestName = "A quarter of the peer's buffer that does not suffice")]
    [TestCase(120_000, 1.0, 1_000, 1_200, TestName = "One packet whatever the buffer")]
    public void Burst(int windowBytes, double granularityMs, int peerBuffer, int expected)
    {
        Pacer pacer = new(PacketBytes, peerBuffer, Ms(granularityMs));

        pacer.OnWindowChanged(windowBytes, Measured(Ms(100)), Start);

        Assert.That(pacer.BurstBytes, Is.EqualTo(expected));
        Assert.That(pacer.Allowance(Start), Is.EqualTo(expected));
    }

    [Test]
    public void A_burst_is_followed_by_what_the_rate_brings()
    {
        Pacer pacer = Pacing(windowBytes: 120_000, Ms(100));

        pacer.OnSent(12_000, Start);

        Assert.That(pacer.Allowance(Start), Is.Zero);
        Assert.That(pacer.Allowance(Start + Ms(4)), Is.EqualTo(6_000));
        Assert.That(pacer.Allowance(Start + Ms(8)), Is.EqualTo(12_000));
        Assert.That(pacer.Allowance(Start + Ms(80)), Is.EqualTo(12_000));
    }

    [Test]
    public void The_next_release_is_exact()
    {
        Pacer pacer = Pacing(windowBytes: 120_000, Ms(100));
        pacer.OnSent(12_000, Start);

        Instant release = pacer.NextRelease(PacketBytes, Start);

        Assert.That(release, Is.EqualTo(Start + Ms(0.8)));
        Assert.That(pacer.Allowance(new Instant(release.Ticks - 1)), Is.LessThan(PacketBytes));
        Assert.That(pacer.Allowance(release), Is.EqualTo(PacketBytes));
    }

    [Test]
    public void A_release_is_rounded_up_so_that_waiting_for_it_suffices([Values(7, 1_201, 33_333)] int windowBytes)
    {
        Pacer pacer = Pacing(windowBytes, Ms(77.7777));
        pacer.OnSent(12_000, Start);

        Instant release = pacer.NextRelease(PacketBytes, Start);

        Assert.That(pacer.Allowance(release), Is.GreaterThanOrEqualTo(PacketBytes));
    }

    [Test]
    public void More_than_a_burst_is_released_when_the_burst_is_full()
    {
        Pacer pacer = Pacing(windowBytes: 120_000, Ms(100));
        pacer.OnSent(12_000, Start);

        Assert.That(pacer.NextRelease(1_000_000, Start), Is.EqualTo(Start + Ms(8)));
    }

    [Test]
    public void Looking_often_gains_and_loses_nothing()
    {
        Pacer often = Pacing(windowBytes: 121_111, Ms(77.7));
        Pacer once = Pacing(windowBytes: 121_111, Ms(77.7));
        often.OnSent(12_000, Start);
        once.OnSent(12_000, Start);

        Instant now = Start;

        for (int i = 0; i < 50_000; i++)
        {
            now += OneTick;
            often.Allowance(now);
        }

        Assert.That(often.Allowance(now), Is.EqualTo(once.Allowance(now)));
    }

    [Test]
    public void Packets_that_may_not_wait_are_owed_up_to_one_burst()
    {
        Pacer pacer = Pacing(windowBytes: 120_000, Ms(100));

        pacer.OnSent(1_000_000, Start);

        Assert.That(pacer.NextRelease(PacketBytes, Start), Is.EqualTo(Start + Ms(8.8)));
    }

    [Test]
    public void A_long_silence_earns_one_burst()
    {
        Pacer pacer = Pacing(windowBytes: 1 << 30, Ms(0.0001));
        pacer.OnSent(1 << 20, Start);

        Assert.That(pacer.Allowance(Start + TimeSpan.FromDays(10_000)), Is.EqualTo(pacer.BurstBytes));
    }

    [Test]
    public void A_smaller_window_takes_effect_at_once()
    {
        Pacer pacer = new(PacketBytes, LargeBuffer, Ms(20));
        pacer.OnWindowChanged(120_000, Measured(Ms(100)), Start);

        pacer.OnWindowChanged(12_000, Measured(Ms(100)), Start);

        Assert.That(pacer.Allowance(Start), Is.EqualTo(12_000));
    }

    [Test]
    public void A_peer_buffer_known_later_limits_the_burst()
    {
        Pacer pacer = Pacing(windowBytes: 120_000, Ms(100));

        pacer.OnPeerBufferKnown(8_000);

        Assert.That(pacer.BurstBytes, Is.EqualTo(2_000));
    }

    // Goal: whatever the pattern of sending, no stretch of time carries more than its rate and one burst.
    [Test]
    public void No_stretch_of_time_carries_more_than_its_rate_and_one_burst([Range(1, 10)] int seed)
    {
        Prng draws = new((ulong)seed);
        Pacer pacer = Pacing(windowBytes: 120_000, Ms(100));
        Instant now = Start;
        long sent = 0;

        for (int step = 0; step < 20_000; step++)
        {
            now += new TimeSpan(draws.NextBelow(20_000));

            while (pacer.Allowance(now) >= PacketBytes && draws.NextBelow(10) > 0)
            {
                pacer.OnSent(PacketBytes, now);
                sent += PacketBytes;
            }

            long earned = (long)((now - Start).TotalSeconds * pacer.BytesPerSecond);
            Assert.That(sent, Is.LessThanOrEqualTo(earned + pacer.BurstBytes + 1));
        }

        Assert.That(sent, Is.GreaterThan(0));
    }

    private static Pacer Pacing(int windowBytes, TimeSpan roundTrip)
    {
        Pacer pacer = new(PacketBytes, LargeBuffer, Granularity);
        pacer.OnWindowChanged(windowBytes, Measured(roundTrip), Start);
        return pacer;
    }

    private static RttSample Measured(TimeSpan roundTrip) => new(roundTrip, roundTrip, roundTrip, IsMeasured: true);

    private static TimeSpan Ms(double milliseconds)
        => new((long)Math.Round(milliseconds * TimeSpan.TicksPerMillisecond));
}
