namespace Gudp.Tools.Output;

/// <summary>Rows under named columns. The first column is text and aligned left, the others are right.</summary>
internal sealed class TextTable
{
    private const string Gap = "  ";

    private readonly List<string[]> _rows = [];

    internal TextTable(params string[] columns) => Columns = columns;

    internal IReadOnlyList<string> Columns { get; }

    internal IReadOnlyList<IReadOnlyList<string>> Rows => _rows;

    internal void Add(params string[] cells)
    {
        if (cells.Length != Columns.Count)
        {
            throw new ArgumentException(
                $"A row of {cells.Length} cells was added to {Columns.Count} columns.", nameof(cells));
        }

        _rows.Add(cells);
    }

    /// <summary>Characters of the longest of <see cref="Lines"/>.</summary>
    internal int Width => Widths().Sum() + (Gap.Length * (Columns.Count - 1));

    /// <summary>As lines of aligned text, for pipes and files.</summary>
    internal IEnumerable<string> Lines()
    {
        int[] widths = Widths();
        yield return Line(Columns, widths);

        foreach (string[] row in _rows)
        {
            yield return Line(row, widths);
        }
    }

    private int[] Widths()
        => [.. Columns.Select((name, i) => _rows.Select(row => row[i].Length).Append(name.Length).Max())];

    private static string Line(IReadOnlyList<string> cells, int[] widths)
    {
        IEnumerable<string> aligned = cells.Select(
            (cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]));

        return string.Join(Gap, aligned).TrimEnd();
    }
}
