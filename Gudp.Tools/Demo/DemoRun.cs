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
using Gudp.Tools.Arguments;
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
    private readonly List<string> _notes = [];

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
        ChildProcess server = Start(
            "the server", DemoServerCommand.Arguments(_plan, _plan.Folder?.RecordOf(_run)));
        ChildLine listening = await NextAsync(server, line => line.Port is not null, silence).ConfigureAwait(false);

        using UdpRelay relay = new(
            PeerAddress.LoopbackIPv4(0), PeerAddress.LoopbackIPv4(listening.Port!.Value), Impairment());
        relay.Start();

        // Read from the start, so that a server that fails ends the run at once.
        Task<ChildLine> serverEnd = NextAsync(server, line => line.RunDigest is not null, silence);
        Task<MemberReport?>[] memberEnds = new Task<MemberReport?>[_plan.Members];
        Ports ports = new(listening.Port.Value, relay.LocalAddress.Port);

        foreach (int member in _run.StartOrder)
        {
            ChildProcess process = Start(member, ports.Relay, WishesOf(member));
            memberEnds[member] = _run.Kill is { } kill && kill.Member == member
                ? KillAsync(process, kill, ports, silence)
                : EndAsync(process, member, silence);
        }

        await foreach (Task ended in Task.WhenEach([serverEnd, .. memberEnds]).ConfigureAwait(false))
        {
            // Throws for the first that failed, without waiting for those that wait for it.
            await ended.ConfigureAwait(false);
        }

        MemberReport[] reports = [.. memberEnds.Select(ended => ended.Result).OfType<MemberReport>()];
        return new DemoRunResult(_run, serverEnd.Result.RunDigest!, reports, Stopwatch.GetElapsedTime(start))
        {
            Notes = _notes,
        };
    }

    /// <returns>Null if the member does not come back.</returns>
    private async Task<MemberReport?> KillAsync(
        ChildProcess victim, DemoKill kill, Ports ports, CancellationTokenSource silence)
    {
        ChildLine last = await NextAsync(
            victim, line => HasEnded(line, kill.Member) || line.Step >= _plan.Steps / 2, silence).ConfigureAwait(false);
        await victim.KillAsync(silence.Token).ConfigureAwait(false);
        _notes.Add($"{victim.Name} was killed at step {last.Step} or soon after");

        KillWatch watch = new(new HostPort("127.0.0.1", ports.Server), victim.Name);
        _notes.AddRange(await watch.WatchAsync(kill.ComesBack, silence.Token).ConfigureAwait(false));
        silence.CancelAfter(Patience);

        if (!kill.ComesBack)
        {
            HasEnded(new ChildLine { Step = _plan.Steps }, kill.Member);
            return null;
        }

        FlockWishes wishes = WishesOf(kill.Member) with { Resumes = true, IsDoomed = false };
        _notes.Add(
            $"another process goes on for {victim.Name} from what it saved at step "
            + $"{FlockSave.Read(wishes.SavePath!).ReadTicket().Now.Time}");
        return await EndAsync(Start(kill.Member, ports.Relay, wishes), kill.Member, silence).ConfigureAwait(false);
    }

    private async Task<MemberReport?> EndAsync(ChildProcess process, int member, CancellationTokenSource silence)
        => (await NextAsync(process, line => HasEnded(line, member), silence).ConfigureAwait(false)).Member;

    private FlockWishes WishesOf(int member)
    {
        bool isKilled = _run.Kill?.Member == member;

        return new FlockWishes
        {
            Pause = _run.PausedMember == member ? DemoPlan.Pause : TimeSpan.Zero,
            IsDoomed = isKilled,
            SavePath = isKilled && _run.Kill!.ComesBack ? _plan.Folder!.SaveOf(_run) : null,
        };
    }

    private ImpairmentOptions Impairment() => new()
    {
        Seed = _run.LossSeed,
        Link = new LinkModel { LossPpm = _plan.LossPpm, Delay = _plan.Delay },
    };

    private ChildProcess Start(int member, int port, FlockWishes wishes)
        => Start(FlockRun.NameOf(member), DemoMemberCommand.Arguments(_plan, member, port, wishes));

    private ChildProcess Start(string name, IEnumerable<string> arguments)
    {
        ChildProcess child = ChildProcess.Start(name, arguments);

        lock (_gate)
        {
            _children.Add(child);
        }

        return child;
    }

    private static async Task<ChildLine> NextAsync(
        ChildProcess child, Func<ChildLine, bool> isWanted, CancellationTokenSource silence)
    {
        await foreach (string text in child.Lines.ReadAllAsync(silence.Token).ConfigureAwait(false))
        {
            silence.CancelAfter(Patience);

            if (ChildLine.Read(text) is { } line && isWanted(line))
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

    /// <summary>Where the server listens, and the relay before it.</summary>
    private readonly record struct Ports(int Server, int Relay);
}
