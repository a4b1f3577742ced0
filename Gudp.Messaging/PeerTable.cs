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
internal sealed partial class PeerTable(MessageEndpoint endpoint, MessagingConfig config)
{
    /// <summary>The index of a peer that is not in the table.</summary>
    internal const int Absent = -1;

    private readonly Lock _gate = new();
    private readonly List<Peer> _known = [];
    private readonly Dictionary<PeerId, Peer> _byId = [];
    private readonly Dictionary<PeerAddress, Peer> _byAddress = [];
    private readonly int _mostPeers = config.MaxKnownPeers;
    private int _lastIncarnation;
    private long _refused;
    private long _givenUp;

    /// <summary>Peers that found the table full and were closed with Busy.</summary>
    internal long Refused => Volatile.Read(ref _refused);

    /// <summary>Ended sessions that were given up with something unread, because another one had ended since.</summary>
    internal long GivenUp => Volatile.Read(ref _givenUp);

    /// <summary>Ids by which peers are found; for tests of leaks.</summary>
    internal int IdCount
    {
        get
        {
            lock (_gate)
            {
                return _byId.Count;
            }
        }
    }

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
    /// <param name="isPinned">It shall be dialled again whenever its connection ends.</param>
    internal Peer Dial(PeerAddress remote, bool isPinned)
    {
        lock (_gate)
        {
            if (_byAddress.TryGetValue(remote, out Peer? peer) && IsStillAt(peer, remote))
            {
                DialIfAway(peer);
            }
            else
            {
                RequireRoom();
                peer = DialNow(remote, null, null, TimeSpan.Zero);
                Add(peer, remote);
            }

            if (isPinned)
            {
                peer.SetPinned(true);
            }

            // Not if nobody could dial.
            RemoveIfOver(peer);
            return peer;
        }
    }

    /// <summary>
    /// Leader. The handshake of a connection has told who the peer is: its session becomes the peer's only one.
    /// </summary>
    /// <param name="session">The connection's own.</param>
    /// <param name="door">The connection.</param>
    /// <param name="host">The same.</param>
    /// <param name="now">The turn's time.</param>
    /// <returns>
    /// The session that goes on there: the same, or one that was being dialled and had not opened. Null: the peer is new
    /// and there is no room for it.
    /// </returns>
    internal MessageSession? Open(MessageSession session, ConnectionHost door, PayloadHost host, Instant now)
    {
        PeerIdentity identity = new(host.Connection.RemotePeerId, host.Connection.RemoteInstance);
        Peer? home = FindHome(session, identity, host.Connection.RemoteAddress);

        if (home is null)
        {
            return null;
        }

        session = MoveDialled(home, session, door);

        // D-12.2: said to be over before the next one is open, also to sinks (I8, I9).
        bool isRestarted = home.Identity is { } before && before.Instance != identity.Instance;
        EndOther(home.FormerSession, session, isRestarted, now);
        EndOther(home.Session, session, isRestarted, now);
        Adopt(home, session, identity, host, now);

        if (isRestarted)
        {
            session.TellRestarted(now);
        }

        return session;
    }

    /// <summary>Leader, or whoever failed to begin. A session is over.</summary>
    /// <param name="session">Which.</param>
    /// <param name="fate">Whether that was the last word.</param>
    /// <param name="now">The turn's time.</param>
    internal void HandleEnded(MessageSession session, SessionFate fate, Instant now)
    {
        // Nobody can read what a sink was not handed.
        if (session.HasSink)
        {
            session.Discard();
        }

        lock (_gate)
        {
            Peer peer = session.Peer;

            if (peer.Session != session)
            {
                return;
            }

            peer.SetActive(false);
            NoteChange(peer);

            if (fate == SessionFate.Lost && CanDialAgain(peer))
            {
                DialAgain(peer, null, now);
            }

            if (fate != SessionFate.Superseded && peer.Session == session)
            {
                session.MarkLast();
                RemoveIfOver(peer);
            }
        }
    }

    /// <summary>
    /// Leader. D-12.10: the connection of a session that never opened is over, and the session goes on the next one.
    /// </summary>
    /// <returns>False: there is no next one, the session is over as well.</returns>
    internal bool TryDialOn(MessageSession waiting, Instant now)
    {
        lock (_gate)
        {
            Peer peer = waiting.Peer;

            if (peer.Session != waiting || !CanDialAgain(peer))
            {
                return false;
            }

            peer.SetActive(false);
            NoteChange(peer);
            ISessionHost before = waiting.Host;
            DialAgain(peer, waiting, now);
            return waiting.Host != before;
        }
    }

    /// <summary>Under the gate. The peer's next session begins.</summary>
    internal void Attach(Peer peer, MessageSession session)
    {
        if (peer.Attach(session) is not null)
        {
            Interlocked.Increment(ref _givenUp);
        }
    }

    /// <summary>The application ends what there is of a peer, and takes its wish back.</summary>
    internal (MessageSession Present, MessageSession? Former) GiveUp(Peer peer)
    {
        lock (_gate)
        {
            Peer home = peer.Home;
            home.SetPinned(false);
            home.WasToldClosed = true;
            RemoveIfOver(home);
            home.Changes.Signal();
            return (home.Session, home.FormerSession);
        }
    }

    /// <summary>A reader found nothing and the end.</summary>
    /// <returns>False: another session has come meanwhile, or something waits.</returns>
    internal bool TryTellClosed(Peer peer, MessageSession session)
    {
        lock (_gate)
        {
            // A connection that is closed here and still flushes hands out no more than the reader found.
            if (peer.Session != session || peer.HasSuccessor || !peer.IsOver(session)
                || peer.FormerSession is { HasUnread: true } || (session.HasEnded && session.HasUnread))
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

    private static void EndOther(MessageSession? other, MessageSession session, bool isRestarted, Instant now)
    {
        if (other is { HasEnded: false } && other != session)
        {
            CloseReason reason = isRestarted
                ? new CloseReason(CloseCode.PeerRestarted, "The peer was restarted and opened anew.")
                : other.Connection.RemoteAddress == session.Connection.RemoteAddress
                ? new CloseReason(CloseCode.PeerLostState, "The peer opened anew from the same address.")
                : new CloseReason(CloseCode.Superseded, "The peer opened another connection.");
            ((ConnectionHost)other.Connection.Payload).Supersede(reason, now);
        }
    }

    /// <summary>
    /// D-12.4: both ends dial each other and theirs is here first. What waits in ours goes on theirs.
    /// </summary>
    private static MessageSession MoveDialled(Peer home, MessageSession session, ConnectionHost door)
    {
        MessageSession waiting = home.Session;

        if (waiting == session || session.Peer.TableIndex != Absent || waiting.IsOpen || waiting.IsFinal)
        {
            return session;
        }

        ((ConnectionHost)waiting.Connection.Payload).MoveTo(door, waiting);
        return waiting;
    }

    // A peer that moved away leaves its old address to others.
    private static bool IsStillAt(Peer peer, PeerAddress remote) => peer.RemoteAddress == remote;

    // Nobody's id tells nothing about who it is, nor does our own.
    private bool IsTelling(PeerId id) => id.IsKnown && id != endpoint.Id;

    private Peer? FindHome(MessageSession session, PeerIdentity identity, PeerAddress remote)
    {
        lock (_gate)
        {
            Peer? home = FindKnown(session, identity, remote);
            home?.HasSuccessor = true;
            return home;
        }
    }

    private Peer? FindKnown(MessageSession session, PeerIdentity identity, PeerAddress remote)
    {
        if (IsTelling(identity.Id) && _byId.TryGetValue(identity.Id, out Peer? known))
        {
            return known;
        }

        if (session.Peer.TableIndex != Absent)
        {
            return session.Peer;
        }

        // Both dial each other for the first time, and theirs is here first.
        if (_byAddress.TryGetValue(remote, out Peer? dialling) && dialling.Identity is null
            && IsTelling(identity.Id))
        {
            return dialling;
        }

        if (_known.Count < _mostPeers)
        {
            return session.Peer;
        }

        Interlocked.Increment(ref _refused);
        return null;
    }

    private void Adopt(Peer home, MessageSession session, PeerIdentity identity, PayloadHost host, Instant now)
    {
        lock (_gate)
        {
            Peer dialled = session.Peer;

            if (dialled != home)
            {
                Remove(dialled);
                Attach(home, session);

                // It may have been somebody else before, who was at that address.
                if (dialled.GiveUpFormer() is not null)
                {
                    Interlocked.Increment(ref _givenUp);
                }

                home.SetPinned(home.IsPinned | dialled.IsPinned);
                home.SetBlocked(home.IsBlocked | dialled.IsBlocked);
                dialled.BecomeNameOf(home);
            }

            if (home.TableIndex != Absent && !home.WasToldClosed)
            {
                host.TakeIn();
            }

            // Another process may answer where this one was.
            if (home.Identity is { } before && before.Id != identity.Id)
            {
                RemoveFrom(_byId, before.Id, home);
            }

            home.WasToldClosed = false;
            home.HasSuccessor = false;
            home.Identity = identity;
            home.OpenedAt = now;
            home.SetActive(true);
            home.SetBlocked(home.IsBlocked);
            NoteChange(home);
            Add(home, host.Connection.RemoteAddress);

            if (IsTelling(identity.Id))
            {
                _byId[identity.Id] = home;
            }

            home.Changes.Signal();
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
        if (peer.Session.HasEnded && !peer.HasUnread && !peer.IsPinned && !peer.IsBlocked && !peer.HasSuccessor)
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
        DropUntold(peer);
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

/// <summary>How a session ended, for the wish to have one.</summary>
internal enum SessionFate
{
    /// <summary>By the peer, the network or a broken rule: worth trying again.</summary>
    Lost,

    /// <summary>By this end for good, or nothing is left to dial with.</summary>
    Final,

    /// <summary>Another one takes its place now.</summary>
    Superseded,
}
