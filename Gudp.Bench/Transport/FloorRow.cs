using System.Globalization;
using Gudp.Tools.Charts;

namespace Gudp.Bench.Transport;

/// <summary>A floor of design/performance.md or of a scenario, judged.</summary>
internal sealed record FloorRow
{
    public required string Id { get; init; }

    public required string Work { get; init; }

    /// <summary>What was measured; -1: it was not.</summary>
    public double Value { get; init; }

    public double Bound { get; init; }

    /// <summary>True: the value must not be less; false: not more.</summary>
    public bool IsLeast { get; init; }

    public bool Passed { get; init; }

    private PageCell Verdict => PageCell.Judged(Passed ? "pass" : "miss", Passed);

    /// <summary>A value that must be there and not less than the bound.</summary>
    internal static FloorRow Least(string id, string work, double? value, double bound) => new()
    {
        Id = id,
        Work = work,
        Value = value ?? -1,
        Bound = bound,
        IsLeast = true,
        Passed = value >= bound,
    };

    /// <summary>A value that must be there and not more than the bound.</summary>
    internal static FloorRow Most(string id, string work, double? value, double bound) => new()
    {
        Id = id,
        Work = work,
        Value = value ?? -1,
        Bound = bound,
        Passed = value >= 0 && value <= bound,
    };

    internal static PageTable ToTable(IEnumerable<FloorRow> rows)
    {
        PageTable table = new("Id", "Work", "Measured", "Floor", "Verdict");

        foreach (FloorRow row in rows)
        {
            string bound = (row.IsLeast ? "at least " : "at most ") + Number(row.Bound);
            table.Add(row.Id, row.Work, row.Value < 0 ? "-" : Number(row.Value), bound, row.Verdict);
        }

        return table;
    }

    private static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}
