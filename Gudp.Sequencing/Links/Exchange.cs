using System;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing.Engine;

namespace Gudp.Sequencing.Links;

/// <summary>
/// Questions and answers over a peer: whoever waits for an answer calls a step until the asker has what it wants. One
/// thread at a time.
/// </summary>
internal sealed class Exchange(Peer peer, IAsker asker)
{
    internal Peer Peer { get; } = peer;

    /// <summary>Sends what is to be asked.</summary>
    /// <returns>False if there is no room now.</returns>
    internal bool TrySend()
    {
        if (!asker.TryPeekOutgoing(out ReadOnlySpan<byte> message))
        {
            return true;
        }

        if (Peer.TrySend(message) is not (SendStatus.Accepted or SendStatus.Closed))
        {
            return false;
        }

        asker.OnSent();
        return true;
    }

    /// <summary>Takes in one message, or the end of the connection.</summary>
    /// <returns>False if the time passed first.</returns>
    internal bool TryTake(TimeSpan timeout)
    {
        ReceiveStatus status = Peer.Receive(timeout, out ReceivedMessage message);

        if (status == ReceiveStatus.TimedOut)
        {
            return false;
        }

        Take(status == ReceiveStatus.Received ? message : null);
        return true;
    }

    /// <summary>Waits for room, or sends and takes in one message.</summary>
    /// <param name="timeout">Of the whole wait that this is a step of.</param>
    /// <param name="start">Timestamp of its begin, of the system's clock.</param>
    /// <returns>False if the time passed first.</returns>
    internal bool TryStep(TimeSpan timeout, long start)
    {
        TimeSpan left = TimeLeft.Of(timeout, start, TimeProvider.System);
        return TrySend() ? TryTake(left) : Peer.WaitToSend(left);
    }

    /// <summary>As <see cref="TryStep"/>, without holding a thread.</summary>
    internal async ValueTask StepAsync(CancellationToken cancellationToken)
    {
        if (TrySend())
        {
            Take(await Peer.ReceiveAsync(cancellationToken).ConfigureAwait(false));
        }
        else
        {
            await Peer.WaitToSendAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Take(ReceivedMessage? received)
    {
        if (received is not { } message)
        {
            asker.HandleLost(Peer.CloseReason);
            return;
        }

        using (message)
        {
            asker.HandleMessage(message.Span);
        }
    }
}
