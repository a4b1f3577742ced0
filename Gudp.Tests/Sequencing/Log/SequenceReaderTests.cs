using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Log;

/// <summary>Reading a run from beside it, over the whole stack in virtual time.</summary>
[TestFixture]
public sealed class SequenceReaderTests
{
    private const int Members = 2;
    private const int Steps = 40;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    // S-E4, S-E10: whoever reads from the beginning reads the same, whenever it comes and whatever the network.
    [TestCase(0, 0)]
    [TestCase(60, 50_000)]
    public void S_E10_readers_get_every_number_once_and_the_end_and_hold_nobody(int joinsAfter, int loss)
    {
        using SimWorld world = new(3);
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(5), LossPpm = loss };
        using SequenceServer server = Serve(world, new SequencingConfig
        {
            Roster = Roster,
            Operators = OperatorAccess.All,
        });
        List<Player> players = Join(world, server);
        List<Listener> listeners = [];
        int turns = 0;

        world.RunUntil(
            () =>
            {
                if (turns++ >= joinsAfter && listeners.Count < 3)
                {
                    listeners.Add(new Listener(Read(world, server, HistoryStart.FromNumber(1))));
                }

                players.ForEach(player => player.Act());
                return listeners.Count == 3 && listeners.TrueForAll(listener => listener.HasEnded());
            },
            Limit);

        Assert.That(listeners[0].Numbers, Is.EqualTo(Enumerable.Range(1, Members * Steps).Select(n => (long)n)));
        Assert.That(listeners.Select(listener => listener.Digest), Is.All.EqualTo(server.RunDigest));
        Assert.That(listeners.Select(listener => string.Concat(listener.Seen)).Distinct().Count(), Is.EqualTo(1));
        Assert.That(listeners[0].Seen[0], Does.StartWith("m"));
    }

    [Test]
    public void A_reader_that_is_not_let_in_is_told_so()
    {
        using SimWorld world = new(3);
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(5) };
        using SequenceServer server = Serve(
            world, new SequencingConfig { Roster = Roster, Operators = OperatorAccess.None });
        using SequenceReader reader = Read(world, server, HistoryStart.Live);
        SequencingException? refusal = null;

        world.RunUntil(() => (refusal = Poll(reader)) is not null, Limit);

        Assert.That(refusal!.Error, Is.EqualTo(SequencingError.NotAllowed));
    }

    // S-E13: only the reader that stopped loses anything, it is told from where on, and the run never noticed.
    [Test]
    public void S_E13_a_reader_that_stops_falls_behind_alone_and_gets_the_number_it_goes_on_from()
    {
        using SimWorld world = new(3);
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(5) };
        using SequenceServer server = Serve(world, new SequencingConfig
        {
            Roster = Roster,
            Operators = OperatorAccess.All,
            LogMessages = 20,
        });
        List<Player> players = Join(world, server);
        using SequenceReader reader = Read(world, server, HistoryStart.FromNumber(1));
        List<LogRead> read = [];
        world.RunUntil(
            () =>
            {
                players.ForEach(player => player.Act());
                return reader.TryRead(out LogRead first) && first.Kind == LogReadKind.Message;
            },
            Limit);

        world.RunUntil(() => players.Count(player => player.Act()) == Members && server.HasEnded, Limit);
        world.RunUntil(
            () =>
            {
                while (reader.TryRead(out LogRead next))
                {
                    read.Add(next);
                }

                return read.Count > 0 && read[^1].Kind == LogReadKind.End;
            },
            Limit);

        LogRead gap = read.Single(one => one.Kind == LogReadKind.Trimmed);
        Assert.That(gap.Number, Is.EqualTo((Members * Steps) - 20 + 1));
        Assert.That(read[read.IndexOf(gap) + 1].Number, Is.EqualTo(gap.Number));
        Assert.That(server.RunDigest, Is.EqualTo(read[^1].RunDigest));
    }

    [Test]
    public void The_last_so_many_or_a_snapshot_are_for_members()
    {
        using SimWorld world = new(3);
        using SequenceServer server = Serve(world, new SequencingConfig { Roster = Roster });

        Assert.That(() => Read(world, server, HistoryStart.Last(1)), Throws.ArgumentException);
        Assert.That(() => Read(world, server, HistoryStart.Snapshot), Throws.ArgumentException);
    }

    private static MessagingConfig Messaging => new() { Core = SimWorld.Plain };

    private static List<MemberDeclaration> Roster =>
    [
        .. Enumerable.Range(0, Members).Select(i => new MemberDeclaration($"m{i}")
        {
            Publish = ["state"],
            Subscribe = ["state"],
            Lookahead = Delay.Ticks(1 + i),
        }),
    ];

    private static SequenceServer Serve(SimWorld world, SequencingConfig config)
        => new(world.AddNode().Daemon, world.Nodes[0].Host.Address.WithPort(7000), config, Messaging);

    private static List<Player> Join(SimWorld world, SequenceServer server)
    {
        List<Player> players = [];

        for (int i = 0; i < Members; i++)
        {
            players.Add(new Player(SequenceClient.Begin(
                Endpoint(world), server.LocalAddress, new MemberOptions($"m{i}")
                {
                    Publish = ["state"],
                    Subscribe = ["state"],
                    Lookahead = Delay.Ticks(1 + i),
                })));
        }

        return players;
    }

    private static SequenceReader Read(SimWorld world, SequenceServer server, HistoryStart from)
        => SequenceReader.Connect(Endpoint(world), server.LocalAddress, from);

    private static MessageEndpoint Endpoint(SimWorld world)
    {
        Node node = world.AddNode();
        return new MessageEndpoint(node.Daemon, node.Host.Address, Messaging);
    }

    private static SequencingException? Poll(SequenceReader reader)
    {
        try
        {
            reader.TryRead(out _);
            return null;
        }
        catch (SequencingException refusal)
        {
            return refusal;
        }
    }

    private sealed class Player(SequenceClient client)
    {
        private int _step;
        private bool _resigned;

        internal bool Act()
        {
            while (!_resigned && client.TryTakeGrant(out Grant? grant))
            {
                if (_step == Steps)
                {
                    client.Resign(TimeSpan.Zero);
                    _resigned = true;
                    break;
                }

                _step++;
                client.Publish("state", BitConverter.GetBytes(grant.Messages.Count));
                client.RequestTo(grant.Tag + Delay.Ticks(1));
            }

            return _resigned;
        }
    }

    private sealed class Listener(SequenceReader reader)
    {
        private readonly List<LogRead> _read = [];

        internal IEnumerable<long> Numbers
            => _read.Where(one => one.Kind == LogReadKind.Message).Select(one => one.Number);

        internal List<string> Seen => [.. _read.Where(one => one.Message is not null).Select(one =>
            $"{one.Message!.Sender} {one.Message.SubSequence} {one.Message.Arrival} {one.Message.Channel};")];

        internal ulong Digest => _read[^1].RunDigest;

        internal bool HasEnded()
        {
            while (reader.TryRead(out LogRead read))
            {
                _read.Add(read);
            }

            return _read.Count > 0 && _read[^1].Kind == LogReadKind.End;
        }
    }
}
