using Gudp.Core;
using Gudp.Core.Simulation;

namespace Gudp.Tests.World;

// What goes wrong, when, and what it does to nodes and links.
internal sealed partial class SwarmWorld
{
    private const int SmallMtuBytes = 1_200;
    private const int UsualMtuBytes = 1_453;
    private const int LargestMtuBytes = 65_507;

    private static readonly TimeSpan LongestCut = TimeSpan.FromSeconds(20);

    private readonly List<Fault> _waiting = [];
    private readonly List<ActiveFault> _active = [];

    private void AdvanceFaults()
    {
        if (_isHealed)
        {
            return;
        }

        _active.RemoveAll(fault => fault.Until <= _world.Now && End(fault));

        foreach (Fault fault in _waiting.FindAll(IsDue))
        {
            _waiting.Remove(fault);

            _tally.Add($"fault {fault.Kind}", 1);

            if (fault.Kind == FaultKind.Rebind)
            {
                _world.Network.Rebind(_endpoints[^1].LocalAddress, changesAddress: !fault.IsOneWay);
                continue;
            }

            if (fault.Kind == FaultKind.Restart)
            {
                Restart(RestartedBy(fault));
                continue;
            }

            _active.Add(new ActiveFault(fault, _world.Now + SpanOf(fault), Probes()));
        }

        ApplyFaults();
    }

    private bool IsDue(Fault fault)
    {
        if (default(Instant) + fault.At > _world.Now)
        {
            return false;
        }

        if (fault.Kind == FaultKind.Rebind)
        {
            // A handshake belongs to one address.
            int last = _endpoints.Count - 1;
            return !_pending.Exists(pending => pending.Flow.From == last);
        }

        if (fault.Kind == FaultKind.Restart)
        {
            return MayRestart(RestartedBy(fault));
        }

        // A server remembers a peer for 10 s between its answer and the peer's Finish. A longer cut just there leaves
        // the client with a connection that nobody else has, until it is given up: nothing to be healed.
        return fault.Kind != FaultKind.LongCut || IsOpen(fault.From, fault.To);
    }

    private bool IsOpen(int left, int right)
        => !_pending.Exists(pending => pending.Flow.IsBetween(left, right))
            && (left + right > 1 || _packets.Receiver is not null);

    private bool End(ActiveFault fault)
    {
        if (fault.Fault.Kind == FaultKind.LongCut && Probes() - fault.ProbesBefore >= 3)
        {
            _tally.Add("fault LongCut with 3 probes", 1);
        }

        return true;
    }

    private TimeSpan SpanOf(Fault fault)
    {
        if (fault.Kind != FaultKind.LongCut)
        {
            return fault.Lasting;
        }

        // RFC 9002: a probe time-out is the round trip, four times its variation (half of it at first) and the ack
        // delay. Three of them, and some more.
        TimeSpan longest = TimeSpan.FromMilliseconds(333);

        foreach (MessageFlow flow in _flows)
        {
            TimeSpan smoothed = flow.Sender.Connection.ReadCounters().SmoothedRtt;
            longest = smoothed > longest ? smoothed : longest;
        }

        TimeSpan least = 3 * ((3 * longest) + TimeSpan.FromMilliseconds(25));
        TimeSpan span = fault.Lasting > least ? fault.Lasting : least;
        return span < LongestCut ? span : LongestCut;
    }

    private long Probes()
    {
        long probes = 0;

        foreach (MessageFlow flow in _flows)
        {
            probes += flow.Sender.Connection.ReadCounters().ProbesSent;
        }

        return probes;
    }

    private void ApplyFaults()
    {
        SetLinks();

        for (int i = 0; i < _world.Nodes.Count; i++)
        {
            _world.Nodes[i].IsStopped = Exists(FaultKind.Pause, i) || Exists(FaultKind.LongPause, i);
            _world.Nodes[i].Host.LargestDatagramBytes = Exists(FaultKind.SmallMtu, i) ? SmallMtuBytes : LargestMtuBytes;
        }

        foreach (MessageFlow flow in _flows)
        {
            flow.IsReaderPaused = Exists(FaultKind.ReaderPause, flow.To);
        }

        _packets.IsReaderPaused = Exists(FaultKind.ReaderPause, 0);
    }

    private bool Exists(FaultKind kind, int node)
        => _active.Exists(active => active.Fault.Kind == kind && active.Fault.From == node);

    // As long as any packet of the handshake, and up to what a connection looks for.
    private static int PathBytesOf(Fault fault)
        => SmallMtuBytes + (int)(fault.Lasting.TotalMilliseconds % (UsualMtuBytes - SmallMtuBytes));

    private void SetLinks()
    {
        for (int from = 0; from < _world.Nodes.Count; from++)
        {
            for (int to = 0; to < _world.Nodes.Count; to++)
            {
                if (from != to)
                {
                    _world.Network.SetLink(_world.Nodes[from].Host, _world.Nodes[to].Host, ModelOf(from, to));
                }
            }
        }
    }

    private LinkModel ModelOf(int from, int to)
    {
        LinkModel model = _isHealed ? Clean : _plan.Links[from, to];

        foreach (ActiveFault active in _active)
        {
            Fault fault = active.Fault;
            bool isHere = (fault.From == from && fault.To == to)
                || (!fault.IsOneWay && fault.From == to && fault.To == from);
            model = fault.Kind switch
            {
                FaultKind.Cut when isHere => model with { Cut = true },
                FaultKind.LongCut when isHere || (fault.From == to && fault.To == from) => model with { Cut = true },
                FaultKind.Narrow when isHere => model with { LargestBytes = 600 },
                FaultKind.PathSize when isHere => model with { LargestBytes = PathBytesOf(fault) },
                _ => model,
            };
        }

        return model;
    }

    private sealed record ActiveFault(Fault Fault, Instant Until, long ProbesBefore);
}
