using System;

namespace Gudp.Core.Simulation;

/// <summary>One direction between two hosts: its model, how many datagrams it was given, how long it is busy.</summary>
/// <remarks>
/// Always true: the link carries what it accepted until _busyUntil plus _carry / rate ticks, exactly; the bytes that
/// wait are what it can carry in the time from now until then.
/// </remarks>
internal sealed class SimulatedLink
{
    private readonly LinkDraws _draws;
    private long _packets;
    private Instant _busyUntil;
    private long _carry;
    private long _carriedRate;

    internal SimulatedLink(LinkDraws draws) => _draws = draws;

    /// <summary>Null: the network's default.</summary>
    internal LinkModel? Model { get; set; }

    /// <summary>Decides what becomes of the next datagram of this direction.</summary>
    /// <param name="model">What the link is now.</param>
    /// <param name="bytes">The datagram's length.</param>
    /// <param name="now">When it is sent.</param>
    /// <param name="transit">When it leaves and what happens then; only if it passed.</param>
    internal LinkVerdict Send(LinkModel model, int bytes, Instant now, out LinkTransit transit)
    {
        // Counted whatever happens to it: the number decides the fate of all that follow.
        long packet = _packets++;
        transit = default;

        if (model.Cut)
        {
            return LinkVerdict.Cut;
        }

        if (bytes > model.LargestBytes)
        {
            return LinkVerdict.TooLong;
        }

        if (!TryCarry(model, bytes, now, out Instant leaves))
        {
            return LinkVerdict.QueueFull;
        }

        PacketFate fate = _draws.Decide(model, packet);

        if (fate.IsLost)
        {
            return LinkVerdict.Lost;
        }

        transit = new LinkTransit(packet, leaves, fate);
        return LinkVerdict.Passed;
    }

    internal int Corrupt(long packet, Span<byte> datagram) => _draws.Corrupt(packet, datagram);

    private bool TryCarry(LinkModel model, int bytes, Instant now, out Instant leaves)
    {
        leaves = now;
        long rate = model.RateBytesPerSecond;

        if (rate == 0)
        {
            return true;
        }

        if (_busyUntil < now || rate != _carriedRate)
        {
            // A fraction of a tick at the old rate means nothing at a new one.
            _busyUntil = Instant.Later(_busyUntil, now);
            _carry = 0;
            _carriedRate = rate;
        }

        // In byte ticks per second, where nothing is rounded: bytes times ten million.
        Int128 waiting = ((Int128)(_busyUntil - now).Ticks * rate) + _carry;
        long added = bytes * TimeSpan.TicksPerSecond;

        if (waiting > 0 && waiting + added > (Int128)model.QueueBytes * TimeSpan.TicksPerSecond)
        {
            return false;
        }

        (long ticks, _carry) = Math.DivRem(added + _carry, rate);
        _busyUntil += new TimeSpan(ticks);
        leaves = _busyUntil;
        return true;
    }
}

/// <summary>What a link said to a datagram.</summary>
internal enum LinkVerdict
{
    Passed,
    Cut,
    TooLong,
    QueueFull,
    Lost,
}

/// <summary>A datagram that passed: its number, when the link has carried it, and what happens then.</summary>
internal readonly record struct LinkTransit(long Packet, Instant Leaves, PacketFate Fate);
