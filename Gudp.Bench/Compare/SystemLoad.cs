using System.Diagnostics;
using System.Globalization;

namespace Gudp.Bench.Compare;

/// <summary>What the whole machine works, and what of it is ours; zero where the system does not tell.</summary>
internal static class SystemLoad
{
    // USER_HZ of Linux on every architecture .NET runs on.
    private const double TicksPerSecond = 100;

    private const string SystemFile = "/proc/stat";
    private const string OwnFile = "/proc/self/stat";
    private const string ClockFile = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    private const int ClockLooks = 100_000;

    // Of the fields behind the program's name: own user and system time, then those of children that have ended.
    private const int FirstTimeField = 11;
    private const int TimeFields = 4;

    // user, nice, system, then idle and iowait, then irq and softirq.
    private static readonly int[] BusyFields = [0, 1, 2, 5, 6];

    /// <summary>Processor time that was not idle, since the machine started.</summary>
    internal static double BusySeconds()
    {
        if (!File.Exists(SystemFile))
        {
            return 0;
        }

        string[] fields = File.ReadLines(SystemFile).First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..];
        return BusyFields.Sum(field => Number(fields[field])) / TicksPerSecond;
    }

    /// <summary>Of this process and of its children that have ended.</summary>
    internal static TimeSpan Ours()
    {
        if (!File.Exists(OwnFile))
        {
            return TimeSpan.Zero;
        }

        string text = File.ReadAllText(OwnFile);
        string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromSeconds(fields.Skip(FirstTimeField).Take(TimeFields).Sum(Number) / TicksPerSecond);
    }

    /// <summary>What the system reads the time from; empty where it does not tell.</summary>
    internal static string ClockName() => File.Exists(ClockFile) ? File.ReadAllText(ClockFile).Trim() : "";

    /// <summary>What a look at the clock costs.</summary>
    internal static double ClockNanoseconds()
    {
        long start = Stopwatch.GetTimestamp();

        for (int i = 0; i < ClockLooks; i++)
        {
            _ = Stopwatch.GetTimestamp();
        }

        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / ClockLooks;
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
