using System;
using System.Collections.Generic;
using System.Threading;
using Gudp.Core;

namespace Gudp.Messaging;

// What the application wishes, who is dialled again and when, and what it is told of the set of active peers.
//
// Always true:
//   - a pinned peer has a session that is not final, unless this end closed it or cannot dial;
//   - a peer stands among the changes at most once, and only while it is known or was told to be active.
internal sealed partial class PeerTable
{
    // Beyond it the delay has long reached the most there is.
    private const int MostDoublings = 30;

    private readonly LinkedList<Peer> _changed = new();
    private bool _isDialling;

    /// <summary>Peers of which there may be something to tell; for tests.</summary>
    internal int ChangeCount => _changed.Count;

    internal void Pin(Peer peer)
    {
        lock (_gate)
        {
            Peer home = KnowAgain(peer);
            home.SetPinned(true);
            home.FailedAttempts = 0;
            DialIfAway(home);
        }
    }

    internal void Unpin(Peer peer)
    {
        lock (_gate)
        {
            Peer home = peer.Home;
            home.SetPinned(false);
            RemoveIfOver(home);

            // Who waits for its next connection need not if there is to be none.
            home.Changes.Signal();
        }
    }

    internal void SetBlocked(Peer peer, bool blocked)
    {
        lock (_gate)
        {
            Peer home = blocked ? KnowAgain(peer) : peer.Home;
            home.SetBlocked(blocked);
            RemoveIfOver(home);
        }
    }

    /// <summary>Copies peers that the filter names; how many.</summary>
    internal int Copy(PeerFilter filter, Span<Peer> destination)
    {
        lock (_gate)
        {
            int count = 0;

            for (int i = 0; i < _known.Count && count < destination.Length; i++)
            {
                if (Matches(_known[i], filter))
                {
                    destination[count++] = _known[i];
                }
            }

            return count;
        }
    }

    internal int CountOf(PeerFilter filter)
    {
        lock (_gate)
        {
            int count = 0;

            foreach (Peer peer in _known)
            {
                count += Matches(peer, filter) ? 1 : 0;
            }

            return count;
        }
    }

    internal PeerStatistics ReadStatistics(PeerFilter filter)
    {
        lock (_gate)
        {
            PeerStatistics sum = PeerStatistics.None;

            foreach (Peer peer in _known)
            {
                sum = Matches(peer, filter) ? sum.Plus(peer.ReadStatistics()) : sum;
            }

            return sum;
        }
    }

    /// <summary>The net changes of the active set since they were taken last, in the order they began.</summary>
    internal int TakeChanges(Span<PeerEvent> events)
    {
        lock (_gate)
        {
            int count = 0;

            while (count < events.Length && _changed.First?.Value is { } peer)
            {
                _changed.RemoveFirst();
                int before = peer.ReportedIncarnation;
                int now = peer.IsActive && peer.Home == peer ? peer.Incarnation : 0;

                if (before == now)
                {
                    continue;
                }

                PeerChange change = now == 0 ? PeerChange.Closed
                    : before != 0 && peer.ReportedInstance != peer.Instance ? PeerChange.Restarted
                    : PeerChange.Opened;
                peer.ReportedIncarnation = now;
                peer.ReportedInstance = peer.Instance;
                events[count++] = new PeerEvent(peer, change, now);
            }

            return count;
        }
    }

    private static bool Matches(Peer peer, PeerFilter filter)
        => (filter & PeerFilter.Known) != 0
            || ((filter & PeerFilter.Active) != 0 && peer.IsActive)
            || ((filter & PeerFilter.Pinned) != 0 && peer.IsPinned)
            || ((filter & PeerFilter.Blocked) != 0 && peer.IsBlocked);

    private void NoteChange(Peer peer)
    {
        peer.Change ??= new LinkedListNode<Peer>(peer);

        if (peer.Change.List is null)
        {
            _changed.AddLast(peer.Change);
        }
    }

    // Of a peer that is gone and was never told to be there, there is nothing to tell.
    private void DropUntold(Peer peer)
    {
        if (peer.ReportedIncarnation == 0 && peer.Change is { List: not null } change)
        {
            _changed.Remove(change);
        }
    }

    /// <summary>A peer that was forgotten, and that somebody still holds, is known again.</summary>
    private Peer KnowAgain(Peer peer)
    {
        Peer home = peer.Home;

        if (home.TableIndex != Absent)
        {
            return home;
        }

        if (home.Identity is { } identity && _byId.TryGetValue(identity.Id, out Peer? other))
        {
            home.BecomeNameOf(other);
            return other;
        }

        RequireRoom();
        Add(home, home.RemoteAddress);

        if (home.Identity is { } own && IsTelling(own.Id))
        {
            _byId[own.Id] = home;
        }

        return home;
    }

    private void RequireRoom()
    {
        if (_known.Count >= _mostPeers)
        {
            Interlocked.Increment(ref _refused);
            throw new InvalidOperationException(
                $"{_mostPeers} peers are known, and no more may be (MessagingConfig.MaxKnownPeers).");
        }
    }

    private void DialIfAway(Peer peer)
    {
        if (peer.Session.IsFinal)
        {
            _ = DialNow(peer.RemoteAddress, peer, null, TimeSpan.Zero);
            peer.WasToldClosed = false;
        }
    }

    // An end inside of dialling says that nobody could: the daemon's command queue is full, or the daemon has stopped.
    private bool CanDialAgain(Peer peer) => peer.IsPinned && !_isDialling;

    private Peer DialNow(PeerAddress remote, Peer? peer, MessageSession? waiting, TimeSpan after)
    {
        _isDialling = true;

        try
        {
            return endpoint.Dial(remote, peer, waiting, after);
        }
        finally
        {
            _isDialling = false;
        }
    }

    /// <summary>The leader's: a pinned peer's connection has ended.</summary>
    /// <param name="peer">Which.</param>
    /// <param name="waiting">Its session, if that goes on.</param>
    /// <param name="now">The turn's time.</param>
    private void DialAgain(Peer peer, MessageSession? waiting, Instant now)
    {
        bool livedLong = peer.OpenedAt != default && now - peer.OpenedAt >= config.MaxReconnectDelay;
        peer.FailedAttempts = livedLong ? 0 : peer.FailedAttempts;
        peer.OpenedAt = default;
        TimeSpan delay = DelayOf(peer.FailedAttempts++);

        try
        {
            _ = DialNow(peer.RemoteAddress, peer, waiting, delay);
        }
        catch (ObjectDisposedException)
        {
            // The endpoint ends: nobody is dialled any more.
        }
    }

    // R16, D-12.6: twice as long each time, a quarter more or less, so that those who lost the same peer do not come at once.
    private TimeSpan DelayOf(int attempts)
    {
        double doubled = config.ReconnectDelay.Ticks * Math.Pow(2, Math.Min(attempts, MostDoublings));
        long ticks = (long)Math.Min(doubled, config.MaxReconnectDelay.Ticks);
        return new TimeSpan(endpoint.Choices.NextBetween(ticks - (ticks / 4), ticks + (ticks / 4)));
    }
}
