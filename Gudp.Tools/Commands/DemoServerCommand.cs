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

    private const string RecordName = "--record";

    /// <param name="plan">What is simulated.</param>
    /// <param name="record">Where the run is recorded; null: nowhere.</param>
    internal static IEnumerable<string> Arguments(DemoPlan plan, string? record)
    {
        List<string> arguments = [Name, MembersName, plan.Members.ToString(CultureInfo.InvariantCulture)];
        arguments.AddRange(DemoMemberCommand.ExpendableArguments(plan));

        if (record is not null)
        {
            arguments.AddRange([RecordName, record]);
        }

        return arguments;
    }

    internal static Command Create()
    {
        Option<int> members = CommandOption.Count(MembersName, "Size of the roster.", 1, (1, DemoCommand.MaxMembers));
        Option<int?> expendable = DemoMemberCommand.Expendable();
        Option<string?> record = new(RecordName) { Description = "Records the run into this file.", HelpName = "FILE" };
        Command command = new(Name) { members, expendable, record };
        command.Hidden = true;

        command.SetAction((parsed, cancelled) => CommandLine.RunAsync(FlockServer.RunAsync(
            parsed.GetValue(members), parsed.GetValue(expendable), parsed.GetValue(record), Console.Out, cancelled)));

        return command;
    }
}
