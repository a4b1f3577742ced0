using System.CommandLine;
using System.Text;
using Gudp.Sequencing;
using Gudp.Tools.Output;

namespace Gudp.Tools.Commands;

/// <summary>
/// <c>gudp diff A B</c>: the first grant and message in which two records of a run differ. Exit code 0 if they are
/// equal, 1 if they differ, 2 if one cannot be read.
/// </summary>
internal static class DiffCommand
{
    internal static Command Create(Printer printer)
    {
        Argument<string> left = new("A") { Description = "A run record." };
        Argument<string> right = new("B") { Description = "The other one." };
        Option<string?> report = new("--report")
        {
            Description = "Writes the desync report into this file if the runs differ.",
            HelpName = "FILE",
        };
        Option<bool> json = new("--json") { Description = "Prints the report instead of the summary." };
        Option<bool> ties = new("--ties")
        {
            Description = "The runs had different tie seeds: compares what members did, not what they were given.",
        };
        Command command = new("diff", "Names the first difference of two runs; exit code 1 if there is one.")
        {
            left, right, report, json, ties,
        };
        command.SetAction(parsed => (int)Run(
            parsed.GetRequiredValue(left),
            parsed.GetRequiredValue(right),
            new Wishes(parsed.GetValue(report), parsed.GetValue(json), parsed.GetValue(ties)),
            printer));
        return command;
    }

    private static ExitCode Run(string left, string right, Wishes wishes, Printer printer)
    {
        using RunRecord a = Open(left);
        using RunRecord b = Open(right);
        RunDifference difference = Compare(a, b, wishes.Ties);

        if (wishes.Report is { } path && !difference.IsEqual)
        {
            Write(difference, path);
        }

        IEnumerable<string> lines = wishes.Json ? LinesOf(difference) : difference.Summary;

        foreach (string line in lines)
        {
            printer.Line(line);
        }

        return difference.IsEqual ? ExitCode.Fine : ExitCode.CheckFailed;
    }

    private static RunRecord Open(string path)
    {
        try
        {
            return RunRecord.Open(path);
        }
        catch (RunRecordException failure)
        {
            throw new CommandFailure(ExitCode.Usage, $"'{path}' cannot be compared: {failure.Message}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandFailure(ExitCode.Usage, $"'{path}' cannot be read: {failure.Message}");
        }
    }

    private static RunDifference Compare(RunRecord left, RunRecord right, bool ties)
    {
        try
        {
            return ties ? RunDifference.BetweenTieSeeds(left, right) : RunDifference.Between(left, right);
        }
        catch (RunRecordException failure)
        {
            throw new CommandFailure(ExitCode.Usage, failure.Message);
        }
    }

    private static void Write(RunDifference difference, string path)
    {
        try
        {
            using FileStream file = File.Create(path);
            difference.WriteReport(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandFailure(ExitCode.Usage, $"'{path}' cannot be written: {failure.Message}");
        }
    }

    private static string[] LinesOf(RunDifference difference)
    {
        using MemoryStream text = new();
        difference.WriteReport(text);
        return Encoding.UTF8.GetString(text.ToArray()).Split('\n');
    }

    private readonly record struct Wishes(string? Report, bool Json, bool Ties);
}
