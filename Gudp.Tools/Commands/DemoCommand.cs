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
        command.Add(trace);
        command.Add(kill);

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

            TimeSpan most = parsed.GetValue(limit);
            return CommandLine.RunAsync(parsed.GetValue(kill)
                ? KillAsync(plan, most, printer, cancelled)
                : CompareAsync(plan, most, printer, cancelled));
        });

        return command;
    }

    /// <summary>Two runs, and everything that must not matter is different.</summary>
    private static async Task<ExitCode> CompareAsync(
        DemoPlan plan, TimeSpan limit, Printer printer, CancellationToken cancelled)
    {
        IReadOnlyList<DemoRunResult> results = await RunAllAsync(plan, limit, printer, cancelled).ConfigureAwait(false);
        return Judge(DemoVerdict.Differences(results[0], results[1]), printer);
    }

    /// <summary>Three runs: one in peace, one whose killed member comes back, and one whose killed member does not.</summary>
    private static async Task<ExitCode> KillAsync(
        DemoPlan plan, TimeSpan limit, Printer printer, CancellationToken cancelled)
    {
        if (plan.Members < DemoKills.LeastMembers || plan.Steps < DemoKills.LeastSteps)
        {
            throw new CommandFailure(
                ExitCode.Usage,
                $"--kill needs {DemoKills.LeastMembers} members or more and {DemoKills.LeastSteps} steps or more.");
        }

        // Only its owner can read it: whoever has what a member saves can take its place.
        string directory = Directory.CreateTempSubdirectory("gudp-demo-").FullName;

        try
        {
            plan = plan with { Kills = DemoKills.Draw(plan.Members, plan.Seed, directory) };
            IReadOnlyList<DemoRunResult> results = await RunAllAsync(plan, limit, printer, cancelled)
                .ConfigureAwait(false);
            KillVerdict verdict = KillVerdict.Of(plan.Kills, results);
            verdict.Claims.ToList().ForEach(printer.Line);
            return Judge(verdict.Differences, printer);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
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

    private static ExitCode Judge(IReadOnlyList<string> differences, Printer printer)
    {
        foreach (string difference in differences)
        {
            printer.Error(difference);
        }

        printer.Line(differences.Count == 0 ? "deterministic: yes" : "deterministic: no");
        return differences.Count == 0 ? ExitCode.Fine : ExitCode.CheckFailed;
    }

    private static Task<DemoRunResult> RunOnceAsync(
        DemoPlan plan, DemoRunPlan run, Printer printer, CancellationToken cancelled)
        => printer.WithProgressAsync(
            $"run {run.Number}",
            plan.Steps,
            ProgressUnit.Steps,
            meter => new DemoRun(plan, run, meter).RunAsync(cancelled));
}
