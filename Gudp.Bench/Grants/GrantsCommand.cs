using Gudp.Bench.Transport;

namespace Gudp.Bench.Grants;

/// <summary><c>grants [--only NAME] [--members N] [--quick] [--rounds N] [--json F] [--html F] [--markdown F]</c>.</summary>
internal sealed class GrantsCommand
{
    private const string Evaluate = "evaluate";
    private const int Rounds = 5;
    private const int MostMembers = 1_000;

    private static readonly string[] Parts =
        [GrantCell.Udp, GrantCell.InProcess, GrantCell.Ticks, GrantCell.Phold, Evaluate];

    private static readonly TimeSpan Span = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan QuickSpan = TimeSpan.FromMilliseconds(200);

    private readonly ReportChoices _choices = new(Parts);
    private int _members;

    /// <summary>Runs what the arguments name; 2: they name something else.</summary>
    internal static int Run(IReadOnlyList<string> arguments, TextWriter log)
    {
        if (arguments is [MemberCommand.Name, ..])
        {
            return MemberCommand.Run([.. arguments.Skip(1)]);
        }

        GrantsCommand command = new();
        BenchArguments options = new("grants");
        command._choices.AddTo(options);
        command._choices.AddRoundsTo(options);
        options.Count("--members", (1, MostMembers), members => command._members = members);

        if (!ReportChoices.TryRead(options, arguments, log))
        {
            return 2;
        }

        command.Measure(log);
        return 0;
    }

    private void Measure(TextWriter log)
    {
        int rounds = _choices.Rounds > 0 ? _choices.Rounds : _choices.IsQuick ? 1 : Rounds;
        TimeSpan span = _choices.IsQuick ? QuickSpan : Span;
        GrantsBench bench = new(rounds, span, log);
        GrantsReport former = Former();
        GrantCell[] cells = [.. GrantFloors.Cells.Where(Wants)];
        IReadOnlyList<GrantRow> rows = bench.Rows(cells);
        GrantsReport report = former with
        {
            Rounds = rounds,
            SpanMs = span.TotalMilliseconds,
            Processors = Environment.ProcessorCount,
            Rows = [.. GrantFloors.Cells
                .Select(cell => rows.Concat(former.Rows).FirstOrDefault(row => row.Cell == cell))
                .OfType<GrantRow>()],
            Evaluate = Wants(Evaluate) ? bench.Evaluate() : former.Evaluate,
        };
        report = report with { Floors = GrantFloors.Judge(report) };
        _choices.Files.Write(report.ToJson, GrantsText.Page(report));
        log.WriteLine();
        log.Write(FloorRow.ToTable(report.Floors).ToMarkdown());
    }

    private bool Wants(GrantCell cell)
        => (_members == 0 || _members == cell.Members) && (Wants(cell.Work) || Wants(cell.Transport));

    private bool Wants(string part) => _choices.Wants(part);

    // What is not measured this time stays as it was.
    private GrantsReport Former()
        => (_choices.IsPart || _members > 0) && _choices.Files.FormerJson() is { } json ? GrantsReport.Parse(json) : new GrantsReport();
}
