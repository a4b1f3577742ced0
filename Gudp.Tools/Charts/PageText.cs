using System.Xml;

namespace Gudp.Tools.Charts;

/// <summary>Texts of others on a page: a name in a record may hold anything.</summary>
internal static class PageText
{
    private const char Replacement = '\uFFFD';

    /// <summary>
    /// The text with a replacement character for all that XML has no form for, and for the marks that would turn the
    /// direction of what stands behind them.
    /// </summary>
    internal static string Of(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!IsShown(text, i))
            {
                return string.Create(text.Length, text, Replace);
            }
        }

        return text;
    }

    /// <summary>At most so many characters, with the middle left out: names of one kind differ at their ends.</summary>
    internal static string Shorten(string name, int most)
    {
        int end = most / 2;
        return name.Length <= most
            ? name
            : string.Concat(name.AsSpan(0, most - 1 - end), "…", name.AsSpan(name.Length - end));
    }

    private static void Replace(Span<char> shown, string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            shown[i] = IsShown(text, i) ? text[i] : Replacement;
        }
    }

    private static bool IsShown(string text, int i) => text[i] switch
    {
        >= '\u202A' and <= '\u202E' or >= '\u2066' and <= '\u2069' => false,
        var high when char.IsHighSurrogate(high) => i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]),
        var low when char.IsLowSurrogate(low) => i > 0 && char.IsHighSurrogate(text[i - 1]),
        var other => !char.IsControl(other) && XmlConvert.IsXmlChar(other),
    };
}
