// Who waits for whom, link by link to the root (lock-time section 14). Pure: reads the state of the run and the bounds
// of the last evaluation, changes nothing.
//
// A member stands in a chain for one of two reasons. Either it wants its own grant: then it is held back by the sender
// that gives its bound, or the bound would do and something else keeps the grant. Or it holds others below its E: then
// the question is who could wake it so early, and if nobody can, what keeps its own grant.
//
// Always true: a chain ends. The tag of a link that wants is the smaller of G and B, that of one that holds is E. No
// link leads to a larger tag, and none from one that holds, or to one that wants, to the same:
//   - wanting a grant, held by a sender with E <= B <= G, or by an admission at U = B <= G whose name somebody has that
//     wants a grant below U, or has a bound below it;
//   - holding others below E, woken by a sender with a smaller E, or wanting its own grant below E;
//   - withheld at G < B for a receiver that wants a smaller G;
//   - at its join J < B with an open past, held by a member that has come to less, since its G or its B is below J
//     (what it sends is not the question: its E may be above J, and wait for J itself); or by the holder of the run's
//     floor, with E <= J.

using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Engine;

/// <summary>One link: who, why the chain goes on or ends, and where it goes on.</summary>
internal readonly record struct WaitStep(int Member, WaitKind Kind, int Next)
{
    /// <summary>G of a member that waits.</summary>
    internal Tag Needs { get; init; }

    /// <summary>B of it.</summary>
    internal Tag Has { get; init; }

    /// <summary>When it could be woken.</summary>
    internal Tag WokenAt { get; init; }

    /// <summary>Whether the next one is asked why it holds others, and not why it is not granted.</summary>
    internal bool NextHolds { get; init; }

    internal bool IsRoot => Next == BoundTable.Nobody;
}

internal static class WaitChain
{
    /// <summary>The first link of the chain of a waiting member.</summary>
    internal static WaitStep First(RunState run, int waiting) => StepAt(run, waiting, isHolder: false);

    /// <summary>The link after one that is no root.</summary>
    internal static WaitStep After(RunState run, in WaitStep step)
        => step.Kind == WaitKind.Withheld ? AfterWithheld(run, step.Next) : StepAt(run, step.Next, step.NextHolds);

    /// <summary>Why <paramref name="ordinal"/> wants its own grant in vain, or holds others.</summary>
    internal static WaitStep StepAt(RunState run, int ordinal, bool isHolder)
    {
        Member member = run.Members[ordinal];
        ref readonly MemberState state = ref run.Members.States[ordinal];

        if (member.Life == MemberLife.Joining)
        {
            return BeforeStart(run, ordinal);
        }

        if (!state.IsWaiting)
        {
            return new WaitStep(ordinal, RootOf(member.Life), BoundTable.Nobody);
        }

        BoundTable bounds = run.Bounds;
        Tag needs = AdvanceRule.GrantOf(in state, run.Limits.Stop);
        WaitStep step = new(ordinal, WaitKind.None, BoundTable.Nobody) { Needs = needs, Has = bounds.Bound[ordinal] };

        // Also of one that was lost while it waited: until nobody can wake it any more, it is not it that holds.
        if (isHolder && bounds.WokenBy[ordinal] is int waker and not BoundTable.Nobody)
        {
            Tag wokenAt = WokenAt(run, ordinal);
            return step with { Kind = WaitKind.CouldBeWoken, Next = waker, NextHolds = true, WokenAt = wokenAt };
        }

        // Its B may be all that is asked for, and that rises without it.
        if (member.Life != MemberLife.Live && (isHolder || step.Has > needs))
        {
            return step with { Kind = RootOf(member.Life) };
        }

        if (step.Has <= needs)
        {
            int holder = bounds.HeldBy[ordinal];

            // An admission that is not decided: at its name's holder, who may still resign before the join.
            return holder == BoundTable.Nobody
                ? step with { Kind = WaitKind.HeldBack, Next = run.Members.Reach.UndecidedHolder }
                : step with { Kind = WaitKind.HeldBack, Next = holder, NextHolds = true };
        }

        if (needs >= run.Limits.Barrier)
        {
            return step with { Kind = WaitKind.Barrier };
        }

        if (member.PastHeldBy != BoundTable.Nobody)
        {
            // A number waits for the floor of the run. A state waits for who may still leave one, and where that stands.
            bool isFloor = member.History.Kind == HistoryKind.Number
                && bounds.Earliest[member.PastHeldBy] == bounds.Floor;
            return step with { Kind = WaitKind.HeldBack, Next = member.PastHeldBy, NextHolds = isFloor };
        }

        return member.HeldFor == BoundTable.Nobody
            ? step with { Kind = WaitKind.Pacing }
            : step with { Kind = WaitKind.Withheld, Next = member.HeldFor };
    }

    /// <summary>A receiver that takes nothing is the root itself; one that waits is kept from it by somebody.</summary>
    private static WaitStep AfterWithheld(RunState run, int receiver)
    {
        Member member = run.Members[receiver];
        bool waits = member.Life == MemberLife.Live && run.Members.States[receiver].IsWaiting;
        return waits
            ? StepAt(run, receiver, isHolder: false)
            : new WaitStep(receiver, WaitKind.FlowControl, BoundTable.Nobody);
    }

    private static WaitStep BeforeStart(RunState run, int ordinal)
    {
        // A run that starts on command starts with whoever is there.
        foreach (Member other in run.Layout.StartsOnCommand ? [] : run.Members.All)
        {
            if (other.Life == MemberLife.Absent && other.Layout.Join == Tag.Zero)
            {
                return new WaitStep(ordinal, WaitKind.HeldBack, other.Ordinal) { NextHolds = true };
            }
        }

        return new WaitStep(ordinal, WaitKind.Barrier, BoundTable.Nobody);
    }

    private static WaitKind RootOf(MemberLife life) => life switch
    {
        MemberLife.Lost => WaitKind.Lost,
        MemberLife.Absent or MemberLife.Joining => WaitKind.Absent,
        _ => WaitKind.Running,
    };

    private static Tag WokenAt(RunState run, int ordinal)
    {
        Tag earliest = Tag.Top;

        foreach (Heard heard in run.Members.Reach.HeardBy(ordinal))
        {
            if (heard.Wakes)
            {
                earliest = Tag.Earlier(
                    earliest, run.Bounds.ChannelEarliest[heard.Channel] + run.Members.Reach.LinkOf(heard.Channel));
            }
        }

        ref readonly MemberState state = ref run.Members.States[ordinal];
        return state.Request.Grid.Next(earliest, state.Now);
    }
}
