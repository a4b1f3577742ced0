using System.Globalization;

namespace Gudp.Bench.Transport;

/// <summary><c>transport [--only NAME] [--seeds N] [--relay] [--json F] [--html F] [--markdown F]</c>.</summary>
internal sealed class TransportCommand
{
    private const string RelayPart = "relay";

    private static readonly string[] Parts = ["grid", "longfat", "fairness", "ticks", "speed"];

    private readonly List<string> _only = [];
    private readonly ReportFiles _files = new();
    private int _seeds = 5;
    private bool _withRelay;

    /// <summary>Runs what the arguments name; 2: they name something else.</summary>
    internal static int Run(IReadOnlyList<string> arguments, TextWriter log)
    {
        TransportCommand command = new();

        if (!command._files.TryRead(arguments, command.TryFlag, command.TryTake))
        {
            log.WriteLine("transport [--only NAME] [--seeds N] [--relay] [--json F] [--html F] [--markdown F]");
            log.WriteLine($"NAME: {string.Join(", ", Parts)}, {RelayPart}");
            return 2;
        }

        command.Measure(log);
        return 0;
    }

    private bool TryFlag(string name)
    {
        if (name != "--relay")
        {
            return false;
        }

        _withRelay = true;
        return true;
    }

    private bool TryTake(string name, string value)
    {
        switch (name)
        {
            case "--only" when Parts.Contains(value) || value == RelayPart:
                _only.Add(value);
                return true;
            case "--seeds":
                return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _seeds) && _seeds > 0;
            default:
                return false;
        }
    }

    private void Measure(TextWriter log)
    {
        TransportBench bench = new(_seeds, log);
        TransportReport report = Former() with { Seeds = _seeds };
        IReadOnlyList<TransferRow> others = report.Transfers;

        if (Wants("grid"))
        {
            others = [.. bench.Grid(), .. others.Where(row => row.Group == TransferRow.LongFat)];
        }

        if (Wants("longfat"))
        {
            others = [.. others.Where(row => row.Group != TransferRow.LongFat), .. bench.LongFat()];
        }

        report = report with
        {
            Transfers = others,
            Fairness = Wants("fairness") ? bench.Fairness() : report.Fairness,
            Ticks = Wants("ticks") ? bench.Ticks() : report.Ticks,
            Speed = Wants("speed") ? bench.Speed() : report.Speed,
            Relay = Wants(RelayPart) ? RelayRun.Run(bench, log) : report.Relay,
        };
        report = report with { Floors = FloorJudge.Judge(report) };
        _files.Write(report.ToJson, ReportText.Page(report));
        log.WriteLine();
        log.Write(FloorRow.ToTable(report.Floors).ToMarkdown());
    }

    private bool Wants(string part)
        => _only.Count > 0 ? _only.Contains(part) : part != RelayPart || _withRelay;

    // What is not measured this time stays as it was.
    private TransportReport Former()
    {
        bool isKept = _only.Count > 0 || !_withRelay;
        return isKept && _files.FormerJson() is { } json ? TransportReport.Parse(json) : new TransportReport();
    }
}
