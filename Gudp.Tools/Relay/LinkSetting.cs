using System.Globalization;
using Gudp.Core.Simulation;
using Gudp.Tools.Arguments;

namespace Gudp.Tools.Relay;

// One table for both ways to say it: as an option of both directions (--loss 5%) and as an entry of a text for one
// of them (--up loss=5%,delay=20ms).

/// <summary>One thing that can be wrong with a link, as it is written on a command line.</summary>
/// <param name="Name">"loss" for the option --loss and the entry loss=.</param>
/// <param name="HelpName">What stands for the value in the help.</param>
/// <param name="Description">What it does.</param>
/// <param name="Form">What the value looks like, for "is not ...".</param>
/// <param name="Apply">The link with this value; null if the text is none.</param>
internal sealed record LinkSetting(
    string Name,
    string HelpName,
    string Description,
    string Form,
    Func<LinkModel, string, LinkModel?> Apply)
{
    /// <summary>What the text of one direction looks like, for help and error messages.</summary>
    internal const string TextForm = "settings such as loss=5%,delay=20ms,rate=1MB/s";

    internal static IReadOnlyList<LinkSetting> All { get; } =
    [
        Span("delay", "Time each datagram takes, one way.", (link, span) => link with { Delay = span }),
        Span("jitter", "Up to this much is added to it.", (link, span) => link with { Jitter = span }),
        Chance("loss", "Datagrams that vanish.", (link, ppm) => link with { LossPpm = ppm }),
        new(
            "burst",
            "P%/N",
            "Chance that up to N datagrams in a row vanish, 1 to 64.",
            "a percentage and a count from 1 to 64, such as 0.1%/20",
            ApplyBurst),
        Chance("duplicate", "Datagrams that arrive twice.", (link, ppm) => link with { DuplicatePpm = ppm }),
        Chance(
            "reorder",
            "Datagrams held back so that others overtake.",
            (link, ppm) => link with { ReorderPpm = ppm }),
        Chance(
            "corrupt", "Datagrams with flipped bits or a missing end.", (link, ppm) => link with { CorruptPpm = ppm }),
        new(
            "rate",
            "RATE",
            "What one direction carries for all clients together, UDP payload only.",
            Amount.RateForm,
            (link, text) => Amount.TryReadRate(text, out long rate) ? link with { RateBytesPerSecond = rate } : null),
        new(
            "queue",
            "SIZE",
            "What may wait for the rate; more is dropped. 262144B if not given.",
            Amount.SizeForm,
            (link, text) => Amount.TryReadSize(text, out int bytes) ? link with { QueueBytes = bytes } : null),
        new(
            "mtu",
            "SIZE",
            "Longer datagrams vanish without a word; UDP payload, at most 65507B.",
            "a size of at most 65507B, such as 1200B",
            ApplyMtu),
        new(
            "outage",
            "ON/OFF",
            "Passes datagrams for ON, then swallows all for OFF, and so on.",
            "two times such as 5s/2s",
            ApplyOutage),
        new(
            "clog",
            "P%/TIME",
            "Chance that the link holds everything for TIME, then lets it go at once.",
            "a percentage and a time, such as 0.1%/200ms",
            ApplyClog),
    ];

    /// <summary>Reads the text of one direction; see <see cref="TextForm"/>.</summary>
    /// <param name="link">What it changes.</param>
    /// <param name="text">Entries with commas between them; the last of one name counts.</param>
    /// <param name="changed">The link with all entries.</param>
    /// <param name="problem">What is wrong, as one sentence; empty if nothing is.</param>
    internal static bool TryApplyAll(LinkModel link, string text, out LinkModel changed, out string problem)
    {
        changed = link;
        problem = string.Empty;

        foreach (string entry in text.Split(','))
        {
            int equals = entry.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? entry : entry[..equals];
            LinkSetting? setting = All.FirstOrDefault(known => known.Name == name.Trim());

            if (setting is null || equals < 0)
            {
                problem = $"'{entry}' is not NAME=VALUE with one of the names "
                    + $"{string.Join(", ", All.Select(known => known.Name))}.";
                return false;
            }

            if (!setting.TryApply(changed, entry[(equals + 1)..].Trim(), out changed, out problem))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads one value.</summary>
    internal bool TryApply(LinkModel link, string text, out LinkModel changed, out string problem)
    {
        LinkModel? applied = Apply(link, text);
        changed = applied ?? link;
        problem = applied is null ? $"'{text}' is not {Form}." : string.Empty;
        return applied is not null;
    }

    private static LinkSetting Chance(string name, string description, Func<LinkModel, int, LinkModel> apply)
        => new(
            name,
            "P%",
            description,
            Amount.ChanceForm,
            (link, text) => TryReadChance(text, out int ppm) ? apply(link, ppm) : null);

    private static LinkSetting Span(string name, string description, Func<LinkModel, TimeSpan, LinkModel> apply)
        => new(
            name,
            "TIME",
            description,
            $"{Amount.SpanForm}, and at most an hour",
            (link, text) => TryReadSpan(text, out TimeSpan span) ? apply(link, span) : null);

    // A plain number of a chance is a percentage, and nothing needs no unit.
    private static bool TryReadChance(string text, out int ppm)
        => Amount.TryReadChance(text.EndsWith('%') ? text : text + "%", out ppm);

    private static bool TryReadSpan(string text, out TimeSpan span)
        => Amount.TryReadSpan(text == "0" ? "0ms" : text, out span);

    private static LinkModel? ApplyBurst(LinkModel link, string text)
        => TrySplit(text, out string chance, out string count)
            && TryReadChance(chance, out int ppm)
            && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int packets)
            && packets is >= 1 and <= LinkDraws.LongestBurstPackets
                ? link with { BurstPpm = ppm, BurstPackets = packets }
                : null;

    private static LinkModel? ApplyMtu(LinkModel link, string text)
        => Amount.TryReadSize(text, out int bytes) && bytes <= LinkModel.Perfect.LargestBytes
            ? link with { LargestBytes = bytes }
            : null;

    private static LinkModel? ApplyOutage(LinkModel link, string text)
        => TrySplit(text, out string passes, out string swallows)
            && TryReadSpan(passes, out TimeSpan on)
            && TryReadSpan(swallows, out TimeSpan off)
                ? link with { OutageEvery = on + off, OutageFor = off }
                : null;

    private static LinkModel? ApplyClog(LinkModel link, string text)
        => TrySplit(text, out string chance, out string time)
            && TryReadChance(chance, out int ppm)
            && TryReadSpan(time, out TimeSpan span)
                ? link with { ClogPpm = ppm, ClogFor = span }
                : null;

    private static bool TrySplit(string text, out string first, out string second)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        (first, second) = slash < 0 ? (text, string.Empty) : (text[..slash], text[(slash + 1)..]);
        return slash >= 0;
    }
}
