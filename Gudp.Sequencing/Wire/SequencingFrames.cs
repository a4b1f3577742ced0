// The frames of lock-time section 20. docs/protocol/sequencing.md fixes what that section leaves open (clauses Q-1
// to Q-4); both directions of each layout stand side by side here.
//
// A message of the layer below holds one or more whole frames. Bytes from the network never throw: a reader either
// gives a complete frame, read to its last byte, or says malformed.

using System;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Wire;

internal enum FrameType : byte
{
    Hello = 0x01,
    Commit = 0x02,
    Peek = 0x08,
    WhoBlocks = 0x09,
    Barrier = 0x0A,
    Stop = 0x0B,
    Suspend = 0x0C,
    Fetch = 0x0E,
    StatusQuery = 0x0F,
    Start = 0x10,
    Welcome = 0x81,
    Reject = 0x82,
    Deliver = 0x83,
    Grant = 0x84,
    Health = 0x86,
    PeerEvent = 0x87,
    Error = 0x88,
    Log = 0x89,
    Trimmed = 0x8A,
    End = 0x8B,
    Heartbeat = 0x8C,
    Status = 0x8D,
    Peeked = 0x8E,
    RoleTaken = 0x8F,
    ChannelName = 0x91,
    Snapshot = 0x92,
}

/// <summary>Clause. The order of the numbers is the order inside a commit.</summary>
internal enum ElementKind : byte
{
    Publication = 1,
    Promise = 2,
    Lookahead = 3,
    Role = 4,
    Interest = 5,
    Stop = 6,
    Snapshot = 7,
    Resign = 8,
    Request = 9,
    Digest = 10,
    StateChecksum = 11,
}

/// <summary>Clause .</summary>
[Flags]
internal enum InterestBits : byte
{
    Publish = 1,
    Subscribe = 2,
    Wake = 4,
}

/// <summary>Clause: the flags of Hello.</summary>
internal static class RoleBits
{
    internal const ulong Sends = 1;
    internal const ulong Receives = 2;
    internal const ulong MayStop = 4;
    internal const ulong MaySponsor = 8;

    /// <summary>Not a role: who says hello reads only, and is in no roster.</summary>
    internal const ulong Observes = 16;

    internal const ulong MayPeek = 32;

    internal const ulong Known = Sends | Receives | MayStop | MaySponsor | Observes | MayPeek;

    internal static ulong Of(MemberDeclaration member)
        => (member.Sends ? Sends : 0) | (member.Receives ? Receives : 0)
            | (member.MayStop ? MayStop : 0) | (member.MaySponsor ? MaySponsor : 0)
            | (member.MayPeek ? MayPeek : 0);
}

/// <summary>Clause: the flags of Grant.</summary>
[Flags]
internal enum GrantFlags : byte
{
    None = 0,
    Final = 1,
    Late = 2,
    Replayed = 4,
}

/// <summary>Clause: the states in Health.</summary>
internal enum ReportedState : byte
{
    Absent = 0,
    Joining = 1,
    Running = 2,
    Waiting = 3,
    Lost = 4,
    Resigned = 5,
}

/// <summary>Clause: what PeerEvent tells.</summary>
internal enum PeerEventKind : byte
{
    Joined = 0,
    Resigned = 1,
    Lost = 2,
    Resurrected = 3,
}

/// <summary>One frame, its body not looked at yet.</summary>
internal readonly ref struct Frame(FrameType type, ulong epoch, ulong session, ReadOnlySpan<byte> body)
{
    internal FrameType Type { get; } = type;
    internal ulong Epoch { get; } = epoch;
    internal ulong Session { get; } = session;
    internal ReadOnlySpan<byte> Body { get; } = body;

    /// <summary>Takes the next frame of a message. False: the message is at its end, or malformed.</summary>
    internal static bool TryNext(ref FrameReader message, out Frame frame)
    {
        frame = default;

        if (message.IsAtEnd)
        {
            return false;
        }

        FrameType type = (FrameType)message.ReadByte();
        ulong epoch = message.ReadNumber();
        ulong session = message.ReadNumber();
        ReadOnlySpan<byte> body = message.ReadBlock();

        if (message.IsMalformed)
        {
            return false;
        }

        frame = new Frame(type, epoch, session, body);
        return true;
    }
}

/// <summary>Something was refused: a Hello (Reject) or a commit (Error).</summary>
internal readonly record struct RefusalFrame(SequencingError Error, string Detail, ulong Step)
{
    internal void Write(FrameWriter writer, FrameType type, ulong epoch, ulong session)
    {
        writer.BeginFrame(type, epoch, session);
        writer.WriteNumber((ulong)Error);
        writer.WriteText(Detail);
        writer.WriteNumber(Step);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out RefusalFrame refusal)
    {
        FrameReader reader = new(body);
        refusal = new RefusalFrame(
            (SequencingError)reader.ReadNumber(byte.MaxValue), reader.ReadText(), reader.ReadNumber());
        return reader.IsComplete;
    }
}

/// <summary>A member may go on to a tag; everything up to it was delivered before.</summary>
internal readonly record struct GrantFrame(
    ulong AppliedStep, ulong DurableStep, Tag Tag, int Count, Tag Horizon, GrantFlags Flags, ulong Digest)
{
    internal void Write(FrameWriter writer, ulong epoch, ulong session)
    {
        writer.BeginFrame(FrameType.Grant, epoch, session);
        writer.WriteNumber(AppliedStep);
        writer.WriteNumber(DurableStep);
        writer.WriteTag(Tag);
        writer.WriteNumber((ulong)Count);
        writer.WriteTag(Horizon);
        writer.WriteNumber((ulong)Flags);
        writer.WriteUInt64(Digest);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out GrantFrame grant)
    {
        FrameReader reader = new(body);
        grant = new GrantFrame(
            reader.ReadNumber(), reader.ReadNumber(), reader.ReadTag(), reader.ReadInt32(), reader.ReadTag(),
            (GrantFlags)reader.ReadNumber(byte.MaxValue), reader.ReadUInt64());
        return reader.IsComplete;
    }
}

/// <summary>Something happened to a member.</summary>
internal readonly record struct PeerEventFrame(string Name, PeerEventKind Kind, Tag Tag)
{
    internal void Write(FrameWriter writer, ulong epoch, ulong session)
    {
        writer.BeginFrame(FrameType.PeerEvent, epoch, session);
        writer.WriteText(Name);
        writer.WriteNumber((ulong)Kind);
        writer.WriteTag(Tag);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out PeerEventFrame peerEvent)
    {
        FrameReader reader = new(body);
        peerEvent = new PeerEventFrame(
            reader.ReadText(SequencingRules.MaxNameBytes), (PeerEventKind)reader.ReadNumber(byte.MaxValue), reader.ReadTag());
        return reader.IsComplete;
    }
}

/// <summary>Everybody has resigned.</summary>
internal readonly record struct EndFrame(ulong LastNumber, ulong RunDigest)
{
    internal void Write(FrameWriter writer, ulong epoch, ulong session)
    {
        writer.BeginFrame(FrameType.End, epoch, session);
        writer.WriteNumber(LastNumber);
        writer.WriteUInt64(RunDigest);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out EndFrame end)
    {
        FrameReader reader = new(body);
        end = new EndFrame(reader.ReadNumber(), reader.ReadUInt64());
        return reader.IsComplete;
    }
}

/// <summary>A sign of life with statistics; the layer below already watches the link.</summary>
internal readonly record struct HeartbeatFrame(ulong NextNumber, Tag Floor, ulong Milliseconds)
{
    internal void Write(FrameWriter writer, ulong epoch, ulong session)
    {
        writer.BeginFrame(FrameType.Heartbeat, epoch, session);
        writer.WriteNumber(NextNumber);
        writer.WriteTag(Floor);
        writer.WriteNumber(Milliseconds);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out HeartbeatFrame heartbeat)
    {
        FrameReader reader = new(body);
        heartbeat = new HeartbeatFrame(reader.ReadNumber(), reader.ReadTag(), reader.ReadNumber());
        return reader.IsComplete;
    }
}

/// <summary>One message inside Deliver.</summary>
internal readonly ref struct DeliveryRecord(DeliveryKey key, int interest, ReadOnlySpan<byte> payload)
{
    internal DeliveryKey Key { get; } = key;

    /// <summary>Channel id: the place in the receiver's own list of interests.</summary>
    internal int Interest { get; } = interest;

    internal ReadOnlySpan<byte> Payload { get; } = payload;

    /// <param name="writer">Inside a Deliver frame.</param>
    /// <param name="lastGrant">Tag of the last Grant frame sent to this member; null before the first one.</param>
    internal void Write(FrameWriter writer, Tag? lastGrant)
    {
        // Before the first grant absolute (clause ).
        if (lastGrant is Tag start)
        {
            writer.WriteDistance(start, Key.Arrival);
        }
        else
        {
            writer.WriteTag(Key.Arrival);
        }

        writer.WriteDistanceBack(Key.Arrival, Key.Sent);
        writer.WriteNumber((ulong)Key.Publisher);
        writer.WriteNumber((ulong)Key.SubSequence);
        writer.WriteNumber(Key.Copy);
        writer.WriteNumber((ulong)Interest);
        writer.WriteBlock(Payload);
    }

    internal static DeliveryRecord Read(ref FrameReader reader, Tag? lastGrant)
    {
        Tag arrival = lastGrant is Tag start ? reader.ReadDistance(start) : reader.ReadTag();
        Tag sent = reader.ReadDistanceBack(arrival);
        int publisher = reader.ReadInt32();
        long subSequence = (long)reader.ReadNumber();
        byte copy = (byte)reader.ReadNumber(byte.MaxValue);
        int interest = reader.ReadInt32();
        return new DeliveryRecord(
            new DeliveryKey(arrival, sent, publisher, subSequence, copy), interest, reader.ReadBlock());
    }
}
