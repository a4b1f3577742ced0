using System;
using Gudp.Core;

namespace Gudp.Messaging;

/// <summary>
/// Takes what arrives at an endpoint at once, on the thread that leads the turn: the shortest way, and the door to the
/// layer above.
/// </summary>
/// <remarks>
/// The methods must be short and never block: the whole daemon waits for them. A turn of more than 100 ms is counted in
/// <see cref="DaemonCounters.LongTurns"/>. One that throws ends the peer's connection with
/// <see cref="CloseCode.HandlerFault"/>; after that only <see cref="PeerChange.Closed"/> is told of it (H82). They may
/// send and close; neither transmits before the sink has returned.
/// </remarks>
public interface IMessageSink
{
    /// <summary>A message arrived. It counts as taken when this method returns.</summary>
    /// <param name="from">Who sent it.</param>
    /// <param name="lane">The lane it came on.</param>
    /// <param name="message">Valid until the method returns.</param>
    /// <param name="now">The turn's time.</param>
    void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now);

    /// <summary>A peer opened, may be sent to again after a refusal, or closed.</summary>
    void HandlePeer(Peer peer, PeerChange change, Instant now);

    /// <summary>An update that was asked for when the message was sent.</summary>
    void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now);
}

/// <summary>A sink that also wants to be called at moments of its choice, whoever is connected.</summary>
/// <remarks>On the thread that leads the turn, as all of a sink. What the timer throws stops the daemon.</remarks>
public interface ITimedMessageSink : IMessageSink
{
    /// <summary>
    /// When <see cref="HandleTimeout"/> wants to be called; <see cref="Instant.Never"/> if not at all. Asked before each
    /// wait, so it is cheap; it changes inside turns only.
    /// </summary>
    Instant NextDeadline { get; }

    /// <summary><see cref="NextDeadline"/> has come; it must be a later one afterwards.</summary>
    /// <param name="now">The turn's time.</param>
    void HandleTimeout(Instant now);
}

/// <summary>What happened to a peer.</summary>
public enum PeerChange
{
    /// <summary>
    /// The handshake is done; the first change of every connection that gets so far. A peer that is known opens again
    /// after <see cref="Closed"/>.
    /// </summary>
    Opened,

    /// <summary>After a refused send: room became free. Once per refusal.</summary>
    Writable,

    /// <summary>
    /// An application does not read, this one or the peer's: <see cref="Peer.SlowConsumer"/> says whose, on which lane and
    /// for how long. At 1, 3, 6 and 10 times <see cref="MessagingConfig.SlowConsumerLimit"/>.
    /// </summary>
    Slow,

    /// <summary>
    /// The connection is final: nothing of it comes after this, and the next one of this peer opens only after it.
    /// </summary>
    Closed,

    /// <summary>
    /// A known peer comes back as another process, which knows nothing of before; <see cref="Opened"/> follows.
    /// </summary>
    Restarted,
}
