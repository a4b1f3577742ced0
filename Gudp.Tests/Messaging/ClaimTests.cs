using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class ClaimTests
{
    private static readonly MessagingConfig Small = new() { LaneRingBytes = 64 * 1024 };

    [Test]
    public void Later_messages_wait_for_an_open_claim_and_keep_their_order()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        pair.Client.Peer.TryClaim(1, default, out MessageClaim claim);
        pair.Client.Peer.TrySend([2]);
        pair.RunUntilQuiet();
        bool early = pair.Server.Peer.TryReceive(out _);

        claim.Span[0] = 1;
        SendStatus committed = claim.Commit();
        pair.RunUntilQuiet();

        Assert.That(early, Is.False);
        Assert.That(committed, Is.EqualTo(SendStatus.Accepted));
        Assert.That(ReadAll(pair.Server.Peer), Is.EqualTo(new byte[] { 1, 2 }));
    }

    [Test]
    public void An_abandoned_claim_is_never_seen_wherever_it_stands([Range(0, 3)] int abandoned)
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        byte[] expected = [.. Enumerable.Range(0, 4).Where(i => i != abandoned).Select(i => (byte)i)];
        MessageClaim first = Claim(pair, 0);
        MessageClaim second = Claim(pair, 1);
        MessageClaim third = Claim(pair, 2);
        MessageClaim fourth = Claim(pair, 3);

        Finish(ref fourth, abandoned == 3);
        Finish(ref second, abandoned == 1);
        Finish(ref first, abandoned == 0);
        Finish(ref third, abandoned == 2);
        pair.RunUntilQuiet();

        Assert.That(ReadAll(pair.Server.Peer), Is.EqualTo(expected));
        Assert.That(pair.Client.Peer.Flush(TimeSpan.Zero), Is.True);
    }

    // Goal: a block that was given back is another's by then; a copy of the claim must not give it back again.
    [Test]
    public void A_copy_of_a_claim_in_a_block_of_its_own_does_nothing_when_the_claim_is_over([Values(1, 2)] int lane)
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        int length = lane == 1 ? 20_000 : 100;
        pair.Client.Peer.TryClaim(length, new SendOptions { Lane = lane }, out MessageClaim claim);
        MessageClaim copy = claim;
        MessageClaim another = claim;
        claim.Abandon();
        pair.Client.Peer.TryClaim(length, new SendOptions { Lane = lane }, out MessageClaim next);
        long blocks = pair.Client.Session.Memory.Blocks;

        copy.Abandon();
        bool threw = false;

        try
        {
            another.Commit();
        }
        catch (InvalidOperationException)
        {
            threw = true;
        }

        Assert.That(threw, Is.True);
        Assert.That(pair.Client.Session.Memory.Blocks, Is.EqualTo(blocks));
        Assert.That(next.Commit(), Is.EqualTo(SendStatus.Accepted));
        pair.RunUntilQuiet();
        Assert.That(pair.Server.Peer.TryReceive(out ReceivedMessage message), Is.True);
        message.Dispose();
    }

    [Test]
    public void An_abandoned_claims_update_never_comes()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        SendOptions ask = new() { NotifyReceived = true };
        pair.Client.Peer.TryClaim(5, ask, out MessageClaim abandoned);
        pair.Client.Peer.TryClaim(5, ask, out MessageClaim committed);

        abandoned.Abandon();
        committed.Commit(out SendReceipt receipt);
        pair.RunUntilQuiet();
        ReceiptUpdate[] updates = new ReceiptUpdate[4];
        int count = pair.Client.Peer.TakeUpdates(updates);

        Assert.That(count, Is.EqualTo(1));
        Assert.That(updates[0].Receipt.Id, Is.EqualTo(receipt.Id));
    }

    [Test]
    public void A_claim_over_the_rings_end_is_one_piece_of_memory()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        byte[] message = LaneTests.Pattern(9_000, 4);

        for (int i = 0; i < 50; i++)
        {
            SendStatus status = pair.Client.Peer.TryClaim(message.Length, default, out MessageClaim claim);
            Assert.That(status, Is.EqualTo(SendStatus.Accepted));
            message.CopyTo(claim.Span);
            claim.Commit();
            pair.RunUntilQuiet();
            Assert.That(pair.Server.Peer.TryReceive(out ReceivedMessage received), Is.True);
            Assert.That(received.Span.SequenceEqual(message), Is.True, $"Message {i}.");
            received.Dispose();
            pair.RunUntilQuiet();
        }
    }

    [Test]
    public void A_large_claim_takes_its_place_when_it_is_committed()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        pair.Client.Peer.TryClaim(100_000, default, out MessageClaim claim);
        pair.Client.Peer.TrySend([7]);
        pair.RunUntilQuiet();
        byte[] first = ReadAll(pair.Server.Peer);

        claim.Span.Fill(8);
        claim.Commit();
        int length = 0;
        pair.RunUntil(() => (length += ReadAll(pair.Server.Peer).Length) > 0);

        Assert.That(first, Is.EqualTo(new byte[] { 7 }));
        Assert.That(length, Is.EqualTo(100_000));
    }

    [Test]
    public void A_claim_open_at_the_end_is_closed_and_its_memory_comes_back()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        pair.Client.Peer.TryClaim(1_000, new SendOptions { NotifyReceived = true }, out MessageClaim small);
        pair.Client.Peer.TryClaim(100_000, default, out MessageClaim large);

        pair.End();
        small.Span.Fill(1);
        large.Span.Fill(1);
        SendStatus[] statuses = [small.Commit(), large.Commit()];

        Assert.That(statuses, Is.All.EqualTo(SendStatus.Closed));
        Assert.That(pair.Client.Peer.TakeUpdates(new ReceiptUpdate[4]), Is.Zero);
    }

    [Test]
    public void A_claim_ends_once()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        pair.Client.Peer.TryClaim(1, default, out MessageClaim claim);
        claim.Commit();
        bool threw = false;

        claim.Abandon();

        try
        {
            claim.Commit();
        }
        catch (InvalidOperationException)
        {
            threw = true;
        }

        Assert.That(threw, Is.True);
    }

    private static MessageClaim Claim(SessionPair pair, byte content)
    {
        SendStatus status = pair.Client.Peer.TryClaim(1, default, out MessageClaim claim);
        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        claim.Span[0] = content;
        return claim;
    }

    private static void Finish(ref MessageClaim claim, bool abandon)
    {
        if (abandon)
        {
            claim.Abandon();
        }
        else
        {
            claim.Commit();
        }
    }

    private static byte[] ReadAll(Peer peer)
    {
        List<byte> content = [];

        while (peer.TryReceive(out ReceivedMessage message))
        {
            content.AddRange(message.Span);
            message.Dispose();
        }

        return [.. content];
    }
}
