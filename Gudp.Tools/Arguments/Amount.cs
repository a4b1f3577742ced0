using System.Globalization;

namespace Gudp.Tools.Arguments;

/// <summary>Reads amounts with units, the same in every culture: the way back of <see cref="Output.Units"/>.</summary>
/// <remarks>Units are decimal, as disks and networks are sold, and their case does not matter.</remarks>
internal static class Amount
{
    /// <summary>What a chance looks like, for error messages.</summary>
    internal const string ChanceForm = "a percentage from 0% to 100%, such as 5% or 0.1%";

    /// <summary>What a time looks like, for error messages.</summary>
    internal const string SpanForm = "a time such as 20ms, 1.5s or 300us";

    /// <summary>What a rate looks like, for error messages.</summary>
    internal const string RateForm = "a rate in bits or bytes such as 64kbit, 10mbit, 1gbit, 500KB/s or 1.25MB/s";

    /// <summary>What a size looks like, for error messages.</summary>
    internal const string SizeForm = "a size such as 1400B, 64KB or 1.5MB";

    // Names of units, the longer before the shorter that it ends with.
    private static readonly (string Unit, double Ticks)[] SpanUnits =
    [
        ("ms", TimeSpan.TicksPerMillisecond),
        ("us", TimeSpan.TicksPerMicrosecond),
        ("s", TimeSpan.TicksPerSecond),
    ];

    private static readonly (string Unit, double BytesPerSecond)[] RateUnits =
    [
        ("kbit", 1e3 / 8),
        ("mbit", 1e6 / 8),
        ("gbit", 1e9 / 8),
        ("KB/s", 1e3),
        ("MB/s", 1e6),
        ("GB/s", 1e9),
        ("B/s", 1),
    ];

    private static readonly (string Unit, double Bytes)[] SizeUnits =
    [
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("B", 1),
    ];

    /// <summary>Reads a chance; see <see cref="ChanceForm"/>.</summary>
    internal static bool TryReadChance(string text, out int partsPerMillion)
    {
        bool isRead = TryRead(text, [("%", 10_000)], out double amount) && amount <= 1_000_000;
        partsPerMillion = isRead ? (int)Math.Round(amount) : 0;
        return isRead;
    }

    /// <summary>Reads a time; see <see cref="SpanForm"/>. At most an hour.</summary>
    internal static bool TryReadSpan(string text, out TimeSpan span)
    {
        bool isRead = TryRead(text, SpanUnits, out double ticks) && ticks <= TimeSpan.TicksPerHour;
        span = isRead ? new TimeSpan((long)Math.Round(ticks)) : TimeSpan.Zero;
        return isRead;
    }

    /// <summary>Reads a rate; see <see cref="RateForm"/>. At least one byte a second.</summary>
    internal static bool TryReadRate(string text, out long bytesPerSecond)
    {
        bool isRead = TryRead(text, RateUnits, out double rate) && rate is >= 1 and <= 1e12;
        bytesPerSecond = isRead ? (long)Math.Round(rate) : 0;
        return isRead;
    }

    /// <summary>Reads a size; see <see cref="SizeForm"/>. At most 2,147,483,647 bytes.</summary>
    internal static bool TryReadSize(string text, out int bytes)
    {
        bool isRead = TryRead(text, SizeUnits, out double amount) && amount <= int.MaxValue;
        bytes = isRead ? (int)Math.Round(amount) : 0;
        return isRead;
    }

    private static bool TryRead(string text, (string Unit, double Factor)[] units, out double amount)
    {
        amount = 0;

        foreach ((string unit, double factor) in units)
        {
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase))
            {
                bool isRead = double.TryParse(
                    text.AsSpan(0, text.Length - unit.Length),
                    NumberStyles.AllowDecimalPoint,
                    CultureInfo.InvariantCulture,
                    out double number);
                amount = number * factor;

                // The parser knows "NaN" and "Infinity", and no comparison refuses the first.
                return isRead && double.IsFinite(amount);
            }
        }

        return false;
    }
}
