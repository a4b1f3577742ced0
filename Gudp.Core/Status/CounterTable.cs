// The names, units and text forms of counters come from one table with one row per counter, and so do the instruments
// of the meter. Nothing is found by reflection.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Gudp.Core.Status;

/// <summary>How a counter behaves.</summary>
internal enum CounterKind : byte
{
    /// <summary>It only grows; those of several connections add up.</summary>
    Count,

    /// <summary>It rises and falls; those of several connections add up.</summary>
    Level,

    /// <summary>A span of time in microseconds; of several connections the longest counts.</summary>
    Span,
}

/// <summary>One counter of a snapshot.</summary>
/// <param name="Name">The property's name; a drop reason stands behind "Dropped.".</param>
/// <param name="Unit">What is counted, in the plural: "datagrams", "bytes", "us".</param>
/// <param name="Kind">How it behaves.</param>
/// <param name="Read">Takes it out of a snapshot.</param>
internal sealed record CounterRow<TSnapshot>(
    string Name, string Unit, CounterKind Kind, Func<TSnapshot, long> Read);

/// <summary>All counters of a snapshot; made once per type, in a static field.</summary>
internal sealed class CounterTable<TSnapshot>
    where TSnapshot : struct
{
    private readonly List<CounterRow<TSnapshot>> _rows = [];

    internal IReadOnlyList<CounterRow<TSnapshot>> Rows => _rows;

    internal CounterTable<TSnapshot> Count(string name, string unit, Func<TSnapshot, long> read)
        => Add(name, unit, CounterKind.Count, read);

    internal CounterTable<TSnapshot> Level(string name, string unit, Func<TSnapshot, long> read)
        => Add(name, unit, CounterKind.Level, read);

    internal CounterTable<TSnapshot> Span(string name, Func<TSnapshot, TimeSpan> read)
        => Add(name, "us", CounterKind.Span, snapshot => read(snapshot).Ticks / TimeSpan.TicksPerMicrosecond);

    internal Dictionary<string, long> ToDictionary(TSnapshot snapshot)
        => _rows.ToDictionary(static row => row.Name, row => row.Read(snapshot));

    /// <summary>One line per counter: name, value, unit.</summary>
    internal string ToText(TSnapshot snapshot)
        => string.Join('\n', _rows.Select(row => string.Create(
            CultureInfo.InvariantCulture, $"{row.Name} {row.Read(snapshot)} {row.Unit}")));

    private CounterTable<TSnapshot> Add(string name, string unit, CounterKind kind, Func<TSnapshot, long> read)
    {
        _rows.Add(new CounterRow<TSnapshot>(name, unit, kind, read));
        return this;
    }
}
