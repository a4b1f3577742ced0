using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Joining;

/// <summary>Members that join at a tag their roster names (lock-time 8.2, clause ).</summary>
[TestFixture]
public sealed class LateJoinTests
{
    [Test]
    public void Until_a_late_member_connects_the_run_comes_as_far_as_its_join_and_look_ahead_allow()
    {
        LinkedRun run = new(Config(), "late");
        run.Settle();

        Ask(run, "a", 9);
        Ask(run, "b", 9);
        Assert.That(At(run, "a"), Is.EqualTo(new Tag(9, 0)));
        Assert.That(At(run, "b"), Is.EqualTo(new Tag(9, 0)));

        Ask(run, "a", 13);
        Ask(run, "b", 13);
        Assert.That(At(run, "b"), Is.EqualTo(new Tag(9, 0)), "b hears the late one, which may speak at 12");
        Assert.That(run.Server.IsInfluenced, Is.False);
    }

    [Test]
    public void It_is_granted_its_join_first_and_then_everything_that_arrives_later()
    {
        LinkedRun run = new(Config(), "late");
        run.Settle();
        run["a"].Engine.Publish("x", "before"u8, 8);
        run["a"].Engine.Publish("x", "at"u8, 10);
        run["a"].Engine.Publish("x", "after"u8, 11);
        Ask(run, "a", 20);

        run.Join(Late(run));
        run.Settle();
        bool isGranted = run["late"].Engine.TryTakeGrant(out Grant first);
        Ask(run, "late", 15);
        run["late"].Engine.TryTakeGrant(out Grant second);

        Assert.That(isGranted, Is.True);
        Assert.That(first.Tag, Is.EqualTo(new Tag(10, 0)));
        Assert.That(first.Messages, Is.Empty);
        Assert.That(second.Messages.Select(message => message.Arrival), Is.EqualTo(new[] { new Tag(11, 0) }));
        Assert.That(run["late"].Engine.Error, Is.EqualTo(SequencingError.None));
    }

    // However early or late it connects, the histories are equal: only the wait is not.
    [Test]
    public void The_history_does_not_depend_on_when_it_connects()
    {
        HashSet<ulong> histories = [];

        for (int joinsAfter = 0; joinsAfter < 40; joinsAfter++)
        {
            histories.Add(Play(joinsAfter));
        }

        Assert.That(histories, Has.Count.EqualTo(1));
    }

    [Test]
    public void A_run_goes_on_without_an_absent_member_that_it_shall_not_wait_for_and_records_it()
    {
        LinkedRun run = new(Config(CrashPolicy.Resign), "late");
        run.Settle();
        Ask(run, "a", 9);
        Ask(run, "b", 9);
        Assert.That(run.Server.ExternalFacts, Is.Empty);

        Ask(run, "a", 30);
        Ask(run, "b", 30);
        run.Join(Late(run));
        run.Settle();

        Assert.That(At(run, "b"), Is.EqualTo(new Tag(30, 0)));
        Assert.That(
            run.Server.ExternalFacts,
            Is.EqualTo(new[] { new ExternalFact(ExternalFactKind.Removed, "late", new Tag(10, 0)) }));
        Assert.That(run.Server.IsInfluenced, Is.True);
        Assert.That(run["late"].Engine.Error, Is.EqualTo(SequencingError.NameTaken));
    }

    [Test]
    public void A_run_ends_without_an_absent_member_that_it_shall_not_wait_for()
    {
        LinkedRun run = new(Config(CrashPolicy.Resign), "late");
        run.Settle();

        run["a"].Engine.Resign();
        run["b"].Engine.Resign();
        run.Settle();

        Assert.That(run.Server.Phase, Is.EqualTo(RunPhase.Ended));
    }

    [Test]
    public void Another_join_than_the_declared_one_is_refused()
    {
        LinkedRun run = new(Config(), "late");
        run.Settle();

        LinkedMember other = run.Join(new MemberOptions("late")
        {
            Publish = ["x"],
            Subscribe = ["x"],
            Lookahead = Delay.Ticks(2),
            Join = new Tag(11, 0),
        });
        run.Settle();

        Assert.That(other.Engine.Error, Is.EqualTo(SequencingError.ConfigMismatch));
    }

    [Test]
    public void A_late_member_that_is_lost_before_its_first_grant_may_come_again()
    {
        LinkedRun run = new(Config(), "late");
        run.Settle();
        LinkedMember late = run.Join(Late(run));
        run.Settle();

        run.Drop(late);
        late.Engine = new MemberEngine(Late(run));
        Ask(run, "a", 20);
        Ask(run, "b", 11);

        Assert.That(late.Engine.Now, Is.EqualTo(new Tag(10, 0)));
        Assert.That(late.Engine.Phase, Is.EqualTo(MemberPhase.Running));
    }

    // S-C10, as far as it needs no sponsor: a listener of the system channel sees who comes and goes, at fixed tags.
    [Test]
    public void The_system_channel_tells_who_joined_and_who_resigned_at_the_tags_the_rule_gives()
    {
        LinkedRun run = new(Config(listener: true), "late");
        run.Join(Late(run));
        run.Settle();

        foreach (string name in (string[])["a", "b", "late"])
        {
            run[name].Engine.TryTakeGrant(out _);
            Ask(run, name, 20);
        }

        run["a"].Engine.Resign();
        run.Settle();
        Ask(run, "listener", 15);
        Ask(run, "b", 40);
        Ask(run, "late", 40);
        run["listener"].Engine.TryTakeGrant(out Grant until15);
        Ask(run, "listener", 30);
        run["listener"].Engine.TryTakeGrant(out Grant until30);

        Assert.That(Events(until15), Is.EqualTo(new[]
        {
            (new Tag(12, 0), new SystemEvent(SystemEventKind.Joined, "late", new Tag(10, 0))),
        }));
        Assert.That(Events(until30), Is.EqualTo(new[]
        {
            (new Tag(21, 0), new SystemEvent(SystemEventKind.Resigned, "a", new Tag(20, 0))),
        }));
    }

    [Test]
    public void The_loss_of_a_member_is_told_where_it_could_have_spoken_next()
    {
        LinkedRun run = new(Config(CrashPolicy.Resign, listener: true), "late");
        run.Join(Late(run));
        run.Settle();
        run["late"].Engine.TryTakeGrant(out _);

        foreach (string name in (string[])["a", "b", "listener"])
        {
            Ask(run, name, 30);
        }

        run.Drop(run["late"]);
        run.Settle();

        Assert.That(run["listener"].Engine.TryTakeGrant(out Grant grant), Is.True);
        Assert.That(Events(grant).Last().Event.Kind, Is.EqualTo(SystemEventKind.Lost));
        Assert.That(Events(grant).Last().Event.Member, Is.EqualTo("late"));
    }

    private static ulong Play(int joinsAfter)
    {
        LinkedRun run = new(Config(), "late");
        List<Walker> walkers = [.. run.Members.Select(member => new Walker(run, member, 20))];

        for (int turn = 0; run.Server.Phase != RunPhase.Ended; turn++)
        {
            Assert.That(turn, Is.LessThan(10_000), "The run stands still.");

            if (turn == joinsAfter)
            {
                walkers.Add(new Walker(run, run.Join(Late(run)), 20));
            }

            foreach (Walker walker in walkers)
            {
                walker.Act();
                run.MoveUp(walker.Member);
                run.MoveDown(walker.Member);
                MemberEngine engine = walker.Member.Engine;
                Assert.That(engine.Error, Is.EqualTo(SequencingError.None), engine.ErrorDetail);
            }
        }

        return run.Server.RunDigest;
    }

    private static (Tag Arrival, SystemEvent Event)[] Events(Grant grant) =>
    [
        .. grant.Messages.Select(message =>
        {
            Assert.That(SystemEvent.TryRead(in message, out SystemEvent systemEvent), Is.True);
            return (message.Arrival, systemEvent);
        }),
    ];

    private static Tag At(LinkedRun run, string name) => run[name].Engine.Now;

    private static void Ask(LinkedRun run, string name, long time)
    {
        run[name].Engine.TryTakeGrant(out _);
        run[name].Engine.Request(AdvanceMode.To, new Tag(time, 0));
        run.Settle();
    }

    private static MemberOptions Late(LinkedRun run) => MemberOptions.From(run.Config, "late", run.Layout.ConfigHash);

    private static SequencingConfig Config(CrashPolicy policy = CrashPolicy.Stall, bool listener = false)
    {
        List<MemberDeclaration> roster =
        [
            new("a") { Publish = ["x"], Lookahead = Delay.Ticks(1) },
            new("b") { Subscribe = ["x"] },
            new("late")
            {
                Publish = ["x"],
                Subscribe = ["x"],
                Lookahead = Delay.Ticks(2),
                Join = new Tag(10, 0),
                CrashPolicy = policy,
            },
        ];

        if (listener)
        {
            roster.Add(new MemberDeclaration("listener") { SubscribeQuietly = [SystemEvent.Channel] });
        }

        return new SequencingConfig { Roster = roster };
    }
}
