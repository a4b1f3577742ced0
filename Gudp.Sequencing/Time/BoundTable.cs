using System;

namespace Gudp.Sequencing.Time;

/// <summary>The outcome of one pass over the bounds, and the room it needs. Reused from pass to pass.</summary>
internal sealed class BoundTable
{
    internal const int Nobody = -1;

    private Tag[] _earliest = [];
    private Tag[] _bound = [];
    private int[] _heldBy = [];
    private int[] _wokenBy = [];
    private Tag[] _wokenAt = [];
    private Tag[] _channelEarliest = [];
    private int[] _channelHeldBy = [];
    private Tag[] _channelArrival = [];

    /// <summary>E by ordinal: nothing the member publishes from now on has an arrival below it.</summary>
    internal Span<Tag> Earliest => _earliest;

    /// <summary>E of one member as of the last pass; zero of one that came after it.</summary>
    internal Tag EarliestOf(int member) => member < _earliest.Length ? _earliest[member] : Tag.Zero;

    /// <summary>B by ordinal: nothing that reaches the member from now on, a stop included, is below it.</summary>
    internal Span<Tag> Bound => _bound;

    /// <summary>The sender that gave each B its value.</summary>
    internal Span<int> HeldBy => _heldBy;

    /// <summary>The sender whose message could wake it and so gave its E; nobody if its own state did.</summary>
    internal Span<int> WokenBy => _wokenBy;

    /// <summary>The first arrival looked at that could wake it; top if there was none. For the pass only.</summary>
    internal Span<Tag> WokenAt => _wokenAt;

    /// <summary>The smallest E among a channel's publishers, by channel.</summary>
    internal Span<Tag> ChannelEarliest => _channelEarliest;

    /// <summary>The publisher that gave it, by channel.</summary>
    internal Span<int> ChannelHeldBy => _channelHeldBy;

    /// <summary>The smallest E and the channel's link: nothing new arrives on it below.</summary>
    internal Span<Tag> ChannelArrival => _channelArrival;

    /// <summary>W: nothing at all is published below it any more (lock-time 7.3).</summary>
    internal Tag Floor { get; set; }

    /// <summary>No stop can be asked for below it any more.</summary>
    internal Tag StopBound { get; set; }

    /// <summary>Who gave the stop bound its value.</summary>
    internal int StopHeldBy { get; set; } = Nobody;

    /// <summary>Nobody who is admitted later is heard before it (lock-time 8.2).</summary>
    internal Tag SponsorBound { get; set; }

    /// <summary>The sponsor that gave it.</summary>
    internal int SponsorHeldBy { get; set; } = Nobody;

    internal Frontier Frontier { get; } = new();

    /// <summary>Empties it for a pass.</summary>
    internal void Begin(int members, int channels)
    {
        if (_earliest.Length < members)
        {
            int room = Math.Max(members, 2 * _earliest.Length);
            _earliest = new Tag[room];
            _bound = new Tag[room];
            _heldBy = new int[room];
            _wokenBy = new int[room];
            _wokenAt = new Tag[room];
        }

        if (_channelEarliest.Length < channels)
        {
            int room = Math.Max(channels, 2 * _channelEarliest.Length);
            _channelEarliest = new Tag[room];
            _channelHeldBy = new int[room];
            _channelArrival = new Tag[room];
        }

        _heldBy.AsSpan(0, members).Fill(Nobody);
        _wokenBy.AsSpan(0, members).Fill(Nobody);
        _wokenAt.AsSpan(0, members).Fill(Tag.Top);
        _channelEarliest.AsSpan(0, channels).Fill(Tag.Top);
        _channelHeldBy.AsSpan(0, channels).Fill(Nobody);
        Floor = Tag.Top;
        StopBound = Tag.Top;
        StopHeldBy = Nobody;
        SponsorBound = Tag.Top;
        SponsorHeldBy = Nobody;
        Frontier.Clear();
    }
}
