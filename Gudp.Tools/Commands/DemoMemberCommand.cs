using System.CommandLine;
using System.Globalization;
using Gudp.Tools.Arguments;
using Gudp.Tools.Demo;

namespace Gudp.Tools.Commands;

/// <summary><c>gudp demo-member</c>: one member of a demo, as a process of its own. Not for users.</summary>
internal static class DemoMemberCommand
{
    private const string Name = "demo-member";
    private const string ServerName = "--server";
    private const string MemberName = "--member";
    private const string MembersName = "--members";
    private const string AgentsName = "--agents";
    private const string StepsName = "--steps";
    private const string SeedName = "--seed";
    private const string PauseName = "--pause";
    private const string ExpendableName = "--expendable";
    private const string SaveName = "--save";
    private const string ResumeName = "--resume";
    private const string DoomedName = "--doomed";

    /// <param name="plan">What is simulated.</param>
    /// <param name="member">Which one.</param>
    /// <param name="port">Where the server, or the relay before it, listens on this machine.</param>
    /// <param name="wishes">What is special about it.</param>
    internal static IEnumerable<string> Arguments(DemoPlan plan, int member, int port, FlockWishes wishes) =>
    [
        Name,
        ServerName, "127.0.0.1:" + Text(port),
        MemberName, Text(member),
        MembersName, Text(plan.Members),
        AgentsName, Text(plan.Agents),
        StepsName, Text(plan.Steps),
        SeedName, plan.Seed.ToString(CultureInfo.InvariantCulture),
        PauseName, Text((int)wishes.Pause.TotalMilliseconds) + "ms",
        .. ExpendableArguments(plan),
        .. wishes.SavePath is { } path ? new[] { SaveName, path } : [],
        .. wishes.Resumes ? new[] { ResumeName } : [],
        .. wishes.IsDoomed ? new[] { DoomedName } : [],
    ];

    /// <summary>For the server too: both must know the same run.</summary>
    internal static IEnumerable<string> ExpendableArguments(DemoPlan plan)
        => plan.Kills is { } kills ? [ExpendableName, Text(kills.Removed)] : [];

    internal static Option<int?> Expendable() => new(ExpendableName)
    {
        Description = "The member the run goes on without if it is lost; the others are waited for.",
        HelpName = "N",
    };

    internal static Command Create()
    {
        Option<HostPort> server = CommandOption.TargetOption(ServerName, "Where the sequence server is.");
        Option<int> member = CommandOption.Count(MemberName, "Which one.", 0, (0, DemoCommand.MaxMembers - 1));
        Option<int> members = CommandOption.Count(MembersName, "Size of the roster.", 1, (1, DemoCommand.MaxMembers));
        Option<int> agents = CommandOption.Count(AgentsName, "Birds in the flock.", 1, (1, FlockModel.MaxAgents));
        Option<int> steps = CommandOption.Count(StepsName, "Steps of the simulation.", 1, (1, DemoCommand.MaxSteps));
        Option<ulong> seed = CommandOption.Seed();
        Option<TimeSpan> pause = CommandOption.Span(PauseName, "How long it sleeps in the middle.", TimeSpan.Zero);

        Option<int?> expendable = Expendable();
        Option<string?> save = new(SaveName) { Description = "Saves every sequence point here.", HelpName = "FILE" };
        Option<bool> resume = new(ResumeName) { Description = "Goes on from what is saved." };
        Option<bool> doomed = new(DoomedName) { Description = "Waits at the last step to be killed." };

        Command command = new(Name)
        {
            server, member, members, agents, steps, seed, pause, expendable, save, resume, doomed,
        };
        command.Hidden = true;

        command.SetAction((parsed, cancelled) =>
        {
            FlockMember flockMember = new()
            {
                Member = parsed.GetValue(member),
                Members = parsed.GetValue(members),
                Agents = parsed.GetValue(agents),
                Steps = parsed.GetValue(steps),
                Seed = parsed.GetValue(seed),
                Expendable = parsed.GetValue(expendable),
                Wishes = new FlockWishes
                {
                    Pause = parsed.GetValue(pause),
                    SavePath = parsed.GetValue(save),
                    Resumes = parsed.GetValue(resume),
                    IsDoomed = parsed.GetValue(doomed),
                },
            };

            return CommandLine.RunAsync(
                flockMember.RunAsync(parsed.GetRequiredValue(server), Console.Out, cancelled));
        });

        return command;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
