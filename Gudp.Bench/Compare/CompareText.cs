using System.Globalization;
using Gudp.Bench.Load;
using Gudp.Bench.Transport;
using Gudp.Tools.Charts;

namespace Gudp.Bench.Compare;

/// <summary>What the report for people says.</summary>
internal static class CompareText
{
    private const string Title = "Comparison";

    private const string Intro =
        "The same work on every system, two processes of one machine over its loopback, each system in the settings its "
        + "own documents recommend for speed; every receiver checks that each message arrives whole, once and in order. "
        + "In each round all systems have their turn, so that what else the machine does meets all of them: ratios of one "
        + "table count, absolute figures are this machine's. Loopback neither loses nor reorders.";

    private const string LimitNote =
        "What the system below everything can do, and what its own TCP can: the measure of all that follows. R1 to R5 are "
        + "defined in the table; Gudp is held against them under Floors.";

    private const string StreamNote =
        "One sender, one receiver, reliable and ordered, each process one thread. Gudp, TCP and ENet are polled, as who wants "
        + "the most of them does; ZeroMQ works in threads of its own, so its users sleep, as its documents have it. CPU us is "
        + "the processor time of both processes for a message, and a polling process uses its processor whole. TCP alone "
        + "makes a call for each message, tcp-coalesced one for 64 KB.";

    private const string BareNote =
        "udp-raw is bare datagrams by system calls: no order, no repetition, no limit to what is sent, so some are lost and "
        + "only what arrived counts. With offload 44 datagrams of 1,472 B leave in one call, without one; framework is the "
        + "same through .NET's socket.";

    private const string TripNote =
        "64 B there and back, one at a time. Poll: both processes look again and again; ZeroMQ has no such form. Block: both "
        + "sleep in the system until something arrives; Gudp's daemon has a thread of its own then. Each process keeps to a "
        + "processor of its own, since where the scheduler places them decides by a factor of five.";

    private const string CrowdNote = "Connections of one process to another, which receives; 64 B, round and round over all of them.";

    private const string MixedNote = "Both directions at once; and four processes of which each sends to all the others.";

    private const string CurveNote =
        "64 B, then 16 KB, sent at the moment they are due whatever became of those before; from due to arrived, so that "
        + "waiting in the sender counts (no coordinated omission). Rate is what was meant, Messages/s what arrived. Who cannot "
        + "keep up has delays that only say how long it was measured.";

    private const string RatioNote = "Gudp's medians over those of the others, same work: messages above 1 and times below 1 are ours.";

    private const string Elsewhere =
        "Judged by other commands: P12 by memory, P13, P14 and P19 by transport, P14 by messages too, P17 and P18 by grants. "
        + "P10, P15, P16 and P20 have no figure here yet.";

    private const string Schema = """
        ## The JSON file

        `compare.json` holds what the tables show. `schema` is 1; `machine`, `commit`, `extent` (smoke, quick, full),
        `warm_up_seconds`, `seconds` (measured, each round), `is_pinned`, `foreign_percent` (processor time of the machine
        that others used, median of the rows), `clock` (what the system reads time from), `clock_ns` (what a look costs),
        `missing` (systems that were not there, with what installs them). A measured value is `{ "median", "min", "max" }`
        over the rounds; -1 stands for "not measured" or "the system does not count it".

        - `rows[]`: `system` (gudp, udp-raw, tcp, tcp-coalesced, enet, zeromq), `work` (one-way, two-way, request-response,
          n-to-1, n-to-n), `size` (bytes), `peers`, `waiting` (poll, block), `offload`, `socket` (system, framework: .NET's
          own), `rate` (intended messages a second and link; 0: all that go), `rounds`; measured values `messages_per_s`,
          `mb_per_s` (payload), `rtt_us_p50`, `rtt_us_p90`, `rtt_us_p99`, `rtt_us_p99_9`, `rtt_us_max` (round trip of
          request-response, else from due to arrived), `delayed_percent` (of these, above twice the median),
          `cpu_us_per_message` (all processes), `alloc_bytes_per_message`, `memory_mb`, `lost_percent`, `packets_per_s` and
          `wire_mb_per_s` (datagrams, and UDP payload, of all processes), `packets_lost`, `retransmissions` (times content
          was sent once more), `most_retransmissions` (of one piece of content), `foreign_percent`; `errors` (over all
          rounds), `fault` (the first of them)
        - `limits[]`: `id` (R1 to R5), `work`, `unit`, `value`: computed from the rows
        - `ratios[]`: `work`, `size`, `peers`, `waiting`, `to` (a system), `messages_per_s`, `rtt_us_p50`,
          `cpu_us_per_message`: Gudp's medians over that system's, computed from the rows
        - `floors[]`: `id`, `work`, `value`, `bound`, `is_least`, `passed`: computed from the rest by `CompareFloors`, which a
          test does again

        """;

    internal static ReportPage Page(CompareReport report) => new("compare", Title)
    {
        MoreOptions = " --readme README.md",
        Usage = "`--smoke` takes a minute, `--quick` five, all of it\nforty; `--only WORK` measures one work anew and keeps "
            + "the rest of the JSON file; `--pin` gives each process a\nprocessor of its own; `--readme` puts the table of "
            + "speeds behind its mark there; `--render` measures\nnothing and writes the other files from the JSON file.",
        Schema = Schema,
        Intro = $"{Intro}{string.Concat(report.Missing.Select(pair => $" Not here: {pair.Key} ({pair.Value})."))} {Elsewhere}",
        Runs = FormattableString.Invariant(
            $"{report.Machine}, clock {report.Clock} at {report.ClockNs:0} ns, commit {report.Commit}. {RoundsOf(report)} ")
            + FormattableString.Invariant(
                $"of {report.Seconds} s after {report.WarmUpSeconds} s of warm-up ({report.Extent}); others used ")
            + FormattableString.Invariant($"{report.ForeignPercent:0.#} % of the machine meanwhile."),
        Floors = report.Floors,
        Sections = Sections(report).Where(section => section.Table.Rows > 0),
    };

    private static string RoundsOf(CompareReport report)
    {
        int rounds = report.Rows.Select(row => row.RoundCount).DefaultIfEmpty().Min();
        return rounds == 1 ? "One round" : FormattableString.Invariant($"{rounds} rounds");
    }

    private static ReportSection[] Sections(CompareReport report)
    {
        CompareRow[] streams = [.. Of(report, LoadWork.OneWay).Where(row => row.Rate == 0)];
        CompareRow[] bare = [.. streams.Where(row => !row.Offload || row.System == LoadSystems.RawUdp)];
        CompareRow[] plain = [.. streams.Except(bare)];
        CompareRow[] curve = [.. Of(report, LoadWork.OneWay).Where(row => row.Rate > 0)];
        return
        [
            new("One way", StreamNote, Table(plain), CompareCharts.Streams(plain)),
            new("Limits", LimitNote, LimitTable(report), CompareCharts.Limits(report)),
            new("Against bare UDP", BareNote, Table(bare), []),
            new("Round trips", TripNote, Table(Of(report, LoadWork.RequestResponse)), CompareCharts.Trips(report)),
            new("Load curve", CurveNote, Table(curve), CompareCharts.Curves(curve)),
            new("Many to one", CrowdNote, Table(Of(report, LoadWork.NTo1)), CompareCharts.Crowds(report)),
            new("Two ways, and everybody with everybody", MixedNote, Table(
                [.. Of(report, LoadWork.TwoWay), .. Of(report, LoadWork.NToN)]), []),
            new("Ratios", RatioNote, RatioTable(report), []),
        ];
    }

    private static PageTable LimitTable(CompareReport report)
    {
        PageTable table = new("Id", "What", "Value", "Unit");

        foreach (CompareLimit limit in report.Limits.Where(limit => limit.Value >= 0))
        {
            table.Add(limit.Id, limit.Work, Text(limit.Value, limit.Value < 1_000 ? "0.0" : "#,0"), limit.Unit);
        }

        return table;
    }

    private static PageTable RatioTable(CompareReport report)
    {
        PageTable table = new("Work", "Bytes", "Peers", "Waits", "Over", "Messages/s", "p50", "CPU");

        foreach (CompareRatio ratio in report.Ratios)
        {
            table.Add(
                ratio.Work,
                Text(ratio.Size, "#,0"),
                Text(ratio.Peers, "#,0"),
                ratio.Waiting,
                ratio.To,
                Text(ratio.MessagesPerS, "0.00"),
                Text(ratio.RttUsP50, "0.00"),
                Text(ratio.CpuUsPerMessage, "0.00"));
        }

        return table;
    }

    private static CompareRow[] Of(CompareReport report, LoadWork work)
        => [.. report.Rows.Where(row => row.Work == LoadNames.Of(work))];

    private static PageTable Table(IEnumerable<CompareRow> rows)
    {
        PageTable table = new(
            "System", "Work", "Bytes", "Peers", "Waits", "Offload", "Rate", "Messages/s", "Least to most", "MB/s", "p50 us",
            "p99 us", "CPU us", "Allocated B", "Memory MB", "Packets/s", "Again", "Lost %", "Errors");

        foreach (CompareRow row in rows)
        {
            table.Add(
                row.System,
                row.Work,
                Text(row.Size, "#,0"),
                Text(row.Peers, "#,0"),
                row.Waiting,
                row.Socket == CompareRow.Framework ? row.Socket : row.Offload ? "on" : "off",
                row.Rate > 0 ? Text(row.Rate, "#,0") : "-",
                Text(row.MessagesPerS.Median, "#,0"),
                $"{Text(row.MessagesPerS.Min, "#,0")} to {Text(row.MessagesPerS.Max, "#,0")}",
                Text(row.MbPerS.Median, "#,0.0"),
                Text(row.RttUsP50.Median, "#,0.0"),
                Text(row.RttUsP99.Median, "#,0.0"),
                Text(row.CpuUsPerMessage.Median, "#,0.000"),
                Text(row.AllocBytesPerMessage.Median, "0.####"),
                Text(row.MemoryMb.Median, "#,0"),
                Text(row.PacketsPerS.Median, "#,0"),
                Text(row.Retransmissions.Median, "#,0"),
                Text(row.LostPercent.Median, "0.##"),
                PageCell.Judged(Text(row.Errors, "0"), row.Errors == 0));
        }

        return table;
    }

    private static string Text(double value, string format)
        => value < 0 ? "-" : value.ToString(format, CultureInfo.InvariantCulture);
}
