using System.Runtime.CompilerServices;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging;

/// <content>Sessions that come and go, and what the endpoint's table keeps with the peer.</content>
public sealed partial class Peer
{
    private readonly Lock _sessionsGate = new();
    private PeerIdentity? _identity;
    private StrongBox<PeerStatistics>? _dropped;    // of sessions that are gone; most peers have one session

    /// <summary>Who it is; null before the handshake of its first session has told. Written under the table's gate.</summary>
    internal PeerIdentity? Identity
    {
        get => Volatile.Read(ref _identity);
        set => Volatile.Write(ref _identity, value);
    }

    /// <summary>Its place in the table; -1 while it is not there. Under the table's gate.</summary>
    internal int TableIndex { get; set; } = PeerTable.Absent;

    /// <summary>The address the table knows it by. Under the table's gate.</summary>
    internal PeerAddress TableAddress { get; set; }

    /// <summary>
    /// A reader heard that all is over, or the application has closed it: who comes back is accepted anew. Under the
    /// table's gate.
    /// </summary>
    internal bool WasToldClosed { get; set; }

    /// <summary>Its next session is about to take the place of the present one. Under the table's gate.</summary>
    internal bool HasSuccessor { get; set; }

    /// <summary>Something that was received waits to be read.</summary>
    internal bool HasUnread => Session.HasUnread || FormerSession is { HasUnread: true };

    /// <summary>The session before the present one, while something of it was not fetched.</summary>
    internal MessageSession? FormerSession => Volatile.Read(ref _former);

    /// <summary>
    /// The next session begins. Under the table's gate. The one before is kept while it is not drained, and only that
    /// one.
    /// </summary>
    /// <returns>The session that was given up undrained, if one was.</returns>
    internal MessageSession? Attach(MessageSession next)
    {
        MessageSession before = Session;
        MessageSession? givenUp = null;

        if (before == next)
        {
            return null;
        }

        Invariant.Require(before.Incarnation != next.Incarnation, "Every session has its own number.");

        next.Peer = this;

        lock (_sessionsGate)
        {
            bool isKept = !(before.HasEnded && before.IsDrained);
            MessageSession? dropped = isKept ? FormerSession : before;

            if (dropped is not null)
            {
                Drop(PeerStatistics.Of(dropped).WithoutLevels());
                givenUp = dropped.HasEnded && dropped.IsDrained ? null : dropped;
            }

            if (isKept)
            {
                Volatile.Write(ref _former, before);
            }

            Volatile.Write(ref _present, next);
        }

        before.HandWishTo(next);
        _changes.Signal();
        givenUp?.Discard();
        return givenUp;
    }

    /// <summary>Its own former session is given up, because the peer is to be another's name. Under the table's gate.</summary>
    /// <returns>That session, if there was one undrained.</returns>
    internal MessageSession? GiveUpFormer()
    {
        MessageSession? former;

        // A reader may find at this moment that it is drained.
        lock (_sessionsGate)
        {
            former = _former;

            if (former is null)
            {
                return null;
            }

            Drop(PeerStatistics.Of(former).WithoutLevels());
            Volatile.Write(ref _former, null);
        }

        bool isDrained = former.HasEnded && former.IsDrained;
        former.Discard();
        return isDrained ? null : former;
    }

    /// <summary>Whether nothing more comes of a session, nor after it. Any thread.</summary>
    internal bool IsOver(MessageSession session) => session.IsFinal && (!IsPinned || session.IsLast);

    /// <summary>A connection that was dialled gave way to another one before it opened: what it counted stays.</summary>
    internal void CountMoved(in ConnectionCounters packets)
        => CountDropped(PeerStatistics.None with { Packets = packets.WithoutLevels() });

    private void CountDropped(in PeerStatistics dropped)
    {
        lock (_sessionsGate)
        {
            Drop(dropped);
        }
    }

    private PeerStatistics ReadSessions()
    {
        lock (_sessionsGate)
        {
            PeerStatistics sum = Dropped.Plus(PeerStatistics.Of(Session));
            return FormerSession is { } former ? sum.Plus(PeerStatistics.Of(former)) : sum;
        }
    }

    /// <summary>From now on this object is another name of that peer. Under the table's gate.</summary>
    internal void BecomeNameOf(Peer home)
    {
        home._tag ??= _tag;
        home.CountDropped(Dropped);
        Volatile.Write(ref _home, home);
        _changes.Signal();
    }

    private void DropIfDrained(MessageSession former)
    {
        // What the application holds of it may still be refused, which it counts.
        if (!former.HasEnded || !former.IsDrained || former.IsHeldFrom)
        {
            return;
        }

        lock (_sessionsGate)
        {
            if (_former != former)
            {
                return;
            }

            Drop(PeerStatistics.Of(former).WithoutLevels());
            Volatile.Write(ref _former, null);
        }

        // A reader that found the former one busy has left the messages of the present one where they are.
        Session.SignalReadable();
    }

    // A peer that is gone is known only as long as something of it was not read.
    private void LeaveIfOver(MessageSession session)
    {
        if (session.HasEnded && TableIndex != PeerTable.Absent && !HasUnread)
        {
            _table?.ForgetIfOver(this);
        }
    }

    // Under the gate of sessions, as what calls them.
    private PeerStatistics Dropped => _dropped?.Value ?? PeerStatistics.None;

    private void Drop(in PeerStatistics counted)
    {
        PeerStatistics sum = Dropped.Plus(counted);
        (_dropped ??= new StrongBox<PeerStatistics>()).Value = sum;
    }
}

/// <summary>Who a peer is, and which of its processes.</summary>
internal sealed record PeerIdentity(PeerId Id, ulong Instance);
