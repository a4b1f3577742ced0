using System.CommandLine;
using Gudp.Core;
using Gudp.Tools.Configuration;
using Gudp.Tools.Output;

namespace Gudp.Tools.Commands;

/// <summary><c>gudp config show|validate|explain|diff</c>.</summary>
internal static class ConfigCommand
{
    internal static Command Create(Printer printer) => new("config", "Shows, checks, explains and compares configs.")
    {
        Show(printer), Validate(printer), Explain(printer), Diff(printer),
    };

    private static Command Show(Printer printer)
    {
        SourceOptions sources = new();
        Command command = sources.AddTo(new Command("show", "Every key with its value."));
        command.SetAction(parsed => (int)Show(sources.LayerOf(parsed), sources.Of(parsed), printer));
        return command;
    }

    private static Command Validate(Printer printer)
    {
        SourceOptions sources = new();
        Command command = sources.AddTo(new Command("validate", "Lists every mistake; exit code 2 if there is one."));
        command.SetAction(parsed => (int)Validate(sources.LayerOf(parsed), sources.Of(parsed), printer));
        return command;
    }

    private static Command Explain(Printer printer)
    {
        Option<string> layer = LayerOption();
        Argument<string> key = new("KEY") { Description = "Such as Connections.IdleTimeout, or IdleTimeout alone." };
        Command command = new("explain", "What a key means, what it costs, and where its default comes from.")
        {
            key, layer,
        };
        command.SetAction(parsed => (int)Explain(LayerOf(parsed, layer), parsed.GetRequiredValue(key), printer));
        return command;
    }

    private static Command Diff(Printer printer)
    {
        Option<string> layer = LayerOption();
        Argument<string> left = new("A") { Description = "A preset, a file, or text such as 'Name=left'." };
        Argument<string> right = new("B") { Description = "The other one." };
        Command command = new("diff", "The keys in which two configs differ.") { left, right, layer };
        command.SetAction(parsed => (int)Diff(
            LayerOf(parsed, layer), parsed.GetRequiredValue(left), parsed.GetRequiredValue(right), printer));
        return command;
    }

    private static ExitCode Show(IConfigLayer layer, IReadOnlyList<ConfigSource> sources, Printer printer)
    {
        if (!TryRead(layer, sources, printer, out IReadOnlyDictionary<string, string> values))
        {
            return ExitCode.Usage;
        }

        TextTable table = new("key", "value", "default");

        foreach (ConfigKey key in layer.Keys)
        {
            string value = values[key.Key];
            table.Add(key.Key, value, value == key.Default ? "yes" : key.Default);
        }

        printer.Table(table);
        return ExitCode.Fine;
    }

    private static ExitCode Validate(IConfigLayer layer, IReadOnlyList<ConfigSource> sources, Printer printer)
    {
        if (!TryRead(layer, sources, printer, out IReadOnlyDictionary<string, string> values))
        {
            return ExitCode.Usage;
        }

        string protection = layer.Find("Connections.Security.Protection").Key;
        printer.Line(values[protection] == nameof(Protection.Unset)
            ? $"valid; to open anything, {protection} must be named as well"
            : "valid");
        return ExitCode.Fine;
    }

    private static ExitCode Explain(IConfigLayer layer, string key, Printer printer)
    {
        ConfigKey found;

        try
        {
            found = layer.Find(key);
        }
        catch (GudpConfigException refused)
        {
            throw new CommandFailure(ExitCode.Usage, refused.Problems[0]);
        }

        TuningRow? row = TuningPage.Load().Find(found.Key);
        printer.Line($"{found.Key} ({found.Kind})");
        printer.Line(row?.Meaning ?? "The tuning page does not name it.");
        printer.Line($"default: {found.Default}");
        printer.Line($"allowed: {found.Range}");
        printer.Line($"source: {row?.Source ?? "-"}");
        return ExitCode.Fine;
    }

    private static ExitCode Diff(IConfigLayer layer, string left, string right, Printer printer)
    {
        if (!TryRead(layer, [ConfigSource.Guess(left, layer)], printer, out IReadOnlyDictionary<string, string> a)
            || !TryRead(layer, [ConfigSource.Guess(right, layer)], printer, out IReadOnlyDictionary<string, string> b))
        {
            return ExitCode.Usage;
        }

        string[] different = [.. layer.Keys.Select(key => key.Key).Where(key => a[key] != b[key])];

        if (different.Length == 0)
        {
            printer.Line("no difference");
            return ExitCode.Fine;
        }

        TextTable table = new("key", "A", "B");

        foreach (string key in different)
        {
            table.Add(key, a[key], b[key]);
        }

        printer.Table(table);
        return ExitCode.Fine;
    }

    /// <summary>Prints every problem on a line of its own.</summary>
    private static bool TryRead(
        IConfigLayer layer,
        IReadOnlyList<ConfigSource> sources,
        Printer printer,
        out IReadOnlyDictionary<string, string> values)
    {
        try
        {
            values = layer.Read(sources);
            return true;
        }
        catch (GudpConfigException refused)
        {
            foreach (string problem in refused.Problems)
            {
                printer.Error(problem);
            }

            values = new Dictionary<string, string>();
            return false;
        }
    }

    private static Option<string> LayerOption()
    {
        Option<string> option = new("--layer")
        {
            Description = "Whose config: core, or messaging with core inside.",
            HelpName = "NAME",
            DefaultValueFactory = _ => ConfigLayers.Core.Name,
        };
        option.AcceptOnlyFromAmong([.. ConfigLayers.All.Select(layer => layer.Name)]);
        return option;
    }

    private static IConfigLayer LayerOf(ParseResult parsed, Option<string> option)
        => ConfigLayers.All.First(layer => layer.Name == parsed.GetRequiredValue(option));

    /// <summary>Where a config comes from: a preset, then a file, then text, each on top of the one before.</summary>
    private sealed class SourceOptions
    {
        private readonly Option<string> _layer = LayerOption();

        private readonly Option<string?> _preset = new("--preset")
        {
            Description = "Starts from it: Lan, Internet, Lossy, Lockstep or Bulk.",
            HelpName = "NAME",
        };

        private readonly Option<string?> _file = new("--file")
        {
            Description = "A file with Key=value lines, or with a JSON object.",
            HelpName = "FILE",
        };

        private readonly Argument<string?> _text = new("TEXT")
        {
            Description = "Such as 'Preset=Lossy; Connections.IdleTimeout=20s'.",
            Arity = ArgumentArity.ZeroOrOne,
        };

        internal Command AddTo(Command command)
        {
            command.Add(_preset);
            command.Add(_file);
            command.Add(_layer);
            command.Add(_text);
            return command;
        }

        internal IConfigLayer LayerOf(ParseResult parsed) => ConfigCommand.LayerOf(parsed, _layer);

        internal List<ConfigSource> Of(ParseResult parsed)
        {
            List<ConfigSource> sources = [];

            if (parsed.GetValue(_preset) is { } preset)
            {
                sources.Add(new ConfigSource(ConfigSourceKind.Preset, preset));
            }

            if (parsed.GetValue(_file) is { } file)
            {
                sources.Add(ConfigSource.FromFile(file));
            }

            if (parsed.GetValue(_text) is { } text)
            {
                sources.Add(new ConfigSource(ConfigSourceKind.Text, text));
            }

            return sources;
        }
    }
}
