using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>One call for several peers or messages (M5), over the whole stack in virtual time.</summary>
[TestFixture]
public sealed class SendShapeTests
{
    private static readonly TimeSpan AWhile = TimeSpan.FromSeconds(2);

    private static readonly MessagingConfig Plain = new() { Core = SimWorld.Plain };

    [Test]
    public void M5_One_message_goes_to_many_peers_and_each_has_a_receipt_of_its_own()
    {
        using PeerStar star = new(clients: 3, Plain);
        SendResult[] results = new SendResult[3];
        byte[] message = LaneTests.Pattern(5_000, 1);

        int accepted = star.Hub.TrySend(
            star.Accepted.ToArray(), message, new SendOptions { NotifyTaken = true }, results);
        star.World.Run(AWhile);
        byte[][] received = [.. star.Clients.Select(client => PeerStar.TakeFrom(client).Single())];
        star.World.Run(AWhile);

        Assert.That(accepted, Is.EqualTo(3));
        Assert.That(received, Is.All.EqualTo(message));

        for (int i = 0; i < 3; i++)
        {
            SendReceipt receipt = star.Accepted[i].StateOf(results[i].Receipt.Id);
            Assert.That(receipt.Transfer, Is.EqualTo(TransferState.Received));
            Assert.That(receipt.Take, Is.EqualTo(TakeState.Taken));
        }
    }

    [Test]
    public void M5_A_peer_that_is_closed_is_told_apart_from_those_that_were_sent_to()
    {
        using PeerStar star = new(clients: 3, Plain);
        SendResult[] results = new SendResult[3];
        star.Accepted[1].Close();

        int accepted = star.Hub.TrySend(star.Accepted.ToArray(), "news"u8, default, results);

        Assert.That(accepted, Is.EqualTo(2));
        Assert.That(
            results.Select(result => result.Status),
            Is.EqualTo(new[] { SendStatus.Accepted, SendStatus.Closed, SendStatus.Accepted }));
    }

    [Test]
    public void M5_Many_messages_go_each_to_its_own_peer_with_its_own_options()
    {
        using PeerStar star = new(clients: 2, Plain);
        OutgoingMessage[] messages =
        [
            new(star.Accepted[0], "to the first"u8.ToArray()),
            new(star.Accepted[1], "to the second"u8.ToArray(), new SendOptions { Lane = 5 }),
            new(star.Accepted[0], new byte[Plain.MaxMessageBytes + 1]),
        ];
        SendResult[] results = new SendResult[3];

        int accepted = star.Hub.TrySend(messages, results);
        star.World.Run(AWhile);

        Assert.That(accepted, Is.EqualTo(2));
        Assert.That(results[2].Status, Is.EqualTo(SendStatus.TooLarge));
        Assert.That(results[1].Receipt.Id.Lane, Is.EqualTo(5));
        Assert.That(PeerStar.TakeFrom(star.Clients[0]).Single(), Is.EqualTo("to the first"u8.ToArray()));
        Assert.That(PeerStar.TakeFrom(star.Clients[1]).Single(), Is.EqualTo("to the second"u8.ToArray()));
    }

    [Test]
    public void M5_Each_of_many_messages_goes_to_each_of_many_peers_in_order()
    {
        using PeerStar star = new(clients: 2, Plain);
        ReadOnlyMemory<byte>[] messages = [new byte[] { 1 }, new byte[] { 2 }, new byte[] { 3 }];
        SendResult[] results = new SendResult[6];

        int accepted = star.Hub.TrySend(star.Accepted.ToArray(), messages, default, results);
        star.World.Run(AWhile);

        Assert.That(accepted, Is.EqualTo(6));
        Assert.That(results.Select(result => result.Status), Is.All.EqualTo(SendStatus.Accepted));

        foreach (Peer client in star.Clients)
        {
            Assert.That(PeerStar.TakeFrom(client).Select(content => content[0]), Is.EqualTo(new byte[] { 1, 2, 3 }));
        }
    }

    // Goal: after a full lane nothing later overtakes what was refused; what was only too large holds nothing up.
    [Test]
    public void M5_What_a_full_peer_was_sent_is_a_beginning_without_gaps()
    {
        MessagingConfig narrow = Plain with { LaneRingBytes = 64 * 1024, MaxMessageBytes = 64 * 1024 };
        using PeerStar star = new(clients: 2, narrow);
        ReadOnlyMemory<byte>[] messages = [.. Enumerable.Range(0, 20)
            .Select(i => (ReadOnlyMemory<byte>)new byte[i == 1 ? 65 * 1024 : i % 2 == 0 ? 10_000 : 10])];
        SendResult[] results = new SendResult[40];

        int accepted = star.Hub.TrySend(star.Accepted.ToArray(), messages, default, results);

        Assert.That(accepted, Is.InRange(4, 38));

        for (int peer = 0; peer < 2; peer++)
        {
            SendStatus[] own = [.. Enumerable.Range(0, 20).Select(m => results[(m * 2) + peer].Status)];
            int first = Array.FindIndex(own, status => status is SendStatus.LaneFull);
            Assert.That(own[1], Is.EqualTo(SendStatus.TooLarge));
            Assert.That(own[..first].Where((_, m) => m != 1), Is.All.EqualTo(SendStatus.Accepted));
            Assert.That(own[first..], Is.All.EqualTo(SendStatus.LaneFull));
        }
    }

    [Test]
    public void M5_Many_peers_send_to_one_who_takes_all()
    {
        using PeerStar star = new(clients: 4, Plain);

        foreach (Peer client in star.Clients)
        {
            client.TrySend("to the hub"u8);
        }

        star.World.Run(AWhile);
        List<Peer> from = [];

        while (star.Hub.TryReceive(out Peer? peer, out ReceivedMessage message))
        {
            from.Add(peer!);
            message.Dispose();
        }

        Assert.That(from, Is.EquivalentTo(star.Accepted));
    }

    [Test]
    public void M5_A_message_written_in_place_goes_to_many_and_its_writer_may_be_gone_by_then()
    {
        using PeerStar star = new(clients: 3, Plain);
        SendResult[] results = new SendResult[3];
        byte[] content = LaneTests.Pattern(100_000, 2);

        using (MessageBuffer buffer = new(star.Hub))
        {
            content.CopyTo(buffer.GetSpan(content.Length));
            buffer.Advance(content.Length);
            star.Hub.TrySend(star.Accepted.ToArray(), buffer, default, results);
        }

        star.World.Run(AWhile);

        Assert.That(results.Select(result => result.Status), Is.All.EqualTo(SendStatus.Accepted));
        Assert.That(star.Clients.Select(client => PeerStar.TakeFrom(client).Single()), Is.All.EqualTo(content));
    }

    [Test]
    public void Fewer_results_than_targets_are_the_callers_mistake()
    {
        using PeerStar star = new(clients: 2, Plain);
        Peer[] to = [.. star.Accepted];

        Assert.Throws<ArgumentException>(() => star.Hub.TrySend(to, "x"u8, default, new SendResult[1]));
        Assert.Throws<ArgumentException>(
            () => star.Hub.TrySend(to, [new byte[1], new byte[1]], default, new SendResult[3]));
    }
}
