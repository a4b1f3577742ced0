using System.Buffers;
using System.Text.Json;
using CommunityToolkit.HighPerformance;
using CommunityToolkit.HighPerformance.Buffers;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Memory;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>Messages written in place, and in and out of other owners of memory (M26).</summary>
[TestFixture]
public sealed class MessageBufferTests
{
    private const int Largest = 64 * 1024;

    [Test]
    public void What_an_encoder_writes_arrives_and_the_memory_comes_back()
    {
        using SessionPair pair = SessionPair.Opened();
        using MessageBuffer buffer = new(pair.Client.Memory, Largest);
        using Utf8JsonWriter json = new(buffer);

        JsonSerializer.Serialize(json, new[] { 1, 2, 3 });
        SendStatus status = pair.Client.Peer.TrySend(buffer, default, out _);
        byte[] received = ReceiveOne(pair);

        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        Assert.That(received, Is.EqualTo("[1,2,3]"u8.ToArray()));
    }

    [Test]
    public void Growing_keeps_what_was_written_and_rents_one_block_at_a_time([Values(0, 1, 255, 256, 5_000)] int first)
    {
        MessageMemory memory = new(1 << 20);
        using MessageBuffer buffer = new(memory, Largest);
        byte[] content = LaneTests.Pattern(first + 10_000, 7);

        buffer.Write(content.AsSpan(0, first));
        long before = memory.Blocks;
        buffer.Write(content.AsSpan(first));

        Assert.That(buffer.WrittenSpan.SequenceEqual(content), Is.True);
        Assert.That(buffer.WrittenBytes, Is.EqualTo(content.Length));
        Assert.That(before, Is.LessThanOrEqualTo(1));
        Assert.That(memory.Blocks, Is.EqualTo(1));
    }

    [Test]
    public void A_sent_message_does_not_change_until_it_is_cleared_for_the_next()
    {
        using SessionPair pair = SessionPair.Opened();
        using MessageBuffer buffer = new(pair.Client.Memory, Largest);
        buffer.Write("first"u8);
        pair.Client.Peer.TrySend(buffer, default, out _);

        Assert.Throws<InvalidOperationException>(() => buffer.GetSpan(1));
        Assert.Throws<InvalidOperationException>(() => buffer.Advance(0));
        buffer.Clear();
        buffer.Write("second"u8);
        pair.Client.Peer.TrySend(buffer, default, out _);

        Assert.That(ReceiveOne(pair), Is.EqualTo("first"u8.ToArray()));
        Assert.That(ReceiveOne(pair), Is.EqualTo("second"u8.ToArray()));
    }

    [Test]
    public void An_empty_buffer_is_an_empty_message()
    {
        using SessionPair pair = SessionPair.Opened();
        using MessageBuffer buffer = new(pair.Client.Memory, Largest);

        SendStatus status = pair.Client.Peer.TrySend(buffer, default, out _);

        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        Assert.That(ReceiveOne(pair), Is.Empty);
    }

    [Test]
    public void Limits_are_refused_without_an_exception_and_thrown_to_encoders()
    {
        MessageMemory memory = new(16 * 1024);
        using MessageBuffer buffer = new(memory, Largest);
        buffer.Write("kept"u8);

        SendStatus full = buffer.TryReserve(20 * 1024);
        SendStatus tooLarge = buffer.TryReserve(Largest);
        MessageRefusedException? thrown
            = Assert.Throws<MessageRefusedException>(() => buffer.GetSpan(20 * 1024));

        Assert.That(full, Is.EqualTo(SendStatus.DaemonFull));
        Assert.That(tooLarge, Is.EqualTo(SendStatus.TooLarge));
        Assert.That(thrown!.Status, Is.EqualTo(SendStatus.DaemonFull));
        Assert.That(thrown.Limit, Does.Contain("EndpointMemoryBytes"));
        Assert.That(buffer.WrittenSpan.SequenceEqual("kept"u8), Is.True);
    }

    [Test]
    public void A_buffer_never_holds_more_than_a_largest_message()
    {
        MessageMemory memory = new(1 << 20);
        using MessageBuffer buffer = new(memory, largestMessage: 1_000);

        buffer.GetSpan(1_000);

        Assert.Throws<MessageRefusedException>(() => buffer.Advance(1_001));
        Assert.That(buffer.WrittenBytes, Is.Zero);
    }

    [Test]
    public void A_disposed_buffer_gives_its_memory_back_once_and_refuses_more()
    {
        MessageMemory memory = new(1 << 20);
        MessageBuffer buffer = new(memory, Largest);
        buffer.Write("gone"u8);

        buffer.Dispose();
        buffer.Dispose();

        Assert.That(memory.Blocks, Is.Zero);
        Assert.That(memory.UsedBytes, Is.Zero);
        Assert.Throws<ObjectDisposedException>(() => buffer.GetMemory());
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(7)]
    public void A_message_in_pieces_arrives_as_one(int pieces)
    {
        using SessionPair pair = SessionPair.Opened();
        byte[] content = LaneTests.Pattern(400_000, 5);

        SendStatus status = pair.Client.Peer.TrySend(InPieces(content, pieces), default, out _);
        byte[] received = ReceiveOne(pair);

        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        Assert.That(received.AsSpan().SequenceEqual(content), Is.True);
    }

    [Test]
    public void A_message_in_pieces_above_the_limit_is_too_large()
    {
        using SessionPair pair = SessionPair.Opened();
        byte[] huge = new byte[default(MessagingConfig).MaxMessageBytes + 1];

        SendStatus status = pair.Client.Peer.TrySend(InPieces(huge, 2), default, out _);

        Assert.That(status, Is.EqualTo(SendStatus.TooLarge));
    }

    [Test]
    public void A_received_message_is_read_as_a_sequence_and_copied_to_an_owner_that_outlives_it()
    {
        using SessionPair pair = SessionPair.Opened();
        using MemoryOwner<byte> sent = MemoryOwner<byte>.Allocate(300_000);
        LaneTests.Pattern(sent.Length, 3).CopyTo(sent.Span);

        pair.Client.Peer.TrySend(sent.Span);
        pair.RunUntilQuiet();
        Assert.That(pair.Server.Peer.TryReceive(out ReceivedMessage message), Is.True);
        bool sameSequence = message.Sequence.ToArray().AsSpan().SequenceEqual(sent.Span);
        using MemoryOwner<byte> copy = message.CopyToOwner();
        message.Dispose();

        Assert.That(sameSequence, Is.True);
        Assert.That(copy.Span.SequenceEqual(sent.Span), Is.True);
        Assert.Throws<ObjectDisposedException>(() => _ = message.Sequence);
        Assert.Throws<ObjectDisposedException>(() => message.CopyToOwner());
    }

    internal static ReadOnlySequence<byte> InPieces(byte[] content, int pieces)
    {
        Piece first = new(content.AsMemory(0, content.Length / pieces), 0);
        Piece last = first;

        for (int i = 1; i < pieces; i++)
        {
            int start = (int)((long)content.Length * i / pieces);
            int end = (int)((long)content.Length * (i + 1) / pieces);
            last = last.Append(content.AsMemory(start, end - start));
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private static byte[] ReceiveOne(SessionPair pair)
    {
        ReceivedMessage message = default;
        Assert.That(pair.RunUntil(() => pair.Server.Peer.TryReceive(out message)), Is.True);

        using (message)
        {
            return message.Span.ToArray();
        }
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        internal Piece(ReadOnlyMemory<byte> memory, long start)
        {
            Memory = memory;
            RunningIndex = start;
        }

        internal Piece Append(ReadOnlyMemory<byte> memory)
        {
            Piece next = new(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
