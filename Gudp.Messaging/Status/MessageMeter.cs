// The meter of all message endpoints of the program, made when the first asks for it, as Core's (decision 9): the
// instruments' callbacks run on the listener's thread and read copies only, so sessions and lanes do nothing for it.
using System;
using System.Collections.Generic;
using System.Diagnostics.Metrics;
using System.Linq;
using Gudp.Core;

namespace Gudp.Messaging.Status;

/// <summary>What one endpoint shows on the meter, until it is disposed. Any thread.</summary>
internal sealed class MessageMeter : IDisposable
{
    internal const string MeterName = "Gudp.Messaging";
    internal const string DaemonTag = "gudp.daemon.name";
    internal const string LimitTag = "gudp.refusal.limit";
    internal const string CauseTag = "gudp.drop.cause";

    private const string Prefix = "gudp.messages.";

    private static readonly object Gate = new();
    private static readonly Meter Shared = new(MeterName);
    private static MessageMeter[] _shown = [];
    private static bool _hasInstruments;

    private readonly MessageEndpoint _endpoint;
    private readonly KeyValuePair<string, object?> _tag;

    internal MessageMeter(string daemonName, MessageEndpoint endpoint)
    {
        _endpoint = endpoint;
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
            _shown = [.. _shown.Where(endpoint => endpoint != this)];
        }
    }

    private static MessageMeter[] Shown
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
        // Refusals and drops share an instrument each and differ by a tag.
        foreach (IGrouping<string, CounterRow<MessageCounters>> rows in MessageCounters.Table.Rows
            .GroupBy(static row => row.InstrumentName(Prefix)))
        {
            CounterRow<MessageCounters>[] all = [.. rows];
            Shared.CreateObservableCounter(
                rows.Key,
                () => Shown.SelectMany(endpoint => endpoint.Measure(all)),
                all[0].InstrumentUnit,
                all[0].Name.Split('.')[0]);
        }

        MakeLevel("peers_connected", "{peer}", static endpoint => endpoint.Sessions.LiveCount);
        MakeLevel("waiting_bytes", "By", static endpoint => endpoint.ReadCounters().Waiting.Bytes);
        MakeLevel("unread_bytes", "By", static endpoint => endpoint.ReadCounters().Unread.Bytes);
        MakeLevel("memory_bytes", "By", static endpoint => endpoint.Memory.UsedBytes);
        MakeLevel("memory_limit_bytes", "By", static endpoint => endpoint.ReadCounters().Memory.LimitBytes);
        Shared.CreateObservableCounter(
            Prefix + "slow_stages",
            static () => Shown.Select(shown => shown.MeasureOne(shown._endpoint.ReadCounters().SlowStages)),
            "{time}",
            "Times a slow consumer was found at a stage of its limit");
    }

    private static void MakeLevel(string name, string unit, Func<MessageEndpoint, long> read)
        => Shared.CreateObservableUpDownCounter(
            Prefix + name, () => Shown.Select(shown => shown.MeasureOne(read(shown._endpoint))), unit, name);

    private Measurement<long> MeasureOne(long value) => new(value, _tag);

    private IEnumerable<Measurement<long>> Measure(CounterRow<MessageCounters>[] rows)
    {
        MessageCounters counters = _endpoint.ReadCounters().Messages;

        foreach (CounterRow<MessageCounters> row in rows)
        {
            string tag = row.Name.StartsWith(nameof(MessageCounters.Dropped), StringComparison.Ordinal)
                ? CauseTag
                : LimitTag;
            yield return row.InstrumentTag.Length == 0
                ? new Measurement<long>(row.Read(counters), _tag)
                : new Measurement<long>(row.Read(counters), _tag, new(tag, row.InstrumentTag));
        }
    }
}
