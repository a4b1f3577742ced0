using System.Collections.Generic;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging;

/// <summary>
/// Which peers of an endpoint may have something to read: how one reader serves all of them in turn, at the cost of
/// those that have something and not of those that exist.
/// </summary>
/// <remarks>
/// <para>
/// Any thread. Always true: a peer stands here at most once, so there are never more entries than peers; and a peer
/// with a message that nobody reads at this moment stands here.
/// </para>
/// <para>
/// That holds because of an order: who brings a message publishes it, then looks whether the peer stands here; who
/// reads takes the peer out, then looks for messages. A list and not a channel, because a peer that goes must be able
/// to leave from the middle.
/// </para>
/// </remarks>
internal sealed class ReadyPeers(ITurnWatch? watch = null)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Peer> _peers = new();
    private int _count;

    /// <summary>Where those wait who found nobody here.</summary>
    internal WaitPoint Changes { get; } = new(watch);

    /// <summary>How many stand here; a glance. Of use only as a bound for one round.</summary>
    /// <remarks>Who listed a peer sees it counted: it left the lock, which is a fence. An empty line costs no lock.</remarks>
    internal int Count => Volatile.Read(ref _count);

    /// <summary>The peer may have something to read: it goes to the end of the line, unless it stands there.</summary>
    internal void Add(Peer peer)
    {
        if (TryList(peer))
        {
            Changes.Signal();
        }
    }

    /// <summary>
    /// A peer that was taken out and could not be read for want of memory stands here again. Without a signal, or two
    /// readers would wake each other without end: whoever puts it back looks again after a while, or signals on leaving.
    /// </summary>
    internal void PutBack(Peer peer) => _ = TryList(peer);

    /// <summary>Takes the first in line out. Whoever takes it reads from it, and lists it again if there may be more.</summary>
    internal bool TryTake(out Peer? peer) => TryTake(out peer, out _);

    /// <inheritdoc cref="TryTake(out Peer?)"/>
    /// <param name="peer">The first.</param>
    /// <param name="isLast">Nobody stood behind it.</param>
    internal bool TryTake(out Peer? peer, out bool isLast)
    {
        lock (_gate)
        {
            isLast = _peers.Count <= 1;

            if (_peers.First is not { } first)
            {
                peer = null;
                return false;
            }

            Unlist(first);
            peer = first.Value;
        }

        // A full fence between leaving the line and looking for messages.
        Interlocked.MemoryBarrier();
        return true;
    }

    /// <summary>The peer is given up.</summary>
    internal void Remove(Peer peer)
    {
        lock (_gate)
        {
            if (peer.Ready.IsListed)
            {
                Unlist(peer.Ready.Node);
            }
        }
    }

    private bool TryList(Peer peer)
    {
        // A full fence between publishing the message and looking here.
        Interlocked.MemoryBarrier();

        if (Volatile.Read(ref peer.Ready.IsListed))
        {
            return false;
        }

        lock (_gate)
        {
            if (peer.Ready.IsListed)
            {
                return false;
            }

            peer.Ready.IsListed = true;
            _peers.AddLast(peer.Ready.Node);
            Volatile.Write(ref _count, _peers.Count);
            return true;
        }
    }

    private void Unlist(LinkedListNode<Peer> node)
    {
        Invariant.Require(node.Value.Ready.IsListed, "Who stands in the line is marked so.");
        _peers.Remove(node);
        Volatile.Write(ref _count, _peers.Count);
        Volatile.Write(ref node.Value.Ready.IsListed, false);
    }
}

/// <summary>A peer's place in the line.</summary>
internal sealed class ReadyPlace(Peer peer)
{
    // Written under the line's lock.
    internal bool IsListed;

    internal LinkedListNode<Peer> Node { get; } = new(peer);
}
