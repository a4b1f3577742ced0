using System;
using System.Threading;
using Gudp.Core;

namespace Gudp.Messaging.Lanes;

/// <content>Messages that are given up (D-10.1): their place in the stream becomes a LaneSkip.</content>
internal sealed partial class OrderedSendLane
{
    private readonly GivenUpRanges _given = new();
    private bool _isPruneDue;

    /// <inheritdoc/>
    internal override Instant NextDeadline => Receipts.NextDeadline;

    private int MostSkips => GivenUpRanges.MostSkips(Peer.LaneCreditBytes);

    /// <inheritdoc/>
    internal override void StampDeadlines(Instant now) => Receipts.StampDeadlines(now);

    /// <inheritdoc/>
    internal override bool HandleTimeout(Instant now) => Receipts.Expire(this, now);

    /// <inheritdoc/>
    internal override bool TryCancel(MessageId id) => Receipts.TryCancel(id, this);

    /// <inheritdoc/>
    internal override int CopyOpen(Span<SendReceipt> receipts, bool ended) => Receipts.CopyOpen(receipts, this, ended);

    /// <summary>Any thread. The id of the message that stands there.</summary>
    internal MessageId NameOf(OffsetRange place, bool asksTaken) => new(0, Number, place.To)
    {
        AsksTaken = asksTaken,
        StreamBytes = (int)place.Length,
        Seal = (ulong)place.From ^ Salt,
    };

    /// <summary>Any thread. Where the message stands that this lane gave the id to.</summary>
    /// <returns>False: it gave it to none. A place between others would end the connection (D-2.4).</returns>
    internal bool TryFindPlace(MessageId id, out OffsetRange place)
    {
        place = new OffsetRange((long)(id.Seal ^ Salt), id.Value);
        return id.StreamBytes > 0 && place.From >= 0 && id.Value - place.From == id.StreamBytes;
    }

    /// <summary>Any thread, under the lock of the receipts. What stands there shall not go any more.</summary>
    /// <returns>False: the peer may have no room for another skip now; or there is no such place.</returns>
    internal bool TryGiveUp(OffsetRange place)
    {
        bool added = place.From >= 0 && place.To <= Volatile.Read(ref _reserved)
            && _given.TryAdd(place, Received, MostSkips);

        if (added)
        {
            MarkReady();
        }

        return added;
    }

    /// <summary>Leader. Whether the peer lacks part of the range, as far as is known.</summary>
    internal bool IsMissing(OffsetRange range) => _settled.TryFirstMissing(range.From, range.To, out _);

    // What was given up since the last time is put in order, before anything is written.
    private void TakeGivenUp()
    {
        while (_oldestSkip < Volatile.Read(ref _nextSkip)
            && Receipts.TryGiveUpClaim(_skips[_oldestSkip & (MostClaims - 1)], this))
        {
            Volatile.Write(ref _oldestSkip, _oldestSkip + 1);
        }

        if (_given.IsEmpty)
        {
            return;
        }

        OffsetRange added = _given.TakeNew();

        if (added.Length > 0)
        {
            FreeGivenUp(added);
        }

        if (_isPruneDue)
        {
            _isPruneDue = false;

            // The peer grants what its reader has released, and the ring's size beyond.
            _given.Prune(_settled, Math.Max(CreditLimit - Peer.LaneCreditBytes, Receipts.Taken));
        }
    }

    // The first part of the range that the peer lacks and that was not given up.
    private bool TryFirstToSend(long from, long to, out OffsetRange missing)
    {
        while (_settled.TryFirstMissing(from, to, out missing))
        {
            from = missing.To;

            if (_given.TryFirstKept(ref missing))
            {
                return true;
            }
        }

        return false;
    }

    // Something is settled, or the credit rose: skips may be over, and others have room.
    private void MarkPruneDue()
    {
        if (!_given.IsEmpty || _oldestSkip < Volatile.Read(ref _nextSkip))
        {
            _isPruneDue = true;
            MarkReady();
        }
    }
}
