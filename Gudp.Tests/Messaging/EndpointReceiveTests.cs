using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>One reader for all peers of an endpoint, in virtual time.</summary>
[TestFixture]
public sealed class EndpointReceiveTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan AWhile = TimeSpan.FromSeconds(1);

    private static readonly MessagingConfig Plain = new() { Core = SimWorld.Plain };

    // Memory for a few messages of 60 KB.
    private static readonly MessagingConfig Narrow = Plain with
    {
        LaneRingBytes = 64 * 1024,
        DatagramQueueBytes = 128 * 1024,
        MaxMessageBytes = 64 * 1024,
        PeerMemoryBytes = 512 * 1024,
        EndpointMemoryBytes = 512 * 1024,
    };

    [Test]
    public void M12_Messages_of_all_peers_are_taken_in_turn_however_much_one_of_them_sends()
    {
        using PeerStar star = new(clients: 3, Plain);
        star.SendFrom(0, count: 100);
        star.SendFrom(1, count: 1);
        star.SendFrom(2, count: 1);
        star.World.Run(AWhile);

        List<Peer> first = [.. Enumerable.Range(0, 6).Select(_ => star.TakeAtHub())];
        int rest = star.TakeAllAtHub();

        Assert.That(first.Take(3), Is.Unique, "Each has its turn before anybody has the next.");
        Assert.That(first, Is.SupersetOf(star.Accepted));
        Assert.That(rest, Is.EqualTo(96));
    }

    [Test]
    public void Polling_gives_each_peer_a_turn_within_one_budget()
    {
        using PeerStar star = new(clients: 2, Plain);
        star.SendFrom(0, count: 500);
        star.SendFrom(1, count: 500);
        star.World.Run(AWhile);
        Tally tally = new([]);

        int first = star.Hub.Poll(ref tally, budget: 100);
        int fewest = tally.Counts.Values.Min();
        int second = star.Hub.Poll(ref tally, budget: 2_000);

        Assert.That(first, Is.EqualTo(100));
        Assert.That(fewest, Is.GreaterThanOrEqualTo(32));
        Assert.That(tally.Counts, Has.Count.EqualTo(2));
        Assert.That(second, Is.EqualTo(900));
        Assert.That(star.Hub.Poll(ref tally, budget: 1), Is.Zero);
    }

    [Test]
    public void A_handler_that_throws_leaves_its_message_for_the_next_poll()
    {
        using PeerStar star = new(clients: 1, Plain);
        star.SendFrom(0, count: 1);
        star.World.Run(AWhile);
        Thrower thrower = default;
        Tally tally = new([]);

        Assert.Throws<NotSupportedException>(() => star.Hub.Poll(ref thrower, budget: 10));
        int polled = star.Hub.Poll(ref tally, budget: 10);

        Assert.That(polled, Is.EqualTo(1));
    }

    [Test]
    public void What_one_reader_of_a_single_peer_took_is_not_handed_out_again()
    {
        using PeerStar star = new(clients: 1, Plain);
        star.SendFrom(0, count: 2);
        star.World.Run(AWhile);

        bool single = star.Accepted[0].TryReceive(out ReceivedMessage message);
        message.Dispose();
        int rest = star.TakeAllAtHub();

        Assert.That(single, Is.True);
        Assert.That(rest, Is.EqualTo(1));
    }

    // Goal: a message that could not be handed out, because those held use up the memory, is found once one is back.
    [Test]
    public void A_message_without_memory_comes_when_another_one_was_disposed()
    {
        using PeerStar star = new(clients: 1, Narrow);
        List<ReceivedMessage> held = HoldUntilMemoryLacks(star);

        bool before = star.Hub.TryReceive(out _, out _);
        held.ForEach(message => message.Dispose());
        star.World.Run(AWhile);
        int after = star.TakeAllAtHub();

        Assert.That(held, Has.Count.InRange(1, 8));
        Assert.That(before, Is.False);
        Assert.That(after, Is.GreaterThan(0));
    }

    [Test]
    public void A_reader_that_lacks_memory_looks_again_after_a_while_and_not_without_end([Values] bool isAsync)
    {
        using PeerStar star = new(clients: 1, Narrow);
        List<ReceivedMessage> held = HoldUntilMemoryLacks(star);
        long before = star.Hub.Ready.Changes.Version;

        bool received = isAsync
            ? star.Hub.ReceiveAllAsync(TimeSpan.FromMilliseconds(100)).GetAsyncEnumerator().MoveNextAsync().AsTask().Result
            : star.Hub.Receive(TimeSpan.FromMilliseconds(100), out _, out _) == ReceiveStatus.Received;
        long signals = star.Hub.Ready.Changes.Version - before;
        held.ForEach(message => message.Dispose());

        Assert.That(received, Is.False);
        Assert.That(signals, Is.LessThanOrEqualTo(2), "Who goes tells others once.");
    }

    [Test]
    public void A_peer_that_is_given_up_leaves_the_line_of_those_who_are_served()
    {
        using PeerStar star = new(clients: 2, Plain);
        star.SendFrom(0, count: 3);
        star.SendFrom(1, count: 1);
        star.World.Run(AWhile);

        star.Accepted[0].Dispose();
        star.World.Run(AWhile);
        int waiting = star.Hub.Ready.Count;
        Peer from = star.TakeAtHub();
        star.World.Run(AWhile);

        Assert.That(waiting, Is.EqualTo(1));
        Assert.That(from, Is.SameAs(star.Accepted[1]));
        Assert.That(star.TakeAllAtHub(), Is.Zero);
    }

    [Test]
    public void A_disposed_endpoint_hands_out_what_is_there_and_then_says_that_it_is_closed()
    {
        using PeerStar star = new(clients: 1, Plain);
        star.SendFrom(0, count: 1);
        star.World.Run(AWhile);

        star.Hub.Dispose();
        ReceiveStatus first = star.Hub.Receive(TimeSpan.Zero, out _, out ReceivedMessage message);
        message.Dispose();
        ReceiveStatus second = star.Hub.Receive(TimeSpan.Zero, out Peer? nobody, out _);

        Assert.That(first, Is.EqualTo(ReceiveStatus.Received));
        Assert.That(second, Is.EqualTo(ReceiveStatus.Closed));
        Assert.That(nobody, Is.Null);
    }

    [Test]
    public void Nothing_there_in_time_is_told_apart_from_the_end()
    {
        using PeerStar star = new(clients: 1, Plain);

        ReceiveStatus status = star.Hub.Receive(TimeSpan.Zero, out _, out _);

        Assert.That(status, Is.EqualTo(ReceiveStatus.TimedOut));
    }

    // Goal: a loop that only polls serves everybody, though nobody ever accepts.
    [Test]
    public void Whoever_reads_the_endpoint_need_not_accept_and_its_end_does_not_end_those_peers()
    {
        const int Callers = 6;
        ConnectionConfig connections = SimWorld.Plain.Connections with { Queues = new() { PendingAccepts = 2 } };
        MessagingConfig few = new() { Core = SimWorld.Plain with { Connections = connections } };
        using SimWorld world = new(seed: 1);
        Node home = world.AddNode(few.Core);
        MessageEndpoint hub = new(home.Daemon, home.Host.Address.WithPort(7000), few);
        hub.Listen();
        Tally tally = new([]);
        hub.Poll(ref tally, budget: 1);
        Peer[] callers = [.. Enumerable.Range(0, Callers).Select(_ => Call(world, hub, few))];

        Array.ForEach(callers, caller => caller.TrySend("hello"u8));
        world.RunUntil(() => hub.Poll(ref tally, budget: 10) >= 0 && tally.Counts.Count == Callers, Limit);
        hub.Dispose();
        world.Run(AWhile);

        Assert.That(tally.Counts, Has.Count.EqualTo(Callers));
        Assert.That(callers.Select(caller => caller.Status.IsOpen), Is.All.True);
    }

    [Test]
    public void An_endpoint_with_a_sink_refuses_other_readers()
    {
        using SimWorld world = new(seed: 1);
        Node node = world.AddNode();
        using MessageEndpoint endpoint = new(node.Daemon, node.Host.Address.WithPort(7000), Plain, new RecordingSink());

        Assert.Throws<InvalidOperationException>(() => endpoint.TryReceive(out _, out _));
    }

    private static Peer Call(SimWorld world, MessageEndpoint hub, MessagingConfig config)
    {
        Node node = world.AddNode(config.Core);
        MessageEndpoint endpoint = new(node.Daemon, node.Host.Address.WithPort(0), config);
        return endpoint.Connect(hub.LocalAddress);
    }

    // Messages that use up the memory, with one more that waits for some.
    private static List<ReceivedMessage> HoldUntilMemoryLacks(PeerStar star)
    {
        List<ReceivedMessage> held = [];

        for (int i = 0; i < 20; i++)
        {
            star.Clients[0].TrySend(new byte[60 * 1024]);
            star.World.Run(AWhile);

            if (star.Hub.TryReceive(out _, out ReceivedMessage message))
            {
                held.Add(message);
            }
        }

        return held;
    }

    private readonly struct Tally(Dictionary<Peer, int> counts) : IMessageHandler
    {
        internal Dictionary<Peer, int> Counts => counts;

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
            => counts[from] = counts.GetValueOrDefault(from) + 1;
    }

    private struct Thrower : IMessageHandler
    {
        public readonly void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
            => throw new NotSupportedException();
    }
}
