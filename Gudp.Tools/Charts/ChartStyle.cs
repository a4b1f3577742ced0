using System.Text;
using System.Xml;

namespace Gudp.Tools.Charts;

/// <summary>
/// The colours and fonts of charts and pages, light and dark by the reader's own choice. Series differ in the shape of
/// their points too, since not everybody tells the colours apart.
/// </summary>
internal static class ChartStyle
{
    /// <summary>Series beyond this many begin again with the first colour.</summary>
    internal const int Colours = 8;

    // Each pair keeps a contrast of 3:1 or more against its background (WCAG 2.1, 1.4.11). No '<', '>' or '&' in here:
    // XML would escape them, HTML would not read them back.
    private static readonly (string Light, string Dark)[] Palette =
    [
        ("#1f6fb2", "#6cb2ee"), ("#c8501e", "#f08a5d"), ("#2b8a57", "#6fcf97"), ("#8a4fb5", "#c39be8"),
        ("#96750a", "#e0bc4a"), ("#c03a72", "#f083b0"), ("#2f818d", "#74c7d3"), ("#656a72", "#a9aeb6"),
    ];

    /// <summary>The style sheet of a chart.</summary>
    internal static string ForCharts { get; } = Compose();

    /// <summary>A chart as a file of its own.</summary>
    internal static string ToSvgFile(IChart chart)
    {
        StringBuilder text = new();

        using (XmlWriter xml = XmlWriter.Create(text, Settings))
        {
            chart.WriteTo(xml);
        }

        // The style stands right behind the opening tag, where it also colours a chart that is opened alone.
        int end = text.ToString().IndexOf('>', StringComparison.Ordinal) + 1;
        return text.Insert(end, $"<style>{ForCharts}</style>").ToString();
    }

    internal static XmlWriterSettings Settings { get; } = new()
    {
        OmitXmlDeclaration = true,
        ConformanceLevel = ConformanceLevel.Auto,
        NewLineChars = "\n",
    };

    private static string Compose()
    {
        StringBuilder css = new();
        css.Append(":root{--paper:#ffffff;--ink:#1f2328;--faint:#57606a;--grid:#d8dee4;--panel:#f6f8fa");
        AppendPalette(css, isDark: false);
        css.Append("}\n@media (prefers-color-scheme:dark){:root{--paper:#14171c;--ink:#e6e9ee;--faint:#9aa4b0;");
        css.Append("--grid:#333a44;--panel:#1c2128");
        AppendPalette(css, isDark: true);
        css.Append("}}\nsvg.chart{background:var(--paper);font:12px system-ui,-apple-system,'Segoe UI',sans-serif}\n");
        css.Append(".chart text{fill:var(--ink)}.chart .mark{fill:var(--faint);font-size:11px}\n");
        css.Append(".chart .title{font-size:14px;font-weight:600}.chart .grid{stroke:var(--grid);stroke-width:1}\n");
        css.Append(".chart .axis{stroke:var(--faint);stroke-width:1}.chart .line{fill:none;stroke-width:1.8;");
        css.Append("stroke-linejoin:round}.chart .reference{stroke:var(--faint);stroke-width:1.5;");
        css.Append("stroke-dasharray:6 4;fill:none}.chart .range{stroke:var(--ink);stroke-width:1.2}\n");
        css.Append(".chart .ring{fill:var(--paper);stroke-width:2}\n");

        for (int i = 0; i < Colours; i++)
        {
            css.Append($".chart .s{i}{{stroke:var(--s{i})}}.chart .f{i}{{fill:var(--s{i})}}");
        }

        return css.Append('\n').ToString();
    }

    private static void AppendPalette(StringBuilder css, bool isDark)
    {
        for (int i = 0; i < Colours; i++)
        {
            css.Append($";--s{i}:{(isDark ? Palette[i].Dark : Palette[i].Light)}");
        }
    }
}
