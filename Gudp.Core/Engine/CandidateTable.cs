using System;
using System.Collections.Generic;
using Gudp.Core.Wire;

namespace Gudp.Core.Engine;

// Peers that brought a good cookie and have not finished the handshake: the second slot beside the established one, so
// that no hello, repeated or forged, can touch a live connection (S-10.3).
//
// Always true:
//   - at most Capacity candidates stand, at most PerAddress of one host;
//   - one that has not asked for its answer for Lifetime gives way as soon as another needs the room, and not before:
//     a Finish that was lost for long still finds it;
//   - once a peer is promoted, its older candidates are gone: a late copy of their Finish can retire nothing.

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
}

/// <summary>The candidates of one endpoint. Owned by the leader.</summary>
internal sealed class CandidateTable
{
    internal const int Capacity = 256;
    internal const int PerAddress = 32;

    internal static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);

    private readonly Dictionary<ulong, Candidate> _byServerId = [];

    internal int Count => _byServerId.Count;

    internal bool Contains(ulong serverId) => _byServerId.ContainsKey(serverId);

    /// <summary>
    /// The candidate that asks again for its answer. Refreshed by that: an answer that gets through in the end must
    /// leave time for the Finish.
    /// </summary>
    internal bool TryRefresh(PeerAddress address, ulong clientId, Instant now, out Candidate? found)
    {
        foreach (Candidate candidate in _byServerId.Values)
        {
            if (candidate.ClientId == clientId && candidate.Address == address && candidate.ExpiresAt > now)
            {
                candidate.ExpiresAt = now + Lifetime;
                found = candidate;
                return true;
            }
        }

        found = null;
        return false;
    }

    /// <summary>True if one more from this host may stand; forgets the expired ones first.</summary>
    internal bool HasRoomFor(PeerAddress address, Instant now)
    {
        PeerAddress host = address.WithPort(0);
        int ofHost = 0;

        // Removing while walking is allowed for this collection, and the table is small.
        foreach (Candidate candidate in _byServerId.Values)
        {
            if (candidate.ExpiresAt <= now)
            {
                _byServerId.Remove(candidate.ServerId);
            }
            else if (candidate.Address.WithPort(0) == host)
            {
                ofHost++;
            }
        }

        return _byServerId.Count < Capacity && ofHost < PerAddress;
    }

    internal void Add(Candidate candidate) => _byServerId.Add(candidate.ServerId, candidate);

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

        foreach (Candidate candidate in _byServerId.Values)
        {
            if (candidate.Address == address && candidate.ExpiresAt <= promoted!.ExpiresAt)
            {
                _byServerId.Remove(candidate.ServerId);
            }
        }

        return true;
    }
}
