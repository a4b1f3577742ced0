using System;
using Gudp.Core;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging.Wire;

/// <summary>
/// Reads the ranges of message ids in MessagesTaken and MessagesRefused, newest first, coded as the ranges of an
/// acknowledgement (RFC 9000 section 19.3.1).
/// </summary>
internal ref struct IdRangeReader
{
    /// <summary>
    /// Most ranges in one frame after the first; more is malformed, so that the work per frame is bounded.
    /// </summary>
    internal const int MostFurtherRanges = 64;

    private ReadOnlySpan<byte> _rest;
    private long _top;
    private long _further;
    private bool _isFirst;

    /// <summary>Reads a body that <see cref="TryMeasure"/> has found whole.</summary>
    internal IdRangeReader(ReadOnlySpan<byte> body)
    {
        _rest = body;
        _top = Number();
        _further = Number();
        _isFirst = true;
    }

    /// <summary>Whether a whole and sensible body stands at the front, and how long it is.</summary>
    internal static bool TryMeasure(ReadOnlySpan<byte> source, out int bytes, out long largest)
    {
        bytes = 0;
        largest = 0;
        int at = 0;

        if (!TryNumber(source, ref at, out largest)
            || !TryNumber(source, ref at, out long further) || further > MostFurtherRanges
            || !TryNumber(source, ref at, out long length) || length > largest)
        {
            return false;
        }

        long smallest = largest - length;

        for (long i = 0; i < further; i++)
        {
            if (!TryNumber(source, ref at, out long gap) || !TryNumber(source, ref at, out length)
                || gap > smallest - 2 || length > smallest - gap - 2)
            {
                return false;
            }

            smallest -= gap + 2 + length;
        }

        bytes = at;
        return true;
    }

    /// <summary>The next range, ids from <c>From</c> up to and without <c>To</c>.</summary>
    internal bool TryNext(out OffsetRange ids)
    {
        ids = default;

        if (!_isFirst)
        {
            if (_further == 0)
            {
                return false;
            }

            _further--;
            _top -= Number() + 2;
        }

        _isFirst = false;
        long smallest = _top - Number();
        ids = new OffsetRange(smallest, _top + 1);
        _top = smallest;
        return true;
    }

    private static bool TryNumber(ReadOnlySpan<byte> source, ref int at, out long value)
    {
        int bytes = VarInt.TryRead(source[at..], out ulong read);
        value = (long)read;
        at += bytes;
        return bytes != 0;
    }

    private long Number()
    {
        int bytes = VarInt.TryRead(_rest, out ulong value);
        _rest = _rest[bytes..];
        return (long)value;
    }
}
