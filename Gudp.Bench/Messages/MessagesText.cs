using Gudp.Bench.Transport;
using Gudp.Messaging;
using Gudp.Tools.Charts;

namespace Gudp.Bench.Messages;

/// <summary>What the report for people says.</summary>
internal static class MessagesText
{
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

    internal static ReportPage Page(MessagesReport report) => new("messages", Title)
    {
        Usage = "`--only NAME` measures one part anew and keeps the rest of the JSON file; names:\n"
            + "streams, lanes, repeats. So do `--mode MODE` and `--bytes N`; `--quick` tells little.",
        Schema = Schema,
        Intro = Intro,
        Runs = FormattableString.Invariant(
            $"Rounds: {report.Rounds}, of {report.SpanMs} ms a stream, on {report.Processors} processors."),
        Floors = report.Floors,
        Sections = Sections(report),
    };

    private static IEnumerable<ReportSection> Sections(MessagesReport report)
    {
        string note = StreamNote;

        foreach (LaneMode mode in StreamCells.Modes)
        {
            IChart[] charts = [MessagesCharts.Rates(report, mode)];
            yield return new ReportSection(
                $"Streams, {MessagesTables.NameOf(mode)}", note, MessagesTables.Streams(report, mode), charts);
            note = "";
        }

        yield return new ReportSection("Overhead", OverheadNote, MessagesTables.Overhead(report), []);
        yield return new ReportSection(
            "One lane against 64", LanesNote, MessagesTables.Lanes(report), [MessagesCharts.Lanes(report)]);
        yield return new ReportSection(
            "Small messages at 60 Hz, with repeats (P14)",
            RepeatsNote,
            MessagesTables.Repeats(report),
            [MessagesCharts.Repeats(report)]);
    }
}
