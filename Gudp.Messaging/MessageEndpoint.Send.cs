using System;
using System.Diagnostics.CodeAnalysis;
using Gudp.Core;
using Gudp.Messaging.Memory;

namespace Gudp.Messaging;

/// <content>Sending to several peers in one call (M5).</content>
[SuppressMessage(
    "Performance", "CA1822", Justification = "Sending is the endpoint's verb, whether or not a form of it needs its memory.")]
public sealed partial class MessageEndpoint
{
    /// <summary>Queues one message to many peers, who share one copy of it.</summary>
    /// <param name="to">Whom to; each gets it on the lane of the options.</param>
    /// <param name="message">0 bytes to the largest message; copied before the method returns.</param>
    /// <param name="options">How it is sent.</param>
    /// <param name="results">One for each peer, in their order; at least as long as <paramref name="to"/>.</param>
    /// <returns>How many peers it was accepted for. The others' results say why, each peer on its own.</returns>
    /// <remarks>Any thread; never blocks.</remarks>
    /// <exception cref="ArgumentException">There are fewer results than peers.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such lane (MessagingConfig.Lanes).</exception>
    public int TrySend(
        ReadOnlySpan<Peer> to, ReadOnlySpan<byte> message, in SendOptions options, Span<SendResult> results)
    {
        ThrowIfTooFew(results.Length, to.Length);
        SendStatus status = TryCopyShared(message, out SharedBlock? block);

        if (status != SendStatus.Accepted)
        {
            return RefuseAll(to, status, results);
        }

        int accepted = SendToAll(to, block!, options, results);
        block!.Release();
        return accepted;
    }

    /// <summary>Queues a message that was written in place to many peers, without a copy.</summary>
    /// <param name="to">Whom to.</param>
    /// <param name="message">Sealed by this; the caller still disposes or clears it.</param>
    /// <param name="options">How it is sent.</param>
    /// <param name="results">One for each peer, in their order; at least as long as <paramref name="to"/>.</param>
    /// <returns>How many peers it was accepted for.</returns>
    /// <remarks>Any thread; never blocks.</remarks>
    /// <exception cref="ArgumentException">There are fewer results than peers.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such lane (MessagingConfig.Lanes).</exception>
    /// <exception cref="ObjectDisposedException">The buffer was disposed.</exception>
    public int TrySend(ReadOnlySpan<Peer> to, MessageBuffer message, in SendOptions options, Span<SendResult> results)
    {
        ArgumentNullException.ThrowIfNull(message);
        ThrowIfTooFew(results.Length, to.Length);
        SendStatus status = message.TrySeal(out SharedBlock? block);
        return status == SendStatus.Accepted
            ? SendToAll(to, block!, options, results)
            : RefuseAll(to, status, results);
    }

    /// <summary>Queues many messages, each to its own peer and with its own options.</summary>
    /// <param name="messages">Tried in their order.</param>
    /// <param name="results">One for each message, in their order.</param>
    /// <returns>How many were accepted. The others' results say why, each message on its own.</returns>
    /// <remarks>Any thread; never blocks.</remarks>
    /// <exception cref="ArgumentException">There are fewer results than messages.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such lane (MessagingConfig.Lanes).</exception>
    public int TrySend(ReadOnlySpan<OutgoingMessage> messages, Span<SendResult> results)
    {
        ThrowIfTooFew(results.Length, messages.Length);
        int accepted = 0;

        for (int i = 0; i < messages.Length; i++)
        {
            ref readonly OutgoingMessage message = ref messages[i];
            SendStatus status = message.To.TrySend(message.Content.Span, message.Options, out SendReceipt receipt);
            results[i] = new SendResult(status, receipt);
            accepted += status == SendStatus.Accepted ? 1 : 0;
        }

        return accepted;
    }

    /// <summary>Queues each of many messages to each of many peers, who share one copy of each.</summary>
    /// <param name="to">Whom to.</param>
    /// <param name="messages">In the order in which every peer gets them.</param>
    /// <param name="options">How all are sent.</param>
    /// <param name="results">
    /// That of message m to peer p stands at <c>m * to.Length + p</c>; at least as long as that takes.
    /// </param>
    /// <returns>How many of all were accepted.</returns>
    /// <remarks>
    /// Any thread; never blocks. When a peer has no room for one message, the later ones are not tried and get the same
    /// status: what a peer was sent is then a beginning without gaps, and the rest can be sent later.
    /// </remarks>
    /// <exception cref="ArgumentException">There are too few results.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such lane (MessagingConfig.Lanes).</exception>
    public int TrySend(
        ReadOnlySpan<Peer> to,
        ReadOnlySpan<ReadOnlyMemory<byte>> messages,
        in SendOptions options,
        Span<SendResult> results)
    {
        ThrowIfTooFew(results.Length, (long)to.Length * messages.Length);
        int accepted = 0;
        Span<SendResult> before = default;

        foreach (ReadOnlyMemory<byte> message in messages)
        {
            Span<SendResult> row = results[..to.Length];
            results = results[to.Length..];
            SendStatus status = TryCopyShared(message.Span, out SharedBlock? block);

            for (int i = 0; i < to.Length; i++)
            {
                SendStatus last = before.IsEmpty ? SendStatus.Accepted : before[i].Status;
                row[i] = last is not SendStatus.Accepted and not SendStatus.TooLarge ? before[i]
                    : block is null ? new SendResult(to[i].Refuse(status), default)
                    : to[i].TrySendShared(block, options);
                accepted += row[i].Status == SendStatus.Accepted ? 1 : 0;
            }

            block?.Release();
            before = row;
        }

        return accepted;
    }

    private SendStatus TryCopyShared(ReadOnlySpan<byte> message, out SharedBlock? block)
    {
        block = null;

        if (message.Length > LargestMessageBytes)
        {
            return SendStatus.TooLarge;
        }

        SendStatus status = Memory.TryRentShared(message.Length, out block);

        if (status == SendStatus.Accepted)
        {
            message.CopyTo(block!.Span);
        }

        return status;
    }

    private static int SendToAll(
        ReadOnlySpan<Peer> to, SharedBlock block, in SendOptions options, Span<SendResult> results)
    {
        int accepted = 0;

        for (int i = 0; i < to.Length; i++)
        {
            results[i] = to[i].TrySendShared(block, options);
            accepted += results[i].Status == SendStatus.Accepted ? 1 : 0;
        }

        return accepted;
    }

    // Each is told when it is worth trying again, as after a refused send of its own.
    private static int RefuseAll(ReadOnlySpan<Peer> to, SendStatus status, Span<SendResult> results)
    {
        for (int i = 0; i < to.Length; i++)
        {
            results[i] = new SendResult(to[i].Refuse(status), default);
        }

        return 0;
    }

    private static void ThrowIfTooFew(int results, long needed)
    {
        if (results < needed)
        {
            throw new ArgumentException($"{needed} results are needed, there is room for {results}.", nameof(results));
        }
    }
}
