using System;
using System.Buffers;
using Gudp.Core;
using Gudp.Messaging.Memory;

namespace Gudp.Messaging;

/// <content>Sending from buffers other than a span.</content>
public sealed partial class Peer
{
    /// <summary>Queues a message that was written in place, without a copy.</summary>
    /// <param name="message">Sealed by this; the caller still disposes or clears it, at any time.</param>
    /// <param name="options">How it is sent.</param>
    /// <param name="receipt">If accepted: the message's id and first states.</param>
    /// <returns>As <see cref="TrySend(ReadOnlySpan{byte}, SendOptions)"/>.</returns>
    /// <exception cref="ObjectDisposedException">The buffer was disposed.</exception>
    public SendStatus TrySend(MessageBuffer message, in SendOptions options, out SendReceipt receipt)
    {
        ArgumentNullException.ThrowIfNull(message);
        receipt = default;
        SendStatus status = message.TrySeal(out SharedBlock? block);

        if (status != SendStatus.Accepted)
        {
            return Refuse(status);
        }

        SendResult result = TrySendShared(block!, options);
        receipt = result.Receipt;
        return result.Status;
    }

    /// <summary>Queues a message that lies in several pieces, with one copy.</summary>
    /// <param name="message">0 bytes to the largest message; copied before the method returns.</param>
    /// <param name="options">How it is sent.</param>
    /// <param name="receipt">If accepted: the message's id and first states.</param>
    /// <returns>As <see cref="TrySend(ReadOnlySpan{byte}, SendOptions)"/>.</returns>
    public SendStatus TrySend(in ReadOnlySequence<byte> message, in SendOptions options, out SendReceipt receipt)
    {
        receipt = default;

        if (message.IsSingleSegment)
        {
            return TrySend(message.FirstSpan, options, out receipt);
        }

        MessageSession session = Session;

        if (message.Length > session.LargestMessageBytes)
        {
            return SendStatus.TooLarge;
        }

        SendStatus status = session.Memory.TryRentShared((int)message.Length, out SharedBlock? block);

        if (status != SendStatus.Accepted)
        {
            return Refuse(status);
        }

        message.CopyTo(block!.Span);
        SendResult result = TrySendShared(block, options);
        block.Release();
        receipt = result.Receipt;
        return result.Status;
    }

    /// <summary>Queues a payload that lies in memory already; a share of it is kept, not a copy.</summary>
    /// <param name="block">The caller keeps its own share.</param>
    /// <param name="options">How it is sent.</param>
    internal SendResult TrySendShared(SharedBlock block, in SendOptions options)
    {
        SendStatus status = Session.TrySend(block, options, out MessageId id);
        return new SendResult(status, status == SendStatus.Accepted ? MessageSession.FirstReceipt(id) : default);
    }

    /// <summary>A send that did not get as far as a lane: the peer remembers to say when room came free.</summary>
    internal SendStatus Refuse(SendStatus status)
    {
        MessageSession session = Session;
        return session.Conclude(session.IsFinal ? SendStatus.Closed : status);
    }
}
