using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Joining;

/// <summary>The whole stack in virtual time: links that are away for longer than a connection lives.</summary>
[TestFixture]
public sealed class ClientResumeTests
{
    private const int Steps = 12;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(20);

    [Test]
    public void A_client_whose_link_was_away_goes_on_by_itself_and_the_history_is_the_same()
    {
        ulong undisturbed = Play(_ => { });

        ulong broken = Play(scene =>
        {
            scene.Break();
            scene.World.Run(Outage);
            scene.Mend();
        });

        Assert.That(broken, Is.EqualTo(undisturbed));
    }

    [Test]
    public void A_process_that_is_killed_goes_on_from_its_ticket_and_the_history_is_the_same()
    {
        ulong undisturbed = Play(scene => scene.Play(1));

        ulong killed = Play(scene => scene.Kill());

        Assert.That(killed, Is.EqualTo(undisturbed));
    }

    // What is the process's own is in no ticket.
    [Test]
    public void A_process_that_comes_back_has_the_limits_and_the_recording_that_it_gives()
    {
        using Scene scene = new();
        scene.Play(3);
        MemoryStream recorded = new();
        MemberOptions options = new("a")
        {
            MaxBatchBytes = 1,
            Recording = new RunRecording { Stream = recorded },
            ResumeFor = TimeSpan.FromSeconds(7),
        };

        SequencingException? refusal = Assert.Throws<SequencingException>(() => scene.Kill(options));
        MemberOptions resumed = scene.Client.Options;
        scene.Client.Dispose();

        Assert.That(refusal!.Error, Is.EqualTo(SequencingError.TooLarge));
        Assert.That(
            (resumed.MaxBatchBytes, resumed.Recording, resumed.ResumeFor, resumed.Lookahead),
            Is.EqualTo((1L, options.Recording, options.ResumeFor, Delay.Ticks(1))));
        Assert.That(resumed.Publish, Is.EqualTo((string[])["x"]));
    }

    [Test]
    public void The_record_of_a_process_that_came_back_begins_with_its_first_grant_there()
    {
        using Scene scene = new();
        scene.Play(3);
        MemoryStream recorded = new();

        scene.Kill(new MemberOptions("a") { Recording = new RunRecording { Stream = recorded } });
        scene.Play(3);
        ulong digest = scene.Client.Digest;
        scene.Client.Dispose();

        using RunRecord record = new(new MemoryStream(recorded.ToArray()));
        RecordedMember own = record.Members.Single(member => member.Name == "a");
        Assert.That(scene.Client.RecordFailure, Is.Null);
        Assert.That((own.FirstGrant, own.EndGrant, own.LastDigest), Is.EqualTo((4L, 8L, digest)));
    }

    [Test]
    public void The_options_of_another_member_do_not_fit_a_ticket()
    {
        using Scene scene = new();
        scene.Play(1);

        Assert.That(() => scene.Kill(new MemberOptions("b")), Throws.ArgumentException.With.Message.Contains("\"b\""));
    }

    // Clause: the connection is gone before its welcome came, and the server finds that out later than the member.
    [Test]
    public void Who_joins_again_from_elsewhere_before_the_server_has_noticed_is_welcomed_when_it_has()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(5) };
        Node home = world.AddNode();
        Node first = world.AddNode();
        Node second = world.AddNode();
        Node third = world.AddNode();
        MessagingConfig messaging = new() { Core = SimWorld.Plain };
        SequencingConfig config = new()
        {
            Roster = [new("a") { Publish = ["x"] }, new("b") { Subscribe = ["x"] }],
        };
        using SequenceServer server = new(home.Daemon, home.Host.Address.WithPort(7000), config, messaging);
        using SequenceClient lost = SequenceClient.Begin(
            new(first.Daemon, first.Host.Address, messaging), server.LocalAddress, MemberOptions.From(config, "a"));
        world.RunUntil(
            () => !lost.TryTakeGrant(out _)
                && server.ReadStatus().Members.Any(member => member.Activity == MemberActivity.Joining),
            Limit);
        world.Network.SetLinks(
            home.Host, first.Host, new LinkModel { Delay = TimeSpan.FromMilliseconds(5), LossPpm = 1_000_000 });

        using SequenceClient again = SequenceClient.Begin(
            new(second.Daemon, second.Host.Address, messaging), server.LocalAddress, MemberOptions.From(config, "a"));
        using SequenceClient other = SequenceClient.Begin(
            new(third.Daemon, third.Host.Address, messaging), server.LocalAddress, MemberOptions.From(config, "b"));
        bool isStarted = false;
        world.RunUntil(
            () => (isStarted |= again.TryTakeGrant(out _)) | (other.TryTakeGrant(out _) && isStarted), Limit);

        Assert.That(isStarted, Is.True);
        Assert.That(server.Refusals, Is.Zero);
    }

    [Test]
    public void A_client_that_shall_not_resume_says_that_its_connection_is_lost()
    {
        using Scene scene = new(resumeFor: TimeSpan.Zero);
        scene.Play(3);

        scene.Break();
        SequencingException lost = scene.RunUntilRefused();

        Assert.That(lost.Error, Is.EqualTo(SequencingError.ConnectionLost));
        Assert.That(scene.Client.IsResuming, Is.False);
    }

    [Test]
    public void A_client_that_finds_no_way_back_in_time_gives_up()
    {
        using Scene scene = new(resumeFor: TimeSpan.FromSeconds(40));
        scene.Play(3);
        Instant before = scene.World.Now;

        scene.Break();
        SequencingException lost = scene.RunUntilRefused();

        Assert.That(lost.Error, Is.EqualTo(SequencingError.ConnectionLost));
        Assert.That(lost.Message, Does.Contain("00:00:40"));
        Assert.That(scene.World.Now - before, Is.GreaterThan(TimeSpan.FromSeconds(40)));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_wait_goes_on_through_a_lost_connection(bool isAsync)
    {
        using Scene scene = new();
        scene.Play(3);
        scene.Break();

        Task<Grant> wait = isAsync
            ? scene.Client.AdvanceToAsync(100).AsTask()
            : Task.Run(() => scene.Client.AdvanceTo(100, Timeout.InfiniteTimeSpan));
        scene.RunBeside(() => scene.Client.IsResuming);
        scene.Mend();
        scene.Other.RequestTo(100);
        scene.RunBeside(() => scene.Other.TryTakeGrant(out _) | wait.IsCompleted);
        scene.RunBeside(() => wait.IsCompleted);

        Assert.That(wait.Result.Tag, Is.EqualTo(new Tag(100, 0)));
        Assert.That(scene.Client.Resumptions, Is.EqualTo(1));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_question_goes_on_through_a_lost_connection(bool isAsync)
    {
        using Scene scene = new();
        scene.Play(3);
        scene.Client.RequestTo(100);
        scene.Break();

        Task<WaitReport?> wait = isAsync
            ? scene.Client.WhoBlocksAsync().AsTask()
            : Task.Run(() => scene.Client.WhoBlocks(Timeout.InfiniteTimeSpan));
        scene.RunBeside(() => scene.Client.IsResuming);
        scene.Mend();
        scene.RunBeside(() => wait.IsCompleted);

        Assert.That(wait.Result!.Root.Member, Is.EqualTo("b"));
        Assert.That(scene.Client.Resumptions, Is.EqualTo(1));
    }

    // Whoever disposes its client after a resignation that was not sent is lost to the run.
    [TestCase(true)]
    [TestCase(false)]
    public void A_resignation_during_a_resumption_is_done_when_the_server_can_have_it(bool isAsync)
    {
        using Scene scene = new();
        scene.Play(3);
        scene.Break();
        scene.World.RunUntil(() => !scene.Client.TryTakeGrant(out _) && scene.Client.IsResuming, Limit);

        Task wait = isAsync
            ? scene.Client.ResignAsync().AsTask()
            : Task.Run(() => scene.Client.Resign(Timeout.InfiniteTimeSpan));
        scene.Mend();
        scene.RunBeside(() => wait.IsCompleted);
        scene.Client.Dispose();
        scene.World.Run(TimeSpan.FromSeconds(5));

        Assert.That(wait.IsCompletedSuccessfully, Is.True, $"{wait.Exception}");
        Assert.That(
            scene.Server.ReadStatus().Members.Single(member => member.Name == "a").Activity,
            Is.EqualTo(MemberActivity.Resigned));
    }

    [Test]
    public void A_resignation_without_patience_during_a_resumption_says_that_it_is_not_done()
    {
        using Scene scene = new();
        scene.Play(3);
        scene.Break();
        scene.World.RunUntil(() => !scene.Client.TryTakeGrant(out _) && scene.Client.IsResuming, Limit);

        Assert.That(scene.Client.Resign(TimeSpan.Zero), Is.False);
    }

    [Test]
    public void A_ticket_is_taken_at_a_sequence_point_only()
    {
        using Scene scene = new();
        scene.Play(1);

        scene.Client.Publish("x", "said"u8);

        Assert.Throws<InvalidOperationException>(() => scene.Client.CreateTicket());
    }

    [Test]
    public void Every_truncation_and_every_flipped_byte_of_a_ticket_is_refused()
    {
        using Scene scene = new();
        byte[] bytes = scene.Client.CreateTicket().ToArray();

        for (int i = 0; i < bytes.Length; i++)
        {
            byte[] flipped = [.. bytes];
            flipped[i] ^= 0x10;

            Assert.That(ResumeTicket.TryParse(bytes.AsSpan(0, i), out _), Is.False, $"cut to {i}");
            Assert.That(ResumeTicket.TryParse(flipped, out _), Is.False, $"flipped at {i}");
        }

        Assert.That(ResumeTicket.TryParse(bytes, out ResumeTicket? whole), Is.True);
        Assert.That(whole!.Name, Is.EqualTo("a"));
        Assert.That(whole.ToArray(), Is.EqualTo(bytes));
    }

    // The checksum is no secret: bytes that were made up must not do more harm than others.
    [Test]
    public void A_ticket_of_made_up_bytes_is_refused_or_makes_a_client()
    {
        using Scene scene = new();
        byte[] bytes = scene.Client.CreateTicket().ToArray();
        const int Head = 10;

        for (int length = Head; length < bytes.Length; length++)
        {
            Assert.That(() => ResumeTicket.TryParse(Checked(bytes[..length]), out _), Throws.Nothing, $"cut to {length}");
        }

        for (int i = Head; i < bytes.Length - sizeof(ulong); i++)
        {
            foreach (byte value in (byte[])[0, 1, 0x7f, 0x80, 0xff])
            {
                byte[] made = bytes[..^sizeof(ulong)];
                made[i] = value;

                Assert.That(
                    () => ResumeTicket.TryParse(Checked(made), out ResumeTicket? ticket) ? new MemberEngine(ticket) : null,
                    Throws.Nothing, $"{value} at {i}");
            }
        }
    }

    private static byte[] Checked(byte[] bytes)
    {
        byte[] sum = new byte[sizeof(ulong)];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(sum, XxHash64.Hash(0, bytes));
        return [.. bytes, .. sum];
    }

    private static ulong Play(Action<Scene> disturb)
    {
        using Scene scene = new();
        scene.Play(Steps / 2);
        disturb(scene);
        scene.Play(Steps / 2);
        scene.Resign();

        Assert.That(scene.Server.Refusals, Is.Zero);
        return scene.Server.RunDigest;
    }

    /// <summary>Two members that hear each other; the first one's link and process are what breaks.</summary>
    private sealed class Scene : IDisposable
    {
        private static readonly MessagingConfig Messaging = new() { Core = SimWorld.Plain };

        private readonly Node _home;
        private readonly Node _node;
        private byte[] _ticket = [];

        internal Scene(TimeSpan? resumeFor = null)
        {
            World.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(5) };
            SequencingConfig config = new()
            {
                Roster = [Member("a"), Member("b")],
            };
            _home = World.AddNode();
            _node = World.AddNode();
            Server = new SequenceServer(_home.Daemon, _home.Host.Address.WithPort(7000), config, Messaging);
            Client = Begin(_node, "a", resumeFor ?? TimeSpan.FromMinutes(2));
            Other = Begin(World.AddNode(), "b", TimeSpan.FromMinutes(2));
            WaitForBoth();
        }

        internal SimWorld World { get; } = new(1);

        internal SequenceServer Server { get; }

        internal SequenceClient Client { get; private set; }

        internal SequenceClient Other { get; }

        internal void Break() => World.Network.SetLinks(
            _home.Host, _node.Host, new LinkModel { Delay = TimeSpan.FromMilliseconds(5), LossPpm = 1_000_000 });

        internal void Mend() => World.Network.SetLinks(_home.Host, _node.Host, null);

        /// <summary>The first member's process dies just after it asked; another one begins with its ticket.</summary>
        internal void Kill(MemberOptions? options = null)
        {
            _ticket = Client.CreateTicket().ToArray();
            Act(Client);
            Act(Other);
            World.Run(TimeSpan.FromSeconds(1));
            World.Restart(_node);
            World.Run(Outage);
            Assert.That(ResumeTicket.TryParse(_ticket, out ResumeTicket? ticket), Is.True);
            MessageEndpoint endpoint = new(_node.Daemon, _node.Host.Address, Messaging);
            Client = SequenceClient.BeginResume(endpoint, Server.LocalAddress, ticket!, options);
            Act(Client);
            WaitForBoth();
        }

        /// <summary>Both publish and advance, so often.</summary>
        internal void Play(int steps)
        {
            for (int step = 0; step < steps; step++)
            {
                Act(Client);
                Act(Other);
                WaitForBoth();
            }
        }

        internal void Resign()
        {
            Client.Resign(TimeSpan.Zero);
            Other.Resign(TimeSpan.Zero);
            World.RunUntil(() => Server.HasEnded, Limit);
        }

        internal SequencingException RunUntilRefused()
        {
            SequencingException? refusal = null;
            Client.RequestTo(100);
            World.RunUntil(
                () =>
                {
                    try
                    {
                        Client.TryTakeGrant(out _);
                    }
                    catch (SequencingException caught)
                    {
                        refusal = caught;
                    }

                    return refusal is not null;
                },
                Limit);
            return refusal!;
        }

        /// <summary>Time goes on while another thread waits.</summary>
        internal void RunBeside(Func<bool> isDone)
        {
            Instant limit = World.Now + Limit;

            while (!isDone() && World.Now < limit)
            {
                World.Run(TimeSpan.FromMilliseconds(5));
                Thread.Yield();
            }
        }

        public void Dispose()
        {
            Server.Dispose();
            World.Dispose();
        }

        private static MemberDeclaration Member(string name)
            => new(name) { Publish = ["x"], Subscribe = ["x"], Lookahead = Delay.Ticks(1) };

        private static void Act(SequenceClient client)
        {
            client.Publish("x", BitConverter.GetBytes(client.Digest));
            client.RequestTo(client.Now + Delay.Ticks(1));
        }

        private void WaitForBoth()
        {
            bool isFirst = false;
            bool isSecond = false;
            World.RunUntil(
                () => (isFirst |= Client.TryTakeGrant(out _)) & (isSecond |= Other.TryTakeGrant(out _)), Limit);
        }

        private SequenceClient Begin(Node node, string name, TimeSpan resumeFor)
        {
            MessageEndpoint endpoint = new(node.Daemon, node.Host.Address, Messaging);
            MemberOptions options = new(name)
            {
                Publish = ["x"],
                Subscribe = ["x"],
                Lookahead = Delay.Ticks(1),
                ResumeFor = resumeFor,
                Clock = World.Network.Time,
            };
            return SequenceClient.Begin(endpoint, Server.LocalAddress, options);
        }
    }
}
