using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Tests.Sequencing.Rule;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Watching;

/// <summary>Who waits for whom, as a pure function of the state of a run.</summary>
[TestFixture]
public sealed class WaitChainTests
{
    // The example of lock-time section 14.
    [Test]
    public void The_chain_of_the_specification_is_found_link_by_link()
    {
        RunState run = RunOf(
            new MemberDeclaration("a") { Subscribe = ["b"] },
            new MemberDeclaration("b") { Publish = ["b"], Subscribe = ["c"], Lookahead = Delay.Ticks(1) },
            new MemberDeclaration("c") { Publish = ["c"], Lookahead = Delay.Ticks(1) });
        run.Members.States[0].Request = new AdvanceRequest(AdvanceMode.To, 12, default);
        run.Members.States[1].Request = new AdvanceRequest(AdvanceMode.Next, 50, default);
        run.Members.States[2].Now = 8;
        RuleRoots.ComputeBounds(run);

        WaitStep[] chain = RuleRoots.ChainOf(run, 0);

        Assert.That(chain.Select(step => (step.Member, step.Kind)), Is.EqualTo(new[]
        {
            (0, WaitKind.HeldBack), (1, WaitKind.CouldBeWoken), (2, WaitKind.Running),
        }));
        Assert.That((chain[0].Needs, chain[0].Has, chain[1].WokenAt), Is.EqualTo(((Tag)12, (Tag)10, (Tag)9)));
    }

    [TestCase("Lost", WaitKind.Lost)]
    [TestCase("Absent", WaitKind.Absent)]
    [TestCase("Live", WaitKind.Running)]
    public void A_chain_ends_at_whoever_does_not_wait(string life, WaitKind expected)
    {
        RunState run = RunOf(
            new MemberDeclaration("a") { Subscribe = ["b"] },
            new MemberDeclaration("b") { Publish = ["b"] });
        run.Members.States[0].Request = new AdvanceRequest(AdvanceMode.To, 12, default);
        run.Members[1].Life = Enum.Parse<MemberLife>(life);
        RuleRoots.ComputeBounds(run);

        Assert.That(RuleRoots.ChainOf(run, 0)[^1], Is.EqualTo(new WaitStep(1, expected, BoundTable.Nobody)));
    }

    [Test]
    public void A_barrier_ends_the_chain_at_the_member_that_it_holds()
    {
        RunState run = RunOf(
            new MemberDeclaration("a") { Subscribe = ["b"] },
            new MemberDeclaration("b") { Publish = ["b"] });
        run.Members.States[0].Request = new AdvanceRequest(AdvanceMode.To, 12, default);
        run.Members.States[1].Request = new AdvanceRequest(AdvanceMode.To, 10, default);
        run.Limits = run.Limits with { Barrier = 10 };
        RuleRoots.ComputeBounds(run);

        WaitStep[] chain = RuleRoots.ChainOf(run, 0);

        Assert.That(chain.Select(step => (step.Member, step.Kind)), Is.EqualTo(new[]
        {
            (0, WaitKind.HeldBack), (1, WaitKind.Barrier),
        }));
    }

    // Clause: the one waits for a state of the other, and what makes the other speak is the join of the one.
    [Test]
    public void The_chain_of_an_open_past_goes_on_with_what_its_holder_waits_for()
    {
        RunState run = RunOf(
            new MemberDeclaration("keeper")
            {
                Publish = ["y"],
                Subscribe = ["x"],
                SubscribeQuietly = ["z"],
                Lookahead = Delay.Ticks(10),
            },
            new MemberDeclaration("late") { Publish = ["x"], Subscribe = ["y"], Join = 5 },
            new MemberDeclaration("root") { Publish = ["z"], Lookahead = Delay.Ticks(1) });
        run.Members[1].History = HistoryStart.Snapshot;
        run.Members.States[1].Request = new AdvanceRequest(AdvanceMode.To, 5, default);
        run.Members.States[0].Request = new AdvanceRequest(AdvanceMode.Next, 9, default);
        RuleRoots.ComputeBounds(run);
        run.Members[1].PastHeldBy = OpenPast.HeldBy(run, run.Members[1], 5);

        WaitStep[] chain = RuleRoots.ChainOf(run, 1);

        Assert.That(run.Bounds.WokenBy[0], Is.EqualTo(1));
        Assert.That(chain.Select(step => (step.Member, step.Kind)), Is.EqualTo(new[]
        {
            (1, WaitKind.HeldBack), (0, WaitKind.HeldBack), (2, WaitKind.Running),
        }));
    }

    // Goal: the named root is what holds the member. Method: in copies of random states, (1) with every other member
    // that does not wait taken out, and whoever can then be granted too, the member still waits: the root alone is
    // enough; (2) with the root alone cleared, the member's bound rises, or it is grantable, or another root is named
    // that ties with it; (3) with all of them cleared it is grantable.
    [Test]
    public void The_named_root_is_what_holds_the_member([Range(1, 100)] int seed)
    {
        Prng draws = new((ulong)seed);
        int waits = 0;

        for (int i = 0; i < 20; i++)
        {
            RunState run = Drawn(draws);
            RuleRoots.GrantAll(run, resigns: false);

            for (int member = 0; member < run.Members.Count; member++)
            {
                if (RuleRoots.Waits(run, member))
                {
                    waits++;
                    RuleRoots.Require(run, member);
                }
            }
        }

        Assert.That(waits, Is.Positive);
    }

    private static RunState Drawn(Prng draws)
    {
        RunState run = new(new RunLayout(DeterminismTests.Draw(draws)));

        foreach (Member member in run.Members.All)
        {
            ref MemberState state = ref run.Members.StateOf(member);
            state.Now = new Tag(draws.NextBelow(20), (uint)draws.NextBelow(2));
            state.Promise = draws.NextChance(300_000) ? state.Now.Time + draws.NextBelow(10) : Tag.Zero;
            state.Head = draws.NextChance(500_000) ? Tag.Top : state.Now.Time + draws.NextBetween(1, 10);
            Tag target = draws.NextChance(100_000) ? Tag.Infinity : (Tag)(state.Now.Time + draws.NextBelow(12));
            Grid grid = draws.NextChance(200_000) ? new Grid(draws.NextBetween(1, 4)) : default;
            AdvanceMode mode = draws.NextChance(500_000) ? AdvanceMode.To : AdvanceMode.Next;
            member.Life = draws.NextBelow(8) switch
            {
                0 => MemberLife.Lost,
                1 => MemberLife.Absent,
                _ => MemberLife.Live,
            };
            state.Request = draws.NextChance(650_000) ? new AdvanceRequest(mode, Tag.Later(target, state.Now), grid) : default;
        }

        run.Limits = draws.NextChance(300_000) ? run.Limits with { Barrier = draws.NextBelow(25) } : run.Limits;
        run.Limits = draws.NextChance(200_000) ? run.Limits with { Stop = 20 + draws.NextBelow(15) } : run.Limits;
        return run;
    }

    private static RunState RunOf(params MemberDeclaration[] roster)
    {
        RunState run = new(new RunLayout(new SequencingConfig { Roster = roster }));

        foreach (Member member in run.Members.All)
        {
            member.Life = MemberLife.Live;
        }

        return run;
    }
}
