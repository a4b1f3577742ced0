using System.Buffers.Binary;
using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.World;

/// <summary>One ordered lane as fast as it is taken; each message must arrive as it was sent.</summary>
internal sealed class BulkFlow(Peer sender, Peer receiver, long bytes)
{
    private const int MessageBytes = 16 * 1024;
    private const int NumberBytes = 4;
    private const int Contents = 256;

    private static readonly byte[] Content = MakeContent();

    private readonly byte[] _message = new byte[MessageBytes];
    private long _sentBytes;
    private int _sent;
    private int _received;

    /// <summary>Of the application, each byte once.</summary>
    internal long ReceivedBytes { get; private set; }

    internal bool IsFinished => ReceivedBytes == bytes;

    /// <summary>Sends and reads all that is possible at this moment.</summary>
    /// <returns><see cref="IsFinished"/>.</returns>
    internal bool Advance()
    {
        while (_sentBytes < bytes && TrySend())
        {
        }

        while (receiver.TryReceive(out ReceivedMessage message))
        {
            Note(message.Span);
            message.Dispose();
        }

        return IsFinished;
    }

    private static byte[] MakeContent()
    {
        byte[] content = new byte[MessageBytes + Contents];
        new Prng(1).FillInto(content);
        return content;
    }

    private bool TrySend()
    {
        int length = (int)Math.Min(MessageBytes, Math.Max(NumberBytes, bytes - _sentBytes));
        BinaryPrimitives.WriteInt32BigEndian(_message, _sent);
        ContentOf(_sent, length).CopyTo(_message.AsSpan(NumberBytes));

        if (sender.TrySend(_message.AsSpan(0, length)) != SendStatus.Accepted)
        {
            return false;
        }

        _sent++;
        _sentBytes += length;
        return true;
    }

    private void Note(ReadOnlySpan<byte> message)
    {
        if (message.Length < NumberBytes || BinaryPrimitives.ReadInt32BigEndian(message) != _received
            || !message[NumberBytes..].SequenceEqual(ContentOf(_received, message.Length)))
        {
            Assert.Fail($"Message {_received} of {message.Length} bytes is not what was sent.");
        }

        _received++;
        ReceivedBytes += message.Length;
    }

    private static ReadOnlySpan<byte> ContentOf(int number, int length)
        => Content.AsSpan(number % Contents, length - NumberBytes);
}
