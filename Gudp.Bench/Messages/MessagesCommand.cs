using Gudp.Bench.Transport;
using Gudp.Messaging;

namespace Gudp.Bench.Messages;

/// <summary>
/// <c>messages [--only NAME] [--mode MODE] [--bytes N] [--quick] [--rounds N] [--json F] [--html F] [--markdown F]</c>.
/// </summary>
internal sealed class MessagesCommand
{
    private const int Rounds = 5;

    private static readonly string[] Parts = ["streams", "lanes", "repeats"];
    private static readonly TimeSpan Span = TimeSpan.FromMilliseconds(600);
    private static readonly TimeSpan QuickSpan = TimeSpan.FromMilliseconds(100);

    private readonly ReportChoices _choices = new(Parts);
    private readonly List<LaneMode> _modes = [];
    private readonly List<int> _sizes = [];

    /// <summary>Runs what the arguments name; 2: they name something else.</summary>
    internal static int Run(IReadOnlyList<string> arguments, TextWriter log)
    {
        MessagesCommand command = new();
        BenchArguments options = new("messages");
        command._choices.AddTo(options);
        command._choices.AddRoundsTo(options);
        options
            .Name(
                "--mode",
                StreamCells.Modes.Select(mode => mode.ToString()),
                mode => command._modes.Add(Enum.Parse<LaneMode>(mode)))
            .Name(
                "--bytes",
                StreamCells.Sizes.Select(TextOf),
                bytes => command._sizes.Add(StreamCells.Sizes.Single(size => TextOf(size) == bytes)));

        if (!ReportChoices.TryRead(options, arguments, log))
        {
            return 2;
        }

        command.Measure(log);
        return 0;
    }

    private static string TextOf(int bytes) => FormattableString.Invariant($"{bytes}");

    private void Measure(TextWriter log)
    {
        IReadOnlyCollection<LaneMode> modes = _modes.Count > 0 ? _modes : [.. StreamCells.Modes];
        IReadOnlyCollection<int> sizes = _sizes.Count > 0 ? _sizes : StreamCells.Sizes;
        int rounds = _choices.Rounds > 0 ? _choices.Rounds : _choices.IsQuick ? 1 : Rounds;
        TimeSpan span = _choices.IsQuick ? QuickSpan : Span;
        MessagesBench bench = new(rounds, span, modes, sizes, log);
        MessagesReport report = Former();
        report = report with
        {
            Rounds = rounds,
            SpanMs = span.TotalMilliseconds,
            Processors = Environment.ProcessorCount,
            Streams = Wants("streams")
                ? Join(report.Streams, bench.Streams(), row => (row.Mode, row.Bytes, row.Receipts))
                : report.Streams,
            Lanes = Wants("lanes")
                ? Join(report.Lanes, bench.Lanes(), row => (row.Mode, row.Bytes))
                : report.Lanes,
            Repeats = Wants("repeats") ? bench.Repeats() : report.Repeats,
        };
        report = report with { Floors = MessageFloors.Judge(report) };
        _choices.Files.Write(report.ToJson, MessagesText.Page(report));
        log.WriteLine();
        log.Write(FloorRow.ToTable(report.Floors).ToMarkdown());
    }

    // In the order of the cells; of each cell the newer row.
    private static IReadOnlyList<T> Join<T, TCell>(
        IReadOnlyList<T> former, IReadOnlyList<T> newer, Func<T, TCell> cellOf)
    {
        HashSet<TCell> measured = [.. newer.Select(cellOf)];
        return [.. former.Where(row => !measured.Contains(cellOf(row))).Concat(newer).OrderBy(cellOf)];
    }

    private bool Wants(string part) => _choices.Wants(part);

    // What is not measured this time stays as it was.
    private MessagesReport Former()
        => (_choices.IsPart || _modes.Count + _sizes.Count > 0) && _choices.Files.FormerJson() is { } json
            ? MessagesReport.Parse(json)
            : new MessagesReport();
}
