// The messages of a file transfer, on one ordered reliable lane.
//
//   sender    Head   1, version 1, length 8 (big-endian), name (UTF-8, the rest)
//             Data   2, bytes (the rest)            as many as it takes, in order
//             End    3, SHA-256 of all data (32)
//   receiver  Answer 4, outcome 1, text (UTF-8, the rest)    one, at the end or as soon as it refuses
//
// The first byte is the kind. Both sides treat what does not fit as a fault of the peer and end the transfer.

using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Gudp.Tools.Transfer;

internal enum TransferKind : byte
{
    Head = 1,
    Data = 2,
    End = 3,
    Answer = 4,
}

/// <summary>How a transfer ended, in the receiver's words.</summary>
internal enum TransferOutcome : byte
{
    /// <summary>The file is stored; the text is its name there.</summary>
    Stored = 0,

    /// <summary>What arrived is not what was sent.</summary>
    Mismatch = 1,

    /// <summary>The receiver does not take the file; the text says why.</summary>
    Refused = 2,
}

/// <summary>Writes and reads the messages. What is read comes from the network: every reader may refuse.</summary>
internal static class TransferMessage
{
    internal const int DataBytes = 256 * 1024;
    internal const int MaxTextBytes = 1024;
    private const int EndBytes = 1 + SHA256.HashSizeInBytes;

    private const byte Version = 1;
    private const int HeadBytes = 1 + 1 + sizeof(long);
    private const int AnswerBytes = 1 + 1;

    // Replacement characters would let two different names look the same: malformed text is refused instead.
    private static readonly UTF8Encoding Text = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    internal static byte[] Head(string name, long length)
    {
        byte[] message = WithText(HeadBytes, name);
        message[0] = (byte)TransferKind.Head;
        message[1] = Version;
        BinaryPrimitives.WriteInt64BigEndian(message.AsSpan(2), length);
        return message;
    }

    internal static byte[] End(ReadOnlySpan<byte> hash)
    {
        byte[] message = new byte[EndBytes];
        message[0] = (byte)TransferKind.End;
        hash.CopyTo(message.AsSpan(1));
        return message;
    }

    internal static byte[] Answer(TransferOutcome outcome, string text)
    {
        byte[] message = WithText(AnswerBytes, text);
        message[0] = (byte)TransferKind.Answer;
        message[1] = (byte)outcome;
        return message;
    }

    internal static bool IsData(ReadOnlySpan<byte> message)
        => message.Length > 0 && message[0] == (byte)TransferKind.Data;

    internal static bool IsEnd(ReadOnlySpan<byte> message)
        => message.Length == EndBytes && message[0] == (byte)TransferKind.End;

    internal static bool TryReadHead(ReadOnlySpan<byte> message, out string name, out long length)
    {
        name = string.Empty;
        length = 0;

        if (message.Length < HeadBytes || message[0] != (byte)TransferKind.Head || message[1] != Version)
        {
            return false;
        }

        length = BinaryPrimitives.ReadInt64BigEndian(message[2..]);
        return length >= 0 && TryReadText(message[HeadBytes..], out name);
    }

    internal static bool TryReadAnswer(ReadOnlySpan<byte> message, out TransferOutcome outcome, out string text)
    {
        outcome = default;
        text = string.Empty;

        if (message.Length < AnswerBytes || message[0] != (byte)TransferKind.Answer)
        {
            return false;
        }

        outcome = (TransferOutcome)message[1];
        return Enum.IsDefined(outcome) && TryReadText(message[AnswerBytes..], out text);
    }

    private static byte[] WithText(int headBytes, string text)
    {
        while (Encoding.UTF8.GetByteCount(text) > MaxTextBytes)
        {
            text = text[..(text.Length / 2)];
        }

        byte[] message = new byte[headBytes + Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, message.AsSpan(headBytes));
        return message;
    }

    private static bool TryReadText(ReadOnlySpan<byte> bytes, out string text)
    {
        text = string.Empty;

        if (bytes.Length > MaxTextBytes)
        {
            return false;
        }

        try
        {
            text = Text.GetString(bytes);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
