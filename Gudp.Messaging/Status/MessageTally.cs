using System;
using System.Threading;
using Gudp.Core;

namespace Gudp.Messaging.Status;

/// <summary>One lane's counts in one direction while they count. Any thread reads.</summary>
/// <remarks>
/// Each count has one writer at a time: the leader, or whoever holds the lane's lock or its reader's slot. Refusals are
/// counted by any thread. Always true: counts only grow.
/// </remarks>
internal sealed class MessageTally
{
    private MessageCounts _counts;

    /// <summary>The count's only writer.</summary>
    internal void Count(MessageCount what, long by = 1)
        => Volatile.Write(ref _counts[(int)what], _counts[(int)what] + by);

    /// <summary>Whoever holds the lane's lock: messages were accepted.</summary>
    internal void CountSent(int messages, long bytes)
    {
        Count(MessageCount.MessagesSent, messages);
        Count(MessageCount.BytesSent, bytes);
    }

    /// <summary>The lane's reader: messages were handed out.</summary>
    internal void CountReceived(int messages, long bytes)
    {
        Count(MessageCount.MessagesReceived, messages);
        Count(MessageCount.BytesReceived, bytes);
    }

    /// <summary>Any thread, also several at once.</summary>
    internal void CountShared(MessageCount what, long by = 1) => Interlocked.Add(ref _counts[(int)what], by);

    /// <summary>Any thread. A send was refused.</summary>
    internal void CountRefusal(SendStatus status)
        => CountShared(MessageCount.FirstSendRefused + (int)status);

    /// <summary>The lane's user or leader; different causes have different writers.</summary>
    internal void CountDrop(MessageDrop cause) => CountShared(MessageCount.FirstDrop + (int)cause);

    /// <summary>Any thread. Messages accepted whose transfer has no end; a glance.</summary>
    internal long OpenTransfers => Math.Max(
        0,
        Read(MessageCount.MessagesSent)
            - Read(MessageCount.TransfersReceived)
            - Read(MessageCount.TransfersExpired)
            - Read(MessageCount.TransfersCancelled)
            - Read(MessageCount.TransfersUnknown));

    internal long Read(MessageCount what) => Volatile.Read(ref _counts[(int)what]);

    internal void AddTo(ref MessageCounts sum)
    {
        for (int i = 0; i < (int)MessageCount.End; i++)
        {
            sum[i] += Volatile.Read(ref _counts[i]);
        }
    }
}
