using System.Text;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Watching;

/// <summary>Waits, pace and operators over the whole stack, in virtual time.</summary>
[TestFixture]
public sealed class WatchedRunTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private static readonly MessagingConfig Messaging = new() { Core = SimWorld.Plain };

    [Test]
    public void S_B19_a_member_that_computes_long_is_named_and_the_history_stays_as_it_is()
    {
        (string digest, WaitReport? report, _) = PlayPair(TimeSpan.FromSeconds(1));
        (string undisturbed, WaitReport? none, _) = PlayPair(TimeSpan.Zero);

        Assert.That((report!.Root.Member, report.Root.Kind, report.Root.Now),
            Is.EqualTo(("v1", WaitKind.Running, Tag.Zero)));
        Assert.That(report.Root.Since, Is.GreaterThanOrEqualTo(TimeSpan.FromMilliseconds(300)));
        Assert.That(none, Is.Null);
        Assert.That(digest, Is.EqualTo(undisturbed));
    }

    [Test]
    public void The_server_has_the_same_reports_and_answers_from_any_thread()
    {
        (_, WaitReport? report, WaitReport? atServer) = PlayPair(TimeSpan.FromSeconds(1));

        Assert.That((atServer!.Member, atServer.Stage), Is.EqualTo((report!.Member, report.Stage)));
    }

    [Test]
    public void A_member_that_waits_asks_who_blocks_it()
    {
        using Scene scene = new(PairConfig());
        (SequenceClient v1, SequenceClient v2) = scene.Start();
        v2.RequestTo(2);

        WaitReport? report = scene.Run(v2.WhoBlocksAsync().AsTask());
        WaitReport? atServer = scene.Server.WhoBlocks("v2");
        WaitReport? running = scene.Run(v1.WhoBlocksAsync().AsTask());

        Assert.That(report!.Links.Select(link => (link.Member, link.Kind)), Is.EqualTo(new[]
        {
            ("v2", WaitKind.HeldBack), ("v1", WaitKind.Running),
        }));
        Assert.That(atServer!.Root.Member, Is.EqualTo("v1"));
        Assert.That(running, Is.Null, "It does not wait.");
    }

    [Test]
    public void An_operator_holds_steps_and_ends_a_run_over_the_network()
    {
        using Scene scene = new(PairConfig());
        (SequenceClient v1, _) = scene.Start();
        using SequenceOperator op = scene.Operate();

        RunStatus held = scene.Run(op.SetBarrierAsync(5));
        v1.RequestTo(7);
        v1.TryTakeGrant(out _);
        scene.World.Run(TimeSpan.FromSeconds(2));
        bool before = v1.TryTakeGrant(out _);
        IReadOnlyList<WaitReport> waits = scene.Run(op.WhoBlocksAsync(null));
        scene.Run(op.StepAsync());
        scene.World.Run(TimeSpan.FromSeconds(1));
        bool after = v1.TryTakeGrant(out _);
        RunStatus stopped = scene.Run(op.StopAsync());

        Assert.That((held.Barrier, before, after), Is.EqualTo(((Tag?)5, false, true)));
        Assert.That(waits.Single().Root.Kind, Is.EqualTo(WaitKind.Barrier));
        Assert.That((stopped.Stop, stopped.IsInfluenced), Is.EqualTo(((Tag?)new Tag(7, 1), true)));
        Assert.That(scene.Run(op.StatusAsync()).ToString(), Does.Contain("v1: Running at 7"));
    }

    [Test]
    public void A_run_that_takes_no_operators_from_elsewhere_says_so()
    {
        using Scene scene = new(PairConfig(OperatorAccess.Loopback));
        using SequenceOperator op = scene.Operate();

        SequencingException? refusal = Assert.Throws<SequencingException>(() => scene.Run(op.StatusAsync()));

        Assert.That(refusal!.Error, Is.EqualTo(SequencingError.NotAllowed));
    }

    // S-F9: pace, pauses of members, loss and reordering change moments only.
    [Test]
    public void S_F9_pace_pauses_and_a_bad_network_leave_the_digest_as_it_is()
    {
        LinkModel bad = new()
        {
            Delay = TimeSpan.FromMilliseconds(10),
            LossPpm = 50_000,
            ReorderPpm = 200_000,
        };
        LinkModel good = new() { Delay = TimeSpan.FromMilliseconds(1) };
        List<(double Pace, ulong Digest, TimeSpan Length)> runs = [];

        foreach (double pace in new[] { 0.0, 1, 10 })
        {
            runs.Add(PlayPaced(pace, bad));
        }

        runs.Add(PlayPaced(0, good));

        Assert.That(runs.Select(run => run.Digest).Distinct().Count(), Is.EqualTo(1));
        Assert.That(runs[1].Length, Is.GreaterThanOrEqualTo(20 * TimeSpan.FromMilliseconds(100)));
    }

    private static (string Digest, WaitReport? Report, WaitReport? AtServer) PlayPair(TimeSpan computes)
    {
        using Scene scene = new(PairConfig());
        (SequenceClient v1, SequenceClient v2) = scene.Start();
        v2.RequestTo(2);
        v2.TryTakeGrant(out _);
        scene.World.Run(computes);
        v1.RequestTo(3);
        v1.TryTakeGrant(out _);
        scene.World.RunUntil(() => v2.TryTakeGrant(out Grant? grant) && grant.Tag == 2, Limit);
        v2.TryTakeWaitReport(out WaitReport? report);
        scene.Server.TryTakeWaitReport(out WaitReport? atServer);
        return ($"{v1.Digest:x16} {v2.Digest:x16}", report, atServer);
    }

    private static (double Pace, ulong Digest, TimeSpan Length) PlayPaced(double pace, LinkModel link)
    {
        const int Steps = 20;
        SequencingConfig config = new()
        {
            Roster =
            [
                .. Enumerable.Range(0, 2).Select(i => new MemberDeclaration($"m{i}")
                {
                    Publish = ["x"], Subscribe = ["x"], Lookahead = Delay.Ticks(1),
                }),
            ],
            Pace = pace,
            TickLength = TimeSpan.FromMilliseconds(100),
        };
        using Scene scene = new(config, link);
        SequenceClient[] clients = [scene.Begin("m0"), scene.Begin("m1")];
        Instant[] pausedUntil = new Instant[2];
        int[] steps = new int[2];

        bool Act(int i)
        {
            if (steps[i] > Steps || scene.World.Now < pausedUntil[i] || !clients[i].TryTakeGrant(out Grant? grant))
            {
                return steps[i] > Steps;
            }

            // Every seventh step takes 200 ms.
            pausedUntil[i] = ++steps[i] % 7 == 0 ? scene.World.Now + TimeSpan.FromMilliseconds(200) : default;

            if (steps[i] > Steps)
            {
                clients[i].Resign(TimeSpan.Zero);
                return true;
            }

            clients[i].Publish("x", Encoding.UTF8.GetBytes($"{i} {grant.Messages.Count} {grant.Digest}"));
            clients[i].RequestTo(grant.Tag + Delay.Ticks(1));
            return false;
        }

        scene.World.RunUntil(() => Act(0) & Act(1), Limit);
        scene.World.RunUntil(() => scene.Server.HasEnded, Limit);
        return (pace, scene.Server.RunDigest, scene.World.Now - default(Instant));
    }

    private static SequencingConfig PairConfig(OperatorAccess operators = OperatorAccess.All) => new()
    {
        Roster = [new MemberDeclaration("v1") { Publish = ["x"] }, new MemberDeclaration("v2") { Subscribe = ["x"] }],
        HealthLimit = TimeSpan.FromMilliseconds(300),
        Operators = operators,
    };

    private sealed class Scene : IDisposable
    {
        private readonly SequencingConfig _config;

        internal Scene(SequencingConfig config, LinkModel? link = null)
        {
            _config = config;
            World.Network.DefaultLink = link ?? new LinkModel { Delay = TimeSpan.FromMilliseconds(5) };
            Node home = World.AddNode();
            Server = new SequenceServer(home.Daemon, home.Host.Address.WithPort(7000), config, Messaging);
        }

        internal SimWorld World { get; } = new(1);

        internal SequenceServer Server { get; }

        internal SequenceClient Begin(string name)
            => SequenceClient.Begin(Endpoint(), Server.LocalAddress, MemberOptions.From(_config, name));

        internal (SequenceClient V1, SequenceClient V2) Start()
        {
            SequenceClient v1 = Begin("v1");
            SequenceClient v2 = Begin("v2");
            bool first = false;
            bool second = false;
            World.RunUntil(
                () => (first |= v1.TryTakeGrant(out _)) & (second |= v2.TryTakeGrant(out _)), Limit, "The start");
            return (v1, v2);
        }

        internal SequenceOperator Operate() => SequenceOperator.Connect(Endpoint(), Server.LocalAddress);

        /// <summary>Lets the world run until the task has its result.</summary>
        internal T Run<T>(Task<T> task)
        {
            for (int turns = 0; !task.IsCompleted; turns++)
            {
                Assert.That(turns, Is.LessThan(100_000), "The answer comes.");
                World.Run(TimeSpan.FromMilliseconds(1));
                Thread.Yield();
            }

            return task.GetAwaiter().GetResult();
        }

        public void Dispose()
        {
            Server.Dispose();
            World.Dispose();
        }

        private MessageEndpoint Endpoint()
        {
            Node node = World.AddNode();
            return new MessageEndpoint(node.Daemon, node.Host.Address, Messaging);
        }
    }
}
