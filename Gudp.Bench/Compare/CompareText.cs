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

    private const string StreamNote =
        "One sender, one receiver, reliable and ordered, each process one thread that polls; CPU us is the processor time "
        + "of both processes for a message, and a polling process uses its processor whole.";

    private const string BareNote =
        "udp-raw is bare datagrams by system calls: no order, no repetition, no limit to what is sent, so most may be lost "
        + "and only what arrived counts. With offload 64 datagrams of 1,472 B leave in one call, without one.";

    private const string TripNote =
        "64 B there and back, one at a time. Poll: both processes look again and again. Block: both sleep in the system "
        + "until something arrives; Gudp's daemon has a thread of its own then.";

    private const string CrowdNote = "Connections of one process to another, which receives; 64 B, round and round over all of them.";

    private const string MixedNote = "Both directions at once; and four processes of which each sends to all the others.";

    private const string CurveNote =
        "256 B, sent at the moment they are due whatever became of those before; from due to arrived, so that waiting in the "
        + "sender counts (no coordinated omission).";

    private const string Schema = """
        ## The JSON file

        `compare.json` holds what the tables show. `schema` is 1; `machine`, `commit`, `extent` (smoke, quick, full),
        `warm_up_seconds`, `seconds` (measured, each round), `is_pinned`, `foreign_percent` (processor time of the machine
        that others used, median of the runs), `missing` (systems that were not there, with what installs them). A measured
        value is `{ "median", "min", "max" }` over the rounds; -1 stands for "not measured".

        - `rows[]`: `system` (gudp, udp-raw, tcp, tcp-coalesced, enet, zeromq), `work` (one-way, two-way, request-response,
          n-to-1, n-to-n), `size` (bytes), `peers`, `waiting` (poll, block), `offload`, `rate` (intended messages a second and
          link; 0: all that go), `rounds`; measured values `messages_per_s`, `mb_per_s` (payload), `rtt_us_p50`, `rtt_us_p90`,
          `rtt_us_p99`, `rtt_us_p99_9`, `rtt_us_max` (round trip of request-response, else from due to arrived),
          `cpu_us_per_message` (all processes), `alloc_bytes_per_message`, `memory_mb`, `lost_percent`,
          `datagrams_per_message`, `wire_bytes_per_message`, `retransmissions`; `errors` (over all rounds), `fault`
        - `floors[]`: `id`, `work`, `value`, `bound`, `is_least`, `passed`: computed from the rest by `CompareFloors`, which a
          test does again

        """;

    internal static ReportPage Page(CompareReport report) => new("compare", Title)
    {
        Usage = "`--smoke` takes a minute, `--quick` five, all of it\nforty; `--only WORK` measures one work anew and keeps "
            + "the rest of the JSON file; `--pin` gives each process a\nprocessor of its own.",
        Schema = Schema,
        Intro = Intro + string.Concat(report.Missing.Select(pair => $" Not here: {pair.Key} ({pair.Value}).")),
        Runs = FormattableString.Invariant(
            $"{report.Machine}, commit {report.Commit}. Rounds of {report.Seconds} s after {report.WarmUpSeconds} s ")
            + FormattableString.Invariant(
                $"of warm-up; others used {report.ForeignPercent:0.#} % of the machine meanwhile."),
        Floors = report.Floors,
        Sections = Sections(report).Where(section => section.Table.Rows > 0),
    };

    private static ReportSection[] Sections(CompareReport report)
    {
        CompareRow[] streams = [.. Of(report, LoadWork.OneWay).Where(row => row.Rate == 0)];
        CompareRow[] bare = [.. streams.Where(row => !row.Offload || row.System == LoadSystems.RawUdp)];
        CompareRow[] plain = [.. streams.Except(bare)];
        CompareRow[] curve = [.. Of(report, LoadWork.OneWay).Where(row => row.Rate > 0)];
        return
        [
            new("One way", StreamNote, Table(plain), CompareCharts.Streams(plain)),
            new("Against bare UDP", BareNote, Table(bare), []),
            new("Round trips", TripNote, Table(Of(report, LoadWork.RequestResponse)), CompareCharts.Trips(report)),
            new("Many to one", CrowdNote, Table(Of(report, LoadWork.NTo1)), CompareCharts.Crowds(report)),
            new("Two ways, and everybody with everybody", MixedNote, Table(
                [.. Of(report, LoadWork.TwoWay), .. Of(report, LoadWork.NToN)]), []),
            new("Load curve", CurveNote, Table(curve), CompareCharts.Curve(curve)),
        ];
    }

    private static CompareRow[] Of(CompareReport report, LoadWork work)
        => [.. report.Rows.Where(row => row.Work == LoadNames.Of(work))];

    private static PageTable Table(IEnumerable<CompareRow> rows)
    {
        PageTable table = new(
            "System", "Work", "Bytes", "Peers", "Waits", "Offload", "Rate", "Messages/s", "Least to most", "MB/s", "p50 us", "p99 us",
            "CPU us", "Allocated B", "Memory MB", "Lost %", "Errors");

        foreach (CompareRow row in rows)
        {
            table.Add(
                row.System,
                row.Work,
                Text(row.Size, "#,0"),
                Text(row.Peers, "#,0"),
                row.Waiting,
                row.Offload ? "on" : "off",
                row.Rate > 0 ? Text(row.Rate, "#,0") : "-",
                Text(row.MessagesPerS.Median, "#,0"),
                $"{Text(row.MessagesPerS.Min, "#,0")} to {Text(row.MessagesPerS.Max, "#,0")}",
                Text(row.MbPerS.Median, "#,0.0"),
                Text(row.RttUsP50.Median, "#,0.0"),
                Text(row.RttUsP99.Median, "#,0.0"),
                Text(row.CpuUsPerMessage.Median, "#,0.000"),
                Text(row.AllocBytesPerMessage.Median, "0.####"),
                Text(row.MemoryMb.Median, "#,0"),
                Text(row.LostPercent.Median, "0.##"),
                PageCell.Judged(Text(row.Errors, "0"), row.Errors == 0));
        }

        return table;
    }

    private static string Text(double value, string format)
        => value < 0 ? "-" : value.ToString(format, CultureInfo.InvariantCulture);
}
