// All members of a run by ordinal. The states the rule works on stand in one array of their own; everything else
// stands beside it, in the member.
//
// Always true:
//   - members are only ever added: an ordinal names one member for the whole run;
//   - the state and the reach of a member have its ordinal.

using System;
using System.Collections.Generic;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Members;

/// <param name="configHash">Seeds the digests.</param>
/// <param name="order">The run's order of messages; null for that of the keys themselves.</param>
internal sealed class MemberTable(ulong configHash, IComparer<DeliveryKey>? order = null)
{
    private readonly Dictionary<string, Member> _byName = [];
    private Member[] _all = [];
    private MemberState[] _states = [];
    private MemberState[] _observing = [];

    internal int Count { get; private set; }

    internal ReadOnlySpan<Member> All => _all.AsSpan(0, Count);

    /// <summary>By ordinal. A reference into it does not outlive <see cref="Add"/>.</summary>
    internal Span<MemberState> States => _states.AsSpan(0, Count);

    internal Reach Reach { get; } = new();

    internal Member this[int ordinal] => _all[ordinal];

    internal Member? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>
    /// Who reads only (lock-time 8.2): outside of the numbering, so that one more changes nothing for anybody. In no
    /// order; an observer's ordinal is below zero and names its place in a table of their own.
    /// </summary>
    internal List<Member> Observers { get; } = [];

    internal ref MemberState StateOf(Member member)
        => ref member.IsObserver ? ref _observing[~member.Ordinal] : ref _states[member.Ordinal];

    /// <summary>An observer that has its first grant at the layout's join.</summary>
    internal Member AddObserver(MemberLayout layout)
    {
        int place = 0;

        // A place is used again when its observer has gone.
        while (Observers.Exists(other => other.Ordinal == ~place))
        {
            place++;
        }

        if (place >= _observing.Length)
        {
            Array.Resize(ref _observing, Math.Max(4, 2 * place));
        }

        Member member = new(layout, ~place, configHash, order);
        Observers.Add(member);
        _observing[place] = new MemberState
        {
            Receives = true,
            Lookahead = Delay.OneRound,
            Head = Tag.Top,
            Now = layout.Join,
        };
        return member;
    }

    /// <summary>A member with the next ordinal; its channels exist already.</summary>
    internal Member Add(MemberLayout layout)
    {
        List<int> published = [];
        List<(int Channel, int Interest, bool Wakes)> heard = [];

        for (int id = 0; id < layout.Interests.Length; id++)
        {
            Interest interest = layout.Interests[id];

            // Whatever the roles are now: those may change, the interests never (lock-time 5.3).
            if (interest.Bits.HasFlag(InterestBits.Publish))
            {
                published.Add(interest.Channel);
            }

            if (interest.Bits.HasFlag(InterestBits.Subscribe))
            {
                heard.Add((interest.Channel, id, interest.Bits.HasFlag(InterestBits.Wake)));
            }
        }

        int ordinal = Reach.AddMember([.. published], [.. heard], layout.MayStop, layout.MaySponsor);
        Invariant.Require(ordinal == Count, "State and reach have the member's ordinal.");

        if (Count == _all.Length)
        {
            int room = Math.Max(4, 2 * Count);
            Array.Resize(ref _all, room);
            Array.Resize(ref _states, room);
        }

        Member member = new(layout, ordinal, configHash, order);
        _all[Count] = member;
        _states[Count] = new MemberState
        {
            Sends = layout.Sends,
            Receives = layout.Receives,
            Lookahead = layout.Lookahead,
            Head = Tag.Top,

            // Whoever is to join later counts as standing there; what arrives until then is not live for it.
            Now = layout.Join,
        };
        member.DeafUntil = layout.Join;

        // A rejoin under the name of one that has left is a new member (lock-time 8.2).
        _byName[layout.Name] = member;
        Count++;
        return member;
    }

    internal bool AreAll(MemberLife life)
    {
        foreach (Member member in All)
        {
            if (member.Life != life)
            {
                return false;
            }
        }

        return true;
    }

    internal ReportedState Report(int ordinal) => _all[ordinal].Life switch
    {
        MemberLife.Absent => ReportedState.Absent,
        MemberLife.Joining => ReportedState.Joining,
        MemberLife.Lost => ReportedState.Lost,
        MemberLife.Resigned => ReportedState.Resigned,
        _ => _states[ordinal].IsWaiting ? ReportedState.Waiting : ReportedState.Running,
    };
}
