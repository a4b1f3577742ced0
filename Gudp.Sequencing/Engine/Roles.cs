// Taking up and giving up the roles to send and to receive (lock-time 5.3, clauses ).
//
// Always true:
//   - a member that takes up sending is not heard at or before anything that is final or granted;
//   - a member that takes up receiving at N gets what arrives above N, and its next grant waits for all of it.

using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Roles(RunState run)
{
    /// <summary>Gives a running member the roles it asked for.</summary>
    internal void Set(Member member, ulong roles)
    {
        ref MemberState state = ref run.Members.StateOf(member);
        bool sends = (roles & RoleBits.Sends) != 0;
        bool receives = (roles & RoleBits.Receives) != 0;

        if (receives != state.Receives)
        {
            state.Receives = receives;
            member.Subscriptions.IsStale = true;
        }

        if (sends && !state.Sends)
        {
            TakeUpSending(member, ref state);
        }

        state.Sends = sends;
    }

    /// <summary>
    /// An operator takes the role to receive from a member, which may be waiting: nothing is delivered to it any more,
    /// and nothing holds it. Follow with an evaluation.
    /// </summary>
    internal void Withdraw(Member member)
    {
        ref MemberState state = ref run.Members.StateOf(member);

        if (!state.Receives)
        {
            return;
        }

        run.Note(new ExternalFact(ExternalFactKind.ReceiverWithdrawn, member.Name, state.Now));
        state.Receives = false;
        member.Subscriptions.IsStale = true;
        member.SortInbox(ref state);
    }

    // Which tag that is depends on how far the others have come just now, so it is a fact from outside.
    private void TakeUpSending(Member member, ref MemberState state)
    {
        state.Promise = Tag.Later(state.EarliestPublication, LateSender.Earliest(run, member.Ordinal));
        run.HasLateSender = true;
        run.Note(new ExternalFact(ExternalFactKind.SenderAdded, member.Name, state.Promise));
        member.IsToldRoles = false;
    }
}
