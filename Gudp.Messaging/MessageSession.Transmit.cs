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
    // Rather the next packet than a frame whose head is longer than its content.
    private const int LeastUsefulContent = 24;

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
    private ulong _opensInPacket;
    private ulong _laneCreditsLost;
    private bool _connectionCreditLost;
    private bool _isDatagramLaneOpen;
    private long _connectionLimit;
    private long _connectionSent;
    private long _datagramsSent;
    private int _nextLaneInTurn;

    /// <summary>Unreliable messages that no longer fitted a packet when their turn came.</summary>
    internal long DatagramsOversized { get; private set; }

    /// <inheritdoc/>
    public bool HasUnfinished => !IsFlushed();

    /// <inheritdoc/>
    /// <remarks>The fullest of the lanes and the queue of unreliable messages says how full it is.</remarks>
    public SendBacklog Backlog
    {
        get
        {
            long bytes = _datagramsOut.WaitingBytes;
            int filled = _datagramsOut.FilledPermille;

            for (ulong left = Volatile.Read(ref _sendLanesInUse); left != 0; left &= left - 1)
            {
                if (SendLaneAt(left) is { } lane)
                {
                    bytes += lane.WaitingBytes;
                    filled = Math.Max(filled, lane.FilledPermille);
                }
            }

            return new SendBacklog(bytes, Packets: 0, filled);
        }
    }

    /// <inheritdoc/>
    public bool HasDataToSend
        => _peerTerms.IsKnown && !_ended && !_outbox.IsFull
            && (HasFactsToSend() || _hasOffer || _outbox.Waiting > 0 || !_datagramsOut.IsEmpty || HasNewContent());

    /// <inheritdoc/>
    public int WriteFrames(PacketNumber packet, Span<byte> destination, Instant now)
    {
        if (!_peerTerms.IsKnown || _ended)
        {
            return 0;
        }

        LaneFrameWriter writer = new(destination);
        _opensInPacket = 0;
        WriteFacts(ref writer, packet);
        WriteOffers(ref writer, packet);

        if (Volatile.Read(ref _sendLanes[ControlLane]) is { } control)
        {
            WriteNewContent(ref writer, packet, control);
        }

        WriteLanesInTurn(ref writer, packet);
        return writer.Used;
    }

    /// <inheritdoc/>
    public void HandleAcked(PacketNumber packet, Instant now)
    {
        while (_outbox.TryTake(packet, out SentPiece piece))
        {
            switch (piece.Kind)
            {
                case PieceKind.Data or PieceKind.Skip:
                    _hasProgressed |= SentLane(piece).Settle(piece.From, piece.To, piece.WithOpen);
                    break;
                case PieceKind.Open:
                    _isDatagramLaneOpen = true;
                    break;
                case PieceKind.Refusals:
                    ReceivedLane(piece).Ledger.HandleRefusalsFate(piece.From, acked: true);
                    break;
                default:
                    // A fact that arrived needs no more care.
                    break;
            }
        }
    }

    /// <inheritdoc/>
    public void HandleLost(PacketNumber packet, Instant now)
    {
        while (_outbox.TryTake(packet, out SentPiece piece))
        {
            OfferAgain(piece);
        }
    }

    /// <inheritdoc/>
    public void HandleOverdue(PacketNumber packet, Instant now)
    {
        int cursor = 0;

        while (_outbox.Waiting < MostPiecesInFlight && _outbox.TryPeek(packet, ref cursor, out SentPiece piece))
        {
            OfferAgain(piece);
        }
    }

    // Content goes out again as far as it is missing; of facts only the newest value matters, and only if this was it.
    private void OfferAgain(SentPiece piece)
    {
        switch (piece.Kind)
        {
            case PieceKind.Data:
                OfferMissing(piece);
                break;
            case PieceKind.Skip when SentLane(piece).TryFirstUnsettled(piece.From, piece.To, out _):
                _outbox.Offer(piece with { WithOpen = false });
                break;
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

    private void OfferMissing(SentPiece piece)
    {
        OrderedSendLane lane = SentLane(piece);
        long from = piece.From;

        while (lane.TryFirstUnsettled(from, piece.To, out OffsetRange missing))
        {
            _outbox.Offer(new SentPiece(PieceKind.Data, piece.Lane, WithOpen: false, missing.From, missing.To));
            from = missing.To;
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

    private bool HasNewContent()
    {
        for (ulong left = Volatile.Read(ref _sendLanesInUse); left != 0; left &= left - 1)
        {
            if (SendLaneAt(left) is not { } lane)
            {
                continue;
            }

            if (lane.TryNextPiece(out OffsetRange piece, out bool isSkip))
            {
                if (ConnectionRoom(lane) >= (isSkip ? piece.Length : 1))
                {
                    return true;
                }
            }
            else if (MustSayBlocked(lane))
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

    private void WriteOffers(ref LaneFrameWriter writer, PacketNumber packet)
    {
        int written = 0;

        while (!_outbox.IsFull && (_hasOffer || _outbox.TryNextOffer(out _offer)))
        {
            _hasOffer = true;
            OrderedSendLane lane = SentLane(_offer);

            if (!lane.TryFirstUnsettled(_offer.From, _offer.To, out OffsetRange missing))
            {
                _hasOffer = false;
                continue;
            }

            if (_offer.Kind == PieceKind.Skip)
            {
                missing = new OffsetRange(_offer.From, _offer.To);
            }

            int bytes = WritePiece(ref writer, packet, lane, missing, _offer.Kind == PieceKind.Skip);

            if (bytes == 0)
            {
                break;
            }

            _offer = _offer with { From = missing.From + bytes };
            _hasOffer = _offer.From < _offer.To;
            written++;
        }

        if (written > 0)
        {
            _host.CountRetransmit(written);
        }
    }

    private void WriteLanesInTurn(ref LaneFrameWriter writer, PacketNumber packet)
    {
        int lanes = _sendLanes.Length;
        int first = _nextLaneInTurn;

        for (int i = 0; i < lanes; i++)
        {
            int number = (first + i) % lanes;
            int usedBefore = writer.Used;

            if (number == DatagramLane)
            {
                WriteDatagrams(ref writer, packet);
            }
            else if (number != ControlLane && Volatile.Read(ref _sendLanes[number]) is { } lane)
            {
                WriteNewContent(ref writer, packet, lane);
            }

            // Whoever came first in this packet comes last in the next.
            if (writer.Used > usedBefore && _nextLaneInTurn == first)
            {
                _nextLaneInTurn = (number + 1) % lanes;
            }
        }
    }

    private void WriteNewContent(ref LaneFrameWriter writer, PacketNumber packet, OrderedSendLane lane)
    {
        while (!_outbox.IsFull && lane.TryNextPiece(out OffsetRange piece, out bool isSkip))
        {
            long room = ConnectionRoom(lane);

            if (isSkip ? piece.Length > room : room == 0)
            {
                return;
            }

            OffsetRange allowed = new(piece.From, piece.From + Math.Min(piece.Length, room));
            int bytes = WritePiece(ref writer, packet, lane, allowed, isSkip);

            if (bytes == 0)
            {
                return;
            }

            lane.MarkSent(piece.From + bytes, isSkip);
            _connectionSent += lane.Number == ControlLane ? 0 : bytes;
        }

        // D-3.4
        if (MustSayBlocked(lane) && writer.TryLaneOffset(FrameType.LaneBlocked, lane.Number, lane.CreditLimit))
        {
            lane.BlockedAt = lane.CreditLimit;
        }
    }

    // Returns the bytes of the stream it covers; 0 if not enough of it fits.
    private int WritePiece(
        ref LaneFrameWriter writer, PacketNumber packet, OrderedSendLane lane, OffsetRange piece, bool isSkip)
    {
        ulong bit = 1UL << lane.Number;
        bool withOpen = !lane.IsOpenAtPeer && (_opensInPacket & bit) == 0;
        int bytes;

        if (isSkip)
        {
            bytes = writer.TryLaneSkip(lane.Number, piece, withOpen) ? (int)piece.Length : 0;
        }
        else
        {
            long least = Math.Min(piece.Length, LeastUsefulContent);

            if (writer.Free - LaneFrameWriter.DataOverhead(piece.From, withOpen) < least)
            {
                return 0;
            }

            Span<byte> content = writer.LaneData(lane.Number, piece.From, piece.Length, withOpen);
            lane.Read(piece.From, content);
            bytes = content.Length;
        }

        if (bytes > 0)
        {
            _opensInPacket |= withOpen ? bit : 0;
            PieceKind kind = isSkip ? PieceKind.Skip : PieceKind.Data;
            _outbox.Note(
                packet, new SentPiece(kind, (byte)lane.Number, withOpen, piece.From, piece.From + bytes));
        }

        return bytes;
    }

    private void WriteDatagrams(ref LaneFrameWriter writer, PacketNumber packet)
    {
        while (!_outbox.IsFull && _datagramsOut.TryPeek(out ReadOnlySpan<byte> message))
        {
            bool withOpen = !_isDatagramLaneOpen && (_opensInPacket & (1UL << DatagramLane)) == 0;

            if (writer.TryMessage(DatagramLane, _datagramsSent, message, withOpen))
            {
                if (withOpen)
                {
                    _opensInPacket |= 1UL << DatagramLane;
                    _outbox.Note(packet, new SentPiece(PieceKind.Open, DatagramLane, true, 0, 0));
                }
            }
            else if (message.Length <= MaxUnreliableBytes)
            {
                return;
            }
            else
            {
                // The path became narrower while it waited.
                DatagramsOversized++;
            }

            _datagramsOut.Release();
            Volatile.Write(ref _datagramsSent, _datagramsSent + 1);
            _hasProgressed = true;
        }
    }

    private long ConnectionRoom(OrderedSendLane lane)
        => lane.Number == ControlLane ? long.MaxValue : _connectionLimit - _connectionSent;

    private static bool MustSayBlocked(OrderedSendLane lane) => lane.IsHeldByPeer && lane.BlockedAt != lane.CreditLimit;

    private OrderedSendLane SentLane(SentPiece piece) => _sendLanes[piece.Lane]!;

    private OrderedReceiveLane ReceivedLane(SentPiece piece) => _receiveLanes[piece.Lane]!;
}
