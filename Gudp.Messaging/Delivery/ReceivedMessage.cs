using System;
using System.Buffers;
using CommunityToolkit.HighPerformance.Buffers;
using Gudp.Core;

namespace Gudp.Messaging;

/// <summary>
/// A received message that the application holds. Disposing it returns its memory and, if the sender asked, tells it
/// that the message is taken.
/// </summary>
/// <remarks>
/// A handle: copies of it name the same message, and whichever is disposed or refused first settles it; the others then
/// do nothing. Any thread, but not one that disposes while another still reads.
/// </remarks>
public readonly struct ReceivedMessage : IDisposable
{
    private readonly HeldMessage? _held;
    private readonly long _generation;

    internal ReceivedMessage(HeldMessage held)
    {
        _held = held;
        _generation = held.Generation;
    }

    /// <summary>The bytes; valid until the message is disposed or refused.</summary>
    /// <exception cref="ObjectDisposedException">It is.</exception>
    public ReadOnlySpan<byte> Span => Memory.Span;

    /// <summary>As <see cref="Span"/>.</summary>
    /// <exception cref="ObjectDisposedException">The message was disposed or refused.</exception>
    public ReadOnlyMemory<byte> Memory => Held.Block.AsMemory(0, Held.Length);

    /// <summary>As <see cref="Span"/>, for parsers that read sequences; one piece, whatever the message's length.</summary>
    /// <exception cref="ObjectDisposedException">The message was disposed or refused.</exception>
    public ReadOnlySequence<byte> Sequence => new(Memory);

    /// <summary>The lane it came on.</summary>
    /// <exception cref="ObjectDisposedException">The message was disposed or refused.</exception>
    public int Lane => Held.LaneNumber;

    /// <summary>What its sender chose for that lane; the sender's config says so, not ours.</summary>
    /// <exception cref="ObjectDisposedException">The message was disposed or refused.</exception>
    public LaneMode Mode => Held.Mode;

    /// <summary>Whether it came on a lane of a reliable mode (0 to 2).</summary>
    /// <exception cref="ObjectDisposedException">The message was disposed or refused.</exception>
    public bool IsReliable => Held.Mode <= LaneMode.SequencedReliable;

    private HeldMessage Held
    {
        get
        {
            if (_held is null || _held.Generation != _generation)
            {
                ThrowGone();
            }

            return _held!;
        }
    }

    /// <summary>
    /// A copy that outlives the message: it may be kept while the message is disposed, which tells the sender and gives
    /// the peer's memory back.
    /// </summary>
    /// <returns>The caller's, to be disposed. It does not count against MessagingConfig.PeerMemoryBytes.</returns>
    /// <exception cref="ObjectDisposedException">The message was disposed or refused.</exception>
    public MemoryOwner<byte> CopyToOwner()
    {
        ReadOnlySpan<byte> content = Span;
        MemoryOwner<byte> copy = MemoryOwner<byte>.Allocate(content.Length);
        content.CopyTo(copy.Span);
        return copy;
    }

    /// <summary>Done with it: the message is taken. Again, or after a refusal, it does nothing.</summary>
    public void Dispose() => Settle(refused: false);

    /// <summary>
    /// Done with it, and the sender shall know that the application would not have it. Without effect on a message
    /// whose sender did not ask.
    /// </summary>
    public void Refuse() => Settle(refused: true);

    private void Settle(bool refused)
    {
        if (_held is { } held && held.TryEnd(_generation))
        {
            held.Session!.Settle(held, refused);
        }
    }

    private static void ThrowGone() => throw new ObjectDisposedException(
        nameof(ReceivedMessage), "The message was disposed or refused; its memory may hold another by now.");
}
