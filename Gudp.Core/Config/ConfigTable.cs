// The text form, the ranges and the documentation of a config come from one table with one row per property.
//
// A row knows its key, how to read and to change the property, and what is allowed. From the rows follow Parse,
// FromDictionary, ToDictionary, ToString and Validate. Nothing is found by reflection, so a trimmed or
// ahead-of-time compiled program behaves the same.
using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Linq;
using Gudp.Core.Config;

namespace Gudp.Core;

/// <summary>What a key of a config is; for documentation and tools.</summary>
/// <param name="Key">The path of the property, such as "Connections.Loss.PacketThreshold".</param>
/// <param name="Kind">duration, bytes, count, flag, name, text or id.</param>
/// <param name="Default">The default in text form.</param>
/// <param name="Range">What is allowed, in text form.</param>
public readonly record struct ConfigKey(string Key, string Kind, string Default, string Range);

/// <summary>
/// One row per property of a config struct: its key, its text form and its range. Made once per config type, in a
/// static field; building is not thread-safe, everything else is.
/// </summary>
/// <typeparam name="TConfig">A readonly struct whose <c>default</c> is the default config.</typeparam>
public sealed class ConfigTable<TConfig>
    where TConfig : struct
{
    private const int FarthestGuess = 6;

    private readonly string _subject = typeof(TConfig).Name;
    private readonly List<Row> _rows = [];
    private readonly Dictionary<string, Row> _byKey = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<Action<TConfig, ConfigErrors>> _rules = [];

    private delegate bool Reader<TValue>(string text, out TValue value);

    /// <summary>All keys in the order they were added.</summary>
    public IEnumerable<ConfigKey> Keys
        => _rows.Select(static row => new ConfigKey(row.Key, row.Kind, row.Show(default), row.Range));

    /// <summary>A span of time; text such as "250ms".</summary>
    public ConfigTable<TConfig> Duration(
        string key,
        Func<TConfig, TimeSpan> get,
        Func<TConfig, TimeSpan, TConfig> set,
        (TimeSpan Least, TimeSpan Most) range,
        string reason)
        => Add(key, "duration", new Form<TimeSpan>(ConfigText.Write, ConfigText.TryRead, ConfigText.DurationForms),
            get, set, range, reason);

    /// <summary>An amount of memory; text such as "64KB", where KB is 1,024 bytes.</summary>
    public ConfigTable<TConfig> Bytes(
        string key,
        Func<TConfig, long> get,
        Func<TConfig, long, TConfig> set,
        (long Least, long Most) range,
        string reason)
        => Add(key, "bytes", new Form<long>(ConfigText.WriteBytes, ConfigText.TryReadBytes, ConfigText.BytesForms),
            get, set, range, reason);

    /// <summary>An amount of memory below 2 GB; text such as "64KB", where KB is 1,024 bytes.</summary>
    public ConfigTable<TConfig> Bytes(
        string key,
        Func<TConfig, int> get,
        Func<TConfig, int, TConfig> set,
        (int Least, int Most) range,
        string reason)
        => Add(
            key,
            "bytes",
            new Form<int>(
                static value => ConfigText.WriteBytes(value), ConfigText.TryReadBytes, ConfigText.FewBytesForms),
            get, set, range, reason);

    /// <summary>A number of things.</summary>
    public ConfigTable<TConfig> Count(
        string key,
        Func<TConfig, int> get,
        Func<TConfig, int, TConfig> set,
        (int Least, int Most) range,
        string reason)
        => Add(
            key,
            "count",
            new Form<int>(
                static value => value.ToString(CultureInfo.InvariantCulture),
                static (string text, out int value)
                    => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value),
                ConfigText.NumberForms),
            get, set, range, reason);

    /// <summary>A number that only says who is meant; text in hexadecimal such as "0x2A", or decimal.</summary>
    public ConfigTable<TConfig> Identifier(
        string key, Func<TConfig, ulong> get, Func<TConfig, ulong, TConfig> set)
        => Add(
            key,
            "id",
            new Form<ulong>(
                static value => "0x" + value.ToString("X", CultureInfo.InvariantCulture),
                ConfigText.TryReadIdentifier,
                ConfigText.NumberForms),
            get, set, (ulong.MinValue, ulong.MaxValue), "it has 64 bits");

    /// <summary>Yes or no; text "true" or "false".</summary>
    public ConfigTable<TConfig> Flag(string key, Func<TConfig, bool> get, Func<TConfig, bool, TConfig> set)
        => Add(
            key,
            "flag",
            new Form<bool>(static value => value ? "true" : "false", bool.TryParse, ConfigText.FlagForms),
            get, set, isAllowed: null, ConfigText.FlagForms, "");

    /// <summary>One of a few names.</summary>
    public ConfigTable<TConfig> Choice<TEnum>(
        string key, Func<TConfig, TEnum> get, Func<TConfig, TEnum, TConfig> set, string reason)
        where TEnum : struct, Enum
    {
        string names = string.Join(", ", Enum.GetNames<TEnum>());
        return Add(
            key,
            "name",
            new Form<TEnum>(static value => value.ToString(), ConfigText.TryRead, "one of " + names),
            get, set, Enum.IsDefined, names, reason);
    }

    /// <summary>Free text without ';', which separates the entries of a config's text.</summary>
    public ConfigTable<TConfig> Text(
        string key, Func<TConfig, string> get, Func<TConfig, string, TConfig> set, int mostCharacters, string reason)
        => Add(
            key,
            "text",
            new Form<string>(static value => value, TryReadText, "text"),
            get,
            set,
            value => value.Length >= 1 && value.Length <= mostCharacters
                && !value.Contains(';', StringComparison.Ordinal),
            string.Create(CultureInfo.InvariantCulture, $"1 to {mostCharacters} characters without ';'"),
            reason);

    /// <summary>
    /// Takes over all rows and rules of a part; their keys get <paramref name="name"/> and a dot in front.
    /// </summary>
    public ConfigTable<TConfig> Include<TPart>(
        string name, ConfigTable<TPart> part, Func<TConfig, TPart> get, Func<TConfig, TPart, TConfig> set)
        where TPart : struct
    {
        ArgumentNullException.ThrowIfNull(part);

        foreach (ConfigTable<TPart>.Row row in part._rows)
        {
            Add(new Row(
                $"{name}.{row.Key}",
                row.Kind,
                row.Range,
                row.Forms,
                config => row.Show(get(config)),
                (TConfig config, string text, out TConfig changed) =>
                {
                    bool isReadable = row.TryChange(get(config), text, out TPart changedPart);
                    changed = isReadable ? set(config, changedPart) : config;
                    return isReadable;
                },
                (config, errors) => row.Check(get(config), errors.Under(name))));
        }

        foreach (Action<TPart, ConfigErrors> rule in part._rules)
        {
            _rules.Add((config, errors) => rule(get(config), errors.Under(name)));
        }

        return this;
    }

    /// <summary>A rule between properties; checked after the ranges.</summary>
    public ConfigTable<TConfig> Rule(Action<TConfig, ConfigErrors> check)
    {
        _rules.Add(check);
        return this;
    }

    /// <summary>Checks ranges and rules, and throws one exception that lists every problem.</summary>
    /// <exception cref="GudpConfigException">At least one value or relation is not allowed.</exception>
    public void Validate(TConfig config)
    {
        var errors = new ConfigErrors();
        Check(config, errors);
        errors.ThrowIfAny(_subject);
    }

    /// <summary>
    /// Reads "Key=value; Key=value"; line ends separate like ';'. What is not named keeps its default. The result is
    /// valid.
    /// </summary>
    /// <exception cref="GudpConfigException">Lists every unknown key, unreadable value and broken rule.</exception>
    public TConfig Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var errors = new ConfigErrors();
        TConfig config = Read(Entries(text, errors), errors);
        errors.ThrowIfAny(_subject);
        return config;
    }

    /// <summary>As <see cref="Parse"/>, without an exception.</summary>
    /// <returns>False: something is wrong with the text; <see cref="Parse"/> says what.</returns>
    public bool TryParse([NotNullWhen(true)] string? text, out TConfig config)
    {
        config = default;

        if (text is null)
        {
            return false;
        }

        var errors = new ConfigErrors();
        TConfig read = Read(Entries(text, errors), errors);
        config = errors.Count == 0 ? read : default;
        return errors.Count == 0;
    }

    /// <summary>Reads entries of key and value. What is not named keeps its default. The result is valid.</summary>
    /// <exception cref="GudpConfigException">Lists every unknown key, unreadable value and broken rule.</exception>
    public TConfig FromDictionary(IReadOnlyDictionary<string, string> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var errors = new ConfigErrors();
        TConfig config = Read(entries, errors);
        errors.ThrowIfAny(_subject);
        return config;
    }

    /// <summary>Every key with its value, also the defaults; a new dictionary, the caller's.</summary>
    public Dictionary<string, string> ToDictionary(TConfig config)
        => _rows.ToDictionary(static row => row.Key, row => row.Show(config));

    /// <summary>What differs from the default as "Key=value; Key=value"; empty for the default itself.</summary>
    public string ToText(TConfig config)
        => string.Join("; ", _rows
            .Where(row => row.Show(config) != row.Show(default))
            .Select(row => $"{row.Key}={row.Show(config)}"));

    /// <summary>One value in text form, for messages.</summary>
    public string ValueOf(TConfig config, string key) => _byKey[key].Show(config);

    private static bool TryReadText(string text, out string value)
    {
        value = text;
        return true;
    }

    private ConfigTable<TConfig> Add<TValue>(
        string key,
        string kind,
        Form<TValue> form,
        Func<TConfig, TValue> get,
        Func<TConfig, TValue, TConfig> set,
        (TValue Least, TValue Most) range,
        string reason)
        where TValue : IComparable<TValue>
        => Add(
            key,
            kind,
            form,
            get,
            set,
            value => value.CompareTo(range.Least) >= 0 && value.CompareTo(range.Most) <= 0,
            $"{form.Write(range.Least)} to {form.Write(range.Most)}",
            reason);

    private ConfigTable<TConfig> Add<TValue>(
        string key,
        string kind,
        Form<TValue> form,
        Func<TConfig, TValue> get,
        Func<TConfig, TValue, TConfig> set,
        Func<TValue, bool>? isAllowed,
        string allowed,
        string reason)
    {
        return Add(new Row(key, kind, allowed, form.Forms, config => form.Write(get(config)), TryChange, Check));

        bool TryChange(TConfig config, string text, out TConfig changed)
        {
            bool isReadable = form.TryRead(text, out TValue value);
            changed = isReadable ? set(config, value) : config;
            return isReadable;
        }

        void Check(TConfig config, ConfigErrors errors)
        {
            TValue value = get(config);

            if (isAllowed is not null && !isAllowed(value))
            {
                errors.Add(key, form.Write(value), allowed, reason);
            }
        }
    }

    private ConfigTable<TConfig> Add(Row row)
    {
        _rows.Add(row);
        _byKey.Add(row.Key, row);
        return this;
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

    private TConfig Read(IEnumerable<KeyValuePair<string, string>> entries, ConfigErrors errors)
    {
        TConfig config = default;
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);

        foreach ((string key, string value) in entries)
        {
            if (!_byKey.TryGetValue(key, out Row? row))
            {
                errors.Add($"{key} is not a key of {_subject}{Suggestion(key)}.");
            }
            else if (!seen.Add(key))
            {
                errors.Add($"{row.Key} is given twice; give it once.");
            }
            else if (!row.TryChange(config, value, out config))
            {
                errors.Add($"{row.Key} is '{value}'; write {row.Forms}.");
            }
        }

        Check(config, errors);
        return config;
    }

    private static List<KeyValuePair<string, string>> Entries(string text, ConfigErrors errors)
    {
        const StringSplitOptions Clean = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;
        var entries = new List<KeyValuePair<string, string>>();

        foreach (string entry in text.Split([';', '\n', '\r'], Clean))
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

    private string Suggestion(string key)
    {
        // The last part alone is what people remember: "IdleTimeout" without "Connections." in front.
        Row? nearest = _rows.Find(row => row.Key.EndsWith("." + key, StringComparison.OrdinalIgnoreCase))
            ?? _rows.MinBy(row => EditDistance.Between(row.Key, key));

        return nearest is not null
            && (nearest.Key.EndsWith("." + key, StringComparison.OrdinalIgnoreCase)
                || EditDistance.Between(nearest.Key, key) <= FarthestGuess)
            ? $"; did you mean {nearest.Key}?"
            : "";
    }

    /// <summary>How a type of value is written and read.</summary>
    private sealed record Form<TValue>(Func<TValue, string> Write, Reader<TValue> TryRead, string Forms);

    internal delegate bool Changer(TConfig config, string text, out TConfig changed);

    internal sealed record Row(
        string Key,
        string Kind,
        string Range,
        string Forms,
        Func<TConfig, string> Show,
        Changer TryChange,
        Action<TConfig, ConfigErrors> Check);
}
