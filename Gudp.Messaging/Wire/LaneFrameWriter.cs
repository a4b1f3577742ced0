using System;
using Gudp.Core;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging.Wire;

/// <summary>
/// Writes frames one after the other into the span a packet leaves for them. Each Try method writes a whole frame or,
/// if it does not fit, nothing.
/// </summary>
internal ref struct LaneFrameWriter
{
    // Type, lane, and the three bytes mode, priority, weight.
    private const int LaneOpenBytes = 5;

    // A length of two bytes reaches 16,383; longer pieces than that are not put into one frame.
    private const int LengthBytes = 2;
    private const int LongestContent = (1 << 14) - 1;

    private readonly Span<byte> _packet;
    private int _used;

    internal LaneFrameWriter(Span<byte> packet) => _packet = packet;

    internal readonly int Used => _used;

    internal readonly int Free => _packet.Length - _used;

    /// <summary>Bytes a LaneData frame takes besides its content.</summary>
    internal static int DataOverhead(long offset, bool withOpen)
        => (withOpen ? LaneOpenBytes : 0) + 2 + VarInt.Size((ulong)offset) + LengthBytes;

    /// <summary>Bytes a Message frame takes besides its content.</summary>
    internal static int MessageOverhead(long id, bool withOpen)
        => (withOpen ? LaneOpenBytes : 0) + 2 + VarInt.Size((ulong)id) + 1 + LengthBytes;

    internal void LaneOpen(int lane, LaneMode mode)
    {
        Number((ulong)FrameType.LaneOpen);
        Number((ulong)lane);

        // Priority and weight are even until lanes can be given different ones.
        _packet[_used] = (byte)mode;
        _packet[_used + 1] = 0;
        _packet[_used + 2] = 1;
        _used += 3;
    }

    /// <summary>
    /// The head of a LaneData frame and the room for its content; the caller fills all of it.
    /// </summary>
    /// <param name="lane">The lane.</param>
    /// <param name="offset">Where the content stands in the lane's stream.</param>
    /// <param name="wanted">Bytes the caller would like to write.</param>
    /// <param name="withOpen">Whether the packet must carry the lane's LaneOpen too.</param>
    /// <returns>Empty if not even one byte of content fits.</returns>
    internal Span<byte> LaneData(int lane, long offset, long wanted, bool withOpen)
    {
        int room = Math.Min(Free - DataOverhead(offset, withOpen), LongestContent);

        if (room <= 0)
        {
            return default;
        }

        int length = (int)Math.Min(room, wanted);

        if (withOpen)
        {
            LaneOpen(lane, LaneMode.OrderedReliable);
        }

        Number((ulong)FrameType.LaneData);
        Number((ulong)lane);
        Number((ulong)offset);
        return Room(length);
    }

    internal bool TryMessage(int lane, long id, ReadOnlySpan<byte> message, bool withOpen)
    {
        if (message.Length > LongestContent || MessageOverhead(id, withOpen) + message.Length > Free)
        {
            return false;
        }

        if (withOpen)
        {
            LaneOpen(lane, LaneMode.Unreliable);
        }

        Number((ulong)FrameType.Message);
        Number((ulong)lane);
        Number((ulong)id);
        _packet[_used++] = 0;
        message.CopyTo(Room(message.Length));
        return true;
    }

    internal bool TryLaneSkip(int lane, OffsetRange skipped, bool withOpen)
    {
        int bytes = (withOpen ? LaneOpenBytes : 0)
            + 2 + VarInt.Size((ulong)skipped.From) + VarInt.Size((ulong)skipped.To) + 1;

        if (bytes > Free)
        {
            return false;
        }

        if (withOpen)
        {
            LaneOpen(lane, LaneMode.OrderedReliable);
        }

        Number((ulong)FrameType.LaneSkip);
        Number((ulong)lane);
        Number((ulong)skipped.From);
        Number((ulong)skipped.To);

        // Charged: on an ordered lane the offsets count, nothing beside them.
        Number(0);
        return true;
    }

    /// <summary>LaneCredit, LaneBlocked or LaneTaken.</summary>
    internal bool TryLaneOffset(FrameType type, int lane, long offset)
    {
        if (2 + VarInt.Size((ulong)offset) > Free)
        {
            return false;
        }

        Number((ulong)type);
        Number((ulong)lane);
        Number((ulong)offset);
        return true;
    }

    internal bool TryConnectionCredit(long limit)
    {
        if (1 + VarInt.Size((ulong)limit) > Free)
        {
            return false;
        }

        Number((ulong)FrameType.ConnectionCredit);
        Number((ulong)limit);
        return true;
    }

    /// <summary>As many refused ids as fit, highest first.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="ids">Ranges of ids in falling order that neither touch nor overlap; at most 65.</param>
    /// <returns>How many of the ranges were written; 0 if nothing was.</returns>
    internal int MessagesRefused(int lane, ReadOnlySpan<OffsetRange> ids)
    {
        const int HeadBytes = 2 + (3 * VarInt.MaxBytes);
        const int RangeBytes = 2 * VarInt.MaxBytes;

        if (ids.IsEmpty || HeadBytes > Free)
        {
            return 0;
        }

        int further = Math.Min((Free - HeadBytes) / RangeBytes, IdRangeReader.MostFurtherRanges);
        int count = Math.Min(ids.Length, 1 + further);
        Number((ulong)FrameType.MessagesRefused);
        Number((ulong)lane);
        Number((ulong)(ids[0].To - 1));
        Number((ulong)(count - 1));
        Number((ulong)(ids[0].Length - 1));

        for (int i = 1; i < count; i++)
        {
            Number((ulong)(ids[i - 1].From - ids[i].To - 1));
            Number((ulong)(ids[i].Length - 1));
        }

        return count;
    }

    private Span<byte> Room(int length)
    {
        VarInt.WriteTwoBytes(_packet[_used..], length);
        Span<byte> room = _packet.Slice(_used + LengthBytes, length);
        _used += LengthBytes + length;
        return room;
    }

    private void Number(ulong value) => _used += VarInt.Write(_packet[_used..], value);
}
