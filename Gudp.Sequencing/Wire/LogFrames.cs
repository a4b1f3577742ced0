// The frames by which the past is read: Fetch (0E) up; Log (89), Trimmed (8A), ChannelName (91), Snapshot (92) down.
// Clauses.

using System;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Wire;

/// <summary>Asks for messages of the log, and waits for them if they are not final yet.</summary>
/// <param name="First">The number to begin with; 0: the oldest kept.</param>
/// <param name="Count">Most messages; 0: only how far the log is.</param>
/// <param name="Members">Names of members that the reader knows.</param>
/// <param name="Channels">Names of channels that it knows.</param>
internal readonly record struct FetchFrame(long First, long Count, int Members, int Channels)
{
    /// <summary>The log of the run; other domains are for later versions.</summary>
    internal ulong Domain { get; init; }

    internal void Write(FrameWriter writer)
    {
        writer.BeginFrame(FrameType.Fetch, 0, 0);
        writer.WriteNumber(Domain);
        writer.WriteNumber((ulong)First);
        writer.WriteNumber((ulong)Count);
        writer.WriteNumber((ulong)Members);
        writer.WriteNumber((ulong)Channels);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out FetchFrame fetch)
    {
        FrameReader reader = new(body);
        ulong domain = reader.ReadNumber();
        fetch = new FetchFrame(
            (long)reader.ReadNumber(), (long)reader.ReadNumber(), reader.ReadInt32(), reader.ReadInt32())
        {
            Domain = domain,
        };
        return reader.IsComplete;
    }
}

/// <summary>Nothing is missing from this number on; before it something is.</summary>
internal readonly record struct TrimmedFrame(long First)
{
    internal void Write(FrameWriter writer, ulong epoch, ulong session)
    {
        writer.BeginFrame(FrameType.Trimmed, epoch, session);
        writer.WriteNumber(0);
        writer.WriteNumber((ulong)First);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out TrimmedFrame trimmed)
    {
        FrameReader reader = new(body);
        reader.ReadNumber(0);
        trimmed = new TrimmedFrame((long)reader.ReadNumber());
        return reader.IsComplete;
    }
}

/// <summary>The name of a channel, for records of the log; they come in the order of their indexes.</summary>
internal readonly record struct ChannelNameFrame(int Index, string Name)
{
    internal void Write(FrameWriter writer, ulong epoch, ulong session)
    {
        writer.BeginFrame(FrameType.ChannelName, epoch, session);
        writer.WriteNumber((ulong)Index);
        writer.WriteText(Name);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out ChannelNameFrame channel)
    {
        FrameReader reader = new(body);
        channel = new ChannelNameFrame(reader.ReadInt32(), reader.ReadText(SequencingRules.MaxNameBytes));
        return reader.IsComplete;
    }
}

/// <summary>A state that a late joiner starts with; its bytes go to the end of the frame.</summary>
internal readonly record struct SnapshotFrame(Tag Tag, int Publisher, string Name)
{
    internal void Write(FrameWriter writer, (ulong Epoch, ulong Session) head, ReadOnlySpan<byte> bytes)
    {
        writer.BeginFrame(FrameType.Snapshot, head.Epoch, head.Session);
        writer.WriteTag(Tag);
        writer.WriteNumber((ulong)Publisher);
        writer.WriteText(Name);
        writer.WriteBytes(bytes);
        writer.EndFrame();
    }

    internal static bool TryRead(ReadOnlySpan<byte> body, out SnapshotFrame snapshot, out ReadOnlySpan<byte> bytes)
    {
        FrameReader reader = new(body);
        snapshot = new SnapshotFrame(
            reader.ReadTag(), reader.ReadInt32(), reader.ReadText(SequencingRules.MaxNameBytes));
        bytes = reader.ReadRest();
        return reader.IsComplete;
    }
}

/// <summary>
/// One message inside Log. Frames hold whole stretches of the log: every number from the frame's first to below its
/// next is in it, or there is no message of that number any more.
/// </summary>
internal readonly ref struct LogRecord(long number, DeliveryKey key, int channel, ReadOnlySpan<byte> payload)
{
    internal long Number { get; } = number;

    internal DeliveryKey Key { get; } = key;

    internal int Channel { get; } = channel;

    internal ReadOnlySpan<byte> Payload { get; } = payload;

    /// <summary>Begins a Log frame.</summary>
    internal static void Begin(FrameWriter writer, (ulong Epoch, ulong Session) head, long first)
    {
        writer.BeginFrame(FrameType.Log, head.Epoch, head.Session);
        writer.WriteNumber(0);
        writer.WriteNumber((ulong)first);
    }

    /// <param name="writer">Inside a Log frame.</param>
    /// <param name="before">Number of the record before, or one less than the frame's first.</param>
    internal void Write(FrameWriter writer, long before)
    {
        writer.WriteNumber((ulong)(Number - before));
        writer.WriteTag(Key.Arrival);
        writer.WriteDistanceBack(Key.Arrival, Key.Sent);
        writer.WriteNumber((ulong)Key.Publisher);
        writer.WriteNumber((ulong)Key.SubSequence);
        writer.WriteNumber((ulong)Channel);
        writer.WriteBlock(Payload);
    }

    /// <summary>Ends the frame.</summary>
    internal static void End(FrameWriter writer, long next)
    {
        writer.WriteNumber(0);
        writer.WriteNumber((ulong)next);
        writer.EndFrame();
    }

    /// <summary>The number of a Log frame's first message.</summary>
    internal static long ReadFirst(ref FrameReader reader)
    {
        reader.ReadNumber(0);
        return (long)reader.ReadNumber();
    }

    /// <returns>False at the end of the records: <paramref name="next"/> is the frame's.</returns>
    internal static bool TryRead(ref FrameReader reader, long before, out LogRecord record, out long next)
    {
        record = default;
        next = before + 1;
        ulong distance = reader.ReadNumber();

        if (distance == 0)
        {
            next = (long)reader.ReadNumber();

            if (next <= before)
            {
                reader.Fail();
            }

            return false;
        }

        Tag arrival = reader.ReadTag();
        Tag sent = reader.ReadDistanceBack(arrival);
        DeliveryKey key = new(arrival, sent, reader.ReadInt32(), (long)reader.ReadNumber(), 0);
        int channel = reader.ReadInt32();
        record = new LogRecord(before + (long)distance, key, channel, reader.ReadBlock());
        return !reader.IsMalformed;
    }
}
