using System;
using System.Diagnostics;
using System.Threading;

namespace Gudp.Core.Buffers;

/// <summary>A rented block of memory. Whoever holds it owns it; passing it on gives it away; returned once.</summary>
internal sealed class PooledBuffer
{
    private readonly BufferPool _home;
    private readonly byte[] _block;
    private int _length;
    private int _isRented;

    internal PooledBuffer(BufferPool home, int level, int blockBytes)
    {
        _home = home;
        Level = level;
        _block = GC.AllocateUninitializedArray<byte>(blockBytes, pinned: true);
    }

    internal int Level { get; }

    /// <summary>As many bytes as were asked for; what they hold at first is undefined.</summary>
    internal Span<byte> Span
    {
        get
        {
            Debug.Assert(_isRented == 1, "The buffer was returned and is still used.");
            return _block.AsSpan(0, _length);
        }
    }

    internal void Return()
    {
        int ownersBefore = Interlocked.Exchange(ref _isRented, 0);
        Invariant.Require(ownersBefore == 1, "A buffer is returned once.");
        _home.TakeBack(this);
    }

    internal void MarkRented(int length)
    {
        int ownersBefore = Interlocked.Exchange(ref _isRented, 1);

        Invariant.Require(ownersBefore == 0, "The pool gave the same buffer to two owners.");
        Invariant.Require(length <= _block.Length, "The pool chose a level that is too small.");

        _length = length;
    }
}
