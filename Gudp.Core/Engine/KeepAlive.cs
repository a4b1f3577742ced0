// Silence in both directions: when a heartbeat leaves, and when the peer counts as gone (P-6).
//
// Only time decides. How often something was repeated in vain does not: under a burst of loss that comes to a large
// number long before the peer is gone.
//
// Always true:
//   - a pure heartbeat leaves only when nothing else did that the peer has to answer;
//   - an end that is heard within IdleTimeout is never given up, whatever it acknowledges;
//   - nobody is waited for longer than the hard limit, whatever is still to be delivered.

using System;
using static Gudp.Core.Spans;

namespace Gudp.Core.Engine;

/// <summary>Heartbeats and time-outs of one open connection; see the comment on top.</summary>
internal sealed class KeepAlive
{
    // So many heartbeats fit into the time after which the peer gives us up (G26).
    private const int HeartbeatsPerTimeout = 3;

    // Unless configured otherwise, undelivered data keeps the connection for this many idle time-outs (M35).
    private const int TimeoutsForUnfinished = 2;

    private readonly TimeSpan _idleTimeout;
    private readonly TimeSpan _unfinishedTimeout;
    private TimeSpan _start;
    private TimeSpan _interval;
    private Instant _lastSent;
    private Instant _lastAsked;
    private Instant _lastHeartbeat;

    internal KeepAlive(in ConnectionConfig config)
    {
        _idleTimeout = config.IdleTimeout;
        _start = config.HeartbeatStart;
        _interval = config.HeartbeatInterval;
        TimeSpan unfinished = config.UnfinishedTimeout;
        _unfinishedTimeout = unfinished == TimeSpan.Zero ? TimeoutsForUnfinished * _idleTimeout : unfinished;
    }

    /// <summary>When the last valid packet came.</summary>
    internal Instant LastReceived { get; private set; }

    /// <summary>Silence before heartbeats start; fits what the peer allows once it is known.</summary>
    internal TimeSpan HeartbeatStart => _start;

    /// <summary>When the peer counts as gone if nothing more is heard and nothing is left to deliver (P-6.2, M18).</summary>
    internal Instant IdleDeadline => LastReceived + _idleTimeout;

    /// <summary>
    /// When a heartbeat is due (P-6.1, M16, M17, G25): nothing came or nothing left for so long, and nothing that left since
    /// asks the peer for an answer anyway (M33).
    /// </summary>
    internal Instant HeartbeatDeadline
    {
        get
        {
            Instant silence = Instant.Earlier(LastReceived, _lastSent) + _start;
            Instant unasked = Instant.Later(silence, _lastAsked + _start);
            return Instant.Later(unasked, _lastHeartbeat + _interval);
        }
    }

    /// <summary>The handshake is done: silence counts from here.</summary>
    /// <param name="peerIdleTimeout">After this the peer gives us up.</param>
    internal void OnOpened(TimeSpan peerIdleTimeout, Instant now)
    {
        LastReceived = now;
        _lastSent = now;
        TimeSpan most = peerIdleTimeout / HeartbeatsPerTimeout;
        _start = Shorter(_start, most);
        _interval = Shorter(_interval, most);
    }

    /// <summary>A valid packet came.</summary>
    internal void OnReceived(Instant now) => LastReceived = now;

    /// <summary>A packet left.</summary>
    /// <param name="hasPayload">It carries payload, which the peer must acknowledge.</param>
    internal void OnSent(bool hasPayload, Instant now)
    {
        _lastSent = now;
        _lastAsked = hasPayload ? now : _lastAsked;
    }

    /// <summary>A heartbeat is owed now.</summary>
    internal void OnHeartbeat(Instant now) => _lastHeartbeat = now;

    /// <summary>
    /// The idle deadline has come. Tells whether to wait on, because there is something to deliver that has a longer
    /// patience (P-6.3, M35), and when to ask again: at the next heartbeat, since it may be settled or given up by then.
    /// </summary>
    internal bool ShouldWaitOn(bool hasUnfinished, Instant now, out Instant askAgain)
    {
        Instant hardLimit = LastReceived + _unfinishedTimeout;
        askAgain = Instant.Earlier(now + _interval, hardLimit);
        return hasUnfinished && now < hardLimit;
    }

    /// <summary>How long nothing was heard.</summary>
    internal TimeSpan Silence(Instant now) => now - LastReceived;
}
