using Gudp.Core;
using Gudp.Core.Simulation;

namespace Gudp.Tests.World;

// What goes wrong, when, and what it does to nodes and links.
internal sealed partial class MixedWorld
{
    private const int SmallMtuBytes = 1_200;
    private const int LargestMtuBytes = 65_507;

    private static readonly TimeSpan LongestCut = TimeSpan.FromSeconds(20);

    private readonly List<Fault> _waiting = [];
    private readonly List<(Fault Fault, Instant Until)> _active = [];

    private void AdvanceFaults()
    {
        if (_isHealed)
        {
            return;
        }

        _active.RemoveAll(active => active.Until <= _world.Now);

        foreach (Fault fault in _waiting.FindAll(fault => default(Instant) + fault.At <= _world.Now && IsOpen(fault)))
        {
            _waiting.Remove(fault);

            if (fault.Kind == FaultKind.Restart)
            {
                Kill(fault.From);
            }
            else
            {
                _active.Add((fault, _world.Now + fault.Lasting));
            }
        }

        ApplyFaults();
    }

    // A handshake that is cut off leaves one end with a connection nobody else has: nothing to be healed.
    private bool IsOpen(Fault fault)
        => fault.Kind is not (FaultKind.LongCut or FaultKind.LongPause or FaultKind.Restart)
            || _links.TrueForAll(link => link.IsAccepted);

    /// <summary>A process is gone without a goodbye, and comes back knowing nothing; nobody connects again.</summary>
    private void Kill(int node)
    {
        foreach (MixedLink link in _links.FindAll(link => link.From == node || link.To == node))
        {
            _links.Remove(link);
            _ended.Add(link);
            link.NoteKilled(node);
        }

        _world.Restart(_world.Nodes[node]);
        SetLinks();
    }

    private void ApplyFaults()
    {
        SetLinks();

        for (int i = 0; i < _world.Nodes.Count; i++)
        {
            _world.Nodes[i].IsStopped = Exists(FaultKind.Pause, i) || Exists(FaultKind.LongPause, i);
            _world.Nodes[i].Host.LargestDatagramBytes = Exists(FaultKind.SmallMtu, i) ? SmallMtuBytes : LargestMtuBytes;
        }

        foreach (MixedLink link in _links)
        {
            link.Pause(Exists(FaultKind.ReaderPause, link.From), Exists(FaultKind.ReaderPause, link.To));
        }
    }

    private bool Exists(FaultKind kind, int node)
        => _active.Exists(active => active.Fault.Kind == kind && active.Fault.From == node);

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

        foreach ((Fault fault, _) in _active)
        {
            bool isThere = fault.From == from && fault.To == to;
            bool isHere = isThere || (fault.From == to && fault.To == from && !fault.IsOneWay);
            model = fault.Kind switch
            {
                FaultKind.Cut or FaultKind.LongCut when isHere => model with { Cut = true },
                FaultKind.Narrow when isHere => model with { LargestBytes = 600 },
                FaultKind.PathSize when isHere => model with { LargestBytes = SmallMtuBytes },
                _ => model,
            };
        }

        return model;
    }
}
