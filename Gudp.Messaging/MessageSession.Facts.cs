using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Lanes;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging;

/// <content>
/// What the peer must hear of what it sent: credit and confirmations. Of each only the newest value matters; lost, it goes
/// again with the value of then (D-4.7).
/// </content>
internal sealed partial class MessageSession
{
    // Lanes that may have something to say. Whoever makes it so adds the lane afterwards.
    private LaneSet _lanesWithFacts;
    private bool _connectionCreditLost;

    private bool IsConnectionCreditDue => _window.IsDue(_config.LaneRingBytes / 4);

    private bool HasFactsToSend()
    {
        if (_connectionCreditLost || IsConnectionCreditDue)
        {
            return true;
        }

        for (int lane = _lanesWithFacts.Next(0); lane >= 0; lane = _lanesWithFacts.Next(lane + 1))
        {
            if (HasFacts(lane))
            {
                return true;
            }
        }

        return false;
    }

    // Strikes a lane off the list that has nothing to say.
    private bool HasFacts(int number)
    {
        ReceiveLane lane = _receiveLanes[number]!;

        if (lane.HasFacts)
        {
            return true;
        }

        _lanesWithFacts.RemoveAtomic(number);

        // Something may have come up before it was struck off, which its adder saw on the list.
        if (!lane.HasFacts)
        {
            return false;
        }

        _lanesWithFacts.AddAtomic(number);
        return true;
    }

    private void WriteFacts(ref LaneFrameWriter writer, PacketNumber packet)
    {
        if ((_connectionCreditLost || IsConnectionCreditDue) && !_outbox.IsFull)
        {
            long limit = _window.Grant();
            _connectionCreditLost = !writer.TryConnectionCredit(limit);

            if (!_connectionCreditLost)
            {
                _outbox.Note(packet, new SentPiece(PieceKind.ConnectionCredit, 0, false, limit, 0));
            }
        }

        for (int lane = _lanesWithFacts.Next(0); lane >= 0; lane = _lanesWithFacts.Next(lane + 1))
        {
            if (HasFacts(lane))
            {
                _receiveLanes[lane]!.WriteFacts(ref writer, packet, _outbox);
            }
        }
    }

    private void HandleFactAcked(in SentPiece piece)
    {
        // Most facts that arrived need no more care.
        if (piece.Kind is PieceKind.Refusals or PieceKind.LaneCredit)
        {
            _receiveLanes[piece.Lane]!.HandleFactAcked(piece);
            _lanesWithFacts.AddAtomic(piece.Lane);
        }
    }

    private void HandleFactLost(in SentPiece piece)
    {
        if (piece.Kind == PieceKind.ConnectionCredit)
        {
            _connectionCreditLost |= piece.From == _window.Granted;
            return;
        }

        _receiveLanes[piece.Lane]!.HandleFactLost(piece);
        _lanesWithFacts.AddAtomic(piece.Lane);
    }

    // Any thread, after there is something to say.
    private void MarkFacts(ReceiveLane lane)
    {
        _lanesWithFacts.AddAtomic(lane.Number);
        _host.Wake();
    }
}
