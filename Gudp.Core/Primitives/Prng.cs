using System;
using System.Numerics;

namespace Gudp.Core;

/// <summary>
/// Seeded pseudo-random numbers, the same on every platform: xoshiro256** seeded by SplitMix64 (Blackman and Vigna).
/// For schedules and simulation; never for anything a stranger must not guess, see <see cref="ISecretSource"/>.
/// </summary>
/// <remarks>One thread at a time.</remarks>
public sealed class Prng
{
    private ulong _a;
    private ulong _b;
    private ulong _c;
    private ulong _d;

    /// <summary>A generator whose whole sequence follows from <paramref name="seed"/>.</summary>
    public Prng(ulong seed)
    {
        ulong state = seed;
        _a = SplitMix(ref state);
        _b = SplitMix(ref state);
        _c = SplitMix(ref state);
        _d = SplitMix(ref state);
    }

    /// <summary>
    /// An independent generator for <paramref name="stream"/>. It depends only on the seed and the stream's number
    /// if taken before the first draw, so that a draw added elsewhere does not shift this one.
    /// </summary>
    public Prng Split(ulong stream)
    {
        ulong mixed = _a ^ BitOperations.RotateLeft(_c, 31) ^ (stream * 0x9E37_79B9_7F4A_7C15);
        return new Prng(mixed);
    }

    /// <summary>64 uniform bits.</summary>
    public ulong NextUInt64()
    {
        ulong result = BitOperations.RotateLeft(_b * 5, 7) * 9;
        ulong shifted = _b << 17;

        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= shifted;
        _d = BitOperations.RotateLeft(_d, 45);

        return result;
    }

    /// <summary>A uniform number from 0 up to and without <paramref name="limit"/>.</summary>
    /// <param name="limit">1 or more.</param>
    public long NextBelow(long limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return (long)Math.BigMul(NextUInt64(), (ulong)limit, out _);
    }

    /// <summary>A uniform number from <paramref name="least"/> to <paramref name="most"/>, both included.</summary>
    public long NextBetween(long least, long most) => least + NextBelow(checked(most - least + 1));

    /// <summary>True in <paramref name="partsPerMillion"/> of a million draws.</summary>
    public bool NextChance(int partsPerMillion) => NextBelow(1_000_000) < partsPerMillion;

    private static ulong SplitMix(ref ulong state)
    {
        ulong z = state += 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
