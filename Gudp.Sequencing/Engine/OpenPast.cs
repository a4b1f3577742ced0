// Whether the past that a member asked for is complete at its join J. What arrives at it is: its bound is above J. But a
// number of the log, and a state that somebody left, depend on members that need not reach it at all. Until those have
// come to J the answer would depend on the moment, so the first grant waits (clause ).
//
// Nobody waits in a circle: who waits for its own join stands at J already, and what holds it has come to less. That may
// be a bound below J of a member whose E is above J, since it waits for word of this very join: its own wait is asked
// for then, never what it sends (see WaitChain).

using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Engine;

internal static class OpenPast
{
    /// <summary>The member whose word is missing before a first grant.</summary>
    /// <param name="run">Its bounds are as of now, and its log is sealed up to them.</param>
    /// <param name="member">Its first grant could come.</param>
    /// <param name="join">J.</param>
    /// <returns>Its ordinal; nobody if the past is complete.</returns>
    internal static int HeldBy(RunState run, Member member, Tag join) => member.History switch
    {
        // It gets none of it.
        _ when !run.Members.StateOf(member).Receives => BoundTable.Nobody,
        { Kind: HistoryKind.Snapshot } => FirstBelow(run, join),
        { Kind: HistoryKind.Number } past when past.Number >= run.Log.Next && run.Bounds.Floor <= join
            => HolderOfFloor(run),
        _ => BoundTable.Nobody,
    };

    private static int FirstBelow(RunState run, Tag join)
    {
        foreach (Member other in run.Members.All)
        {
            ref readonly MemberState state = ref run.Members.States[other.Ordinal];

            if (other.Life != MemberLife.Resigned && ComesTo(run, in state, other.Ordinal) < join)
            {
                return other.Ordinal;
            }
        }

        return BoundTable.Nobody;
    }

    // It has no sequence point before that, but the one it stands at.
    private static Tag ComesTo(RunState run, in MemberState state, int ordinal)
    {
        if (!state.IsWaiting)
        {
            return state.Now;
        }

        Tag grant = AdvanceRule.GrantOf(in state, run.Limits.Stop);

        // Who took up receiving late stands above its bound.
        return state.Request.Mode == AdvanceMode.To
            ? grant
            : Tag.Later(state.Now, Tag.Earlier(grant, run.Bounds.Bound[ordinal]));
    }

    private static int HolderOfFloor(RunState run)
    {
        foreach (Member other in run.Members.All)
        {
            if (run.Bounds.Earliest[other.Ordinal] == run.Bounds.Floor)
            {
                return other.Ordinal;
            }
        }

        return run.Members.Reach.UndecidedHolder;
    }
}
