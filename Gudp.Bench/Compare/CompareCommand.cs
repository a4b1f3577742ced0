using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Gudp.Bench.Load;
using Gudp.Bench.Transport;

namespace Gudp.Bench.Compare;

/// <summary>The same work on every system, interleaved: <c>compare [options]</c>.</summary>
internal sealed class CompareCommand
{
    // A round with more than this of somebody else is measured again, once for each cell.
    private const double MostForeignPercent = 20;

    private readonly ReportChoices _choices = new(LoadNames.All);
    private readonly ReadmeTable _readme = new();
    private bool _isSmoke;
    private bool _isPinned;
    private bool _isRendering;

    private CompareExtent Extent
        => _isSmoke ? CompareExtent.Smoke : _choices.IsQuick ? CompareExtent.Quick : CompareExtent.Full;

    /// <returns>0: every message was what it should be; 1: not so; 2: the arguments name something else.</returns>
    internal static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter log)
    {
        CompareCommand command = new();
        BenchArguments options = new("compare");
        options.Flag("--smoke", () => command._isSmoke = true);
        command._choices.AddRoundsTo(options);
        command._choices.AddTo(options);
        options.Flag("--pin", () => command._isPinned = true);
        options.Flag("--render", () => command._isRendering = true);
        command._readme.AddTo(options);

        if (!ReportChoices.TryRead(options, arguments, log))
        {
            return 2;
        }

        CompareReport report = command._isRendering
            ? command.Rendered()
            : await command.MeasureAsync(log).ConfigureAwait(false);
        command._choices.Files.Write(report.ToJson, CompareText.Page(report));
        command._readme.Write(report);
        log.WriteLine();

        // So short a look says whether everything works, and nothing about speed.
        if (!command._isSmoke)
        {
            log.Write(FloorRow.ToTable(report.Floors).ToMarkdown());
        }

        return Conclude(report, log);
    }

    private static int Conclude(CompareReport report, TextWriter log)
    {
        foreach ((string system, string remedy) in report.Missing)
        {
            log.WriteLine($"{system} is missing: {remedy}");
        }

        foreach (CompareRow row in report.Rows.Where(row => row.Errors > 0))
        {
            log.WriteLine($"{row.System}, {row.Work}, {row.Size} B: {row.Errors} errors: {row.Fault}");
        }

        long errors = report.Rows.Sum(row => row.Errors);
        log.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Rows.Count} cells, {errors} errors"));
        return errors == 0 && report.Rows.Count > 0 ? 0 : 1;
    }

    // For a page whose words or charts have changed; the figures are those of the JSON file.
    private CompareReport Rendered() => (_choices.Files.FormerJson() is { } json
        ? CompareReport.Parse(json)
        : new CompareReport()).WithConclusions();

    private async Task<CompareReport> MeasureAsync(TextWriter log)
    {
        LoadTiming timing = CompareCells.TimingOf(Extent) with { IsPinned = _isPinned };
        Dictionary<string, string> missing = LoadSystems.All
            .Where(system => LoadSystems.Missing(system) is not null)
            .ToDictionary(system => system, system => LoadSystems.Missing(system)!);
        CompareReport former = Former();
        List<CompareRow> rows = [];

        foreach (IReadOnlyList<LoadCell> group in CompareCells.Groups(Extent))
        {
            LoadCell[] cells =
                [.. group.Where(cell => _choices.Wants(LoadNames.Of(cell.Work)) && !missing.ContainsKey(cell.System))];
            rows.AddRange(await MeasureAsync(cells, timing, log).ConfigureAwait(false));
        }

        CompareReport report = former with
        {
            Machine = $"{RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, "
                + $"{RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} processors",
            Commit = CommitOf(Assembly.GetExecutingAssembly()),
            Extent = Extent.ToString().ToLowerInvariant(),
            WarmUpSeconds = timing.WarmUp.TotalSeconds,
            Seconds = timing.Span.TotalSeconds,
            IsPinned = _isPinned,
            Clock = SystemLoad.ClockName(),
            ClockNs = Spread.Round(SystemLoad.ClockNanoseconds()),
            Missing = missing,
            Rows = [.. InOrder(rows.Concat(former.Rows))],
        };
        return (report with
        {
            ForeignPercent = Spread.Of([.. report.Rows.Select(row => row.ForeignPercent.Median)]).Median,
        }).WithConclusions();
    }

    // All systems have their turn in each round, so that what else the machine does meets all of them.
    private async Task<IEnumerable<CompareRow>> MeasureAsync(LoadCell[] cells, LoadTiming timing, TextWriter log)
    {
        List<LoadSample>[] samples = [.. cells.Select(_ => new List<LoadSample>())];
        bool[] isRepeated = new bool[cells.Length];
        int rounds = _choices.Rounds > 0 ? _choices.Rounds : CompareCells.RoundsOf(Extent);

        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < cells.Length; i++)
            {
                LoadSample sample = await MeasureAsync(cells[i], timing).ConfigureAwait(false);

                if (!_isSmoke && !isRepeated[i] && sample.ForeignPercent > MostForeignPercent)
                {
                    isRepeated[i] = true;
                    LoadSample again = await MeasureAsync(cells[i], timing).ConfigureAwait(false);
                    sample = again.ForeignPercent < sample.ForeignPercent ? again : sample;
                }

                samples[i].Add(sample);
            }
        }

        CompareRow[] rows = [.. cells.Select((cell, i) => CompareRow.Of(cell, samples[i]))];

        for (int i = 0; i < rows.Length; i++)
        {
            CompareRow row = rows[i];
            log.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{cells[i]}: {row.MessagesPerS.Median:#,0} /s, {row.MbPerS.Median:#,0.0} MB/s, p50 {row.RttUsP50.Median:0.0} us,"
                + $" CPU {row.CpuUsPerMessage.Median:0.###} us, others {row.ForeignPercent.Median:0} %,"
                + $" errors {row.Errors} {row.Fault}").TrimEnd());
        }

        return rows;
    }

    private static async Task<LoadSample> MeasureAsync(LoadCell cell, LoadTiming timing)
    {
        ForeignLoad load = ForeignLoad.Start();
        bool isPinned = timing.IsPinned || CompareCells.IsPinned(cell);
        LoadSample sample =
            await LoadRun.MeasureAsync(cell, timing with { IsPinned = isPinned }).ConfigureAwait(false);
        return sample with { ForeignPercent = load.Percent() };
    }

    // What is not measured this time stays as it was.
    private CompareReport Former()
        => _choices.IsPart && _choices.Files.FormerJson() is { } json ? CompareReport.Parse(json) : new CompareReport();

    private IEnumerable<CompareRow> InOrder(IEnumerable<CompareRow> rows)
    {
        List<CompareRow> all = [.. rows];
        return CompareCells.Groups(Extent).SelectMany(group => group)
            .Select(cell => all.Find(row => row.IsOf(cell)))
            .OfType<CompareRow>();
    }

    // The compiler writes it behind the version.
    private static string CommitOf(Assembly assembly)
    {
        string version = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        int plus = version.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 ? "" : version[(plus + 1)..];
    }

    /// <summary>How busy the machine was, other than with what was measured: from the system's own counts.</summary>
    private readonly record struct ForeignLoad(long Timestamp, double Busy, TimeSpan Children)
    {
        internal static ForeignLoad Start() => new(Stopwatch.GetTimestamp(), SystemLoad.BusySeconds(), SystemLoad.Ours());

        internal double Percent()
        {
            double seconds = Stopwatch.GetElapsedTime(Timestamp).TotalSeconds * Environment.ProcessorCount;
            double ours = (SystemLoad.Ours() - Children).TotalSeconds;
            return Math.Max(0, 100 * (SystemLoad.BusySeconds() - Busy - ours) / seconds);
        }
    }
}
