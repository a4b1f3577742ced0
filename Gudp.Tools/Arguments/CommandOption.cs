using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Gudp.Core.Simulation;
using Gudp.Sequencing;
using Gudp.Tools.Relay;

namespace Gudp.Tools.Arguments;

/// <summary>Makes the options and arguments of all commands, so that one kind of value is read in one way.</summary>
internal static class CommandOption
{
    /// <summary>Reads a text into a value, or says in a sentence why it cannot.</summary>
    private delegate bool Reader<T>(string text, out T value, out string problem);

    /// <summary>A required local port; 0 lets the system pick one.</summary>
    internal static Option<int> Port(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "PORT",
        Required = true,
        CustomParser = Parser<int>(ReadPort),
    };

    /// <summary>A local port that need not be named; null if it was not.</summary>
    internal static Option<int?> OptionalPort(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "PORT",
        CustomParser = Parser((string text, out int? port, out string problem) =>
        {
            bool isRead = ReadPort(text, out int read, out problem);
            port = read;
            return isRead;
        }),
    };

    /// <summary>Sizes of messages; may be given several times.</summary>
    internal static Option<int[]> Sizes(string name, string description, int[] standard, int most) => new(name)
    {
        Description = description,
        HelpName = "SIZE",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => standard,
        CustomParser = result =>
        {
            List<int> sizes = [];

            foreach (Token token in result.Tokens)
            {
                if (!Amount.TryReadSize(token.Value, out int size) || size > most)
                {
                    result.AddError($"'{token.Value}' is not {Amount.SizeForm}, and at most {most} bytes.");
                }

                sizes.Add(size);
            }

            return [.. sizes];
        },
    };

    internal static Option<int> Count(
        string name, string description, int standard, (int Least, int Most) range) => new(name)
        {
            Description = description,
            HelpName = "N",
            DefaultValueFactory = _ => standard,
            CustomParser = Parser((string text, out int count, out string problem) =>
            {
                problem = $"'{text}' is not a count from {range.Least} to {range.Most}.";
                return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count)
                    && count >= range.Least && count <= range.Most;
            }),
        };

    internal static Option<ulong> Seed() => new("--seed")
    {
        Description = "Whatever is drawn follows from it: the same seed treats the same packets in the same way.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
        CustomParser = Parser((string text, out ulong seed, out string problem) =>
        {
            problem = $"'{text}' is not a whole number from 0 to 18446744073709551615.";
            return ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seed);
        }),
    };

    /// <summary>A share in percent, as parts per million.</summary>
    internal static Option<int> Percent(string name, string description, int standardPercent = 0) => new(name)
    {
        Description = description,
        HelpName = "P%",
        DefaultValueFactory = _ => standardPercent * 10_000,
        CustomParser = Parser((string text, out int partsPerMillion, out string problem) =>
        {
            problem = $"'{text}' is not {Amount.ChanceForm}.";
            return Amount.TryReadChance(text.EndsWith('%') ? text : text + "%", out partsPerMillion);
        }),
    };

    internal static Option<TimeSpan> Span(string name, string description, TimeSpan standard) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        DefaultValueFactory = _ => standard,
        CustomParser = Parser((string text, out TimeSpan span, out string problem) =>
        {
            problem = $"'{text}' is not {Amount.SpanForm}, and at most an hour.";
            return Amount.TryReadSpan(text == "0" ? "0ms" : text, out span);
        }),
    };

    /// <summary>One setting of a link, checked and kept as it was written; null if it was not given.</summary>
    internal static Option<string?> Of(LinkSetting setting) => new("--" + setting.Name)
    {
        Description = setting.Description,
        HelpName = setting.HelpName,
        CustomParser = Parser<string?>((string text, out string? read, out string problem) =>
        {
            read = text;
            return setting.TryApply(LinkModel.Perfect, text, out _, out problem);
        }),
    };

    /// <summary>Settings of one direction, checked and kept as they were written; null if not given.</summary>
    internal static Option<string?> LinkText(string name, string description) => new(name)
    {
        Description = $"{description} {LinkSetting.TextForm}.",
        HelpName = "SETTINGS",
        CustomParser = Parser<string?>((string text, out string? read, out string problem) =>
        {
            read = text;
            return LinkSetting.TryApplyAll(LinkModel.Perfect, text, out _, out problem);
        }),
    };

    internal static Option<HostPort> TargetOption(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "HOST:PORT",
        Required = true,
        CustomParser = Parser<HostPort>(ReadTarget),
    };

    /// <summary>A tag of a run that need not be named; null if it was not.</summary>
    internal static Option<Tag?> OptionalTag(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TAG",
        CustomParser = Parser((string text, out Tag? tag, out string problem) =>
        {
            bool isRead = TagText.TryParse(text, out Tag read);
            tag = read;
            problem = $"'{text}' is not {TagText.Form}.";
            return isRead;
        }),
    };

    /// <summary>A tag of a run, or the word "clear": null.</summary>
    internal static Argument<Tag?> TagOrClear(string description) => new("TAG|clear")
    {
        Description = description,
        CustomParser = Parser((string text, out Tag? tag, out string problem) =>
        {
            bool isTag = TagText.TryParse(text, out Tag read);
            tag = isTag ? read : null;
            problem = $"'{text}' is not {TagText.Form}, and not 'clear'.";
            return isTag || text == "clear";
        }),
    };

    internal static Argument<HostPort> Target(string description) => new("HOST:PORT")
    {
        Description = description,
        CustomParser = Parser<HostPort>(ReadTarget),
    };

    private static bool ReadPort(string text, out int port, out string problem)
    {
        problem = $"'{text}' is not a port; allowed is 1 to 65535, or 0 for any free one.";
        return HostPort.TryParsePort(text, least: 0, out port);
    }

    private static bool ReadTarget(string text, out HostPort target, out string problem)
    {
        bool isRead = HostPort.TryParse(text, out HostPort? found, out problem);
        target = found!;
        return isRead;
    }

    private static Func<ArgumentResult, T?> Parser<T>(Reader<T> read) => result =>
    {
        if (read(result.Tokens[0].Value, out T value, out string problem))
        {
            return value;
        }

        result.AddError(problem);
        return default;
    };
}
