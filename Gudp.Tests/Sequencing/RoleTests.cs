using System.Text;
using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>Roles and interests that change in the run: clauses .</summary>
[TestFixture]
public sealed class RoleTests
{
    [Test]
    public void Who_gives_up_sending_holds_nobody_any_more()
    {
        SingleProcessRun run = Start();
        run["r"].Request(AdvanceMode.To, 50);
        run["s"].SetRoles(sends: false, receives: false);
        run["s"].Request(AdvanceMode.To, 1);
        run["z"].Request(AdvanceMode.To, 100);
        run["c"].Request(AdvanceMode.To, 100);
        run.Settle();

        Assert.That(run["r"].Now, Is.EqualTo(new Tag(50, 0)));
        Assert.That(run["s"].Publish("x", "late"u8, 500), Is.EqualTo(SequencingError.NotASender));
        Assert.That(run.Server.IsInfluenced, Is.False);
    }

    [Test]
    public void Who_takes_up_sending_is_heard_above_all_that_was_granted_and_is_told_from_where()
    {
        SingleProcessRun run = Start();
        run["s"].SetRoles(sends: false, receives: false);
        run["s"].Request(AdvanceMode.To, 1);
        run["z"].Request(AdvanceMode.To, 100);
        run["c"].Request(AdvanceMode.To, 100);
        run["r"].Request(AdvanceMode.To, 50);
        run.Settle();

        run["s"].SetRoles(sends: true, receives: false);
        run["s"].Request(AdvanceMode.To, 2);
        run.Settle();

        Assert.That(run["s"].EarliestPublication, Is.GreaterThan(new Tag(50, 0)));
        Assert.That(run["s"].Publish("x", "early"u8, 50), Is.EqualTo(SequencingError.LookaheadViolation));
        Assert.That(run["s"].Publish("x", "late"u8, null), Is.EqualTo(SequencingError.None));
        ExternalFact fact = run.Server.ExternalFacts.Single();
        Assert.That(fact.Kind, Is.EqualTo(ExternalFactKind.SenderAdded));
        Assert.That(fact.Tag, Is.EqualTo(run["s"].EarliestPublication));
        Assert.That(run.Server.IsInfluenced);
    }

    // The receivers it reaches itself are not all: c waits for its next message, and r was granted on that.
    [Test]
    public void Who_takes_up_sending_reaches_through_members_that_wait_for_their_next_message()
    {
        SequencingConfig config = new()
        {
            Roster =
            [
                new MemberDeclaration("c") { Publish = ["y"], Subscribe = ["x", "w"], Lookahead = Delay.Ticks(5) },
                new MemberDeclaration("r") { Subscribe = ["y"] },
                new MemberDeclaration("s") { Publish = ["x"], Sends = false },
                new MemberDeclaration("u") { Publish = ["v"] },
                new MemberDeclaration("z") { Publish = ["w"] },
            ],
        };

        SingleProcessRun run = new(config);
        run.Settle();
        run["c"].Request(AdvanceMode.Next, 100);
        run["z"].Promise(20);
        run["z"].Flush();
        run["r"].Request(AdvanceMode.To, 24);
        run.Settle();
        Assert.That(run["r"].Now, Is.EqualTo(new Tag(24, 0)));
        Assert.That(run["c"].Now, Is.EqualTo(Tag.Zero));

        run["s"].SetRoles(sends: true, receives: false);
        run["s"].Request(AdvanceMode.To, 1);
        run.Settle();
        run["s"].Publish("x", "wake"u8, null);
        run["s"].Request(AdvanceMode.To, 200);
        run["z"].Request(AdvanceMode.To, 200);
        run.Settle();
        run["c"].Publish("y", "echo"u8, null);
        run["c"].Request(AdvanceMode.To, 200);
        run["r"].TryTakeGrant(out _);
        run["r"].TryTakeGrant(out _);
        run["r"].Request(AdvanceMode.To, 100);
        run.Settle();

        Assert.That(run["s"].Error, Is.EqualTo(SequencingError.None));
        Assert.That(run["r"].Now, Is.EqualTo(new Tag(100, 0)));
        Assert.That(run["r"].TryTakeGrant(out Grant grant));
        Assert.That(grant.Messages.Single().Arrival, Is.GreaterThan(new Tag(24, 0)));
    }

    [Test]
    public void What_came_while_a_member_was_deaf_is_gone_and_what_arrives_later_comes()
    {
        SingleProcessRun run = Start();
        run["r"].SetRoles(sends: false, receives: false);
        run["r"].Request(AdvanceMode.To, 30);
        Publish(run, "s", 20, 40);
        run.Settle();
        Assert.That(run["r"].TryTakeGrant(out Grant deaf) && deaf.Tag == 30);

        run["r"].SetRoles(sends: false, receives: true);
        run["r"].Request(AdvanceMode.To, 30);
        run.Settle();
        Assert.That(run["r"].Phase, Is.EqualTo(MemberPhase.Waiting));

        Publish(run, "z", 25, 45);
        run["s"].Request(AdvanceMode.To, 100);
        run["z"].Request(AdvanceMode.To, 100);
        run["c"].Request(AdvanceMode.To, 100);
        run.Settle();
        Assert.That(run["r"].Now, Is.EqualTo(new Tag(30, 0)));
        run["r"].TryTakeGrant(out _);
        run["r"].Request(AdvanceMode.To, 50);
        run.Settle();

        Assert.That(run["r"].TryTakeGrant(out Grant grant));
        Assert.That(grant.Messages.Select(message => message.Arrival.Time), Is.EqualTo(new long[] { 40, 45 }));
    }

    [Test]
    public void An_interest_that_is_off_neither_wakes_nor_comes_and_counts_from_the_request_on()
    {
        SingleProcessRun run = Start();
        Publish(run, "s", 10, 20, 30);
        run["s"].Request(AdvanceMode.To, 100);
        run["z"].Request(AdvanceMode.To, 100);
        run["c"].Request(AdvanceMode.To, 100);
        run["r"].SetInterest("x", isOn: false);
        run["r"].Request(AdvanceMode.Next, 15);
        run.Settle();
        Assert.That(run["r"].TryTakeGrant(out _));
        Assert.That(run["r"].Now, Is.EqualTo(new Tag(15, 0)));

        run["r"].SetInterest("x", isOn: true);
        run["r"].Request(AdvanceMode.Next, 50);
        run.Settle();

        Assert.That(run["r"].TryTakeGrant(out Grant grant));
        Assert.That(grant.Messages.Single().Arrival, Is.EqualTo(new Tag(20, 0)));
        Assert.That(run.Server.Counters.MessagesDropped, Is.EqualTo(1));
    }

    [Test]
    public void A_look_ahead_that_was_changed_twice_promises_what_both_did()
    {
        SingleProcessRun run = Start();

        run["s"].SetLookahead(Delay.Ticks(10));
        run["s"].SetLookahead(Delay.Ticks(1));
        run["s"].Flush();
        run.Settle();

        Assert.That(run.Server.Members.StateOf(run.Server.Members.Find("s")!).EarliestPublication.Time, Is.EqualTo(10));
        Assert.That(run["s"].EarliestPublication.Time, Is.EqualTo(10));
    }

    [Test]
    public void A_snapshot_and_publications_that_do_not_fit_one_commit_are_refused_at_the_call()
    {
        SingleProcessRun run = Start();
        byte[] most = new byte[SequencingConfig.LargestPayloadBytes];

        Assert.That(run["s"].Snapshot("state", most), Is.EqualTo(SequencingError.None));
        Assert.That(run["s"].Snapshot("state", most), Is.EqualTo(SequencingError.None), "The last one counts.");
        Assert.That(run["s"].Publish("x", most, null), Is.EqualTo(SequencingError.TooLarge));
    }

    [Test]
    public void Switching_needs_a_declared_subscription()
    {
        SingleProcessRun run = Start();

        Assert.That(run["r"].SetInterest("nothing", isOn: false), Is.EqualTo(SequencingError.UnknownChannel));
        Assert.That(run["r"].Allowed(SequencingError.UnknownChannel), Is.EqualTo("it declared 'x' as Subscribe, Wake"));
        Assert.That(
            run["s"].Allowed(SequencingError.LookaheadViolation),
            Is.EqualTo("the earliest is (0,1), and the least look-ahead 1 rounds"));
        Assert.That(run["s"].SetInterest("x", isOn: false), Is.EqualTo(SequencingError.NotDeclared));
        Assert.That(run["s"].StopAt(50), Is.EqualTo(SequencingError.NotDeclared));
        Assert.That(run["r"].Peek(), Is.EqualTo(SequencingError.NotDeclared));
    }

    private static void Publish(SingleProcessRun run, string name, params long[] tags)
    {
        foreach (long tag in tags)
        {
            Assert.That(run[name].Publish("x", Encoding.UTF8.GetBytes($"{tag}"), tag), Is.EqualTo(SequencingError.None));
        }

        run[name].Flush();
    }

    private static SingleProcessRun Start()
    {
        SequencingConfig config = new()
        {
            Roster =
            [
                new MemberDeclaration("c") { Publish = ["y"], Subscribe = ["x"], Receives = false },
                new MemberDeclaration("r") { Subscribe = ["x"] },
                new MemberDeclaration("s") { Publish = ["x"] },
                new MemberDeclaration("z") { Publish = ["x"] },
            ],
        };

        SingleProcessRun run = new(config);
        run.Settle();
        run["r"].TryTakeGrant(out _);
        return run;
    }
}
