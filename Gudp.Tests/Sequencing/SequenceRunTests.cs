using System.Text;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>The whole stack in virtual time: a server and its members on their own hosts, over links that fail.</summary>
[TestFixture]
public sealed class SequenceRunTests
{
    private const int Members = 3;
    private const int Steps = 25;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    // Goal: the same history over any network. Method: one run, many links and seeds; all digests must be equal.
    [Test]
    public void The_history_is_the_same_over_every_network()
    {
        LinkModel[] links =
        [
            LinkModel.Perfect,
            new() { Delay = TimeSpan.FromMilliseconds(10), LossPpm = 50_000, Jitter = TimeSpan.FromMilliseconds(4) },
            new() { Delay = TimeSpan.FromMilliseconds(40), LossPpm = 200_000, DuplicatePpm = 100_000 },
            new() { Delay = TimeSpan.FromMilliseconds(5), ReorderPpm = 300_000, CorruptPpm = 100_000 },
        ];
        HashSet<string> histories = [];

        for (int i = 0; i < links.Length; i++)
        {
            histories.Add(Play((ulong)i + 1, links[i]));
        }

        Assert.That(histories, Has.Count.EqualTo(1), "The network has changed the history.");
    }

    // Another file, and the same file with another look-ahead in the program: both are told, and the right one comes in.
    [TestCase(1, 1, "configuration is")]
    [TestCase(0, 2, "look-ahead 2 ticks was given, 1 ticks is declared")]
    public void H92_a_member_of_another_configuration_is_refused_and_the_right_one_is_not(
        int hash, int lookahead, string text)
    {
        using SimWorld world = new(1);
        SequencingConfig config = Config();
        using SequenceServer server = new(world.AddNode().Daemon, Any(world, 0, 7000), config, Messaging);
        MemberOptions right = MemberOptions.From(config, "m0");
        MemberOptions other = new("m0")
        {
            Publish = right.Publish,
            Subscribe = right.Subscribe,
            Lookahead = Delay.Ticks(lookahead),
            ConfigHash = right.ConfigHash + (ulong)hash,
        };
        SequenceClient client = Begin(world, server, other);
        SequencingException? refusal = null;

        world.RunUntil(() => (refusal = Poll(client)) is not null, Limit);
        Player[] players =
            [.. Enumerable.Range(0, Members).Select(i => new Player(Begin(world, server, MemberOptions.From(config, $"m{i}"))))];
        world.RunUntil(() => players.Count(player => player.Act()) == players.Length, Limit);

        Assert.That(refusal!.Error, Is.EqualTo(SequencingError.ConfigMismatch));
        Assert.That(refusal.Message, Does.Contain(text));
        Assert.That(server.Refusals, Is.EqualTo(1));
    }

    // Lock-time 15: what is delivered leaves the lane at once, so that credit never waits for a grant.
    [Test]
    public void A_batch_many_times_larger_than_a_lanes_credit_comes_whole()
    {
        const int Messages = 100;
        MessagingConfig narrow = Messaging with { LaneRingBytes = 128 * 1024, MaxMessageBytes = 256 * 1024 };
        SequencingConfig config = new()
        {
            Roster = [new("m0") { Publish = ["state"] }, new("m1") { Subscribe = ["state"] }],
            MaxPayloadBytes = 40_000,
        };
        using SimWorld world = new(1);
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(5) };
        using SequenceServer server = new(world.AddNode().Daemon, Any(world, 0, 7000), config, narrow);
        SequenceClient sender = Begin(world, server, MemberOptions.From(config, "m0"), narrow);
        SequenceClient receiver = Begin(world, server, MemberOptions.From(config, "m1"), narrow);
        bool first = false;
        bool second = false;
        world.RunUntil(() => (first |= sender.TryTakeGrant(out _)) & (second |= receiver.TryTakeGrant(out _)), Limit);

        for (int i = 1; i <= Messages; i++)
        {
            sender.Publish("state", new byte[40_000], at: i);
            sender.RequestTo(i);
            world.RunUntil(() => sender.TryTakeGrant(out _), Limit);
        }

        Grant? batch = null;
        receiver.RequestTo(Messages - 1);
        world.RunUntil(() => receiver.TryTakeGrant(out batch), Limit);

        Assert.That(batch!.Messages, Has.Count.EqualTo(Messages - 1));
        Assert.That(batch.Messages.Sum(message => (long)message.Payload.Length), Is.GreaterThan(30 * narrow.LaneRingBytes));
    }

    [Test]
    public void A_server_that_is_not_there_ends_the_join_with_a_reason()
    {
        using SimWorld world = new(1);
        Node silent = world.AddNode();
        Node node = world.AddNode();
        using MessageEndpoint endpoint = new(node.Daemon, node.Host.Address, Messaging);
        SequenceClient client = SequenceClient.Begin(
            endpoint, silent.Host.Address.WithPort(7000), MemberOptions.From(Config(), "m0"));
        SequencingException? refusal = null;

        world.RunUntil(() => (refusal = Poll(client)) is not null, Limit);

        Assert.That(refusal!.Error, Is.EqualTo(SequencingError.ConnectionLost));
        Assert.That(refusal.Message, Does.Contain("HandshakeTimeout"));
    }

    private static MessagingConfig Messaging => new() { Core = SimWorld.Plain };

    private static SequencingConfig Config() => new()
    {
        Roster =
        [
            .. Enumerable.Range(0, Members).Select(i => new MemberDeclaration($"m{i}")
            {
                Publish = ["state"],
                Subscribe = ["state"],
                Lookahead = Delay.Ticks(1 + i),
            }),
        ],
    };

    private static string Play(ulong seed, LinkModel link)
    {
        using SimWorld world = new(seed);
        world.Network.DefaultLink = link;
        SequencingConfig config = Config();
        using SequenceServer server = new(world.AddNode().Daemon, Any(world, 0, 7000), config, Messaging);
        Player[] players =
        [
            .. Enumerable.Range(0, Members)
                .Select(i => new Player(Begin(world, server, MemberOptions.From(config, $"m{i}")))),
        ];

        world.RunUntil(() => players.Count(player => player.Act()) == players.Length, Limit);
        world.RunUntil(() => server.HasEnded, Limit);

        Assert.That(server.Refusals, Is.Zero);
        Assert.That(world.Nodes.All(node => node.Daemon.Fault is null), Is.True);
        return $"{server.RunDigest:x16} " + string.Join(' ', players.Select(player => player.History));
    }

    private static SequenceClient Begin(
        SimWorld world, SequenceServer server, MemberOptions options, MessagingConfig? messaging = null)
    {
        Node node = world.AddNode();
        MessageEndpoint endpoint = new(node.Daemon, node.Host.Address, messaging ?? Messaging);
        return SequenceClient.Begin(endpoint, server.LocalAddress, options);
    }

    private static PeerAddress Any(SimWorld world, int node, int port) => world.Nodes[node].Host.Address.WithPort(port);

    private static SequencingException? Poll(SequenceClient client)
    {
        try
        {
            client.TryTakeGrant(out _);
            return null;
        }
        catch (SequencingException refusal)
        {
            return refusal;
        }
    }

    /// <summary>Publishes what it has seen at each step, so that any difference spreads.</summary>
    private sealed class Player(SequenceClient client)
    {
        private readonly StringBuilder _seen = new();
        private int _step;
        private bool _resigned;

        internal string History => $"{client.Name}:{client.Digest:x16}";

        /// <returns>True when it has resigned.</returns>
        internal bool Act()
        {
            while (!_resigned && client.TryTakeGrant(out Grant? grant))
            {
                foreach (SequencedMessage message in grant.Messages)
                {
                    _seen.Append(message.Sender).Append(message.Arrival).Append(message.Payload.Length);
                }

                if (_step == Steps)
                {
                    client.Resign(TimeSpan.Zero);
                    _resigned = true;
                    break;
                }

                _step++;
                client.Publish("state", Encoding.UTF8.GetBytes(_seen.ToString()[^Math.Min(_seen.Length, 200)..]));
                client.RequestTo(grant.Tag + Delay.Ticks(1));
            }

            return _resigned;
        }
    }
}
