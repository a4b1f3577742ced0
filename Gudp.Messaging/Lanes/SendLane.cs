// The sending side of a lane, whatever its mode: users put messages in, the leader takes pieces of them out into
// packets and brings back what became of each.
//
// The session and the schedule talk to lanes only through this class. A lane says by SendSchedule.MarkReady that it may
// have something to write; the schedule asks it, and strikes it off its list when it has nothing, or nothing it may
// send. Whoever makes that untrue (a send, credit, a skip that is owed) marks it again.

using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Memory;
using Gudp.Messaging.Status;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging.Lanes;

/// <remarks>
/// Any thread: the members that say so. All others belong to the leader. A lane is made once and never replaced.
/// </remarks>
internal abstract class SendLane
{
    // Before the peer's terms are known: what every peer must accept (D-1.2).
    private const int LargestBeforeOpen = 64 * 1024;

    private readonly SendSchedule _schedule;

    protected SendLane(int number, in LaneOptions options, PeerTerms peer, SendSchedule schedule)
    {
        Number = number;
        Options = options;
        Peer = peer;
        _schedule = schedule;
    }

    internal int Number { get; }

    internal LaneOptions Options { get; }

    /// <summary>What was sent on it, and became of that.</summary>
    internal required MessageTally Tally { get; init; }

    /// <summary>True once a packet with this lane's LaneOpen was acknowledged.</summary>
    internal bool IsOpenAtPeer { get; private protected set; }

    /// <summary>Bytes the lane may still write before it is another's turn; the schedule's own.</summary>
    internal long Deficit { get; set; }

    /// <summary>Any thread. True once all that was ever accepted has its end.</summary>
    internal abstract bool IsSettled { get; }

    /// <summary>Any thread. Whether a writer was refused for lack of room and has not been told to try again.</summary>
    internal abstract bool IsRoomWanted { get; }

    /// <summary>Blocks of the peer's memory it owns, counted anew: while no other thread is inside.</summary>
    internal abstract int BlocksHeld { get; }

    /// <summary>Bytes accepted that were never sent; a glance.</summary>
    internal abstract long WaitingBytes { get; }

    /// <summary>How much of the limit that will refuse first is used, 0 to 1000; a glance.</summary>
    internal abstract int FilledPermille { get; }

    /// <summary>Bytes counted against the connection's credit so far.</summary>
    internal abstract long CreditedBytes { get; }

    /// <summary>Before its first use: where its offsets or ids begin; zero but in tests.</summary>
    internal abstract void BeginAt(in FirstPlaces first);

    /// <summary>
    /// Bytes of the connection's credit without which the lane cannot go on; 0: none are kept for it (D-8.9).
    /// </summary>
    internal virtual long CreditNeeded => 0;

    /// <summary>When <see cref="HandleTimeout"/> wants to be called.</summary>
    internal virtual Instant NextDeadline => Instant.Never;

    /// <summary>Any thread. Whether messages wait behind the peer's credit: its application does not read.</summary>
    internal virtual bool IsHeldByPeer => false;

    /// <summary>Grows whenever something goes out for the first time.</summary>
    internal virtual long Progress => 0;

    /// <summary>Any thread. What waits here and is not settled, with its limits (R1); a glance.</summary>
    internal virtual QueueCounters ReadQueue() => new($"lane {Number} send", 0, 0, 0, 0, 0, 0, 0);

    /// <summary>Any thread. Updates that were asked for and wait to be fetched.</summary>
    internal abstract QueueCounters ReadUpdates();

    /// <summary>Whether its content counts against the connection's credit (D-3.1).</summary>
    internal bool IsCredited => Number != MessageSession.ControlLane && Options.Mode <= LaneMode.SequencedReliable;

    protected PeerTerms Peer { get; }

    /// <summary>Any thread. Takes a message in; copied before the method returns.</summary>
    internal abstract SendStatus TrySend(ReadOnlySpan<byte> message, in SendOptions options, out MessageId id);

    /// <summary>Any thread. Takes a message in whose bytes others may send too; the lane takes a share of its own.</summary>
    internal virtual SendStatus TrySend(SharedBlock message, in SendOptions options, out MessageId id)
        => TrySend(message.Span, options, out id);

    /// <summary>Any thread. Takes messages in one after the other, so that no other writer comes between.</summary>
    /// <param name="messages">Copied before the method returns.</param>
    /// <param name="options">How each is sent.</param>
    /// <param name="results">What became of each; as many as messages.</param>
    /// <returns>How many were accepted.</returns>
    internal virtual int TrySendAll(
        ReadOnlySpan<ReadOnlyMemory<byte>> messages, in SendOptions options, Span<SendResult> results)
    {
        int accepted = 0;
        SendStatus status = SendStatus.Accepted;

        for (int i = 0; i < messages.Length; i++)
        {
            // Of what is sent together no gap is made: the rest can be sent later.
            bool isTried = status is SendStatus.Accepted or SendStatus.TooLarge;
            MessageId id = default;
            status = isTried ? TrySend(messages[i].Span, options, out id) : status;
            bool isAccepted = status == SendStatus.Accepted;
            results[i] = new SendResult(status, isAccepted ? MessageSession.FirstReceipt(id) : default);
            accepted += isAccepted ? 1 : 0;
        }

        return accepted;
    }

    /// <summary>Any thread. Where messages of a batch may be collected for the lane; null: they go one by one.</summary>
    internal virtual BatchRoom? TryOpenBatch(in SendOptions options) => null;

    /// <summary>The batch's thread. Takes what was collected, and makes room for a message that had none.</summary>
    /// <returns>Accepted: the message has room now. Closed: what was collected is dropped.</returns>
    internal virtual SendStatus TryMakeRoom(BatchRoom batch, int length) => SendStatus.Closed;

    /// <summary>The batch's thread. Takes what was collected.</summary>
    /// <param name="batch">Empty afterwards.</param>
    /// <param name="isLast">The batch ends.</param>
    /// <returns>Accepted; or Closed: it is dropped.</returns>
    internal virtual SendStatus HandOver(BatchRoom batch, bool isLast) => SendStatus.Closed;

    /// <summary>Any thread. The sender does not want the message to go any more.</summary>
    /// <returns>True: it is cancelled from now on. False: it has another end, or none can be given up now.</returns>
    internal virtual bool TryCancel(MessageId id) => false;

    /// <summary>Any thread. The messages with a record that are not decided, oldest first.</summary>
    /// <returns>How many were filled in.</returns>
    internal virtual int CopyOpen(Span<SendReceipt> receipts, bool ended) => 0;

    /// <summary>Any thread. Takes room for a message that the caller then writes in place.</summary>
    internal abstract SendStatus TryClaim(int length, in SendOptions options, out LaneClaim claim);

    /// <summary>Any thread. The claim's bytes are written: they may go.</summary>
    internal abstract SendStatus Commit(in LaneClaim claim, out MessageId id);

    /// <summary>Any thread. The claim is given up: the peer never sees it. Once, or on a copy without effect.</summary>
    internal abstract void Abandon(in LaneClaim claim);

    /// <summary>Any thread. How far a message has come.</summary>
    internal abstract SendReceipt StateOf(MessageId id, bool ended);

    /// <summary>Any thread. Whether an update that was asked for was not handed out yet.</summary>
    internal abstract bool HasUpdates { get; }

    /// <summary>Any thread. Hands out updates that were asked for and have become true, each once.</summary>
    /// <param name="updates">Where they go.</param>
    /// <param name="ended">The connection is over: what is still open will not become known.</param>
    /// <param name="roomCameFree">Set if a sender that was refused may ask again.</param>
    /// <returns>How many.</returns>
    internal abstract int TakeUpdates(Span<ReceiptUpdate> updates, bool ended, ref bool roomCameFree);

    /// <summary>Any thread. Somebody waited for a message and was told: its updates need not be handed out.</summary>
    /// <param name="id">The message.</param>
    /// <param name="told">What was told.</param>
    /// <returns>True if a sender that was refused may ask again.</returns>
    internal abstract bool HandTold(MessageId id, ReceiptWish told);

    /// <summary>Any thread. No more messages; those that were accepted go on (D-13.4).</summary>
    internal abstract void StopAccepting();

    /// <summary>Any thread. No more messages; memory goes back as soon as no claim is open.</summary>
    internal abstract void End();

    /// <summary>
    /// Whether a writer that was refused should try again now. The caller has put a full fence between freeing room and
    /// asking.
    /// </summary>
    internal abstract bool TakeWritable();

    /// <summary>What <see cref="WriteNew"/> would come to in an empty packet.</summary>
    /// <param name="connectionRoom">Bytes the connection's credit leaves.</param>
    internal abstract LaneTurn Probe(long connectionRoom);

    /// <summary>
    /// Writes frames never sent before until <paramref name="share"/> bytes are used up; the last frame may go beyond.
    /// </summary>
    internal abstract LaneTurn WriteNew(ref PacketDraft draft, long share);

    /// <summary>A packet with the piece arrived; <see cref="FinishSettling"/> follows once all that did are known.</summary>
    /// <returns>True if room becomes free or a state changes.</returns>
    internal abstract bool Settle(in SentPiece piece);

    /// <summary>
    /// Frees the room of all that was settled: it takes locks, which an acknowledgement of many packets pays once.
    /// </summary>
    internal virtual void FinishSettling()
    {
    }

    /// <summary>The packet with the piece is lost or overdue: what of it still matters is offered again.</summary>
    /// <param name="piece">As it was noted.</param>
    /// <param name="isLost">The packet's fate is final; if not, it may still arrive.</param>
    /// <param name="outbox">Where it is offered.</param>
    /// <returns>True if a state changed.</returns>
    internal abstract bool OfferAgain(in SentPiece piece, bool isLost, ReliableOutbox<SentPiece> outbox);

    /// <summary>Writes what is still missing of a piece that was offered, or its first part.</summary>
    /// <param name="draft">The packet.</param>
    /// <param name="offer">Shortened by what was written.</param>
    /// <param name="isDone">Nothing is left of it.</param>
    /// <returns>False if the packet has no room for it.</returns>
    internal abstract bool TryWriteAgain(ref PacketDraft draft, ref SentPiece offer, out bool isDone);

    /// <summary>Writes a piece once more that may still be on its way (D-11.3).</summary>
    /// <param name="draft">The packet.</param>
    /// <param name="piece">As it was noted first.</param>
    /// <param name="isDone">It does not matter any more.</param>
    /// <returns>Whether it was written.</returns>
    internal abstract bool TryRepeat(ref PacketDraft draft, in SentPiece piece, out bool isDone);

    /// <summary>A repeat that was planned will not go: as if it had gone and been lost (D-11.3).</summary>
    /// <returns>True if a state changed.</returns>
    internal virtual bool DropRepeat(in SentPiece piece) => false;

    /// <summary>
    /// Whether the piece is not known to have arrived, and was not given up. If not, its repeats are over, and a message
    /// that only waited for them has its end.
    /// </summary>
    internal abstract bool Matters(in SentPiece piece);

    /// <summary>The peer lets the lane go further; older news is ignored.</summary>
    internal abstract void RaiseCredit(long limit);

    /// <summary>
    /// Whether the peer may say this about the lane: the frame fits its mode, and names only what was sent.
    /// </summary>
    /// <param name="type">LaneTaken, MessagesTaken or MessagesRefused.</param>
    /// <param name="value">The offset, or the largest id.</param>
    internal abstract bool Admits(FrameType type, long value);

    /// <summary>LaneTaken: the peer's application has taken everything before.</summary>
    /// <returns>True if a state changed.</returns>
    internal abstract bool HandleTaken(long offset);

    /// <summary>MessagesTaken.</summary>
    internal abstract void HandleTaken(IdRangeReader ids);

    /// <summary>MessagesRefused.</summary>
    internal abstract void HandleRefused(IdRangeReader ids);

    /// <summary>
    /// At the end of a turn in which the lane was marked by <see cref="MarkTimed"/>: gives deadlines to what waits for
    /// them.
    /// </summary>
    internal virtual void StampDeadlines(Instant now)
    {
    }

    /// <summary><see cref="NextDeadline"/> has come.</summary>
    /// <returns>True if a state changed.</returns>
    internal virtual bool HandleTimeout(Instant now) => false;

    /// <summary>The leader, or whoever ends the message under the lane's lock: transfers came to their end.</summary>
    protected void CountTransfers(TransferState end, long messages = 1) => Tally.CountShared(
        end switch
        {
            TransferState.Received => MessageCount.TransfersReceived,
            TransferState.Expired => MessageCount.TransfersExpired,
            TransferState.Cancelled => MessageCount.TransfersCancelled,
            _ => MessageCount.TransfersUnknown,
        },
        messages);

    /// <summary>As <see cref="CountTransfers"/>: takes that were asked for came to their end.</summary>
    protected void CountTakes(TakeState end, long messages = 1) => Tally.CountShared(
        end switch
        {
            TakeState.Taken => MessageCount.TakesTaken,
            TakeState.Refused => MessageCount.TakesRefused,
            TakeState.Expired => MessageCount.TakesExpired,
            _ => MessageCount.TakesUnknown,
        },
        messages);

    /// <summary>The queue of updates; its bytes are those of the updates it will hand out.</summary>
    protected QueueCounters UpdatesOf(long items, long mostItems) => new(
        $"lane {Number} updates",
        (long)ReceiptBook.MostNotes * Unsafe.SizeOf<ReceiptUpdate>(),
        ReceiptBook.MostNotes,
        items * Unsafe.SizeOf<ReceiptUpdate>(),
        items,
        mostItems * Unsafe.SizeOf<ReceiptUpdate>(),
        mostItems,
        Tally.Read(MessageCount.FirstSendRefused + (int)SendStatus.UpdatesFull));

    /// <summary>Under the lane's lock: raises a high-water mark.</summary>
    protected static void NoteMost(ref long most, long now)
    {
        if (now > most)
        {
            Volatile.Write(ref most, now);
        }
    }

    /// <summary>
    /// Any thread. Adds up what has no end yet, or had none when the connection ended (D-13.4). Cold path.
    /// </summary>
    internal abstract void AddOpenTo(ref OpenTraffic sum);

    /// <summary>Any thread, after what there is to write was published.</summary>
    protected void MarkReady() => _schedule.MarkReady(Number);

    /// <summary>Any thread, after a time-out was published: the end of the next turn stamps it.</summary>
    protected void MarkTimed() => _schedule.MarkTimed(Number);

    /// <summary>Any thread. Whether the peer takes a message of this length on this lane.</summary>
    protected SendStatus CheckLength(int length, int largest)
    {
        if (length > largest)
        {
            return SendStatus.TooLarge;
        }

        if (Peer.IsKnown)
        {
            return length > Peer.LargestMessageBytes ? SendStatus.TooLarge
                : Number >= Peer.Lanes ? SendStatus.NotOpen
                : SendStatus.Accepted;
        }

        return length > LargestBeforeOpen ? SendStatus.NotOpen : SendStatus.Accepted;
    }
}

/// <summary>Why a lane stopped writing.</summary>
internal enum LaneTurn : byte
{
    /// <summary>It has more; its share is used up.</summary>
    HasMore,

    /// <summary>It has more, which the rest of this packet has no room for.</summary>
    NoFit,

    /// <summary>It has nothing more, or nothing its own credit allows.</summary>
    Idle,

    /// <summary>It has more, which the connection's credit does not allow.</summary>
    HeldByConnection,
}
