using System.Globalization;
using System.Text;
using System.Xml;

namespace Gudp.Tools.Charts;

/// <summary>Where a text stands in relation to its coordinate.</summary>
internal enum TextAnchor
{
    Start,
    Middle,
    End,
}

/// <summary>Writes the elements of one drawing; numbers in a form that every reader understands.</summary>
internal sealed class SvgCanvas
{
    private const string SvgNamespace = "http://www.w3.org/2000/svg";

    private readonly XmlWriter _xml;

    /// <summary>Opens the drawing; <see cref="Close"/> ends it.</summary>
    internal SvgCanvas(XmlWriter xml, string title, double width, double height)
    {
        _xml = xml;
        xml.WriteStartElement("svg", SvgNamespace);
        Attribute("class", "chart");
        Attribute("viewBox", $"0 0 {Number(width)} {Number(height)}");
        Attribute("width", Number(width));
        Attribute("height", Number(height));
        Attribute("role", "img");
        Attribute("aria-label", title);
        Element("title", title);
    }

    internal void Close() => _xml.WriteEndElement();

    /// <summary>What is drawn until <see cref="CloseGroup"/> has these attributes where its style does not say otherwise.</summary>
    internal void OpenGroup(params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        _xml.WriteStartElement("g", SvgNamespace);

        foreach ((string name, string value) in attributes)
        {
            Attribute(name, value);
        }
    }

    internal void CloseGroup() => _xml.WriteEndElement();

    internal void Line(ChartPoint from, ChartPoint to, string style)
    {
        Start("line", style);
        Attribute("x1", Number(from.X));
        Attribute("y1", Number(from.Y));
        Attribute("x2", Number(to.X));
        Attribute("y2", Number(to.Y));
        _xml.WriteEndElement();
    }

    internal void Rectangle(ChartPoint corner, double width, double height, string style, string? tip = null)
    {
        Start("rect", style);
        Attribute("x", Number(corner.X));
        Attribute("y", Number(corner.Y));
        Attribute("width", Number(Math.Max(0, width)));
        Attribute("height", Number(Math.Max(0, height)));
        End(tip);
    }

    /// <summary>Joined points; null begins a new part.</summary>
    internal void Path(IEnumerable<ChartPoint?> points, string style)
    {
        StringBuilder path = new();
        bool isNew = true;

        foreach (ChartPoint? point in points)
        {
            if (point is ChartPoint at)
            {
                path.Append(isNew ? 'M' : 'L').Append(Number(at.X)).Append(' ').Append(Number(at.Y));
            }

            isNew = point is null;
        }

        if (path.Length > 0)
        {
            Start("path", style);
            Attribute("d", path.ToString());
            _xml.WriteEndElement();
        }
    }

    /// <summary>A filled polygon.</summary>
    internal void Shape(IReadOnlyList<ChartPoint> corners, string style, string? tip = null)
    {
        Start("path", style);
        Attribute("d", "M" + string.Join('L', corners.Select(at => $"{Number(at.X)} {Number(at.Y)}")) + "z");
        End(tip);
    }

    /// <summary>A small mark; eight numbers give four shapes.</summary>
    internal void Mark(ChartPoint at, int shape, string style, string? tip = null)
    {
        const double Radius = 3.2;
        string x = Number(at.X);
        string y = Number(at.Y);

        if (shape % 4 == 0)
        {
            Start("circle", style);
            Attribute("cx", x);
            Attribute("cy", y);
            Attribute("r", Number(Radius));
            End(tip);
            return;
        }

        Start("path", style);
        Attribute("d", (shape % 4) switch
        {
            1 => $"M{x} {y}m-3-3h6v6h-6z",
            2 => $"M{x} {y}m0-4l3.8 6.6h-7.6z",
            _ => $"M{x} {y}m0-4.2l4.2 4.2l-4.2 4.2l-4.2-4.2z",
        });
        End(tip);
    }

    /// <summary>A ring of the size of a mark.</summary>
    internal void Ring(ChartPoint at, string style, string tip)
    {
        Start("circle", style);
        Attribute("cx", Number(at.X));
        Attribute("cy", Number(at.Y));
        Attribute("r", "3.6");
        End(tip);
    }

    /// <summary>A text that shows another one under the pointer.</summary>
    internal void Text(ChartPoint at, (string Shown, string Tip) text, string style, TextAnchor anchor)
    {
        Start("text", style);
        Attribute("x", Number(at.X));
        Attribute("y", Number(at.Y));
        WriteAnchor(anchor);
        End(text.Tip, text.Shown);
    }

    internal void Text(ChartPoint at, string text, string style, TextAnchor anchor = TextAnchor.Start)
    {
        Start("text", style);
        Attribute("x", Number(at.X));
        Attribute("y", Number(at.Y));
        WriteAnchor(anchor);
        End(null, text);
    }

    /// <summary>A text that reads upwards, centred on the coordinate.</summary>
    internal void UprightText(ChartPoint at, string text, string style)
    {
        Start("text", style);
        Attribute("transform", $"translate({Number(at.X)} {Number(at.Y)}) rotate(-90)");
        WriteAnchor(TextAnchor.Middle);
        End(null, text);
    }

    internal static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private void WriteAnchor(TextAnchor anchor)
    {
        if (anchor != TextAnchor.Start)
        {
            Attribute("text-anchor", anchor == TextAnchor.Middle ? "middle" : "end");
        }
    }

    private void Start(string name, string style)
    {
        _xml.WriteStartElement(name, SvgNamespace);
        Attribute("class", style);
    }

    private void End(string? tip, string? text = null)
    {
        if (tip is not null)
        {
            Element("title", tip);
        }

        if (text is not null)
        {
            _xml.WriteString(PageText.Of(text));
        }

        _xml.WriteEndElement();
    }

    private void Element(string name, string text)
    {
        _xml.WriteStartElement(name, SvgNamespace);
        _xml.WriteString(PageText.Of(text));
        _xml.WriteFullEndElement();
    }

    private void Attribute(string name, string value) => _xml.WriteAttributeString(name, PageText.Of(value));
}
