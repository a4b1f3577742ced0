using Gudp.Sequencing;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

[TestFixture]
public sealed class AdvanceRuleTests
{
    [Test]
    public void A_member_is_not_granted_the_tag_of_its_bound()
        => Assert.That(IsGranted(To(10), bound: 10), Is.False);

    [Test]
    public void A_member_is_granted_a_tag_one_round_below_its_bound()
        => Assert.That(IsGranted(To(10), bound: new Tag(10, 1)), Is.True);

    [Test]
    public void Nothing_holds_a_member_that_does_not_receive()
        => Assert.That(
            Bounds([Sender(8, 5), To(10) with { Receives = false }], Line).Bound[1], Is.EqualTo(Tag.Top));

    [Test]
    public void A_barrier_holds_back_what_is_at_it_and_lets_go_what_is_below()
    {
        MemberState member = To(10);

        Assert.That(IsGrantable(member, RunLimits.None with { Barrier = 10 }), Is.False);
        Assert.That(IsGrantable(member, RunLimits.None with { Barrier = new Tag(10, 1) }), Is.True);
    }

    [Test]
    public void A_stop_cuts_a_grant_after_the_grid_moved_it()
    {
        MemberState member = Next(20, new Grid(5)) with { Head = new Tag(4, 2) };

        Assert.That(AdvanceRule.GrantOf(in member, stop: 4), Is.EqualTo(new Tag(4, 0)));
        Assert.That(AdvanceRule.GrantOf(in member, stop: 6), Is.EqualTo(new Tag(5, 0)));
    }

    [Test]
    public void Whoever_will_be_granted_the_stop_publishes_nothing_more()
        => Assert.That(
            Bounds([To(10) with { Receives = false }, Receiver()], Line, stop: 10).Earliest[0], Is.EqualTo(Tag.Top));

    [Test]
    public void A_member_that_may_stop_the_run_holds_even_those_that_do_not_receive()
    {
        Reach reach = new();
        reach.AddMember([], [], mayStop: true);
        reach.AddMember([], [], mayStop: false);

        BoundTable table = Bounds([Sender(8, 5), To(20) with { Receives = false }], reach);

        Assert.That(table.Bound[1], Is.EqualTo(new Tag(13, 0)));
        Assert.That(table.HeldBy[1], Is.Zero);
    }

    [Test]
    public void The_floor_of_the_run_is_the_least_that_may_still_be_published()
        => Assert.That(
            Bounds([Sender(8, 5), Sender(9, 1), Receiver()], Reaching(3, (0, 2, 0, true), (1, 2, 0, true))).Floor,
            Is.EqualTo(new Tag(10, 0)));

    [Test]
    public void The_end_of_a_time_needs_a_bound_in_the_next()
    {
        MemberState member = To(Tag.EndOf(10));

        Assert.That(IsGranted(member, bound: Tag.EndOf(10)), Is.False);
        Assert.That(IsGranted(member, bound: 11), Is.True);
    }

    [Test]
    public void Next_stops_at_the_first_waking_message()
    {
        MemberState member = Next(10) with { Head = new Tag(4, 2) };

        Assert.That(AdvanceRule.GrantOf(in member, Tag.Top), Is.EqualTo(new Tag(4, 2)));
    }

    [Test]
    public void To_takes_no_notice_of_messages()
    {
        MemberState member = To(10) with { Head = new Tag(4, 2) };

        Assert.That(AdvanceRule.GrantOf(in member, Tag.Top), Is.EqualTo(new Tag(10, 0)));
    }

    [Test]
    public void A_message_on_a_grid_is_seen_at_the_next_allowed_time()
    {
        MemberState member = Next(20, new Grid(5)) with { Head = new Tag(0, 1) };

        Assert.That(AdvanceRule.GrantOf(in member, Tag.Top), Is.EqualTo(new Tag(5, 0)));
    }

    [Test]
    public void A_running_sender_holds_receivers_at_its_tag_plus_lookahead()
        => Assert.That(Bounds([Sender(8, 5), Receiver()], Line).Bound[1], Is.EqualTo(new Tag(13, 0)));

    [Test]
    public void A_promise_above_the_lookahead_counts_instead()
        => Assert.That(
            Bounds([Sender(8, 5) with { Promise = 100 }, Receiver()], Line).Bound[1], Is.EqualTo(new Tag(100, 0)));

    [Test]
    public void A_link_adds_to_what_its_sender_holds()
    {
        Reach edges = Reaching(2, (0, 1, 200, true));

        Assert.That(Bounds([Sender(8, 5), Receiver()], edges).Bound[1], Is.EqualTo(new Tag(213, 0)));
    }

    [Test]
    public void Nobody_to_hold_it_leaves_a_member_unbound()
        => Assert.That(Bounds([To(5), Receiver()], Reaching(2)).Bound[1], Is.EqualTo(Tag.Top));

    [Test]
    public void Two_that_wait_for_each_other_reach_their_common_target_in_one_pass()
    {
        // The creep of null messages would take a million passes of one tick each.
        MemberState[] members = [Next(1_000_000) with { Lookahead = Delay.Ticks(1) }, Next(1_000_000)];

        BoundTable table = Bounds(members, Circle);

        Assert.That(table.Bound[..2].ToArray(), Is.All.GreaterThan(new Tag(1_000_000, 0)));
    }

    [Test]
    public void A_waiting_next_is_counted_as_woken_by_whoever_may_wake_it()
    {
        // a runs at 8 and may send at 9; b would answer one round later.
        MemberState[] members = [Sender(8, 1) with { Receives = true }, Next(50)];

        BoundTable table = Bounds(members, Circle);

        Assert.That(table.Earliest[1], Is.EqualTo(new Tag(9, 1)));
        Assert.That(table.WokenBy[1], Is.Zero);
    }

    [Test]
    public void A_quiet_subscription_holds_its_receiver_but_does_not_wake_it()
    {
        Reach edges = Reaching(2, (0, 1, 0, false));
        MemberState[] members = [Sender(8, 1), Next(50)];

        BoundTable table = Bounds(members, edges);

        Assert.That(table.Bound[1], Is.EqualTo(new Tag(9, 0)));
        Assert.That(table.Earliest[1], Is.EqualTo(new Tag(50, 1)));
    }

    [Test]
    public void A_bound_names_the_sender_that_holds_it()
    {
        Reach edges = Reaching(3, (0, 2, 0, true), (1, 2, 0, true));

        Assert.That(Bounds([Sender(8, 1), Sender(3, 1), Receiver()], edges).HeldBy[2], Is.EqualTo(1));
    }

    private static Reach Line => Reaching(2, (0, 1, 0, true));

    private static Reach Circle => Reaching(2, (0, 1, 0, true), (1, 0, 0, true));

    // Each edge is a channel of its own.
    private static Reach Reaching(int members, params (int From, int To, long Link, bool Wakes)[] edges)
    {
        Reach reach = new();

        foreach ((_, _, long link, _) in edges)
        {
            reach.AddChannel(Delay.Ticks(link));
        }

        for (int member = 0; member < members; member++)
        {
            int[] channels = [.. Enumerable.Range(0, edges.Length)];
            reach.AddMember(
                [.. channels.Where(channel => edges[channel].From == member)],
                [.. channels.Where(channel => edges[channel].To == member)
                    .Select(channel => (channel, channel, edges[channel].Wakes))],
                mayStop: false);
        }

        return reach;
    }

    private static MemberState Sender(long now, long lookahead)
        => new() { Sends = true, Now = now, Lookahead = Delay.Ticks(lookahead), Head = Tag.Top };

    private static MemberState Receiver()
        => new() { Receives = true, Lookahead = Delay.OneRound, Head = Tag.Top };

    private static MemberState To(Tag target) => Asking(AdvanceMode.To, target, default);

    private static MemberState Next(Tag target, Grid grid = default) => Asking(AdvanceMode.Next, target, grid);

    private static MemberState Asking(AdvanceMode mode, Tag target, Grid grid) => new()
    {
        Sends = true,
        Receives = true,
        Lookahead = Delay.OneRound,
        Head = Tag.Top,
        Request = new AdvanceRequest(mode, target, grid),
    };

    private static bool IsGranted(MemberState member, Tag bound)
        => AdvanceRule.IsGrantable(in member, bound, RunLimits.None, out _);

    private static bool IsGrantable(MemberState member, RunLimits limits)
        => AdvanceRule.IsGrantable(in member, Tag.Top, in limits, out _);

    private static BoundTable Bounds(MemberState[] members, Reach reach, Tag? stop = null)
    {
        BoundTable table = new();
        AdvanceRule.Bounds(members, reach, stop ?? Tag.Top, table);
        return table;
    }
}

[TestFixture]
public sealed class TagTests
{
    private static readonly object[] Sums =
    [
        new object[] { new Tag(3, 7), Delay.Ticks(2), new Tag(5, 0) },
        new object[] { new Tag(3, 7), Delay.Of(2, 4), new Tag(5, 4) },
        new object[] { new Tag(3, 7), Delay.Rounds(2), new Tag(3, 9) },
        new object[] { new Tag(-3, 7), Delay.Ticks(2), new Tag(-1, 0) },
        new object[] { Tag.EndOf(3), Delay.OneRound, new Tag(4, 0) },
        new object[] { Tag.EndOf(3), Delay.Rounds(5), new Tag(4, 4) },
        new object[] { Tag.EndOf(3), Delay.None, Tag.EndOf(3) },
        new object[] { Tag.EndOf(Tag.MaxTime), Delay.OneRound, Tag.Infinity },
        new object[] { new Tag(Tag.MaxTime, 0), Delay.Ticks(1), Tag.Infinity },
        new object[] { Tag.Infinity, Delay.OneRound, Tag.Top },
        new object[] { Tag.Infinity, Delay.Ticks(9), Tag.Top },
        new object[] { Tag.Top, Delay.Ticks(9), Tag.Top },
    ];

    [TestCaseSource(nameof(Sums))]
    public void A_delay_adds_as_lock_time_section_2_says(Tag start, Delay delay, Tag sum)
        => Assert.That(start + delay, Is.EqualTo(sum));

    [Test]
    public void S_C1_Delays_in_a_chain_compose_in_order()
    {
        // Delays (1), one round, (2) from 0 to 3.
        Delay first = Delay.Ticks(1);
        Delay second = first.Then(Delay.OneRound);

        Assert.That(Tag.Zero + first, Is.EqualTo(new Tag(1, 0)));
        Assert.That(Tag.Zero + second, Is.EqualTo(new Tag(1, 1)));
        Assert.That(Tag.Zero + second.Then(Delay.Ticks(2)), Is.EqualTo(new Tag(3, 0)));
        Assert.That(Tag.Zero + Delay.OneRound.Then(Delay.Ticks(2)), Is.EqualTo(new Tag(2, 0)));
    }

    private static readonly object[] Grids =
    [
        new object[] { new Grid(5), new Tag(0, 1), Tag.Zero, new Tag(5, 0) },
        new object[] { new Grid(5), new Tag(5, 3), Tag.Zero, new Tag(5, 3) },
        new object[] { new Grid(5), new Tag(5, 3), new Tag(5, 0), new Tag(10, 0) },
        new object[] { new Grid(5, 2), new Tag(3, 0), Tag.Zero, new Tag(7, 0) },
        new object[] { new Grid(5, -3), new Tag(3, 0), Tag.Zero, new Tag(7, 0) },
        new object[] { new Grid(2, 1, 2), new Tag(1, 0), Tag.Zero, new Tag(3, 0) },
        new object[] { new Grid(1, 0, 10), new Tag(4, 0), Tag.Zero, new Tag(10, 0) },
        new object[] { new Grid(5), new Tag(-7, 0), new Tag(-20, 0), new Tag(-5, 0) },
        new object[] { new Grid(5), Tag.Infinity, Tag.Zero, Tag.Infinity },
        new object[] { new Grid(long.MaxValue), new Tag(Tag.MaxTime, 0), new Tag(1, 0), Tag.Infinity },
        new object[] { default(Grid), new Tag(4, 9), new Tag(4, 0), new Tag(4, 9) },
    ];

    [TestCaseSource(nameof(Grids))]
    public void A_grid_moves_a_tag_to_the_next_allowed_one(Grid grid, Tag wanted, Tag now, Tag allowed)
        => Assert.That(grid.Next(wanted, now), Is.EqualTo(allowed));

    [Test]
    public void A_grid_without_a_period_is_refused()
        => Assert.That(() => new Grid(0), Throws.InstanceOf<ArgumentOutOfRangeException>());
}
