// What a key means stands in one place, docs/TUNING.md, which is part of this program: its tables are read here. A test
// compares their types, defaults and ranges with the library's.

using System.Reflection;

namespace Gudp.Tools.Configuration;

/// <summary>A key's row in the tuning page.</summary>
internal sealed record TuningRow(
    string Key, string Kind, string Default, string Range, string Meaning, string Source);

/// <summary>The tuning page's rows by key.</summary>
internal sealed class TuningPage
{
    private const string ResourceName = "TUNING.md";
    private const int Columns = 6;

    // The page explains Core's keys as Core names them; a config around it puts this in front.
    private const string CorePrefix = "Core.";

    private readonly Dictionary<string, TuningRow> _rows;

    private TuningPage(IEnumerable<TuningRow> rows)
        => _rows = rows.ToDictionary(row => row.Key, StringComparer.OrdinalIgnoreCase);

    internal static TuningPage Load()
    {
        using Stream page = Assembly.GetExecutingAssembly().GetManifestResourceStream(ResourceName)
            ?? throw new InvalidOperationException($"{ResourceName} was not built into the program.");
        using StreamReader reader = new(page);
        return Read(reader.ReadToEnd());
    }

    internal static TuningPage Read(string markdown)
        => new(markdown.Split('\n').Select(RowOf).OfType<TuningRow>());

    internal TuningRow? Find(string key)
        => _rows.GetValueOrDefault(key) ?? (key.StartsWith(CorePrefix, StringComparison.OrdinalIgnoreCase)
            ? _rows.GetValueOrDefault(key[CorePrefix.Length..])
            : null);

    private static TuningRow? RowOf(string line)
    {
        string[] cells = [.. line.Trim().Trim('|').Split('|').Select(cell => cell.Trim())];
        bool isKey = cells.Length == Columns && cells[0].Length > 2 && cells[0][0] == '`' && cells[0][^1] == '`';
        return isKey
            ? new TuningRow(cells[0].Trim('`'), cells[1], cells[2], cells[3], cells[4].Replace("`", ""), cells[5])
            : null;
    }
}
