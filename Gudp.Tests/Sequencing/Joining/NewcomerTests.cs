using System.Text;
using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Joining;

/// <summary>Who comes from outside the roster takes no power that the roster did not give, and touches nobody's past.</summary>
[TestFixture]
public sealed class NewcomerTests
{
    [Test]
    public void The_news_of_one_that_comes_early_and_only_listens_arrives_after_all_that_was_granted()
    {
        LinkedRun run = new(Config());
        run.Settle();
        Ask(run, "send", 100);
        Ask(run, "hear", 90);

        run.Join(new MemberOptions("late") { Subscribe = ["x"], Sends = false, JoinEarliest = true });
        run.Settle();
        Ask(run, "late", 200);
        Ask(run, "send", 200);
        Ask(run, "hear", 190);

        run["hear"].Engine.TryTakeGrant(out Grant grant);
        SequencedMessage news = grant.Messages.Single();
        Assert.That(SystemEvent.TryRead(in news, out SystemEvent joined), Is.True);
        Assert.That(joined.Kind, Is.EqualTo(SystemEventKind.Joined));
        Assert.That(news.Arrival, Is.GreaterThan(new Tag(90, 0)));
    }

    [TestCase(true, false)]
    [TestCase(false, true)]
    public void Who_comes_early_can_neither_stop_the_run_nor_admit_others(bool mayStop, bool maySponsor)
    {
        LinkedRun run = new(Config());
        run.Settle();

        LinkedMember late = run.Join(new MemberOptions("late")
        {
            Publish = ["x"],
            MayStop = mayStop,
            MaySponsor = maySponsor,
            JoinEarliest = true,
        });
        run.Settle();

        Assert.That(late.Engine.Error, Is.EqualTo(SequencingError.NotDeclared));
        Assert.That(run.Server.Members.Count, Is.EqualTo(2));
    }

    // A library says no such thing; whoever writes frames does.
    [TestCase("", 1UL, 1, "x")]
    [TestCase("late", 1UL | 64, 1, "x")]
    [TestCase("late", 1UL, 1, "y x")]
    [TestCase("late", 1UL, 1, "x x")]
    [TestCase("late", 1UL, 32, "x")]
    [TestCase("late", 1UL, 1, SystemEvent.Channel)]
    [TestCase("late", 1UL, 1, "x", 0)]
    public void A_hello_that_no_roster_could_have_is_refused(
        string name, ulong flags, int bits, string channels, int rounds = 1)
    {
        const long Link = 900;
        LinkedRun run = new(Config());
        run.Settle();
        FrameWriter writer = new();
        new HelloFrame
        {
            Name = name,
            Flags = flags,
            Lookahead = Delay.Rounds((uint)rounds),
            Join = JoinKind.Earliest,
            Interests = [.. channels.Split(' ').Select(one => new DeclaredInterest(one, (InterestBits)bits, BufferPolicy.All))],
        }.Write(writer);

        run.Inject(Link, writer.Written.ToArray());

        FrameReader reader = new(run.SentTo(Link).Single());
        Assert.That(Frame.TryNext(ref reader, out Frame frame) && frame.Type == FrameType.Reject, Is.True);
        Assert.That(RefusalFrame.TryRead(frame.Body, out RefusalFrame refusal), Is.True);
        Assert.That(refusal.Error, Is.EqualTo(SequencingError.NotDeclared));
        Assert.That(run.Server.Members.Count, Is.EqualTo(2));
    }

    [Test]
    public void Only_a_sponsor_has_the_system_channel_to_publish_on()
    {
        LinkedRun run = new(Config());
        run.Settle();

        LinkedMember late = run.Join(new MemberOptions("late") { Publish = [SystemEvent.Channel], JoinEarliest = true });
        run.Settle();

        Assert.That(late.Engine.Error, Is.EqualTo(SequencingError.NotDeclared));
    }

    [Test]
    public void Who_comes_early_keeps_of_a_batch_what_it_declared_and_may_look_into_its_inbox()
    {
        LinkedRun run = new(Config());
        run.Settle();
        LinkedMember late = run.Join(new MemberOptions("late")
        {
            Subscribe = ["x"],
            Sends = false,
            MayPeek = true,
            JoinEarliest = true,
            Policies = { ["x"] = BufferPolicy.Latest },
        });
        run.Settle();
        run["send"].Engine.TryTakeGrant(out _);
        run["send"].Engine.Publish("x", "first"u8, new Tag(10, 0));
        run["send"].Engine.Publish("x", "second"u8, new Tag(20, 0));
        Ask(run, "send", 100);

        Ask(run, "late", 50);

        Assert.That(late.Engine.Error, Is.EqualTo(SequencingError.None), late.Engine.ErrorDetail);
        late.Engine.TryTakeGrant(out Grant grant);
        Assert.That(
            grant.Messages.Select(message => Encoding.UTF8.GetString(message.Payload.Span)),
            Is.EqualTo(new[] { "second" }));
        Assert.That(run.Server.Members[2].Layout.MayPeek, Is.True);
    }

    [Test]
    public void Newcomers_cannot_name_channels_without_end()
    {
        LinkedRun run = new(Config());
        run.Settle();
        SequencingError error = SequencingError.None;

        for (int member = 0; member < 5 && error == SequencingError.None; member++)
        {
            MemberOptions options = new($"late{member}") { Sends = false, JoinEarliest = true };

            for (int channel = 0; channel < 20_000; channel++)
            {
                options.Publish.Add($"{member}/{channel}");
            }

            LinkedMember late = run.Join(options);
            run.Settle();
            error = late.Engine.Error;
        }

        Assert.That(error, Is.EqualTo(SequencingError.TooLarge));
        Assert.That(run.Server.Run.Channels.Count, Is.LessThanOrEqualTo(65_536));
    }

    [Test]
    public void A_run_that_stops_before_somebody_could_join_ends_without_it()
    {
        SequencingConfig config = new()
        {
            Roster =
            [
                new("a") { Publish = ["x"], MayStop = true, Lookahead = Delay.Ticks(1) },
                new("z") { Subscribe = ["x"], Join = new Tag(500, 0) },
            ],
        };
        LinkedRun run = new(config, "z");
        run.Settle();
        run["a"].Engine.TryTakeGrant(out _);
        run["a"].Engine.StopAt(new Tag(100, 0));
        Ask(run, "a", 1000);

        run["a"].Engine.TryTakeGrant(out Grant final);
        run["a"].Engine.Resign();
        run.Settle();

        Assert.That(final.IsFinal, Is.True);
        Assert.That(run.Server.Phase, Is.EqualTo(RunPhase.Ended));
    }

    [Test]
    public void The_holder_of_a_name_that_waits_for_the_very_tag_of_an_admission_is_not_waited_for()
    {
        LinkedRun run = new(Sponsored());
        run.Settle();
        run["up"].Engine.TryTakeGrant(out _);
        run["up"].Engine.Admit(new("hear") { Subscribe = ["x"], Join = new Tag(50, 0) });
        Ask(run, "up", 100);
        Ask(run, "send", 100);

        Ask(run, "hear", 50);

        Assert.That(run["hear"].Engine.TryTakeGrant(out Grant grant), Is.True);
        Assert.That(grant.Tag, Is.EqualTo(new Tag(50, 0)));
        Assert.That(run.Server.Counters.AdmissionsRefused, Is.EqualTo(1));
    }

    // A stop reaches everybody, a sponsor only those who receive: others may be past the join already.
    [Test]
    public void Nobody_is_admitted_with_the_power_to_stop_the_run()
    {
        LinkedRun run = new(Sponsored());
        run.Settle();
        run["up"].Engine.TryTakeGrant(out _);

        SequencingError error = run["up"].Engine.Admit(
            new("new") { Publish = ["x"], MayStop = true, Join = new Tag(50, 0) });

        Assert.That(error, Is.EqualTo(SequencingError.NotDeclared));
    }

    private static void Ask(LinkedRun run, string name, long time)
    {
        run[name].Engine.TryTakeGrant(out _);
        run[name].Engine.Request(AdvanceMode.To, new Tag(time, 0));
        run.Settle();
    }

    private static SequencingConfig Config() => new()
    {
        AdmitsEarliest = true,
        Roster =
        [
            new("send") { Publish = ["x"], Lookahead = Delay.Ticks(1) },
            new("hear") { Subscribe = ["x", SystemEvent.Channel], Sends = false },
        ],
    };

    private static SequencingConfig Sponsored() => new()
    {
        Roster =
        [
            new("up") { Publish = ["y"], MaySponsor = true, Lookahead = Delay.Ticks(1) },
            new("send") { Publish = ["x"], Lookahead = Delay.Ticks(1) },
            new("hear") { Subscribe = ["x"], Sends = false },
        ],
    };
}
