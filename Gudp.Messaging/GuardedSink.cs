using System;
using Gudp.Core;

namespace Gudp.Messaging;

/// <summary>
/// A session's way to the application's sink: what the sink throws ends this connection, and nothing else (H82).
/// </summary>
/// <remarks>Leader only. After a fault only the peer's close is told.</remarks>
internal sealed class GuardedSink(IMessageSink sink, MessageSession session)
{
    internal bool HasFailed { get; private set; }

    /// <summary>A message that the sink throws at is not taken: the exception goes on to whoever hands out.</summary>
    internal void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now)
        => sink.HandleMessage(from, lane, message, now);

    internal void HandlePeer(Peer peer, PeerChange change, Instant now)
    {
        if (HasFailed && change != PeerChange.Closed)
        {
            return;
        }

        try
        {
            sink.HandlePeer(peer, change, now);
        }
        catch (Exception fault) when (fault is not InvariantException)
        {
            Fail(fault);
        }
    }

    internal void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now)
    {
        if (HasFailed)
        {
            return;
        }

        try
        {
            sink.HandleReceipt(peer, update, now);
        }
        catch (Exception fault) when (fault is not InvariantException)
        {
            Fail(fault);
        }
    }

    /// <summary>Cold path. Both ends learn the kind of the exception by the close reason.</summary>
    internal void Fail(Exception fault)
    {
        HasFailed = true;
        session.Close(new CloseReason(CloseCode.HandlerFault, $"The sink threw a {fault.GetType().Name}."));
    }
}
