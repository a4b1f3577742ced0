namespace Gudp.Tools.Charts;

/// <summary>What an axis shows.</summary>
/// <param name="Title">What is counted or measured.</param>
/// <param name="Unit">Shown behind the title; empty for a mere number.</param>
internal sealed record ChartAxis(string Title, string Unit = "")
{
    /// <summary>Each power of ten takes the same room; values of 0 and less have no place and are left out.</summary>
    internal bool IsLogarithmic { get; init; }

    /// <summary>Where it begins; null: at the least value shown, or at 0 if that is near.</summary>
    internal double? Least { get; init; }

    /// <summary>Where it ends; null: a round number at or above the largest value shown.</summary>
    internal double? Most { get; init; }

    internal string Label => Unit.Length == 0 ? Title : $"{Title} ({Unit})";
}
