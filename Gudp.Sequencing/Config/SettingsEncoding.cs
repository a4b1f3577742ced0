using System;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Config;

/// <summary>
/// The canonical encoding of what members cannot see of a configuration (lock-time 8.1, clause ). Its hash says
/// whether two runs that differ could have been expected to be equal.
/// </summary>
internal static class SettingsEncoding
{
    /// <param name="config">Checked.</param>
    /// <param name="roster">In the order of ordinals.</param>
    internal static ReadOnlySpan<byte> Encode(SequencingConfig config, ReadOnlySpan<MemberDeclaration> roster)
    {
        FrameWriter writer = new();
        writer.WriteBytes("gudp-set/1"u8);
        writer.WriteByte(0);
        writer.WriteUInt64(config.Seed);
        writer.WriteByte(config.TieSeed is null ? (byte)0 : (byte)1);
        writer.WriteUInt64(config.TieSeed ?? 0);
        writer.WriteNumber((ulong)config.MaxInboxBytes);
        writer.WriteNumber((ulong)config.LogBytes);
        writer.WriteNumber((ulong)config.LogMessages);
        writer.WriteNumber((ulong)config.SnapshotBytes);
        WriteLimit(writer, config.InboxLimit);
        writer.WriteNumber((ulong)config.HealthLimit.Ticks);
        writer.WriteNumber((ulong)config.Operators);
        writer.WriteByte(config.StartsOnCommand ? (byte)1 : (byte)0);
        writer.WriteByte(config.AdmitsEarliest ? (byte)1 : (byte)0);
        writer.WriteNumber((ulong)config.MaxObservers);
        writer.WriteUInt64(BitConverter.DoubleToUInt64Bits(config.Pace));
        writer.WriteNumber((ulong)config.TickLength.Ticks);
        writer.WriteNumber((ulong)config.WhenLate);

        foreach (MemberDeclaration member in roster)
        {
            writer.WriteNumber((ulong)member.CrashPolicy);
            writer.WriteByte(member.Paced ? (byte)1 : (byte)0);
            WriteLimit(writer, member.InboxLimit ?? config.InboxLimit);
        }

        foreach (ChannelDeclaration channel in SortedChannels(config))
        {
            writer.WriteText(channel.Name);
            writer.WriteNumber((ulong)channel.History.Count);
            writer.WriteUInt64((ulong)(channel.HistoryBytes ?? -1));
            writer.WriteUInt64((ulong)(channel.HistoryTicks ?? -1));
        }

        return writer.Written;
    }

    private static ChannelDeclaration[] SortedChannels(SequencingConfig config)
    {
        ChannelDeclaration[] channels = [.. config.Channels];
        Array.Sort(channels, (left, right) => RunLayout.CompareNames(left.Name, right.Name));
        return channels;
    }

    private static void WriteLimit(FrameWriter writer, InboxLimit limit)
    {
        writer.WriteNumber((ulong)limit.Messages);
        writer.WriteNumber((ulong)limit.Bytes);
    }
}
