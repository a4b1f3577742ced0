using System;
using System.Globalization;

namespace Gudp.Core.Config;

/// <summary>How values of a config look as text. What is written here can be read here and is the same value.</summary>
internal static class ConfigText
{
    internal const string DurationForms = "a number with us, ms, s, min or h, such as 250ms";
    internal const string BytesForms = "a whole number of bytes or one with KB, MB or GB, such as 64KB";
    internal const string NumberForms = "a whole number";
    internal const string FlagForms = "true or false";

    // Largest first: writing picks the first unit that leaves a whole number.
    private static readonly (string Unit, long Ticks)[] Durations =
    [
        ("h", TimeSpan.TicksPerHour),
        ("min", TimeSpan.TicksPerMinute),
        ("ms", TimeSpan.TicksPerMillisecond),
        ("us", TimeSpan.TicksPerMicrosecond),
        ("s", TimeSpan.TicksPerSecond),
    ];

    private static readonly (string Unit, long Bytes)[] Sizes =
    [
        ("GB", 1L << 30),
        ("MB", 1L << 20),
        ("KB", 1L << 10),
        ("B", 1),
    ];

    internal static string Write(TimeSpan value)
    {
        ReadOnlySpan<(string Unit, long Ticks)> bySize = [Durations[0], Durations[1], Durations[4], Durations[2]];

        foreach ((string unit, long ticks) in bySize)
        {
            if (value.Ticks % ticks == 0 && (value.Ticks != 0 || unit == "s"))
            {
                return (value.Ticks / ticks).ToString(CultureInfo.InvariantCulture) + unit;
            }
        }

        decimal microseconds = (decimal)value.Ticks / TimeSpan.TicksPerMicrosecond;
        return microseconds.ToString(CultureInfo.InvariantCulture) + "us";
    }

    internal static bool TryRead(string text, out TimeSpan value)
    {
        value = default;

        foreach ((string unit, long ticks) in Durations)
        {
            if (!text.EndsWith(unit, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            ReadOnlySpan<char> number = text.AsSpan(0, text.Length - unit.Length).TrimEnd();

            if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign,
                CultureInfo.InvariantCulture, out decimal amount)
                || Math.Abs(amount) > long.MaxValue / ticks)
            {
                return false;
            }

            value = TimeSpan.FromTicks((long)(amount * ticks));
            return true;
        }

        return false;
    }

    internal static string WriteBytes(long value)
    {
        foreach ((string unit, long bytes) in Sizes)
        {
            if (bytes > 1 && value != 0 && value % bytes == 0)
            {
                return (value / bytes).ToString(CultureInfo.InvariantCulture) + unit;
            }
        }

        return value.ToString(CultureInfo.InvariantCulture);
    }

    internal static bool TryReadBytes(string text, out long value)
    {
        long factor = 1;
        ReadOnlySpan<char> number = text;

        foreach ((string unit, long bytes) in Sizes)
        {
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase))
            {
                factor = bytes;
                number = number[..^unit.Length].TrimEnd();
                break;
            }
        }

        if (!long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)
            || value > long.MaxValue / factor || value < long.MinValue / factor)
        {
            value = 0;
            return false;
        }

        value *= factor;
        return true;
    }

    internal static bool TryReadIdentifier(string text, out ulong value)
        => text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    /// <summary>By name only: a number that happens to be a value's number would say nothing to a reader.</summary>
    internal static bool TryRead<TEnum>(string text, out TEnum value)
        where TEnum : struct, Enum
        => Enum.TryParse(text, ignoreCase: true, out value) && Enum.IsDefined(value) && char.IsLetter(text[0]);
}
