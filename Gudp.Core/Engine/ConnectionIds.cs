// The ids of one connection beside those of the handshake (RFC 9000 section 5.1, P-9.9).
//
// Each end gives the other some ids to spare, so that a peer that moves on purpose can use one that was never seen on
// its old path. Sequence 0 is the id of the handshake. A frame that was lost is owed again.
//
// Always true:
//   - at most MostIds of ours and of the peer's are in use, and as many retirements are owed;
//   - a sequence stands for one id, ever.

using System;

namespace Gudp.Core.Engine;

/// <summary>Spare ids of both ends; see the comment on top. Pure: registering them is the caller's.</summary>
internal sealed class ConnectionIds
{
    /// <summary>The most one end may offer beside the first.</summary>
    internal const int MostSpare = 7;

    private const int MostIds = 1 + MostSpare;

    private readonly OwnId[] _ours = new OwnId[MostIds];
    private readonly PeerId[] _theirs = new PeerId[MostIds];
    private readonly Retirement[] _retirements = new Retirement[MostIds];
    private int _ourCount = 1;
    private int _theirCount = 1;
    private int _retirementCount;
    private ulong _nextSequence = 1;
    private ulong _newestOfOurs;         // the largest sequence that left in a packet
    private ulong _newestOfTheirs;       // the largest sequence the peer has named
    private ulong _seen = 1;             // bit i: the sequence i below it was seen

    internal ConnectionIds(ulong localId, ulong peerId)
    {
        _ours[0] = new OwnId { Sequence = 0, Id = localId };
        _theirs[0] = new PeerId(0, peerId);
    }

    /// <summary>What became of a NewId frame.</summary>
    internal enum Verdict : byte
    {
        /// <summary>Noted, or known already.</summary>
        Taken,

        /// <summary>More than anybody may offer, or another id under a known sequence.</summary>
        Broken,
    }

    /// <summary>True if a packet should carry a frame of these.</summary>
    internal bool HasOwed
    {
        get
        {
            foreach (ref readonly OwnId own in _ours.AsSpan(0, _ourCount))
            {
                if (own.Offer.IsOwed)
                {
                    return true;
                }
            }

            foreach (ref readonly Retirement retirement in _retirements.AsSpan(0, _retirementCount))
            {
                if (retirement.Frame.IsOwed)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>How many of ours the peer may use, the first included until it is retired.</summary>
    internal int OwnCount => _ourCount;

    /// <summary>The id packets to the peer carry.</summary>
    internal ulong PresentPeerId => _theirs[0].Id;

    /// <summary>Ids of the peer that were not used yet.</summary>
    internal int SpareOfPeer => _theirCount - 1;

    internal ulong OwnIdAt(int index) => _ours[index].Id;

    /// <summary>False for an id that the peer has retired.</summary>
    internal bool IsOwn(ulong id)
    {
        foreach (ref readonly OwnId own in _ours.AsSpan(0, _ourCount))
        {
            if (own.Id == id)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Offers one more of ours; it must be routed to this connection already.</summary>
    internal void Offer(ulong id)
    {
        Invariant.Require(_ourCount < MostIds, "No more ids are offered than anybody may hold.");
        OwnId own = new() { Sequence = _nextSequence++, Id = id };
        own.Offer.Owe();
        _ours[_ourCount++] = own;
    }

    /// <summary>The peer retires one of ours.</summary>
    /// <param name="sequence">As in its frame.</param>
    /// <param name="arrivedAt">The id the frame's packet came to, which must not be the one retired.</param>
    /// <param name="retired">The id to forget; 0 if it was retired before.</param>
    /// <returns>False if no honest peer says so.</returns>
    internal bool TryRetireOwn(ulong sequence, ulong arrivedAt, out ulong retired)
    {
        retired = 0;

        if (sequence > _newestOfOurs)
        {
            return false;
        }

        for (int i = 0; i < _ourCount; i++)
        {
            if (_ours[i].Sequence == sequence)
            {
                if (_ours[i].Id == arrivedAt)
                {
                    return false;
                }

                retired = _ours[i].Id;
                _ours.AsSpan(i + 1, _ourCount - i - 1).CopyTo(_ours.AsSpan(i));
                _ourCount--;
                return true;
            }
        }

        return true;
    }

    /// <summary>The peer offers an id.</summary>
    internal Verdict HandleNewId(ulong sequence, ulong id)
    {
        for (int i = 0; i < _theirCount; i++)
        {
            if (_theirs[i].Sequence == sequence)
            {
                return _theirs[i].Id == id ? Verdict.Taken : Verdict.Broken;
            }
        }

        if (!TryMarkSeen(sequence))
        {
            return Verdict.Taken;       // a late copy of one that was retired since
        }

        if (_theirCount == MostIds)
        {
            return Verdict.Broken;
        }

        _theirs[_theirCount++] = new PeerId(sequence, id);
        return Verdict.Taken;
    }

    /// <summary>Goes over to a spare id of the peer and retires the present one.</summary>
    /// <returns>False if there is none to go over to.</returns>
    internal bool TryUseFresh()
    {
        if (_theirCount < 2 || _retirementCount == MostIds)
        {
            return false;
        }

        Retirement retirement = new() { Sequence = _theirs[0].Sequence };
        retirement.Frame.Owe();
        _retirements[_retirementCount++] = retirement;
        _theirs.AsSpan(1, _theirCount - 1).CopyTo(_theirs);
        _theirCount--;
        return true;
    }

    /// <summary>The next of ours to offer in this packet.</summary>
    internal bool TryNextOffer(out ulong sequence, out ulong id)
    {
        foreach (ref readonly OwnId own in _ours.AsSpan(0, _ourCount))
        {
            if (own.Offer.IsOwed)
            {
                sequence = own.Sequence;
                id = own.Id;
                return true;
            }
        }

        sequence = 0;
        id = 0;
        return false;
    }

    internal void OnOfferWritten(ulong sequence, PacketNumber packet)
    {
        _newestOfOurs = Math.Max(_newestOfOurs, sequence);

        foreach (ref OwnId own in _ours.AsSpan(0, _ourCount))
        {
            if (own.Sequence == sequence)
            {
                own.Offer.OnWritten(packet);
            }
        }
    }

    /// <summary>The next of the peer's to retire in this packet.</summary>
    internal bool TryNextRetirement(out ulong sequence)
    {
        foreach (ref readonly Retirement retirement in _retirements.AsSpan(0, _retirementCount))
        {
            if (retirement.Frame.IsOwed)
            {
                sequence = retirement.Sequence;
                return true;
            }
        }

        sequence = 0;
        return false;
    }

    internal void OnRetirementWritten(ulong sequence, PacketNumber packet)
    {
        foreach (ref Retirement retirement in _retirements.AsSpan(0, _retirementCount))
        {
            if (retirement.Sequence == sequence)
            {
                retirement.Frame.OnWritten(packet);
            }
        }
    }

    internal void OnAcked(long packet)
    {
        foreach (ref OwnId own in _ours.AsSpan(0, _ourCount))
        {
            own.Offer.OnAcked(packet);
        }

        for (int i = _retirementCount - 1; i >= 0; i--)
        {
            if (_retirements[i].Frame.OnAcked(packet))
            {
                _retirements.AsSpan(i + 1, _retirementCount - i - 1).CopyTo(_retirements.AsSpan(i));
                _retirementCount--;
            }
        }
    }

    internal void OnLost(long packet)
    {
        foreach (ref OwnId own in _ours.AsSpan(0, _ourCount))
        {
            own.Offer.OnLost(packet);
        }

        foreach (ref Retirement retirement in _retirements.AsSpan(0, _retirementCount))
        {
            retirement.Frame.OnLost(packet);
        }
    }

    // Frames may overtake each other by less than a word; what is older was settled long ago.
    private bool TryMarkSeen(ulong sequence)
    {
        if (sequence > _newestOfTheirs)
        {
            ulong step = sequence - _newestOfTheirs;
            _seen = step < 64 ? _seen << (int)step : 0;
            _newestOfTheirs = sequence;
        }

        ulong below = _newestOfTheirs - sequence;
        ulong bit = below < 64 ? 1UL << (int)below : 0;
        bool isNew = bit != 0 && (_seen & bit) == 0;
        _seen |= bit;
        return isNew;
    }

    private struct OwnId
    {
        internal ulong Sequence;
        internal ulong Id;
        internal OwedFrame Offer;
    }

    private struct Retirement
    {
        internal ulong Sequence;
        internal OwedFrame Frame;
    }

    private readonly record struct PeerId(ulong Sequence, ulong Id);
}
