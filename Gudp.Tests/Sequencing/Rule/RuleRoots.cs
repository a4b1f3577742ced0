using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>
/// Whether the root that is named for a wait is what holds the member, found out in copies of the run: (1) with every
/// other member that does not wait taken out, and whoever can then be granted too, the member still waits: the root
/// alone is enough; (2) with the root alone cleared, the member's bound rises, or it is granted, or another root is
/// named that ties with it; (3) with all of them cleared it is granted.
/// </summary>
internal static class RuleRoots
{
    /// <summary>All that wait now, and what is told of their waits.</summary>
    internal static void Require(RunState run, Func<string, WaitReport?> whoBlocks)
    {
        foreach (Member member in run.Members.All)
        {
            if (Waits(run, member.Ordinal))
            {
                WaitStep[] chain = ChainOf(run, member.Ordinal);
                WaitLink told = whoBlocks(member.Name)!.Root;
                RuleBrokenException.Require(
                    (told.Member, told.Kind) == (run.Members[chain[^1].Member].Name, chain[^1].Kind),
                    $"{told} is what {member.Name} waits for.");
                Require(run, member.Ordinal);
            }
        }
    }

    internal static void Require(RunState run, int member)
    {
        WaitStep[] chain = ChainOf(run, member);
        WaitStep root = chain[^1];

        // The copies know nothing of pasts that are still open, and the next link is looked at for itself.
        if (Array.Exists(chain, step => step.Kind == WaitKind.HeldBack && step.Has > step.Needs))
        {
            RuleBrokenException.Require(
                Array.TrueForAll(
                    chain,
                    step => step.Kind != WaitKind.HeldBack || step.Has <= step.Needs
                        || run.Members.States[step.Next].Now < step.Needs),
                "Who holds a past open stands before it.");
            return;
        }

        // Nor of full inboxes.
        if (Array.Exists(chain, step => step.Kind is WaitKind.Withheld or WaitKind.FlowControl))
        {
            RequireFull(run, chain);
            return;
        }

        Tag before = run.Bounds.Bound[member];

        RunState alone = Copy(run);
        alone.Limits = root.Kind == WaitKind.Barrier ? run.Limits : run.Limits with { Barrier = Tag.Top };
        TakeOutAllBut(alone, root);
        GrantAll(alone, resigns: true);
        RuleBrokenException.Require(Waits(alone, member), $"{root} alone holds {member}.");

        RunState without = Copy(run);
        Clear(without, root);
        GrantAll(without, resigns: true);
        bool isFree = !Waits(without, member) || without.Bounds.Bound[member] > before;
        RuleBrokenException.Require(
            isFree || ChainOf(without, member)[^1].Member != root.Member, $"{root} is gone, {member} is held by it.");

        TakeOutAllThatCannotGoOn(without);
        without.Limits = without.Limits with { Barrier = Tag.Top };
        without.Members.Reach.Undecided = Tag.Top;
        GrantAll(without, resigns: true);
        RuleBrokenException.Require(!Waits(without, member), $"Nothing holds {member}.");
    }

    private static void RequireFull(RunState run, WaitStep[] chain)
    {
        for (int i = 0; i + 1 < chain.Length; i++)
        {
            Member receiver = run.Members[chain[i + 1].Member];

            if (chain[i].Kind == WaitKind.Withheld)
            {
                ref readonly MemberState state = ref run.Members.StateOf(receiver);
                bool waits = Waits(run, receiver.Ordinal);
                RuleBrokenException.Require(receiver.IsOverLimit, $"{receiver.Name} has more than it may.");
                RuleBrokenException.Require(
                    !waits || AdvanceRule.GrantOf(in state, run.Limits.Stop) < chain[i].Needs,
                    $"{receiver.Name} waits for less.");
                RuleBrokenException.Require(
                    waits == (chain[i + 1].Kind != WaitKind.FlowControl), "Who does not wait is the root.");
            }
        }
    }

    private static RunState Copy(RunState run)
    {
        RunState copy = new(run.Layout) { Limits = run.Limits };

        for (int channel = copy.Channels.Count; channel < run.Channels.Count; channel++)
        {
            copy.AddChannel(run.Channels[channel]);
        }

        for (int member = copy.Members.Count; member < run.Members.Count; member++)
        {
            copy.Members.Add(run.Members[member].Layout);
        }

        copy.Members.Reach.Undecided = run.Members.Reach.Undecided;
        copy.Members.Reach.UndecidedHolder = run.Members.Reach.UndecidedHolder;
        run.Members.States.CopyTo(copy.Members.States);

        foreach (Member member in run.Members.All)
        {
            copy.Members[member.Ordinal].Life = member.Life;
        }

        return copy;
    }

    /// <summary>Grants until nothing can be granted; who is granted computes, or leaves.</summary>
    internal static void GrantAll(RunState run, bool resigns)
    {
        bool granted = true;

        while (granted)
        {
            granted = false;
            ComputeBounds(run);

            if (CanBeDecided(run))
            {
                run.Members.Reach.Undecided = Tag.Top;
                ComputeBounds(run);
            }

            for (int member = 0; member < run.Members.Count; member++)
            {
                ref MemberState state = ref run.Members.States[member];

                if (Waits(run, member) && AdvanceRule.IsGrantable(
                    in state, run.Bounds.Bound[member], run.Limits, out Tag grant))
                {
                    granted = true;
                    state.Now = grant;
                    state.Request = default;
                    state.Head = state.Head > grant ? state.Head : Tag.Top;

                    if (resigns)
                    {
                        TakeOut(run, member);
                    }
                }
            }
        }
    }

    // Nobody decides admissions in a copy: its holder has come, or surely comes, to the tag.
    private static bool CanBeDecided(RunState run)
    {
        Tag join = run.Members.Reach.Undecided;

        if (join == Tag.Top)
        {
            return false;
        }

        ref readonly MemberState state = ref run.Members.States[run.Members.Reach.UndecidedHolder];
        bool isSure = state.Request.Mode == AdvanceMode.To
            || run.Bounds.Bound[run.Members.Reach.UndecidedHolder] >= join;
        return state.Now >= join
            || (state.IsWaiting && isSure && AdvanceRule.GrantOf(in state, run.Limits.Stop) >= join);
    }

    private static void TakeOutAllBut(RunState run, WaitStep root)
    {
        // Whoever was lost while it waited can still be woken, and is then no root.
        for (int member = 0; member < run.Members.Count; member++)
        {
            if (!run.Members.States[member].IsWaiting && member != root.Member)
            {
                TakeOut(run, member);
            }
        }
    }

    private static void TakeOutAllThatCannotGoOn(RunState run)
    {
        for (int member = 0; member < run.Members.Count; member++)
        {
            if (!Waits(run, member))
            {
                TakeOut(run, member);
            }
        }
    }

    private static void Clear(RunState run, WaitStep root)
    {
        if (root.Kind == WaitKind.Barrier)
        {
            run.Limits = run.Limits with { Barrier = Tag.Top };
        }
        else
        {
            TakeOut(run, root.Member);
        }
    }

    private static void TakeOut(RunState run, int member)
    {
        // Whoever leaves a name that is waited for lets the admission be decided.
        if (run.Members.Reach.UndecidedHolder == member)
        {
            run.Members.Reach.Undecided = Tag.Top;
        }

        run.Members[member].Life = MemberLife.Resigned;
        ref MemberState state = ref run.Members.States[member];
        state.IsOut = true;
        state.Sends = false;
        state.Receives = false;
        state.Request = default;
    }

    internal static bool Waits(RunState run, int member)
        => run.Members[member].Life == MemberLife.Live && run.Members.States[member].IsWaiting;

    internal static void ComputeBounds(RunState run)
        => AdvanceRule.Bounds(run.Members.States, run.Members.Reach, run.Limits.Stop, run.Bounds);

    internal static WaitStep[] ChainOf(RunState run, int member)
    {
        List<WaitStep> chain = [WaitChain.First(run, member)];

        while (!chain[^1].IsRoot)
        {
            RuleBrokenException.Require(chain.Count < 100, "A chain ends.");
            WaitStep last = chain[^1];
            chain.Add(WaitChain.After(run, in last));
        }

        return [.. chain];
    }
}
