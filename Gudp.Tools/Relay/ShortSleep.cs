using System.Runtime.InteropServices;

namespace Gudp.Tools.Relay;

/// <summary>
/// Waits that are shorter than the framework's, whose finest is a millisecond: what would be late by half of one at each
/// end of a path of 10 ms is a path of 11.
/// </summary>
internal static class ShortSleep
{
    /// <summary>Below this a wait for sockets would be rounded up.</summary>
    internal static readonly TimeSpan FinestWait = TimeSpan.FromMilliseconds(1);

    // The system adds about 50 us of its own, so this is a look every 0.1 ms.
    private static readonly TimeSpan Longest = TimeSpan.FromMicroseconds(50);

    /// <summary>Sleeps for at most about a tenth of a millisecond. Where the system has no such sleep: yields.</summary>
    internal static void Sleep(TimeSpan limit)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            Thread.Yield();
            return;
        }

        TimeSpan span = limit < Longest ? limit : Longest;
        Timespec request = new(0, (nint)span.TotalNanoseconds);

        // Woken early by a signal: the caller looks at its clock anyway.
        _ = Nanosleep(request, IntPtr.Zero);
    }

    [DllImport("libc", EntryPoint = "nanosleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Nanosleep(in Timespec request, IntPtr remaining);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Timespec(nint Seconds, nint Nanoseconds);
}
