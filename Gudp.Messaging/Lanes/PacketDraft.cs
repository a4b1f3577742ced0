using System;
using Gudp.Core;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging.Lanes;

/// <summary>One packet while its frames are written. Leader only; passed by reference.</summary>
/// <remarks>Always true: what was written asks for the packet's fate by a note, or needs none.</remarks>
internal ref struct PacketDraft
{
    private readonly ReliableOutbox<SentPiece> _outbox;
    private readonly RepeatQueue _repeats;
    private readonly PacketNumber _packet;
    private LaneSet _opened;
    private long _creditWithheld;

    internal LaneFrameWriter Writer;

    internal PacketDraft(
        Span<byte> destination,
        PacketNumber packet,
        ReliableOutbox<SentPiece> outbox,
        RepeatQueue repeats,
        long connectionRoom)
    {
        _repeats = repeats;
        Writer = new LaneFrameWriter(destination);
        Size = destination.Length;
        _packet = packet;
        _outbox = outbox;
        CreditLeft = connectionRoom;
    }

    /// <summary>Bytes a full packet has for frames; this one has fewer where the window leaves less.</summary>
    internal int Size { get; init; }

    /// <summary>Bytes that may still get in flight, this packet's among them.</summary>
    internal int WindowRoom { get; init; }

    /// <summary>What goes out again between new content.</summary>
    internal readonly RepeatQueue Repeats => _repeats;

    /// <summary>Bytes the connection's credit still allows.</summary>
    internal long CreditLeft { get; private set; }

    /// <summary>Those of them the lane may use whose turn it is.</summary>
    internal readonly long ConnectionRoom => Math.Max(0, CreditLeft - _creditWithheld);

    /// <summary>What was written so far that counts against the connection's credit.</summary>
    internal long Charged { get; private set; }

    /// <summary>Pieces that went out again.</summary>
    internal int Retransmits { get; set; }

    /// <summary>Whether writing changed what users may wait for.</summary>
    internal bool HasProgressed { get; set; }

    /// <summary>Whether one more piece can be remembered.</summary>
    internal readonly bool CanNote => !_outbox.IsFull;

    /// <summary>Whether a frame of the lane needs its LaneOpen before it (D-1.3).</summary>
    internal readonly bool NeedsOpen(SendLane lane) => !lane.IsOpenAtPeer && !_opened.Contains(lane.Number);

    /// <summary>Writes the lane's LaneOpen if it is needed; room for it was checked.</summary>
    /// <returns>Whether it was.</returns>
    internal bool Open(SendLane lane)
    {
        if (!NeedsOpen(lane))
        {
            return false;
        }

        Writer.LaneOpen(lane.Number, lane.Options);
        _opened.Add(lane.Number);
        return true;
    }

    internal readonly void Note(in SentPiece piece) => _outbox.Note(_packet, piece);

    /// <summary>A piece that went out for the first time goes again in the next packets, if its lane wants that.</summary>
    /// <returns>Whether it will.</returns>
    internal readonly bool TryPlanRepeats(SendLane lane, in SentPiece piece, int bytes)
        => _repeats.TryPlan(lane, piece, bytes, Size);

    /// <summary>New content that counts against the connection's credit.</summary>
    internal void Charge(long bytes)
    {
        Charged += bytes;
        CreditLeft -= bytes;
    }

    /// <summary>Another lane's turn begins, which may not use all of the connection's credit.</summary>
    internal void Withhold(long credit) => _creditWithheld = credit;
}
