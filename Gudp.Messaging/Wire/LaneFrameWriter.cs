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

    // A length of two bytes reaches 16,383; longer pieces than that are not put into one frame.
    private const int LengthBytes = 2;
    internal const int LongestContent = (1 << 14) - 1;

    private readonly Span<byte> _packet;
    private int _used;

    internal LaneFrameWriter(Span<byte> packet) => _packet = packet;

    internal readonly int Used => _used;

    internal readonly int Free => _packet.Length - _used;

    /// <summary>Bytes a LaneData frame takes besides its content.</summary>
    internal static int DataOverhead(int lane, long offset, bool withOpen)
        => (withOpen ? OpenBytes(lane) : 0) + HeadBytes(lane) + VarInt.Size((ulong)offset) + LengthBytes;

    /// <summary>Bytes a Message frame takes besides its content.</summary>
    internal static int MessageOverhead(int lane, long id, bool withOpen)
        => (withOpen ? OpenBytes(lane) : 0) + HeadBytes(lane) + VarInt.Size((ulong)id) + 1 + LengthBytes;

    /// <summary>Bytes a Fragment frame takes besides its content.</summary>
    internal static int FragmentOverhead(int lane, long id, int total, int offset, bool withOpen)
        => MessageOverhead(lane, id, withOpen) + VarInt.Size((ulong)total) + VarInt.Size((ulong)offset);

    /// <summary>Bytes of a frame with one offset or id.</summary>
    internal static int OffsetBytes(int lane, long offset, bool withOpen)
        => (withOpen ? OpenBytes(lane) : 0) + HeadBytes(lane) + VarInt.Size((ulong)offset);

    /// <summary>Bytes a whole LaneSkip frame takes.</summary>
    internal static int SkipBytes(int lane, OffsetRange skipped, long charged, bool withOpen)
        => (withOpen ? OpenBytes(lane) : 0) + HeadBytes(lane)
            + VarInt.Size((ulong)skipped.From) + VarInt.Size((ulong)skipped.To) + VarInt.Size((ulong)charged);

    /// <summary>The caller has checked that it fits.</summary>
    internal void LaneOpen(int lane, in LaneOptions options)
    {
        Number((ulong)FrameType.LaneOpen);
        Number((ulong)lane);
        _packet[_used] = (byte)options.Mode;
        _packet[_used + 1] = (byte)(sbyte)options.Priority;
        _packet[_used + 2] = (byte)options.Weight;
        _used += 3;
    }

    /// <summary>
    /// The head of a LaneData frame and the room for its content; the caller fills all of it.
    /// </summary>
    /// <param name="lane">The lane.</param>
    /// <param name="offset">Where the content stands in the lane's stream.</param>
    /// <param name="wanted">Bytes the caller would like to write.</param>
    /// <returns>Empty if not even one byte of content fits.</returns>
    internal Span<byte> LaneData(int lane, long offset, long wanted)
    {
        int room = Math.Min(Free - DataOverhead(lane, offset, withOpen: false), LongestContent);

        if (room <= 0)
        {
            return default;
        }

        int length = (int)Math.Min(room, wanted);
        Number((ulong)FrameType.LaneData);
        Number((ulong)lane);
        Number((ulong)offset);
        return Room(length);
    }

    /// <summary>A whole message; the caller has checked that it fits.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="id">The message's.</param>
    /// <param name="asksTaken">Whether the sender wants to know when it is taken.</param>
    /// <param name="message">At most <see cref="LongestContent"/>.</param>
    internal void Message(int lane, long id, bool asksTaken, ReadOnlySpan<byte> message)
    {
        Number((ulong)FrameType.Message);
        Number((ulong)lane);
        Number((ulong)id);
        _packet[_used++] = (byte)(asksTaken ? 1 : 0);
        message.CopyTo(Room(message.Length));
    }

    /// <summary>A part of a message; the caller has checked that it fits.</summary>
    internal void Fragment(int lane, long id, bool asksTaken, int total, int offset, ReadOnlySpan<byte> content)
    {
        Number((ulong)FrameType.Fragment);
        Number((ulong)lane);
        Number((ulong)id);
        _packet[_used++] = (byte)(asksTaken ? 1 : 0);
        Number((ulong)total);
        Number((ulong)offset);
        content.CopyTo(Room(content.Length));
    }

    /// <summary>The caller has checked that it fits.</summary>
    internal void LaneSkip(int lane, OffsetRange skipped, long charged)
    {
        Number((ulong)FrameType.LaneSkip);
        Number((ulong)lane);
        Number((ulong)skipped.From);
        Number((ulong)skipped.To);
        Number((ulong)charged);
    }

    /// <summary>LaneCredit, LaneBlocked, LaneTaken or LaneSettled.</summary>
    internal bool TryLaneOffset(FrameType type, int lane, long offset)
    {
        if (HeadBytes(lane) + VarInt.Size((ulong)offset) > Free)
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

    /// <summary>MessagesTaken or MessagesRefused: as many ids as fit, highest first.</summary>
    /// <param name="type">Which of the two.</param>
    /// <param name="lane">The lane.</param>
    /// <param name="ids">Ranges of ids in falling order that neither touch nor overlap; at most 65.</param>
    /// <returns>How many of the ranges were written; 0 if nothing was.</returns>
    internal int IdRanges(FrameType type, int lane, scoped ReadOnlySpan<OffsetRange> ids)
    {
        const int IdHeadBytes = 3 + (3 * VarInt.MaxBytes);
        const int RangeBytes = 2 * VarInt.MaxBytes;

        if (ids.IsEmpty || IdHeadBytes > Free)
        {
            return 0;
        }

        int further = Math.Min((Free - IdHeadBytes) / RangeBytes, IdRangeReader.MostFurtherRanges);
        int count = Math.Min(ids.Length, 1 + further);
        Number((ulong)type);
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

    // Type and lane.
    private static int HeadBytes(int lane) => 1 + VarInt.Size((ulong)lane);

    // With the three bytes mode, priority, weight.
    private static int OpenBytes(int lane) => HeadBytes(lane) + 3;

    private Span<byte> Room(int length)
    {
        VarInt.WriteTwoBytes(_packet[_used..], length);
        Span<byte> room = _packet.Slice(_used + LengthBytes, length);
        _used += LengthBytes + length;
        return room;
    }

    private void Number(ulong value) => _used += VarInt.Write(_packet[_used..], value);
}
