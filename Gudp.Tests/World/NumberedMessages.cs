using System.Buffers.Binary;
using Gudp.Messaging;

namespace Gudp.Tests.World;

/// <summary>Messages that begin with a number.</summary>
internal static class NumberedMessages
{
    private const int NumberBytes = 4;

    /// <param name="number">The first four bytes; the others are zero.</param>
    /// <param name="length">4 or more.</param>
    internal static byte[] Make(int number, int length)
    {
        byte[] message = new byte[length];
        BinaryPrimitives.WriteInt32BigEndian(message, number);
        return message;
    }

    /// <summary>Takes all there is now; the number of a message too short to have one is -1.</summary>
    internal static List<(int Lane, int Number)> ReadAll(Peer receiver)
    {
        List<(int Lane, int Number)> read = [];

        while (receiver.TryReceive(out ReceivedMessage message))
        {
            using (message)
            {
                bool hasNumber = message.Span.Length >= NumberBytes;
                read.Add((message.Lane, hasNumber ? BinaryPrimitives.ReadInt32BigEndian(message.Span) : -1));
            }
        }

        return read;
    }
}
