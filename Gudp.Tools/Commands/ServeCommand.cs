using System.CommandLine;
using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Tools.Arguments;
using Gudp.Tools.Demo;
using Gudp.Tools.Network;
using Gudp.Tools.Output;

namespace Gudp.Tools.Commands;

/// <summary><c>gudp serve --port PORT</c>: a sequence server for one run.</summary>
internal static class ServeCommand
{
    internal static Command Create(Printer printer)
    {
        Option<int?> port = CommandOption.OptionalPort("--port", "The port to serve; 0 for any free one.");
        Option<string?> roster = new("--roster")
        {
            Description = "A JSON file that names members and channels; else the roster is the demo's.",
            HelpName = "FILE",
        };
        Option<int> members = CommandOption.Count(
            "--members", "Members of the demo's roster.", 4, (1, DemoCommand.MaxMembers));

        Option<bool> check = new("--check")
        {
            Description = "Only reads the roster and says what is wrong with it; needs no port.",
        };
        Option<string?> record = new("--record")
        {
            Description = "Records the run into this file; see 'gudp log' and 'gudp diff'.",
            HelpName = "FILE",
        };
        Option<int?> status = StatusPort.Option();
        Command command = new("serve", "Serves one run: starts when every member has joined, ends when all have left.")
        {
            port, roster, check, members, record, status,
        };

        command.Validators.Add(result =>
        {
            // Whether it was named at all: its value may be one that cannot be read, which is told elsewhere.
            if (result.GetResult(port) is null && !result.GetValue(check))
            {
                result.AddError("Option '--port' is required, but with '--check'.");
            }
        });

        command.SetAction((parsed, cancelled) =>
        {
            SequencingConfig config = parsed.GetValue(roster) is { } path
                ? RosterFile.Read(path)
                : FlockRun.Config(parsed.GetValue(members));

            return parsed.GetValue(check)
                ? Task.FromResult((int)Check(config, printer))
                : CommandLine.RunAsync(RunAsync(
                    parsed.GetValue(port)!.Value, config,
                    new Wishes(parsed.GetValue(status), parsed.GetValue(record)), printer, cancelled));
        });

        return command;
    }

    private static ExitCode Check(SequencingConfig config, Printer printer)
    {
        printer.Line(
            $"{config.Roster.Count} members, config hash {FlockServer.TextOf(config.ComputeHash())}, "
            + $"settings hash {FlockServer.TextOf(config.ComputeSettingsHash())}");
        return ExitCode.Fine;
    }

    private static async Task<ExitCode> RunAsync(
        int port, SequencingConfig config, Wishes wishes, Printer printer, CancellationToken cancelled)
    {
        RunRecording? recording = wishes.Record is null ? null : new RunRecording { Path = wishes.Record };
        using Daemon daemon = new(ToolConfig.Lockstep.Core);
        daemon.Start();
        using SequenceServer server = ToolConfig.OnPort(port, local => Open(daemon, local, config, recording));

        printer.Line(
            $"listening on port {server.LocalAddress.Port} for {config.Roster.Count} members, "
            + $"config hash {FlockServer.TextOf(server.ConfigHash)}; Ctrl-C ends");
        using StatusPort? status = StatusPort.Open(wishes.StatusPort, daemon, printer);

        try
        {
            await FlockServer.UntilEndAsync(server, cancelled).ConfigureAwait(false);
            printer.Line($"run digest {FlockServer.TextOf(server.RunDigest)}");
        }
        catch (OperationCanceledException)
        {
            printer.Line("stopped before the end of the run");
        }

        if (server.RecordFailure is { } failure)
        {
            printer.Error($"The record '{wishes.Record}' ends early: {failure.Message}");
        }

        return ExitCode.Fine;
    }

    private static SequenceServer Open(Daemon daemon, PeerAddress local, SequencingConfig config, RunRecording? recording)
    {
        try
        {
            return new SequenceServer(daemon, local, config, ToolConfig.Lockstep, recording);
        }
        catch (Exception failure) when (recording is not null
            && failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandFailure(
                ExitCode.Usage, $"The record '{recording?.Path}' cannot be written: {failure.Message}");
        }
    }

    private sealed record Wishes(int? StatusPort, string? Record);
}
