using Gudp.Tools.Output;

namespace Gudp.Tools.Trace;

/// <summary>What one connection of a trace did, in counts.</summary>
internal sealed record TraceSummary(string Connection, IReadOnlyList<TraceRecord> Events)
{
    internal int Sent => Count("quic:packet_sent");

    internal int Received => Count("quic:packet_received");

    internal int Acked => Count("quic:packets_acked");

    internal int Lost => Count("quic:packet_lost");

    internal int Spurious => Count("gudp:spurious_loss");

    internal int Dropped => Count("quic:packet_dropped");

    internal int Repeated => Events.Count(happened => happened.Name == "quic:packet_sent" && happened.IsRepeat);

    internal int Probes => Events.Count(
        happened => happened.Name == "quic:packet_sent" && happened.Trigger == "pto_probe");

    internal long BytesSent => Events.Where(happened => happened.Name == "quic:packet_sent").Sum(e => (long)e.Bytes);

    /// <summary>Those of a trace, the one with most packets first; without datagrams of no connection.</summary>
    internal static IReadOnlyList<TraceSummary> Of(TraceContent trace)
        => [.. trace.Events
            .Where(happened => happened.Connection.Length > 0)
            .GroupBy(happened => happened.Connection)
            .Select(group => new TraceSummary(group.Key, [.. group]))
            .OrderByDescending(summary => summary.Sent + summary.Received)
            .ThenBy(summary => summary.Connection, StringComparer.Ordinal)];

    internal static TextTable Table(IReadOnlyList<TraceSummary> summaries)
    {
        TextTable table = new(
            "connection", "sent", "bytes", "received", "acked", "lost", "spurious", "repeats", "probes", "dropped");

        foreach (TraceSummary one in summaries)
        {
            table.Add(
                one.Connection, Units.Count(one.Sent), Units.Count(one.BytesSent), Units.Count(one.Received),
                Units.Count(one.Acked), Units.Count(one.Lost), Units.Count(one.Spurious), Units.Count(one.Repeated),
                Units.Count(one.Probes), Units.Count(one.Dropped));
        }

        return table;
    }

    private int Count(string name) => Events.Count(happened => happened.Name == name);
}
