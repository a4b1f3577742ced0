using System.Globalization;
using Gudp.Bench.Transport;

namespace Gudp.Bench.Grants;

/// <summary><c>grants [--only NAME] [--members N] [--quick] [--rounds N] [--json F] [--html F] [--markdown F]</c>.</summary>
internal sealed class GrantsCommand
{
    private const string Evaluate = "evaluate";

    private static readonly string[] Parts =
        [GrantCell.Udp, GrantCell.InProcess, GrantCell.Ticks, GrantCell.Phold, Evaluate];

    private readonly List<string> _only = [];
    private readonly ReportFiles _files = new();
    private int _rounds = 5;
    private int _members;
    private TimeSpan _span = TimeSpan.FromSeconds(2);

    /// <summary>Runs what the arguments name; 2: they name something else.</summary>
    internal static int Run(IReadOnlyList<string> arguments, TextWriter log)
    {
        if (arguments is [MemberCommand.Name, ..])
        {
            return MemberCommand.Run([.. arguments.Skip(1)]);
        }

        GrantsCommand command = new();

        if (!command._files.TryRead(arguments, command.TryFlag, command.TryTake))
        {
            log.WriteLine("grants [--only NAME] [--members N] [--quick] [--rounds N] [--json F] [--html F] [--markdown F]");
            log.WriteLine($"NAME: {string.Join(", ", Parts)}");
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
        _span = TimeSpan.FromMilliseconds(200);
        return true;
    }

    private bool TryTake(string name, string value)
    {
        switch (name)
        {
            case "--only" when Parts.Contains(value):
                _only.Add(value);
                return true;
            case "--members":
                return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _members);
            case "--rounds":
                return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _rounds) && _rounds > 0;
            default:
                return false;
        }
    }

    private void Measure(TextWriter log)
    {
        GrantsBench bench = new(_rounds, _span, log);
        GrantsReport former = Former();
        GrantCell[] cells = [.. GrantFloors.Cells.Where(Wants)];
        IReadOnlyList<GrantRow> rows = bench.Rows(cells);
        GrantsReport report = former with
        {
            Rounds = _rounds,
            SpanMs = _span.TotalMilliseconds,
            Processors = Environment.ProcessorCount,
            Rows = [.. GrantFloors.Cells
                .Select(cell => rows.Concat(former.Rows).FirstOrDefault(row => row.Cell == cell))
                .OfType<GrantRow>()],
            Evaluate = Wants(Evaluate) ? bench.Evaluate() : former.Evaluate,
        };
        report = report with { Floors = GrantFloors.Judge(report) };
        _files.Write(report.ToJson, GrantsText.Page(report));
        log.WriteLine();
        log.Write(FloorRow.ToTable(report.Floors).ToMarkdown());
    }

    private bool Wants(GrantCell cell)
        => (_members == 0 || _members == cell.Members) && (Wants(cell.Work) || Wants(cell.Transport));

    private bool Wants(string part) => _only.Count == 0 || _only.Contains(part);

    // What is not measured this time stays as it was.
    private GrantsReport Former()
        => (_only.Count > 0 || _members > 0) && _files.FormerJson() is { } json ? GrantsReport.Parse(json) : new GrantsReport();
}
