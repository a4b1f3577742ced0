// The meter of all daemons of the program. There is one, made when the first daemon asks for it: instruments of the same
// name on several meters would be counted as one by some collectors and refused by others. Daemons come and go in a
// list; the instruments' callbacks run on the listener's thread and read snapshots only, so the loop does nothing for it.
using System;
using System.Collections.Generic;
using System.Diagnostics.Metrics;
using System.Linq;

namespace Gudp.Core;

/// <summary>What one daemon shows on the meter, until it is disposed. Any thread.</summary>
internal sealed class DaemonMeter : IDisposable
{
    internal const string MeterName = "Gudp.Core";
    internal const string DaemonTag = "gudp.daemon.name";
    internal const string ReasonTag = "gudp.drop.reason";

    private const double MicrosecondsPerSecond = 1_000_000;

    private static readonly object Gate = new();
    private static readonly Meter Shared = new(MeterName);
    private static DaemonMeter[] _shown = [];
    private static bool _hasInstruments;

    private readonly Func<DaemonCounters> _readCounters;
    private readonly ConnectionRegister _connections;
    private readonly KeyValuePair<string, object?> _tag;

    internal DaemonMeter(string daemonName, Func<DaemonCounters> readCounters, ConnectionRegister connections)
    {
        _readCounters = readCounters;
        _connections = connections;
        _tag = new KeyValuePair<string, object?>(DaemonTag, daemonName);

        lock (Gate)
        {
            _shown = [.. _shown, this];

            if (!_hasInstruments)
            {
                _hasInstruments = true;
                MakeInstruments();
            }
        }
    }

    public void Dispose()
    {
        lock (Gate)
        {
            _shown = [.. _shown.Where(daemon => daemon != this)];
        }
    }

    private static DaemonMeter[] Shown
    {
        get
        {
            lock (Gate)
            {
                return _shown;
            }
        }
    }

    private static void MakeInstruments()
    {
        foreach (CounterRow<DaemonCounters> row in DaemonCounters.Table.Rows.Where(static row => !IsDrop(row.Name)))
        {
            if (row.Name != nameof(DaemonCounters.DatagramsDropped))
            {
                Make("gudp.daemon.", row, daemon => row.Read(daemon._readCounters()));
            }
        }

        Shared.CreateObservableCounter(
            "gudp.daemon.datagrams_dropped", static () => Shown.SelectMany(static daemon => daemon.ReadDrops()),
            CounterNames.UnitOf("datagrams"), "DatagramsDropped, by reason");

        Shared.CreateObservableUpDownCounter(
            "gudp.connections.live",
            static () => Shown.Select(static d => new Measurement<long>(d._connections.LiveCount, d._tag)),
            "{connection}", "Connections that have not ended");

        for (int i = 0; i < ConnectionCounters.Table.Rows.Count; i++)
        {
            CounterRow<ConnectionCounters> row = ConnectionCounters.Table.Rows[i];
            int index = i;
            Make("gudp.connections.", row, daemon => daemon._connections.ReadTotal(index));
        }
    }

    private static void Make<TSnapshot>(string prefix, CounterRow<TSnapshot> row, Func<DaemonMeter, long> read)
    {
        string name = row.InstrumentName(prefix);

        switch (row.Kind)
        {
            case CounterKind.Count:
                Shared.CreateObservableCounter(name, () => Measure(read), row.InstrumentUnit, row.Name);
                break;
            case CounterKind.Level:
                Shared.CreateObservableUpDownCounter(name, () => Measure(read), row.InstrumentUnit, row.Name);
                break;
            default:
                Shared.CreateObservableGauge(
                    name,
                    () => Shown.Select(d => new Measurement<double>(read(d) / MicrosecondsPerSecond, d._tag)),
                    row.InstrumentUnit,
                    row.Name);
                break;
        }
    }

    private static IEnumerable<Measurement<long>> Measure(Func<DaemonMeter, long> read)
        => Shown.Select(daemon => new Measurement<long>(read(daemon), daemon._tag));

    private IEnumerable<Measurement<long>> ReadDrops()
    {
        DaemonCounters counters = _readCounters();

        foreach (DropReason reason in Enum.GetValues<DropReason>())
        {
            if (reason != DropReason.None)
            {
                yield return new Measurement<long>(
                    counters.Dropped(reason), _tag, new(ReasonTag, CounterNames.SnakeCase(reason.ToString())));
            }
        }
    }

    private static bool IsDrop(string name) => name.StartsWith("Dropped.", StringComparison.Ordinal);
}
