using System;
using System.Collections.Generic;
using Gudp.Core.Wire;

namespace Gudp.Core.Engine;

// Peers that brought a good cookie and have not finished the handshake: the second slot beside the established one, so
// that no hello, repeated or forged, can touch a live connection (S-10.3).
//
// Always true:
//   - at most Capacity candidates stand; a host has more than PerHost of them only while half of the table is free;
//   - one that has not asked for its answer for Lifetime gives way as soon as another needs the room, and not before:
//     a Finish that was lost for long, or waited while this process stood still, still finds it;
//   - once a peer is promoted, its older candidates are gone: a late copy of their Finish can retire nothing;
//   - a candidate stands in all four collections or in none, and _oldestFirst is in the order of expiry.

/// <summary>A peer between HelloPlus and Finish.</summary>
internal sealed class Candidate(
    PeerAddress address, ulong clientId, ulong serverId, in PeerTerms terms, Instant expiresAt)
{
    internal PeerAddress Address { get; } = address;

    internal ulong ClientId { get; } = clientId;

    internal ulong ServerId { get; } = serverId;

    internal PeerTerms Terms { get; } = terms;

    internal Instant ExpiresAt { get; set; } = expiresAt;

    /// <summary>The answer it was given, repeated as it is for every further HelloPlus.</summary>
    internal byte[] Answer { get; init; } = [];

    /// <summary>Its place in the order of expiry; the table's.</summary>
    internal LinkedListNode<Candidate>? Place { get; set; }
}

/// <summary>The candidates of one endpoint; nothing but a promotion looks at all of them. Owned by the leader.</summary>
internal sealed class CandidateTable
{
    /// <summary>
    /// A burst of a thousand connections (G37) is over in two rounds of hellos, even if one host opens them all. Each
    /// takes about half a kilobyte.
    /// </summary>
    internal const int Capacity = 1_024;

    /// <summary>What a host may have of a table that is half full: the other half is for other hosts.</summary>
    internal const int PerHost = 32;

    internal static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);

    private readonly Dictionary<ulong, Candidate> _byServerId = [];
    private readonly Dictionary<(PeerAddress Address, ulong ClientId), Candidate> _byPeer = [];
    private readonly Dictionary<PeerAddress, int> _ofHost = [];
    private readonly LinkedList<Candidate> _oldestFirst = [];

    internal int Count => _byServerId.Count;

    internal bool Contains(ulong serverId) => _byServerId.ContainsKey(serverId);

    /// <summary>
    /// The candidate that asks again for its answer. Refreshed by that: an answer that gets through in the end must
    /// leave time for the Finish.
    /// </summary>
    internal bool TryRefresh(PeerAddress address, ulong clientId, Instant now, out Candidate? found)
    {
        if (!_byPeer.TryGetValue((address, clientId), out found))
        {
            return false;
        }

        found.ExpiresAt = now + Lifetime;
        _oldestFirst.Remove(found.Place!);
        _oldestFirst.AddLast(found.Place!);
        return true;
    }

    /// <summary>True if one more from this host may stand; forgets the expired ones if they are in the way.</summary>
    internal bool HasRoomFor(PeerAddress address, Instant now)
    {
        PeerAddress host = address.WithPort(0);

        while (IsFullFor(host))
        {
            if (_oldestFirst.First is not { } oldest || oldest.Value.ExpiresAt > now)
            {
                return false;
            }

            Remove(oldest.Value);
        }

        return true;
    }

    internal void Add(Candidate candidate)
    {
        PeerAddress host = candidate.Address.WithPort(0);
        _byServerId.Add(candidate.ServerId, candidate);
        _byPeer.Add((candidate.Address, candidate.ClientId), candidate);
        _ofHost[host] = _ofHost.GetValueOrDefault(host) + 1;
        candidate.Place = _oldestFirst.AddLast(candidate);
    }

    /// <summary>
    /// Takes the candidate that a Finish names, if it is the one that was answered, and the older ones of its address.
    /// </summary>
    internal bool TryPromote(ulong serverId, ulong clientId, PeerAddress address, out Candidate? promoted)
    {
        bool found = _byServerId.TryGetValue(serverId, out promoted)
            && promoted.ClientId == clientId
            && promoted.Address == address;

        if (!found)
        {
            return false;
        }

        // Removing while walking is allowed for this collection.
        foreach (Candidate candidate in _byServerId.Values)
        {
            if (candidate.Address == address && candidate.ExpiresAt <= promoted!.ExpiresAt)
            {
                Remove(candidate);
            }
        }

        return true;
    }

    private bool IsFullFor(PeerAddress host)
        => Count >= Capacity || (Count >= Capacity / 2 && _ofHost.GetValueOrDefault(host) >= PerHost);

    private void Remove(Candidate candidate)
    {
        PeerAddress host = candidate.Address.WithPort(0);
        _byServerId.Remove(candidate.ServerId);
        _byPeer.Remove((candidate.Address, candidate.ClientId));
        _oldestFirst.Remove(candidate.Place!);
        int left = _ofHost[host] - 1;

        if (left == 0)
        {
            _ofHost.Remove(host);
        }
        else
        {
            _ofHost[host] = left;
        }
    }
}
