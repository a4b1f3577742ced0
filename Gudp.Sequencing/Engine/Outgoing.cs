using System;
using System.Buffers;

namespace Gudp.Sequencing.Engine;

/// <summary>One message on its way to a link, in pooled memory. Whoever takes it releases it once.</summary>
internal readonly struct Outgoing
{
    private readonly byte[] _buffer;
    private readonly int _length;

    internal Outgoing(long link, ReadOnlySpan<byte> message, bool closes = false)
    {
        Link = link;
        Closes = closes;
        _length = message.Length;
        _buffer = ArrayPool<byte>.Shared.Rent(_length);
        message.CopyTo(_buffer);
    }

    internal long Link { get; }

    /// <summary>The link is given up after it: its session goes on elsewhere.</summary>
    internal bool Closes { get; }

    internal ReadOnlySpan<byte> Message => _buffer.AsSpan(0, _length);

    internal void Release() => ArrayPool<byte>.Shared.Return(_buffer);
}
