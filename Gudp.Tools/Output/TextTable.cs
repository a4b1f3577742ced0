namespace Gudp.Tools.Output;

/// <summary>Rows under named columns. The first column is text and aligned left, the others are right.</summary>
internal sealed class TextTable
{
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

    /// <summary>As lines of aligned text, for pipes and files.</summary>
    internal IEnumerable<string> Lines()
    {
        int[] widths = [.. Columns.Select((name, i) => _rows.Select(row => row[i].Length).Append(name.Length).Max())];
        yield return Line(Columns, widths);

        foreach (string[] row in _rows)
        {
            yield return Line(row, widths);
        }
    }

    private static string Line(IReadOnlyList<string> cells, int[] widths)
    {
        IEnumerable<string> aligned = cells.Select(
            (cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]));

        return string.Join("  ", aligned).TrimEnd();
    }
}
