using Gudp.Core.Congestion;
using NUnit.Framework;

namespace Gudp.Tests.Core;

// D-5.6: when losses are too many.
[TestFixture]
public sealed class BbrPathTests
{
    private const int PacketBytes = 1200;
    private const int QuarterPpm = 250_000;

    [TestCase(10, 5, false)]
    [TestCase(10, 6, true)]
    [TestCase(100, 33, false)]
    [TestCase(100, 34, true)]
    [TestCase(10_000, 2_586, false)]
    [TestCase(10_000, 2_587, true)]
    public void A_bound_is_exceeded_by_two_standard_deviations_of_so_many_packets(int packets, int lost, bool expected)
    {
        BbrPath path = new(PacketBytes, QuarterPpm);

        bool isTooLossy = path.IsTooLossy(lost * PacketBytes, packets * PacketBytes);

        Assert.That(isTooLossy, Is.EqualTo(expected));
    }

    [Test]
    public void A_bound_of_nothing_is_exceeded_by_the_first_loss()
    {
        BbrPath path = new(PacketBytes, lossBoundPpm: 0);

        Assert.That(path.IsTooLossy(PacketBytes, 100 * PacketBytes), Is.True);
        Assert.That(path.IsTooLossy(0, 100 * PacketBytes), Is.False);
    }

    [Test]
    public void Larger_packets_are_fewer_and_say_less()
    {
        const int Flight = 100 * PacketBytes;
        const int Lost = 34 * PacketBytes;
        BbrPath path = new(PacketBytes, QuarterPpm);
        bool before = path.IsTooLossy(Lost, Flight);

        path.OnPacketSizeChanged(4 * PacketBytes);

        Assert.That(before, Is.True);
        Assert.That(path.IsTooLossy(Lost, Flight), Is.False);
    }
}
