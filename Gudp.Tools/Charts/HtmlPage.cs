using System.Text;
using System.Xml;

namespace Gudp.Tools.Charts;

/// <summary>
/// One file that every browser opens, from a disk too: no script, no font, no picture from elsewhere. It is well-formed
/// XML as well.
/// </summary>
internal sealed class HtmlPage(string title)
{
    private const string PageStyle =
        "body{margin:0 auto;max-width:75rem;padding:1.5rem;background:var(--paper);color:var(--ink);"
        + "font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif}\n"
        + "h1{font-size:1.7rem}h2{margin-top:2.5rem;font-size:1.3rem;border-bottom:1px solid var(--grid)}"
        + "h3{font-size:1.05rem}p{max-width:50rem}code{background:var(--panel);padding:0 .25em}\n"
        + ".table{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}"
        + "caption{text-align:left;color:var(--faint);padding:.3rem 0}"
        + "th,td{padding:.25rem .7rem;border-bottom:1px solid var(--grid);text-align:left;white-space:nowrap}"
        + "td.number,th.number{text-align:right}thead th{background:var(--panel)}\n"
        + ".pass{color:var(--s2)}.miss{color:var(--s1);font-weight:600}\n"
        + ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem}"
        + "figure{margin:0}figcaption{color:var(--faint);font-size:.9rem}svg.chart{width:100%;height:auto}\n";

    private readonly List<Action<XmlWriter>> _parts = [];

    internal void Heading(string text, int level = 2)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(level, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, 4);
        _parts.Add(xml => WriteText(xml, $"h{level}", text));
    }

    internal void Paragraph(string text) => _parts.Add(xml => WriteText(xml, "p", text));

    /// <summary>A line to be typed, as it stands.</summary>
    internal void Command(string text) => _parts.Add(xml =>
    {
        xml.WriteStartElement("p");
        WriteText(xml, "code", text);
        xml.WriteEndElement();
    });

    internal void Table(PageTable table) => _parts.Add(table.WriteTo);

    /// <summary>Charts beside each other as far as there is room.</summary>
    internal void Charts(params IReadOnlyList<IChart> charts) => _parts.Add(xml =>
    {
        xml.WriteStartElement("div");
        xml.WriteAttributeString("class", "charts");

        foreach (IChart chart in charts)
        {
            xml.WriteStartElement("figure");
            chart.WriteTo(xml);
            xml.WriteFullEndElement();
        }

        xml.WriteFullEndElement();
    });

    internal string ToHtml()
    {
        StringBuilder text = new("<!DOCTYPE html>\n");

        using (XmlWriter xml = XmlWriter.Create(text, ChartStyle.Settings))
        {
            xml.WriteStartElement("html");
            xml.WriteAttributeString("lang", "en");
            WriteHead(xml);
            xml.WriteStartElement("body");
            WriteText(xml, "h1", title);

            foreach (Action<XmlWriter> write in _parts)
            {
                write(xml);
                xml.WriteWhitespace("\n");
            }

            xml.WriteFullEndElement();
            xml.WriteEndElement();
        }

        return text.Append('\n').ToString();
    }

    internal static void WriteText(XmlWriter xml, string name, string text)
    {
        xml.WriteStartElement(name);
        xml.WriteString(PageText.Of(text));
        xml.WriteFullEndElement();
    }

    private static void WriteMeta(XmlWriter xml, string name, string content)
    {
        xml.WriteStartElement("meta");
        xml.WriteAttributeString("name", name);
        xml.WriteAttributeString("content", content);
        xml.WriteEndElement();
    }

    private void WriteHead(XmlWriter xml)
    {
        xml.WriteStartElement("head");
        xml.WriteStartElement("meta");
        xml.WriteAttributeString("charset", "utf-8");
        xml.WriteEndElement();
        WriteMeta(xml, "viewport", "width=device-width, initial-scale=1");
        WriteMeta(xml, "color-scheme", "light dark");
        WriteText(xml, "title", title);
        xml.WriteElementString("style", "\n" + ChartStyle.ForCharts + PageStyle);
        xml.WriteEndElement();
    }
}
