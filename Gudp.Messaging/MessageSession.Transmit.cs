using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Lanes;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging;

/// <content>What goes out, and what becomes of it.</content>
internal sealed partial class MessageSession
{
    // A frame's head at its longest, with the lane's opening before it.
    private const int LongestMessageOverhead = 20;

    private readonly ReliableOutbox<SentPiece> _outbox = new(MostPiecesInFlight);
    private readonly RepeatQueue _repeats = new();
    private SentPiece _offer;
    private bool _hasOffer;
    private long _connectionLimit;
    private long _connectionSent;
    private Instant _wroteAt;

    // Those of the acknowledgement that is being taken in.
    private LaneSet _lanesSettled;

    /// <inheritdoc/>
    public bool HasUnfinished => !Volatile.Read(ref _isGivenUp) && !IsFlushed();

    /// <inheritdoc/>
    /// <remarks>The fullest of the lanes says how full it is.</remarks>
    public SendBacklog Backlog
    {
        get
        {
            long bytes = 0;
            int filled = 0;

            for (int number = _sendLanesInUse.Next(0); number >= 0; number = _sendLanesInUse.Next(number + 1))
            {
                SendLane lane = SendLaneAt(number);
                bytes += lane.WaitingBytes;
                filled = Math.Max(filled, lane.FilledPermille);
            }

            return new SendBacklog(bytes, Packets: 0, filled);
        }
    }

    /// <inheritdoc/>
    public SendBacklog BacklogAtEnd
        => Backlog with { Packets = (int)Math.Min(int.MaxValue, ReadOpen().UntransmittedMessages) };

    /// <inheritdoc/>
    public bool HasDataToSend
        => _peerTerms.IsKnown && !_ended && !_outbox.IsFull
            && (HasFactsToSend() || _hasOffer || _outbox.Waiting > 0 || _repeats.IsDue(_host.WindowRoomBytes)
                || _schedule.HasNew(ConnectionRoom));

    private long ConnectionRoom => _connectionLimit - _connectionSent;

    /// <summary>
    /// What has counted against the connections' credits so far; when nothing is under way or unread, both ends have
    /// counted the same (D-3.1, D-8.3, D-9.10).
    /// </summary>
    internal (long Sent, long Received, long Read) CreditedBytes => (_connectionSent, _window.Received, _window.Read);

    /// <inheritdoc/>
    public int WriteFrames(PacketNumber packet, Span<byte> destination, Instant now)
    {
        if (!_peerTerms.IsKnown || _ended)
        {
            return 0;
        }

        PacketDraft draft = new(destination, packet, _outbox, _repeats, ConnectionRoom)
        {
            Size = Math.Max(destination.Length, _host.MaxFrameBytes),
            WindowRoom = _host.WindowRoomBytes,
        };
        WriteFacts(ref draft.Writer, packet);
        WriteOffers(ref draft);
        _repeats.BeginPacket(now);
        _schedule.Write(ref draft);
        _repeats.Write(ref draft, above: int.MinValue);
        _repeats.EndPacket();
        _connectionSent += draft.Charged;
        _hasProgressed |= draft.HasProgressed;
        _hasWritten = true;
        _wroteAt = now;

        if (draft.Retransmits > 0)
        {
            _host.CountRetransmit(draft.Retransmits);
        }

        return draft.Writer.Used;
    }

    /// <inheritdoc/>
    public void HandleAcked(PacketNumber packet, Instant now)
    {
        while (_outbox.TryTake(packet, out SentPiece piece))
        {
            if (!piece.IsContent)
            {
                HandleFactAcked(piece);
            }
            else if (SentLane(piece).Settle(piece))
            {
                _hasProgressed = true;
                _lanesSettled.Add(piece.Lane);
            }
        }
    }

    /// <inheritdoc/>
    public void HandleAckEnd(Instant now)
    {
        for (int number = _lanesSettled.Next(0); number >= 0; number = _lanesSettled.Next(number + 1))
        {
            _sendLanes[number]!.FinishSettling();
        }

        _lanesSettled.Clear();
    }

    /// <inheritdoc/>
    public void HandleLost(PacketNumber packet, Instant now)
    {
        while (_outbox.TryTake(packet, out SentPiece piece))
        {
            OfferAgain(piece, isLost: true);
        }
    }

    /// <inheritdoc/>
    public void HandleOverdue(PacketNumber packet, Instant now)
    {
        int cursor = 0;

        // A probe's comes after a silence: then nothing that could help is under way.
        bool isInFlow = now - _wroteAt < _host.SmoothedRtt;

        while (_outbox.Waiting < MostPiecesInFlight && _outbox.TryPeek(packet, ref cursor, out SentPiece piece))
        {
            if (!isInFlow || !HasRepeatsUnderWay(piece))
            {
                OfferAgain(piece, isLost: false);
            }
        }
    }

    // D-11.3: that two repeats are lost too is not worth the bytes of a third.
    private bool HasRepeatsUnderWay(in SentPiece piece)
        => piece.IsRepeated && SentLane(piece).Options.Repeats > 1 && !_repeats.Contains(piece);

    // Content goes out again as far as it is missing, facts with their newest value.
    private void OfferAgain(SentPiece piece, bool isLost)
    {
        if (piece.IsContent)
        {
            _hasProgressed |= SentLane(piece).OfferAgain(piece, isLost, _outbox);
        }
        else
        {
            HandleFactLost(piece);
        }
    }

    private void WriteOffers(ref PacketDraft draft)
    {
        while (draft.CanNote && (_hasOffer || _outbox.TryNextOffer(out _offer)))
        {
            _hasOffer = true;

            if (!SentLane(_offer).TryWriteAgain(ref draft, ref _offer, out bool isDone))
            {
                return;
            }

            _hasOffer = !isDone;
        }
    }

    private SendLane SentLane(SentPiece piece) => _sendLanes[piece.Lane]!;
}
