using System;

namespace Gudp.Core;

/// <summary>
/// The door between the packet layer and whatever rides on it: Core asks it for frames when a packet may leave, hands
/// it the frames of packets that came, and tells it the fate of each packet once.
/// </summary>
/// <remarks>
/// Called only by the thread that leads the turn, and never re-entered: a call may record, publish and wake, but not
/// call back into the connection. One instance serves one connection.
/// </remarks>
public interface IPacketPayload
{
    /// <summary>True if <see cref="WriteFrames"/> would write something now; asked before each packet.</summary>
    bool HasDataToSend { get; }

    /// <summary>
    /// True while something that was accepted has not reached the peer, also if it may not leave yet (for want of credit,
    /// for instance): a closing connection waits for it, as long as it lingers.
    /// </summary>
    bool HasUnfinished { get; }

    /// <summary>
    /// What was accepted and has not left yet; asked at the end of each turn. From it follow the status word's
    /// <see cref="ConnectionStatus.SendQueueLevel"/>, <see cref="Connection.PredictedQueueDelay"/> and the report of
    /// <see cref="Daemon.Shutdown"/>. A layer that queues nothing need not say anything.
    /// </summary>
    SendBacklog Backlog => default;

    /// <summary>
    /// As <see cref="Backlog"/>, asked once when the connection ends, for the report of <see cref="Daemon.Shutdown"/>: a
    /// layer that does not count what waits at each turn may do so here.
    /// </summary>
    SendBacklog BacklogAtEnd => Backlog;

    /// <summary>
    /// When <see cref="HandleTimeout"/> wants to be called; <see cref="Instant.Never"/> if not at all.
    /// </summary>
    Instant NextDeadline { get; }

    /// <summary>
    /// The handshake is done. Called once; before it only the properties are asked, and time passes
    /// (<see cref="HandleTimeout"/>, <see cref="HandleTurnEnd"/>).
    /// </summary>
    /// <param name="peer">What the peer announced.</param>
    /// <param name="now">The turn's moment.</param>
    void HandleOpened(in PayloadParameters peer, Instant now);

    /// <summary>Writes as many whole frames as fit. The packet will ask for an acknowledgement.</summary>
    /// <param name="packet">The packet they leave in; its fate is reported by exactly one of
    /// <see cref="HandleAcked"/> and <see cref="HandleLost"/> if anything was written.</param>
    /// <param name="destination">Room of the packet that is left; at most
    /// <see cref="PayloadHost.MaxFrameBytes"/>.</param>
    /// <param name="now">The turn's moment.</param>
    /// <returns>Bytes written; 0 if nothing fits or nothing is due.</returns>
    int WriteFrames(PacketNumber packet, Span<byte> destination, Instant now);

    /// <summary>Takes all frames of a packet, or none of them.</summary>
    /// <param name="packet">Its number; each number comes here at most once with
    /// <see cref="PayloadVerdict.Held"/>.</param>
    /// <param name="frames">From the packet's first payload frame to its end. Untrusted; valid during the call
    /// only.</param>
    /// <param name="now">The turn's moment.</param>
    PayloadVerdict HandleFrames(PacketNumber packet, ReadOnlySpan<byte> frames, Instant now);

    /// <summary>The peer holds what the packet carried.</summary>
    void HandleAcked(PacketNumber packet, Instant now);

    /// <summary>
    /// All that one acknowledgement brought was told by <see cref="HandleAcked"/>: what is cheaper once for many packets
    /// than for each can be done now. Does nothing if it is not implemented.
    /// </summary>
    /// <param name="now">The turn's moment.</param>
    void HandleAckEnd(Instant now)
    {
    }

    /// <summary>The packet will not arrive: what it carried and still matters goes out again in another one.</summary>
    void HandleLost(PacketNumber packet, Instant now);

    /// <summary>
    /// Offer what the packet carried and is not settled once more; the packet itself stays in flight and its fate is
    /// still to come (eager resend, probe).
    /// </summary>
    void HandleOverdue(PacketNumber packet, Instant now);

    /// <summary><see cref="NextDeadline"/> has come, perhaps while the connection is still dialled.</summary>
    void HandleTimeout(Instant now);

    /// <summary>
    /// The turn has handled everything for this connection: wake the users who wait for what changed. Also while the
    /// connection is still dialled.
    /// </summary>
    void HandleTurnEnd(Instant now);

    /// <summary>
    /// No content went or came for some seconds: what grew with it may be given back. Once, until content goes or comes
    /// again.
    /// </summary>
    /// <param name="now">The turn's time.</param>
    void HandleRest(Instant now)
    {
    }


    /// <summary>The connection has ended; called once, and nothing after it.</summary>
    void HandleStatus(ConnectionStatus status, CloseReason? reason, Instant now);
}

/// <summary>What a payload layer holds for a connection that was accepted from users and has not left yet.</summary>
/// <param name="Bytes">Bytes that wait to be sent.</param>
/// <param name="Packets">Packets or messages that wait; 0 if the layer does not count them.</param>
/// <param name="FilledPermille">
/// How much of the limit that will refuse first is used, 0 to 1000; what is in flight and still held counts too.
/// </param>
public readonly record struct SendBacklog(long Bytes, int Packets, int FilledPermille);

/// <summary>What a payload layer made of a packet's frames.</summary>
public enum PayloadVerdict
{
    /// <summary>All taken and kept: the packet is acknowledged.</summary>
    Held,

    /// <summary>
    /// Nothing taken, for lack of memory only: the packet is not acknowledged and its content comes again.
    /// </summary>
    Refused,

    /// <summary>A frame was cut short or broke its own rules: the connection is closed.</summary>
    Malformed,

    /// <summary>A frame of a type that neither is known nor may be skipped: the connection is closed.</summary>
    UnknownFrame,

    /// <summary>The peer sent more than it was allowed to: the connection is closed.</summary>
    CreditExceeded,

    /// <summary>A frame for a lane that was not opened, or of another mode: the connection is closed.</summary>
    LaneViolation,

    /// <summary>A message beyond the announced limit: the connection is closed.</summary>
    TooLarge,

    /// <summary>Parts of a message contradict what came of it before: the connection is closed.</summary>
    FragmentConflict,
}

/// <summary>What a payload layer announces in the handshake (wire parameters 10 to 14).</summary>
public readonly record struct PayloadParameters
{
    /// <summary>0 = Core's own packets, 1 = Gudp.Messaging; others are free. Both ends must name the same.</summary>
    public int Protocol { get; init; }

    /// <summary>Version of that protocol; both ends must name the same.</summary>
    public int Version { get; init; }

    /// <summary>Bytes the peer may send at first over all credited lanes together.</summary>
    public long ConnectionCreditBytes { get; init; }

    /// <summary>Bytes the peer may be ahead of the reader on each lane, at most; it starts with less.</summary>
    public long LaneCreditBytes { get; init; }

    /// <summary>The largest message this end accepts, bytes.</summary>
    public long LargestMessageBytes { get; init; }

    /// <summary>How many lanes this end accepts; lanes are numbered from 0.</summary>
    public int Lanes { get; init; }
}

/// <summary>Makes the payload layer of each new connection; set as <see cref="ConnectionConfig.Payload"/>.</summary>
public interface IPacketPayloadFactory
{
    /// <summary>What the handshake announces for every connection made by this factory.</summary>
    PayloadParameters Parameters { get; }

    /// <summary>
    /// True: if both ends dial each other at once, one of the two connections opens, and the other one's layer is told
    /// the end of it; the layer moves what it has to say. False, the default: both open.
    /// </summary>
    bool HasOneConnectionPerPeer => false;

    /// <summary>
    /// A timer of the layer as a whole, for what belongs to no single connection; asked once, when the endpoint is opened.
    /// Null, the default: none.
    /// </summary>
    IPayloadTimer? Timer => null;

    /// <summary>
    /// True, the default: the layer calls code of the application inside turns. Then no plain send runs a turn on the
    /// sender's thread; who blocks in a wait still does. Asked once, when the endpoint is opened.
    /// </summary>
    bool CallsApplication => true;

    /// <summary>
    /// Makes the layer for one connection. Called on the thread that made or admitted the connection.
    /// </summary>
    IPacketPayload Create(PayloadHost host);
}

/// <summary>A timer that an endpoint's daemon drives, as long as the endpoint is open.</summary>
/// <remarks>
/// Called only by the thread that leads the turn. What <see cref="HandleTimeout"/> throws stops the daemon, and is its
/// <see cref="Daemon.Fault"/>.
/// </remarks>
public interface IPayloadTimer
{
    /// <summary>
    /// When <see cref="HandleTimeout"/> wants to be called; <see cref="Instant.Never"/> if not at all. Asked before each
    /// wait, so it is cheap; it changes inside turns only.
    /// </summary>
    Instant NextDeadline { get; }

    /// <summary><see cref="NextDeadline"/> has come; it must be a later one afterwards.</summary>
    /// <param name="now">The turn's moment.</param>
    void HandleTimeout(Instant now);
}
