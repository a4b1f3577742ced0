using System;
using System.Globalization;
using System.Linq;

namespace Gudp.Core.Config;

/// <summary>How values of a config look as text. What is written here can be read here and is the same value.</summary>
internal static class ConfigText
{
    internal const string DurationForms = "a number with us, ms, s, min or h, such as 250ms";
    internal const string BytesForms = "a whole number of bytes or one with KB, MB or GB, such as 64KB";
    internal const string FewBytesForms = BytesForms + ", below 2GB";
    internal const string NumberForms = "a whole number";
    internal const string PeerIdForms = "1 to 32 hexadecimal digits";
    internal const string FlagForms = "true or false";

    // Largest first: writing picks the first unit that leaves a whole number.
    private static readonly (string Unit, long Ticks)[] Durations =
    [
        ("h", TimeSpan.TicksPerHour),
        ("min", TimeSpan.TicksPerMinute),
        ("s", TimeSpan.TicksPerSecond),
        ("ms", TimeSpan.TicksPerMillisecond),
        ("us", TimeSpan.TicksPerMicrosecond),
    ];

    private static readonly (string Unit, long Bytes)[] Sizes =
    [
        ("GB", 1L << 30),
        ("MB", 1L << 20),
        ("KB", 1L << 10),
        ("B", 1),
        ("", 1),
    ];

    internal static string Write(TimeSpan value)
    {
        if (value == TimeSpan.Zero)
        {
            return "0s";
        }

        foreach ((string unit, long ticks) in Durations)
        {
            if (value.Ticks % ticks == 0)
            {
                return (value.Ticks / ticks).ToString(CultureInfo.InvariantCulture) + unit;
            }
        }

        decimal microseconds = (decimal)value.Ticks / TimeSpan.TicksPerMicrosecond;
        return microseconds.ToString(CultureInfo.InvariantCulture) + "us";
    }

    internal static bool TryRead(string text, out TimeSpan value)
    {
        const NumberStyles Style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign;
        ReadOnlySpan<char> number = SplitUnit(text, out ReadOnlySpan<char> unit);
        value = default;

        foreach ((string name, long ticks) in Durations)
        {
            if (!unit.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            if (!decimal.TryParse(number, Style, CultureInfo.InvariantCulture, out decimal amount)
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
        ReadOnlySpan<char> number = SplitUnit(text, out ReadOnlySpan<char> unit);
        value = 0;

        foreach ((string name, long bytes) in Sizes)
        {
            if (!unit.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            if (!long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long amount)
                || amount > long.MaxValue / bytes || amount < long.MinValue / bytes)
            {
                return false;
            }

            value = amount * bytes;
            return true;
        }

        return false;
    }

    internal static bool TryReadBytes(string text, out int value)
    {
        bool isReadable = TryReadBytes(text, out long bytes) && bytes is >= int.MinValue and <= int.MaxValue;
        value = isReadable ? (int)bytes : 0;
        return isReadable;
    }

    internal static bool TryReadIdentifier(string text, out ulong value)
        => text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    /// <summary>By name only: a number that happens to be a value's number would say nothing to a reader.</summary>
    internal static bool TryRead<TEnum>(string text, out TEnum value)
        where TEnum : struct, Enum
        => Enum.TryParse(text, ignoreCase: true, out value) && Enum.IsDefined(value) && text.All(char.IsLetterOrDigit)
            && char.IsLetter(text[0]);

    private static ReadOnlySpan<char> SplitUnit(string text, out ReadOnlySpan<char> unit)
    {
        int end = text.AsSpan().LastIndexOfAnyInRange('0', '9') + 1;
        unit = text.AsSpan(end).Trim();
        return text.AsSpan(0, end);
    }
}
