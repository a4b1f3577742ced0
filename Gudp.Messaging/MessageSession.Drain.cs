using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging;

/// <content>The end by a deadline (D-13.4).</content>
internal sealed partial class MessageSession
{
    private bool _isShuttingDown;
    private bool _isGivenUp;

    /// <summary>Any thread. Nothing more is accepted to be sent.</summary>
    internal bool RefusesAll => _host.IsFinal || Volatile.Read(ref _isShuttingDown);

    /// <summary>Any thread. From now on sends are refused as closed.</summary>
    internal void BeginShutdown() => Volatile.Write(ref _isShuttingDown, true);

    /// <summary>Any thread. Everything has its end, or the session has.</summary>
    internal bool IsShutDown => HasEnded || (IsFlushed() && ReadOpen().IsEmpty);

    /// <summary>Any thread. The connection ends; if its time is over it does not linger for what is left.</summary>
    internal void EndShutdown(bool isOver)
    {
        Volatile.Write(ref _isGivenUp, isOver);
        Close(CloseReason.ByApplication);
    }

    /// <summary>Any thread. Null if nothing is left.</summary>
    internal PeerDrain? ReadDrain(OpenTraffic open)
    {
        if (open.IsEmpty)
        {
            return null;
        }

        SendReceipt[] receipts = new SendReceipt[PeerDrain.MostOpen];
        int count = CopyOpen(receipts);

        return new PeerDrain(
            Peer.Id,
            Connection.RemoteAddress,
            open.UntransmittedMessages,
            open.UntransmittedBytes,
            open.UnconfirmedMessages,
            open.UnconfirmedBytes,
            open.UntakenMessages,
            receipts[..count],
            _host.IsFinal ? Connection.CloseReason : null);
    }

    /// <summary>Any thread. What has no end yet.</summary>
    internal OpenTraffic ReadOpen()
    {
        OpenTraffic open = default;

        for (int number = _sendLanesInUse.Next(0); number >= 0; number = _sendLanesInUse.Next(number + 1))
        {
            SendLaneAt(number).AddOpenTo(ref open);
        }

        return open;
    }
}
