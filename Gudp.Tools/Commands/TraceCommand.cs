using System.CommandLine;
using Gudp.Tools.Output;
using Gudp.Tools.Trace;

namespace Gudp.Tools.Commands;

/// <summary><c>gudp trace view|summary</c>.</summary>
internal static class TraceCommand
{
    internal static Command Create(Printer printer) => new("trace", "Looks at packet traces (option --trace).")
    {
        View(printer), Summary(printer),
    };

    /// <summary>For commands with connections of their own.</summary>
    internal static Option<string?> Option() => new("--trace")
    {
        Description = "Writes a packet trace into this directory; see 'gudp trace'.",
        HelpName = "DIR",
    };

    private static Command View(Printer printer)
    {
        Argument<string> file = File();
        Option<string> html = new("--html") { Description = "The page to write.", HelpName = "OUT", Required = true };
        Option<string?> connection = new("--connection")
        {
            Description = "Which one; without it, the one with most packets.",
            HelpName = "ID",
        };
        Command command = new("view", "Draws a connection: time and sequence, window, round trips.")
        {
            file, html, connection,
        };
        command.SetAction(parsed => (int)View(
            parsed.GetRequiredValue(file), parsed.GetRequiredValue(html), parsed.GetValue(connection), printer));
        return command;
    }

    private static Command Summary(Printer printer)
    {
        Argument<string> file = File();
        Command command = new("summary", "Counts what each connection did.") { file };
        command.SetAction(parsed => (int)Summary(parsed.GetRequiredValue(file), printer));
        return command;
    }

    private static Argument<string> File() => new("FILE") { Description = "A trace; its name ends with .sqlog." };

    private static ExitCode View(string file, string html, string? connection, Printer printer)
    {
        TraceContent trace = Read(file, printer);
        IReadOnlyList<TraceSummary> all = TraceSummary.Of(trace);
        TraceSummary? chosen = connection is null
            ? all.Count > 0 ? all[0] : null
            : all.FirstOrDefault(one => one.Connection.Equals(connection, StringComparison.OrdinalIgnoreCase));

        if (chosen is null)
        {
            string known = string.Join(", ", all.Select(one => one.Connection));
            throw new CommandFailure(ExitCode.Usage, connection is null
                ? $"'{file}' holds no connection."
                : $"'{file}' holds no connection {connection}; it holds {known}.");
        }

        try
        {
            System.IO.File.WriteAllText(html, TracePage.Draw(chosen, trace.Title));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandFailure(ExitCode.Usage, $"'{html}' cannot be written: {failure.Message}");
        }

        printer.Line($"connection {chosen.Connection}, {chosen.Events.Count} events: {html}");
        return ExitCode.Fine;
    }

    private static ExitCode Summary(string file, Printer printer)
    {
        TraceContent trace = Read(file, printer);
        printer.Table(TraceSummary.Table(TraceSummary.Of(trace)));
        long strangers = trace.Events.Count(one => one.Connection.Length == 0 && one.Name == "quic:packet_dropped");

        if (strangers > 0)
        {
            printer.Line($"{strangers} datagrams of no connection were dropped");
        }

        return ExitCode.Fine;
    }

    private static TraceContent Read(string file, Printer printer)
    {
        TraceContent trace = TraceReader.ReadFile(file);
        long missing = trace.Events.Where(one => one.Name == "gudp:events_lost").Sum(one => one.Count);

        if (missing > 0)
        {
            printer.Line($"{missing} events are missing: the disk was too slow, or the file was full");
        }

        if (trace.IsCut)
        {
            printer.Line("the end is missing: the program did not close the file");
        }

        return trace;
    }
}
