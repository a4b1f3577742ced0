using System;
using System.Collections.Generic;

namespace Gudp.Core.Simulation;

// An address translator in front of every host, which does nothing until it is told to. The translation happens at the
// host's end of the path: a datagram that was under way when a mapping changed finds the new state, as with a real one.

/// <summary>Which socket is seen under which address by its peers.</summary>
/// <remarks>
/// Always true: a socket has one mapping at a time, the newest; an outside address that is in use leads to one socket.
/// Former mappings are remembered, so that what is sent to them takes the way of its host and ends in front of it.
/// </remarks>
internal sealed class SimulatedNat
{
    // RFC 6598: the space of translators in providers' networks; no automatic host is in it.
    private const uint FirstAutomaticIPv4 = 0x6440_0001;
    private const int FirstAutomaticPort = 50_000;

    private readonly Dictionary<PeerAddress, PeerAddress> _outsideOf = [];
    private readonly Dictionary<PeerAddress, PeerAddress> _insideOf = [];
    private uint _nextIPv4 = FirstAutomaticIPv4;
    private int _nextPort = FirstAutomaticPort;

    /// <summary>Where a socket's datagrams come from as its peers see it.</summary>
    internal PeerAddress OutsideOf(PeerAddress local)
        => _outsideOf.Count == 0 ? local : _outsideOf.GetValueOrDefault(local, local);

    /// <summary>Whose address this is or was: decides the way, not whether it is open.</summary>
    internal PeerAddress InsideOf(PeerAddress outside)
        => _insideOf.Count == 0 ? outside : _insideOf.GetValueOrDefault(outside, outside);

    /// <summary>False: nobody has this mapping any more.</summary>
    internal bool IsOpen(PeerAddress outside, PeerAddress inside)
        => _outsideOf.Count == 0 || _outsideOf.GetValueOrDefault(inside, inside) == outside;

    /// <summary>True if some socket is seen under this address now.</summary>
    internal bool IsTaken(PeerAddress outside)
        => _insideOf.TryGetValue(outside, out PeerAddress inside) && IsOpen(outside, inside);

    /// <summary>The former mapping ends, the new one begins; the socket's own address ends all translation.</summary>
    internal void Map(PeerAddress local, PeerAddress outside)
    {
        // Even the socket's own address is remembered: it leads nowhere else from here on.
        _insideOf[local] = local;
        _insideOf[outside] = local;
        _outsideOf[local] = outside;
    }

    /// <summary>An outside address that was never given before: another port, or another address as well.</summary>
    internal PeerAddress Next(PeerAddress local, bool changesAddress)
    {
        PeerAddress address = OutsideOf(local);

        if (changesAddress)
        {
            address = address.IsIPv4
                ? PeerAddress.FromIPv4(_nextIPv4++, 0)
                : throw new ArgumentException("IPv6 addresses are not made up; name one.", nameof(local));
        }

        PeerAddress next;

        do
        {
            Invariant.Require(_nextPort < ushort.MaxValue, "A world rebinds some thousand times, not more.");
            next = address.WithPort(_nextPort++);
        }
        while (_insideOf.ContainsKey(next));

        return next;
    }
}
