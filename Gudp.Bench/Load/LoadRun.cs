using System.Reflection;
using Gudp.Tools.Demo;

namespace Gudp.Bench.Load;

/// <summary>What a cell gave in one round.</summary>
internal sealed record LoadSample
{
    public double MessagesPerSecond { get; init; }

    /// <summary>Payload that arrived.</summary>
    public double MegabytesPerSecond { get; init; }

    /// <summary>From due to arrived, or to answered.</summary>
    public required LatencyHistogram Spans { get; init; }

    /// <summary>Of all processes, for each message that arrived.</summary>
    public double ProcessorMicroseconds { get; init; }

    public double AllocatedBytes { get; init; }

    /// <summary>Of the process that holds the most.</summary>
    public double MemoryMegabytes { get; init; }

    /// <summary>Of those that were sent.</summary>
    public double LostPercent { get; init; }

    public double DatagramsPerMessage { get; init; }

    public double BytesPerMessage { get; init; }

    public long Retransmissions { get; init; }

    public long Errors { get; init; }

    public string? Fault { get; init; }
}

/// <summary>Starts the processes of a cell, waits for what they measured, and adds it up.</summary>
internal sealed class LoadRun : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<ChildProcess> _nodes = [];
    private readonly LoadCell _cell;
    private readonly LoadTiming _timing;

    private LoadRun(LoadCell cell, LoadTiming timing)
    {
        _cell = cell;
        _timing = timing;
    }

    internal static async Task<LoadSample> MeasureAsync(LoadCell cell, LoadTiming timing)
    {
        using LoadRun run = new(cell, timing);
        return await run.MeasureAsync().ConfigureAwait(false);
    }

    public void Dispose() => _nodes.ForEach(node => node.Dispose());

    private async Task<LoadSample> MeasureAsync()
    {
        List<int> ports = [];

        for (int node = 0; node < NodesOf(_cell); node++)
        {
            ports.Add(await StartAsync(PlanOf(node, ports)).ConfigureAwait(false));
        }

        List<NodeResult> results = [];

        foreach (ChildProcess node in _nodes)
        {
            results.Add((await ReadAsync(node, line => line.Result is not null).ConfigureAwait(false)).Result!);
        }

        return SampleOf(results);
    }

    // Links share processes: one for those who send to one, and one each where everybody speaks with everybody.
    private static int NodesOf(LoadCell cell) => cell.Work == LoadWork.NToN ? cell.Peers : 2;

    private NodePlan PlanOf(int node, List<int> ports)
    {
        bool isMesh = _cell.Work == LoadWork.NToN;
        bool isFirst = node == 0;
        return new NodePlan
        {
            Cell = _cell,
            Timing = _timing,
            FirstSender = isMesh ? node * _cell.Peers : isFirst ? 0 : 1,
            Ports = [.. ports],
            LinksEach = isMesh ? 1 : _cell.Peers,
            Expected = isMesh ? _cell.Peers - 1 - node : isFirst ? _cell.Peers : 0,
            Sends = !isFirst || isMesh,
            SendsBack = isMesh || (isFirst && _cell.Work == LoadWork.TwoWay),
            Processor = _timing.IsPinned ? node % Environment.ProcessorCount : -1,
        };
    }

    private async Task<int> StartAsync(NodePlan plan)
    {
        ChildProcess child = ChildProcess.Start(
            $"node {_nodes.Count}", [LoadNode.Name, plan.ToJson()], Assembly.GetEntryAssembly());
        _nodes.Add(child);
        return (await ReadAsync(child, line => line.Port > 0).ConfigureAwait(false)).Port;
    }

    private static async Task<NodeLine> ReadAsync(ChildProcess child, Func<NodeLine, bool> isWanted)
    {
        using CancellationTokenSource patience = new(Patience);

        await foreach (string text in child.Lines.ReadAllAsync(patience.Token).ConfigureAwait(false))
        {
            if (NodeLine.Read(text) is { } line && isWanted(line))
            {
                return line;
            }
        }

        throw await child.ExplainEndAsync(patience.Token).ConfigureAwait(false);
    }

    private LoadSample SampleOf(List<NodeResult> results)
    {
        bool asks = _cell.Work == LoadWork.RequestResponse;

        // An answer counts once, where it was asked for.
        List<NodeResult> receivers = [.. results.Where((_, node) => !asks || node > 0)];
        double arrived = Math.Max(1, receivers.Sum(result => result.Arrived));
        double sent = Math.Max(1, results.Sum(result => result.Sent));
        double rate = receivers.Sum(result => result.Seconds > 0 ? result.Arrived / result.Seconds : 0);
        LatencyHistogram spans = results
            .Select(result => LatencyHistogram.FromPairs(result.Spans, result.MostSpan))
            .Aggregate((sum, next) => sum.With(next));
        return new LoadSample
        {
            MessagesPerSecond = rate,
            MegabytesPerSecond = rate * _cell.Bytes / 1e6,
            Spans = spans,
            ProcessorMicroseconds = 1e6 * results.Sum(result => result.ProcessorSeconds) / arrived,
            AllocatedBytes = results.Sum(result => result.AllocatedBytes) / arrived,
            MemoryMegabytes = results.Max(result => result.MemoryBytes) / 1e6,
            LostPercent = 100 * Math.Max(0, results.Sum(result => result.Lost)) / sent,
            DatagramsPerMessage = results.Sum(result => result.Datagrams) / arrived,
            BytesPerMessage = results.Sum(result => result.BytesSent) / arrived,
            Retransmissions = results.Sum(result => Math.Max(0, result.Retransmissions)),
            Errors = results.Sum(result => result.Errors),
            Fault = results.Select(result => result.Fault).FirstOrDefault(fault => fault is not null),
        };
    }
}
