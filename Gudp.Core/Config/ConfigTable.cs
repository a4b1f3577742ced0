// The text form, the ranges and the documentation of a config come from one table with one row per property.
//
// A row knows its key, how to read and to change the property, and what is allowed. From the rows follow Parse,
// FromDictionary, ToDictionary, ToString and Validate (ConfigTable.Reading.cs). Nothing is found by reflection, so a
// trimmed or ahead-of-time compiled program behaves the same.
using System;
using System.Collections.Generic;
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
public sealed partial class ConfigTable<TConfig>
    where TConfig : struct
{
    private readonly string _subject = typeof(TConfig).Name;
    private readonly List<Row> _rows = [];
    private readonly Dictionary<string, Row> _byKey = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<Preset> _presets = [];
    private readonly List<Action<TConfig, ConfigErrors>> _rules = [];

    private delegate bool Reader<TValue>(string text, out TValue value);

    /// <summary>All keys in the order they were added.</summary>
    public IEnumerable<ConfigKey> Keys
        => _rows.Select(static row => row.Describe());

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

    /// <summary>Who a peer is; text of 1 to 32 hexadecimal digits.</summary>
    public ConfigTable<TConfig> Identifier(
        string key, Func<TConfig, PeerId> get, Func<TConfig, PeerId, TConfig> set)
        => Add(
            key,
            "id",
            new Form<PeerId>(static value => value.ToString(), PeerId.TryParse, ConfigText.PeerIdForms),
            get, set, (default, new PeerId(UInt128.MaxValue)), "it has 128 bits");

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

    /// <summary>
    /// Free text without ';' and control characters, which separate the entries of a config's text, and without spaces
    /// around it.
    /// </summary>
    public ConfigTable<TConfig> Text(
        string key, Func<TConfig, string> get, Func<TConfig, string, TConfig> set, int mostCharacters, string reason)
        => Text(key, get, set, (1, mostCharacters), reason);

    /// <summary>As the other, and may be empty.</summary>
    public ConfigTable<TConfig> OptionalText(
        string key, Func<TConfig, string> get, Func<TConfig, string, TConfig> set, int mostCharacters, string reason)
        => Text(key, get, set, (0, mostCharacters), reason);

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

        foreach (ConfigTable<TPart>.Preset preset in part._presets)
        {
            _presets.Add(new Preset(
                $"{name}.{preset.Key}", preset.Name, config => set(config, preset.Apply(get(config)))));
        }

        foreach (Action<TPart, ConfigErrors> rule in part._rules)
        {
            _rules.Add((config, errors) => rule(get(config), errors.Under(name)));
        }

        return this;
    }

    /// <summary>
    /// A whole config with a name: in the text form the key "Preset" takes it as the start, wherever it stands.
    /// </summary>
    /// <param name="name">Such as "Lossy".</param>
    /// <param name="make">Makes it; called when asked for.</param>
    public ConfigTable<TConfig> WithPreset(string name, Func<TConfig> make)
    {
        _presets.Add(new Preset(PresetKey, name, _ => make()));
        return this;
    }

    /// <summary>A rule between properties; checked after the ranges.</summary>
    public ConfigTable<TConfig> Rule(Action<TConfig, ConfigErrors> check)
    {
        _rules.Add(check);
        return this;
    }

    private ConfigTable<TConfig> Text(
        string key,
        Func<TConfig, string> get,
        Func<TConfig, string, TConfig> set,
        (int Least, int Most) characters,
        string reason)
        => Add(
            key,
            "text",
            new Form<string>(static value => value, TryReadText, "text"),
            get,
            set,
            value => value.Length >= characters.Least && value.Length <= characters.Most && IsOneEntry(value),
            string.Create(
                CultureInfo.InvariantCulture, $"{characters.Least} to {characters.Most} characters without ';'"),
            reason);

    // What is written must be read again as the same: no separator in it, no spaces around it.
    private static bool IsOneEntry(string value)
        => !value.Contains(';', StringComparison.Ordinal) && !value.Any(char.IsControl) && value == value.Trim();

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
        Action<TConfig, ConfigErrors> Check)
    {
        internal bool EndsWith(string lastParts) => Key.EndsWith("." + lastParts, StringComparison.OrdinalIgnoreCase);

        internal ConfigKey Describe() => new(Key, Kind, Show(default), Range);
    }

    /// <summary>One value of a key that stands for many: "Preset" here, "Core.Preset" of a part.</summary>
    private sealed record Preset(string Key, string Name, Func<TConfig, TConfig> Apply);
}
