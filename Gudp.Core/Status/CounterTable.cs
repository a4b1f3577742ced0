// The names, units and text forms of counters come from one table with one row per counter, and so do the instruments
// of a meter. Nothing is found by reflection. Public, because the layers above count in the same way.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Gudp.Core;

/// <summary>How a counter behaves.</summary>
public enum CounterKind
{
    /// <summary>It only grows; those of several connections add up.</summary>
    Count,

    /// <summary>It rises and falls; those of several connections add up.</summary>
    Level,

    /// <summary>A span of time in microseconds; of several connections the longest counts.</summary>
    Span,
}

/// <summary>One counter of a snapshot.</summary>
/// <param name="Name">The property's name; one of a kind stands behind its kind's name, as "Dropped.BadChecksum".</param>
/// <param name="Unit">What is counted, in the plural: "datagrams", "bytes", "us".</param>
/// <param name="Kind">How it behaves.</param>
/// <param name="Read">Takes it out of a snapshot.</param>
public sealed record CounterRow<TSnapshot>(
    string Name, string Unit, CounterKind Kind, Func<TSnapshot, long> Read)
{
    /// <summary>
    /// The name of its instrument, "gudp.connections.packets_lost" for PacketsLost; those of one kind, as
    /// "Dropped.BadChecksum", share an instrument and differ by <see cref="InstrumentTag"/>.
    /// </summary>
    /// <param name="prefix">What the instruments of this snapshot begin with, as "gudp.connections.".</param>
    public string InstrumentName(string prefix) => prefix + CounterNames.SnakeCase(Name.Split('.')[0]);

    /// <summary>What distinguishes it from others of its kind, "bad_checksum"; empty if it has no kind.</summary>
    public string InstrumentTag => CounterNames.SnakeCase(Name[(Name.IndexOf('.', StringComparison.Ordinal) + 1)..]
        is var rest && rest.Length < Name.Length ? rest : "");

    /// <summary>The unit as UCUM writes it: "By", "{packet}", "s" for spans.</summary>
    public string InstrumentUnit => Kind == CounterKind.Span ? "s" : CounterNames.UnitOf(Unit);
}

/// <summary>All counters of a snapshot; made once per type, in a static field.</summary>
/// <remarks>Filled by one thread; any thread may read it afterwards.</remarks>
public sealed class CounterTable<TSnapshot>
    where TSnapshot : struct
{
    private readonly List<CounterRow<TSnapshot>> _rows = [];

    /// <summary>The rows, in the order they were added.</summary>
    public IReadOnlyList<CounterRow<TSnapshot>> Rows => _rows;

    /// <summary>Adds a counter that only grows.</summary>
    /// <param name="name">The property's name.</param>
    /// <param name="unit">What is counted, in the plural.</param>
    /// <param name="read">Takes it out of a snapshot.</param>
    public CounterTable<TSnapshot> Count(string name, string unit, Func<TSnapshot, long> read)
        => Add(name, unit, CounterKind.Count, read);

    /// <summary>Adds one that rises and falls; parameters as those of <see cref="Count"/>.</summary>
    /// <param name="name">The property's name.</param>
    /// <param name="unit">What is counted, in the plural.</param>
    /// <param name="read">Takes it out of a snapshot.</param>
    public CounterTable<TSnapshot> Level(string name, string unit, Func<TSnapshot, long> read)
        => Add(name, unit, CounterKind.Level, read);

    /// <summary>Adds a span of time; it is read in microseconds.</summary>
    /// <param name="name">The property's name.</param>
    /// <param name="read">Takes it out of a snapshot.</param>
    public CounterTable<TSnapshot> Span(string name, Func<TSnapshot, TimeSpan> read)
        => Add(name, "us", CounterKind.Span, snapshot => read(snapshot).Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>Every counter by its name. A new dictionary, the caller's. Cold path.</summary>
    public Dictionary<string, long> ToDictionary(TSnapshot snapshot)
        => _rows.ToDictionary(static row => row.Name, row => row.Read(snapshot));

    /// <summary>One line per counter: name, value, unit. Cold path.</summary>
    public string ToText(TSnapshot snapshot)
        => string.Join('\n', _rows.Select(row => string.Create(
            CultureInfo.InvariantCulture, $"{row.Name} {row.Read(snapshot)} {row.Unit}")));

    private CounterTable<TSnapshot> Add(string name, string unit, CounterKind kind, Func<TSnapshot, long> read)
    {
        _rows.Add(new CounterRow<TSnapshot>(name, unit, kind, read));
        return this;
    }
}

/// <summary>How names and units of counters are written as those of instruments.</summary>
internal static class CounterNames
{
    // Units as UCUM writes them; things that are counted stand in braces, in the singular.
    internal static string UnitOf(string unit) => unit switch
    {
        "bytes" => "By",
        _ => "{" + unit.TrimEnd('s') + "}",
    };

    internal static string SnakeCase(string name)
    {
        StringBuilder text = new(name.Length + 8);

        foreach (char letter in name)
        {
            if (char.IsUpper(letter) && text.Length > 0)
            {
                text.Append('_');
            }

            text.Append(char.ToLower(letter, CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }
}
