using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>A client's calls in every phase of its life; time-outs of zero, so that nothing ever blocks.</summary>
[TestFixture]
public sealed class SequenceClientTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private static readonly MessagingConfig Messaging = new() { Core = SimWorld.Plain };

    [Test]
    public async Task Waiting_for_a_grant_that_was_not_asked_for_is_a_mistake_and_not_a_wait()
    {
        using Scene scene = new(Config("a"));
        SequenceClient client = scene.Join("a");

        Assert.Throws<InvalidOperationException>(() => client.WaitForGrant(Timeout.InfiniteTimeSpan));
        await Assert.ThatAsync(
            async () => await client.WaitForGrantAsync(), Throws.TypeOf<InvalidOperationException>());
    }

    [Test]
    public void A_wait_of_zero_takes_what_is_there_and_can_be_repeated()
    {
        using Scene scene = new(Config("a"));
        SequenceClient client = scene.Join("a");

        Assert.Throws<TimeoutException>(() => client.AdvanceTo(5, TimeSpan.Zero));
        scene.World.Run(TimeSpan.FromSeconds(1));
        Grant grant = client.WaitForGrant(TimeSpan.Zero);

        Assert.That(grant.Tag, Is.EqualTo(new Tag(5, 0)));
    }

    [Test]
    public void A_resignation_without_patience_still_counts_and_can_be_waited_for()
    {
        using Scene scene = new(Config("a"));
        SequenceClient client = scene.Join("a");

        bool isThere = client.Resign(TimeSpan.Zero);
        scene.World.Run(TimeSpan.FromSeconds(1));
        bool isThereLater = client.Resign(TimeSpan.Zero);

        Assert.That(isThere, Is.False);
        Assert.That(isThereLater, Is.True);
        Assert.That(client.WaitForEnd(TimeSpan.Zero), Is.EqualTo(scene.Server.RunDigest));
    }

    // The commit is larger than the lane has room for before anything was carried away.
    [Test]
    public void A_resignation_that_found_no_room_leaves_with_the_wait_for_the_end()
    {
        using Scene scene = new(Config("a"));
        SequenceClient client = scene.Join("a");
        Fill(client.Peer);

        bool isThere = client.Resign(TimeSpan.Zero);
        scene.World.RunUntil(() => client.WaitForEnd(TimeSpan.Zero) is not null, Limit);

        Assert.That(isThere, Is.False);
        Assert.That(client.RunDigest, Is.EqualTo(scene.Server.RunDigest));
    }

    [Test]
    public void Resigned_and_disposed_at_once_the_last_commit_still_counts()
    {
        using Scene scene = new(Config("a"));
        SequenceClient client = scene.Join("a");

        client.Publish("x", "last"u8);
        client.Resign(TimeSpan.Zero);
        client.Dispose();
        scene.World.RunUntil(() => scene.Server.HasEnded, Limit);

        Assert.That(scene.Server.Refusals, Is.Zero);
    }

    [Test]
    public void An_abort_ends_the_wait_for_the_end_with_its_reason()
    {
        using Scene scene = new(Config("a", "b"));
        SequenceClient a = scene.Begin("a");
        a.TryTakeGrant(out _);
        SequenceClient b = scene.Join("b");
        scene.World.RunUntil(() => a.TryTakeGrant(out _), Limit);
        a.Resign(TimeSpan.Zero);
        scene.World.Run(TimeSpan.FromSeconds(1));

        b.Dispose();
        scene.World.Run(TimeSpan.FromSeconds(1));
        SequencingException? end = Assert.Throws<SequencingException>(() => a.WaitForEnd(TimeSpan.Zero));

        Assert.That(end!.Error, Is.EqualTo(SequencingError.Stopped));
    }

    [Test]
    public void Who_asks_and_does_something_else_then_holds_nobody_up()
    {
        using Scene scene = new(Config("a", "b"));
        SequenceClient a = scene.Begin("a");
        SequenceClient b = scene.Join("b");
        a.TryTakeGrant(out _);

        a.Publish("x", "said"u8, 7);
        a.RequestTo(10);
        b.RequestTo(8);
        scene.World.Run(TimeSpan.FromSeconds(1));
        bool isThere = b.TryTakeGrant(out Grant? grant);

        Assert.That(isThere, Is.True);
        Assert.That((grant!.Tag, scene.Server.Refusals), Is.EqualTo((new Tag(8, 0), 0L)));
    }

    [Test]
    public void A_request_that_found_no_room_leaves_with_the_next_call()
    {
        using Scene scene = new(Config("a"));
        SequenceClient client = scene.Join("a");
        Fill(client.Peer);

        client.RequestNext(5);
        scene.World.Run(TimeSpan.FromSeconds(1));
        bool isThere = client.TryTakeGrant(out _);
        scene.World.RunUntil(() => client.TryTakeGrant(out _), Limit);

        Assert.That(isThere, Is.False);
        Assert.That(client.Now, Is.EqualTo(new Tag(5, 0)));
    }

    // Its next commit finds the connection closed, but the reason lies unread before the end.
    [Test]
    public void What_the_server_said_before_the_end_is_told_before_the_end()
    {
        using Scene scene = new(Config("a"));
        SequenceClient client = scene.Join("a");
        client.Peer.TrySend([1]);
        scene.World.Run(TimeSpan.FromSeconds(1));
        client.Peer.Close();
        client.RequestTo(5);

        SequencingException? end = Assert.Throws<SequencingException>(() => client.TryTakeGrant(out _));

        Assert.That(end!.Error, Is.EqualTo(SequencingError.BadFrame));
    }

    // Who began it has another thread; the one that waits must not wait for a way back.
    [TestCase("AdvanceTo")]
    [TestCase("ReadGrant")]
    [TestCase("Async")]
    [TestCase("WhoBlocks")]
    public void A_client_disposed_in_the_middle_of_a_wait_ends_it_at_once(string wait)
    {
        using Scene scene = new(Config("a", "b"));
        SequenceClient client = scene.Begin("a");
        client.TryTakeGrant(out _);
        scene.World.Run(TimeSpan.FromSeconds(1));
        client.TryTakeGrant(out _);
        scene.World.Run(TimeSpan.FromSeconds(1));
        client.TryTakeGrant(out _);

        Task waiting = wait switch
        {
            "AdvanceTo" => Task.Run(() => client.WaitForGrant(Timeout.InfiniteTimeSpan)),
            "ReadGrant" => Task.Run(() => client.ReadGrant(Timeout.InfiniteTimeSpan).Tag),
            "Async" => client.WaitForGrantAsync().AsTask(),
            _ => Task.Run(() => client.WhoBlocks(Timeout.InfiniteTimeSpan)),
        };
        client.Dispose();

        Assert.That(() => waiting.Wait(TimeSpan.FromSeconds(5)), Throws.InnerException.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_question_before_the_run_has_begun_waits_for_the_welcome()
    {
        using Scene scene = new(Config("a", "b"));
        SequenceClient client = scene.Begin("a");

        Assert.Throws<TimeoutException>(() => client.WhoBlocks(TimeSpan.Zero));
        scene.World.Run(TimeSpan.FromSeconds(1));
        Assert.Throws<TimeoutException>(() => client.WhoBlocks(TimeSpan.Zero));
        scene.World.Run(TimeSpan.FromSeconds(1));

        Assert.That(() => client.TryTakeGrant(out _), Throws.Nothing);
        Assert.That(scene.Server.Refusals, Is.Zero);
    }

    [Test]
    public void A_disposed_client_says_so()
    {
        using Scene scene = new(Config("a"));
        SequenceClient client = scene.Join("a");

        client.Dispose();

        Assert.Throws<ObjectDisposedException>(() => client.Publish("x", []));
        Assert.Throws<ObjectDisposedException>(() => client.TryTakeGrant(out _));
        Assert.Throws<ObjectDisposedException>(() => client.WaitForGrant(TimeSpan.Zero));
        Assert.Throws<ObjectDisposedException>(() => client.Resign(TimeSpan.Zero));
        Assert.Throws<ObjectDisposedException>(() => client.WaitForEnd(TimeSpan.Zero));
    }

    [Test]
    public void A_commit_that_waits_for_room_holds_no_thread()
    {
        using Scene scene = new(Config("a"));
        SequenceClient client = scene.Join("a");
        Fill(client.Peer);

        Task<Grant> wait = client.AdvanceToAsync(5).AsTask();

        while (!wait.IsCompleted)
        {
            scene.World.Run(TimeSpan.FromMilliseconds(1));
            Thread.Yield();
        }

        Assert.That(wait.Result.Tag, Is.EqualTo(new Tag(5, 0)));
    }

    private static void Fill(Peer peer)
    {
        byte[] unknownFrame = [0x7F, 0, 0, 0x80, 0, 0x40, 0, .. new byte[0x4000]];

        while (peer.TrySend(unknownFrame) == SendStatus.Accepted)
        {
        }

        while (peer.TrySend([0x7F, 0, 0, 0]) == SendStatus.Accepted)
        {
        }
    }

    private static SequencingConfig Config(params string[] names) => new()
    {
        Roster = [.. names.Select(name => new MemberDeclaration(name)
        {
            Publish = ["x"], CrashPolicy = CrashPolicy.Abort,
        })],
    };

    private sealed class Scene : IDisposable
    {
        private readonly SequencingConfig _config;

        internal Scene(SequencingConfig config)
        {
            _config = config;
            World.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(5) };
            Node home = World.AddNode();
            Server = new SequenceServer(home.Daemon, home.Host.Address.WithPort(7000), config, Messaging);
        }

        internal SimWorld World { get; } = new(1);

        internal SequenceServer Server { get; }

        internal SequenceClient Begin(string name)
        {
            Node node = World.AddNode();
            MessageEndpoint endpoint = new(node.Daemon, node.Host.Address, Messaging);
            return SequenceClient.Begin(endpoint, Server.LocalAddress, new MemberOptions(name) { Publish = ["x"] });
        }

        internal SequenceClient Join(string name)
        {
            SequenceClient client = Begin(name);
            World.RunUntil(() => client.TryTakeGrant(out _), Limit);
            return client;
        }

        public void Dispose()
        {
            Server.Dispose();
            World.Dispose();
        }
    }
}
