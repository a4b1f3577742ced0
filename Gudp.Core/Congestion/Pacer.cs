using System;

namespace Gudp.Core.Congestion;

/// <summary>
/// Spreads a window over its round trip: a bucket of bytes that fills at the controller's rate, else at 1.25 x window /
/// round trip (P-5.3, RFC 9002 section 7.7), and holds one burst. Without a controller's rate there is none before the first
/// measurement; then the initial window alone limits.
/// </summary>
/// <remarks>
/// Always true: the bucket holds at most one burst and owes at most one; it owes something only after packets that may
/// not wait, such as probes. Integers only, so that every machine computes the same.
/// </remarks>
internal sealed class Pacer
{
    private const int UsualBurstPackets = 10;

    // A burst must not fill the peer's socket buffer, which others fill too.
    private const int PeerBufferShare = 4;

    /// <summary>Far above any network; keeps the products here within 64 bits.</summary>
    internal const long MaxBytesPerSecond = 100_000_000_000;

    private readonly TimeSpan _granularity;
    private int _packetBytes;
    private int _peerBufferBytes;
    private bool _countsPackets;
    private int _burstBytes;
    private long _bytesPerSecond;       // 0: not limited
    private long _level;                // bytes x ticks per second, so that no rounding is lost between refills
    private Instant _filledAt;

    /// <param name="packetBytes">The largest datagram.</param>
    /// <param name="peerBufferBytes">The peer's socket buffer; its parameter, or a guess.</param>
    /// <param name="granularity">The finest the timers here can do: a burst covers at least this long.</param>
    internal Pacer(int packetBytes, int peerBufferBytes, TimeSpan granularity)
    {
        Invariant.Require(packetBytes > 0 && peerBufferBytes > 0, "Packets and buffers have a size.");
        _packetBytes = packetBytes;
        _peerBufferBytes = peerBufferBytes;
        _granularity = granularity;
        MeasureBurst();
    }

    /// <summary>Packets are limited, not bytes: each counts as a full one, and a burst is one packet.</summary>
    internal bool CountsPackets
    {
        get => _countsPackets;
        set
        {
            _countsPackets = value;
            MeasureBurst();
        }
    }

    /// <summary>Bytes per second; 0 while nothing is measured and nothing held back.</summary>
    internal long BytesPerSecond => _bytesPerSecond;

    /// <summary>The most that leaves at once.</summary>
    internal int BurstBytes => _burstBytes;

    private long FullLevel => _burstBytes * TimeSpan.TicksPerSecond;

    /// <summary>The window or the round trip has changed; cheap enough for every acknowledgement.</summary>
    internal void OnWindowChanged(int windowBytes, in RttSample rtt, Instant now)
    {
        if (!rtt.IsMeasured)
        {
            return;
        }

        // 1.25 as 5/4; a round trip has at least one tick.
        SetRate(5L * windowBytes * (TimeSpan.TicksPerSecond / 4) / rtt.Smoothed.Ticks, now);
    }

    /// <summary>The rate is this, more than 0, whatever window and round trip are.</summary>
    internal void SetRate(long rate, Instant now)
    {
        bool isFirst = _bytesPerSecond == 0;
        Refill(now);
        _bytesPerSecond = Math.Clamp(rate, 1, MaxBytesPerSecond);
        MeasureBurst();
        _level = isFirst ? FullLevel : Math.Min(_level, FullLevel);
        _filledAt = now;
    }

    /// <summary>The path carries datagrams of another size.</summary>
    internal void OnPacketSizeChanged(int bytes)
    {
        _packetBytes = bytes;
        MeasureBurst();
    }

    /// <summary>The peer's parameter has become known.</summary>
    internal void OnPeerBufferKnown(int bytes)
    {
        _peerBufferBytes = Math.Max(bytes, 1);
        MeasureBurst();
    }

    /// <summary>How many bytes may leave now; 0 or more.</summary>
    internal int Allowance(Instant now)
    {
        if (_bytesPerSecond == 0)
        {
            return int.MaxValue;
        }

        Refill(now);
        return (int)Math.Max(0, _level / TimeSpan.TicksPerSecond);
    }

    /// <summary>Bytes have left, allowed or not.</summary>
    internal void OnSent(int bytes, Instant now)
    {
        if (_bytesPerSecond == 0)
        {
            return;
        }

        Refill(now);
        bytes = CountsPackets ? _packetBytes : bytes;
        _level = Math.Max(_level - (bytes * TimeSpan.TicksPerSecond), -FullLevel);
    }

    /// <summary>The first moment at which so many bytes may leave, or a full burst if that is less.</summary>
    internal Instant NextRelease(int bytes, Instant now)
    {
        if (_bytesPerSecond == 0)
        {
            return now;
        }

        Refill(now);
        long missing = (Math.Min(bytes, BurstBytes) * TimeSpan.TicksPerSecond) - _level;

        // Rounded up: a deadline one tick early would find the bucket not yet full and wait in vain.
        return missing <= 0 ? now : now + new TimeSpan((missing + _bytesPerSecond - 1) / _bytesPerSecond);
    }

    // Asked for several times a packet; what it follows from changes once an acknowledgement.
    private void MeasureBurst()
    {
        long inOneTick = _bytesPerSecond * Math.Min(_granularity.Ticks, TimeSpan.TicksPerSecond)
            / TimeSpan.TicksPerSecond;
        long wanted = _countsPackets ? _packetBytes : Math.Max((long)UsualBurstPackets * _packetBytes, inOneTick);

        // One packet always fits, however small the peer's buffer is.
        _burstBytes = (int)Math.Max(Math.Min(wanted, _peerBufferBytes / PeerBufferShare), _packetBytes);
    }

    private void Refill(Instant now)
    {
        if (now <= _filledAt || _bytesPerSecond == 0)
        {
            return;
        }

        long elapsed = (now - _filledAt).Ticks;
        long full = FullLevel;
        _filledAt = now;

        // Compared by division first: after a long silence the product would not fit.
        bool isFull = _level >= full || elapsed > (full - _level) / _bytesPerSecond;
        _level = isFull ? full : _level + (elapsed * _bytesPerSecond);
    }
}
