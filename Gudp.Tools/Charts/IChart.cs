using System.Xml;

namespace Gudp.Tools.Charts;

/// <summary>A drawing that a page can hold.</summary>
internal interface IChart
{
    /// <summary>What it shows, in one line; also its name for those who do not see it.</summary>
    string Title { get; }

    /// <summary>Writes one svg element, without the style it needs: see <see cref="ChartStyle"/>.</summary>
    void WriteTo(XmlWriter xml);
}
