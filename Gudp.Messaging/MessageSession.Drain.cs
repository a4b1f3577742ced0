using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging;

/// <content>The end by a deadline (D-13.4).</content>
internal sealed partial class MessageSession
{
    private bool _isShuttingDown;
    private bool _isEndedByShutdown;
    private bool _isGivenUp;

    /// <summary>Any thread. Nothing more is accepted to be sent.</summary>
    internal bool RefusesAll => _host.IsFinal || Volatile.Read(ref _isShuttingDown);

    /// <summary>Any thread. From now on sends are refused as closed.</summary>
    /// <remarks>After it no lane takes anything: whoever was inside has left, so what is read then is all.</remarks>
    internal void BeginShutdown()
    {
        Volatile.Write(ref _isShuttingDown, true);

        // Whoever makes a lane adds it to those in use, then looks whether this was said; here the other way round.
        Interlocked.MemoryBarrier();

        for (int number = _sendLanesInUse.Next(0); number >= 0; number = _sendLanesInUse.Next(number + 1))
        {
            SendLaneAt(number).StopAccepting();
        }
    }

    /// <summary>Any thread. Everything has its end, or the session has.</summary>
    internal bool IsShutDown => HasEnded || (IsFlushed() && ReadOpen().IsEmpty);

    /// <summary>Any thread. Whether this thread is inside a turn, for whose end it would wait for ever.</summary>
    internal bool IsLedByCaller => _host.IsLedByCaller;

    /// <summary>Any thread. The connection ends; if its time is over it does not linger for what is left.</summary>
    internal void EndShutdown(bool isOver)
    {
        Volatile.Write(ref _isGivenUp, isOver);
        Volatile.Write(ref _isEndedByShutdown, _isEndedByShutdown || !IsFinal);
        Close(CloseReason.ByApplication);
    }

    /// <summary>Any thread. Null if nothing is left.</summary>
    internal PeerDrain? ReadDrain()
    {
        OpenTraffic open = ReadOpen();

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
            IsFinal && !Volatile.Read(ref _isEndedByShutdown) ? Connection.CloseReason : null);
    }

    /// <summary>Any thread. What has no end yet; of a session that has ended: what had none.</summary>
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
