using System;
using System.Collections.Generic;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging;

// Which peers an endpoint knows, and by which id and address.
//
// Always true:
//   - a peer is in the table once or not at all, and its TableIndex says where;
//   - two peers in it never have the same id;
//   - a peer has at most one session that is open; the others ended before it opened, and were said to have (I9);
//   - nothing enters but by a finished handshake or the application's own call: no packet creates a peer (M38).

/// <summary>The peers of one endpoint: who exists and why.</summary>
/// <remarks>
/// Any thread, under one gate that is taken when peers come and go, never per message. Sinks are called outside of it,
/// by the leader.
/// </remarks>
internal sealed class PeerTable(MessageEndpoint endpoint, int mostPeers)
{
    /// <summary>The index of a peer that is not in the table.</summary>
    internal const int Absent = -1;

    private readonly Lock _gate = new();
    private readonly List<Peer> _known = [];
    private readonly Dictionary<PeerId, Peer> _byId = [];
    private readonly Dictionary<PeerAddress, Peer> _byAddress = [];
    private int _lastIncarnation;
    private long _refused;
    private long _givenUp;

    /// <summary>Peers that found the table full and were closed with Busy.</summary>
    internal long Refused => Volatile.Read(ref _refused);

    /// <summary>Ended sessions that were given up with something unread, because another one had ended since.</summary>
    internal long GivenUp => Volatile.Read(ref _givenUp);

    internal int Count
    {
        get
        {
            lock (_gate)
            {
                return _known.Count;
            }
        }
    }

    /// <summary>Numbers the sessions of all peers, from 1.</summary>
    internal int NextIncarnation() => Interlocked.Increment(ref _lastIncarnation);

    /// <summary>The peer at an address: known and connected or connecting, or dialled now.</summary>
    internal Peer Dial(PeerAddress remote)
    {
        lock (_gate)
        {
            if (_byAddress.TryGetValue(remote, out Peer? known) && IsStillAt(known, remote))
            {
                if (known.Session.IsFinal)
                {
                    endpoint.Dial(remote, known);
                    known.WasToldClosed = false;
                }

                return known;
            }

            if (_known.Count >= mostPeers)
            {
                Interlocked.Increment(ref _refused);
                throw new InvalidOperationException(
                    $"{mostPeers} peers are known, and no more may be (MessagingConfig.MaxKnownPeers).");
            }

            Peer peer = endpoint.Dial(remote, null);
            Add(peer, remote);
            return peer;
        }
    }

    /// <summary>
    /// Leader. The handshake of a session has told who the peer is: it becomes the peer's only one.
    /// </summary>
    /// <returns>False: the peer is new and there is no room for it.</returns>
    internal bool TryOpen(MessageSession session, PayloadHost host, Instant now)
    {
        PeerIdentity identity = new(host.Connection.RemotePeerId, host.Connection.RemoteInstance);
        Peer? home = FindHome(session, identity, host.Connection.RemoteAddress);

        if (home is null)
        {
            return false;
        }

        // Said to be over before the next one is open, also to sinks (I8, I9).
        bool isRestarted = home.Identity is { } before && before.Instance != identity.Instance;
        CloseReason reason = isRestarted
            ? new CloseReason(CloseCode.PeerRestarted, "The peer was restarted and opened anew.")
            : new CloseReason(CloseCode.Superseded, "The peer opened another connection.");
        EndOther(home.FormerSession, session, reason, now);
        EndOther(home.Session, session, reason, now);
        Adopt(home, session, identity, host);

        if (isRestarted)
        {
            endpoint.Sink?.HandlePeer(home, PeerChange.Restarted, now);
        }

        return true;
    }

    /// <summary>Leader, or whoever failed to begin. A session is over.</summary>
    internal void HandleEnded(MessageSession session)
    {
        // Nobody can read what a sink was not handed.
        if (session.HasSink)
        {
            session.Discard();
        }

        lock (_gate)
        {
            Peer peer = session.Peer;

            if (peer.Session == session && !peer.HasUnread)
            {
                Remove(peer);
            }
        }
    }

    /// <summary>A reader found nothing and the end.</summary>
    /// <returns>False: another session has come meanwhile, or something waits.</returns>
    internal bool TryTellClosed(Peer peer, MessageSession session)
    {
        lock (_gate)
        {
            // A connection that is closed here and still flushes hands out no more than the reader found.
            if (peer.Session != session || peer.FormerSession is { HasUnread: true }
                || (session.HasEnded && session.HasUnread))
            {
                return false;
            }

            peer.WasToldClosed = true;
            RemoveIfOver(peer);
            return true;
        }
    }

    /// <summary>Something of a peer was read: it may have been the last that kept it here.</summary>
    internal void ForgetIfOver(Peer peer)
    {
        lock (_gate)
        {
            RemoveIfOver(peer);
        }
    }

    private static void EndOther(MessageSession? other, MessageSession session, CloseReason reason, Instant now)
    {
        if (other is { HasEnded: false } && other != session)
        {
            ((ConnectionHost)other.Connection.Payload).Supersede(reason, now);
        }
    }

    // A peer that moved away leaves its old address to others.
    private static bool IsStillAt(Peer peer, PeerAddress remote) => peer.RemoteAddress == remote;

    private Peer? FindHome(MessageSession session, PeerIdentity identity, PeerAddress remote)
    {
        lock (_gate)
        {
            // Nobody's id, or our own: it tells nothing about who that is.
            if (identity.Id.IsKnown && identity.Id != endpoint.Id
                && _byId.TryGetValue(identity.Id, out Peer? known))
            {
                return known;
            }

            if (session.Peer.TableIndex != Absent)
            {
                return session.Peer;
            }

            // Both dial each other for the first time, and theirs is here first.
            if (_byAddress.TryGetValue(remote, out Peer? dialling) && dialling.Identity is null
                && identity.Id != endpoint.Id)
            {
                return dialling;
            }

            if (_known.Count < mostPeers)
            {
                return session.Peer;
            }

            Interlocked.Increment(ref _refused);
            return null;
        }
    }

    private void Adopt(Peer home, MessageSession session, PeerIdentity identity, PayloadHost host)
    {
        lock (_gate)
        {
            Peer dialled = session.Peer;

            if (dialled != home)
            {
                Remove(dialled);

                if (home.Attach(session) is not null)
                {
                    Interlocked.Increment(ref _givenUp);
                }

                dialled.BecomeNameOf(home);
            }

            if (home.TableIndex != Absent && !home.WasToldClosed)
            {
                host.TakeIn();
            }

            home.WasToldClosed = false;
            home.Identity = identity;
            Add(home, host.Connection.RemoteAddress);

            if (identity.Id.IsKnown && identity.Id != endpoint.Id)
            {
                _byId[identity.Id] = home;
            }
        }
    }

    private void Add(Peer peer, PeerAddress remote)
    {
        if (peer.TableIndex == Absent)
        {
            peer.TableIndex = _known.Count;
            _known.Add(peer);
        }
        else
        {
            RemoveFrom(_byAddress, peer.TableAddress, peer);
        }

        peer.TableAddress = remote;
        _byAddress[remote] = peer;
    }

    private void RemoveIfOver(Peer peer)
    {
        if (peer.Session.HasEnded && !peer.HasUnread)
        {
            Remove(peer);
        }
    }

    private void Remove(Peer peer)
    {
        if (peer.TableIndex == Absent)
        {
            return;
        }

        Invariant.Require(_known[peer.TableIndex] == peer, "A peer knows its place in the table.");
        Peer last = _known[^1];
        _known[peer.TableIndex] = last;
        last.TableIndex = peer.TableIndex;
        _known.RemoveAt(_known.Count - 1);
        peer.TableIndex = Absent;
        RemoveFrom(_byAddress, peer.TableAddress, peer);

        if (peer.Identity is { } identity)
        {
            RemoveFrom(_byId, identity.Id, peer);
        }
    }

    private static void RemoveFrom<TKey>(Dictionary<TKey, Peer> index, TKey key, Peer peer)
        where TKey : notnull
    {
        if (index.TryGetValue(key, out Peer? found) && found == peer)
        {
            index.Remove(key);
        }
    }
}
