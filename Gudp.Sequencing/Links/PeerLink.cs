using System;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing.Engine;

namespace Gudp.Sequencing.Links;

/// <summary>A member's connection over the network.</summary>
internal sealed class PeerLink(Peer peer) : IMemberLink
{
    internal Peer Peer { get; } = peer;

    public bool IsClosed => Peer.Status.IsFinal;

    public CloseReason? CloseReason => Peer.CloseReason;

    public int Incarnation => Peer.Incarnation;

    public bool IsPinned => Peer.IsPinned;

    public void Pin() => Peer.Pin();

    public void Unpin() => Peer.Unpin();

    public SendStatus TrySend(ReadOnlySpan<byte> message) => Peer.TrySend(message);

    public bool WaitToSend(TimeSpan timeout) => Peer.WaitToSend(timeout);

    public ValueTask WaitToSendAsync(CancellationToken cancellationToken) => Peer.WaitToSendAsync(cancellationToken);

    public bool TryReceive(MemberEngine into)
    {
        bool isThere = Peer.TryReceive(out ReceivedMessage message);

        if (isThere)
        {
            Take(message, into);
        }

        return isThere;
    }

    public ReceiveStatus Receive(MemberEngine into, TimeSpan timeout)
    {
        ReceiveStatus status = Peer.Receive(timeout, out ReceivedMessage message);

        if (status == ReceiveStatus.Received)
        {
            Take(message, into);
        }

        return status;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> ReceiveAsync(MemberEngine into, CancellationToken cancellationToken)
    {
        if (await Peer.ReceiveAsync(cancellationToken).ConfigureAwait(false) is not { } message)
        {
            return false;
        }

        Take(message, into);
        return true;
    }

    public bool Flush(TimeSpan timeout) => Peer.Flush(timeout);

    public void Dispose() => Peer.Dispose();

    private static void Take(ReceivedMessage message, MemberEngine into)
    {
        using (message)
        {
            into.HandleMessage(message.Span);
        }
    }
}
