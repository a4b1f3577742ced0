using Gudp.Core;
using Gudp.Core.Congestion;
using NUnit.Framework;

namespace Gudp.Tests.Core;

// P-5.6: when losses are too many.
[TestFixture]
public sealed class BbrPathTests
{
    private const int PacketBytes = 1200;
    private const int QuarterPpm = 250_000;

    // A fifth is lost by chance: n / 5 + 3 sqrt(0.16 n), and a quarter at least.
    [TestCase(10, 5, false)]
    [TestCase(10, 6, true)]
    [TestCase(100, 32, false)]
    [TestCase(100, 33, true)]
    [TestCase(10_000, 2_500, false)]
    [TestCase(10_000, 2_501, true)]
    public void More_than_the_bound_are_too_many_if_chance_does_not_explain_them(int packets, int lost, bool expected)
    {
        BbrPath path = new(PacketBytes, QuarterPpm);
        Lose(path, 200_000);

        bool isTooLossy = path.IsTooLossy(lost * PacketBytes, packets * PacketBytes);

        Assert.That(isTooLossy, Is.EqualTo(expected));
    }

    [TestCase(3, true)]
    [TestCase(2, false)]
    public void On_a_path_that_lost_nothing_the_bound_alone_decides(int lost, bool expected)
    {
        BbrPath path = new(PacketBytes, lossBoundPpm: 20_000);
        Lose(path, 0);

        Assert.That(path.IsTooLossy(lost * PacketBytes, 100 * PacketBytes), Is.EqualTo(expected));
    }

    [Test]
    public void Larger_packets_are_fewer_and_say_less()
    {
        const int Flight = 100 * PacketBytes;
        const int Lost = 33 * PacketBytes;
        BbrPath path = new(PacketBytes, QuarterPpm);
        Lose(path, 200_000);
        bool before = path.IsTooLossy(Lost, Flight);

        path.OnPacketSizeChanged(4 * PacketBytes);

        Assert.That(before, Is.True);
        Assert.That(path.IsTooLossy(Lost, Flight), Is.False);
    }

    [Test]
    public void As_much_more_leaves_as_chance_takes_and_no_more_than_the_bound()
    {
        BbrPath fifth = new(PacketBytes, QuarterPpm);
        BbrPath half = new(PacketBytes, QuarterPpm);
        BbrPath clean = new(PacketBytes, QuarterPpm);
        Lose(fifth, 200_000);
        Lose(half, 500_000);

        Assert.That(fifth.WithLosses(800), Is.EqualTo(1_000));
        Assert.That(half.WithLosses(750), Is.EqualTo(1_000));
        Assert.That(clean.WithLosses(750), Is.EqualTo(750));
    }

    // Two blocks of this share.
    private static void Lose(BbrPath path, int ppm)
    {
        const int Bytes = 256 * PacketBytes;
        int lost = (int)((long)Bytes * ppm / 1_000_000);
        TimeSpan span = TimeSpan.FromMilliseconds(40);
        RttSample rtt = new(span, span, span, IsMeasured: true);

        for (int i = 1; i <= 2; i++)
        {
            AckReport report = new(
                rtt, 0, Bytes - lost, lost, i * (Bytes - lost), HasPacket: false, Mark: default, 0, i * lost);
            path.OnReport(report, isProbing: true, Bytes, new Instant(i));
        }
    }
}
