using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging;

/// <content>What happens by time: time-outs of messages, repeats, another look at the memory.</content>
internal sealed partial class MessageSession
{
    // Lanes that have a deadline; it may have passed to a later one meanwhile.
    private LaneSet _lanesWithDeadline;

    /// <inheritdoc/>
    public Instant NextDeadline
    {
        get
        {
            Instant next = Instant.Earlier(_memoryRecheckAt, _partialDeadline);
            next = Instant.Earlier(next, _repeats.NextDeadline);
            next = Instant.Earlier(next, NextSlowLook);

            for (int number = _lanesWithDeadline.Next(0); number >= 0; number = _lanesWithDeadline.Next(number + 1))
            {
                next = Instant.Earlier(next, SendLaneAt(number).NextDeadline);
            }

            return next;
        }
    }

    /// <inheritdoc/>
    public void HandleTimeout(Instant now)
    {
        LookAtConsumers(now);

        for (int number = _lanesWithDeadline.Next(0); number >= 0; number = _lanesWithDeadline.Next(number + 1))
        {
            SendLane lane = SendLaneAt(number);
            _hasProgressed |= lane.NextDeadline <= now && lane.HandleTimeout(now);

            if (lane.NextDeadline == Instant.Never)
            {
                _lanesWithDeadline.Remove(number);
            }
        }

        HandlePartialDeadline(now);

        if (_repeats.NextDeadline <= now)
        {
            // A message that waited for nothing but its repeats may have ended.
            _repeats.HandleTimeout();
            _hasProgressed = true;
        }

        if (_memoryRecheckAt <= now)
        {
            _memoryRecheckAt = Instant.Never;
            LookAgainAtMemory(now);
        }
    }

    /// <inheritdoc/>
    public void HandleRest(Instant now)
    {
        _outbox.Rest();
        _repeats.Rest();
    }

    private void LookAgainAtMemory(Instant now)
    {
        if (_sink is not { } sink)
        {
            return;
        }

        if (LacksMemoryToRead)
        {
            HandToSink(sink, now);
        }

        if (Interlocked.Exchange(ref _wantsMemory, 0) != 0)
        {
            sink.HandlePeer(Peer, PeerChange.Writable, now);
        }
    }

    // At the end of each turn: what users gave a time-out since the last one gets its deadline.
    private void StampDeadlines(Instant now)
    {
        _hasProgressed |= _repeats.StampDeadlines(now);

        // D-10.2: also while the peer is dialled.
        while (_schedule.TryTakeTimed(out int number))
        {
            SendLane lane = SendLaneAt(number);
            lane.StampDeadlines(now);

            if (lane.NextDeadline != Instant.Never)
            {
                _lanesWithDeadline.Add(number);
            }
        }
    }
}
