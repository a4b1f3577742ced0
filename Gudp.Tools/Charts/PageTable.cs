using System.Text;
using System.Xml;

namespace Gudp.Tools.Charts;

/// <summary>What was judged about a cell.</summary>
internal enum CellVerdict
{
    None,
    Pass,
    Miss,
}

/// <summary>One cell; a verdict is told by a sign and a colour.</summary>
internal readonly record struct PageCell(string Text, CellVerdict Verdict = CellVerdict.None)
{
    internal string Shown => Verdict switch
    {
        CellVerdict.Pass => Text + " \u2713",
        CellVerdict.Miss => Text + " \u2717",
        _ => Text,
    };

    public static implicit operator PageCell(string text) => new(text);

    /// <summary>Passed or missed, as told.</summary>
    internal static PageCell Judged(string text, bool isPassed)
        => new(text, isPassed ? CellVerdict.Pass : CellVerdict.Miss);
}

/// <summary>Rows of cells under headings; for a page and, the same content, for a Markdown file.</summary>
/// <remarks>Always true: each row has as many cells as there are headings.</remarks>
internal sealed class PageTable(params string[] headings)
{
    private readonly List<PageCell[]> _rows = [];

    /// <summary>One line above the table; empty: none.</summary>
    internal string Caption { get; init; } = "";

    internal int Rows => _rows.Count;

    internal void Add(params PageCell[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, headings.Length);
        _rows.Add(cells);
    }

    internal void WriteTo(XmlWriter xml)
    {
        xml.WriteStartElement("div");
        xml.WriteAttributeString("class", "table");
        xml.WriteStartElement("table");

        if (Caption.Length > 0)
        {
            HtmlPage.WriteText(xml, "caption", Caption);
        }

        xml.WriteStartElement("thead");
        xml.WriteStartElement("tr");

        for (int i = 0; i < headings.Length; i++)
        {
            WriteCell(xml, "th", headings[i], IsNumber(i) ? "number" : "");
        }

        xml.WriteFullEndElement();
        xml.WriteFullEndElement();
        xml.WriteStartElement("tbody");

        foreach (PageCell[] row in _rows)
        {
            xml.WriteStartElement("tr");

            for (int i = 0; i < row.Length; i++)
            {
                WriteCell(xml, "td", row[i].Shown, ClassOf(row[i], IsNumber(i)));
            }

            xml.WriteFullEndElement();
        }

        xml.WriteFullEndElement();
        xml.WriteFullEndElement();
        xml.WriteFullEndElement();
    }

    internal string ToMarkdown()
    {
        StringBuilder text = new();
        AppendRow(text, headings);
        AppendRow(text, headings.Select((_, i) => IsNumber(i) ? "--:" : "---"));

        foreach (PageCell[] row in _rows)
        {
            AppendRow(text, row.Select(cell => cell.Shown.Replace("|", "\\|", StringComparison.Ordinal)));
        }

        return text.ToString();
    }

    private static void AppendRow(StringBuilder text, IEnumerable<string> cells)
        => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private static string ClassOf(PageCell cell, bool isNumber)
    {
        string verdict = cell.Verdict switch
        {
            CellVerdict.Pass => "pass",
            CellVerdict.Miss => "miss",
            _ => "",
        };
        return (isNumber ? $"number {verdict}" : verdict).Trim();
    }

    private static void WriteCell(XmlWriter xml, string name, string text, string style)
    {
        xml.WriteStartElement(name);

        if (name == "th")
        {
            xml.WriteAttributeString("scope", "col");
        }

        if (style.Length > 0)
        {
            xml.WriteAttributeString("class", style);
        }

        xml.WriteString(PageText.Of(text));
        xml.WriteFullEndElement();
    }

    // A column of numbers stands flush right: each cell begins with a digit, or with a sign or dot before one, or is
    // empty.
    private bool IsNumber(int column)
        => _rows.Count > 0 && _rows.TrueForAll(row => BeginsAsNumber(row[column].Text));

    private static bool BeginsAsNumber(string text)
        => text.Length == 0 || text == "-" || char.IsAsciiDigit(text[0])
            || (text.Length > 1 && text[0] is '-' or '+' or '.' && char.IsAsciiDigit(text[1]));
}
