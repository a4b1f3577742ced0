using System.CommandLine;
using Gudp.Sequencing;
using Gudp.Tools.Arguments;
using Gudp.Tools.Demo;
using Gudp.Tools.Output;

namespace Gudp.Tools.Commands;

/// <summary><c>gudp serve --port PORT</c>: a sequence server for one run.</summary>
internal static class ServeCommand
{
    internal static Command Create(Printer printer)
    {
        Option<int> port = CommandOption.Port("--port", "The port to serve; 0 for any free one.");
        Option<string?> roster = new("--roster")
        {
            Description = "A JSON file that names members and channels; else the roster is the demo's.",
            HelpName = "FILE",
        };
        Option<int> members = CommandOption.Count(
            "--members", "Members of the demo's roster.", 4, (1, DemoCommand.MaxMembers));

        Command command = new("serve", "Serves one run: starts when every member has joined, ends when all have left.")
        {
            port, roster, members,
        };

        command.SetAction((parsed, cancelled) => CommandLine.RunAsync(RunAsync(
            parsed.GetRequiredValue(port),
            parsed.GetValue(roster) is { } path ? RosterFile.Read(path) : FlockRun.Config(parsed.GetValue(members)),
            printer,
            cancelled)));

        return command;
    }

    private static async Task<ExitCode> RunAsync(
        int port, SequencingConfig config, Printer printer, CancellationToken cancelled)
    {
        await Task.Yield();
        return ExitCode.Fine;
    }
}
