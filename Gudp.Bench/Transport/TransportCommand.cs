namespace Gudp.Bench.Transport;

/// <summary><c>transport [--only NAME] [--seeds N] [--relay] [--json F] [--html F] [--markdown F]</c>.</summary>
internal sealed class TransportCommand
{
    private const string RelayPart = "relay";
    private const int MostSeeds = 1_000;

    private static readonly string[] Parts = ["grid", "longfat", "fairness", "ticks", "speed"];

    private readonly ReportChoices _choices = new([.. Parts, RelayPart]);
    private int _seeds = 5;
    private bool _withRelay;

    /// <summary>Runs what the arguments name; 2: they name something else.</summary>
    internal static int Run(IReadOnlyList<string> arguments, TextWriter log)
    {
        TransportCommand command = new();
        BenchArguments options = new("transport");
        command._choices.AddTo(options);
        options.Count("--seeds", (1, MostSeeds), seeds => command._seeds = seeds)
            .Flag("--relay", () => command._withRelay = true);

        if (!ReportChoices.TryRead(options, arguments, log))
        {
            return 2;
        }

        command.Measure(log);
        return 0;
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
        _choices.Files.Write(report.ToJson, ReportText.Page(report));
        log.WriteLine();
        log.Write(FloorRow.ToTable(report.Floors).ToMarkdown());
    }

    private bool Wants(string part)
        => _choices.IsPart ? _choices.Wants(part) : part != RelayPart || _withRelay;

    // What is not measured this time stays as it was.
    private TransportReport Former()
    {
        bool isKept = _choices.IsPart || !_withRelay;
        return isKept && _choices.Files.FormerJson() is { } json ? TransportReport.Parse(json) : new TransportReport();
    }
}
