using System.Globalization;

namespace Gudp.Tools.Output;

/// <summary>Amounts as people read them, the same in every culture.</summary>
internal static class Units
{
    private static readonly string[] ByteUnits = ["B", "KB", "MB", "GB", "TB"];

    /// <summary>"999 B", "1.5 KB": decimal units, as disks and networks are sold.</summary>
    internal static string Bytes(double bytes)
    {
        int unit = 0;

        while (bytes >= 999.95 && unit < ByteUnits.Length - 1)
        {
            bytes /= 1000;
            unit++;
        }

        string format = unit == 0 ? "0" : "0.0";
        return Format(bytes, format, ByteUnits[unit]);
    }

    /// <summary>"12.5 MB/s"; "-" while no time has passed.</summary>
    internal static string Rate(long bytes, TimeSpan elapsed)
        => elapsed > TimeSpan.Zero ? Bytes(bytes / elapsed.TotalSeconds) + "/s" : "-";

    /// <summary>"0.059 ms", "20.1 ms", "1.50 s": three digits that matter.</summary>
    internal static string Span(TimeSpan span) => span.TotalMilliseconds switch
    {
        < 10 => Format(span.TotalMilliseconds, "0.000", "ms"),
        < 1000 => Format(span.TotalMilliseconds, "0.0", "ms"),
        _ => Format(span.TotalSeconds, "0.00", "s"),
    };

    /// <summary>"3.1 %" of <paramref name="whole"/>; "0.0 %" of nothing.</summary>
    internal static string Share(long part, long whole)
        => Format(whole == 0 ? 0 : 100.0 * part / whole, "0.0", "%");

    /// <summary>"1,234,567".</summary>
    internal static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static string Format(double value, string format, string unit)
        => value.ToString(format, CultureInfo.InvariantCulture) + " " + unit;
}
