using System.Reflection;
using System.Text.Json;
using Gudp.Bench.Transport;
using Gudp.Tools.Demo;

namespace Gudp.Bench.Memory;

/// <summary><c>memory [--only NAME] [--connections N] [--json F] [--html F] [--markdown F]</c>.</summary>
internal sealed class MemoryCommand
{
    private const int MostConnections = 1_000_000;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly ReportChoices _choices = new(MemoryPlan.Layers);
    private int _connections = 10_000;

    /// <summary>Runs what the arguments name; 2: they name something else.</summary>
    internal static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter log)
    {
        MemoryCommand command = new();
        BenchArguments options = new("memory");
        command._choices.AddTo(options);
        options.Count("--connections", (2, MostConnections), connections => command._connections = connections);

        if (!ReportChoices.TryRead(options, arguments, log))
        {
            return 2;
        }

        await command.MeasureAsync(log).ConfigureAwait(false);
        return 0;
    }

    private async Task MeasureAsync(TextWriter log)
    {
        MemoryReport former = _choices.IsPart && _choices.Files.FormerJson() is { } json
            ? MemoryReport.Parse(json)
            : new MemoryReport();
        List<MemoryRow> rows = [];

        foreach (string layer in MemoryPlan.Layers)
        {
            rows.AddRange(_choices.Wants(layer)
                ? await MeasureAsync(layer, log).ConfigureAwait(false)
                : former.Rows.Where(row => row.Layer == layer));
        }

        MemoryReport report = new() { Rows = rows, Floors = MemoryReport.Judge(rows) };
        _choices.Files.Write(report.ToJson, MemoryText.Page(report));
        await log.WriteAsync(FloorRow.ToTable(report.Floors).ToMarkdown()).ConfigureAwait(false);
    }

    private async Task<MemoryRow[]> MeasureAsync(string layer, TextWriter log)
    {
        MemoryPlan plan = new() { Layer = layer, Connections = _connections };
        using ChildProcess server = Start(MemoryRow.Server, plan);
        int port = (await ReadAsync(server).ConfigureAwait(false)).Port;
        using ChildProcess client = Start(MemoryRow.Client, plan with { Port = port });
        _ = await ReadAsync(client).ConfigureAwait(false);
        MemoryRow[] rows =
        [
            RowOf(layer, MemoryRow.Server, (await ReadAsync(server).ConfigureAwait(false)).Sample!),
            RowOf(layer, MemoryRow.Client, (await ReadAsync(client).ConfigureAwait(false)).Sample!),
        ];

        foreach (MemoryRow row in rows)
        {
            await log.WriteLineAsync(FormattableString.Invariant(
                $"{layer} {row.End}: managed {row.ManagedBytes:0}, resident {row.ResidentBytes:0}, idle {row.IdleMicroseconds:0.0} us/s"))
                .ConfigureAwait(false);

            foreach (HeapRow type in row.Heap.Take(row.End == MemoryRow.Server ? 60 : 0))
            {
                await log.WriteLineAsync(FormattableString.Invariant(
                    $"  {type.Bytes,8:0}  {type.Objects,6:0.00}  {type.Type}")).ConfigureAwait(false);
            }
        }

        return rows;
    }

    private MemoryRow RowOf(string layer, string end, MemorySample sample) => new()
    {
        Layer = layer,
        End = end,
        Connections = _connections,
        ManagedBytes = sample.ManagedBytes,
        ResidentBytes = sample.ResidentBytes,
        IdleMicroseconds = sample.IdleMicroseconds,
        Heap = sample.Heap,
    };

    private static ChildProcess Start(string name, MemoryPlan plan)
        => ChildProcess.Start(name, [MemoryNode.Name, plan.ToJson()], Assembly.GetEntryAssembly());

    private static async Task<MemoryLine> ReadAsync(ChildProcess child)
    {
        using CancellationTokenSource patience = new(Patience);

        await foreach (string text in child.Lines.ReadAllAsync(patience.Token).ConfigureAwait(false))
        {
            if (text.StartsWith('{'))
            {
                return JsonSerializer.Deserialize<MemoryLine>(text)!;
            }
        }

        throw await child.ExplainEndAsync(patience.Token).ConfigureAwait(false);
    }
}
