using System.Globalization;
using Gudp.Tools.Charts;
using Gudp.Tools.Output;

namespace Gudp.Tools.Trace;

/// <summary>One connection of a trace as a page: what was sent when and became what, window, round trips.</summary>
internal static class TracePage
{
    private const double MillisecondsPerSecond = 1_000;
    private const double BytesPerKilobyte = 1_000;

    internal static string Draw(TraceSummary connection, string title)
    {
        IReadOnlyList<TraceRecord> events = connection.Events;
        double origin = events[0].Milliseconds;
        HtmlPage page = new($"Packet trace of {title}, connection {connection.Connection}");

        page.Table(Counts(connection));
        page.Heading("Time and sequence");
        page.Paragraph("Each packet number when it was sent, acknowledged, declared lost. A packet is never sent twice; "
            + "those that repeat content of others are marked.");
        page.Charts(Sequence(events, origin));
        page.Heading("Window and round trip");
        page.Charts(Window(events, origin), RoundTrips(events, origin));
        page.Heading("Changes");
        page.Table(Changes(events, origin));
        return page.ToHtml();
    }

    private static PageTable Counts(TraceSummary one)
    {
        PageTable table = new("sent", "bytes", "received", "acked", "lost", "spurious", "repeats", "probes", "dropped");
        table.Add(
            Units.Count(one.Sent), Units.Bytes(one.BytesSent), Units.Count(one.Received), Units.Count(one.Acked),
            Units.Count(one.Lost), Units.Count(one.Spurious), Units.Count(one.Repeated), Units.Count(one.Probes),
            Units.Count(one.Dropped));
        return table;
    }

    private static LineChart Sequence(IReadOnlyList<TraceRecord> events, double origin)
    {
        IEnumerable<TraceRecord> numbered = events.Where(happened => happened.PacketNumber >= 0);
        ILookup<string, TraceRecord> byName = numbered.ToLookup(happened => happened.Name);
        ILookup<bool, TraceRecord> sent = byName["quic:packet_sent"].ToLookup(happened => happened.IsRepeat);

        return new LineChart(
            "Packets",
            Time,
            new ChartAxis("packet number"),
            [
                Packets("sent", sent[false], origin),
                Packets("sent, repeats content", sent[true], origin),
                Packets("acked", byName["quic:packets_acked"], origin),
                Packets("lost", byName["quic:packet_lost"], origin),
                Packets("lost wrongly", byName["gudp:spurious_loss"], origin),
            ]);
    }

    private static LineChart Window(IReadOnlyList<TraceRecord> events, double origin) => new(
        "Congestion window and bytes in flight",
        Time,
        new ChartAxis("bytes", "KB") { Least = 0 },
        [
            Steps("window", events, origin, happened => happened.WindowBytes / BytesPerKilobyte),
            Steps("in flight", events, origin, happened => happened.BytesInFlight / BytesPerKilobyte),
        ]);

    private static LineChart RoundTrips(IReadOnlyList<TraceRecord> events, double origin) => new(
        "Round trip",
        Time,
        new ChartAxis("round trip", "ms") { Least = 0 },
        [
            Steps("latest", events, origin, happened => happened.LatestRtt),
            Steps("smoothed", events, origin, happened => happened.SmoothedRtt),
            Steps("least", events, origin, happened => happened.MinRtt),
        ]);

    private static PageTable Changes(IReadOnlyList<TraceRecord> events, double origin)
    {
        PageTable table = new("at", "what", "from", "to");

        foreach (TraceRecord happened in events.Where(e => e.Before.Length + e.After.Length > 0))
        {
            table.Add(
                string.Create(CultureInfo.InvariantCulture, $"{happened.Milliseconds - origin:0.0} ms"),
                happened.Name, happened.Before, happened.After);
        }

        return table;
    }

    private static ChartAxis Time => new("time", "s");

    private static ChartSeries Packets(string name, IEnumerable<TraceRecord> events, double origin)
        => new(name, [.. events.Select(happened => new ChartPoint(
            (happened.Milliseconds - origin) / MillisecondsPerSecond, happened.PacketNumber))])
        {
            Style = SeriesStyle.Points,
        };

    private static ChartSeries Steps(
        string name, IReadOnlyList<TraceRecord> events, double origin, Func<TraceRecord, double?> value)
        => new(name, [.. events
            .Where(happened => value(happened) is not null)
            .Select(happened => new ChartPoint(
                (happened.Milliseconds - origin) / MillisecondsPerSecond, value(happened)!.Value))])
        {
            Style = SeriesStyle.Step,
        };
}
