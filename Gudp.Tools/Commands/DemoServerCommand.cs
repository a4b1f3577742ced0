using System.CommandLine;
using System.Globalization;
using Gudp.Tools.Arguments;
using Gudp.Tools.Demo;

namespace Gudp.Tools.Commands;

/// <summary><c>gudp demo-server</c>: the sequence server of a demo, as a process of its own. Not for users.</summary>
internal static class DemoServerCommand
{
    private const string Name = "demo-server";
    private const string MembersName = "--members";

    internal static IEnumerable<string> Arguments(DemoPlan plan)
        => [Name, MembersName, plan.Members.ToString(CultureInfo.InvariantCulture)];

    internal static Command Create()
    {
        Option<int> members = CommandOption.Count(MembersName, "Size of the roster.", 1, (1, DemoCommand.MaxMembers));
        Command command = new(Name) { members };
        command.Hidden = true;

        command.SetAction((parsed, cancelled) => CommandLine.RunAsync(
            FlockServer.RunAsync(parsed.GetValue(members), Console.Out, cancelled)));

        return command;
    }
}
