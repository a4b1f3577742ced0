using Gudp.Bench.Transport;

namespace Gudp.Bench.Grants;

/// <summary>The goals and floors of grants, and the one place that compares them with what was measured.</summary>
internal static class GrantFloors
{
    /// <summary>Id of what has to hold wherever it is measured; the rest says how fast a machine was.</summary>
    internal const string Control = "control";

    private const string Goal = "goal";
    private const double MostMessages = 2;

    // A commit under way at either edge of the measured time is counted without its grant.
    private const double EdgeTolerance = 0.02;

    /// <summary>What is measured, in its order.</summary>
    internal static readonly GrantCell[] Cells =
    [
        new(GrantCell.Ticks, GrantCell.Udp, 2),
        new(GrantCell.Ticks, GrantCell.Udp, 8),
        new(GrantCell.Ticks, GrantCell.Udp, 32),
        new(GrantCell.Ticks, GrantCell.InProcess, 2),
        new(GrantCell.Ticks, GrantCell.InProcess, 16),
        new(GrantCell.Ticks, GrantCell.InProcess, 256),
        new(GrantCell.Ticks, GrantCell.InProcess, 1_024),
        new(GrantCell.Phold, GrantCell.Udp, 16),
        new(GrantCell.Phold, GrantCell.InProcess, 16),
    ];

    internal static readonly int[] EvaluateMembers = [2, 8, 32, 128, 512, 1_024];

    internal static IReadOnlyList<FloorRow> Judge(GrantsReport report)
        => [.. ControlMessages(report), .. Goals(report), .. Recorded(report)];

    private static IEnumerable<FloorRow> ControlMessages(GrantsReport report)
        => Cells.Where(cell => cell.Kind == GrantWork.Ticks).Select(cell => FloorRow.Most(
            Control, $"{cell}: messages per grant, up and down",
            Row(report, cell) is { } row ? Spread.Round(row.MessagesUp.Median + row.MessagesDown.Median) : null,
            cell.Transport == GrantCell.Udp ? MostMessages + EdgeTolerance : MostMessages));

    private static IEnumerable<FloorRow> Goals(GrantsReport report)
    {
        GrantCell host = new(GrantCell.Ticks, GrantCell.InProcess, 16);
        GrantCell phold = new(GrantCell.Phold, GrantCell.Udp, 16);
        yield return FloorRow.Least(Goal, $"{host}: grants/s", Row(report, host)?.GrantsPerSecond, 1_000_000);
        yield return FloorRow.Least(Goal, $"{phold}: events/s", Row(report, phold)?.EventsPerSecond.Median, 150_000);
    }

    // Judged when the speed of everything is; here they are written down.
    private static IEnumerable<FloorRow> Recorded(GrantsReport report)
    {
        foreach (GrantCell cell in Cells.Where(cell => cell is { Transport: GrantCell.Udp, Kind: GrantWork.Ticks }))
        {
            GrantRow? row = Row(report, cell);
            (string id, double floor) = cell.Members == 2 ? ("P17", 30_000) : ("P18", 60_000);
            yield return FloorRow.Least(id, $"{cell}: grants/s", row?.GrantsPerSecond, floor);

            if (cell.Members > 2)
            {
                yield return FloorRow.Most(id, $"{cell}: CPU per grant, us", row?.ProcessorMicroseconds, 35);
            }
        }
    }

    private static GrantRow? Row(GrantsReport report, GrantCell cell)
        => report.Rows.FirstOrDefault(row => row.Cell == cell);
}
