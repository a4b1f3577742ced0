// The receiving side of a lane, whatever its mode: the leader puts in what packets bring, one reader at a time takes
// messages out.
//
// Always true:
//   - a packet is checked as a whole (BeginPacket, Check, TryPrepare) before any of it is taken (Take);
//   - at most one reader is inside;
//   - the credit granted never falls.

using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging.Lanes;

/// <remarks>
/// The leader: checking, taking, facts. The one reader that is inside: peeking and releasing. Any thread: the rest.
/// </remarks>
internal abstract class ReceiveLane
{
    private readonly ReaderSlot _reader = new();
    private bool _creditLost;
    private int _violation;

    protected ReceiveLane(int number, LaneMode mode)
    {
        Number = number;
        Mode = mode;
    }

    internal int Number { get; }

    internal LaneMode Mode { get; }

    /// <summary>The peer has opened the lane.</summary>
    internal bool IsOpen { get; set; }

    /// <summary>
    /// The peer broke a rule that only shows when content is put together or read; the connection must end.
    /// </summary>
    internal CloseCode Violation
    {
        get => (CloseCode)Volatile.Read(ref _violation);
        private protected set => Volatile.Write(ref _violation, (int)value);
    }

    /// <summary>What the lane has counted in the connection's credit, bytes.</summary>
    internal abstract long ChargedBytes { get; }

    /// <summary>Before its first use: where its offsets or ids begin; zero but in tests.</summary>
    internal abstract void BeginAt(in FirstPlaces first);

    /// <summary>Blocks of the peer's memory it owns, counted anew: while no other thread is inside.</summary>
    internal abstract int BlocksHeld { get; }

    /// <summary>How far the peer may go, as last granted: an offset on ordered lanes, else an id.</summary>
    internal abstract long GrantedLimit { get; }

    /// <summary>Enough was read since the last grant that the peer should hear of it. Any thread.</summary>
    internal abstract bool IsCreditDue { get; }

    /// <summary>Whether something arrived that was not read. Any thread.</summary>
    internal abstract bool HasUnread { get; }

    /// <summary>Grows with what arrives: everything here now ends before it. Any thread.</summary>
    internal abstract long ArrivedPosition { get; }

    /// <summary>Leader. Grows with what arrives, in order or not; noted with each credit.</summary>
    private protected virtual long ReceivedPosition => 0;

    /// <summary>Grows with what is read: everything before was. Any thread.</summary>
    internal abstract long ReadPosition { get; }

    /// <summary>Bytes that arrived and were not read; a glance. Any thread.</summary>
    internal abstract long UnreadBytes { get; }

    /// <summary>Any thread. What is here and not handed out, with its limits (R1); a glance.</summary>
    internal abstract QueueCounters ReadQueue();

    /// <summary>Leader. Whether a whole message waits for its reader, or a reader is at it.</summary>
    internal virtual bool IsMessageWaiting() => HasUnread;

    /// <summary>Any thread, after the end. Nothing whole is left to read, so its memory went back.</summary>
    internal abstract bool IsDrained { get; }

    /// <summary>A message is here, but there was no memory to hand it out. Any thread.</summary>
    internal virtual bool LacksMemory => false;

    /// <summary>Leader. When <see cref="HandleTimeout"/> wants to be called.</summary>
    internal virtual Instant NextDeadline => Instant.Never;

    /// <summary>The peer has something to hear of the lane.</summary>
    internal bool HasFacts => _creditLost || IsCreditDue || HasAnswers;

    /// <summary>The peer has not heard the newest of what became of its messages.</summary>
    private protected abstract bool HasAnswers { get; }

    /// <summary>A packet with frames of the lane is about to be checked.</summary>
    internal abstract void BeginPacket();

    /// <summary>Whether the lane may take the frame; takes nothing.</summary>
    internal abstract PayloadVerdict Check(in LaneFrame frame);

    /// <summary>Makes sure of the memory for all frames that were checked. False: there is none now.</summary>
    internal abstract bool TryPrepare();

    /// <summary>Takes a frame that was checked.</summary>
    /// <returns>True if the reader has something new.</returns>
    internal abstract bool Take(in LaneFrame frame, Instant now);

    /// <summary>Leader. Gives up what has waited too long; without effect before <see cref="NextDeadline"/>.</summary>
    internal virtual void HandleTimeout(Instant now)
    {
    }

    /// <summary>The packet was taken, or was not: what was made ready for it and not used is given back.</summary>
    internal abstract void EndPacket();

    /// <summary>The next message, in place. The same one again until <see cref="Release"/>.</summary>
    internal abstract bool TryPeek(out MessageView message);

    /// <summary>The message last peeked is done with: its room may be reused.</summary>
    internal abstract void Release(in MessageView message);

    /// <summary>
    /// The block in which the message last peeked stands at the front goes to the caller, who returns it.
    /// </summary>
    /// <returns>False if the message must be copied.</returns>
    internal virtual bool TryDetach(out byte[] block)
    {
        block = [];
        return false;
    }

    /// <summary>The asked message last peeked goes to the application, which holds it.</summary>
    /// <returns>Its number, for <see cref="Settle"/>.</returns>
    internal abstract long Hold(in MessageView message);

    /// <summary>The asked message last peeked is taken.</summary>
    internal abstract void MarkTaken(in MessageView message);

    /// <summary>A held message was taken or refused. Any thread.</summary>
    internal abstract void Settle(long number, bool refused);

    /// <summary>The application is done with the lane: nothing more is handed out. Any thread.</summary>
    internal abstract void Discard();

    /// <summary>Nothing more arrives. What is whole stays readable.</summary>
    internal abstract void End();

    /// <summary>A new limit for the peer, as much as there is room. Never falls.</summary>
    internal abstract long GrantCredit();

    /// <summary>Lets one reader in, see <see cref="ReaderSlot.TryEnter"/>.</summary>
    internal bool TryEnter(bool polling) => _reader.TryEnter(polling);

    /// <summary>The reader goes.</summary>
    /// <returns>True if the leader should hear of it: there is credit to grant.</returns>
    internal bool Leave()
    {
        FinishReading();
        bool due = IsCreditDue;
        LeaveSlot();
        ReturnMemoryIfEnded();
        return due;
    }

    /// <summary>Leader. Writes what the peer must hear, as far as it fits.</summary>
    internal void WriteFacts(ref LaneFrameWriter writer, PacketNumber packet, ReliableOutbox<SentPiece> outbox)
    {
        if ((_creditLost || IsCreditDue) && !outbox.IsFull)
        {
            long limit = GrantCredit();
            _creditLost = !writer.TryLaneOffset(FrameType.LaneCredit, Number, limit);

            if (!_creditLost)
            {
                outbox.Note(packet, new SentPiece(PieceKind.LaneCredit, (byte)Number, false, limit, ReceivedPosition));
            }
        }

        if (HasAnswers)
        {
            WriteAnswers(ref writer, packet, outbox);
        }
    }

    /// <summary>Leader. The packet with this fact was acknowledged.</summary>
    internal virtual void HandleFactAcked(in SentPiece piece)
    {
        // Most facts that arrived need no more care.
    }

    /// <summary>Leader. The packet with this fact was lost, or is overdue.</summary>
    internal virtual void HandleFactLost(in SentPiece piece)
        => _creditLost |= piece.Kind == PieceKind.LaneCredit && piece.From == GrantedLimit;

    private protected abstract void WriteAnswers(
        ref LaneFrameWriter writer, PacketNumber packet, ReliableOutbox<SentPiece> outbox);

    /// <summary>What the reader has released becomes known to the leader.</summary>
    private protected abstract void FinishReading();

    /// <summary>After the end, once nothing whole is left to read: by whichever side sees it last.</summary>
    private protected abstract void ReturnMemoryIfEnded();

    private protected void LeaveSlot() => _reader.Leave();
}
