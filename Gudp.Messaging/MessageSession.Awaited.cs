using System.Threading;
using Gudp.Core;

namespace Gudp.Messaging;

/// <content>After the end, while the peer is dialled again: what is refused then may come later (D-13.5).</content>
internal sealed partial class MessageSession
{
    // Somebody was refused here, and what carries the peer next owes him a signal.
    private int _wantsNext;
    private int _owesWritable;

    /// <summary>The session is over for its users, and another one of the peer is to come. Any thread.</summary>
    private bool IsAwaited => IsFinal && !Volatile.Read(ref _isShuttingDown) && !Peer.IsOver(this);

    /// <summary>Any thread. This session takes nothing more: whether it is worth waiting for the next one.</summary>
    /// <returns>Closed; or NotOpen, after which the signal comes with the next session.</returns>
    private SendStatus RefuseFinal()
    {
        if (!IsAwaited)
        {
            return SendStatus.Closed;
        }

        Volatile.Write(ref _wantsNext, 1);

        // Whoever brings what comes next makes it the present one, then looks for the wish; here the other way round.
        Interlocked.MemoryBarrier();
        MessageSession present = Peer.Session;

        if (present != this || !IsFinal)
        {
            HandWishTo(present);
            present._host.Wake();
        }

        return SendStatus.NotOpen;
    }

    /// <summary>Any thread, after another session, or another connection for this one, has become the present one.</summary>
    internal void HandWishTo(MessageSession next)
    {
        Interlocked.MemoryBarrier();

        bool isWished = Volatile.Read(ref _wantsNext) != 0 && Interlocked.Exchange(ref _wantsNext, 0) != 0;

        // One that ended before its first turn hands on what it was handed.
        isWished |= next != this && Volatile.Read(ref _owesWritable) != 0
            && Interlocked.Exchange(ref _owesWritable, 0) != 0;

        if (isWished)
        {
            Volatile.Write(ref next._owesWritable, 1);
        }
    }

    private bool TakeOwedWritable()
        => Volatile.Read(ref _owesWritable) != 0 && !IsFinal && Interlocked.Exchange(ref _owesWritable, 0) != 0;
}
