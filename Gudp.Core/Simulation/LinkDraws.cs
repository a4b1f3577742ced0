using System;

namespace Gudp.Core.Simulation;

// What happens to datagram number k of one direction. Every draw is a keyed hash of (seed, direction, k, purpose) and
// of nothing else: no draw depends on how many were made before, on another direction, or on time. So the simulator
// and the relay between real programs hit the same datagrams, and a fault that is switched off moves no other.

/// <summary>Decides the fate of each datagram of one direction, from a seed.</summary>
/// <remarks>A pure function: any thread, any order, the same answer each time.</remarks>
public readonly struct LinkDraws
{
    /// <summary>The most datagrams one burst can take; each decision looks back over as many.</summary>
    public const int LongestBurstPackets = 64;

    private const int Million = 1_000_000;
    private const ulong GoldenRatio = 0x9E37_79B9_7F4A_7C15;

    private readonly ulong _key;

    /// <summary>The draws of one direction.</summary>
    /// <param name="seed">Of the whole run.</param>
    /// <param name="direction">Any number that names this direction and no other of the run.</param>
    public LinkDraws(ulong seed, ulong direction) => _key = Mix(Mix(seed + GoldenRatio) ^ direction);

    private enum Purpose
    {
        Loss = 1,
        BurstStart,
        BurstLength,
        Duplicate,
        DuplicateBy,
        Reorder,
        Corrupt,
        Damage,
        Jitter,
        CopyJitter,
        Clog,
    }

    /// <summary>What happens to datagram <paramref name="packet"/>.</summary>
    /// <param name="model">
    /// Chances and times. Its cut, outages, rate and sizes are not looked at: they need no draw.
    /// </param>
    /// <param name="packet">The datagram's number in its direction, from 0.</param>
    public PacketFate Decide(LinkModel model, long packet)
    {
        ArgumentNullException.ThrowIfNull(model);

        if (Happens(packet, Purpose.Loss, model.LossPpm) || IsInBurst(model, packet))
        {
            return new PacketFate { IsLost = true };
        }

        bool isReordered = Happens(packet, Purpose.Reorder, model.ReorderPpm);
        TimeSpan held = isReordered ? model.ReorderBy : TimeSpan.Zero;

        return new PacketFate
        {
            IsDuplicated = Happens(packet, Purpose.Duplicate, model.DuplicatePpm),
            IsReordered = isReordered,
            IsCorrupted = Happens(packet, Purpose.Corrupt, model.CorruptPpm),
            Delay = model.Delay + held + Below(packet, Purpose.Jitter, model.Jitter),
            CopyDelay = model.Delay + Below(packet, Purpose.CopyJitter, model.Jitter)
                + Below(packet, Purpose.DuplicateBy, model.DuplicateBy),
        };
    }

    /// <summary>True if a clog begins with datagram <paramref name="packet"/>, whatever becomes of it.</summary>
    /// <param name="model">Its chance of a clog.</param>
    /// <param name="packet">The datagram's number in its direction, from 0.</param>
    public bool BeginsClog(LinkModel model, long packet)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Happens(packet, Purpose.Clog, model.ClogPpm);
    }

    /// <summary>Damages a datagram: flips bits of one or two bytes, or cuts its end off.</summary>
    /// <param name="packet">The datagram's number in its direction.</param>
    /// <param name="datagram">Changed in place; an empty one stays as it is.</param>
    /// <returns>Its length now. Length or content differ from before.</returns>
    public int Corrupt(long packet, Span<byte> datagram)
    {
        if (datagram.IsEmpty)
        {
            return 0;
        }

        ulong draw = Draw(packet, Purpose.Damage);
        int first = (int)((draw >> 32) % (ulong)datagram.Length);

        if (draw % 4 == 0)
        {
            return first;
        }

        // At least one bit of each mask is set, and the second byte is another one: the damage cannot undo itself.
        datagram[first] ^= (byte)(1 << (int)((draw >> 8) % 8));

        if (draw % 4 == 1 && datagram.Length > 1)
        {
            int second = (first + 1 + (int)((draw >> 16) % (ulong)(datagram.Length - 1))) % datagram.Length;
            datagram[second] ^= (byte)((draw >> 24) | 1);
        }

        return datagram.Length;
    }

    /// <summary>Spreads 64 bits over 64 bits, one to one (the last step of SplitMix64).</summary>
    internal static ulong Mix(ulong bits)
    {
        bits = (bits ^ (bits >> 30)) * 0xBF58_476D_1CE4_E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D0_49BB_1331_11EB;
        return bits ^ (bits >> 31);
    }

    private bool IsInBurst(LinkModel model, long packet)
    {
        if (model.BurstPpm == 0)
        {
            return false;
        }

        // Looked up backwards instead of remembered, so that the answer for one datagram needs no other's.
        for (long start = packet; start >= 0 && packet - start < model.BurstPackets; start--)
        {
            if (Happens(start, Purpose.BurstStart, model.BurstPpm)
                && packet - start <= NextBelow(start, Purpose.BurstLength, model.BurstPackets))
            {
                return true;
            }
        }

        return false;
    }

    private bool Happens(long packet, Purpose purpose, int partsPerMillion)
        => partsPerMillion > 0 && NextBelow(packet, purpose, Million) < partsPerMillion;

    private TimeSpan Below(long packet, Purpose purpose, TimeSpan most)
        => most > TimeSpan.Zero ? new TimeSpan(NextBelow(packet, purpose, most.Ticks + 1)) : TimeSpan.Zero;

    private long NextBelow(long packet, Purpose purpose, long limit)
        => (long)Math.BigMul(Draw(packet, purpose), (ulong)limit, out _);

    private ulong Draw(long packet, Purpose purpose)
        => Mix(Mix(_key + ((ulong)packet * GoldenRatio)) + ((ulong)purpose * GoldenRatio));
}

/// <summary>What happens to one datagram.</summary>
public readonly record struct PacketFate
{
    /// <summary>It never arrives; nothing else applies.</summary>
    public bool IsLost { get; init; }

    /// <summary>It arrives a second time, unharmed, after <see cref="CopyDelay"/>.</summary>
    public bool IsDuplicated { get; init; }

    /// <summary>It was held back; contained in <see cref="Delay"/>.</summary>
    public bool IsReordered { get; init; }

    /// <summary>It arrives damaged; see <see cref="LinkDraws.Corrupt"/>.</summary>
    public bool IsCorrupted { get; init; }

    /// <summary>Time under way, without waiting for the link's rate.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>The same of the second one.</summary>
    public TimeSpan CopyDelay { get; init; }
}
