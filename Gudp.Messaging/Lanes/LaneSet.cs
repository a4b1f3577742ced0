using System.Numerics;
using System.Runtime.CompilerServices;
using System.Threading;

namespace Gudp.Messaging.Lanes;

/// <summary>A set of lane numbers, 0 to 255.</summary>
/// <remarks>
/// One bit a lane in four words. The Atomic members may be called by any thread on a shared field; a reader on another
/// thread sees each word whole, not all four at one moment.
/// </remarks>
internal struct LaneSet
{
    /// <summary>So many lanes a connection has at most in each direction.</summary>
    internal const int MostLanes = 256;

    private const int Words = MostLanes / 64;

    private Bits _bits;

    internal readonly bool IsEmpty
    {
        get
        {
            ulong any = 0;

            for (int i = 0; i < Words; i++)
            {
                any |= Volatile.Read(in _bits[i]);
            }

            return any == 0;
        }
    }

    internal readonly bool Contains(int lane) => (Volatile.Read(in _bits[lane >> 6]) & (1UL << lane)) != 0;

    /// <summary>Whether the lane and no other is in it.</summary>
    internal readonly bool IsOnly(int lane)
    {
        ulong others = 0;

        for (int i = 0; i < Words; i++)
        {
            others |= Volatile.Read(in _bits[i]) ^ (i == lane >> 6 ? 1UL << lane : 0);
        }

        return others == 0;
    }

    internal void Add(int lane) => _bits[lane >> 6] |= 1UL << lane;

    internal void Remove(int lane) => _bits[lane >> 6] &= ~(1UL << lane);

    internal void Clear() => _bits = default;

    /// <summary>Any thread. A full fence.</summary>
    internal void AddAtomic(int lane) => Interlocked.Or(ref _bits[lane >> 6], 1UL << lane);

    /// <summary>Any thread. A full fence.</summary>
    internal void RemoveAtomic(int lane) => Interlocked.And(ref _bits[lane >> 6], ~(1UL << lane));

    /// <summary>The next member at or after <paramref name="from"/>; -1 if there is none.</summary>
    internal readonly int Next(int from)
    {
        for (int word = from >> 6; word < Words; word++)
        {
            ulong bits = Volatile.Read(in _bits[word]);
            bits = word == from >> 6 ? bits & (ulong.MaxValue << from) : bits;

            if (bits != 0)
            {
                return (word << 6) + BitOperations.TrailingZeroCount(bits);
            }
        }

        return -1;
    }

    [InlineArray(Words)]
    private struct Bits
    {
        private ulong _first;
    }
}
