using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Bench.Messages;

/// <summary>
/// What docs/protocol/wire.md says a message costs on the wire, in full packets of a path of 1,452 bytes.
/// </summary>
/// <remarks>
/// In Plain. Ids and offsets have four bytes, as they do between the sixteen thousandth and the billionth. Acks that
/// ride along are not counted.
/// </remarks>
internal static class WireOverhead
{
    /// <summary>Flags, destination, a whole packet number, checksum.</summary>
    internal const int PacketBytes = 1 + 8 + 4 + 4;

    internal const int PathBytes = 1_452;

    /// <summary>Type, lane, offset, length.</summary>
    internal const int LaneFrame = 1 + 1 + NumberBytes + LengthBytes;

    /// <summary>Type, lane, id, flags, length.</summary>
    internal const int MessageFrame = 1 + 1 + NumberBytes + 1 + LengthBytes;

    private const int FrameRoom = PathBytes - PacketBytes;
    private const int NumberBytes = 4;
    private const int LengthBytes = 2;

    /// <summary>All bytes on the wire besides the message's own, for one message of many.</summary>
    internal static double PerMessage(LaneMode mode, int bytes) => mode switch
    {
        LaneMode.OrderedReliable => InStream(bytes),
        _ when bytes + MessageFrame <= FrameRoom => Whole(bytes),
        _ => InFragments(bytes),
    };

    /// <summary>Bytes of a packet that are not the messages' own, when it holds all that fits.</summary>
    internal static double PerPacket(LaneMode mode, int bytes)
    {
        double overhead = PerMessage(mode, bytes);
        bool isWhole = mode != LaneMode.OrderedReliable && bytes + MessageFrame <= FrameRoom;
        return isWhole ? overhead * WholeInPacket(bytes) : PathBytes * overhead / (bytes + overhead);
    }

    // A packet is filled with one range of the stream, which is header and content of message after message.
    private static double InStream(int bytes)
    {
        int header = VarInt.Size((ulong)bytes * 2);
        return ((bytes + header) * (double)PathBytes / (FrameRoom - LaneFrame)) - bytes;
    }

    // As many as fit; the room that is left is not sent.
    private static double Whole(int bytes)
        => MessageFrame + ((double)PacketBytes / WholeInPacket(bytes));

    private static int WholeInPacket(int bytes) => FrameRoom / (bytes + MessageFrame);

    // What the last fragment leaves of its packet, the next message takes.
    private static double InFragments(int bytes)
    {
        int heads = 0;

        for (int offset = 0; offset < bytes;)
        {
            int head = MessageFrame + VarInt.Size((ulong)bytes) + VarInt.Size((ulong)offset);
            heads += head;
            offset += FrameRoom - head;
        }

        return heads + ((bytes + heads) * (double)PacketBytes / FrameRoom);
    }
}
