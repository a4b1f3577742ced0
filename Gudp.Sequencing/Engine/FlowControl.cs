// Senders may not run away from receivers that are full (lock-time 15). The grant of s at G(s) is withheld while some
// receiver c that s feeds is over its limit, and c
//   (a) computes or is lost: it takes nothing until it does something; or
//   (b) waits with G(c) < G(s): its own grant comes first, and empties it. So does one that is still to come, for its J.
//
// When all wait, the member with the smallest G is withheld by neither, so that theorem 2 stands. Withholding for any
// full receiver would deadlock: of two members that wait for each other's past, both could be full.
//
// The sealed log is such a receiver for all senders: what is not final yet fills it, whether anybody subscribes or not,
// and what makes it final is the member that holds the floor of the run.
//
// A withheld grant changes nothing but moments: B(s) stays above G(s), and nothing new can arrive at or below it.

using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Engine;

internal sealed class FlowControl(RunState run)
{
    private bool _isAnybodyOver;
    private bool _isLogOver;

    /// <summary>Some grant of this evaluation was withheld: what is granted after it may let it go.</summary>
    internal bool HasWithheld { get; private set; }

    /// <summary>Before an evaluation.</summary>
    internal void Begin()
    {
        HasWithheld = false;
        _isAnybodyOver = false;
        _isLogOver = run.Log.PendingBytes > run.Layout.MaxInboxBytes / 2;

        foreach (Member member in run.Members.All)
        {
            _isAnybodyOver |= member.IsOverLimit;
        }
    }

    /// <summary>The receiver for whose sake a grant is withheld; nobody if it is not.</summary>
    internal int ReceiverAhead(Member sender, Tag grant)
    {
        if ((!_isAnybodyOver && !_isLogOver) || !run.Members.StateOf(sender).Sends)
        {
            return BoundTable.Nobody;
        }

        int holder = _isLogOver ? HolderOfFloor() : BoundTable.Nobody;

        if (holder != BoundTable.Nobody && holder != sender.Ordinal && TakesNothing(run.Members[holder], grant))
        {
            HasWithheld = true;
            return holder;
        }

        foreach (int channel in run.Members.Reach.PublishedBy(sender.Ordinal))
        {
            foreach (Hearer hearer in run.Members.Reach.HearersOf(channel))
            {
                if (hearer.Member != sender.Ordinal && IsInTheWay(run.Members[hearer.Member], grant))
                {
                    HasWithheld = true;
                    return hearer.Member;
                }
            }
        }

        return BoundTable.Nobody;
    }

    private bool IsInTheWay(Member receiver, Tag grant)
    {
        return receiver.IsOverLimit && receiver.Life != MemberLife.Resigned && TakesNothing(receiver, grant);
    }

    private bool TakesNothing(Member receiver, Tag grant)
    {
        ref readonly MemberState state = ref run.Members.StateOf(receiver);

        // Coming is asking for its join (clause ). Below that nobody waits for it: a stop may come before.
        if (receiver.Life == MemberLife.Absent)
        {
            return state.Now < grant;
        }

        bool isStill = receiver.Life != MemberLife.Live || !state.IsWaiting;
        return isStill || AdvanceRule.GrantOf(in state, run.Limits.Stop) < grant;
    }

    // The log is fed by every sender, and is emptied by whoever holds the floor of the run (lock-time 7.3).
    private int HolderOfFloor()
    {
        foreach (Member member in run.Members.All)
        {
            if (member.Life != MemberLife.Resigned && run.Bounds.Earliest[member.Ordinal] == run.Bounds.Floor)
            {
                return member.Ordinal;
            }
        }

        return BoundTable.Nobody;
    }
}
