// Senders may not run away from receivers that are full (lock-time 15). The grant of s at G(s) is withheld while some
// receiver c that s feeds is over its limit, and c
//   (a) computes, is lost or absent: it takes nothing until it does something; or
//   (b) waits with G(c) < G(s): its own grant comes first, and empties it.
//
// When all wait, the member with the smallest G is withheld by neither, so that theorem 2 stands. Withholding for any
// full receiver would deadlock: of two members that wait for each other's past, both could be full.
//
// A withheld grant changes nothing but moments: B(s) stays above G(s), and nothing new can arrive at or below it.

using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Engine;

internal sealed class FlowControl(RunState run)
{
    private bool _isAnybodyOver;

    /// <summary>Some grant of this evaluation was withheld: what is granted after it may let it go.</summary>
    internal bool HasWithheld { get; private set; }

    /// <summary>Before an evaluation.</summary>
    internal void Begin()
    {
        HasWithheld = false;
        _isAnybodyOver = false;

        foreach (Member member in run.Members.All)
        {
            _isAnybodyOver |= member.IsOverLimit;
        }
    }

    /// <summary>The receiver for whose sake a grant is withheld; nobody if it is not.</summary>
    internal int ReceiverAhead(Member sender, Tag grant)
    {
        if (!_isAnybodyOver || !run.Members.StateOf(sender).Sends)
        {
            return BoundTable.Nobody;
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
        if (!receiver.IsOverLimit || receiver.Life == MemberLife.Resigned)
        {
            return false;
        }

        ref readonly MemberState state = ref run.Members.StateOf(receiver);
        bool takesNothing = receiver.Life != MemberLife.Live || !state.IsWaiting;
        return takesNothing || AdvanceRule.GrantOf(in state, run.Limits.Stop) < grant;
    }
}
