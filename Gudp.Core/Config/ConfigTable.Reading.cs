// From text, a dictionary or the pairs of a configuration to a config and back.
//
// All forms go through Read: entries of key and value in any order. Presets come first whatever their place, because
// a configuration sorts its keys: "Preset=Lossy; Connections.IdleTimeout=20s" means the same in every form.
using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Linq;
using Gudp.Core.Config;

namespace Gudp.Core;

public sealed partial class ConfigTable<TConfig>
{
    /// <summary>The key that takes a whole config by name.</summary>
    internal const string PresetKey = "Preset";

    private const int FarthestGuess = 6;
    private const int FarthestGuessOfLastPart = 2;
    private const char ConfigurationSeparator = ':';

    private static readonly char[] LineEnds = ['\n', '\r'];

    /// <summary>The names that "Preset" takes, in the order they were added.</summary>
    public IEnumerable<string> PresetNames
        => _presets.Where(static preset => preset.Key == PresetKey).Select(static preset => preset.Name);

    /// <summary>Checks ranges and rules, and throws one exception that lists every problem.</summary>
    /// <exception cref="GudpConfigException">At least one value or relation is not allowed.</exception>
    public void Validate(TConfig config)
    {
        var errors = new ConfigErrors();
        Check(config, errors);
        errors.ThrowIfAny(_subject);
    }

    /// <summary>The config of that name; upper and lower case are the same.</summary>
    /// <exception cref="GudpConfigException">There is none; lists those there are.</exception>
    public TConfig FromPreset(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var errors = new ConfigErrors();
        TConfig config = ApplyPreset(default, PresetKey, name, errors);
        errors.ThrowIfAny(_subject);
        return config;
    }

    /// <summary>
    /// Reads "Key=value; Key=value"; line ends separate like ';', and a line that begins with '#' is a comment. What is
    /// not named keeps its default, or what "Preset=name" says. The result is valid.
    /// </summary>
    /// <exception cref="GudpConfigException">Lists every unknown key, unreadable value and broken rule.</exception>
    public TConfig Parse(string text) => Parse(text, default);

    /// <summary>As <see cref="Parse(string)"/>, but what is not named keeps what it has in another config.</summary>
    /// <param name="text">Entries of key and value; "Preset=name" puts aside all of <paramref name="start"/>.</param>
    /// <param name="start">Where to start; need not be valid by itself.</param>
    /// <exception cref="GudpConfigException">Lists every unknown key, unreadable value and broken rule.</exception>
    public TConfig Parse(string text, TConfig start)
    {
        ArgumentNullException.ThrowIfNull(text);
        var errors = new ConfigErrors();
        TConfig config = Read(start, Entries(text, errors), errors);
        errors.ThrowIfAny(_subject);
        return config;
    }

    /// <summary>As <see cref="Parse(string)"/>, without an exception.</summary>
    /// <returns>False: something is wrong with the text; <see cref="Parse(string)"/> says what.</returns>
    public bool TryParse([NotNullWhen(true)] string? text, out TConfig config)
    {
        config = default;

        if (text is null)
        {
            return false;
        }

        var errors = new ConfigErrors();
        TConfig read = Read(default, Entries(text, errors), errors);
        config = errors.Count == 0 ? read : default;
        return errors.Count == 0;
    }

    /// <summary>Reads entries of key and value. What is not named keeps its default. The result is valid.</summary>
    /// <exception cref="GudpConfigException">Lists every unknown key, unreadable value and broken rule.</exception>
    public TConfig FromDictionary(IReadOnlyDictionary<string, string> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var errors = new ConfigErrors();
        TConfig config = Read(default, entries, errors);
        errors.ThrowIfAny(_subject);
        return config;
    }

    /// <summary>
    /// Reads what a configuration's <c>AsEnumerable</c> gives: keys with ':' between their parts, and rows without a
    /// value for sections, which are passed over. Same keys, same errors as <see cref="Parse(string)"/>.
    /// </summary>
    /// <param name="pairs">Keys and values; a key without a value keeps its default.</param>
    /// <param name="section">
    /// Only keys below it are read, such as "Gudp" for "Gudp:Connections:IdleTimeout". Empty: every key is ours.
    /// </param>
    /// <exception cref="GudpConfigException">Lists every unknown key, unreadable value and broken rule.</exception>
    public TConfig FromConfiguration(IEnumerable<KeyValuePair<string, string?>> pairs, string section = "")
        => FromConfiguration(pairs, section, default);

    /// <summary>As the other, but what is not named keeps what it has in another config.</summary>
    /// <param name="pairs">Keys and values; a key without a value changes nothing.</param>
    /// <param name="section">Only keys below it are read; empty: every key is ours.</param>
    /// <param name="start">Where to start; need not be valid by itself.</param>
    /// <exception cref="GudpConfigException">Lists every unknown key, unreadable value and broken rule.</exception>
    public TConfig FromConfiguration(
        IEnumerable<KeyValuePair<string, string?>> pairs, string section, TConfig start)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(section);
        var errors = new ConfigErrors();
        TConfig config = Read(start, EntriesBelow(section, pairs, errors), errors);
        errors.ThrowIfAny(_subject);
        return config;
    }

    /// <summary>Every key with its value, also the defaults; a new dictionary, the caller's.</summary>
    public Dictionary<string, string> ToDictionary(TConfig config)
        => _rows.ToDictionary(static row => row.Key, row => row.Show(config));

    /// <summary>
    /// Every key with its value as <c>AddInMemoryCollection</c> of a configuration takes them: ':' between the parts of
    /// a key, and the section in front.
    /// </summary>
    /// <param name="config">What is written.</param>
    /// <param name="section">Such as "Gudp"; empty for none.</param>
    public IEnumerable<KeyValuePair<string, string?>> ToConfiguration(TConfig config, string section = "")
    {
        string prefix = string.IsNullOrEmpty(section) ? "" : section + ConfigurationSeparator;
        return _rows.Select(row => new KeyValuePair<string, string?>(
            prefix + row.Key.Replace('.', ConfigurationSeparator), row.Show(config)));
    }

    /// <summary>What differs from the default as "Key=value; Key=value"; empty for the default itself.</summary>
    public string ToText(TConfig config)
        => string.Join("; ", _rows
            .Where(row => row.Show(config) != row.Show(default))
            .Select(row => $"{row.Key}={row.Show(config)}"));

    /// <summary>One value in text form, for messages.</summary>
    public string ValueOf(TConfig config, string key) => _byKey[key].Show(config);

    /// <summary>
    /// Finds a key by its name, or by its last parts if no other key ends with them; '.' and ':' are the same.
    /// </summary>
    /// <exception cref="GudpConfigException">There is no such key; names the nearest.</exception>
    public ConfigKey Find(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        string wanted = WithDots(key);
        List<Row> endingSo = _rows.FindAll(row => row.EndsWith(wanted));

        if (_byKey.TryGetValue(wanted, out Row? found) || (endingSo.Count == 1 && (found = endingSo[0]) is not null))
        {
            return found.Describe();
        }

        throw new GudpConfigException(_subject, [Unknown(wanted)]);
    }

    /// <summary>Checks ranges and rules, and notes what is wrong.</summary>
    internal void Check(TConfig config, ConfigErrors errors)
    {
        foreach (Row row in _rows)
        {
            row.Check(config, errors);
        }

        foreach (Action<TConfig, ConfigErrors> rule in _rules)
        {
            rule(config, errors);
        }
    }

    private static string WithDots(string key) => key.Replace(ConfigurationSeparator, '.');

    private static List<KeyValuePair<string, string>> Entries(string text, ConfigErrors errors)
    {
        const StringSplitOptions Clean = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;
        var entries = new List<KeyValuePair<string, string>>();

        foreach (string entry in text.Split(LineEnds, Clean)
            .Where(static line => !line.StartsWith('#'))
            .SelectMany(static line => line.Split(';', Clean)))
        {
            int equals = entry.IndexOf('=', StringComparison.Ordinal);

            if (equals <= 0)
            {
                errors.Add($"'{entry}' is not an entry; write Key=value.");
                continue;
            }

            entries.Add(new(entry[..equals].TrimEnd(), entry[(equals + 1)..].TrimStart()));
        }

        return entries;
    }

    private List<KeyValuePair<string, string>> EntriesBelow(
        string section, IEnumerable<KeyValuePair<string, string?>> pairs, ConfigErrors errors)
    {
        string prefix = section.Length == 0 ? "" : WithDots(section) + ".";
        var entries = new List<KeyValuePair<string, string>>();
        var withoutValue = new List<string>();

        foreach ((string path, string? value) in pairs)
        {
            string key = WithDots(path);

            if (key.Length <= prefix.Length || !key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            key = key[prefix.Length..];

            if (value is null)
            {
                withoutValue.Add(key);
            }
            else
            {
                entries.Add(new(key, value));
            }
        }

        // A section holds others, or could. A name that is nobody's and holds nothing is a mistake like any other.
        foreach (string key in withoutValue.Where(key => !IsSection(key) && !entries.Exists(e => IsBelow(e.Key, key))))
        {
            errors.Add(Unknown(key));
        }

        return entries;
    }

    private static bool IsBelow(string key, string section)
        => key.StartsWith(section + ".", StringComparison.OrdinalIgnoreCase);

    private bool IsSection(string key)
        => _byKey.ContainsKey(key) || IsPresetKey(key) || _rows.Exists(row => IsBelow(row.Key, key));

    private bool IsPresetKey(string key)
        => _presets.Exists(preset => preset.Key.Equals(key, StringComparison.OrdinalIgnoreCase));

    private TConfig Read(TConfig start, IEnumerable<KeyValuePair<string, string>> entries, ConfigErrors errors)
    {
        TConfig config = start;
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        KeyValuePair<string, string>[] all =
            [.. entries.Select(static entry => KeyValuePair.Create(WithDots(entry.Key), entry.Value))];

        // The preset of the whole before that of a part.
        foreach ((string key, string value) in all.Where(e => IsPresetKey(e.Key)).OrderBy(static e => e.Key.Length))
        {
            config = ApplyPreset(config, key, value, errors);
        }

        foreach ((string key, string value) in all)
        {
            if (!seen.Add(key))
            {
                string name = _byKey.TryGetValue(key, out Row? twice) ? twice.Key : key;
                errors.Add($"{name} is given twice; give it once.");
            }
            else if (IsPresetKey(key))
            {
                continue;
            }
            else if (!_byKey.TryGetValue(key, out Row? row))
            {
                errors.Add(Unknown(key));
            }
            else if (!row.TryChange(config, value, out config))
            {
                errors.Add($"{row.Key} is '{value}'; write {row.Forms}.");
            }
        }

        Check(config, errors);
        return config;
    }

    private TConfig ApplyPreset(TConfig config, string key, string name, ConfigErrors errors)
    {
        Preset[] known = [.. _presets.Where(preset => preset.Key.Equals(key, StringComparison.OrdinalIgnoreCase))];

        if (Array.Find(known, preset => preset.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } wanted)
        {
            return wanted.Apply(config);
        }

        errors.Add(known.Length == 0
            ? Unknown(key)
            : $"{known[0].Key} is '{name}'; write one of {string.Join(", ", known.Select(static p => p.Name))}.");
        return config;
    }

    private string Unknown(string key) => $"{key} is not a key of {_subject}{Suggestion(key)}.";

    private string Suggestion(string key)
    {
        // The last part alone is what people remember: "IdleTimeout" without "Connections." in front.
        string? nearest = _rows.Find(row => row.EndsWith(key))?.Key
            ?? Nearest(key, static known => known, FarthestGuess)
            ?? Nearest(key, static known => known[(known.LastIndexOf('.') + 1)..], FarthestGuessOfLastPart);

        return nearest is null ? "" : $"; did you mean {nearest}?";
    }

    private string? Nearest(string key, Func<string, string> shorten, int farthest)
    {
        string? likely = _rows.Select(static row => row.Key)
            .Concat(_presets.Select(static preset => preset.Key))
            .MinBy(known => EditDistance.Between(shorten(known), key));
        return likely is not null && EditDistance.Between(shorten(likely), key) <= farthest ? likely : null;
    }
}
