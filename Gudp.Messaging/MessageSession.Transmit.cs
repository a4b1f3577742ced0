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
    private const int LongestMessageOverhead = 18;

    // One unreliable message must leave room for others in the queue's smallest size.
    private const int LongestDatagram = 16 * 1024 - 1;

    // Refusals are rare; more of them go into the next packet.
    private const int RefusalsPerFrame = 32;
    private const int RefusalFrameBytes = (2 * RefusalsPerFrame * VarInt.MaxBytes) + (4 * VarInt.MaxBytes);

    private readonly ReliableOutbox<SentPiece> _outbox = new(MostPiecesInFlight);
    private readonly OffsetRange[] _refusalScratch = new OffsetRange[RefusalsPerFrame];
    private readonly ReceiptUpdate[] _receiptScratch = new ReceiptUpdate[16];
    private SentPiece _offer;
    private bool _hasOffer;
    private ulong _laneCreditsLost;
    private bool _connectionCreditLost;
    private long _connectionLimit;
    private long _connectionSent;

    /// <summary>Unreliable messages that no longer fitted a packet when their turn came.</summary>
    internal long DatagramsOversized => (_sendLanes[SendOptions.UnreliableLane] as DatagramSendLane)?.Oversized ?? 0;

    /// <inheritdoc/>
    public bool HasUnfinished => !IsFlushed();

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
    public bool HasDataToSend
        => _peerTerms.IsKnown && !_ended && !_outbox.IsFull
            && (HasFactsToSend() || _hasOffer || _outbox.Waiting > 0 || _schedule.HasNew(ConnectionRoom));

    private long ConnectionRoom => _connectionLimit - _connectionSent;

    /// <inheritdoc/>
    public int WriteFrames(PacketNumber packet, Span<byte> destination, Instant now)
    {
        if (!_peerTerms.IsKnown || _ended)
        {
            return 0;
        }

        PacketDraft draft = new(destination, packet, _outbox, ConnectionRoom);
        WriteFacts(ref draft.Writer, packet);
        WriteOffers(ref draft);
        _schedule.Write(ref draft);
        _connectionSent += draft.Charged;
        _hasProgressed |= draft.HasProgressed;

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
            if (piece.IsContent)
            {
                _hasProgressed |= SentLane(piece).Settle(piece);
            }
            else if (piece.Kind == PieceKind.Refusals)
            {
                ReceivedLane(piece).Ledger.HandleRefusalsFate(piece.From, acked: true);
            }

            // Another fact that arrived needs no more care.
        }
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

        while (_outbox.Waiting < MostPiecesInFlight && _outbox.TryPeek(packet, ref cursor, out SentPiece piece))
        {
            OfferAgain(piece, isLost: false);
        }
    }

    // Content goes out again as far as it is missing; of facts only the newest value matters, and only if this was it.
    private void OfferAgain(SentPiece piece, bool isLost)
    {
        if (piece.IsContent)
        {
            _hasProgressed |= SentLane(piece).OfferAgain(piece, isLost, _outbox);
            return;
        }

        switch (piece.Kind)
        {
            case PieceKind.LaneCredit when piece.From == ReceivedLane(piece).GrantedLimit:
                _laneCreditsLost |= 1UL << piece.Lane;
                break;
            case PieceKind.ConnectionCredit when piece.From == _grantedConnectionLimit:
                _connectionCreditLost = true;
                break;
            case PieceKind.LaneTaken when piece.From == ReceivedLane(piece).AnnouncedTaken:
                ReceivedLane(piece).AnnouncedTaken = -1;
                break;
            case PieceKind.Refusals:
                ReceivedLane(piece).Ledger.HandleRefusalsFate(piece.From, acked: false);
                break;
            default:
                break;
        }
    }

    private bool HasFactsToSend()
    {
        if (_connectionCreditLost || _laneCreditsLost != 0 || IsConnectionCreditDue)
        {
            return true;
        }

        for (ulong left = _receiveLanesInUse; left != 0; left &= left - 1)
        {
            OrderedReceiveLane lane = ReceiveLaneAt(left)!;

            if (lane.IsCreditDue || lane.Ledger.Taken > Math.Max(0, lane.AnnouncedTaken)
                || lane.Ledger.HasUnsentRefusals)
            {
                return true;
            }
        }

        return false;
    }

    private void WriteFacts(ref LaneFrameWriter writer, PacketNumber packet)
    {
        if ((_connectionCreditLost || IsConnectionCreditDue) && !_outbox.IsFull)
        {
            long limit = GrantConnectionCredit();

            if (writer.TryConnectionCredit(limit))
            {
                _connectionCreditLost = false;
                _outbox.Note(packet, new SentPiece(PieceKind.ConnectionCredit, 0, false, limit, 0));
            }
            else
            {
                _connectionCreditLost = true;
            }
        }

        for (ulong left = _receiveLanesInUse; left != 0; left &= left - 1)
        {
            WriteFactsOf(ref writer, packet, ReceiveLaneAt(left)!);
        }
    }

    private void WriteFactsOf(ref LaneFrameWriter writer, PacketNumber packet, OrderedReceiveLane lane)
    {
        byte number = (byte)lane.Number;
        ulong bit = 1UL << number;

        if (((_laneCreditsLost & bit) != 0 || lane.IsCreditDue) && !_outbox.IsFull)
        {
            long limit = lane.GrantCredit();
            _laneCreditsLost |= bit;

            if (writer.TryLaneOffset(FrameType.LaneCredit, number, limit))
            {
                _laneCreditsLost &= ~bit;
                _outbox.Note(packet, new SentPiece(PieceKind.LaneCredit, number, false, limit, 0));
            }
        }

        // Refusals first: the taken offset may pass them only afterwards.
        if (lane.Ledger.HasUnsentRefusals && !_outbox.IsFull && writer.Free >= RefusalFrameBytes)
        {
            int count = lane.Ledger.TakeUnsentRefusals(_refusalScratch, out long frame);

            if (count > 0)
            {
                int written = writer.MessagesRefused(number, _refusalScratch.AsSpan(0, count));
                Invariant.Require(written == count, "Room for the refusals was checked.");
                _outbox.Note(packet, new SentPiece(PieceKind.Refusals, number, false, frame, 0));
            }
        }

        long taken = lane.Ledger.Taken;

        if (taken > Math.Max(0, lane.AnnouncedTaken) && !_outbox.IsFull
            && writer.TryLaneOffset(FrameType.LaneTaken, number, taken))
        {
            lane.AnnouncedTaken = taken;
            _outbox.Note(packet, new SentPiece(PieceKind.LaneTaken, number, false, taken, 0));
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

    private OrderedReceiveLane ReceivedLane(SentPiece piece) => _receiveLanes[piece.Lane]!;
}
