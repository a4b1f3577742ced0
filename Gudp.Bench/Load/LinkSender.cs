using System.Diagnostics;

namespace Gudp.Bench.Load;

/// <summary>What one link has sent, and when it may send again.</summary>
/// <param name="link">Of the transport.</param>
/// <param name="number">Stands in its messages as the sender.</param>
/// <param name="rate">Messages a second; 0: all that go.</param>
/// <param name="answerPatience">A question without answer is asked anew after this: bare datagrams may be lost.</param>
internal sealed class LinkSender(int link, int number, double rate, TimeSpan answerPatience)
{
    private static readonly TimeSpan EndPause = TimeSpan.FromMilliseconds(5);

    private long _start = -1;
    private long _lastSent;
    private int _ends;

    internal int Link => link;

    internal int Number => number;

    internal long Sent { get; private set; }

    /// <summary>The last question was answered.</summary>
    internal bool IsOpen { get; set; } = true;

    internal bool HasEnded { get; private set; }

    /// <param name="now">Of <see cref="Stopwatch"/>.</param>
    /// <param name="asks">One question at a time, unless a rate says when.</param>
    internal bool MaySend(long now, bool asks)
    {
        if (rate > 0)
        {
            _start = _start < 0 ? now : _start;
            return DueAt(now) <= now;
        }

        return !asks || IsOpen || Stopwatch.GetElapsedTime(_lastSent, now) > answerPatience;
    }

    /// <summary>When the next message should leave: with a rate that does not depend on those before.</summary>
    internal long DueAt(long now) => rate > 0 ? _start + (long)(Sent * Stopwatch.Frequency / rate) : now;

    internal TimeSpan UntilDue(long now)
    {
        if (rate <= 0 || _start < 0)
        {
            return TimeSpan.MaxValue;
        }

        long due = DueAt(now);
        return due <= now ? TimeSpan.Zero : Stopwatch.GetElapsedTime(now, due);
    }

    internal void OnSent(long now)
    {
        IsOpen = false;
        _lastSent = now;
        Sent++;
    }

    internal bool MayEnd(long now) => _ends == 0 || Stopwatch.GetElapsedTime(_lastSent, now) > EndPause;

    internal void OnEnd(long now, bool isSent, int repeats)
    {
        _lastSent = now;
        _ends += isSent ? 1 : 0;
        HasEnded = _ends >= repeats;
    }
}
