using System;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading;
using Microsoft.Win32.SafeHandles;

namespace Gudp.Core.Sockets;

/// <summary>
/// Waits by Linux's ppoll, to the nanosecond as far as the kernel's timers go. The bell is an event descriptor.
/// </summary>
internal sealed unsafe class PollWaiter : ISocketWaiter
{
    private const long LongestWaitSeconds = 30 * 60;
    private const int NanosecondsPerTick = 100;

    private readonly SafeFileHandle _bell;
    private PollEntry[] _entries = new PollEntry[8];
    private ReadyList? _many;

    /// <exception cref="SocketException">The process has no descriptor left, or may not have one of this kind.</exception>
    internal PollWaiter()
    {
        int descriptor = LinuxCalls.OpenEvent(0, LinuxCalls.EventFlags);

        if (descriptor < 0)
        {
            throw new SocketException(
                (int)SocketError.TooManyOpenSockets,
                $"There is no event descriptor: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
        }

        _bell = new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Waited for in place of single sockets, from the next wait on. Any thread.</summary>
    internal ReadyList? Many
    {
        get => Volatile.Read(ref _many);
        set => Volatile.Write(ref _many, value);
    }

    public bool Wait(Socket[] sockets, TimeSpan limit)
    {
        ReadyList? many = Many;
        int count = 1 + (many is null ? sockets.Length : 1);

        if (_entries.Length < count)
        {
            _entries = new PollEntry[2 * count];
        }

        // Held over the wait, so that a number closed meanwhile is not given to another file that would be watched.
        int held = 0;

        try
        {
            for (; held < count; held++)
            {
                bool isHeld = false;
                SafeHandle handle = HandleAt(sockets, many, held);
                handle.DangerousAddRef(ref isHeld);
                _entries[held] = new PollEntry
                {
                    Descriptor = (int)handle.DangerousGetHandle(),
                    Asked = LinuxCalls.Readable,
                };
            }

            return Poll(count, limit);
        }
        catch (ObjectDisposedException)
        {
            // Its owner learns that from the next call on it.
            return true;
        }
        finally
        {
            for (int i = 0; i < held; i++)
            {
                HandleAt(sockets, many, i).DangerousRelease();
            }
        }
    }

    public void Ring()
    {
        ulong one = 1;
        _ = LinuxCalls.Write(_bell, &one, sizeof(ulong));
    }

    public void Dispose() => _bell.Dispose();

    // The bell first.
    private SafeHandle HandleAt(Socket[] sockets, ReadyList? many, int index)
        => index == 0 ? _bell : many?.Handle ?? sockets[index - 1].SafeHandle;

    private bool Poll(int count, TimeSpan limit)
    {
        long seconds = limit <= TimeSpan.Zero ? 0 : limit.Ticks / TimeSpan.TicksPerSecond;
        SystemSpan span = new()
        {
            Seconds = (nint)Math.Min(seconds, LongestWaitSeconds),
            Nanoseconds = limit <= TimeSpan.Zero
                ? 0
                : (nint)(limit.Ticks % TimeSpan.TicksPerSecond * NanosecondsPerTick),
        };
        int ready;

        fixed (PollEntry* entries = _entries)
        {
            ready = LinuxCalls.Poll(entries, count, &span, null);
        }

        if (_entries[0].Found != 0)
        {
            ulong rings;
            _ = LinuxCalls.Read(_bell, &rings, sizeof(ulong));
        }

        // A signal may have ended it early: look, it costs nothing.
        return ready != 0;
    }
}
