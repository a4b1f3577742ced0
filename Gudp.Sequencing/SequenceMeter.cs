// The meter of all sequence servers of the program, made when the first asks for it, as those of Core and Messaging
// (decision 9): the callbacks run on the listener's thread and read copies only.

using System;
using System.Collections.Generic;
using System.Diagnostics.Metrics;
using System.Linq;
using Gudp.Core;

namespace Gudp.Sequencing;

/// <summary>What one server shows on the meter "Gudp.Sequencing", until it is disposed. Any thread.</summary>
internal sealed class SequenceMeter : IDisposable
{
    internal const string MeterName = "Gudp.Sequencing";
    internal const string DaemonTag = "gudp.daemon.name";
    internal const string MemberTag = "gudp.member";
    internal const string RootTag = "gudp.root";
    internal const string RootKindTag = "gudp.root.kind";
    internal const string ErrorTag = "gudp.refusal.error";

    private const string Prefix = "gudp.run.";

    private static readonly object Gate = new();
    private static readonly Meter Shared = new(MeterName);
    private static SequenceMeter[] _shown = [];
    private static bool _hasInstruments;

    private readonly SequenceServer _server;
    private readonly KeyValuePair<string, object?> _daemon;

    internal SequenceMeter(string daemonName, SequenceServer server)
    {
        _server = server;
        _daemon = new KeyValuePair<string, object?>(DaemonTag, daemonName);

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

    private static SequenceMeter[] Shown
    {
        get
        {
            lock (Gate)
            {
                return _shown;
            }
        }
    }

    public void Dispose()
    {
        lock (Gate)
        {
            _shown = Array.FindAll(_shown, shown => shown != this);
        }
    }

    private static void MakeInstruments()
    {
        Shared.CreateObservableCounter(
            "gudp.grant.blocked", static () => All(static shown => shown.Blocked()), "s",
            "Time a member waited because of a root");
        Shared.CreateObservableCounter(
            "gudp.grant.user_time", static () => All(static shown => shown.Each(m => m.UserTime.TotalSeconds)), "s",
            "Time from grants to requests: the member's own computing");
        Shared.CreateObservableCounter(
            "gudp.grant.server_time", static () => All(static shown => shown.Each(m => m.ServerTime.TotalSeconds)), "s",
            "Time from requests to grants");
        Shared.CreateObservableCounter(
            "gudp.grant.count", static () => All(static shown => shown.Each(m => m.Grants)), "{grant}",
            "Grants, the start not counted");
        Shared.CreateObservableCounter(
            "gudp.grant.late", static () => All(static shown => shown.Each(m => m.LateGrants)), "{grant}",
            "Grants later than the run's pace");
        Shared.CreateObservableGauge(
            "gudp.grant.lag", static () => All(static shown => shown.Each(m => m.Lag.TotalSeconds)), "s",
            "How late the last paced grant was");
        Shared.CreateObservableGauge(
            "gudp.grant.max_lag", static () => All(static shown => shown.Each(m => m.MaxLag.TotalSeconds)), "s",
            "The longest lag so far");
        MakeCounters();
    }

    // Refusals share an instrument and differ by a tag; levels rise and fall.
    private static void MakeCounters()
    {
        foreach (IGrouping<string, CounterRow<RunCounters>> rows in RunCounters.Table.Rows
            .GroupBy(static row => row.InstrumentName(Prefix)))
        {
            CounterRow<RunCounters>[] all = [.. rows];
            IEnumerable<Measurement<long>> Measure() => Shown.SelectMany(shown => shown.Measure(all));
            string text = all[0].Name.Split('.')[0];

            if (all[0].Kind == CounterKind.Level)
            {
                Shared.CreateObservableUpDownCounter(rows.Key, Measure, all[0].InstrumentUnit, text);
            }
            else
            {
                Shared.CreateObservableCounter(rows.Key, Measure, all[0].InstrumentUnit, text);
            }
        }
    }

    private IEnumerable<Measurement<long>> Measure(CounterRow<RunCounters>[] rows)
    {
        RunCounters counters = _server.ReadCounters();

        foreach (CounterRow<RunCounters> row in rows)
        {
            yield return row.InstrumentTag.Length == 0
                ? new Measurement<long>(row.Read(counters), _daemon)
                : new Measurement<long>(row.Read(counters), _daemon, new(ErrorTag, row.InstrumentTag));
        }
    }

    private static IEnumerable<Measurement<double>> All(
        Func<SequenceMeter, IEnumerable<Measurement<double>>> measure)
    {
        foreach (SequenceMeter shown in Shown)
        {
            foreach (Measurement<double> measurement in measure(shown))
            {
                yield return measurement;
            }
        }
    }

    private IEnumerable<Measurement<double>> Each(Func<MemberStatus, double> read)
    {
        foreach (MemberStatus member in _server.ReadStatus().Members)
        {
            yield return new Measurement<double>(read(member), _daemon, new(MemberTag, member.Name));
        }
    }

    private IEnumerable<Measurement<double>> Blocked()
    {
        foreach (BlockedTime blocked in _server.ReadBlocked())
        {
            yield return new Measurement<double>(
                blocked.Time.TotalSeconds, _daemon, new(MemberTag, blocked.Member), new(RootTag, blocked.Root),
                new(RootKindTag, blocked.Kind.ToString()));
        }
    }
}
