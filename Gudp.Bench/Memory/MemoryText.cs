using System.Globalization;
using Gudp.Bench.Transport;
using Gudp.Tools.Charts;

namespace Gudp.Bench.Memory;

/// <summary>What the report for people says.</summary>
internal static class MemoryText
{
    private const int HeapRows = 30;

    private const string Intro =
        "Two processes over the loopback, one that listens and one that opens all connections, each from a socket of its "
        + "own because an endpoint has one connection to each peer. Both daemons have their thread. Bytes are for each "
        + "connection, over what the process took after the first.";

    private const string RowNote =
        "core: connections without a layer on top. messages: peer, session and engine, nothing sent. used: each has carried "
        + "a message of 64 bytes in both directions on its default lane, and rests since. Managed: the heap after a full "
        + "collection. Resident: the process's pages. Idle us: processor time for each connection and second, nearly all of "
        + "it heartbeats, one a second each way.";

    private const string Schema = """
        ## The JSON file

        `memory.json` holds what the tables show. `schema` is 1.

        - `rows[]`: `layer` (core, messages, used), `end` (server, client), `connections`, `managed_bytes`, `resident_bytes`,
          `idle_us_per_s`, all for each connection; `heap[]`: `type`, `objects` and `bytes` for each connection, every object
          that is reached from the daemon, its endpoints and what the user holds
        - `floors[]`: `id`, `work`, `value`, `bound`, `isLeast`, `passed`

        """;

    internal static ReportPage Page(MemoryReport report) => new("memory", "Memory of idle connections")
    {
        Usage = "`--only NAME` measures one layer and keeps the rest of the JSON file: core, messages, used.\n"
            + "`--connections N` asks for another number than 10,000; the client needs as many descriptors.",
        Schema = Schema,
        Intro = Intro,
        Runs = FormattableString.Invariant($"Connections: {report.Rows.Select(row => row.Connections).FirstOrDefault()}."),
        Floors = report.Floors,
        Sections = [new("Bytes", RowNote, RowTable(report), []), .. report.Rows.Where(IsServer).Select(HeapOf)],
    };

    private static bool IsServer(MemoryRow row) => row.End == MemoryRow.Server;

    private static ReportSection HeapOf(MemoryRow row)
    {
        PageTable table = new("Type", "Objects", "Bytes");

        foreach (HeapRow type in row.Heap.Take(HeapRows))
        {
            table.Add(type.Type, Number(type.Objects), Number(type.Bytes));
        }

        return new($"Heap of the server, {row.Layer}", "For each connection, the largest first.", table, []);
    }

    private static PageTable RowTable(MemoryReport report)
    {
        PageTable table = new("Layer", "End", "Connections", "Managed", "Resident", "Idle us");

        foreach (MemoryRow row in report.Rows)
        {
            table.Add(
                row.Layer,
                row.End,
                row.Connections.ToString(CultureInfo.InvariantCulture),
                Number(row.ManagedBytes),
                Number(row.ResidentBytes),
                Number(row.IdleMicroseconds));
        }

        return table;
    }

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
