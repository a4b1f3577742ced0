using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Joining;

/// <summary>Members that are in no roster: by a sponsor, and as early as possible (lock-time 8.2, clause ).</summary>
[TestFixture]
public sealed class AdmissionTests
{
    // TransientDownstreamWithTimer: who listens is never held by the one that is gone, and sees it come twice.
    [Test]
    public void S_C10_a_member_that_resigned_is_admitted_again_and_the_listener_sees_both_joins()
    {
        HashSet<string> histories = [];

        for (int delay = 0; delay < 12; delay++)
        {
            histories.Add(PlayTransient(delay));
        }

        Assert.That(histories, Has.Count.EqualTo(1), string.Join('\n', histories));
        Assert.That(histories.Single(), Does.StartWith("timers 6 joins 2 values 5 "));
    }

    [Test]
    public void Who_is_admitted_gets_what_arrives_after_its_join_also_if_it_was_published_before()
    {
        LinkedRun run = new(Config());
        run.Settle();
        run["other"].Engine.TryTakeGrant(out _);
        run["other"].Engine.Publish("x", "far"u8, 60);
        Ask(run, "other", 40);
        run["up"].Engine.Admit(Newcomer("new", 50));
        Ask(run, "up", 55);

        LinkedMember late = run.Join(Options(Newcomer("new", 50)));
        Ask(run, "other", 59);
        run.Settle();
        Ask(run, "new", 60);
        Ask(run, "other", 70);
        Ask(run, "up", 70);

        Assert.That(late.Engine.Error, Is.EqualTo(SequencingError.None), late.Engine.ErrorDetail);
        Assert.That(late.Engine.TryTakeGrant(out Grant grant), Is.True);
        Assert.That(grant.Messages.Select(message => message.Arrival), Is.EqualTo(new[] { new Tag(60, 0) }));
        Assert.That(late.Engine.Ordinal, Is.EqualTo(3));
    }

    [Test]
    public void Ordinals_of_the_admitted_follow_by_join_tag_and_name()
    {
        LinkedRun run = new(Config());
        run.Settle();
        run["up"].Engine.TryTakeGrant(out _);
        run["up"].Engine.Admit(Newcomer("zeta", 50));
        run["up"].Engine.Admit(Newcomer("beta", 60));
        run["up"].Engine.Admit(Newcomer("alpha", 60));

        Ask(run, "up", 100);

        Assert.That(
            run.Server.Members.All.ToArray().Select(member => member.Name),
            Is.EqualTo(new[] { "down", "other", "up", "zeta", "alpha", "beta" }));
    }

    // Rule zero: whose commit came first by the wall is nothing that a member may become.
    [TestCase(null)]
    [TestCase(7UL)]
    public void Of_two_admissions_of_one_name_and_tag_the_first_in_the_order_of_the_run_counts(ulong? tieSeed)
    {
        string[] here = PlayTwoSponsors(tieSeed, "up", "vice");
        string[] there = PlayTwoSponsors(tieSeed, "vice", "up");

        Assert.That(there, Is.EqualTo(here));
        Assert.That(here[^1], Is.EqualTo("refused 1"));
        Assert.That(here[^2], Is.EqualTo("new hears " + here[0].Split(' ')[0]), "The first that was heard of.");
    }

    [Test]
    public void A_name_in_use_makes_an_admission_come_to_nothing()
    {
        LinkedRun run = new(Config());
        run.Settle();
        run["up"].Engine.TryTakeGrant(out _);
        run["up"].Engine.Admit(Newcomer("other", 50));
        Ask(run, "up", 100);

        Ask(run, "other", 80);

        Assert.That(run.Server.Counters.AdmissionsRefused, Is.EqualTo(1));
        Assert.That(run.Server.Members.Count, Is.EqualTo(3));
    }

    // The holder of the name may still resign before the join: everything waits for that, and then it is free.
    [Test]
    public void An_admission_waits_for_the_fate_of_its_name_and_so_does_everybody()
    {
        LinkedRun run = new(Config());
        run.Settle();
        run["up"].Engine.TryTakeGrant(out _);
        run["up"].Engine.Admit(Newcomer("other", 50));
        Ask(run, "up", 100);
        Ask(run, "down", 60);

        Tag before = run["down"].Engine.Now;
        WaitReport? wait = run.Server.WhoBlocks("down", run.Now);
        run["other"].Engine.TryTakeGrant(out _);
        run["other"].Engine.Resign();
        run.Settle();

        Assert.That(before, Is.EqualTo(Tag.Zero));
        Assert.That(wait!.Links.Select(link => (link.Member, link.Kind)), Is.EqualTo(new[]
        {
            ("down", WaitKind.HeldBack), ("other", WaitKind.Running),
        }));
        Assert.That(run.Server.Counters.AdmissionsRefused, Is.Zero);
        Assert.That(run.Server.Members.Count, Is.EqualTo(4));
    }

    [Test]
    public void Another_declaration_than_the_admitted_one_is_refused()
    {
        LinkedRun run = new(Config());
        run.Settle();
        run["up"].Engine.TryTakeGrant(out _);
        run["up"].Engine.Admit(Newcomer("new", 50));
        Ask(run, "up", 100);

        LinkedMember other = run.Join(new MemberOptions("new") { Subscribe = ["x"], Join = new Tag(50, 0) });
        run.Settle();

        Assert.That(other.Engine.Error, Is.EqualTo(SequencingError.ConfigMismatch));
    }

    // a member need not know when its admission becomes final.
    [Test]
    public void Who_comes_before_its_admission_is_decided_waits_for_it()
    {
        LinkedRun run = new(Config());
        run.Settle();
        LinkedMember early = run.Join(Options(Newcomer("new", 50)));
        run.Settle();
        SequencingError before = early.Engine.Error;

        run["up"].Engine.TryTakeGrant(out _);
        run["up"].Engine.Admit(Newcomer("new", 50));
        Ask(run, "up", 100);
        Ask(run, "other", 100);

        Assert.That(before, Is.EqualTo(SequencingError.None));
        Assert.That(early.Engine.TryTakeGrant(out Grant grant), Is.True, early.Engine.ErrorDetail);
        Assert.That(grant.Tag, Is.EqualTo(new Tag(50, 0)));
        Assert.That(run.Server.Refusals, Is.Zero);
    }

    [TestCase("sponsor leaves")]
    [TestCase("sponsor is past the tag")]
    [TestCase("name was given to another")]
    public void Who_waits_for_an_admission_that_cannot_come_any_more_is_told(string why)
    {
        LinkedRun run = new(Config());
        run.Settle();
        LinkedMember early = run.Join(Options(Newcomer("new", 50)));
        run.Settle();
        run["up"].Engine.TryTakeGrant(out _);

        if (why == "sponsor leaves")
        {
            run["up"].Engine.Resign();
            run.Settle();
        }
        else if (why == "sponsor is past the tag")
        {
            Ask(run, "up", 100);
        }
        else
        {
            run["up"].Engine.Admit(Newcomer("new", 40));
            Ask(run, "up", 100);
        }

        Assert.That(
            early.Engine.Error,
            Is.EqualTo(why[0] == 's' ? SequencingError.NotDeclared : SequencingError.ConfigMismatch));
    }

    [Test]
    public void Hellos_of_strangers_that_wait_are_limited_and_gone_with_their_links()
    {
        LinkedRun run = new(Config());
        run.Settle();

        for (int i = 0; i < HeldHellos.MaxHellos + 10; i++)
        {
            LinkedMember stranger = run.Join(Options(Newcomer($"s{i}", 50)));
            run.MoveUp(stranger);
        }

        long over = run.Server.Refusals;
        run.Drop(run["s0"]);
        run.MoveUp(run.Join(Options(Newcomer("next", 50))));

        Assert.That((over, run.Server.Refusals), Is.EqualTo((10, 10)));
        Assert.That(run.Server.Counters.Refused(SequencingError.NotDeclared), Is.EqualTo(10));
    }

    [Test]
    public void Only_a_sponsor_admits_and_only_where_it_may_publish()
    {
        LinkedRun run = new(Config());
        run.Settle();

        run["up"].Engine.TryTakeGrant(out _);
        run["other"].Engine.TryTakeGrant(out _);

        Assert.That(run["other"].Engine.Admit(Newcomer("new", 50)), Is.EqualTo(SequencingError.NotDeclared));
        Assert.That(run["up"].Engine.Admit(Newcomer("new", 0)), Is.EqualTo(SequencingError.LookaheadViolation));
        Assert.That(
            run["up"].Engine.Publish(SystemEvent.Channel, "raw"u8, null), Is.EqualTo(SequencingError.NotDeclared));
    }

    [Test]
    public void Who_comes_as_early_as_possible_changes_nobodys_past_and_is_recorded()
    {
        LinkedRun run = new(Config(earliest: true));
        run.Settle();
        Ask(run, "up", 30);
        Ask(run, "other", 30);
        Ask(run, "down", 20);

        LinkedMember early = run.Join(new MemberOptions("early")
        {
            Publish = ["x", "brand new"],
            Subscribe = ["x"],
            Lookahead = Delay.Ticks(3),
            JoinEarliest = true,
        });
        run.Settle();

        Assert.That(early.Engine.Error, Is.EqualTo(SequencingError.None), early.Engine.ErrorDetail);
        Assert.That(early.Engine.Now + Delay.Ticks(3), Is.GreaterThan(run["down"].Engine.Now));
        Assert.That(early.Engine.EarliestPublication, Is.GreaterThan(run["down"].Engine.Now));
        Assert.That(
            run.Server.ExternalFacts[^1],
            Is.EqualTo(new ExternalFact(ExternalFactKind.JoinedEarliest, "early", early.Engine.Now)));
        Assert.That(run.Server.IsInfluenced, Is.True);

        early.Engine.TryTakeGrant(out _);
        Assert.That(early.Engine.Publish("x", "hello"u8, null), Is.EqualTo(SequencingError.None));
        Assert.That(early.Engine.Publish("brand new", "nobody hears it"u8, null), Is.EqualTo(SequencingError.None));
        Ask(run, "early", 90);
        Ask(run, "up", 90);
        Ask(run, "other", 90);
        Ask(run, "down", 80);
        run["down"].Engine.TryTakeGrant(out Grant grant);
        Assert.That(grant.Messages.Single().Sender, Is.EqualTo("early"));
    }

    [Test]
    public void A_closed_run_takes_nobody_besides_its_roster()
    {
        LinkedRun run = new(Config());
        run.Settle();

        LinkedMember early = run.Join(new MemberOptions("early") { Publish = ["x"], JoinEarliest = true });
        run.Settle();

        Assert.That(early.Engine.Error, Is.EqualTo(SequencingError.NotDeclared));
    }

    /// <summary>The scenario of S-C10 with one of many timings: every so many turns the sponsor pauses.</summary>
    private static string PlayTransient(int delay)
    {
        LinkedRun run = new(new SequencingConfig
        {
            StopTag = new Tag(3000, 0),
            Roster =
            [
                new("up") { Publish = ["up"], MaySponsor = true, Lookahead = Delay.Ticks(1) },
                Mid(100),
                new("down") { Subscribe = ["mid"], SubscribeQuietly = [SystemEvent.Channel] },
            ],
        });
        (int timers, int joins, int values, int mids) = (0, 0, 0, 0);
        bool isAdmitted = false;

        for (int turn = 0; turn < 20_000 && run.Server.Phase != RunPhase.Ended; turn++)
        {
            foreach (LinkedMember member in run.Members.ToArray())
            {
                MemberEngine engine = member.Engine;
                bool isPaused = delay > 0 && (turn + engine.Name.Length) % (delay + 1) != 0;

                if (!isPaused && engine.TryTakeGrant(out Grant grant))
                {
                    foreach (SequencedMessage message in grant.Messages)
                    {
                        values += message.Channel == "mid" ? 1 : 0;
                        joins += SystemEvent.TryRead(in message, out SystemEvent news)
                            && news.Kind == SystemEventKind.Joined ? 1 : 0;
                    }

                    Step(run, engine, grant, ref mids, ref isAdmitted, ref timers);
                }

                run.MoveUp(member);
                run.MoveDown(member);
                Assert.That(engine.Error, Is.EqualTo(SequencingError.None), engine.ErrorDetail);
            }

            if (isAdmitted && run.Members.Count == 3 && run.Server.Members.Count == 4)
            {
                run.Join(Options(Mid(1000)));
            }
        }

        return $"timers {timers} joins {joins} values {values} digest {run.Server.RunDigest:x16}";
    }

    /// <summary>Both admit "new" at 50, each to hear a channel of its own name; their commits come in that order.</summary>
    private static string[] PlayTwoSponsors(ulong? tieSeed, string first, string second)
    {
        LinkedRun run = new(new SequencingConfig
        {
            TieSeed = tieSeed,
            Roster =
            [
                new("up") { Publish = ["up"], MaySponsor = true, Lookahead = Delay.Ticks(1) },
                new("vice") { Publish = ["vice"], MaySponsor = true, Lookahead = Delay.Ticks(1) },
                new("down") { SubscribeQuietly = [SystemEvent.Channel] },
            ],
        });
        run.Settle();

        foreach (string sponsor in (string[])[first, second])
        {
            run[sponsor].Engine.TryTakeGrant(out _);
            run[sponsor].Engine.Admit(
                new("new") { Subscribe = [sponsor], Join = new Tag(50, 0), Lookahead = Delay.Ticks(1) });
            Ask(run, sponsor, 100);
        }

        Ask(run, "down", 50);
        run["down"].Engine.TryTakeGrant(out Grant grant);
        Member taken = run.Server.Members.Find("new")!;
        return
        [
            .. grant.Messages.Select(message => $"{message.Sender} tells"),
            $"new hears {taken.Layout.Interests.Single().Name}",
            $"refused {run.Server.Counters.AdmissionsRefused}",
        ];
    }

    private static void Step(
        LinkedRun run, MemberEngine engine, Grant grant, ref int mids, ref bool isAdmitted, ref int timers)
    {
        if (grant.IsFinal)
        {
            engine.Resign();
            timers += engine.Name == "down" ? 1 : 0;
            return;
        }

        switch (engine.Name)
        {
            case "up":
                if (grant.Tag > Tag.Zero)
                {
                    engine.Publish("up", "tick"u8, null);
                }

                if (grant.Tag == new Tag(500, 0))
                {
                    engine.Admit(Mid(1000));
                    isAdmitted = true;
                }

                engine.Request(AdvanceMode.To, grant.Tag + Delay.Ticks(500));
                break;
            case "mid":
                mids += grant.Messages.Count;

                foreach (SequencedMessage _ in grant.Messages)
                {
                    engine.Publish("mid", "value"u8, null);
                }

                if (mids == 1 && grant.Tag < new Tag(1000, 0))
                {
                    engine.Resign();
                }
                else
                {
                    engine.Request(AdvanceMode.Next, Tag.Infinity);
                }

                break;
            default:
                bool isTimer = grant.Tag.Time % 500 == 0 && grant.Tag > Tag.Zero;
                timers += isTimer ? 1 : 0;
                engine.Request(AdvanceMode.Next, new Tag(((grant.Tag.Time / 500) + 1) * 500, 0));
                break;
        }
    }

    private static MemberDeclaration Mid(long join) => new("mid")
    {
        Publish = ["mid"],
        Subscribe = ["up"],
        Lookahead = Delay.Ticks(1),
        Join = new Tag(join, 0),
        CrashPolicy = CrashPolicy.Resign,
    };

    private static MemberDeclaration Newcomer(string name, long join)
        => new(name) { Publish = ["x"], Subscribe = ["x"], Lookahead = Delay.Ticks(2), Join = new Tag(join, 0) };

    private static MemberOptions Options(MemberDeclaration declaration) => new(declaration.Name)
    {
        Publish = declaration.Publish,
        Subscribe = declaration.Subscribe,
        Lookahead = declaration.Lookahead,
        Join = declaration.Join,
    };

    private static void Ask(LinkedRun run, string name, long time)
    {
        run[name].Engine.TryTakeGrant(out _);
        run[name].Engine.Request(AdvanceMode.To, new Tag(time, 0));
        run.Settle();
    }

    private static SequencingConfig Config(bool earliest = false) => new()
    {
        AdmitsEarliest = earliest,
        Roster =
        [
            new("up") { Publish = ["y"], MaySponsor = true, Lookahead = Delay.Ticks(1) },
            new("other") { Publish = ["x"], Lookahead = Delay.Ticks(1) },
            new("down") { Subscribe = ["x"] },
        ],
    };
}
