using System.Globalization;
using Gudp.Bench.Transport;
using Gudp.Messaging;

namespace Gudp.Bench.Messages;

/// <summary>
/// <c>messages [--only NAME] [--mode MODE] [--bytes N] [--quick] [--rounds N] [--json F] [--html F] [--markdown F]</c>.
/// </summary>
internal sealed class MessagesCommand
{
    private static readonly string[] Parts = ["streams", "lanes", "repeats"];

    private readonly List<string> _only = [];
    private readonly List<LaneMode> _modes = [];
    private readonly List<int> _sizes = [];
    private readonly ReportFiles _files = new();
    private int _rounds = 5;
    private TimeSpan _span = TimeSpan.FromMilliseconds(600);

    /// <summary>Runs what the arguments name; 2: they name something else.</summary>
    internal static int Run(IReadOnlyList<string> arguments, TextWriter log)
    {
        MessagesCommand command = new();

        if (!command._files.TryRead(arguments, command.TryFlag, command.TryTake))
        {
            log.WriteLine("messages [--only NAME] [--mode MODE] [--bytes N] [--quick] [--rounds N]");
            log.WriteLine("         [--json F] [--html F] [--markdown F]");
            log.WriteLine($"NAME: {string.Join(", ", Parts)}");
            log.WriteLine($"MODE: {string.Join(", ", StreamCells.Modes)}");
            log.WriteLine($"bytes: {string.Join(", ", StreamCells.Sizes)}");
            return 2;
        }

        command.Measure(log);
        return 0;
    }

    private bool TryFlag(string name)
    {
        if (name != "--quick")
        {
            return false;
        }

        _rounds = 1;
        _span = TimeSpan.FromMilliseconds(100);
        return true;
    }

    private bool TryTake(string name, string value)
    {
        switch (name)
        {
            case "--only" when Parts.Contains(value):
                _only.Add(value);
                return true;
            case "--mode" when Enum.TryParse(value, out LaneMode mode) && StreamCells.Modes.Contains(mode):
                _modes.Add(mode);
                return true;
            case "--bytes" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int bytes)
                && StreamCells.Sizes.Contains(bytes):
                _sizes.Add(bytes);
                return true;
            case "--rounds":
                return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _rounds) && _rounds > 0;
            default:
                return false;
        }
    }

    private void Measure(TextWriter log)
    {
        IReadOnlyCollection<LaneMode> modes = _modes.Count > 0 ? _modes : [.. StreamCells.Modes];
        IReadOnlyCollection<int> sizes = _sizes.Count > 0 ? _sizes : StreamCells.Sizes;
        MessagesBench bench = new(_rounds, _span, modes, sizes, log);
        MessagesReport report = Former();
        report = report with
        {
            Rounds = _rounds,
            SpanMs = _span.TotalMilliseconds,
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
        _files.Write(report.ToJson, MessagesText.Page(report));
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

    private bool Wants(string part) => _only.Count == 0 || _only.Contains(part);

    // What is not measured this time stays as it was.
    private MessagesReport Former()
        => _only.Count + _modes.Count + _sizes.Count > 0 && _files.FormerJson() is { } json
            ? MessagesReport.Parse(json)
            : new MessagesReport();
}
