// One run of the demo: a server and the members as processes, and between them the relay, here, in the parent.
//
//   member 0 ... n-1  --->  relay (loses, delays)  --->  server
//
// Always true:
//   - every process started here is ended before the run returns, however it returns;
//   - a run ends: by all reports, by a process that failed, by silence, or by the user.

using System.Diagnostics;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tools.Commands;
using Gudp.Tools.Output;
using Gudp.Tools.Relay;

namespace Gudp.Tools.Demo;

/// <summary>Runs the flock once.</summary>
internal sealed class DemoRun
{
    // No process says anything for so long: with the longest time-out of the transport one of them would have.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DemoPlan _plan;
    private readonly DemoRunPlan _run;
    private readonly ProgressMeter _meter;
    private readonly List<ChildProcess> _children = [];
    private readonly Lock _gate = new();
    private readonly int[] _steps;

    internal DemoRun(DemoPlan plan, DemoRunPlan run, ProgressMeter meter)
    {
        _plan = plan;
        _run = run;
        _meter = meter;
        _steps = new int[plan.Members];
    }

    /// <exception cref="CommandFailure">A process failed, or nothing moved any more.</exception>
    internal async Task<DemoRunResult> RunAsync(CancellationToken cancelled)
    {
        using CancellationTokenSource silence = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        silence.CancelAfter(Patience);

        try
        {
            return await RunAsync(silence).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancelled.IsCancellationRequested)
        {
            throw new CommandFailure(
                ExitCode.TimedOut,
                $"Nothing moved for {Patience.TotalSeconds:0} s in {_run}; "
                + $"the members were at the steps {string.Join(' ', _steps)}.");
        }
        finally
        {
            _children.ForEach(child => child.Dispose());
        }
    }

    private async Task<DemoRunResult> RunAsync(CancellationTokenSource silence)
    {
        long start = Stopwatch.GetTimestamp();
        ChildProcess server = Start("the server", DemoServerCommand.Arguments(_plan));
        ChildLine listening = await NextAsync(server, line => line.Port is not null, silence).ConfigureAwait(false);

        using UdpRelay relay = new(
            PeerAddress.LoopbackIPv4(0), PeerAddress.LoopbackIPv4(listening.Port!.Value), Impairment());
        relay.Start();

        // Read from the start, so that a server that fails ends the run at once.
        Task<ChildLine> serverEnd = NextAsync(server, line => line.RunDigest is not null, silence);
        Task<ChildLine>[] memberEnds = new Task<ChildLine>[_plan.Members];

        foreach (int member in _run.StartOrder)
        {
            ChildProcess process = Start(
                FlockRun.NameOf(member),
                DemoMemberCommand.Arguments(_plan, member, relay.LocalAddress.Port, _run.PausedMember == member));
            memberEnds[member] = NextAsync(process, line => HasEnded(line, member), silence);
        }

        await foreach (Task<ChildLine> ended in Task.WhenEach([serverEnd, .. memberEnds]).ConfigureAwait(false))
        {
            // Throws for the first that failed, without waiting for those that wait for it.
            await ended.ConfigureAwait(false);
        }

        MemberReport[] reports = [.. memberEnds.Select(ended => ended.Result.Member!)];
        return new DemoRunResult(_run, serverEnd.Result.RunDigest!, reports, Stopwatch.GetElapsedTime(start));
    }

    private ImpairmentOptions Impairment() => new()
    {
        Seed = _run.LossSeed,
        Link = new LinkModel { LossPpm = _plan.LossPpm, Delay = _plan.Delay },
    };

    private ChildProcess Start(string name, IEnumerable<string> arguments)
    {
        ChildProcess child = ChildProcess.Start(name, arguments);
        _children.Add(child);
        return child;
    }

    private static async Task<ChildLine> NextAsync(
        ChildProcess child, Func<ChildLine, bool> isWanted, CancellationTokenSource silence)
    {
        await foreach (ChildLine line in child.Lines.ReadAllAsync(silence.Token).ConfigureAwait(false))
        {
            silence.CancelAfter(Patience);

            if (isWanted(line))
            {
                return line;
            }
        }

        throw await child.ExplainEndAsync(silence.Token).ConfigureAwait(false);
    }

    private bool HasEnded(ChildLine line, int member)
    {
        if ((line.Step ?? line.Member?.Steps) is { } step)
        {
            lock (_gate)
            {
                _steps[member] = step;
                _meter.Report(_steps.Min());
            }
        }

        return line.Member is not null;
    }
}
