using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using Gudp.Tests.Sequencing.Joining;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Watching;

/// <summary>Senders wait for receivers that are full, and nothing else changes (lock-time section 15).</summary>
[TestFixture]
public sealed class FlowControlTests
{
    // Goal: limits of a message or two deadlock nothing and leave the history as it is. Method: random systems, the same
    // with and without limits, over several schedules; nobody may ever stop moving.
    [Test]
    public void Tiny_limits_change_neither_the_history_nor_let_a_run_stand_still([Range(1, 60)] int seed)
    {
        SequencingConfig free = DeterminismTests.Draw(new Prng((ulong)seed));
        SequencingConfig tight = new()
        {
            Roster = free.Roster,
            Channels = free.Channels,
            InboxLimit = new InboxLimit(1 + (seed % 3), 1 << 20),
        };
        string history = DeterminismTests.Play(free, (ulong)seed, DeterminismTests.RandomTurns(free), scheduleSeed: 1);

        for (ulong schedule = 1; schedule <= 4; schedule++)
        {
            string limited = DeterminismTests.Play(
                tight, (ulong)seed, DeterminismTests.RandomTurns(tight), schedule);
            Assert.That(limited, Is.EqualTo(history));
        }
    }

    [Test]
    public void S_B8_a_fast_sender_within_the_limit_runs_alone_to_its_end()
    {
        const int Steps = 8_001;
        SingleProcessRun run = Started(new InboxLimit(Steps + 1, 1 << 24));
        MemberEngine sender = run["s"];
        MemberEngine receiver = run["r"];

        for (int step = 1; step <= Steps; step++)
        {
            Publish(sender, step);
            Assert.That(AskTo(run, sender, step), $"Step {step} is granted at once.");
        }

        sender.Resign();
        List<Tag> grants = [];

        do
        {
            receiver.Request(AdvanceMode.Next, 10_000);
            run.Settle();
            Assert.That(receiver.TryTakeGrant(out Grant grant));
            Assert.That(grant.Messages.All(message => BitConverter.ToInt64(message.Payload.Span) == grant.Tag.Time));
            grants.Add(grant.Tag);
        }
        while (grants[^1] != 10_000);

        Assert.That(grants, Is.EqualTo(Enumerable.Range(1, Steps).Append(10_000).Select(time => (Tag)time)));
    }

    // (a): the receiver computes.
    [Test]
    public void A_sender_waits_for_a_full_receiver_that_computes()
    {
        SingleProcessRun run = Started(new InboxLimit(2, 1 << 20));
        Publish(run["s"], 5, 6, 7);

        bool isGranted = AskTo(run, run["s"], 10);
        WaitReport report = run.Server.WhoBlocks("s", Instant.Never)!;

        Assert.That(isGranted, Is.False);
        Assert.That(report.Links.Select(link => (link.Member, link.Kind)), Is.EqualTo(new[]
        {
            ("s", WaitKind.Withheld), ("r", WaitKind.FlowControl),
        }));
    }

    [Test]
    public void A_receiver_that_drains_lets_its_sender_go_in_the_same_turn()
    {
        SingleProcessRun run = Started(new InboxLimit(2, 1 << 20));
        Publish(run["s"], 5, 6, 7);
        AskTo(run, run["s"], 10);

        bool receiver = AskTo(run, run["r"], 6);
        bool sender = run["s"].TryTakeGrant(out Grant grant);

        Assert.That((receiver, sender), Is.EqualTo((true, true)));
        Assert.That((grant.Tag, grant.WaitedFor, grant.WaitedBecause),
            Is.EqualTo(((Tag)10, "r", WaitKind.FlowControl)));
    }

    // (b): the receiver waits for a smaller grant, which another sender holds; its root is the root.
    [Test]
    public void A_sender_waits_for_a_full_receiver_whose_grant_comes_first()
    {
        SingleProcessRun run = new(new SequencingConfig
        {
            Roster =
            [
                new MemberDeclaration("o") { Publish = ["x"] },
                new MemberDeclaration("r") { Subscribe = ["x"], InboxLimit = new InboxLimit(1, 1 << 20) },
                new MemberDeclaration("s") { Publish = ["x"] },
            ],
        });
        TakeStart(run);
        Publish(run["s"], 5, 6, 7);

        bool receiver = AskTo(run, run["r"], 6);
        bool sender = AskTo(run, run["s"], 10);
        WaitReport report = run.Server.WhoBlocks("s", Instant.Never)!;
        bool other = AskTo(run, run["o"], 20);

        Assert.That((receiver, sender, other), Is.EqualTo((false, false, true)));
        Assert.That(run["r"].TryTakeGrant(out _) && run["s"].TryTakeGrant(out _), "With its root all of the chain goes.");
        Assert.That(report.Links.Select(link => (link.Member, link.Kind)), Is.EqualTo(new[]
        {
            ("s", WaitKind.Withheld), ("r", WaitKind.HeldBack), ("o", WaitKind.Running),
        }));
    }

    [Test]
    public void A_receiver_that_waits_for_a_later_grant_withholds_nobody()
    {
        SingleProcessRun run = Started(new InboxLimit(1, 1 << 20));
        Publish(run["s"], 5, 6, 7);

        bool receiver = AskTo(run, run["r"], 20);
        bool sender = AskTo(run, run["s"], 10);

        Assert.That((receiver, sender), Is.EqualTo((false, true)));
    }

    // Clause: it may never come, and the run may stop before its join.
    [Test]
    public void A_full_receiver_that_is_still_to_come_withholds_nobody_below_its_join()
    {
        LinkedRun run = new(
            new SequencingConfig
            {
                Roster =
                [
                    new MemberDeclaration("late") { Subscribe = ["x"], Join = 50, InboxLimit = new InboxLimit(1, 1 << 20) },
                    new MemberDeclaration("s") { Publish = ["x"] },
                ],
            },
            "late");
        run.Settle();
        MemberEngine sender = run["s"].Engine;
        sender.TryTakeGrant(out _);
        Publish(sender, 60, 61, 62);
        List<bool> granted = [];

        foreach (long time in (long[])[10, 50, 51])
        {
            sender.Request(AdvanceMode.To, time);
            run.Settle();
            granted.Add(sender.TryTakeGrant(out _));
        }

        Assert.That(granted, Is.EqualTo(new[] { true, true, false }));
        Assert.That(run.Server.WhoBlocks("s", Instant.Never)!.Root.Member, Is.EqualTo("late"));
    }

    // H94: one that only publishes is refused at the hard limit; what it can make the server hold is bounded by it.
    [Test]
    public void H94_a_member_that_floods_and_never_asks_is_refused_at_the_hard_limit()
    {
        const int Payload = 60_000;
        SequencingConfig config = Config(new InboxLimit(4, 1 << 20), maxInboxBytes: 1 << 20);
        SingleProcessRun run = new(config);
        TakeStart(run);
        byte[] payload = new byte[Payload];
        int commits = 0;

        while (run["s"].Error == SequencingError.None && commits < 1_000)
        {
            run["s"].Publish("x", payload, null);
            run["s"].Flush();
            run.Settle();
            commits++;
        }

        Assert.That(run["s"].Error, Is.EqualTo(SequencingError.InboxLimit));
        Assert.That(run.Server.Members.Find("r")!.Inbox.Bytes, Is.InRange(1, config.MaxInboxBytes));
        Assert.That(run.Server.Refusals, Is.EqualTo(1));
    }

    private static SingleProcessRun Started(InboxLimit limit)
    {
        SingleProcessRun run = new(Config(limit));
        TakeStart(run);
        return run;
    }

    private static SequencingConfig Config(InboxLimit limit, long maxInboxBytes = 1 << 24) => new()
    {
        Roster =
        [
            new MemberDeclaration("s") { Publish = ["x"] },
            new MemberDeclaration("r") { Subscribe = ["x"] },
        ],
        InboxLimit = limit,
        MaxPayloadBytes = 64 << 10,
        MaxInboxBytes = maxInboxBytes,
    };

    private static void TakeStart(SingleProcessRun run)
    {
        run.Settle();
        run.Members.ForEach(member => member.TryTakeGrant(out _));
    }

    private static void Publish(MemberEngine sender, params long[] at)
    {
        foreach (long time in at)
        {
            Assert.That(sender.Publish("x", BitConverter.GetBytes(time), time), Is.EqualTo(SequencingError.None));
        }
    }

    private static bool AskTo(SingleProcessRun run, MemberEngine member, long time)
    {
        member.Request(AdvanceMode.To, time);
        run.Settle();
        return member.TryTakeGrant(out _);
    }
}
