using System.Globalization;
using Gudp.Core.Simulation;

namespace Gudp.Tools.Relay;

/// <summary>What `gudp sim` was asked to do to datagrams, and how its amounts are written.</summary>
internal sealed record ImpairmentOptions
{
    /// <summary>What a chance looks like, for error messages.</summary>
    internal const string ChanceForm = "a percentage from 0% to 100%, such as 5% or 0.1%";

    /// <summary>What a time looks like, for error messages.</summary>
    internal const string SpanForm = "a time such as 20ms, 1.5s or 300us";

    /// <summary>What a rate looks like, for error messages.</summary>
    internal const string RateForm = "bits per second such as 64kbit, 10mbit or 1gbit";

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
    ];

    /// <summary>The same seed hits the same datagrams of each client and direction.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Applied to each direction of each client: a delay of 20 ms adds 40 ms to a round trip.</summary>
    public LinkModel Link { get; init; } = LinkModel.Perfect;

    /// <summary>Reads a chance; see <see cref="ChanceForm"/>.</summary>
    internal static bool TryReadChance(string text, out int partsPerMillion)
    {
        partsPerMillion = 0;

        if (!TryReadAmount(text, [("%", 10_000)], out double amount) || amount > 1_000_000)
        {
            return false;
        }

        partsPerMillion = (int)Math.Round(amount);
        return true;
    }

    /// <summary>Reads a time; see <see cref="SpanForm"/>. At most an hour.</summary>
    internal static bool TryReadSpan(string text, out TimeSpan span)
    {
        bool isRead = TryReadAmount(text, SpanUnits, out double ticks) && ticks <= TimeSpan.TicksPerHour;
        span = isRead ? new TimeSpan((long)Math.Round(ticks)) : TimeSpan.Zero;
        return isRead;
    }

    /// <summary>Reads a rate; see <see cref="RateForm"/>. At least one byte a second.</summary>
    internal static bool TryReadRate(string text, out long bytesPerSecond)
    {
        bool isRead = TryReadAmount(text, RateUnits, out double rate) && rate is >= 1 and <= 1e12;
        bytesPerSecond = isRead ? (long)Math.Round(rate) : 0;
        return isRead;
    }

    private static bool TryReadAmount(string text, (string Unit, double Factor)[] units, out double amount)
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
