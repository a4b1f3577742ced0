using System;

namespace Gudp.Core.Congestion;

/// <summary>
/// How many bytes acks bring at once beyond what the rate explains: peers thin their acks and links hold them back. The
/// largest of five to ten rounds.
/// </summary>
internal sealed class AckAggregation
{
    private const int RoundsPerBucket = 5;

    private Instant _start = Instant.Never;
    private long _acked;
    private long _thisBucket;
    private long _lastBucket;
    private int _rounds;

    /// <summary>Bytes; 0 or more.</summary>
    internal long Extra => Math.Max(_thisBucket, _lastBucket);

    internal void OnAcked(int bytes, long bytesPerSecond, int window, bool isRoundStart, Instant now)
    {
        if (isRoundStart && ++_rounds >= RoundsPerBucket)
        {
            _rounds = 0;
            _lastBucket = _thisBucket;
            _thisBucket = 0;
        }

        long expected = _start.IsNever ? 0 : Expected(bytesPerSecond, now - _start);

        if (_start.IsNever || _acked <= expected)
        {
            // The acks came no faster than the path delivers: counting begins again.
            _start = now;
            _acked = 0;
            expected = 0;
        }

        _acked += bytes;
        _thisBucket = Math.Max(_thisBucket, Math.Min(_acked - expected, window));
    }

    private static long Expected(long bytesPerSecond, TimeSpan span)
        => (long)Int128.Min((Int128)bytesPerSecond * span.Ticks / TimeSpan.TicksPerSecond, long.MaxValue);
}
