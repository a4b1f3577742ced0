using System;
using System.Runtime.InteropServices;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Memory;

namespace Gudp.Messaging.Lanes;

/// <summary>
/// Whole messages of at most one datagram, one after the other in a ring of bytes: how unreliable messages wait to be
/// sent, and to be read.
/// </summary>
/// <remarks>
/// One writer and one reader at a time; whoever has several threads on a side lets them in one by one. Positions are
/// published with release and read with acquire. Always true: <c>released &lt;= published</c>, and they are at most
/// the ring apart; a record stands on a 4-byte boundary and does not cross the ring's end.
/// </remarks>
internal sealed class DatagramQueue
{
    private const int LengthBytes = 4;

    // In place of a length: the rest of the ring up to its end is empty.
    private const int RestIsEmpty = -1;

    private readonly MessageMemory _memory;
    private readonly int _capacity;
    private byte[]? _ring;
    private long _published;
    private long _released;

    internal DatagramQueue(MessageMemory memory, int capacity)
    {
        _memory = memory;
        _capacity = capacity;
    }

    internal bool IsEmpty => Volatile.Read(ref _released) == Volatile.Read(ref _published);

    /// <summary>Bytes between the writer and the reader. Any thread.</summary>
    internal long WaitingBytes => Math.Max(0, Volatile.Read(ref _published) - Volatile.Read(ref _released));

    /// <summary>How much of the ring they take, 0 to 1000. Any thread.</summary>
    internal int FilledPermille => (int)Math.Min(1000, WaitingBytes * 1000 / _capacity);

    /// <summary>Writer only. Copies the message in.</summary>
    /// <returns>Accepted, LaneFull, or which budget has no memory for the ring.</returns>
    internal SendStatus TryAdd(ReadOnlySpan<byte> message)
    {
        if (_ring is null)
        {
            SendStatus rented = _memory.TryRent(_capacity, out byte[] ring);

            if (rented != SendStatus.Accepted)
            {
                return rented;
            }

            _ring = ring;
        }

        int bytes = (LengthBytes + message.Length + LengthBytes - 1) & -LengthBytes;
        int index = (int)(_published & (_capacity - 1));
        int toEnd = _capacity - index;
        int padding = bytes > toEnd ? toEnd : 0;

        if (bytes + padding > _capacity - (_published - Volatile.Read(ref _released)))
        {
            return SendStatus.LaneFull;
        }

        if (padding > 0)
        {
            MemoryMarshal.Write(_ring.AsSpan(index), RestIsEmpty);
            index = 0;
        }

        MemoryMarshal.Write(_ring.AsSpan(index), message.Length);
        message.CopyTo(_ring.AsSpan(index + LengthBytes));
        Volatile.Write(ref _published, _published + padding + bytes);
        return SendStatus.Accepted;
    }

    /// <summary>Reader only. The oldest message, in place; it stays until <see cref="Release"/>.</summary>
    internal bool TryPeek(out ReadOnlySpan<byte> message)
    {
        long published = Volatile.Read(ref _published);
        message = default;

        if (_released == published || _ring is null)
        {
            return false;
        }

        int index = (int)(_released & (_capacity - 1));
        int length = MemoryMarshal.Read<int>(_ring.AsSpan(index));

        if (length == RestIsEmpty)
        {
            Volatile.Write(ref _released, _released + _capacity - index);
            index = 0;
            length = MemoryMarshal.Read<int>(_ring);
        }

        message = _ring.AsSpan(index + LengthBytes, length);
        return true;
    }

    /// <summary>Reader only. Gives up the message last peeked.</summary>
    internal void Release()
    {
        Invariant.Require(_ring is not null && _released < _published, "Only a message that was peeked is released.");
        int length = MemoryMarshal.Read<int>(_ring.AsSpan((int)(_released & (_capacity - 1))));
        int bytes = (LengthBytes + length + LengthBytes - 1) & -LengthBytes;
        Volatile.Write(ref _released, _released + bytes);
    }

    /// <summary>When neither side will come back. May be called again.</summary>
    internal void ReturnMemory()
    {
        if (_ring is { } ring)
        {
            _ring = null;
            Volatile.Write(ref _released, _published);
            _memory.Return(ring);
        }
    }
}
