using System.Globalization;

namespace Gudp.Tools.Arguments;

/// <summary>Reads amounts with their unit, the same in every culture.</summary>
internal static class Amount
{
    private const int PpmPerPercent = 10_000;

    // Longest first: "ms" ends with "s" too.
    private static readonly (string Unit, decimal Ticks)[] SpanUnits =
    [
        ("ms", TimeSpan.TicksPerMillisecond),
        ("us", TimeSpan.TicksPerMicrosecond),
        ("min", TimeSpan.TicksPerMinute),
        ("s", TimeSpan.TicksPerSecond),
    ];

    /// <summary>"5%", "0.25%" or "5": a share from 0 to 100 percent, as parts per million.</summary>
    internal static bool TryParsePercent(string text, out int partsPerMillion)
    {
        partsPerMillion = 0;
        string number = text.EndsWith('%') ? text[..^1] : text;

        if (!TryParseNumber(number, out decimal percent) || percent > 100)
        {
            return false;
        }

        partsPerMillion = (int)Math.Round(percent * PpmPerPercent);
        return true;
    }

    /// <summary>"20ms", "1.5s", "800us", "2min" or "0": a span from 0 to an hour.</summary>
    internal static bool TryParseSpan(string text, out TimeSpan span)
    {
        span = TimeSpan.Zero;

        if (text == "0")
        {
            return true;
        }

        foreach ((string unit, decimal ticksPerUnit) in SpanUnits)
        {
            if (!text.EndsWith(unit, StringComparison.Ordinal))
            {
                continue;
            }

            if (!TryParseNumber(text[..^unit.Length], out decimal count)
                || count > TimeSpan.TicksPerHour / ticksPerUnit)
            {
                return false;
            }

            span = new TimeSpan((long)(count * ticksPerUnit));
            return true;
        }

        return false;
    }

    private static bool TryParseNumber(string text, out decimal number)
        => decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
}
