using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.World;

// A process that is killed says no goodbye and forgets everything; then it starts again at the same addresses. Those it
// had connected to are told when it connects anew; those that had connected to it hear nothing until their time-out,
// and connect anew then. Either way whoever was left gets a defined reason, may read what had come, and every receipt of
// its own ends without a lie.
internal sealed partial class SwarmWorld
{
    private readonly List<Bereft> _bereft = [];
    private int _restarts;
    private int _toldRestarted;
    private int _toldByTimeout;

    // The first node is the one that strangers attack; it stays.
    private int RestartedBy(Fault fault) => 1 + (fault.From % (_world.Nodes.Count - 1));

    /// <summary>All its handshakes are done, so that a late packet of one cannot open a connection of the dead.</summary>
    private bool MayRestart(int node)
        => _bereft.Count == 0
            && !_pending.Exists(pending => pending.Flow.From == node || pending.Flow.To == node)
            && (node != 1 || _packets.Receiver is not null);

    private void Restart(int node)
    {
        _restarts++;
        List<MessageFlow> ended = _flows.FindAll(flow => flow.From == node || flow.To == node);
        _flows.RemoveAll(ended.Contains);

        foreach (MessageFlow outgoing in ended.Where(flow => flow.To == node))
        {
            MessageFlow incoming = ended.Single(flow => flow.From == node && flow.To == outgoing.From);
            _bereft.Add(new Bereft(outgoing.From, node, outgoing.Sender.Connection, outgoing, incoming));
        }

        _world.Restart(_world.Nodes[node], _configs[node].Core);
        _endpoints[node] = OpenMessages(_world.Nodes[node], _configs[node]);
        SetLinks();
        Prng draws = _root.Split(10_100 + (ulong)_restarts);

        foreach (Bereft bereft in _bereft.Where(bereft => bereft.Other > bereft.Node))
        {
            Connect(node, bereft.Node, draws);
        }

        if (node == 1)
        {
            _bereft.Add(new Bereft(Node: 0, Other: 1, _packets.Receiver!, null, null));
            _packets = ConnectPackets(10_200 + (ulong)_restarts);
        }
    }

    /// <summary>Those whose peer was killed, until they know.</summary>
    private void AdvanceBereft()
    {
        foreach (Bereft bereft in _bereft.FindAll(bereft => bereft.Connection.Status.IsFinal))
        {
            _bereft.Remove(bereft);
            Note(bereft);
            bereft.Outgoing?.AssertReceiptsEnded();
            bereft.Outgoing?.Sender.Dispose();

            if (bereft.Outgoing is not null && bereft.Node > bereft.Other)
            {
                Connect(bereft.Node, bereft.Other, _root.Split(10_300 + (ulong)_connects));
            }
        }
    }

    private void Note(Bereft bereft)
    {
        switch (bereft.Connection.Status.Reasons, bereft.Connection.CloseReason?.Code)
        {
            case (FinalReasons.ClosedByPeer, CloseCode.PeerRestarted):
                _toldRestarted++;
                break;
            case (FinalReasons.TimedOut, CloseCode.IdleTimeout):
                _toldByTimeout++;
                break;
            default:
                Assert.Fail($"{bereft.Node}, whose peer {bereft.Other} was killed, ended otherwise: "
                    + $"{bereft.Connection.Status}, {bereft.Connection.CloseReason}.");
                break;
        }
    }

    /// <summary>The end of a connection whose other end was killed.</summary>
    /// <param name="Node">Whose.</param>
    /// <param name="Other">Who was killed.</param>
    /// <param name="Connection">The end that is left.</param>
    /// <param name="Outgoing">What it was sending; null for packets.</param>
    /// <param name="Incoming">What it was being sent.</param>
    private sealed record Bereft(
        int Node, int Other, Connection Connection, MessageFlow? Outgoing, MessageFlow? Incoming);
}
