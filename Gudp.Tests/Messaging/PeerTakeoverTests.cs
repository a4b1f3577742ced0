using System.Text;
using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>What could go wrong when one session of a peer follows another (D-12).</summary>
[TestFixture]
public sealed class PeerTakeoverTests
{
    private static readonly PeerId Kept = PeerId.Parse("600d1d");
    private static readonly SendOptions Told = new() { NotifyReceived = true };

    [Test]
    public void A_reader_of_the_former_session_that_another_one_polls_is_woken_when_that_one_leaves()
    {
        using PeerWorld world = new(seed: 1);
        Place server = world.Add();
        Place client = world.Add(id: Kept);
        Peer accepted = LeaveTwoUnread(world, server, client);
        ReadInside handler = new(accepted);

        int polled = accepted.Poll(ref handler, budget: 1);
        bool woken = handler.Reading!.Wait(TimeSpan.FromSeconds(10));

        Assert.That(polled, Is.EqualTo(1));
        Assert.That(woken, Is.True);
        Assert.That(PeerWorld.Text(handler.Reading.Result!.Value), Is.EqualTo("2"));
    }

    [Test]
    public void M6_What_waits_for_a_pinned_peer_survives_attempts_that_fail()
    {
        using PeerWorld world = new(seed: 2);
        Place client = world.Add();
        Place server = world.Add();
        world.IsCut = true;
        Peer pinned = client.Endpoint.Pin(server.Address);

        pinned.TrySend("kept"u8, Told, out SendReceipt receipt);
        world.Run(seconds: 60);
        SendReceipt away = pinned.StateOf(receipt.Id);
        world.IsCut = false;
        Peer accepted = world.Accept(server);
        string received = world.Await(accepted);
        world.Run(seconds: 1);

        Assert.That(away.Transfer, Is.EqualTo(TransferState.Queued));
        Assert.That(received, Is.EqualTo("kept"));
        Assert.That(pinned.StateOf(receipt.Id).Transfer, Is.EqualTo(TransferState.Received));
        Assert.That(pinned.ReadStatistics().Packets.BytesSent, Is.EqualTo(client.Node.Daemon.ReadCounters().BytesSent));
        Assert.That(
            client.Endpoint.ReadStatistics().Packets.BytesSent, Is.EqualTo(client.Node.Daemon.ReadCounters().BytesSent));
        Assert.That(client.Endpoint.ReadStatistics().Sessions, Is.EqualTo(1), "One session on several connections.");
    }

    [Test]
    public void M7_What_waits_for_an_unpinned_peer_ends_with_the_attempt()
    {
        using PeerWorld world = new(seed: 3);
        Place client = world.Add();
        Place server = world.Add();
        world.IsCut = true;
        Peer pinned = client.Endpoint.Pin(server.Address);
        pinned.TrySend("given up"u8, Told, out SendReceipt receipt);
        world.Run(seconds: 20);

        pinned.Unpin();
        world.Run(seconds: 20);

        Assert.That(pinned.Status.IsFinal, Is.True);
        Assert.That(pinned.StateOf(receipt.Id).Transfer, Is.EqualTo(TransferState.Cancelled));
        Assert.That(client.Endpoint.CountPeers(PeerFilter.Known), Is.Zero);
    }

    [Test]
    public void Attempts_that_fail_cost_nothing_that_was_received_before()
    {
        using PeerWorld world = new(seed: 4);
        Place client = world.Add();
        Place server = world.Add();
        Peer pinned = client.Endpoint.Pin(server.Address);
        Peer accepted = world.Accept(server);
        accepted.TrySend("unread"u8);
        world.Run(seconds: 1);

        world.IsCut = true;
        world.Run(seconds: 5);
        pinned.TrySend("waits"u8, Told);
        world.Run(seconds: 60);
        world.IsCut = false;
        world.RunUntil(() => pinned.IsActive, "The next connection");

        Assert.That(PeerWorld.ReadAll(pinned), Is.EqualTo(new[] { "unread" }));
        Assert.That(client.Endpoint.SessionsGivenUp, Is.Zero);
    }

    [Test]
    public void A_session_given_up_by_dialling_again_is_counted()
    {
        using PeerWorld world = new(seed: 5);
        Place client = world.Add();
        Place server = world.Add();
        Peer pinned = client.Endpoint.Pin(server.Address);

        for (int i = 0; i < 3; i++)
        {
            Peer accepted = world.Accept(server);
            world.RunUntil(() => pinned.IsActive, "The connection");
            accepted.TrySend(Encoding.UTF8.GetBytes($"{i}"));
            world.Run(seconds: 1);
            accepted.Dispose();
            world.RunUntil(() => !pinned.IsActive, "The end");
        }

        world.RunUntil(() => pinned.IsActive, "The last");

        Assert.That(client.Endpoint.SessionsGivenUp, Is.EqualTo(2));
        Assert.That(PeerWorld.ReadAll(pinned), Is.EqualTo(new[] { "2" }));
    }

    [Test]
    public void A_pinned_address_where_ever_other_processes_answer_costs_no_more_than_one_id()
    {
        using PeerWorld world = new(seed: 6);
        Place client = world.Add();
        Place server = world.Add();
        Peer pinned = client.Endpoint.Pin(server.Address);

        for (int i = 0; i < 5; i++)
        {
            world.RunUntil(() => pinned.IsActive, "The connection");
            world.Restart(server);
            world.RunUntil(() => !pinned.IsActive, "The end");
        }

        world.RunUntil(() => pinned.Id == server.Endpoint.Id, "The last");

        Assert.That(client.Endpoint.Peers.IdCount, Is.EqualTo(1));
        Assert.That(client.Endpoint.CountPeers(PeerFilter.Known), Is.EqualTo(1));
    }

    [Test]
    public void A_pinned_address_where_another_known_peer_answers_names_that_one_and_leaks_nothing()
    {
        using PeerWorld world = new(seed: 7);
        Place client = world.Add();
        Place first = world.Add();
        Place second = world.Add(id: Kept);
        Peer pinned = client.Endpoint.Pin(first.Address);
        Peer atFirst = world.Accept(first);
        atFirst.TrySend("unread"u8);
        (Peer known, _) = world.Connect(client, second);
        PeerEvent[] events = new PeerEvent[8];
        _ = client.Endpoint.TakePeerChanges(events);
        known.Block();

        // The first is gone, and the process of the second answers at its address.
        world.Restart(first, id: Kept);
        world.RunUntil(() => known.RemoteAddress == first.Address && known.IsActive, "The other address");
        world.Run(seconds: 1);
        int count = client.Endpoint.TakePeerChanges(events);

        Assert.That(pinned.Id, Is.EqualTo(known.Id));
        Assert.That(known.IsPinned && known.IsBlocked, Is.True);
        Assert.That(client.Endpoint.CountPeers(PeerFilter.Known), Is.EqualTo(1));
        Assert.That(client.Endpoint.Peers.IdCount, Is.EqualTo(1));
        Assert.That(client.Endpoint.SessionsGivenUp, Is.EqualTo(1), "What the name had of its own.");
        Assert.That(
            events[..count].Count(told => told.Change == PeerChange.Closed && ReferenceEquals(told.Peer, pinned)),
            Is.EqualTo(1));
        Assert.That(events[..count].Count(told => ReferenceEquals(told.Peer, known)), Is.EqualTo(1));
        Assert.That(count, Is.EqualTo(2));
    }

    [Test]
    public void A_block_of_a_peer_that_proves_to_be_known_blocks_that_one()
    {
        using PeerWorld world = new(seed: 8);
        Place client = world.Add();
        Place server = world.Add(id: Kept);
        (Peer known, _) = world.Connect(client, server);
        using MessageEndpoint twin = new(server.Node.Daemon, server.Node.Host.Address.WithPort(7_001), server.Config);
        twin.Listen();

        Peer other = client.Endpoint.Connect(twin.LocalAddress);
        other.Block();
        world.RunUntil(() => known.RemoteAddress == twin.LocalAddress, "The other address");

        Assert.That(known.IsBlocked, Is.True);
        Assert.That(known.Session.IsBlocked, Is.True);
    }

    [Test]
    public void Who_comes_back_while_its_peer_is_being_disposed_is_accepted_anew()
    {
        using PeerWorld world = new(seed: 9);
        Place server = world.Add();
        Place client = world.Add(id: Kept);
        (_, Peer accepted) = world.Connect(client, server);

        // Nobody fetches it, so the close lingers for a second.
        world.World.Network.DefaultLink = PeerWorld.Link with { LossPpm = 0 };
        accepted.TrySend(new byte[500_000]);
        world.Restart(client, id: Kept);
        accepted.Dispose();
        Peer dialled = client.Endpoint.Connect(server.Address);
        world.RunUntil(() => dialled.Status.IsOpen, "The next connection");
        Peer again = world.Accept(server);
        dialled.TrySend("hello"u8);

        Assert.That(again.Status.IsOpen, Is.True);
        Assert.That(world.Await(again), Is.EqualTo("hello"));
    }

    [Test]
    public void A_sink_that_throws_at_a_restart_loses_its_connection_and_nothing_else()
    {
        using PeerWorld world = new(seed: 10);
        RestartThrower sink = new();
        Place server = world.Add(sink: sink);
        Place client = world.Add(id: Kept);
        Peer first = client.Endpoint.Connect(server.Address);
        world.RunUntil(() => first.Status.IsOpen, "The connection");

        world.Restart(client, id: Kept);
        Peer second = client.Endpoint.Connect(server.Address);
        world.RunUntil(() => second.Status.IsFinal, "The end");

        Assert.That(second.CloseReason!.Code, Is.EqualTo(CloseCode.HandlerFault));
        Assert.That(server.Node.Daemon.Fault, Is.Null);
    }

    [Test]
    public void Who_was_never_accepted_ends_with_the_endpoint_also_on_a_later_connection()
    {
        using PeerWorld world = new(seed: 13);
        Place server = world.Add();
        Place client = world.Add(id: Kept);
        Peer first = client.Endpoint.Connect(server.Address);
        world.RunUntil(() => first.Status.IsOpen, "The connection");
        world.Restart(client, id: Kept);
        Peer second = client.Endpoint.Connect(server.Address);
        world.RunUntil(() => second.Status.IsOpen, "The next connection");
        world.Run(seconds: 1);

        server.Endpoint.Dispose();
        world.RunUntil(() => second.Status.IsFinal, "The end");
        world.Run(seconds: 5);

        Assert.That(second.CloseReason!.Code, Is.EqualTo(CloseCode.None));
        Assert.That(server.Node.Daemon.LiveCount, Is.Zero);
    }

    [Test]
    public void Pinning_on_a_daemon_that_has_stopped_closes_the_peer()
    {
        using Daemon daemon = new(PeerWorld.Hasty.Core);
        using MessageEndpoint endpoint = new(daemon, PeerAddress.LoopbackIPv4(0), PeerWorld.Hasty);
        Peer before = endpoint.Connect(PeerAddress.LoopbackIPv4(9));
        daemon.Dispose();

        before.Pin();
        Peer after = endpoint.Pin(PeerAddress.LoopbackIPv4(10));

        Assert.That(before.Status.IsFinal, Is.True);
        Assert.That(after.Status.IsFinal, Is.True);
        Assert.That(before.Receive(Timeout.InfiniteTimeSpan, out _), Is.EqualTo(ReceiveStatus.Closed));
        Assert.That(before.WaitUntilOpen(Timeout.InfiniteTimeSpan), Is.False);
        after.Dispose();
        before.Dispose();
        Assert.That(endpoint.CountPeers(PeerFilter.Known), Is.Zero);
    }

    [Test]
    public void M11_What_is_read_of_an_ended_session_is_counted_in_the_endpoint_too()
    {
        using PeerWorld world = new(seed: 11);
        Place server = world.Add();
        Place client = world.Add(id: Kept);
        Peer accepted = LeaveTwoUnread(world, server, client);

        Assert.That(accepted.TryReceive(out ReceivedMessage first), Is.True);
        Assert.That(PeerWorld.ReadAll(accepted), Is.EqualTo(new[] { "2", "3" }));
        PeerStatistics whileHeld = server.Endpoint.ReadStatistics();
        first.Refuse();
        PeerStatistics peer = accepted.ReadStatistics();
        PeerStatistics all = server.Endpoint.ReadStatistics();

        Assert.That(whileHeld.Messages.Messages.MessagesReceived, Is.EqualTo(3));
        Assert.That(all.Messages.Messages.MessagesRefused, Is.EqualTo(1));
        Assert.That(all.Messages.Messages, Is.EqualTo(peer.Messages.Messages));
        Assert.That(all.Sessions, Is.EqualTo(peer.Sessions));
    }

    [Test]
    public void What_a_full_ledger_holds_back_is_not_lost_when_the_connection_ends([Values] bool ordered)
    {
        const int Sent = 1_030;
        MessagingConfig config = PeerWorld.Hasty with
        {
            LanePlan = LanePlan.Default.With(
                3, new LaneOptions { Mode = ordered ? LaneMode.OrderedReliable : LaneMode.UnorderedReliable }),
        };
        using PeerWorld world = new(seed: 12);
        Place server = world.Add(config);
        Place client = world.Add(config);
        (Peer dialled, Peer accepted) = world.Connect(client, server);

        for (int i = 0; i < Sent; i++)
        {
            Assert.That(
                dialled.TrySend("asked"u8, new SendOptions { Lane = 3, NotifyTaken = true }),
                Is.EqualTo(SendStatus.Accepted));
        }

        List<ReceivedMessage> held = [];

        for (int before = -1; before != held.Count;)
        {
            before = held.Count;
            world.Run(seconds: 1);

            while (accepted.TryReceive(out ReceivedMessage message))
            {
                held.Add(message);
            }
        }

        int atOnce = held.Count;
        bool waits = accepted.HasUnread;
        dialled.Dispose();
        world.Run(seconds: 5);
        held.ForEach(message => message.Dispose());
        int rest = PeerWorld.ReadAll(accepted).Length;

        Assert.That(atOnce, Is.EqualTo(1_024));
        Assert.That(waits, Is.True);
        Assert.That(rest, Is.EqualTo(Sent - atOnce));
    }

    // Received "1" and "2" on a connection that ended, and "3" on the present one; all unread.
    private static Peer LeaveTwoUnread(PeerWorld world, Place server, Place client)
    {
        (Peer first, Peer accepted) = world.Connect(client, server);
        first.TrySend("1"u8);
        first.TrySend("2"u8);
        world.Run(seconds: 0.5);
        first.Close();
        world.Run(seconds: 2);
        Peer second = client.Endpoint.Connect(server.Address);
        second.TrySend("3"u8);
        world.RunUntil(() => accepted.Status.IsOpen, "The next connection");
        world.Run(seconds: 0.5);
        return accepted;
    }

    /// <summary>Begins to read while it is handed the first message.</summary>
    private struct ReadInside(Peer peer) : IMessageHandler
    {
        internal Task<ReceivedMessage?>? Reading { get; private set; }

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
            => Reading = peer.ReceiveAsync().AsTask();
    }

    private sealed class RestartThrower : IMessageSink
    {
        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now)
        {
            // Nobody sends.
        }

        public void HandlePeer(Peer peer, PeerChange change, Instant now)
        {
            if (change == PeerChange.Restarted)
            {
                throw new NotSupportedException();
            }
        }

        public void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now)
        {
            // Nothing is sent.
        }
    }
}
