using System.CommandLine;
using Gudp.Tools.Arguments;
using Gudp.Tools.Demo;
using Gudp.Tools.Network;
using Gudp.Tools.Output;

namespace Gudp.Tools.Commands;

/// <summary>
/// <c>gudp demo</c>: one simulation twice over a bad network, and the proof that it was the same. <c>--kill</c>: three
/// times, with processes that are killed.
/// </summary>
internal static class DemoCommand
{
    internal const int MaxMembers = 64;
    internal const int MaxSteps = 1_000_000;

    internal static Command Create(Printer printer)
    {
        Option<int> members = CommandOption.Count("--members", "Processes that simulate together.", 4, (1, MaxMembers));
        Option<int> agents = CommandOption.Count("--agents", "Birds in the flock.", 400, (1, FlockModel.MaxAgents));
        Option<int> steps = CommandOption.Count("--steps", "Steps of the simulation.", 300, (1, MaxSteps));
        Option<int> loss = CommandOption.Percent("--loss", "Datagrams that vanish.", standardPercent: 5);
        Option<TimeSpan> delay = CommandOption.Span(
            "--delay", "Time each datagram takes, one way.", TimeSpan.FromMilliseconds(10));
        Option<ulong> seed = CommandOption.Seed();
        Option<TimeSpan> limit = CommandOption.Span(
            "--limit", "Gives up after this time, with exit code 4.", TimeSpan.FromMinutes(10));

        Command command = new("demo", "Simulates a flock in several processes over a bad network, twice, and compares.")
        {
            members, agents, steps, loss, delay, seed, limit,
        };

        Option<string?> trace = TraceCommand.Option();
        Option<bool> kill = new("--kill")
        {
            Description = "Kills processes: one comes back from what it saved, one stays away; checks both.",
        };
        Option<string?> report = new("--report")
        {
            Description = "Writes a page with pictures: paths, and how long each step took and for whom.",
            HelpName = "FILE.html",
        };
        command.Add(trace);
        command.Add(kill);
        command.Add(report);

        command.SetAction((parsed, cancelled) =>
        {
            ToolConfig.TraceTo(parsed.GetValue(trace));
            DemoPlan plan = new()
            {
                Members = parsed.GetValue(members),
                Agents = parsed.GetValue(agents),
                Steps = parsed.GetValue(steps),
                LossPpm = parsed.GetValue(loss),
                Delay = parsed.GetValue(delay),
                Seed = parsed.GetValue(seed),
            };

            DemoWishes wishes = new(parsed.GetValue(limit), parsed.GetValue(kill), parsed.GetValue(report));
            return CommandLine.RunAsync(RunAsync(plan, wishes, printer, cancelled));
        });

        return command;
    }

    private static async Task<ExitCode> RunAsync(
        DemoPlan plan, DemoWishes wishes, Printer printer, CancellationToken cancelled)
    {
        if (wishes.Kills && (plan.Members < DemoKills.LeastMembers || plan.Steps < DemoKills.LeastSteps))
        {
            throw new CommandFailure(
                ExitCode.Usage,
                $"--kill needs {DemoKills.LeastMembers} members or more and {DemoKills.LeastSteps} steps or more.");
        }

        using ReportFile? report = wishes.Report is { } path ? ReportFile.Open(path) : null;
        using DemoFolder? folder = wishes.Kills || report is not null ? new DemoFolder() : null;
        plan = plan with
        {
            Folder = folder,
            Kills = wishes.Kills ? DemoKills.Draw(plan.Members, plan.Seed) : null,
        };

        IReadOnlyList<DemoRunResult> results = await RunAllAsync(plan, wishes.Limit, printer, cancelled)
            .ConfigureAwait(false);
        DemoFindings findings = FindingsOf(plan, results);
        ExitCode code = Judge(findings, printer);

        if (report is not null)
        {
            report.Write(DemoReport.Draw(plan, results, findings));
            printer.Line($"report: {wishes.Report}");
        }

        return code;
    }

    /// <summary>
    /// Of two runs, in which everything that must not matter is different; or of three, of which one was in peace, one
    /// had a killed member that came back, and one a killed member that did not.
    /// </summary>
    private static DemoFindings FindingsOf(DemoPlan plan, IReadOnlyList<DemoRunResult> results)
    {
        KillVerdict verdict = plan.Kills is { } kills
            ? KillVerdict.Of(kills, results, plan.Folder!)
            : new KillVerdict([], DemoVerdict.Differences(results[0], results[1]));

        return new DemoFindings(verdict.Differences.Count == 0, [.. verdict.Claims, .. verdict.Differences]);
    }

    private static async Task<IReadOnlyList<DemoRunResult>> RunAllAsync(
        DemoPlan plan, TimeSpan limit, Printer printer, CancellationToken cancelled)
    {
        using CancellationTokenSource limited = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        limited.CancelAfter(limit);
        List<DemoRunResult> results = [];

        try
        {
            foreach (DemoRunPlan run in plan.Runs())
            {
                printer.Line(run.ToString());
                DemoRunResult result = await RunOnceAsync(plan, run, printer, limited.Token).ConfigureAwait(false);

                foreach (string note in result.Notes)
                {
                    printer.Line("  " + note);
                }

                results.Add(result);
            }
        }
        catch (OperationCanceledException) when (!cancelled.IsCancellationRequested)
        {
            throw new CommandFailure(
                ExitCode.TimedOut, $"The demo took longer than {Units.Span(limit)}; raise --limit.");
        }

        printer.Table(DemoVerdict.Table(results));

        foreach (DemoRunResult result in results)
        {
            printer.Line($"run {result.Plan.Number}: {Units.Span(result.Elapsed)}, run digest {result.RunDigest}");
        }

        return results;
    }

    private static ExitCode Judge(DemoFindings findings, Printer printer)
    {
        foreach (string line in findings.Lines)
        {
            if (findings.IsDeterministic)
            {
                printer.Line(line);
            }
            else
            {
                printer.Error(line);
            }
        }

        printer.Line(findings.IsDeterministic ? "deterministic: yes" : "deterministic: no");
        return findings.IsDeterministic ? ExitCode.Fine : ExitCode.CheckFailed;
    }

    private static Task<DemoRunResult> RunOnceAsync(
        DemoPlan plan, DemoRunPlan run, Printer printer, CancellationToken cancelled)
        => printer.WithProgressAsync(
            $"run {run.Number}",
            plan.Steps,
            ProgressUnit.Steps,
            meter => new DemoRun(plan, run, meter).RunAsync(cancelled));
}

/// <summary>How the demo is to be run.</summary>
/// <param name="Limit">Gives up after this time.</param>
/// <param name="Kills">Processes are killed.</param>
/// <param name="Report">Where the page goes; null: nowhere.</param>
internal readonly record struct DemoWishes(TimeSpan Limit, bool Kills, string? Report);
