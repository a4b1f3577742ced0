using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Joining;

/// <summary>Who may speak for a member, and what becomes of a run that loses one (clauses Q-2.9, Q-2.10, Q-6.3).</summary>
[TestFixture]
public sealed class SessionTests
{
    private const long Stranger = 99;

    [Test]
    public void S_B25_a_second_member_of_the_same_name_is_refused_and_the_first_unaffected()
    {
        LinkedRun run = new(Config(CrashPolicy.Stall));
        run.Settle();

        LinkedMember second = run.Join(MemberOptions.From(run.Config, "a", run.Layout.ConfigHash));
        run.Settle();
        run.Members[0].Engine.TryTakeGrant(out _);
        run.Members[0].Engine.Request(AdvanceMode.To, 5);
        run.Settle();

        Assert.That(second.Engine.Error, Is.EqualTo(SequencingError.NameTaken));
        Assert.That(run.Members[0].Engine.Now, Is.EqualTo(new Tag(5, 0)));
        Assert.That(run.Server.Refusals, Is.EqualTo(1));
    }

    // Clause Q-6.8: the welcome went with the link, and the server does not know of that yet.
    [TestCase(true)]
    [TestCase(false)]
    public void Who_lost_its_link_before_the_welcome_and_says_hello_again_waits_until_that_is_known(bool isStarted)
    {
        LinkedRun run = isStarted ? new(Config(CrashPolicy.Stall)) : new(Config(CrashPolicy.Stall), "b");
        run.MoveUp(run["a"]);
        long lost = run["a"].Link;
        run.Drop(run["a"], isNoticed: false);

        if (isStarted)
        {
            run.MoveUp(run["b"]);
        }

        LinkedMember again = run.Join(MemberOptions.From(run.Config, "a", run.Layout.ConfigHash));
        run.MoveUp(again);
        run.Pass(HeldHellos.Patience / 2);
        run.Server.HandleLinkLost(lost, run.Now);
        run.Pass(TimeSpan.FromMilliseconds(1));
        run.MoveDown(again);

        Assert.That(again.Engine.Error, Is.EqualTo(SequencingError.None), again.Engine.ErrorDetail);
        Assert.That(again.Engine.IsWelcome, Is.True);
        Assert.That(run.Server.Refusals, Is.Zero);
    }

    [Test]
    public void A_second_process_of_a_name_is_refused_in_bounded_time_however_silent_the_first_one_is()
    {
        LinkedRun run = new(Config(CrashPolicy.Stall));
        run.Settle();
        LinkedMember second = run.Join(MemberOptions.From(run.Config, "a", run.Layout.ConfigHash));
        run.Settle();
        SequencingError before = second.Engine.Error;

        Assert.That(run.Server.NextDeadline, Is.LessThanOrEqualTo(run.Now + HeldHellos.Patience));
        run.Pass(HeldHellos.Patience);
        run.Settle();
        LinkedMember third = run.Join(MemberOptions.From(run.Config, "a", run.Layout.ConfigHash));
        run.Settle();

        Assert.That(before, Is.EqualTo(SequencingError.None), "A link that is lost is known to be by then.");
        Assert.That(second.Engine.Error, Is.EqualTo(SequencingError.NameTaken));
        Assert.That(third.Engine.Error, Is.EqualTo(SequencingError.NameTaken), "Nobody waits twice for the same holder.");
        Assert.That(run.Members[0].Engine.Error, Is.EqualTo(SequencingError.None));
    }

    [Test]
    public void A_link_that_takes_up_a_session_has_no_hello_that_waits()
    {
        LinkedRun run = new(Config(CrashPolicy.Stall));
        run.Settle();
        ResumePoint session = run["a"].Engine.CreateTicket().Session;
        LinkedMember second = run.Join(MemberOptions.From(run.Config, "a", run.Layout.ConfigHash));
        run.MoveUp(second);

        run.Inject(second.Link, Hello("a", UInt128.Zero, session));
        run.Pass(HeldHellos.Patience);

        Assert.That(run.Server.Counters.SessionsResumed, Is.EqualTo(1));
        Assert.That(run.Server.Refusals, Is.Zero);
    }

    [TestCase("token", SequencingError.NameTaken)]
    [TestCase("session", SequencingError.StaleEpoch)]
    [TestCase("epoch", SequencingError.StaleEpoch)]
    [TestCase("name", SequencingError.NotDeclared)]
    [TestCase("run", SequencingError.ConfigMismatch)]
    [TestCase("behind", SequencingError.WrongSequence)]
    [TestCase("ahead", SequencingError.WrongSequence)]
    [TestCase("names", SequencingError.WrongSequence)]
    public void A_resumption_with_something_wrong_is_refused_and_the_session_goes_on(
        string wrong, SequencingError expected)
    {
        LinkedRun run = new(Config(CrashPolicy.Stall));
        run.Settle();
        Advance(run, 5);
        Advance(run, 6);
        ResumePoint right = run["a"].Engine.CreateTicket().Session;

        run.Inject(Stranger, Hello(
            wrong == "name" ? "z" : "a",
            wrong == "run" ? UInt128.One : UInt128.Zero,
            new ResumePoint(
                right.Token ^ (wrong == "token" ? 1UL : 0UL), right.Epoch + (wrong == "epoch" ? 1UL : 0),
                right.Session + (wrong == "session" ? 1UL : 0),
                wrong == "behind" ? right.Grants - 2 : right.Grants + (wrong == "ahead" ? 1UL : 0),
                right.Names + (wrong == "names" ? 1 : 0))));
        Advance(run, 7);

        Assert.That(RefusalTo(run, Stranger), Is.EqualTo(expected));
        Assert.That(run.Server.Refusals, Is.EqualTo(1));
        Assert.That(run["a"].Engine.Now, Is.EqualTo(new Tag(7, 0)));
    }

    [Test]
    public void A_session_that_is_taken_up_elsewhere_closes_its_former_link()
    {
        LinkedRun run = new(Config(CrashPolicy.Abort));
        run.Settle();
        long former = run["a"].Link;

        run.Cut(run["a"], isNoticed: false);
        run.Settle();
        run.Server.HandleLinkLost(former, run.Now);

        Assert.That(run.Closed, Is.EqualTo(new[] { former }));
        Assert.That(run.Server.Phase, Is.EqualTo(RunPhase.Running));
        Assert.That(run.Server.Counters.SessionsResumed, Is.EqualTo(1));
    }

    // S2: told its session is over before anything it says is looked at, its own commit included.
    [Test]
    public void Who_was_taken_out_is_told_that_its_session_is_over_whatever_it_says()
    {
        LinkedRun run = new(Config(CrashPolicy.Resign));
        run.Settle();
        Advance(run, 5);
        run.Drop(run["a"]);

        run["a"].Engine.TryResume();
        run.Settle();

        Assert.That(run["a"].Engine.Error, Is.EqualTo(SequencingError.StaleEpoch));
        Assert.That(run.Server.Members.Find("a")!.Session, Is.EqualTo(2));
    }

    [Test]
    public void H84_the_others_go_on_without_a_killed_member_and_its_half_received_commit_is_dropped_whole()
    {
        LinkedRun run = new(Config(CrashPolicy.Resign));
        run.Settle();
        run["a"].Engine.TryTakeGrant(out _);
        run["a"].Engine.Publish("x", "whole"u8, 3);
        run["a"].Engine.Flush();
        run.Settle();
        run["a"].Engine.Publish("x", "half"u8, 4);
        run["a"].Engine.Request(AdvanceMode.To, 50);
        run["b"].Engine.TryTakeGrant(out _);
        run["b"].Engine.Request(AdvanceMode.To, 9);
        run.MoveUp(run["b"]);

        run.Drop(run["a"]);
        run.MoveDown(run["b"]);
        run["b"].Engine.TryTakeGrant(out Grant grant);

        Assert.That(grant.Tag, Is.EqualTo(new Tag(9, 0)));
        Assert.That(grant.Messages.Select(message => message.Payload.ToArray()), Is.EqualTo(new[] { "whole"u8.ToArray() }));
        Assert.That(run.Server.IsInfluenced, Is.True);
    }

    [Test]
    public void H84_the_run_waits_for_a_killed_member_and_goes_on_when_it_is_back()
    {
        LinkedRun run = new(Config(CrashPolicy.Stall));
        run.Settle();
        run["b"].Engine.TryTakeGrant(out _);
        run["b"].Engine.Request(AdvanceMode.To, 9);
        run.Settle();

        run.Drop(run["a"]);
        run.Settle();
        string? blocker = run.Server.BlockedBy("b");
        run["a"].Engine.TryResume();
        run.Settle();
        Advance(run, 20);

        Assert.That(blocker, Is.EqualTo("a"));
        Assert.That(run["b"].Engine.Now, Is.EqualTo(new Tag(9, 0)));
        Assert.That(run.Server.IsInfluenced, Is.False);
    }

    [Test]
    public void H84_a_run_that_must_not_lose_a_member_ends_with_a_report()
    {
        LinkedRun run = new(Config(CrashPolicy.Abort));
        run.Settle();
        run["b"].Engine.TryTakeGrant(out _);
        run["b"].Engine.Request(AdvanceMode.To, 9);
        run.Settle();
        run["b"].Engine.TryTakeGrant(out _);

        run.Drop(run["a"]);
        run.Settle();

        Assert.That(run.Server.Phase, Is.EqualTo(RunPhase.Aborted));
        Assert.That(run["b"].Engine.Error, Is.EqualTo(SequencingError.Stopped));
        Assert.That(run.Server.Run.AbortReport, Does.Contain("\"a\" was lost"));
        Assert.That(run.Server.Run.AbortReport, Does.Contain($"{run["b"].Engine.Digest:x16}"));
        Assert.That(run.Server.Run.AbortReport, Does.Contain("because of \"a\""));
    }

    [TestCase(CrashPolicy.Resign)]
    [TestCase(CrashPolicy.Abort)]
    public void A_member_that_a_debugger_stops_is_slow_and_not_dead(CrashPolicy policy)
    {
        LinkedRun run = new(Config(policy));
        run.Settle();

        run["a"].Engine.Suspend(true);
        run.Settle();
        run.Cut(run["a"]);
        run.Settle();
        run["a"].Engine.Suspend(false);
        run.Settle();

        Assert.That(run.Server.Phase, Is.EqualTo(RunPhase.Running));
        Assert.That(run.Server.IsInfluenced, Is.False);
        Assert.That(
            run.Server.ExternalFacts.Select(fact => fact.Kind),
            Is.EqualTo(new[]
            {
                ExternalFactKind.Suspended, ExternalFactKind.Lost, ExternalFactKind.Continued, ExternalFactKind.Resumed,
                ExternalFactKind.Suspended, ExternalFactKind.Continued,
            }));
    }

    // The debugger stopped the process that died, not the one that goes on.
    [TestCase(true)]
    [TestCase(false)]
    public void A_process_that_comes_back_without_a_debugger_is_not_suspended_any_more(bool hasTicket)
    {
        LinkedRun run = new(Config(CrashPolicy.Resign));
        run.Settle();
        ResumeTicket ticket = run["a"].Engine.CreateTicket();
        run["a"].Engine.Suspend(true);
        run.Settle();

        if (hasTicket)
        {
            run.Restart(run["a"], ticket);
        }
        else
        {
            run.Drop(run["a"]);
            run.Join(MemberOptions.From(run.Config, "a", run.Layout.ConfigHash));
        }

        run.Settle();
        run.Drop(run["a"]);

        Assert.That(run.Server.Members.Find("a")!.Life, Is.EqualTo(MemberLife.Resigned));
    }

    [Test]
    public void A_hello_with_three_mistakes_is_told_all_of_them()
    {
        LinkedRun run = new(Config(CrashPolicy.Stall), "a");

        LinkedMember wrong = run.Join(new MemberOptions("a")
        {
            Publish = ["x"],
            Subscribe = ["other"],
            Lookahead = Delay.Ticks(7),
            Join = new Tag(3, 0),
        });
        run.Settle();

        Assert.That(wrong.Engine.Error, Is.EqualTo(SequencingError.ConfigMismatch));
        Assert.That(
            wrong.Engine.ErrorDetail,
            Does.Contain("look-ahead").And.Contain("join").And.Contain("channels").And.Contain("roles"));
    }

    [Test]
    public void Every_truncation_of_a_resumption_is_refused_once_and_changes_nothing()
    {
        LinkedRun run = new(Config(CrashPolicy.Stall));
        run.Settle();
        Advance(run, 5);
        byte[] whole = Hello("a", 0, run["a"].Engine.CreateTicket().Session);

        for (int length = 1; length < whole.Length; length++)
        {
            run.Inject(Stranger, whole[..length]);
            Assert.That(run.Server.Refusals, Is.EqualTo(length), $"cut to {length}");
        }

        Assert.That(run.Server.Counters.SessionsResumed, Is.Zero);
        Assert.That(run.Server.Run.ExternalFacts, Is.Empty);
    }

    [Test]
    public void A_resumption_that_is_repeated_on_its_link_is_refused()
    {
        LinkedRun run = new(Config(CrashPolicy.Stall));
        run.Settle();
        byte[] hello = Hello("a", 0, run["a"].Engine.CreateTicket().Session);

        run.Inject(Stranger, hello);
        run.Inject(Stranger, hello);

        Assert.That(run.Server.Counters.SessionsResumed, Is.EqualTo(1));
        Assert.That(run.Server.Refusals, Is.EqualTo(1));
    }

    [Test]
    public void Tokens_come_from_the_secret_source_and_differ_from_session_to_session()
    {
        LinkedRun run = new(Config(CrashPolicy.Stall));
        run.Settle();

        UInt128[] tokens = [.. run.Server.Members.All.ToArray().Select(member => member.Token)];

        Assert.That(tokens, Is.Unique);
        Assert.That(tokens, Has.None.EqualTo(default(UInt128)));
    }

    // S-A9: a new run knows nothing of the one before.
    [Test]
    public void S_A9_a_ticket_of_another_run_is_refused()
    {
        LinkedRun before = new(Config(CrashPolicy.Stall));
        before.Settle();
        ResumePoint old = before["a"].Engine.CreateTicket().Session;
        LinkedRun run = new(Config(CrashPolicy.Stall), "a");

        run.Inject(Stranger, Hello("a", 0, old));

        Assert.That(RefusalTo(run, Stranger), Is.EqualTo(SequencingError.StaleEpoch));
    }

    private static void Advance(LinkedRun run, long time)
    {
        run["a"].Engine.TryTakeGrant(out _);
        run["a"].Engine.Request(AdvanceMode.To, new Tag(time, 0));
        run.Settle();
        run["a"].Engine.TryTakeGrant(out _);
    }

    private static byte[] Hello(string name, UInt128 runId, in ResumePoint resume)
    {
        FrameWriter writer = new();
        new HelloFrame { Name = name, RunId = runId, Resume = resume }.Write(writer);
        return writer.Written.ToArray();
    }

    private static SequencingError RefusalTo(LinkedRun run, long link)
    {
        FrameReader reader = new(run.SentTo(link).Last());
        Assert.That(Frame.TryNext(ref reader, out Frame frame) && frame.Type == FrameType.Reject, Is.True);
        Assert.That(RefusalFrame.TryRead(frame.Body, out RefusalFrame refusal), Is.True);
        return refusal.Error;
    }

    private static SequencingConfig Config(CrashPolicy policy) => new()
    {
        Roster =
        [
            new("a") { Publish = ["x"], Lookahead = Delay.Ticks(1), CrashPolicy = policy },
            new("b") { Subscribe = ["x"] },
        ],
    };
}
