using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tools;
using Gudp.Tools.Demo;
using Gudp.Tools.Relay;

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

    /// <summary>Of all processes, where the system counts it; -1: it does not.</summary>
    public double PacketsPerSecond { get; init; }

    /// <summary>UDP payload.</summary>
    public double WireMegabytesPerSecond { get; init; }

    public LoadTraffic Traffic { get; init; } = LoadTraffic.Unknown;

    /// <summary>Of the spans, those above twice their median.</summary>
    public double DelayedPercent { get; init; }

    /// <summary>Of the machine's processor time, what others used meanwhile; set by who looked.</summary>
    public double ForeignPercent { get; init; }

    public long Errors { get; init; }

    public string? Fault { get; init; }

    /// <summary>Nothing was measured.</summary>
    internal static LoadSample Failed(string fault) => new()
    {
        MessagesPerSecond = double.NaN,
        MegabytesPerSecond = double.NaN,
        Spans = new LatencyHistogram(),
        ProcessorMicroseconds = double.NaN,
        AllocatedBytes = double.NaN,
        MemoryMegabytes = double.NaN,
        LostPercent = double.NaN,
        PacketsPerSecond = double.NaN,
        WireMegabytesPerSecond = double.NaN,
        DelayedPercent = double.NaN,
        Errors = 1,
        Fault = fault,
    };
}

/// <summary>Starts the processes of a cell, waits for what they measured, and adds it up.</summary>
internal sealed class LoadRun : IDisposable
{
    // To start a process on a busy machine.
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);

    private readonly List<ChildProcess> _nodes = [];
    private readonly List<UdpRelay> _relays = [];
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

        try
        {
            return await run.MeasureAsync().ConfigureAwait(false);
        }
        catch (CommandFailure ended)
        {
            return LoadSample.Failed(ended.Message);
        }
        catch (OperationCanceledException)
        {
            return LoadSample.Failed("A process said nothing for too long");
        }
    }

    public void Dispose()
    {
        _nodes.ForEach(node => node.Dispose());
        _relays.ForEach(relay => relay.Dispose());
    }

    private async Task<LoadSample> MeasureAsync()
    {
        List<int> ports = [];

        for (int node = 0; node < NodesOf(_cell); node++)
        {
            ports.Add(Impaired(await StartAsync(PlanOf(node, ports)).ConfigureAwait(false)));
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
            $"node {_nodes.Count}", [LoadNode.Name, plan.ToJson()], typeof(LoadRun).Assembly);
        _nodes.Add(child);
        return (await ReadAsync(child, line => line.Port > 0).ConfigureAwait(false)).Port;
    }

    // The port that leads there through a relay.
    private int Impaired(int port)
    {
        if (_cell.Impairment.Length == 0)
        {
            return port;
        }

        _ = LoadImpairment.TryRead(_cell.Impairment, out LinkModel link, out _);
        UdpRelay relay = new(
            PeerAddress.LoopbackIPv4(0), PeerAddress.LoopbackIPv4(port), new ImpairmentOptions { Link = link });
        _relays.Add(relay);
        relay.Start();
        return relay.LocalAddress.Port;
    }

    private async Task<NodeLine> ReadAsync(ChildProcess child, Func<NodeLine, bool> isWanted)
    {
        using CancellationTokenSource patience =
            new(StartPatience + _timing.WarmUp + _timing.Span + (2 * _timing.Patience));

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
        double sent = Math.Max(1, results.Sum(result => result.AllSent));
        double rate = receivers.Sum(result => PerSecond(result.Arrived, result));
        LatencyHistogram spans = results
            .Select(result => LatencyHistogram.FromPairs(result.Spans, result.MostSpan))
            .Aggregate((sum, next) => sum.With(next));
        LoadTraffic traffic = results.Select(result => result.Traffic).Aggregate((sum, next) => sum.With(next));
        bool isCounted = traffic != LoadTraffic.Unknown;
        return new LoadSample
        {
            MessagesPerSecond = rate,
            MegabytesPerSecond = rate * _cell.Bytes / 1e6,
            Spans = spans,
            ProcessorMicroseconds = 1e6 * results.Sum(result => result.ProcessorSeconds) / arrived,
            AllocatedBytes = results.Sum(result => result.AllocatedBytes) / arrived,
            MemoryMegabytes = results.Max(result => result.MemoryBytes) / 1e6,
            LostPercent = 100 * Math.Max(0, results.Sum(result => result.Lost)) / sent,
            PacketsPerSecond = isCounted ? results.Sum(result => PerSecond(result.Traffic.Datagrams, result)) : -1,
            WireMegabytesPerSecond = isCounted ? results.Sum(result => PerSecond(result.Traffic.Bytes, result)) / 1e6 : -1,
            Traffic = traffic,
            DelayedPercent = spans.PercentAbove(2 * spans.Percentile(50)),
            Errors = results.Sum(result => result.Errors),
            Fault = results.Select(result => result.Fault).FirstOrDefault(fault => fault is not null),
        };
    }

    private static double PerSecond(double count, NodeResult of) => of.Seconds > 0 ? count / of.Seconds : 0;
}
