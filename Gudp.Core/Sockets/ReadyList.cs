using System;
using System.Collections.Generic;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Microsoft.Win32.SafeHandles;

namespace Gudp.Core.Sockets;

// Linux's epoll over the sockets of one network: which of thousands have something to read costs what is ready, not what
// is open. Level-triggered: a socket that was not read empty is told again.
//
// Always true:
//   - a socket is in a slot exactly while it is watched, and the kernel knows it by that slot's number;
//   - slots and their numbers change under the lock only; readers see each slot whole, and an empty one means nothing.

/// <summary>Says which sockets can be read. Any thread adds and removes; one at a time asks.</summary>
internal sealed unsafe class ReadyList : IDisposable
{
    // EPOLL_CLOEXEC; EPOLL_CTL_ADD and _DEL; EPOLLIN.
    private const int CloseOnExecute = 0x80000;
    private const int AddOne = 1;
    private const int RemoveOne = 2;
    private const uint Readable = 1;

    private const int FirstSlots = 64;
    private const int MostAtOnce = 256;

    // struct epoll_event is packed on x86-64, and on 32-bit x86 nothing is aligned to more than 4.
    private static readonly int DataOffset
        = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86 ? 4 : 8;
    private static readonly int EventBytes = DataOffset + sizeof(ulong);

    private readonly Lock _gate = new();
    private readonly SafeFileHandle _list;
    private readonly Dictionary<IWatchedSocket, int> _numbers = [];
    private readonly Stack<int> _free = new();
    private IWatchedSocket?[] _slots = new IWatchedSocket?[FirstSlots];
    private int _used;

    private ReadyList(SafeFileHandle list) => _list = list;

    /// <summary>What becomes readable when one of the sockets is: lists can be waited for as sockets are.</summary>
    internal SafeHandle Handle => _list;

    /// <returns>Null if the system has no such list, or no descriptor left.</returns>
    internal static ReadyList? TryMake()
    {
        int descriptor = LinuxCalls.CreateList(CloseOnExecute);
        return descriptor < 0 ? null : new ReadyList(new SafeFileHandle(descriptor, ownsHandle: true));
    }

    /// <returns>False: the system watches no more, or the socket is closed already. It is not in the list then.</returns>
    internal bool TryAdd(IWatchedSocket socket)
    {
        lock (_gate)
        {
            int number = _free.TryPop(out int free) ? free : _used++;

            if (number == _slots.Length)
            {
                IWatchedSocket?[] larger = new IWatchedSocket?[2 * _slots.Length];
                _slots.CopyTo(larger, 0);
                Volatile.Write(ref _slots, larger);
            }

            _numbers.Add(socket, number);
            Volatile.Write(ref _slots[number], socket);

            if (TryChange(AddOne, socket, number))
            {
                return true;
            }

            Clear(socket, number);
            return false;
        }
    }

    /// <summary>Before the socket is closed. Nothing if it is not watched.</summary>
    internal void Remove(IWatchedSocket socket)
    {
        lock (_gate)
        {
            if (_numbers.TryGetValue(socket, out int number))
            {
                Clear(socket, number);

                // The kernel forgets a closed one by itself.
                TryChange(RemoveOne, socket, number);
            }
        }
    }

    /// <summary>The marks of sockets that can be read now, in turn when there are more than fit.</summary>
    /// <returns>How many were filled in; -1: the list was disposed meanwhile.</returns>
    internal int Take(Span<object?> marks)
    {
        byte* events = stackalloc byte[MostAtOnce * 16];
        int found;

        try
        {
            found = LinuxCalls.WaitForList(_list, events, Math.Min(marks.Length, MostAtOnce), 0);
        }
        catch (ObjectDisposedException)
        {
            return -1;
        }

        IWatchedSocket?[] slots = Volatile.Read(ref _slots);
        int count = 0;

        for (int i = 0; i < found; i++)
        {
            ulong number = Unsafe.ReadUnaligned<ulong>(events + (i * EventBytes) + DataOffset);

            // Removed meanwhile, or not marked yet: it is told again if it is still there.
            if (number < (ulong)slots.Length && Volatile.Read(ref slots[number])?.Mark is { } mark)
            {
                marks[count++] = mark;
            }
        }

        return count;
    }

    public void Dispose() => _list.Dispose();

    private void Clear(IWatchedSocket socket, int number)
    {
        _numbers.Remove(socket);
        Volatile.Write(ref _slots[number], null);
        _free.Push(number);
    }

    private bool TryChange(int what, IWatchedSocket socket, int number)
    {
        byte* entry = stackalloc byte[16];
        Unsafe.WriteUnaligned(entry, Readable);
        Unsafe.WriteUnaligned(entry + DataOffset, (ulong)number);

        try
        {
            return LinuxCalls.ChangeList(_list, what, socket.Socket.SafeHandle, entry) == 0;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }
}

/// <summary>A network that can say which of many sockets have something to read.</summary>
internal interface IReadySockets
{
    /// <summary>The leader. The marks of those sockets (<see cref="IWatchedSocket.Mark"/>).</summary>
    /// <param name="marks">Where they go.</param>
    /// <returns>How many; -1: there are few, or nobody knows. Ask each.</returns>
    int TakeReady(Span<object?> marks);
}
