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
    public void A_member_that_does_not_receive_is_granted_whatever_its_bound()
        => Assert.That(IsGranted(To(10) with { Receives = false }, bound: Tag.Zero), Is.True);

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

        Assert.That(AdvanceRule.GrantOf(in member), Is.EqualTo(new Tag(4, 2)));
    }

    [Test]
    public void To_takes_no_notice_of_messages()
    {
        MemberState member = To(10) with { Head = new Tag(4, 2) };

        Assert.That(AdvanceRule.GrantOf(in member), Is.EqualTo(new Tag(10, 0)));
    }

    [Test]
    public void A_message_on_a_grid_is_seen_at_the_next_allowed_time()
    {
        MemberState member = Next(20, new Grid(5)) with { Head = new Tag(0, 1) };

        Assert.That(AdvanceRule.GrantOf(in member), Is.EqualTo(new Tag(5, 0)));
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
        EdgeTable edges = new([[Edge(1, 200)], []]);

        Assert.That(Bounds([Sender(8, 5), Receiver()], edges).Bound[1], Is.EqualTo(new Tag(213, 0)));
    }

    [Test]
    public void Nobody_to_hold_it_leaves_a_member_unbound()
        => Assert.That(Bounds([To(5), Receiver()], new EdgeTable([[], []])).Bound[1], Is.EqualTo(Tag.Top));

    [Test]
    public void Two_that_wait_for_each_other_reach_their_common_target_in_one_pass()
    {
        // The creep of null messages would take a million passes of one tick each.
        MemberState[] members = [Next(1_000_000) with { Lookahead = Delay.Ticks(1) }, Next(1_000_000)];

        BoundTable table = Bounds(members, Circle);

        Assert.That(table.Bound, Is.All.GreaterThan(new Tag(1_000_000, 0)));
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
        EdgeTable edges = new([[new Edge(1, Delay.None, Wakes: false, Delay.None)], []]);
        MemberState[] members = [Sender(8, 1), Next(50)];

        BoundTable table = Bounds(members, edges);

        Assert.That(table.Bound[1], Is.EqualTo(new Tag(9, 0)));
        Assert.That(table.Earliest[1], Is.EqualTo(new Tag(50, 1)));
    }

    [Test]
    public void A_bound_names_the_sender_that_holds_it()
    {
        EdgeTable edges = new([[Edge(2, 0)], [Edge(2, 0)], []]);

        Assert.That(Bounds([Sender(8, 1), Sender(3, 1), Receiver()], edges).HeldBy[2], Is.EqualTo(1));
    }

    private static EdgeTable Line => new([[Edge(1, 0)], []]);

    private static EdgeTable Circle => new([[Edge(1, 0)], [Edge(0, 0)]]);

    private static Edge Edge(int to, long link) => new(to, Delay.Ticks(link), true, Delay.Ticks(link));

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

    private static bool IsGranted(MemberState member, Tag bound) => AdvanceRule.IsGrantable(in member, bound, out _);

    private static BoundTable Bounds(MemberState[] members, EdgeTable edges)
    {
        BoundTable table = new(members.Length);
        AdvanceRule.Bounds(members, edges, table);
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
    public void Delays_in_a_chain_compose_in_order()
    {
        // S-C1: delays (1), one round, (2) from 0 to 3.
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
