using System.Globalization;
using Gudp.Sequencing;

namespace Gudp.Tools.Arguments;

/// <summary>Tags of a run as the user writes them: a time, "5", or a time and a round, "5,2" or "(5,2)".</summary>
internal static class TagText
{
    internal const string Form = "a tag, such as 5, or 5,2 for round 2 of time 5";

    internal static bool TryParse(string text, out Tag tag)
    {
        string[] parts = (text.StartsWith('(') && text.EndsWith(')') ? text[1..^1] : text).Split(',');
        uint round = 0;
        bool isRead = long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long time)
            && time < long.MaxValue
            && (parts.Length == 1 || (parts.Length == 2
                && uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out round)));
        tag = isRead ? new Tag(time, round) : default;
        return isRead;
    }
}
