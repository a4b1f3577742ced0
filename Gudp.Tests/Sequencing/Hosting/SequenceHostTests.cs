using System.Text;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Hosting;

/// <summary>A run in one process: the same code, the same grants and digests as over the network, and never a hang.</summary>
[TestFixture]
public sealed class SequenceHostTests
{
    private const int Steps = 20;

    [Test]
    public void The_same_code_gives_the_same_digest_in_the_host_and_over_a_network()
    {
        SequencingConfig config = Ring(4);
        SequenceHost host = new(config);
        Array.ForEach([.. config.Roster], member => host.Add(member.Name, EchoAsync));

        bool hasEnded = host.Run();

        Assert.That(hasEnded, Is.True);
        Assert.That(host.Refusals, Is.Zero);
        Assert.That(host.RunDigest, Is.EqualTo(PlayOverNetwork(config)));
    }

    [Test]
    public void Two_runs_are_equal_and_another_order_of_adding_changes_nothing()
    {
        ulong[] digests = [.. new[] { "m0 m1 m2", "m0 m1 m2", "m2 m0 m1" }.Select(order =>
        {
            SequenceHost host = new(Ring(3));
            Array.ForEach(order.Split(' '), name => host.Add(name, EchoAsync));
            host.Run();
            return host.RunDigest;
        })];

        Assert.That(digests, Is.All.EqualTo(digests[0]));
    }

    [Test]
    public void A_member_played_by_hand_blocks_while_the_others_go_on()
    {
        SequenceHost host = new(Pair());
        List<string> heard = [];
        host.Add("lamp", async lamp =>
        {
            for (Grant grant = await lamp.NextAsync(100); !grant.Tag.Equals((Tag)100); grant = await lamp.NextAsync(100))
            {
                heard.AddRange(grant.Messages.Select(message => $"{message.Arrival} {message.Text}"));
            }
        });
        SequenceClient sensor = host.Join("sensor");

        sensor.WaitForGrant(Timeout.InfiniteTimeSpan);
        sensor.Publish("light", "on", at: 7);
        Grant grant = sensor.AdvanceTo(10, Timeout.InfiniteTimeSpan);
        bool before = host.Run();
        sensor.Resign(TimeSpan.Zero);
        bool after = host.Run();

        Assert.That(grant.Tag, Is.EqualTo((Tag)10));
        Assert.That(heard, Is.EqualTo(new[] { $"{(Tag)7} on" }));
        Assert.That((before, after), Is.EqualTo((false, true)));
    }

    [Test]
    public void The_pump_s_calls_work_turn_by_turn()
    {
        SequenceHost host = new(Pair());
        SequenceClient sensor = host.Join("sensor");
        SequenceClient lamp = host.Join("lamp");

        host.Turn();
        bool hasStarted = sensor.TryTakeGrant(out _) & lamp.TryTakeGrant(out _);
        lamp.RequestNext(50, new Grid(10));
        sensor.Publish("light", "on"u8, at: 7);
        sensor.RequestTo(30);
        host.Run();
        lamp.TryTakeGrant(out Grant? grant);

        Assert.That(hasStarted, Is.True);
        Assert.That(grant!.Tag, Is.EqualTo((Tag)10));
        Assert.That(grant.Messages, Has.Count.EqualTo(1));
    }

    [Test]
    public void H90_what_is_said_in_the_past_is_refused_with_what_is_allowed_and_changes_nothing()
    {
        SequenceHost host = new(Pair());
        SequenceClient sensor = host.Join("sensor");
        SequenceClient lamp = host.Join("lamp");
        sensor.WaitForGrant(Timeout.InfiniteTimeSpan);
        lamp.WaitForGrant(Timeout.InfiniteTimeSpan);
        sensor.AdvanceTo(10, Timeout.InfiniteTimeSpan);
        sensor.Publish("light", "good", at: 12);

        SequencingException? publication = Assert.Throws<SequencingException>(() => sensor.Publish("light", "bad", at: 9));
        SequencingException? request = Assert.Throws<SequencingException>(() => sensor.RequestTo(9));
        sensor.RequestTo(20);
        Grant grant = lamp.AdvanceTo(15, Timeout.InfiniteTimeSpan);

        Assert.That(publication!.Error, Is.EqualTo(SequencingError.LookaheadViolation));
        Assert.That(publication.Message, Does.Contain("'sensor' at 10").And.Contain("at 9: the earliest is (10,1)"));
        Assert.That(request!.Error, Is.EqualTo(SequencingError.PastTag));
        Assert.That(request.Message, Does.Contain("asking for To(9): the target is the last grant, 10, or later"));
        Assert.That(grant.Messages.Select(message => message.Text), Is.EqualTo(new[] { "good" }));
        Assert.That(host.Refusals, Is.Zero);
    }

    [Test]
    public void A_power_that_was_not_declared_is_named_in_the_refusal()
    {
        SequenceHost host = new(Pair());
        SequenceClient sensor = host.Join("sensor");
        host.Join("lamp");
        sensor.WaitForGrant(Timeout.InfiniteTimeSpan);

        (Action Call, string Power)[] calls =
        [
            (() => sensor.StopAt(50), "declared: MayStop."),
            (() => sensor.Peek(TimeSpan.Zero), "declared: MayPeek."),
            (() => sensor.Admit(new MemberDeclaration("new") { Join = 50 }), "declared: MaySponsor, and nobody"),
        ];

        foreach ((Action call, string power) in calls)
        {
            SequencingException? refusal = Assert.Throws<SequencingException>(() => call());
            Assert.That(refusal!.Error, Is.EqualTo(SequencingError.NotDeclared));
            Assert.That(refusal.Message, Does.Contain(power));
        }
    }

    [Test]
    public void What_a_member_throws_comes_out_of_the_run()
    {
        SequenceHost host = new(Pair());
        host.Add("lamp", _ => throw new FormatException("a test failed"));
        host.Join("sensor");

        FormatException? failure = Assert.Throws<FormatException>(() => host.Run());

        Assert.That(failure!.Message, Is.EqualTo("a test failed"));
    }

    [Test]
    public void Members_that_wait_for_ever_end_the_run_with_who_waits_for_whom()
    {
        SequenceHost host = new(Pair());
        host.Add("sensor", async sensor => await new TaskCompletionSource().Task);
        host.Add("lamp", async lamp => await lamp.AdvanceToAsync(10));

        InvalidOperationException? failure = Assert.Throws<InvalidOperationException>(() => host.Run());

        Assert.That(failure!.Message, Does.Contain("sensor awaits something else"));
        Assert.That(failure.Message, Does.Contain("lamp"));
    }

    [Test]
    public void A_roster_that_is_not_complete_is_named()
    {
        SequenceHost host = new(Pair());
        host.Add("lamp", async lamp => await lamp.AdvanceToAsync(10));

        InvalidOperationException? failure = Assert.Throws<InvalidOperationException>(() => host.Run());

        Assert.That(failure!.Message, Does.Contain("lamp waits for the start"));
    }

    [Test]
    public void A_wait_by_hand_without_hope_ends_with_a_reason_and_a_limited_one_in_virtual_time()
    {
        SequenceHost host = new(Pair());
        SequenceClient sensor = host.Join("sensor");
        SequenceClient lamp = host.Join("lamp");
        host.Turn();
        lamp.TryTakeGrant(out _);

        Assert.Throws<TimeoutException>(() => lamp.AdvanceTo(10, TimeSpan.FromSeconds(3)));
        InvalidOperationException? failure = Assert.Throws<InvalidOperationException>(
            () => lamp.WaitForGrant(Timeout.InfiniteTimeSpan));

        Assert.That(host.Clock.GetElapsedTime(0), Is.AtLeast(TimeSpan.FromSeconds(3)));
        Assert.That(failure!.Message, Does.Contain(sensor.Name));
    }

    [Test]
    public void A_blocking_call_inside_a_member_is_a_mistake_and_not_a_hang()
    {
        SequenceHost host = new(Pair());
        host.Add("lamp", lamp =>
        {
            lamp.AdvanceTo(10, Timeout.InfiniteTimeSpan);
            return Task.CompletedTask;
        });
        host.Add("sensor", sensor => Task.CompletedTask);

        Assert.That(() => host.Run(), Throws.InvalidOperationException.With.Message.Contains("awaits"));
    }

    [Test]
    public void A_paced_run_takes_virtual_time_and_no_other()
    {
        SequencingConfig config = new()
        {
            Roster = Pair().Roster,
            Pace = 1,
            TickLength = TimeSpan.FromSeconds(1),
        };
        SequenceHost host = new(config);
        host.Add("sensor", async sensor => await sensor.AdvanceToAsync(3_600));
        host.Add("lamp", async lamp => await lamp.AdvanceToAsync(10));

        host.Run();

        Assert.That(host.Clock.GetElapsedTime(0), Is.EqualTo(TimeSpan.FromHours(1)));
    }

    [Test]
    public void A_delay_on_the_host_s_clock_ends_in_its_turns()
    {
        SequenceHost host = new(Pair());
        List<long> moments = [];
        host.Add("lamp", async lamp => moments.Add((await lamp.AdvanceToAsync(10)).Tag.Time));
        host.Add("sensor", async sensor =>
        {
            await Task.Delay(TimeSpan.FromMinutes(5), host.Clock);
            moments.Add(host.Clock.GetTimestamp() / TimeSpan.TicksPerMinute);
            await sensor.AdvanceToAsync(10);
        });

        host.Run();

        Assert.That(moments, Is.EqualTo(new long[] { 5, 10 }));
    }

    [Test]
    public void A_cancelled_wait_stays_asked_for()
    {
        SequenceHost host = new(Pair());
        using CancellationTokenSource cancel = new();
        List<Tag> tags = [];
        host.Add("lamp", async lamp =>
        {
            ValueTask<Grant> wait = lamp.AdvanceToAsync(10, cancel.Token);
            cancel.Cancel();
            await Assert.ThatAsync(async () => await wait, Throws.InstanceOf<OperationCanceledException>());
            tags.Add((await lamp.WaitForGrantAsync()).Tag);
        });
        host.Add("sensor", async sensor => await sensor.AdvanceToAsync(20));

        host.Run();

        Assert.That(tags, Is.EqualTo(new Tag[] { 10 }));
    }

    [TestCase(CrashPolicy.Resign, 10)]
    [TestCase(CrashPolicy.Stall, 0)]
    public void A_disposed_member_is_lost_and_its_policy_decides(CrashPolicy policy, long reached)
    {
        SequencingConfig config = new()
        {
            Roster = [new("sensor") { Publish = ["light"], CrashPolicy = policy }, new("lamp") { Subscribe = ["light"] }],
        };
        SequenceHost host = new(config);
        SequenceClient sensor = host.Join("sensor");
        SequenceClient lamp = host.Join("lamp");
        host.Turn();
        lamp.TryTakeGrant(out _);

        sensor.Dispose();
        lamp.RequestTo(10);
        host.Run();
        lamp.TryTakeGrant(out _);

        Assert.That(lamp.Now, Is.EqualTo((Tag)reached));
    }

    [Test]
    public void A_lost_member_goes_on_from_its_ticket()
    {
        SequenceHost host = new(Pair());
        SequenceClient lamp = host.Join("lamp");
        SequenceClient sensor = host.Join("sensor");
        host.Turn();
        sensor.TryTakeGrant(out _);
        lamp.TryTakeGrant(out _);
        ResumeTicket ticket = sensor.CreateTicket();

        sensor.Dispose();
        SequenceClient again = host.Resume(ticket);
        again.Publish("light", "on"u8, at: 7);
        again.RequestTo(20);
        lamp.RequestTo(10);
        host.Run();
        lamp.TryTakeGrant(out Grant? grant);

        Assert.That(grant!.Messages.Select(message => message.Text), Is.EqualTo(new[] { "on" }));
    }

    private static SequencingConfig Pair() => new()
    {
        Roster = [new("sensor") { Publish = ["light"] }, new("lamp") { Subscribe = ["light"] }],
    };

    private static SequencingConfig Ring(int members) => new()
    {
        Roster =
        [
            .. Enumerable.Range(0, members).Select(i => new MemberDeclaration($"m{i}")
            {
                Publish = ["state"], Subscribe = ["state"], Lookahead = Delay.Ticks(1 + i),
            }),
        ],
    };

    /// <summary>Publishes what it has seen at each step, so that any difference spreads.</summary>
    private static async Task EchoAsync(SequenceClient member)
    {
        StringBuilder seen = new();

        for (int step = 0; step < Steps; step++)
        {
            member.Publish("state", seen.ToString());
            Grant grant = await member.NextAsync(member.Now.Time + 3);

            foreach (SequencedMessage message in grant.Messages)
            {
                seen.Append(message.Sender).Append(message.Arrival).Append(message.Payload.Length % 97);
            }
        }

        await member.ResignAsync();
    }

    private static ulong PlayOverNetwork(SequencingConfig config)
    {
        TimeSpan limit = TimeSpan.FromMinutes(10);
        using SimWorld world = new(1);
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(5) };
        MessagingConfig messaging = new() { Core = SimWorld.Plain };
        Node home = world.AddNode();
        using SequenceServer server = new(home.Daemon, home.Host.Address.WithPort(7000), config, messaging);
        NetworkPlayer[] players =
        [
            .. config.Roster.Select(member => NetworkPlayer.Begin(world, server, messaging, config, member.Name)),
        ];

        world.RunUntil(() => players.Count(player => player.Act()) == players.Length, limit);
        world.RunUntil(() => server.HasEnded, limit);
        return server.RunDigest;
    }

    /// <summary>As <see cref="EchoAsync"/>, in the pump's form.</summary>
    private sealed class NetworkPlayer(SequenceClient client)
    {
        private readonly StringBuilder _seen = new();
        private int _step;
        private bool _hasResigned;

        internal static NetworkPlayer Begin(
            SimWorld world, SequenceServer server, MessagingConfig messaging, SequencingConfig config, string name)
        {
            Node node = world.AddNode();
            MessageEndpoint endpoint = new(node.Daemon, node.Host.Address, messaging);
            return new NetworkPlayer(
                SequenceClient.Begin(endpoint, server.LocalAddress, MemberOptions.From(config, name)));
        }

        internal bool Act()
        {
            while (!_hasResigned && client.TryTakeGrant(out Grant? grant))
            {
                foreach (SequencedMessage message in grant.Messages)
                {
                    _seen.Append(message.Sender).Append(message.Arrival).Append(message.Payload.Length % 97);
                }

                if (_step++ == Steps)
                {
                    client.Resign(TimeSpan.Zero);
                    _hasResigned = true;
                    break;
                }

                client.Publish("state", _seen.ToString());
                client.RequestNext(grant.Tag.Time + 3);
            }

            return _hasResigned;
        }
    }
}
