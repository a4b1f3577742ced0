// Who can send to whom (lock-time 3.1), by channel: a sender reaches the subscribers of the channels it publishes to.
// There is no table of pairs: a thousand members on one channel are two thousand entries, not a million edges.
//
// Always true:
//   - members and channels are only ever added, and keep their numbers;
//   - a channel's link is the least time any of its messages needs.

using System;
using System.Diagnostics;

namespace Gudp.Sequencing.Time;

/// <summary>One receiver of a channel.</summary>
/// <param name="Member">Its ordinal.</param>
/// <param name="Interest">The channel's place in its list of interests, which is the channel's id on its wire.</param>
/// <param name="Wakes">Whether a message there can shorten its Next.</param>
internal readonly record struct Hearer(int Member, int Interest, bool Wakes);

/// <summary>What one member declared to hear.</summary>
internal readonly record struct Heard(int Channel, bool Wakes);

internal sealed class Reach
{
    private Delay[] _links = [];
    private Hearer[][] _hearers = [];
    private int[][] _published = [];
    private Heard[][] _heard = [];
    private bool[] _mayStop = [];
    private bool[] _maySponsor = [];

    internal int Channels { get; private set; }

    internal int Members { get; private set; }

    /// <summary>How many channels all members together hear.</summary>
    internal int Edges { get; private set; }

    /// <summary>The channel that tells of members, to which everybody has an edge; -1 if the run has none.</summary>
    internal int System { get; set; } = BoundTable.Nobody;

    /// <summary>The tag of an admission that waits for the fate of its name; top if none does (lock-time 8.2).</summary>
    internal Tag Undecided { get; set; } = Tag.Top;

    /// <summary>Who has the name it asks for, and may still give it up before; nobody if there is none.</summary>
    internal int UndecidedHolder { get; set; } = BoundTable.Nobody;

    /// <summary>The least latency of a channel.</summary>
    internal Delay LinkOf(int channel) => _links[channel];

    /// <summary>Who is subscribed to a channel, by ordinal.</summary>
    internal ReadOnlySpan<Hearer> HearersOf(int channel) => _hearers[channel];

    /// <summary>The channels a member may publish to.</summary>
    internal ReadOnlySpan<int> PublishedBy(int member) => _published[member];

    /// <summary>The channels a member may hear.</summary>
    internal ReadOnlySpan<Heard> HeardBy(int member) => _heard[member];

    /// <summary>Whether the member may end the run, and so reaches everybody (lock-time 12).</summary>
    internal bool MayStop(int member) => _mayStop[member];

    /// <summary>Whether the member may admit others, and so reaches every receiver (lock-time 8.2).</summary>
    internal bool MaySponsor(int member) => _maySponsor[member];

    /// <returns>The channel's number.</returns>
    internal int AddChannel(Delay link)
    {
        MakeRoom(ref _links, Channels);
        MakeRoom(ref _hearers, Channels);
        _links[Channels] = link;
        _hearers[Channels] = [];
        return Channels++;
    }

    /// <param name="published">Channels it may publish to.</param>
    /// <param name="heard">Channels it may hear, with their places in its list.</param>
    /// <param name="mayStop">It may end the run.</param>
    /// <param name="maySponsor">It may admit others.</param>
    /// <returns>The member's ordinal.</returns>
    internal int AddMember(
        ReadOnlySpan<int> published, ReadOnlySpan<(int Channel, int Interest, bool Wakes)> heard, bool mayStop,
        bool maySponsor = false)
    {
        int member = Members++;
        MakeRoom(ref _published, member);
        MakeRoom(ref _heard, member);
        MakeRoom(ref _mayStop, member);
        MakeRoom(ref _maySponsor, member);
        _published[member] = published.ToArray();
        _heard[member] = new Heard[heard.Length];
        _mayStop[member] = mayStop;
        _maySponsor[member] = maySponsor;
        Edges += heard.Length;

        for (int i = 0; i < heard.Length; i++)
        {
            (int channel, int interest, bool wakes) = heard[i];
            _heard[member][i] = new Heard(channel, wakes);
            _hearers[channel] = [.. _hearers[channel], new Hearer(member, interest, wakes)];
        }

        AssertInRange(member);
        return member;
    }

    private static void MakeRoom<T>(ref T[] array, int index)
    {
        if (index >= array.Length)
        {
            Array.Resize(ref array, Math.Max(4, 2 * array.Length));
        }
    }

    [Conditional("DEBUG")]
    private void AssertInRange(int member)
    {
        foreach (int channel in _published[member])
        {
            Invariant.Require(channel < Channels, "A member publishes to channels that exist.");
        }

        foreach (Heard heard in _heard[member])
        {
            Invariant.Require(heard.Channel < Channels, "A member hears channels that exist.");
        }
    }
}
