using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;
using static Gudp.Sequencing.HistoryEvent;

namespace Gudp.Tests.Sequencing.Records;

/// <summary>B36: a list of events in, a list of violations out.</summary>
[TestFixture]
public sealed class HistoryCheckerTests
{
    private static readonly HistoryRules Delivered = new()
    {
        Subscribers = new Dictionary<string, IReadOnlyCollection<string>> { ["c"] = ["r", "s"] },
    };

    // Two publishers, two receivers, four messages; all rules are asked.
    private static HistoryEvent[] Right =>
    [
        Point("p", 0), Publish("p", 1, "c", at: 7), Promise("p", 9), Publish("p", 2, "c", at: 9), Point("p", 20),
        Point("q", 0), Publish("q", 1, "c", at: 7), Point("q", 8), Publish("q", 2, "c", at: 12),
        Point("r", 0), Receive("r", "p", 1, "c", 7), Receive("r", "q", 1, "c", 7), Point("r", 7),
        Receive("r", "p", 2, "c", 9), Receive("r", "q", 2, "c", 12), Point("r", 12),
        Point("s", 0), Receive("s", "p", 1, "c", 7), Receive("s", "q", 1, "c", 7), Receive("s", "p", 2, "c", 9),
        Point("s", 11),
    ];

    [Test]
    public void A_right_history_has_no_violation()
        => Assert.That(HistoryChecker.Check(Right, Delivered), Is.Empty);

    [Test]
    public void The_order_in_which_members_are_listed_does_not_matter()
    {
        HistoryEvent[] receiversFirst = [.. Right.OrderBy(one => one.Member is "p" or "q")];

        Assert.That(HistoryChecker.Check(receiversFirst, Delivered), Is.Empty);
    }

    private static IEnumerable<TestCaseData> Wrong()
    {
        yield return Case("at its send tag", HistoryRule.Noncausal,
            "event 3: member \"r\": \"p\" 1 arrives at 5, not after 5, where it was sent",
            Point("p", 5), Publish("p", 1, "c", 6), Point("r", 0), Receive("r", "p", 1, "c", 5));
        yield return Case("before a send tag it carries", HistoryRule.Noncausal,
            "event 1: member \"r\": \"p\" 1 arrives at 7, not after 9, where it was sent",
            Publish("p", 1, "c", 7), Receive("r", "p", 1, "c", 7) with { SendTag = 9 });
        yield return Case("before it was meant to", HistoryRule.Noncausal,
            "event 2: member \"r\": \"p\" 1 arrives at 6, before 7, for which it was published",
            Point("p", 5), Publish("p", 1, "c", 7), Receive("r", "p", 1, "c", 6));
        yield return Case("published at the point", HistoryRule.PublishedInThePast,
            "event 1: member \"p\": it publishes 1 at 5, not after its point 5",
            Point("p", 5), Publish("p", 1, "c", 5));
        yield return Case("published before a message it was given", HistoryRule.PublishedInThePast,
            "event 3: member \"p\": it publishes 1 at 6, not after the message it was given at 7",
            Publish("q", 1, "c", 7), Point("p", 5), Receive("p", "q", 1, "c", 7), Publish("p", 1, "c", 6));
        yield return Case("published below a promise", HistoryRule.PublishedTooEarly,
            "event 2: member \"p\": it publishes 1 at 8, below its promise 9",
            Point("p", 5), Promise("p", 9), Publish("p", 1, "c", 8));
        yield return Case("published within the look-ahead", HistoryRule.PublishedTooEarly,
            "event 1: member \"slow\": it publishes 1 at 8, below 10: its point 5 and its look-ahead of 5 ticks",
            Point("slow", 5), Publish("slow", 1, "c", 8));
        yield return Case("a point again", HistoryRule.PointNotAfterLast,
            "event 1: member \"p\": its point 5 is not after its point 5",
            Point("p", 5), Point("p", 5));
        yield return Case("a point back", HistoryRule.PointNotAfterLast,
            "event 2: member \"p\": its point 6 is not after its point 9",
            Point("p", 5), Point("p", 9), Point("p", 6));
        yield return Case("delivered at a point that was passed", HistoryRule.DeliveredTooLate,
            "event 2: member \"r\": it is given \"p\" 1 with arrival 7, although it was at 7 before",
            Publish("p", 1, "c", 7), Point("r", 7), Receive("r", "p", 1, "c", 7));
        yield return Case("out of order of arrival", HistoryRule.OutOfOrder,
            "event 3: member \"r\": it is given \"p\" 1 with arrival 7 after \"p\" 2 with arrival 8 (event 2), "
            + "which belongs behind it",
            Publish("p", 1, "c", 7), Publish("p", 2, "c", 8),
            Receive("r", "p", 2, "c", 8), Receive("r", "p", 1, "c", 7));
        yield return Case("out of order of publishers", HistoryRule.OutOfOrder,
            "event 5: member \"r\": it is given \"p\" 1 with arrival 7 after \"q\" 1 with arrival 7 (event 4), "
            + "which belongs behind it",
            Point("p", 0), Publish("p", 1, "c", 7), Point("q", 0), Publish("q", 1, "c", 7),
            Receive("r", "q", 1, "c", 7), Receive("r", "p", 1, "c", 7));
        yield return Case("out of order of send tags", HistoryRule.OutOfOrder,
            "event 3: member \"r\": it is given \"q\" 1 with arrival 7 after \"p\" 1 with arrival 7 (event 2), "
            + "which belongs behind it",
            Publish("p", 1, "c", 7), Publish("q", 1, "c", 7),
            Receive("r", "p", 1, "c", 7) with { SendTag = 5 }, Receive("r", "q", 1, "c", 7) with { SendTag = 4 });
        yield return Case("twice", HistoryRule.Duplicate,
            "event 2: member \"r\": it is given \"p\" 1 at 7 again, after event 1",
            Publish("p", 1, "c", 7), Receive("r", "p", 1, "c", 7), Receive("r", "p", 1, "c", 7));
        yield return Case("a number twice", HistoryRule.RepeatedNumber,
            "event 1: member \"p\": it publishes number 1 at 8, which was event 0 already",
            Publish("p", 1, "c", 7), Publish("p", 1, "c", 8));
        yield return Case("out of nowhere", HistoryRule.NeverPublished,
            "event 0: member \"r\": it is given \"p\" 1 at 7, which nobody published",
            Receive("r", "p", 1, "c", 7));
        yield return Case("on another channel", HistoryRule.OtherChannel,
            "event 1: member \"r\": it is given \"p\" 1 on \"d\", published to \"c\" by event 0",
            Publish("p", 1, "c", 7), Receive("r", "p", 1, "d", 7));
    }

    [TestCaseSource(nameof(Wrong))]
    public void What_is_wrong_is_named(HistoryRule rule, string text, HistoryEvent[] events)
    {
        HistoryRules rules = new()
        {
            Lookahead = new Dictionary<string, Delay> { ["slow"] = Delay.Ticks(5) },
        };

        IReadOnlyList<HistoryViolation> found = HistoryChecker.Check(events, rules);

        Assert.That(found, Has.Count.EqualTo(1));
        Assert.That(found[0].Rule, Is.EqualTo(rule));
        Assert.That(found[0].ToString(), Is.EqualTo(text));
        Assert.That(text, Does.StartWith($"event {found[0].EventIndex}: member \"{found[0].Member}\""));
    }

    [Test]
    public void A_message_that_one_subscriber_was_not_given_is_missing_if_it_is_asked_for()
    {
        HistoryEvent[] events = [.. Right.Where(one => !(one.Member == "s" && one.Publisher == "q"))];

        IReadOnlyList<HistoryViolation> found = HistoryChecker.Check(events, Delivered);

        Assert.That(found.Select(one => one.Text), Is.EqualTo(new[]
        {
            "event 6: member \"s\": it was never given \"q\" 1 on \"c\", which \"r\" was given and which arrives at 7",
        }));
        Assert.That(HistoryChecker.Check(events), Is.Empty);
    }

    // Its last point is 11: what arrives at 12 is still to come. Its first is 8: what arrived at 7 was before its time.
    [Test]
    public void Nothing_is_missing_before_the_first_and_behind_the_last_point()
    {
        HistoryEvent[] late =
        [
            .. Right.Where(one => one.Member != "s"),
            Point("s", 8), Receive("s", "p", 2, "c", 9), Point("s", 11),
        ];

        Assert.That(HistoryChecker.Check(late, Delivered), Is.Empty);
    }

    [Test]
    public void A_subscriber_without_points_should_have_everything()
    {
        HistoryEvent[] silent = [.. Right.Where(one => one.Member != "s")];

        Assert.That(
            HistoryChecker.Check(silent, Delivered).Select(one => (one.Rule, one.Member)),
            Is.EqualTo(Enumerable.Repeat((HistoryRule.Missing, "s"), 4)));
    }

    // Lost at the sender: nobody has it, so it is nobody's violation.
    [Test]
    public void A_message_that_nobody_was_given_is_not_missing()
    {
        HistoryEvent[] lost = [.. Right.Where(one => !(one.Kind == HistoryEventKind.Receive && one.Publisher == "q"))];

        Assert.That(HistoryChecker.Check(lost, Delivered), Is.Empty);
    }

    [Test]
    public void Every_violation_is_listed_in_the_order_of_the_events()
    {
        HistoryEvent[] events =
        [
            Publish("p", 1, "c", 7), Point("p", 9), Publish("p", 2, "c", 9), Point("r", 8), Point("r", 8),
            Receive("r", "p", 1, "c", 7), Receive("r", "p", 1, "c", 7), Receive("r", "x", 1, "c", 6),
        ];

        IReadOnlyList<HistoryViolation> found = HistoryChecker.Check(events);

        Assert.That(found.Select(one => (one.EventIndex, one.Rule)), Is.EqualTo(new[]
        {
            (2, HistoryRule.PublishedInThePast),
            (4, HistoryRule.PointNotAfterLast),
            (5, HistoryRule.DeliveredTooLate),
            (6, HistoryRule.DeliveredTooLate),
            (6, HistoryRule.Duplicate),
            (7, HistoryRule.DeliveredTooLate),
            (7, HistoryRule.OutOfOrder),
            (7, HistoryRule.NeverPublished),
        }));
    }

    [Test]
    public void Points_may_repeat_where_that_is_said()
    {
        HistoryRules rules = new() { PointsMayRepeat = true };

        Assert.That(HistoryChecker.Check([Point("p", 5), Point("p", 5)], rules), Is.Empty);
        Assert.That(HistoryChecker.Check([Point("p", 5), Point("p", 4)], rules), Has.Count.EqualTo(1));
    }

    [Test]
    public void Messages_may_stand_behind_their_point_where_that_is_said()
    {
        HistoryRules rules = new() { MessagesFollowPoint = true };
        HistoryEvent[] events =
        [
            Publish("p", 1, "c", 7), Publish("p", 2, "c", 12),
            Point("r", 5), Point("r", 10), Receive("r", "p", 1, "c", 7), Point("r", 12), Receive("r", "p", 2, "c", 12),
        ];

        Assert.That(HistoryChecker.Check(events, rules), Is.Empty);
        Assert.That(HistoryChecker.Check(events), Has.Count.EqualTo(2));
    }

    [Test]
    public void Ties_are_free_where_that_is_said_but_each_publisher_keeps_its_order()
    {
        HistoryRules rules = new() { TiesAreFree = true };
        HistoryEvent[] published =
        [
            Point("p", 0), Publish("p", 1, "c", 7), Publish("p", 2, "c", 7), Point("q", 0), Publish("q", 1, "c", 7),
        ];

        Assert.That(HistoryChecker.Check(
            [.. published, Receive("r", "q", 1, "c", 7), Receive("r", "p", 1, "c", 7)], rules), Is.Empty);
        Assert.That(HistoryChecker.Check(
            [.. published, Receive("r", "p", 2, "c", 7), Receive("r", "p", 1, "c", 7)], rules), Has.Count.EqualTo(1));
    }

    [Test]
    public void A_second_copy_is_no_duplicate()
    {
        HistoryEvent[] events =
        [
            Point("p", 0), Publish("p", 1, "c", 7),
            Receive("r", "p", 1, "c", 7), Receive("r", "p", 1, "c", 9) with { Copy = 1 },
        ];

        Assert.That(HistoryChecker.Check(events), Is.Empty);
    }

    [Test]
    public void An_event_that_was_not_made_by_its_methods_is_refused()
        => Assert.Throws<ArgumentException>(() => HistoryChecker.Check([Point("p", 1), default]));

    [Test]
    public void A_run_of_ours_has_no_violation()
    {
        SequencingConfig config = new()
        {
            Roster =
            [
                new("p") { Publish = ["c"], Subscribe = ["c"], Lookahead = Delay.Ticks(3) },
                new("q") { Publish = ["c"], Subscribe = ["c"], Lookahead = Delay.Ticks(2) },
            ],
        };
        HistoryRules rules = new()
        {
            Lookahead = new Dictionary<string, Delay> { ["p"] = Delay.Ticks(3), ["q"] = Delay.Ticks(2) },
            Subscribers = new Dictionary<string, IReadOnlyCollection<string>> { ["c"] = ["p", "q"] },
        };

        List<HistoryEvent> events = Play(new SingleProcessRun(config), until: 200);

        Assert.That(events, Has.Count.GreaterThan(200));
        Assert.That(HistoryChecker.Check(events, rules), Is.Empty);
    }

    private static List<HistoryEvent> Play(SingleProcessRun run, long until)
    {
        List<HistoryEvent> events = [];
        Dictionary<string, long> numbers = [];
        run.Settle();

        for (bool moved = true; moved; run.Settle())
        {
            moved = false;

            foreach (MemberEngine member in run.Members)
            {
                if (!member.TryTakeGrant(out Grant grant))
                {
                    continue;
                }

                moved = true;
                events.AddRange(grant.Messages.Select(message => Receive(
                    member.Name, message.Sender, message.SubSequence, message.Channel, message.Arrival) with
                {
                    SendTag = message.SendTag,
                }));
                events.Add(Point(member.Name, grant.Tag));

                if (grant.Tag.Time < until)
                {
                    Tag at = member.EarliestPublication;
                    numbers[member.Name] = numbers.GetValueOrDefault(member.Name) + 1;
                    member.Publish("c", "x"u8, at);
                    events.Add(Publish(member.Name, numbers[member.Name], "c", at));
                    member.Request(AdvanceMode.Next, grant.Tag + Delay.Ticks(10));
                }
                else
                {
                    member.Resign();
                }
            }
        }

        return events;
    }

    private static TestCaseData Case(string name, HistoryRule rule, string text, params HistoryEvent[] events)
        => new TestCaseData(rule, text, events).SetArgDisplayNames(name);
}
