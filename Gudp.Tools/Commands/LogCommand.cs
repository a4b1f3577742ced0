using System.CommandLine;
using System.Globalization;
using Gudp.Sequencing;
using Gudp.Tools.Arguments;
using Gudp.Tools.Network;
using Gudp.Tools.Output;
using Gudp.Tools.Picture;

namespace Gudp.Tools.Commands;

/// <summary>
/// <c>gudp log HOST:PORT | FILE</c>: the sealed log of a run as it is served, or a run record; and a record as a picture.
/// </summary>
internal static class LogCommand
{
    private const long MostNumber = (1L << 62) - 1;
    private const string FromForm = "a number such as 120, or a tag with its round, such as 5,0";

    internal static Command Create(Printer printer)
    {
        Argument<string> source = new("HOST:PORT|FILE") { Description = "A sequence server, or a run record." };
        Option<bool> follow = new("--follow") { Description = "Goes on as the run does, until it ends; servers only." };
        Option<string?> from = new("--from")
        {
            Description = $"Where to begin: {FromForm}. Of a record 120 is a tag too.",
            HelpName = "N|TAG",
        };
        Option<Tag?> to = CommandOption.OptionalTag("--to", "The last tag; else the end.");
        Option<string?> channel = new("--channel") { Description = "Only messages of this one.", HelpName = "NAME" };
        Option<bool> json = new("--json") { Description = "Prints each entry as a line of JSON." };
        Option<string?> html = new("--html")
        {
            Description = "Draws a record as a sequence diagram into this file.",
            HelpName = "OUT",
        };
        Command command = new("log", "Prints what was published in a run, or draws a recorded one.")
        {
            source, follow, from, to, channel, json, html,
        };
        command.SetAction((parsed, cancelled) => CommandLine.RunAsync(RunAsync(
            parsed.GetRequiredValue(source),
            new LogWishes(
                parsed.GetValue(follow), parsed.GetValue(from), parsed.GetValue(to), parsed.GetValue(channel),
                parsed.GetValue(json), parsed.GetValue(html)),
            printer,
            cancelled)));
        return command;
    }

    private static async Task<ExitCode> RunAsync(
        string source, LogWishes wishes, Printer printer, CancellationToken cancelled)
    {
        if (File.Exists(source))
        {
            return OfFile(source, wishes, printer);
        }

        if (wishes.Html is not null)
        {
            throw new CommandFailure(
                ExitCode.Usage, $"'{source}' is no file; a picture is drawn from a record (gudp serve --record FILE).");
        }

        if (!HostPort.TryParse(source, out HostPort? target, out string problem) || target is null)
        {
            throw new CommandFailure(ExitCode.Usage, $"There is no file '{source}'. {problem}");
        }

        return await OfServerAsync(target, wishes, printer, cancelled).ConfigureAwait(false);
    }

    private static ExitCode OfFile(string path, LogWishes wishes, Printer printer)
    {
        if (wishes.Follow)
        {
            throw new CommandFailure(ExitCode.Usage, "A record does not go on; --follow is for a server.");
        }

        try
        {
            using RunRecord record = RunRecord.Open(path);
            TagRange range = new(wishes.From is null ? null : TagOf(wishes.From), wishes.To);

            if (wishes.Html is string html)
            {
                string page = RunPage.Draw(record, Path.GetFileName(path), range, wishes.Channel);
                File.WriteAllText(html, page);
                printer.Line($"{Units.Count(record.Grants)} grants of {record.Members.Count} members: {html}");
                return ExitCode.Fine;
            }

            LogText.Print(record, range, wishes, printer);
            return ExitCode.Fine;
        }
        catch (RunRecordException failure)
        {
            throw new CommandFailure(ExitCode.Usage, $"'{path}' cannot be read: {failure.Message}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandFailure(ExitCode.Usage, failure.Message);
        }
    }

    private static async Task<ExitCode> OfServerAsync(
        HostPort target, LogWishes wishes, Printer printer, CancellationToken cancelled)
    {
        HistoryStart from = wishes.From is null ? HistoryStart.FromNumber(0)
            : long.TryParse(wishes.From, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
                && number <= MostNumber
                ? HistoryStart.FromNumber(number)
                : HistoryStart.Since(TagOf(wishes.From));
        using DialedPeer dialed = await DialedPeer
            .ConnectAsync(target, ToolConfig.Lockstep, cancelled)
            .ConfigureAwait(false);
        using SequenceReader reader = SequenceReader.Over(dialed.Peer, from);

        try
        {
            await ReadAsync(reader, wishes, printer, cancelled).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (wishes.Follow)
        {
            // Ctrl-C is how following ends.
        }

        return ExitCode.Fine;
    }

    private static async Task ReadAsync(
        SequenceReader reader, LogWishes wishes, Printer printer, CancellationToken cancelled)
    {
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        late.CancelAfter(TimeSpan.FromSeconds(5));
        long? end = null;

        while (true)
        {
            // Without --follow: what was final when it began. Nothing at all comes as a heartbeat.
            end ??= reader.Next > 0 ? reader.Next : null;

            if (!wishes.Follow && end is long stop && (reader.Position >= stop || stop <= 1))
            {
                while (reader.TryRead(out LogRead rest) && LogText.Print(rest, wishes, printer))
                {
                }

                return;
            }

            LogRead? read = await NextAsync(reader, end is null ? late.Token : cancelled).ConfigureAwait(false);

            if (read is LogRead one && !LogText.Print(one, wishes, printer))
            {
                return;
            }
        }
    }

    // Short waits, because how far the log is may come without a message.
    private static async Task<LogRead?> NextAsync(SequenceReader reader, CancellationToken cancelled)
    {
        using CancellationTokenSource whole = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        whole.CancelAfter(TimeSpan.FromMilliseconds(50));

        try
        {
            return await reader.ReadAsync(whole.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancelled.IsCancellationRequested)
        {
            return null;
        }
    }

    private static Tag TagOf(string text)
        => TagText.TryParse(text, out Tag tag)
            ? tag
            : throw new CommandFailure(ExitCode.Usage, $"'{text}' is not {FromForm}.");
}

/// <summary>What of a log is wanted, and how.</summary>
internal sealed record LogWishes(bool Follow, string? From, Tag? To, string? Channel, bool Json, string? Html);
