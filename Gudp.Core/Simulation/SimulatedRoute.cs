using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;

namespace Gudp.Core.Simulation;

/// <summary>Where a socket's datagrams to one address go.</summary>
internal sealed class SimulatedRoute(PeerAddress from, PeerAddress to)
{
    /// <summary>The sender as its peers see it.</summary>
    internal PeerAddress From => from;

    internal PeerAddress To => to;

    /// <summary>What the trace names them by.</summary>
    internal ulong FromNumber { get; } = RunningHash.NumberOf(from);

    /// <inheritdoc cref="FromNumber"/>
    internal ulong ToNumber { get; } = RunningHash.NumberOf(to);

    /// <summary>Null: no host has that address.</summary>
    internal SimulatedLink? Link { get; init; }

    /// <summary>To the host itself.</summary>
    internal bool IsLoop { get; init; }
}

/// <summary>
/// The ways of one socket's datagrams, kept because looking one up costs more than sending along it. Always true: all
/// are of one epoch of the network, in which no host and no mapping has come.
/// </summary>
internal sealed class SimulatedRoutes
{
    private readonly Dictionary<PeerAddress, SimulatedRoute> _routes = [];
    private SimulatedRoute? _last;
    private int _epoch;

    internal bool TryFind(PeerAddress to, int epoch, [NotNullWhen(true)] out SimulatedRoute? route)
    {
        if (epoch != _epoch)
        {
            _epoch = epoch;
            _last = null;
            _routes.Clear();
        }

        if (_last is null || _last.To != to)
        {
            _last = _routes.GetValueOrDefault(to, _last!);
        }

        route = _last is not null && _last.To == to ? _last : null;
        return route is not null;
    }

    internal void Add(SimulatedRoute route)
    {
        _routes[route.To] = route;
        _last = route;
    }
}
