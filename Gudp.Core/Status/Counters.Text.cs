using System;
using System.Collections.Generic;

namespace Gudp.Core;

// Every counter of the snapshot has a row here; a test compares.
public readonly partial record struct ConnectionCounters
{
    internal static readonly CounterTable<ConnectionCounters> Table = new CounterTable<ConnectionCounters>()
        .Count(nameof(DatagramsSent), "datagrams", static c => c.DatagramsSent)
        .Count(nameof(BytesSent), "bytes", static c => c.BytesSent)
        .Count(nameof(DatagramsReceived), "datagrams", static c => c.DatagramsReceived)
        .Count(nameof(BytesReceived), "bytes", static c => c.BytesReceived)
        .Count(nameof(PayloadBytesSent), "bytes", static c => c.PayloadBytesSent)
        .Count(nameof(PayloadBytesReceived), "bytes", static c => c.PayloadBytesReceived)
        .Count(nameof(PacketsAcked), "packets", static c => c.PacketsAcked)
        .Count(nameof(PacketsLost), "packets", static c => c.PacketsLost)
        .Count(nameof(Retransmits), "times", static c => c.Retransmits)
        .Count(nameof(ProbesSent), "packets", static c => c.ProbesSent)
        .Count(nameof(PacketsSpuriouslyLost), "packets", static c => c.PacketsSpuriouslyLost)
        .Count(nameof(ReductionsUndone), "times", static c => c.ReductionsUndone)
        .Count(nameof(PersistentCongestions), "times", static c => c.PersistentCongestions)
        .Count(nameof(PureAcksSent), "packets", static c => c.PureAcksSent)
        .Count(nameof(HeartbeatsSent), "times", static c => c.HeartbeatsSent)
        .Count(nameof(NumbersSkipped), "numbers", static c => c.NumbersSkipped)
        .Count(nameof(SizeProbesSent), "packets", static c => c.SizeProbesSent)
        .Count(nameof(SizeProbesLost), "packets", static c => c.SizeProbesLost)
        .Count(nameof(PacketSizeReductions), "times", static c => c.PacketSizeReductions)
        .Count(nameof(PathChallengesSent), "packets", static c => c.PathChallengesSent)
        .Count(nameof(PathChanges), "times", static c => c.PathChanges)
        .Count(nameof(PathsRefused), "times", static c => c.PathsRefused)
        .Count(nameof(UserPacketsUnread), "packets", static c => c.UserPacketsUnread)
        .Count(nameof(UserPacketsTooLarge), "packets", static c => c.UserPacketsTooLarge)
        .Count(nameof(UserPacketsRepeated), "packets", static c => c.UserPacketsRepeated)
        .Span(nameof(SmoothedRtt), static c => c.SmoothedRtt)
        .Span(nameof(MinRtt), static c => c.MinRtt)
        .Span(nameof(LatestRtt), static c => c.LatestRtt)
        .Level(nameof(WindowBytes), "bytes", static c => c.WindowBytes)
        .Level(nameof(BytesInFlight), "bytes", static c => c.BytesInFlight)
        .Level(nameof(PacketBytes), "bytes", static c => c.PacketBytes);

    /// <summary>
    /// Every counter by its name; spans of time in microseconds. A new dictionary, the caller's (M23). Cold path.
    /// </summary>
    public Dictionary<string, long> ToDictionary() => Table.ToDictionary(this);

    /// <summary>One line per counter as "PacketsLost 3 packets": name, value, unit (M23). Cold path.</summary>
    public string ToText() => Table.ToText(this);
}

public readonly partial record struct DaemonCounters
{
    internal static readonly CounterTable<DaemonCounters> Table = WithDrops(new CounterTable<DaemonCounters>()
        .Count(nameof(DatagramsReceived), "datagrams", static c => c.DatagramsReceived)
        .Count(nameof(DatagramsAccepted), "datagrams", static c => c.DatagramsAccepted)
        .Count(nameof(DatagramsDropped), "datagrams", static c => c.DatagramsDropped)
        .Count(nameof(BytesReceived), "bytes", static c => c.BytesReceived)
        .Count(nameof(DatagramsSent), "datagrams", static c => c.DatagramsSent)
        .Count(nameof(BytesSent), "bytes", static c => c.BytesSent)
        .Count(nameof(SendBlocked), "times", static c => c.SendBlocked)
        .Count(nameof(RunsSent), "runs", static c => c.RunsSent)
        .Count(nameof(RunDatagramsSent), "datagrams", static c => c.RunDatagramsSent)
        .Count(nameof(RunsReceived), "runs", static c => c.RunsReceived)
        .Count(nameof(RunDatagramsReceived), "datagrams", static c => c.RunDatagramsReceived)
        .Count(nameof(OffloadFallbacks), "times", static c => c.OffloadFallbacks)
        .Count(nameof(SocketNotices), "notices", static c => c.SocketNotices)
        .Count(nameof(Turns), "turns", static c => c.Turns)
        .Count(nameof(LongTurns), "turns", static c => c.LongTurns)
        .Count(nameof(OwnPauses), "pauses", static c => c.OwnPauses));

    /// <summary>
    /// Every counter by its name, each drop reason as "Dropped.BadChecksum". A new dictionary, the caller's (M23). Cold
    /// path.
    /// </summary>
    public Dictionary<string, long> ToDictionary() => Table.ToDictionary(this);

    /// <summary>One line per counter as "BytesSent 120000 bytes": name, value, unit (M23). Cold path.</summary>
    public string ToText() => Table.ToText(this);

    private static CounterTable<DaemonCounters> WithDrops(CounterTable<DaemonCounters> table)
    {
        foreach (DropReason reason in Enum.GetValues<DropReason>())
        {
            if (reason != DropReason.None)
            {
                table.Count($"Dropped.{reason}", "datagrams", counters => counters.Dropped(reason));
            }
        }

        return table;
    }
}
