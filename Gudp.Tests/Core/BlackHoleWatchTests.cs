using Gudp.Core;
using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Telling a path that has shrunk from one that is congested (P-9.3).</summary>
[TestFixture]
public sealed class BlackHoleWatchTests
{
    private const int Large = 1_452;
    private const int Small = 1_200;

    private BlackHoleWatch _watch = new();
    private Instant _now;

    [SetUp]
    public void BeginAnew()
    {
        _watch = new BlackHoleWatch();
        _now = new Instant(TimeSpan.TicksPerSecond);
    }

    [Test]
    public void Three_bursts_of_large_packets_alone_are_believed()
    {
        bool first = Burst(Large, Large, Large);
        bool second = Burst(Large);
        bool third = Burst(Large, Large);

        Assert.That((first, second, third), Is.EqualTo((false, false, true)));
        Assert.That(_watch.IsSuspicious, Is.False, "What was believed is settled.");
    }

    [Test]
    public void A_burst_that_takes_small_packets_too_is_congestion()
    {
        bool isBelieved = false;

        for (int i = 0; i < 10; i++)
        {
            isBelieved |= Burst(Large, Small, Large);
        }

        Assert.That(isBelieved, Is.False);
    }

    [Test]
    public void Each_suspicion_asks_for_one_proof_and_an_end_of_the_suspicion_for_none()
    {
        Burst(Large);
        bool isAskedFirst = _watch.WantsProof;
        _watch.OnProofSent();
        bool isAskedTwice = _watch.WantsProof;
        Burst(Large);
        bool isAskedAgain = _watch.WantsProof;
        _watch.OnAcked(Large);

        Assert.That((isAskedFirst, isAskedTwice, isAskedAgain), Is.EqualTo((true, false, true)));
        Assert.That(_watch.WantsProof, Is.False);
    }

    [Test]
    public void One_large_packet_that_arrives_clears_the_suspicion()
    {
        bool isBelieved = false;

        for (int i = 0; i < 10; i++)
        {
            isBelieved |= Burst(Large);
            isBelieved |= Burst(Large);
            _watch.OnAcked(Large);
        }

        Assert.That(isBelieved, Is.False);
    }

    [Test]
    public void A_small_packet_that_arrives_clears_nothing()
    {
        Burst(Large);
        Burst(Large);
        _watch.OnAcked(Small);

        Assert.That(Burst(Large), Is.True);
    }

    [Test]
    public void One_flight_counts_once_however_many_acks_tell_of_its_loss()
    {
        Instant sentAt = _now;
        bool isBelieved = false;

        for (int i = 0; i < 10; i++)
        {
            _now += TimeSpan.FromMilliseconds(1);
            _watch.OnLost(Large, sentAt);
            isBelieved |= _watch.EndBurst(_now);
        }

        Assert.That(isBelieved, Is.False);
        Assert.That(_watch.IsSuspicious, Is.True);
    }

    private bool Burst(params int[] sizes)
    {
        Instant sentAt = _now + TimeSpan.FromMilliseconds(10);
        _now += TimeSpan.FromMilliseconds(50);

        foreach (int bytes in sizes)
        {
            _watch.OnLost(bytes, sentAt);
        }

        return _watch.EndBurst(_now);
    }
}
