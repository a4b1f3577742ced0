using System;

namespace Gudp.Core.Simulation;

/// <summary>One direction between two hosts: its model, how many datagrams it was given, what waits in it.</summary>
internal sealed class SimulatedLink
{
    private readonly LinkDraws _draws;
    private readonly LinkQueue _queue;
    private long _packets;
    private Instant _cloggedUntil;

    /// <param name="draws">Of this direction alone.</param>
    /// <param name="queue">What it waits in for its rate; others may as well.</param>
    internal SimulatedLink(LinkDraws draws, LinkQueue queue)
    {
        _draws = draws;
        _queue = queue;
    }

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
        BeginClog(model, packet, now);

        if (model.Cut)
        {
            return LinkVerdict.Cut;
        }

        if (model.IsOutAt(now))
        {
            return LinkVerdict.Out;
        }

        if (bytes > model.LargestBytes)
        {
            return LinkVerdict.TooLong;
        }

        if (!_queue.TryEnter(model, bytes, now, out Instant leaves))
        {
            return LinkVerdict.QueueFull;
        }

        PacketFate fate = _draws.Decide(model, packet);

        if (fate.IsLost)
        {
            return LinkVerdict.Lost;
        }

        bool isHeld = leaves < _cloggedUntil;
        transit = new LinkTransit(packet, isHeld ? _cloggedUntil : leaves, fate, isHeld, model.IsSlowAt(now));
        return LinkVerdict.Passed;
    }

    internal TimeSpan QueueDelay(Instant now) => _queue.DelayAt(now);

    internal int Corrupt(long packet, Span<byte> datagram) => _draws.Corrupt(packet, datagram);

    private void BeginClog(LinkModel model, long packet, Instant now)
    {
        // Whatever becomes of the datagram itself, or another fault would move this one.
        if (_draws.BeginsClog(model, packet) && now >= _cloggedUntil)
        {
            _cloggedUntil = now + model.ClogFor;
        }
    }
}

/// <summary>What a link said to a datagram.</summary>
internal enum LinkVerdict
{
    Passed,
    Cut,
    Out,
    TooLong,
    QueueFull,
    Lost,
}

/// <summary>
/// A datagram that passed: its number, when the link lets it go, what happens then, whether a clog held it, whether the
/// link's other rate held when it came.
/// </summary>
internal readonly record struct LinkTransit(long Packet, Instant Leaves, PacketFate Fate, bool IsHeld, bool IsSlowed);
