using System;
using System.Threading;
using Gudp.Core;

namespace Gudp.Messaging.Lanes;

/// <content>What has no end yet, message by message (D-13.4): the headers in the ring are read once more.</content>
internal sealed partial class OrderedSendLane
{
    private OpenTraffic _openAtEnd;

    /// <inheritdoc/>
    internal override void AddOpenTo(ref OpenTraffic sum)
    {
        // The ring stays while the lane's lock is held, and the headers in it while that of the receipts is.
        lock (_gate)
        {
            if (_ended)
            {
                sum.Add(_openAtEnd);
                return;
            }

            Receipts.AddOpenTo(ref sum, this);
        }
    }

    /// <summary>Any thread, under the locks of the lane and of the receipts.</summary>
    internal void AddStreamTo(ref OpenTraffic sum, EndedRanges<TransferState> givenUp)
    {
        long published = Volatile.Read(ref _published);
        long sent = Sent;

        for (long at = _counted; _ring is not null && at < published;)
        {
            OffsetRange place = new(at, at == _counted && _countedEnd > at ? _countedEnd : EndAt(at));
            at = place.To;

            if (givenUp.TryFind(place.To, out _))
            {
                continue;
            }

            bool isSent = place.To <= sent;
            sum.UnconfirmedMessages += isSent ? 1 : 0;
            sum.UntransmittedMessages += isSent ? 0 : 1;
            sum.UnconfirmedBytes += isSent ? place.To - Math.Max(place.From, _tail) : 0;
            sum.UntransmittedBytes += isSent ? 0 : place.To - Math.Max(place.From, sent);
        }
    }

    // A header stands in the ring as a whole; what follows it may not be there any more.
    private long EndAt(long start)
    {
        Span<byte> header = stackalloc byte[VarInt.MaxBytes];
        Read(start, header[..1]);
        int bytes = 1 << (header[0] >> 6);
        Read(start, header[..bytes]);
        _ = VarInt.TryRead(header[..bytes], out ulong value);
        return start + bytes + (long)(value / 2);
    }
}
