using System.Text;
using Gudp.Bench.Transport;
using Gudp.Messaging;
using Gudp.Tools.Charts;

namespace Gudp.Bench.Messages;

/// <summary>The report for people: an HTML page with charts, a Markdown file with the same tables.</summary>
internal static class MessagesText
{
    internal const string Command = "dotnet run -c Release --project Gudp.Bench -- messages";

    private const string Title = "Message measurements";

    private const string Intro =
        "The streams and the lanes are measured on real sockets over the loopback of one machine, so they depend "
        + "on it and on what else runs there; the repeats in the simulator, so they do not. Every figure is the "
        + "median of the rounds, \"least to most\" their range.";

    private const string StreamNote =
        "One process, two daemons with a thread each, a thread that sends all it may and one that takes messages "
        + "in place; the default config with packets of at most 1,452 bytes. Per message sent: processor time (CPU "
        + "us) is that of all threads of both ends. Allocated bytes are those of the whole process, read in three "
        + "parts of each round once every queue was full and nothing was allocated for a while: their median is what "
        + "a message costs, the most what grew or was made once. Arrived is relative to what was sent in the measured "
        + "time: on a sequenced lane a newer message takes the place of older ones, on an unreliable one nothing lost "
        + "is sent again. The receiver checks each message's content, and the order and completeness its mode "
        + "promises; with receipts, the sender insists on one update for "
        + "each message.";

    private const string OverheadNote =
        "Bytes of UDP payload, without receipts, beside what wire.md says for full packets. The head of a packet "
        + "holds the acks that ride along and Core's other frames too. Packets that are not full, content sent "
        + "again and probes for larger packets make the counted figure per message larger; numbers shorter than "
        + "four bytes make it smaller. Of a sequenced reliable lane few messages reach the wire, so nothing is "
        + "said. What is returned are the receiver's packets: acks, credit and confirmations.";

    private const string LanesNote =
        "Processor time per message sent, both ends. One thread drives both through real sockets, without pacing. "
        + "All 64 lanes used in turn, message by message; and one lane while 63 others are open, used before and "
        + "idle now.";

    private const string RepeatsNote =
        "A message of 200 bytes 60 times a second for a minute over 50 ms, Lockstep preset, in virtual time; each "
        + "sent again in that many later packets before anything is known lost. From TrySend to the reader, of the "
        + "messages that arrived.";

    private const string Schema = """
        ## The JSON file

        `messages.json` holds what the tables show. `schema` is 1; `rounds` is how many runs a figure is the median of,
        `spanMs` how long a stream was measured, `processors` what the machine had. A *spread* is
        `{ "median", "least", "most" }`; -1 stands for "not measured". `allocatedBytes` is one of three parts of each run.

        - `streams[]`: `mode`, `bytes`, `receipts` (Off, Received, Taken); spreads `messagesPerSecond`, `arrivedPercent`,
          `processorMicroseconds`, `allocatedBytes`, `packetOverheadBytes`, `messageOverheadBytes`, `returnBytes`
        - `lanes[]`: `mode`, `bytes`; spreads `oneLane`, `manyLanes`, `oneOfMany` (microseconds), `ratio`, `idleRatio`
        - `repeats[]`: `mode`, `repeats`, `lossPercent`; spreads `p50Ms`, `p99Ms`, `mostMs`, `wireBytes`, `arrivedPercent`
        - `floors[]`: `id`, `work`, `value`, `bound`, `isLeast`, `passed`: computed from the rest by `MessageFloors`, which
          a test does again

        """;

    internal static string ToMarkdown(MessagesReport report)
    {
        StringBuilder text = new();
        text.Append($"# {Title}\n\nMade by\n\n```\n{Command} --json docs/measurements/messages.json ")
            .Append("--html docs/measurements/messages.html --markdown docs/measurements/messages.md\n```\n\n")
            .Append("with charts in [messages.html](messages.html). `--only NAME` measures one part anew and keeps the rest ")
            .Append("of the JSON file; names:\nstreams, lanes, repeats. So do `--mode MODE` and `--bytes N`; ")
            .Append("`--quick` tells little.\n\n")
            .Append(Schema.ReplaceLineEndings("\n"))
            .Append($"## Floors\n\n{ReportText.Wrap(Intro)}\n\n{RoundsOf(report)}\n\n")
            .Append(FloorRow.ToTable(report.Floors).ToMarkdown());

        foreach ((string heading, string note, PageTable table, _) in Sections(report))
        {
            text.Append($"\n## {heading}\n\n");

            if (note.Length > 0)
            {
                text.Append(ReportText.Wrap(note)).Append("\n\n");
            }

            text.Append(table.ToMarkdown());
        }

        return text.ToString();
    }

    internal static string ToHtml(MessagesReport report)
    {
        HtmlPage page = new(Title + " of Gudp");
        page.Paragraph(Intro);
        page.Paragraph($"{RoundsOf(report)} Made by");
        page.Command(Command);
        page.Heading("Floors");
        page.Table(FloorRow.ToTable(report.Floors));

        foreach ((string heading, string note, PageTable table, IReadOnlyList<IChart> charts) in Sections(report))
        {
            page.Heading(heading);

            if (note.Length > 0)
            {
                page.Paragraph(note);
            }

            page.Charts(charts);
            page.Table(table);
        }

        return page.ToHtml();
    }

    private static string RoundsOf(MessagesReport report)
        => FormattableString.Invariant(
            $"Rounds: {report.Rounds}, of {report.SpanMs} ms a stream, on {report.Processors} processors.");

    private static IEnumerable<(string Heading, string Note, PageTable Table, IReadOnlyList<IChart> Charts)> Sections(
        MessagesReport report)
    {
        string note = StreamNote;

        foreach (LaneMode mode in StreamCells.Modes)
        {
            IChart[] charts = [MessagesCharts.Rates(report, mode)];
            yield return ($"Streams, {MessagesTables.NameOf(mode)}", note, MessagesTables.Streams(report, mode), charts);
            note = "";
        }

        yield return ("Overhead", OverheadNote, MessagesTables.Overhead(report), []);
        yield return (
            "One lane against 64", LanesNote, MessagesTables.Lanes(report), [MessagesCharts.Lanes(report)]);
        yield return (
            "Small messages at 60 Hz, with repeats (P14)",
            RepeatsNote,
            MessagesTables.Repeats(report),
            [MessagesCharts.Repeats(report)]);
    }
}
