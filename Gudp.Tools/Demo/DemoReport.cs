using System.Globalization;
using Gudp.Sequencing;
using Gudp.Tools.Charts;
using Gudp.Tools.Output;

namespace Gudp.Tools.Demo;

/// <summary>One run with the server's record of it.</summary>
internal readonly record struct RecordedDemoRun(DemoRunResult Result, RunRecord Record);

/// <summary>
/// A demo as a page of its own: what the runs had in common, where the birds flew, and how long each step took and who
/// was waited for. Everything comes from the records and from what the members reported.
/// </summary>
internal sealed class DemoReport
{
    private const int SlowestSteps = 5;

    private readonly DemoPlan _plan;
    private readonly DemoFindings _findings;
    private readonly IReadOnlyList<Chapter> _chapters;

    private DemoReport(DemoPlan plan, DemoFindings findings, IReadOnlyList<RecordedDemoRun> runs)
    {
        _plan = plan;
        _findings = findings;
        _chapters = [.. runs.Select(run => Chapter.Of(run, plan))];
    }

    /// <param name="plan">What was run; its folder has the records.</param>
    /// <param name="results">One of each run.</param>
    /// <param name="findings">What came out.</param>
    /// <exception cref="CommandFailure">A record cannot be read.</exception>
    internal static string Draw(DemoPlan plan, IReadOnlyList<DemoRunResult> results, DemoFindings findings)
    {
        List<RunRecord> records = [];

        try
        {
            records.AddRange(results.Select(result => RunRecord.Open(plan.Folder!.RecordOf(result.Plan))));
            return Draw(plan, findings, [.. results.Zip(records, (result, record) => new RecordedDemoRun(result, record))]);
        }
        catch (Exception failure) when (failure is RunRecordException or InvalidDataException)
        {
            throw new CommandFailure(ExitCode.CheckFailed, $"The record of a run cannot be drawn: {failure.Message}");
        }
        finally
        {
            records.ForEach(record => record.Dispose());
        }
    }

    /// <inheritdoc cref="Draw(DemoPlan, IReadOnlyList{DemoRunResult}, DemoFindings)"/>
    internal static string Draw(DemoPlan plan, DemoFindings findings, IReadOnlyList<RecordedDemoRun> runs)
        => new DemoReport(plan, findings, runs).Draw();

    private string Draw()
    {
        HtmlPage page = new(
            $"A flock of {Units.Count(_plan.Agents)} birds in {Units.Count(_plan.Members)} "
            + (_plan.Members == 1 ? "process" : "processes"));
        AddVerdict(page);
        AddFlock(page);
        AddSteps(page);
        AddMembers(page);
        return page.ToHtml();
    }

    private void AddVerdict(HtmlPage page)
    {
        page.Heading(_findings.IsDeterministic ? "Deterministic: yes" : "Deterministic: no");
        page.Paragraph(string.Create(
            CultureInfo.InvariantCulture,
            $"The same simulation {Times()}, each time by new processes and over a network that loses "
            + $"{_plan.LossPpm / 10_000.0:0.##} % of all datagrams and delays the others by "
            + $"{_plan.Delay.TotalMilliseconds:0.###} ms. It loses other ones each time, and the processes do not start in the "
            + $"same order. What they compute must not show it."));
        page.Command(_plan.CommandLine());

        foreach (Chapter chapter in _chapters)
        {
            page.Paragraph(
                string.Join("; ", [Capital($"{chapter.Result.Plan}"), .. chapter.Result.Notes]) + ".");
        }

        page.Table(Equalities());

        foreach (string line in _findings.Lines)
        {
            page.Paragraph(Capital(line) + (line.EndsWith('.') ? "" : "."));
        }
    }

    private string Times() => _chapters.Count switch
    {
        1 => "once",
        2 => "twice",
        3 => "three times",
        var more => $"{more} times",
    };

    private PageTable Equalities()
    {
        PageTable table = new(["", .. _chapters.Select(chapter => $"run {chapter.Result.Plan.Number}")]);
        AddEqual(table, "run digest", chapter => chapter.Result.RunDigest);
        AddEqual(table, "flock at the end, by its members", chapter => chapter.Checksums);
        table.Add(
        [
            "flock as drawn here, from the record",
            .. _chapters.Select(chapter => PageCell.Judged(
                FlockServer.TextOf(chapter.Film.Checksum), FlockServer.TextOf(chapter.Film.Checksum) == chapter.Checksums)),
        ]);
        table.Add(["grants", .. _chapters.Select(chapter => (PageCell)Units.Count(chapter.Record.Grants))]);
        table.Add(["wall time of the steps", .. _chapters.Select(chapter => (PageCell)chapter.WallTime)]);
        return table;
    }

    // A run whose member was taken out has another history by right, and the same flock.
    private void AddEqual(PageTable table, string name, Func<Chapter, string> of)
    {
        string first = of(_chapters[0]);
        table.Add(
        [
            name,
            .. _chapters.Select(chapter => chapter.Record.IsInfluenced && of(chapter) != first
                ? of(chapter)
                : PageCell.Judged(of(chapter), of(chapter) == first)),
        ]);
    }

    private void AddFlock(HtmlPage page)
    {
        page.Heading("Where the birds flew");
        FlockFilm film = _chapters[0].Film;
        string paths = film.Paths.Count == film.Agents.Count ? "Lines are their paths"
            : $"Lines are the paths of {Units.Count(film.Paths.Count)} of them";
        string from = film.PathsFrom == 0 ? "from the start on" : $"from step {Units.Count(film.PathsFrom)} on";
        page.Paragraph($"After step {Units.Count(film.Steps)}, in the colour of the member that moves them. {paths}, {from}. "
            + "The world has no edge: who leaves it at one side comes in at the other. Each picture is made of the shares "
            + "that stand in that run's record.");
        page.Charts([.. _chapters.Select(chapter => new FlockPicture(
            $"Run {chapter.Result.Plan.Number}", chapter.Film, _plan, chapter.Names))]);
    }

    private void AddSteps(HtmlPage page)
    {
        page.Heading("How long each step took, and who was waited for");
        page.Paragraph("From the last grant of one step to the last one of the next, by the server's clock, which counts "
            + "whole milliseconds. The colour is that of the member whose progress released the grant that waited longest.");
        page.Charts([.. _chapters.Select(chapter => chapter.Chart)]);
        page.Table(WaitedFor());

        foreach (Chapter chapter in _chapters)
        {
            page.Table(Slowest(chapter));
        }
    }

    private PageTable WaitedFor()
    {
        PageTable table = new(
        [
            "waited for",
            .. _chapters.SelectMany(chapter => new[]
            {
                $"run {chapter.Result.Plan.Number}: steps", $"run {chapter.Result.Plan.Number}: all members waited",
            }),
        ])
        {
            Caption = "Steps at which the longest wait was for this member, and what all others waited for it together.",
        };

        for (int member = 0; member < _plan.Members; member++)
        {
            List<PageCell> cells = [_chapters[0].NameOf(member)];

            foreach (Chapter chapter in _chapters)
            {
                (int steps, long milliseconds) = chapter.Times.WaitedFor(member);
                cells.Add(Units.Count(steps));
                cells.Add(Units.Span(TimeSpan.FromMilliseconds(milliseconds)));
            }

            table.Add([.. cells]);
        }

        return table;
    }

    private static PageTable Slowest(Chapter chapter)
    {
        PageTable table = new("step", "wall time", "waited", "longest", "it waited", "for", "because")
        {
            Caption = $"The slowest steps of run {chapter.Result.Plan.Number}.",
        };

        foreach (StepTime step in chapter.Times.Steps.OrderByDescending(step => step.Milliseconds).Take(SlowestSteps))
        {
            bool hasWaited = step.Waiting > 0;
            table.Add(
                $"{step.Tag}",
                Units.Span(TimeSpan.FromMilliseconds(step.Milliseconds)),
                $"{step.Waiting} of {step.Grants}",
                hasWaited ? chapter.NameOf(step.Longest.Member) : "-",
                hasWaited ? Units.Span(TimeSpan.FromMilliseconds(step.Longest.WaitedMilliseconds)) : "-",
                hasWaited ? chapter.Chart.RootName(step) : "-",
                hasWaited ? $"{step.Longest.WaitedBecause}" : "-");
        }

        return table;
    }

    private void AddMembers(HtmlPage page)
    {
        page.Heading("What each member saw");
        page.Paragraph("As the members reported it at their end. Steps, grants and messages follow from the simulation; times, "
            + "losses and retransmissions are the network's.");
        TextTable reported = DemoVerdict.Table(_chapters.Select(chapter => chapter.Result));
        PageTable table = new([.. reported.Columns]);

        foreach (IReadOnlyList<string> row in reported.Rows)
        {
            table.Add([.. row.Select(cell => (PageCell)cell)]);
        }

        page.Table(table);
    }

    private static string Capital(string text)
        => text.Length == 0 ? text : char.ToUpper(text[0], CultureInfo.InvariantCulture) + text[1..];

    /// <summary>What the page says of one run.</summary>
    private sealed record Chapter(DemoRunResult Result, RunRecord Record, FlockFilm Film, StepChart Chart)
    {
        internal StepTimes Times => Chart.Times;

        internal IReadOnlyList<string> Names => Chart.Members;

        internal string WallTime => Units.Span(TimeSpan.FromMilliseconds(Times.Milliseconds));

        /// <summary>One, unless members disagree.</summary>
        internal string Checksums => string.Join(", ", Result.Members.Select(member => member.Checksum).Distinct());

        internal static Chapter Of(RecordedDemoRun run, DemoPlan plan)
        {
            (DemoRunResult result, RunRecord record) = run;
            string[] names = [.. record.Members.Select(member => member.Name)];
            StepTimes times = StepTimes.Of(record);

            return new Chapter(
                result, record, FlockFilm.Of(record, result.Members[0].Member, plan),
                new StepChart($"Run {result.Plan.Number}: {Units.Count(times.Steps.Count)} steps", times, names));
        }

        internal string NameOf(int member) => member < Names.Count ? Names[member] : $"member {member}";
    }
}

/// <summary>What the runs of a demo came to.</summary>
/// <param name="IsDeterministic">Nothing differs that must not.</param>
/// <param name="Lines">Claims that hold, or differences found.</param>
internal sealed record DemoFindings(bool IsDeterministic, IReadOnlyList<string> Lines);
