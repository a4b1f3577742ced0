using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Joining;

/// <summary>Clause: what a member that takes up sending can set off arrives above all that was granted.</summary>
[TestFixture]
public sealed class LateSenderTests
{
    // It hears nothing itself from the late one: what it wakes may end the run.
    [Test]
    public void A_late_sender_that_wakes_one_who_may_stop_is_heard_above_everybodys_grant()
    {
        LinkedRun run = new(new SequencingConfig
        {
            Roster =
            [
                new("ctl") { Publish = ["none"], Subscribe = ["x"], MayStop = true, Lookahead = Delay.Ticks(1) },
                new("far") { Sends = false, Receives = false },
                new("slow") { Publish = ["x"], Lookahead = Delay.Ticks(600) },
                new("late") { Publish = ["x"], Lookahead = Delay.Ticks(1) },
            ],
        });
        GiveUpSending(run);
        Ask(run, "ctl", AdvanceMode.Next, 1000);
        Ask(run, "far", AdvanceMode.To, 500);
        Tag granted = run["far"].Engine.Now;

        TakeUpSending(run);

        Assert.That(granted, Is.EqualTo(new Tag(500, 0)));
        Assert.That(run["late"].Engine.EarliestPublication, Is.GreaterThan(granted));
    }

    [Test]
    public void A_late_sponsor_admits_only_above_what_every_receiver_was_granted()
    {
        LinkedRun run = new(new SequencingConfig
        {
            Roster =
            [
                new("far") { Subscribe = ["x"], Sends = false },
                new("late") { Publish = ["y"], MaySponsor = true, Lookahead = Delay.Ticks(1) },
            ],
        });
        GiveUpSending(run);
        Ask(run, "far", AdvanceMode.To, 500);
        Tag granted = run["far"].Engine.Now;

        TakeUpSending(run);

        Assert.That(granted, Is.EqualTo(new Tag(500, 0)));
        Assert.That(run["late"].Engine.EarliestPublication, Is.GreaterThan(granted));
    }

    // Who is woken may leave there, and that is told on the system channel, whether it sends or not.
    [Test]
    public void A_newcomer_that_wakes_a_listener_is_heard_above_the_news_of_its_leaving()
    {
        LinkedRun run = new(new SequencingConfig
        {
            AdmitsEarliest = true,
            Roster =
            [
                new("far") { Subscribe = [SystemEvent.Channel], Sends = false },
                new("ear") { Subscribe = ["x"], Sends = false },
                new("slow") { Publish = ["x"], Lookahead = Delay.Ticks(600) },
            ],
        });
        run.Settle();
        Ask(run, "ear", AdvanceMode.Next, 1000);
        Ask(run, "far", AdvanceMode.To, 500);
        Tag granted = run["far"].Engine.Now;

        run.Join(new MemberOptions("late") { Publish = ["x"], JoinEarliest = true });
        run.Settle();

        Assert.That(granted, Is.EqualTo(new Tag(500, 0)));
        Assert.That(run["late"].Engine.EarliestPublication, Is.GreaterThan(granted));
    }

    // Decision 17: it may have been granted infinity. A repetition takes the fact at its place, where it had left.
    [Test]
    public void A_receiver_that_has_left_bars_no_late_sender_from_what_it_was_granted()
    {
        LinkedRun run = new(new SequencingConfig
        {
            Roster =
            [
                new("far") { Subscribe = ["x"], Sends = false },
                new("late") { Publish = ["x"], Lookahead = Delay.Ticks(1) },
            ],
        });
        GiveUpSending(run);
        Ask(run, "far", AdvanceMode.To, 500);
        run["far"].Engine.TryTakeGrant(out Grant far);
        run["far"].Engine.Resign();
        run.Settle();

        TakeUpSending(run);

        Assert.That(far.Tag, Is.EqualTo(new Tag(500, 0)));
        Assert.That(run["late"].Engine.EarliestPublication, Is.EqualTo(new Tag(3, 0)));
    }

    private static void GiveUpSending(LinkedRun run)
    {
        run.Settle();
        run["late"].Engine.TryTakeGrant(out _);
        run["late"].Engine.SetRoles(sends: false, receives: false);
        Ask(run, "late", AdvanceMode.To, 1);
    }

    private static void TakeUpSending(LinkedRun run)
    {
        run["late"].Engine.TryTakeGrant(out _);
        run["late"].Engine.SetRoles(sends: true, receives: false);
        run["late"].Engine.Request(AdvanceMode.To, run["late"].Engine.Now + Delay.Ticks(1));
        run.Settle();
        Assert.That(run["late"].Engine.Error, Is.EqualTo(SequencingError.None), run["late"].Engine.ErrorDetail);
    }

    private static void Ask(LinkedRun run, string name, AdvanceMode mode, long time)
    {
        run[name].Engine.TryTakeGrant(out _);
        run[name].Engine.Request(mode, new Tag(time, 0));
        run.Settle();
    }
}
