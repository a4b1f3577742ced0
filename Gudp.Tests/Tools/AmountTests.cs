using Gudp.Tools.Arguments;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

[TestFixture]
public sealed class AmountTests
{
    [TestCase("5%", 50_000)]
    [TestCase("0.1%", 1_000)]
    [TestCase("0%", 0)]
    [TestCase("100%", 1_000_000)]
    public void A_chance_is_a_percentage(string text, int expected)
    {
        bool isRead = Amount.TryReadChance(text, out int partsPerMillion);

        Assert.That((isRead, partsPerMillion), Is.EqualTo((true, expected)));
    }

    [TestCase("5")]
    [TestCase("101%")]
    [TestCase("-1%")]
    [TestCase("%")]
    [TestCase("NaN%")]
    [TestCase("")]
    public void Another_text_is_no_chance(string text)
        => Assert.That(Amount.TryReadChance(text, out _), Is.False);

    [TestCase("20ms", 20_000)]
    [TestCase("1.5s", 1_500_000)]
    [TestCase("300us", 300)]
    [TestCase("0ms", 0)]
    public void A_time_has_a_unit(string text, long microseconds)
    {
        bool isRead = Amount.TryReadSpan(text, out TimeSpan span);

        Assert.That((isRead, span), Is.EqualTo((true, TimeSpan.FromMicroseconds(microseconds))));
    }

    [TestCase("20")]
    [TestCase("20m")]
    [TestCase("-1ms")]
    [TestCase("2h")]
    [TestCase("3601s")]
    public void Another_text_is_no_time(string text)
        => Assert.That(Amount.TryReadSpan(text, out _), Is.False);

    [TestCase("64kbit", 8_000)]
    [TestCase("10Mbit", 1_250_000)]
    [TestCase("1gbit", 125_000_000)]
    [TestCase("8000B/s", 8_000)]
    [TestCase("64KB/s", 64_000)]
    [TestCase("1.25mb/s", 1_250_000)]
    public void A_rate_is_in_bits_or_bytes_and_becomes_bytes(string text, long expected)
    {
        bool isRead = Amount.TryReadRate(text, out long bytesPerSecond);

        Assert.That((isRead, bytesPerSecond), Is.EqualTo((true, expected)));
    }

    [TestCase("0kbit")]
    [TestCase("10")]
    [TestCase("10mb")]
    [TestCase("0.5B/s")]
    [TestCase("9999GB/s")]
    [TestCase("1MB/min")]
    public void Another_text_is_no_rate(string text)
        => Assert.That(Amount.TryReadRate(text, out _), Is.False);

    [TestCase("1400B", 1_400)]
    [TestCase("64KB", 64_000)]
    [TestCase("1.5mb", 1_500_000)]
    [TestCase("0B", 0)]
    public void A_size_has_a_unit(string text, int expected)
    {
        bool isRead = Amount.TryReadSize(text, out int bytes);

        Assert.That((isRead, bytes), Is.EqualTo((true, expected)));
    }

    [TestCase("1400")]
    [TestCase("64kbit")]
    [TestCase("3GB")]
    [TestCase("B")]
    public void Another_text_is_no_size(string text)
        => Assert.That(Amount.TryReadSize(text, out _), Is.False);
}
