using System.Net;
using System.Text;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>What the application wishes of peers, and what it is told of them (D-12).</summary>
[TestFixture]
public sealed class PinnedPeerTests
{
    private static readonly PeerAddress Nobody = PeerAddress.From(IPEndPoint.Parse("10.99.0.1:7000"));
    private static readonly PeerId Kept = PeerId.Parse("600d1d");

    [Test]
    public void M6_I25_A_pinned_peer_is_connected_again_after_an_outage_and_both_ends_know_it_as_the_same()
    {
        using PeerWorld world = new(seed: 1);
        Place client = world.Add();
        Place server = world.Add();
        Peer pinned = client.Endpoint.Pin(server.Address);
        Peer accepted = world.Accept(server);
        accepted.Block();
        accepted.Unblock();
        pinned.TrySend("unread"u8);
        world.Run(seconds: 1);
        int before = pinned.Incarnation;

        world.IsCut = true;
        world.Run(seconds: 60);
        bool whileAway = pinned.IsActive;
        bool isFinalAway = pinned.Status.IsFinal;
        Instant healed = world.World.Now;
        world.IsCut = false;
        world.RunUntil(() => pinned.IsActive, "The next connection");
        TimeSpan until = world.World.Now - healed;
        pinned.TrySend("again"u8);
        world.Run(seconds: 1);

        Assert.That(whileAway, Is.False);
        Assert.That(isFinalAway, Is.False, "A pinned peer is never final.");
        Assert.That(pinned.Incarnation, Is.GreaterThan(before));
        Assert.That(until, Is.LessThan(TimeSpan.FromSeconds(13)), "The longest delay and a handshake.");
        Assert.That(PeerWorld.ReadAll(accepted), Is.EqualTo(new[] { "unread", "again" }));
    }

    [Test]
    public void M6_A_peer_is_pinned_before_it_is_there()
    {
        using PeerWorld world = new(seed: 2);
        Place client = world.Add();
        Place server = world.Add();
        PeerAddress address = server.Address;
        server.Endpoint.Dispose();
        world.Run(seconds: 1);

        Peer pinned = client.Endpoint.Pin(address);
        world.Run(seconds: 30);
        bool early = pinned.IsActive;
        SendStatus queued = pinned.TrySend("hello"u8);
        server.Open();
        world.RunUntil(() => pinned.IsActive, "The connection");

        Assert.That(early, Is.False);
        Assert.That(queued, Is.EqualTo(SendStatus.Accepted));
        Assert.That(pinned.Id, Is.EqualTo(server.Endpoint.Id));
    }

    [Test]
    public void M6_What_is_sent_while_a_pinned_peer_is_away_for_a_moment_goes_on_the_next_connection()
    {
        using PeerWorld world = new(seed: 3);
        Place client = world.Add();
        Place server = world.Add();
        Peer pinned = client.Endpoint.Pin(server.Address);
        Peer accepted = world.Accept(server);
        world.RunUntil(() => pinned.IsActive, "The connection");

        accepted.Close();
        world.RunUntil(() => !pinned.IsActive, "The end");
        SendStatus whileAway = pinned.TrySend("meanwhile"u8);
        Peer again = world.Accept(server);
        string received = world.Await(again);

        Assert.That(whileAway, Is.EqualTo(SendStatus.Accepted));
        Assert.That(received, Is.EqualTo("meanwhile"));
        Assert.That(again.Id, Is.EqualTo(accepted.Id));
    }

    [Test]
    public void R16_Attempts_become_rarer_up_to_the_longest_delay_and_never_at_once_for_two()
    {
        using PeerWorld world = new(seed: 4);
        Place one = world.Add();
        Place two = world.Add();
        List<double> attempts = [];
        List<double> others = [];
        Peer first = one.Endpoint.Pin(Nobody);
        Peer second = two.Endpoint.Pin(Nobody);
        Connection seenFirst = first.Connection;
        Connection seenSecond = second.Connection;
        world.World.Watch = () =>
        {
            NoteAttempt(first, ref seenFirst, attempts, world.World.Now);
            NoteAttempt(second, ref seenSecond, others, world.World.Now);
        };

        world.Run(seconds: 120);
        double[] gaps = [.. attempts.Zip(attempts.Skip(1), (a, b) => b - a)];

        // Each gap is the delay, a quarter more or less, and the handshake's time-out of 2 s.
        Assert.That(gaps[0], Is.InRange(2.07, 2.13));
        Assert.That(gaps[3], Is.InRange(2.6, 3.0));
        Assert.That(gaps[^1], Is.InRange(9.5, 14.5));
        Assert.That(attempts.Skip(1).Intersect(others.Skip(1)), Is.Empty, "They do not come together.");
    }

    [Test]
    public void M7_An_unpinned_peer_stays_connected_and_is_not_dialled_when_that_ends()
    {
        using PeerWorld world = new(seed: 5);
        Place client = world.Add();
        Place server = world.Add();
        Peer peer = client.Endpoint.Pin(server.Address);
        Peer accepted = world.Accept(server);
        world.RunUntil(() => peer.IsActive, "The connection");

        peer.Unpin();
        world.Run(seconds: 30);
        bool stayed = peer.IsActive;
        accepted.Close();
        world.Run(seconds: 30);

        Assert.That(stayed, Is.True);
        Assert.That(peer.IsActive, Is.False);
        Assert.That(peer.Status.IsFinal, Is.True);
        Assert.That(client.Endpoint.CountPeers(PeerFilter.Known), Is.Zero, "Nothing keeps it.");
    }

    [Test]
    public void Closing_a_pinned_peer_takes_the_wish_back()
    {
        using PeerWorld world = new(seed: 6);
        Place client = world.Add();
        Place server = world.Add();
        Peer peer = client.Endpoint.Pin(server.Address);
        world.RunUntil(() => peer.IsActive, "The connection");

        peer.Close();
        world.Run(seconds: 30);

        Assert.That(peer.IsPinned, Is.False);
        Assert.That(peer.Status.IsFinal, Is.True);
    }

    [Test]
    public void A_forgotten_peer_can_be_pinned_again()
    {
        using PeerWorld world = new(seed: 7);
        Place client = world.Add();
        Place server = world.Add();
        (Peer peer, Peer accepted) = world.Connect(client, server);
        accepted.Close();
        world.Run(seconds: 10);
        int forgotten = client.Endpoint.CountPeers(PeerFilter.Known);

        peer.Pin();
        world.RunUntil(() => peer.IsActive, "The connection");

        Assert.That(forgotten, Is.Zero);
        Assert.That(client.Endpoint.CountPeers(PeerFilter.Pinned), Is.EqualTo(1));
    }

    [Test]
    public void M38_A_peer_that_was_forgotten_is_not_made_anew_by_a_heartbeat()
    {
        using PeerWorld world = new(seed: 8);
        Place client = world.Add();
        Place server = world.Add();
        (Peer dialled, _) = world.Connect(client, server);
        world.Run(seconds: 1);

        // The server's process comes back and knows nobody; the client's heartbeat finds it.
        world.Restart(server);
        world.RunUntil(() => dialled.Status.IsFinal, "The end at the client");
        world.Run(seconds: 10);

        Assert.That(server.Endpoint.CountPeers(PeerFilter.Known), Is.Zero);
        Assert.That(server.Node.Daemon.ReadConnections(), Is.Empty);
        Assert.That(server.Endpoint.TryAccept(out _), Is.False);
    }

    [Test]
    public void M38_A_pinned_peer_comes_back_to_one_that_forgot_it_by_a_handshake()
    {
        using PeerWorld world = new(seed: 9);
        Place client = world.Add();
        Place server = world.Add(id: Kept);
        Peer pinned = client.Endpoint.Pin(server.Address);
        world.RunUntil(() => pinned.IsActive, "The connection");
        PeerEvent[] events = new PeerEvent[4];
        _ = client.Endpoint.TakePeerChanges(events);

        world.Restart(server, id: Kept);
        world.RunUntil(() => !pinned.IsActive, "The end");
        world.RunUntil(() => pinned.IsActive, "The next connection");
        world.Run(seconds: 1);
        int count = client.Endpoint.TakePeerChanges(events);

        Assert.That(count, Is.EqualTo(1));
        Assert.That(events[0], Is.EqualTo(new PeerEvent(pinned, PeerChange.Restarted, pinned.Incarnation)));
        Assert.That(server.Endpoint.CountPeers(PeerFilter.Active), Is.EqualTo(1));
    }

    [Test]
    // S-10.4, D-12.4
    public void Two_ends_that_dial_each_other_at_once_have_one_connection_and_lose_nothing([Range(1, 40)] int seed)
    {
        using PeerWorld world = new((ulong)seed);
        Place left = world.Add(PeerWorld.Patient);
        Place right = world.Add(PeerWorld.Patient);
        world.World.Network.DefaultLink = PeerWorld.Link with
        {
            LossPpm = seed % 2 == 0 ? 0 : 200_000,
            Jitter = TimeSpan.FromMilliseconds(seed % 5),
        };

        Peer atLeft = left.Endpoint.Pin(right.Address);
        world.World.Run(TimeSpan.FromMilliseconds(seed % 4 * 10));
        Peer atRight = right.Endpoint.Pin(left.Address);

        for (int i = 0; i < 10; i++)
        {
            atLeft.TrySend(Encoding.UTF8.GetBytes($"{i}"));
            atRight.TrySend(Encoding.UTF8.GetBytes($"{i}"));
        }

        world.Run(seconds: 20);
        string[] all = [.. Enumerable.Range(0, 10).Select(i => $"{i}")];

        Assert.That(atLeft.IsActive && atRight.IsActive, Is.True);
        Assert.That(left.Endpoint.CountPeers(PeerFilter.Known), Is.EqualTo(1));
        Assert.That(right.Endpoint.CountPeers(PeerFilter.Known), Is.EqualTo(1));
        Assert.That(left.Node.Daemon.ReadConnections(), Has.Length.EqualTo(1));
        Assert.That(right.Node.Daemon.ReadConnections(), Has.Length.EqualTo(1));
        Assert.That(PeerWorld.ReadAll(atRight), Is.EqualTo(all));
        Assert.That(PeerWorld.ReadAll(atLeft), Is.EqualTo(all));
        Assert.That(left.Endpoint.TryAccept(out _), Is.False, "Nobody needs to accept whom it dialled.");
    }

    [Test]
    public void Two_ends_that_both_pin_the_other_come_together_after_an_outage([Range(1, 10)] int seed)
    {
        using PeerWorld world = new((ulong)seed);
        Place left = world.Add();
        Place right = world.Add();
        Peer atLeft = left.Endpoint.Pin(right.Address);
        Peer atRight = right.Endpoint.Pin(left.Address);
        world.RunUntil(() => atLeft.IsActive && atRight.IsActive, "The connection");

        world.IsCut = true;
        world.Run(seconds: 20 + seed);
        world.IsCut = false;
        world.RunUntil(() => atLeft.IsActive && atRight.IsActive, "The next connection");
        world.Run(seconds: 20);

        Assert.That(atLeft.IsActive && atRight.IsActive, Is.True);
        Assert.That(left.Node.Daemon.ReadConnections(), Has.Length.EqualTo(1));
        Assert.That(right.Node.Daemon.ReadConnections(), Has.Length.EqualTo(1));
    }

    [Test]
    public void M34_A_peer_dialled_at_another_address_is_another_name_for_the_one_that_is_known()
    {
        using PeerWorld world = new(seed: 10);
        Place client = world.Add();
        Place server = world.Add(id: Kept);
        (Peer known, _) = world.Connect(client, server);
        MessageEndpoint twin = new(server.Node.Daemon, server.Node.Host.Address.WithPort(7_001), server.Config);
        twin.Listen();

        Peer other = client.Endpoint.Connect(twin.LocalAddress);
        other.Tag = "mine";
        SendStatus sent = other.TrySend("hello"u8);
        world.RunUntil(() => known.RemoteAddress == twin.LocalAddress, "The other address");
        Peer? accepted = null;
        world.RunUntil(() => twin.TryAccept(out accepted), "The peer");

        Assert.That(sent, Is.EqualTo(SendStatus.Accepted));
        Assert.That(other.Id, Is.EqualTo(known.Id));
        Assert.That(other.Incarnation, Is.EqualTo(known.Incarnation));
        Assert.That(known.Tag, Is.EqualTo("mine"));
        Assert.That(client.Endpoint.CountPeers(PeerFilter.Known), Is.EqualTo(1));
        Assert.That(world.Await(accepted!), Is.EqualTo("hello"));
        accepted!.Dispose();
    }

    [Test]
    public void M34_A_peer_that_moves_to_another_address_is_the_same_without_a_new_connection()
    {
        MessagingConfig mobile = PeerWorld.Hasty with
        {
            Core = PeerWorld.Hasty.Core with
            {
                Connections = PeerWorld.Hasty.Core.Connections with { Path = new PathConfig { AllowAddressChange = true } },
            },
        };
        using PeerWorld world = new(seed: 11);
        Place server = world.Add(mobile);
        Place client = world.Add(mobile);
        (Peer dialled, Peer accepted) = world.Connect(client, server);
        PeerAddress before = accepted.RemoteAddress;
        int incarnation = accepted.Incarnation;

        world.World.Network.Rebind(client.Address, changesAddress: true);
        dialled.TrySend("moved"u8);
        string received = world.Await(accepted);
        world.Run(seconds: 5);

        Assert.That(received, Is.EqualTo("moved"));
        Assert.That(accepted.RemoteAddress, Is.Not.EqualTo(before));
        Assert.That(accepted.Incarnation, Is.EqualTo(incarnation));
        Assert.That(server.Endpoint.CountPeers(PeerFilter.Active), Is.EqualTo(1));
    }

    [Test]
    public void M9_Lists_say_who_is_active_pinned_blocked_and_known()
    {
        using PeerWorld world = new(seed: 12);
        Place center = world.Add();
        Place active = world.Add();
        Place pinned = world.Add();
        Peer one = center.Endpoint.Connect(active.Address);
        Peer two = center.Endpoint.Pin(pinned.Address);
        world.RunUntil(() => one.IsActive && two.IsActive, "Both");
        two.Block();
        Peer three = center.Endpoint.Pin(Nobody);

        Assert.That(ListOf(center, PeerFilter.Active), Is.EquivalentTo(new[] { one, two }));
        Assert.That(ListOf(center, PeerFilter.Pinned), Is.EquivalentTo(new[] { two, three }));
        Assert.That(ListOf(center, PeerFilter.Blocked), Is.EquivalentTo(new[] { two }));
        Assert.That(ListOf(center, PeerFilter.Blocked | PeerFilter.Pinned), Is.EquivalentTo(new[] { two, three }));
        Assert.That(ListOf(center, PeerFilter.Known), Is.EquivalentTo(new[] { one, two, three }));
        Assert.That(ListOf(center, PeerFilter.None), Is.Empty);
        Assert.That(center.Endpoint.CopyPeers(PeerFilter.Known, new Peer[2]), Is.EqualTo(2));
    }

    [Test]
    public void M10_Changes_are_told_once_each_and_only_their_net_effect()
    {
        using PeerWorld world = new(seed: 13);
        Place center = world.Add();
        Place first = world.Add();
        Place second = world.Add();
        PeerEvent[] events = new PeerEvent[8];
        (Peer one, Peer atFirst) = world.Connect(center, first);
        int opened = center.Endpoint.TakePeerChanges(events);
        PeerEvent told = events[0];
        int nothing = center.Endpoint.TakePeerChanges(events);

        // Comes and goes between two calls: not told. The other one goes: told, though it is forgotten.
        (_, Peer atSecond) = world.Connect(center, second);
        atSecond.Close();
        atFirst.Close();
        world.Run(seconds: 10);
        int closed = center.Endpoint.TakePeerChanges(events);

        Assert.That(opened, Is.EqualTo(1));
        Assert.That(told, Is.EqualTo(new PeerEvent(one, PeerChange.Opened, one.Incarnation)));
        Assert.That(nothing, Is.Zero);
        Assert.That(closed, Is.EqualTo(1));
        Assert.That(events[0], Is.EqualTo(new PeerEvent(one, PeerChange.Closed, 0)));
    }

    [Test]
    public void M10_Changes_take_no_memory_when_nobody_asks()
    {
        using PeerWorld world = new(seed: 14);
        Place center = world.Add();
        Place other = world.Add();

        for (int i = 0; i < 30; i++)
        {
            (Peer dialled, _) = world.Connect(other, center);
            dialled.Dispose();
            world.Run(seconds: 5);
        }

        int told = center.Endpoint.TakePeerChanges(new PeerEvent[100]);

        Assert.That(told, Is.Zero);
        Assert.That(center.Endpoint.Peers.ChangeCount, Is.Zero);
    }

    [Test]
    public void A_peer_beyond_the_limit_is_refused_and_counted()
    {
        using PeerWorld world = new(seed: 15);
        Place server = world.Add(PeerWorld.Hasty with { MaxKnownPeers = 2 });
        Place[] clients = [.. Enumerable.Range(0, 3).Select(_ => world.Add())];
        world.Connect(clients[0], server);
        world.Connect(clients[1], server);

        Peer third = clients[2].Endpoint.Connect(server.Address);
        world.RunUntil(() => third.Status.IsFinal, "The refusal");
        InvalidOperationException? dialled = Assert.Throws<InvalidOperationException>(
            () => server.Endpoint.Connect(clients[2].Address));

        Assert.That(third.CloseReason!.Code, Is.EqualTo(CloseCode.Busy));
        Assert.That(dialled!.Message, Does.Contain(nameof(MessagingConfig.MaxKnownPeers)));
        Assert.That(server.Endpoint.PeersRefused, Is.EqualTo(2));
        Assert.That(server.Endpoint.TryAccept(out _), Is.False);
        Assert.That(server.Endpoint.CountPeers(PeerFilter.Known), Is.EqualTo(2));
    }

    // D-12.5
    [Test]
    public void A_full_table_takes_back_whom_it_knows_and_has_room_for_others_once_it_is_read()
    {
        using PeerWorld world = new(seed: 18);
        Place server = world.Add(PeerWorld.Hasty with { MaxKnownPeers = 1 });
        Place client = world.Add(id: Kept);
        Place stranger = world.Add();
        (Peer first, Peer accepted) = world.Connect(client, server);
        first.TrySend("unread"u8);
        world.Run(seconds: 0.5);
        first.Dispose();
        world.Run(seconds: 5);

        Peer refused = stranger.Endpoint.Connect(server.Address);
        world.RunUntil(() => refused.Status.IsFinal, "The refusal");
        Peer back = client.Endpoint.Connect(server.Address);
        world.RunUntil(() => back.IsActive && accepted.IsActive, "Who is known");
        back.Dispose();
        world.Run(seconds: 5);
        string[] read = PeerWorld.ReadAll(accepted);
        (Peer taken, _) = world.Connect(stranger, server);

        Assert.That(refused.CloseReason!.Code, Is.EqualTo(CloseCode.Busy));
        Assert.That(read, Is.EqualTo(new[] { "unread" }));
        Assert.That(taken.IsActive, Is.True);
        Assert.That(server.Endpoint.PeersRefused, Is.EqualTo(1));
    }

    [Test]
    public void M8_A_block_outlives_the_connection()
    {
        using PeerWorld world = new(seed: 16);
        Place client = world.Add();
        Place server = world.Add();
        (Peer dialled, Peer accepted) = world.Connect(client, server);

        accepted.Block();
        dialled.Close();
        world.Run(seconds: 10);
        bool known = server.Endpoint.CountPeers(PeerFilter.Blocked) == 1;
        Peer again = client.Endpoint.Connect(server.Address);
        world.RunUntil(() => again.IsActive && accepted.IsActive, "The next connection");

        Assert.That(known, Is.True);
        Assert.That(accepted.IsBlocked, Is.True);
        Assert.That(accepted.Session.IsBlocked, Is.True);
    }

    [Test]
    public void A_disposed_endpoint_dials_nobody_again()
    {
        using PeerWorld world = new(seed: 17);
        Place client = world.Add();
        Place server = world.Add();
        Peer pinned = client.Endpoint.Pin(server.Address);
        Peer accepted = world.Accept(server);
        world.RunUntil(() => pinned.IsActive, "The connection");

        client.Endpoint.Dispose();
        accepted.Close();
        world.Run(seconds: 30);

        Assert.That(pinned.Status.IsFinal, Is.True);
        Assert.That(client.Node.Daemon.LiveCount, Is.Zero);
    }

    private static Peer[] ListOf(Place place, PeerFilter filter)
    {
        Peer[] peers = new Peer[place.Endpoint.CountPeers(filter)];
        int copied = place.Endpoint.CopyPeers(filter, peers);
        Assert.That(copied, Is.EqualTo(peers.Length));
        return peers;
    }

    private static void NoteAttempt(Peer peer, ref Connection seen, List<double> attempts, Instant now)
    {
        if (peer.Connection != seen)
        {
            seen = peer.Connection;
            attempts.Add(now.Ticks / (double)TimeSpan.TicksPerSecond);
        }
    }
}
