using System.Globalization;
using System.Text;
using Gudp.Bench.Load;
using Gudp.Bench.Transport;

namespace Gudp.Bench.Compare;

/// <summary>The table of speeds in a README: made from a comparison, from a mark to the next empty line.</summary>
internal sealed class ReadmeTable
{
    private const string Start = "<!-- compare -->\n";

    private static readonly (string System, string Title)[] Columns =
    [
        (LoadSystems.Gudp, "Gudp"),
        (LoadSystems.TcpCoalesced, "TCP, 64 KB a call"),
        (LoadSystems.Enet, "ENet"),
        (LoadSystems.ZeroMq, "ZeroMQ"),
    ];

    // A README has one screen.
    private static readonly int[] Sizes = [32, 1_024, 16 * 1_024, 1_024 * 1_024];

    private string _path = "";

    internal void AddTo(BenchArguments arguments) => arguments.Value("--readme", "FILE", path =>
    {
        _path = path;
        return File.Exists(path) && File.ReadAllText(path).Contains(Start, StringComparison.Ordinal);
    });

    /// <summary>Puts the table where the mark is, if a file was named.</summary>
    internal void Write(CompareReport report)
    {
        if (_path.Length == 0)
        {
            return;
        }

        string text = File.ReadAllText(_path);
        int start = text.IndexOf(Start, StringComparison.Ordinal);
        int end = text.IndexOf("\n\n", start, StringComparison.Ordinal) + 1;
        File.WriteAllText(_path, text[..start] + Of(report) + text[end..]);
    }

    /// <summary>From the mark to the end of the table's last line.</summary>
    internal static string Of(CompareReport report)
    {
        StringBuilder text = new();
        text.Append(Start);
        AppendRow(text, ["Medians", .. Columns.Select(column => column.Title)]);
        AppendRow(text, ["---", .. Columns.Select(_ => "--:")]);

        foreach (int bytes in Sizes)
        {
            AppendRates(text, $"{SizeOf(bytes)}, messages/s", report, system => CompareCells.Stream(system, bytes));
        }

        AppendRates(
            text,
            "64 B from 1,000 connections, messages/s",
            report,
            system => CompareCells.Crowd(system, CompareCells.Crowds[^1]));
        AppendTrips(text, report);
        return text.ToString();
    }

    private static void AppendRates(StringBuilder text, string name, CompareReport report, Func<string, LoadCell> cellOf)
        => AppendMeasured(text, name, [.. Columns.Select(column =>
            report.Find(cellOf(column.System))?.MessagesPerS.Median is > 0 and double rate ? Short(rate) : "-")]);

    // TCP asks and answers one at a time: there is nothing to put together.
    private static void AppendTrips(StringBuilder text, CompareReport report)
    {
        foreach (LoadWaiting waiting in new[] { LoadWaiting.Poll, LoadWaiting.Block })
        {
            string name = waiting == LoadWaiting.Poll ? "awake" : "asleep";
            AppendMeasured(text, $"64 B there and back, {name}, us", [.. Columns
                .Select(column => column.System == LoadSystems.TcpCoalesced ? LoadSystems.Tcp : column.System)
                .Select(system => report.Find(CompareCells.Ask(system, waiting))?.RttUsP50.Median is > 0 and double us
                    ? us.ToString("0.0", CultureInfo.InvariantCulture)
                    : "-")]);
        }
    }

    private static void AppendMeasured(StringBuilder text, string name, string[] cells)
    {
        if (cells.Any(cell => cell != "-"))
        {
            AppendRow(text, [name, .. cells]);
        }
    }

    private static void AppendRow(StringBuilder text, IEnumerable<string> cells)
        => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private static string SizeOf(int bytes) => bytes switch
    {
        >= 1_024 * 1_024 => FormattableString.Invariant($"{bytes / 1_024 / 1_024} MB"),
        >= 1_024 => FormattableString.Invariant($"{bytes / 1_024} KB"),
        _ => FormattableString.Invariant($"{bytes} B"),
    };

    private static string Short(double rate) => rate switch
    {
        >= 10e6 => (rate / 1e6).ToString("0.0 M", CultureInfo.InvariantCulture),
        >= 1e6 => (rate / 1e6).ToString("0.00 M", CultureInfo.InvariantCulture),
        >= 10e3 => (rate / 1e3).ToString("0 k", CultureInfo.InvariantCulture),
        _ => (rate / 1e3).ToString("0.0 k", CultureInfo.InvariantCulture),
    };
}
