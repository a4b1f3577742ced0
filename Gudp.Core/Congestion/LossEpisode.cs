namespace Gudp.Core.Congestion;

/// <summary>
/// Groups losses so that the window is reduced once per round trip (RFC 9002 section 7.3.2): all packets sent before a
/// reduction belong to its episode, whenever their loss is noticed. Also counts whether the losses of the episode have
/// all proved wrong, which undoes the reduction.
/// </summary>
internal sealed class LossEpisode
{
    // Before the first packet: a moment is 0 or more.
    private static readonly Instant None = new(-1);

    private Instant _start = None;
    private Instant _earlierStart = None;
    private int _lost;
    private bool _canUndo;

    /// <summary>True until a packet sent after the reduction is acknowledged.</summary>
    internal bool IsOpen { get; private set; }

    /// <summary>True for a packet sent before the last reduction: its fate says nothing about the new window.</summary>
    internal bool Covers(Instant sentAt) => sentAt <= _start;

    /// <summary>Takes a loss in.</summary>
    /// <returns>True if it begins an episode: the window is to be reduced.</returns>
    internal bool OnLost(Instant sentAt, Instant now)
    {
        if (Covers(sentAt))
        {
            // A loss left over from the episode before does not speak for this one.
            _lost += sentAt > _earlierStart ? 1 : 0;
            return false;
        }

        _earlierStart = _start;
        _start = now;
        _lost = 1;
        _canUndo = true;
        IsOpen = true;
        return true;
    }

    /// <summary>Takes in that a loss was declared wrongly.</summary>
    /// <returns>True if now all losses of the last episode have proved wrong: the reduction is to be undone.</returns>
    internal bool OnSpuriousLoss(Instant sentAt)
    {
        if (!_canUndo || !Covers(sentAt) || sentAt <= _earlierStart)
        {
            return false;
        }

        _lost--;

        if (_lost > 0)
        {
            return false;
        }

        // As if it had never begun: a true loss of the same flight, noticed later, begins an episode of its own.
        _start = _earlierStart;
        _canUndo = false;
        IsOpen = false;
        return true;
    }

    /// <summary>A packet sent after the reduction was acknowledged.</summary>
    internal void End() => IsOpen = false;

    /// <summary>
    /// The window was given up altogether: nothing sent until now reduces it again, and nothing is restored.
    /// </summary>
    internal void Restart(Instant now)
    {
        _earlierStart = now;
        _start = now;
        _canUndo = false;
        IsOpen = true;
    }
}
