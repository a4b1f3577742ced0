using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>Who a peer is, from connection to connection (D-12).</summary>
[TestFixture]
public sealed class PeerTests
{
    private static readonly PeerId Kept = PeerId.Parse("600d1d");

    [Test]
    public void M34_Both_ends_learn_who_the_other_is()
    {
        using PeerWorld world = new(seed: 1);
        Place left = world.Add();
        Place right = world.Add(id: Kept);

        Peer dialled = left.Endpoint.Connect(right.Address);
        PeerId before = dialled.Id;
        Peer accepted = world.Accept(right);
        world.RunUntil(() => dialled.Status.IsOpen, "The connection");

        Assert.That(before.IsKnown, Is.False, "An address says nothing about who is there.");
        Assert.That(dialled.Id, Is.EqualTo(Kept));
        Assert.That(accepted.Id, Is.EqualTo(left.Endpoint.Id));
        Assert.That(accepted.Id.IsKnown, Is.True);
        Assert.That(accepted.Instance, Is.Not.Zero.And.Not.EqualTo(dialled.Instance));
    }

    [Test]
    public void M34_Two_endpoints_of_one_process_are_two_peers()
    {
        using PeerWorld world = new(seed: 2);
        Place server = world.Add();
        Place client = world.Add();
        using MessageEndpoint other = new(client.Node.Daemon, client.Node.Host.Address.WithPort(7_001), client.Config);

        (_, Peer first) = world.Connect(client, server);
        using Peer dialled = other.Connect(server.Address);
        Peer second = world.Accept(server);

        Assert.That(second, Is.Not.SameAs(first));
        Assert.That(second.Id, Is.Not.EqualTo(first.Id));
        Assert.That(second.Instance, Is.EqualTo(first.Instance), "It is the same process.");
        Assert.That(first.Status.IsOpen, Is.True);
    }

    [Test]
    public void M34_A_peer_whose_messages_wait_is_the_same_when_it_comes_back_and_they_come_first()
    {
        using PeerWorld world = new(seed: 3);
        Place client = world.Add();
        Place server = world.Add();
        (Peer dialled, Peer accepted) = world.Connect(client, server);
        dialled.TrySend("before"u8);
        world.Run(seconds: 0.5);
        int firstIncarnation = accepted.Incarnation;

        dialled.Close();
        world.RunUntil(() => accepted.Status.IsFinal, "The end");
        Peer again = client.Endpoint.Connect(server.Address);
        again.TrySend("after"u8);
        world.RunUntil(() => accepted.Status.IsOpen, "The next connection");
        world.Run(seconds: 0.5);
        bool acceptedAnew = server.Endpoint.TryAccept(out _);
        string[] read = PeerWorld.ReadAll(accepted);

        Assert.That(read, Is.EqualTo(new[] { "before", "after" }));
        Assert.That(acceptedAnew, Is.False, "Nobody was told that it had gone.");
        Assert.That(accepted.Incarnation, Is.GreaterThan(firstIncarnation));
    }

    [Test]
    public void M7_A_peer_that_is_gone_and_read_is_forgotten_and_a_stranger_when_it_comes_back()
    {
        using PeerWorld world = new(seed: 4);
        Place client = world.Add();
        Place server = world.Add();
        (Peer dialled, Peer accepted) = world.Connect(client, server);

        dialled.Close();
        world.RunUntil(() => accepted.Status.IsFinal, "The end");
        ReceiveStatus told = accepted.Receive(TimeSpan.Zero, out _);
        int known = server.Endpoint.CountPeers(PeerFilter.Known);
        (_, Peer again) = world.Connect(client, server);

        Assert.That(told, Is.EqualTo(ReceiveStatus.Closed));
        Assert.That(known, Is.Zero);
        Assert.That(again, Is.Not.SameAs(accepted));
        Assert.That(again.Id, Is.EqualTo(accepted.Id));
    }

    [Test]
    public void M35_A_peer_whose_messages_were_not_read_is_not_dropped()
    {
        using PeerWorld world = new(seed: 5);
        Place client = world.Add();
        Place server = world.Add();
        (Peer dialled, Peer accepted) = world.Connect(client, server);
        dialled.TrySend("kept"u8);
        world.Run(seconds: 0.5);

        world.IsCut = true;
        world.Run(seconds: 30);
        int whileUnread = server.Endpoint.CountPeers(PeerFilter.Known);
        string[] read = PeerWorld.ReadAll(accepted);

        Assert.That(accepted.CloseReason!.Code, Is.EqualTo(CloseCode.IdleTimeout));
        Assert.That(whileUnread, Is.EqualTo(1));
        Assert.That(read, Is.EqualTo(new[] { "kept" }));
        Assert.That(server.Endpoint.CountPeers(PeerFilter.Known), Is.Zero);
    }

    [Test]
    public void A_restart_with_the_id_kept_is_the_same_peer_and_said_to_be_restarted()
    {
        using PeerWorld world = new(seed: 6);
        RecordingSink sink = new();
        Place server = world.Add(sink: sink);
        Place client = world.Add(id: Kept);
        Peer first = client.Endpoint.Connect(server.Address);
        world.RunUntil(() => sink.Changes.Count == 1, "The first");
        Peer[] known = new Peer[1];
        _ = server.Endpoint.CopyPeers(PeerFilter.Active, known);
        ulong instance = known[0].Instance;

        world.Restart(client, id: Kept);
        client.Endpoint.Connect(server.Address);
        world.RunUntil(() => sink.Changes.Count >= 4, "The next");

        Assert.That(
            sink.Changes,
            Is.EqualTo(new[] { PeerChange.Opened, PeerChange.Closed, PeerChange.Restarted, PeerChange.Opened }));
        Assert.That(known[0].IsActive, Is.True, "The same object.");
        Assert.That(known[0].Id, Is.EqualTo(Kept));
        Assert.That(known[0].Instance, Is.Not.EqualTo(instance));
        Assert.That(server.Endpoint.CountPeers(PeerFilter.Known), Is.EqualTo(1));
        Assert.That(first.Id, Is.EqualTo(server.Endpoint.Id));
    }

    [Test]
    public void A_restart_with_a_new_id_is_another_peer()
    {
        using PeerWorld world = new(seed: 7);
        Place server = world.Add();
        Place client = world.Add();
        (_, Peer before) = world.Connect(client, server);

        world.Restart(client);
        (_, Peer after) = world.Connect(client, server);

        Assert.That(after, Is.Not.SameAs(before));
        Assert.That(after.Id, Is.Not.EqualTo(before.Id));
        Assert.That(before.Status.IsFinal, Is.True);
        Assert.That(before.CloseReason!.Code, Is.EqualTo(CloseCode.PeerRestarted));
    }

    [Test]
    public void I8_I9_A_second_connection_of_a_peer_ends_the_first_before_it_opens()
    {
        using PeerWorld world = new(seed: 8);
        OrderSink sink = new();
        Place server = world.Add(sink: sink);
        Place client = world.Add(id: Kept);
        Peer first = client.Endpoint.Connect(server.Address);
        world.RunUntil(() => first.Status.IsOpen, "The first");
        first.TrySend("1"u8);
        world.Run(seconds: 0.5);

        // The same identity at another port, while the first still sends.
        using MessageEndpoint moved = new(client.Node.Daemon, client.Node.Host.Address.WithPort(7_001), client.Config);
        using Peer second = moved.Connect(server.Address);
        second.TrySend("2"u8);

        for (int i = 0; i < 20; i++)
        {
            first.TrySend("1"u8);
            world.Run(seconds: 0.005);
        }

        world.RunUntil(() => sink.Heard.Contains("2"), "The second");
        world.RunUntil(() => first.Status.IsFinal, "The first one's end");

        int closed = sink.Heard.IndexOf("Closed");
        int opened = sink.Heard.LastIndexOf("Opened");
        Assert.That(sink.Heard[0], Is.EqualTo("Opened"));
        Assert.That(closed, Is.EqualTo(opened - 1));
        Assert.That(sink.Heard.LastIndexOf("1"), Is.LessThan(closed), "The former is mute after its end.");
        Assert.That(sink.Heard.Count(heard => heard == "Closed"), Is.EqualTo(1));
        Assert.That(first.CloseReason!.Code, Is.EqualTo(CloseCode.Superseded));
        Assert.That(sink.Peers, Has.Count.EqualTo(1));
    }

    [Test]
    public void A_message_of_the_former_connection_is_never_read_after_one_of_the_next()
    {
        using PeerWorld world = new(seed: 9);
        Place server = world.Add();
        Place client = world.Add(id: Kept);
        (Peer first, Peer accepted) = world.Connect(client, server);

        for (int i = 0; i < 5; i++)
        {
            first.TrySend("1"u8);
        }

        world.Run(seconds: 0.5);
        using MessageEndpoint moved = new(client.Node.Daemon, client.Node.Host.Address.WithPort(7_001), client.Config);
        using Peer second = moved.Connect(server.Address);
        second.TrySend("2"u8);
        world.RunUntil(() => second.Status.IsOpen, "The second");
        world.Run(seconds: 0.5);
        string[] read = PeerWorld.ReadAll(accepted);

        Assert.That(read, Is.EqualTo(new[] { "1", "1", "1", "1", "1", "2" }));
        Assert.That(accepted.RemoteAddress, Is.EqualTo(moved.LocalAddress));
    }

    [Test]
    public void Receipts_belong_to_their_connection_and_are_unknown_once_it_is_forgotten()
    {
        using PeerWorld world = new(seed: 10);
        Place server = world.Add();
        Place client = world.Add();
        (Peer peer, Peer accepted) = world.Connect(client, server);
        peer.TrySend("one"u8, new SendOptions { NotifyReceived = true }, out SendReceipt first);
        world.Await(accepted);
        world.Run(seconds: 0.5);

        peer.Pin();
        accepted.Close();
        world.RunUntil(() => peer.Status.IsFinal || !peer.Status.IsOpen, "The end");
        world.RunUntil(() => peer.Status.IsOpen, "The next");
        peer.TrySend("two"u8, new SendOptions { NotifyReceived = true }, out SendReceipt second);
        world.Run(seconds: 0.5);
        SendReceipt kept = peer.StateOf(first.Id);
        ReceiptUpdate[] updates = new ReceiptUpdate[4];
        int count = peer.TakeUpdates(updates);

        Assert.That(first.Id.Incarnation, Is.LessThan(second.Id.Incarnation));
        Assert.That(kept.Transfer, Is.EqualTo(TransferState.Received));
        Assert.That(
            updates[..count].Select(update => update.Receipt.Id), Is.EqualTo(new[] { first.Id, second.Id }));
        Assert.That(peer.StateOf(first.Id).Transfer, Is.EqualTo(TransferState.Unknown), "It is forgotten.");
        Assert.That(peer.StateOf(second.Id).Transfer, Is.EqualTo(TransferState.Received));
    }

    [Test]
    public void One_ended_connection_is_kept_undrained_and_an_older_one_given_up()
    {
        using PeerWorld world = new(seed: 11);
        Place server = world.Add();
        Place client = world.Add();
        (Peer dialled, Peer accepted) = world.Connect(client, server);

        foreach (string text in new[] { "1", "2", "3" })
        {
            dialled.TrySend(System.Text.Encoding.UTF8.GetBytes(text));
            world.Run(seconds: 0.5);
            dialled.Close();
            world.Run(seconds: 5);
            dialled = client.Endpoint.Connect(server.Address);
            world.RunUntil(() => dialled.Status.IsOpen, "The next");
        }

        world.Run(seconds: 0.5);
        string[] read = PeerWorld.ReadAll(accepted);

        Assert.That(read, Is.EqualTo(new[] { "3" }));
        Assert.That(server.Endpoint.SessionsGivenUp, Is.EqualTo(2));
    }

    [Test]
    public void M34_An_id_survives_text_and_bytes()
    {
        PeerId id = PeerId.Parse("0123456789abcdef0123456789ABCDEF");
        byte[] bytes = new byte[PeerId.Bytes];

        id.Write(bytes);

        Assert.That(PeerId.Read(bytes), Is.EqualTo(id));
        Assert.That(bytes[0], Is.EqualTo(0x01));
        Assert.That(id.ToString(), Is.EqualTo("0123456789abcdef0123456789abcdef"));
        Assert.That(PeerId.TryParse("0123456789abcdef0123456789abcdef0", out _), Is.False);
        Assert.That(PeerId.TryParse("xyz", out _), Is.False);
        Assert.That(PeerId.TryParse("", out _), Is.False);
        Assert.That(default(PeerId).IsKnown, Is.False);
    }

    /// <summary>Everything in the order in which it was heard.</summary>
    private sealed class OrderSink : IMessageSink
    {
        internal List<string> Heard { get; } = [];

        internal HashSet<Peer> Peers { get; } = [];

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now)
            => Heard.Add(System.Text.Encoding.UTF8.GetString(message));

        public void HandlePeer(Peer peer, PeerChange change, Instant now)
        {
            Peers.Add(peer);
            Heard.Add(change.ToString());
        }

        public void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now)
        {
        }
    }
}
