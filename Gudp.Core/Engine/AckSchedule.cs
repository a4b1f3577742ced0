// When the next acknowledgement leaves (P-2.1, P-2.5, P-2.6). What it says is the receive window's business.
//
// At once: after a gap, reordering, a duplicate, a long silence, or enough packets. Else after a wait. Enough packets
// is two, or what the configuration or the peer asks for. While packets come fast and none is missing it grows to what
// arrives in an eighth of the round trip: an ack per two packets tells a sender with a hundred in flight nothing that
// an ack per eight does not. On a path shorter than a millisecond most of the round trip is the two processes' own work,
// of which an ack of its own is a good part: there it grows to what arrives in a tenth of a millisecond.
//
// Always true:
//   - something is due only while something is owed;
//   - the wait counts from the first packet that asked since the last ack, and ends within the delay announced;
//   - packets that carry nothing but an ack leave at most as often as the configuration allows.

using System;
using Gudp.Core.Congestion;
using static Gudp.Core.Spans;

namespace Gudp.Core.Engine;

/// <summary>Decides when to acknowledge; see the comment on top.</summary>
internal sealed class AckSchedule
{
    // Beyond this a peer could keep us from acknowledging at all.
    private const int MostAskedFor = 256;

    // Eight acks in a round trip: the sender's window still grows and its losses still show as fast as it can use.
    private const int AcksPerRoundTrip = 8;

    // There the sender's window is a quarter of this end's buffer at most: so many acks for it at least.
    private const int AcksPerWindow = 8;
    private const int WindowsPerBuffer = 4;
    private const int TimesRarerOnShortPath = 4;
    private const int UsualPacketBytes = 1472;

    // Where that is less than this, the path is a processor's or a room's, and the ack costs more than it tells.
    private static readonly TimeSpan LeastAckSpan = TimeSpan.FromMicroseconds(100);

    // So many gaps between packets without a further one: the burst is over.
    private const int GapsThatEndABurst = 4;

    // So many round trips or delays without a packet: whoever sends now has waited, and is not sending a stream.
    private const int DelaysOfSilence = 4;

    // A rate needs so many packets to be one.
    private const int LeastRatePackets = 8;

    // An end that only receives never sends a packet whose ack would let it forget old ranges, or measure the path: it
    // asks for one after this many pure acks.
    private const int PureAcksBeforePing = 32;

    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _longestDelay;
    private readonly TimeSpan _granularity;
    private readonly TimeSpan _pureAckGap;
    private readonly int _most;
    private readonly int _mostOnShortPath;

    private int _every;
    private TimeSpan _delay;
    private bool _isAsked;
    private long _askedIn = -1;

    private bool _isOwed;
    private bool _isDue;
    private Instant _deadline = Instant.Never;
    private Instant _firstAt = Instant.Never;   // the first packet that asked since the last ack
    private Instant _lastAt = Instant.Never;    // the last one
    private Instant _thinFrom;                  // not before: something was missing
    private Instant _nextPureAckAt;
    private Instant _nextQuestionAt;
    private int _pureAcks;

    private Instant _rateFrom;
    private int _ratePackets;
    private long _gapTicks;                     // between packets, on average; 0: not known

    /// <param name="rules">What the configuration says.</param>
    /// <param name="receiveBufferBytes">What this end's socket holds.</param>
    internal AckSchedule(in LossConfig rules, int receiveBufferBytes)
    {
        int windowPackets = receiveBufferBytes / (WindowsPerBuffer * UsualPacketBytes);
        _mostOnShortPath = Math.Clamp(
            windowPackets / AcksPerWindow, rules.MostPacketsPerAck, TimesRarerOnShortPath * rules.MostPacketsPerAck);
        _every = rules.AckEveryPackets;
        _delay = rules.MaxAckDelay;
        _most = rules.MostPacketsPerAck;
        _longestDelay = rules.MaxAckDelay;
        _granularity = rules.TimerGranularity;
        _pureAckGap = rules.MaxAcksPerSecond == 0
            ? TimeSpan.Zero
            : new TimeSpan(TimeSpan.TicksPerSecond / rules.MaxAcksPerSecond);
    }

    /// <summary>True if the peer asked for something it has not heard of: it goes into the next packet.</summary>
    internal bool IsOwed => _isOwed;

    /// <summary>True if a packet is to leave now for the sake of the acknowledgement alone.</summary>
    internal bool IsDue(Instant now) => _isDue && now >= _nextPureAckAt;

    /// <summary>When something becomes due that is not; always after <paramref name="now"/>.</summary>
    internal Instant NextDeadline(Instant now)
    {
        Instant next = _isDue ? _nextPureAckAt : _deadline;
        return _isOwed && next > now ? next : Instant.Never;
    }

    /// <summary>
    /// True if the pure ack that leaves now should itself ask for one: to forget old ranges, or to know the round trip
    /// on an end that sends nothing (P-2.2).
    /// </summary>
    internal bool ShouldAsk(int ranges, Instant now)
        => IsDue(now) && _pureAcks >= PureAcksBeforePing && (ranges > 1 || now >= _nextQuestionAt);

    /// <summary>A packet that asks for an acknowledgement is held.</summary>
    /// <param name="arrival">How it stands to those before it.</param>
    /// <param name="sinceAck">Packets that asked since the last ack, this one included.</param>
    internal void OnArrived(Arrival arrival, int sinceAck, in RttSample rtt, Instant now)
    {
        bool afterSilence = !_lastAt.IsNever && now - _lastAt >= LongSilence(rtt);
        NoteRate(afterSilence, rtt, now);
        _isOwed = true;
        _firstAt = Instant.Earlier(_firstAt, now);
        _lastAt = now;

        if (arrival != Arrival.InOrder)
        {
            _thinFrom = now + rtt.Smoothed;
        }

        if (arrival != Arrival.InOrder || afterSilence || _delay == TimeSpan.Zero || sinceAck >= Enough(rtt, now))
        {
            _isDue = true;
        }
        else if (!_isDue)
        {
            _deadline = Instant.Earlier(_firstAt + Delay(rtt), now + EndOfBurst(rtt));
            _isDue = _deadline <= now;
        }
    }

    /// <summary>A packet came twice: the ack may have been lost, or the sender was too eager. It hears again.</summary>
    /// <param name="mayAnswer">False in states that acknowledge nothing of their own accord.</param>
    internal void OnDuplicate(bool mayAnswer)
    {
        _isOwed = true;
        _isDue |= mayAnswer;
    }

    /// <summary>The wait is over.</summary>
    internal void OnTimer() => _isDue |= _isOwed;

    /// <summary>The peer wants acknowledgements in its own rhythm; the newest packet's wish counts (P-2.1).</summary>
    internal void OnAsked(PacketNumber packet, ulong everyPackets, TimeSpan delay)
    {
        if (packet.Value <= _askedIn)
        {
            return;
        }

        _askedIn = packet.Value;
        _isAsked = true;
        _every = (int)Math.Clamp(everyPackets, 1, MostAskedFor);
        _delay = Shorter(delay, _longestDelay);
    }

    /// <summary>All that was owed stands in a packet that leaves.</summary>
    internal void OnWritten()
    {
        _isOwed = false;
        _isDue = false;
        _deadline = Instant.Never;
        _firstAt = Instant.Never;
    }

    /// <summary>A packet left; one that asks for no acknowledgement carried nothing but ours.</summary>
    internal void OnPacketSent(bool asks, Instant now)
    {
        if (asks)
        {
            _pureAcks = 0;
            _nextQuestionAt = now + AskAgainAfter;
            return;
        }

        _pureAcks++;
        _nextPureAckAt = now + _pureAckGap;
    }

    // min(delay, RTT/4): a short path should not wait for a delay made for long ones.
    private TimeSpan Delay(in RttSample rtt)
    {
        if (!rtt.IsMeasured)
        {
            return _delay;
        }

        TimeSpan quarter = Shorter(_delay, rtt.Smoothed / 4);
        return quarter > _granularity ? quarter : Shorter(_delay, _granularity);
    }

    // Who sends so fast over a short path may wait for nothing but this ack: the finest timer is a window's time there.
    private TimeSpan EndOfBurst(in RttSample rtt)
    {
        TimeSpan least = rtt.IsMeasured && rtt.Minimum < _granularity ? Shorter(LeastAckSpan, _granularity) : _granularity;
        return _gapTicks == 0 ? Delay(rtt) : Longer(new TimeSpan(GapsThatEndABurst * _gapTicks), least);
    }

    private TimeSpan LongSilence(in RttSample rtt)
        => new(DelaysOfSilence * Longer(rtt.Smoothed, _longestDelay).Ticks);

    private int Enough(in RttSample rtt, Instant now)
    {
        // The least round trip: a full queue makes the other one long, and the sender's window is not for us to know.
        bool mayThin = !_isAsked && _most > _every && _gapTicks > 0 && rtt.IsMeasured && now >= _thinFrom;
        if (!mayThin)
        {
            return _every;
        }

        long span = rtt.Minimum.Ticks / AcksPerRoundTrip;
        return span >= LeastAckSpan.Ticks
            ? (int)Math.Clamp(span / _gapTicks, _every, _most)
            : (int)Math.Clamp(LeastAckSpan.Ticks / _gapTicks, _every, _mostOnShortPath);
    }

    private void NoteRate(bool afterSilence, in RttSample rtt, Instant now)
    {
        if (afterSilence || _lastAt.IsNever)
        {
            _rateFrom = now;
            _ratePackets = 0;
            _gapTicks = 0;
            return;
        }

        _ratePackets++;
        long elapsed = (now - _rateFrom).Ticks;

        if (_ratePackets >= LeastRatePackets && elapsed >= Longer(rtt.Minimum, _granularity).Ticks)
        {
            _gapTicks = Math.Max(1, elapsed / _ratePackets);
            _rateFrom = now;
            _ratePackets = 0;
        }
    }
}
