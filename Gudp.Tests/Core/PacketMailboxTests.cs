using Gudp.Core;
using Gudp.Core.Packets;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

// Sending: what is written into which packet, and what is told about it (P-8.2 to P-8.7, P-8.9). Fates are made here.

/// <summary>Core's own packets, one end, without a network.</summary>
[TestFixture]
public sealed class PacketMailboxTests
{
    // One fits into the packets of the test about ids, and two do not.
    private const int BytesOfOneFrame = 100;

    private static readonly PacketOptions Notify = new() { Delivery = PacketDelivery.Notify };
    private static readonly PacketOptions Reliable = new() { Delivery = PacketDelivery.Reliable };

    // P-8.3
    [Test]
    public void A_lost_reliable_packet_goes_again_under_its_id_until_it_is_received()
    {
        MailboxEnd end = new();
        PacketTicket ticket = end.SendReliable(7);
        end.Write(out PacketNumber first);

        end.Mailbox.HandleLost(first, default);
        byte[] again = end.Write(out PacketNumber second);
        end.Mailbox.HandleAcked(second, default);

        Assert.That(MailboxEnd.Read(again), Is.EqualTo(["r0:07"]));
        Assert.That(end.Updates(), Is.EqualTo(new[] { new PacketUpdate(ticket, PacketOutcome.Received) }));
        Assert.That(end.Mailbox.HasUnfinished, Is.False);
        Assert.That(end.Write(out _), Is.Empty);
        Assert.That(end.Counters.Retransmits, Is.EqualTo(1));
    }

    [Test]
    public void A_copy_of_an_overdue_packet_settles_it_once()
    {
        MailboxEnd end = new();
        end.SendReliable(7);
        end.Write(out PacketNumber first);

        end.Mailbox.HandleOverdue(first, default);
        end.Write(out PacketNumber copy);
        end.Mailbox.HandleAcked(copy, default);
        end.Mailbox.HandleAcked(first, default);

        Assert.That(end.Updates(), Has.Length.EqualTo(1));
        Assert.That(end.Mailbox.HasDataToSend, Is.False);
    }

    // P-8.3
    [Test]
    public void The_loss_of_the_older_of_two_copies_sends_no_third()
    {
        MailboxEnd end = new();
        end.SendReliable(7);
        end.Write(out PacketNumber first);
        end.Mailbox.HandleOverdue(first, default);
        end.Write(out PacketNumber copy);

        end.Mailbox.HandleLost(first, default);
        bool afterOlder = end.Mailbox.HasDataToSend;
        end.Mailbox.HandleLost(copy, default);

        Assert.That(afterOlder, Is.False);
        Assert.That(MailboxEnd.Read(end.Write(out _)), Is.EqualTo(["r0:07"]));
    }

    [TestCase(true, ExpectedResult = PacketOutcome.Received)]
    [TestCase(false, ExpectedResult = PacketOutcome.Lost)]
    public PacketOutcome The_fate_of_a_notify_packet_is_told_and_it_is_not_sent_again(bool isAcked)
    {
        MailboxEnd end = new();
        end.Send(Notify, 7);
        end.Write(out PacketNumber packet);

        if (isAcked)
        {
            end.Mailbox.HandleAcked(packet, default);
        }
        else
        {
            end.Mailbox.HandleLost(packet, default);
        }

        Assert.That(end.Write(out _), Is.Empty);
        return end.Updates().Single().Outcome;
    }

    [Test]
    public void A_reliable_packet_without_a_wish_tells_only_what_went_wrong()
    {
        MailboxEnd end = new();
        end.Send(Reliable, 1);
        end.Write(out PacketNumber packet);

        end.Mailbox.HandleAcked(packet, default);
        PacketTicket second = end.Send(Reliable, 2);
        end.End();

        Assert.That(end.Updates(), Is.EqualTo(new[] { new PacketUpdate(second, PacketOutcome.Unknown) }));
    }

    // P-8.5
    [Test]
    public void A_packet_whose_time_is_over_is_given_up_once()
    {
        MailboxEnd end = new();
        end.Send(Reliable with { Timeout = TimeSpan.FromMilliseconds(100) }, 1);
        end.Send(Reliable with { Timeout = TimeSpan.FromMilliseconds(300) }, 2);
        end.Write(out PacketNumber packet);

        Instant due = end.Mailbox.NextDeadline;
        end.Mailbox.HandleTimeout(due);
        PacketUpdate[] updates = end.Updates();
        Instant later = end.Mailbox.NextDeadline;
        end.Mailbox.HandleLost(packet, default);

        Assert.That(due, Is.EqualTo(default(Instant) + TimeSpan.FromMilliseconds(100)));
        Assert.That(updates.Single().Outcome, Is.EqualTo(PacketOutcome.TimedOut));
        Assert.That(later, Is.EqualTo(default(Instant) + TimeSpan.FromMilliseconds(300)));
        Assert.That(MailboxEnd.Read(end.Write(out _)), Is.EqualTo(["r1:02"]), "Only the other one goes again.");
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_cancelled_packet_is_reported_once_and_not_sent_any_more(bool wasWritten)
    {
        MailboxEnd end = new();
        PacketTicket ticket = end.SendReliable(7);
        PacketNumber packet = default;

        if (wasWritten)
        {
            end.Write(out packet);
        }

        bool first = end.Mailbox.TryCancel(ticket);
        bool second = end.Mailbox.TryCancel(ticket);
        end.Mailbox.HandleLost(packet, default);

        Assert.That((first, second), Is.EqualTo((true, false)));
        Assert.That(end.Updates(), Is.EqualTo(new[] { new PacketUpdate(ticket, PacketOutcome.Cancelled) }));
        Assert.That(end.Write(out _), Is.Empty);
        Assert.That(end.Mailbox.HasUnfinished, Is.False);
    }

    [Test]
    public void A_ticket_of_a_packet_that_is_done_with_does_not_cancel_another_in_its_place()
    {
        MailboxEnd end = new();
        PacketTicket former = end.SendReliable(1);
        end.Write(out PacketNumber packet);
        end.Mailbox.HandleAcked(packet, default);
        end.SendReliable(2);

        Assert.That(end.Mailbox.TryCancel(former), Is.False);
        Assert.That(end.Mailbox.TryCancel(default), Is.False);
        Assert.That(end.Mailbox.TryCancel(new PacketTicket(-1)), Is.False);
    }

    [Test]
    public void The_end_gives_every_open_ticket_one_outcome_and_lets_nobody_wait()
    {
        MailboxEnd end = new();
        PacketTicket[] tickets = [end.SendReliable(1), end.Send(Notify, 2), end.SendReliable(3), end.Send(Notify, 4)];
        end.Write(out _, room: 7);

        end.End();
        PacketUpdate[] updates = end.Updates();

        Assert.That(updates, Is.EquivalentTo(tickets.Select(t => new PacketUpdate(t, PacketOutcome.Unknown))));
        Assert.That(end.Mailbox.WaitForUpdates(Timeout.InfiniteTimeSpan), Is.False);
        Assert.That(end.Mailbox.TryCancel(tickets[0]), Is.False);
        Assert.That(end.Mailbox.TryPost([1], Reliable, true, out _), Is.EqualTo(SendStatus.Closed));
    }

    [Test]
    public void A_packet_whose_update_might_find_no_room_is_refused()
    {
        MailboxEnd end = new(new QueueConfig { SendPackets = 2 });
        end.Send(Notify, 1);
        end.Send(Notify, 2);

        Assert.That(end.Mailbox.TryPost([3], Notify, true, out _), Is.EqualTo(SendStatus.PeerFull));

        end.Write(out PacketNumber packet);
        end.Mailbox.HandleAcked(packet, default);

        Assert.That(end.Mailbox.TryPost([3], Notify, true, out _), Is.EqualTo(SendStatus.UpdatesFull));
        Assert.That(end.Mailbox.TryPost([3], default, true, out _), Is.EqualTo(SendStatus.Accepted));
        Assert.That(end.Updates(), Has.Length.EqualTo(2));
        Assert.That(end.Mailbox.TryPost([3], Notify, true, out _), Is.EqualTo(SendStatus.Accepted));
    }

    // P-8.4, the sender's half of the proof.
    [Test]
    public void No_id_is_opened_a_window_beyond_the_oldest_open_one()
    {
        MailboxEnd end = new();
        end.SendReliable(new byte[BytesOfOneFrame]);
        int newest = 0;

        while (newest < 2 * IdWindow.Ids && TryWriteAnother(end, ackOldest: false))
        {
            newest++;
        }

        Assert.That(newest, Is.EqualTo(IdWindow.Ids - 1), "Ids 1 to the window's end, beside id 0.");

        TryWriteAnother(end, ackOldest: true);

        Assert.That(TryWriteAnother(end, ackOldest: true), Is.True, "What waited goes on.");
    }

    // P-8.7
    [Test]
    public void New_packets_have_their_turn_among_many_repeated_ones()
    {
        MailboxEnd end = new();

        for (byte i = 0; i < 100; i++)
        {
            end.SendReliable(i);
        }

        end.Write(out PacketNumber packet);
        end.Mailbox.HandleLost(packet, default);
        end.Send(default, 0xAA);
        end.Send(default, 0xBB);
        string[] written = MailboxEnd.Read(end.Write(out _));

        Assert.That(written[..3], Is.EqualTo(["r0:00", "r1:01", "r2:02"]), "What was lost goes first.");
        Assert.That(Array.IndexOf(written, "u:AA"), Is.EqualTo(3));
        Assert.That(Array.IndexOf(written, "u:BB"), Is.EqualTo(7));
    }

    [Test]
    public void New_packets_leave_in_the_order_they_were_sent_whatever_is_promised()
    {
        MailboxEnd end = new();

        end.Send(default, 1);
        end.SendReliable(2);
        end.Send(Notify, 3);
        end.SendReliable();

        Assert.That(MailboxEnd.Read(end.Write(out _)), Is.EqualTo(["u:01", "r0:02", "u:03", "r1:"]));
    }

    [Test]
    public void What_a_shrunken_path_cannot_carry_blocks_nobody()
    {
        MailboxEnd end = new();
        end.Send(default, new byte[1_000]);
        PacketTicket notify = end.Send(Notify, new byte[1_000]);
        end.SendReliable(new byte[1_000]);
        end.SendReliable(7);

        end.MaxFrameBytes = 900;
        string[] written = MailboxEnd.Read(end.Write(out PacketNumber packet));
        bool hasMore = end.Mailbox.HasDataToSend;
        end.Mailbox.HandleAcked(packet, default);

        Assert.That(written, Is.EqualTo(["r0:07"]));
        Assert.That(hasMore, Is.False);
        Assert.That(end.Counters.UserPacketsTooLarge, Is.EqualTo(2));
        Assert.That(end.Updates()[0], Is.EqualTo(new PacketUpdate(notify, PacketOutcome.Lost)));
        Assert.That(end.Mailbox.HasUnfinished, Is.True, "The reliable one waits for the path.");

        end.MaxFrameBytes = 1_100;
        end.Mailbox.HandleTurnEnd(default);

        Assert.That(end.Wakes, Is.Positive);
        Assert.That(MailboxEnd.Read(end.Write(out _)).Single(), Does.StartWith("r1:"));
    }

    [Test]
    public void A_reliable_packet_that_was_in_flight_when_the_path_shrank_goes_again_when_it_has_grown()
    {
        MailboxEnd end = new();
        end.SendReliable(new byte[1_000]);
        end.Write(out PacketNumber packet);
        end.MaxFrameBytes = 900;
        end.Mailbox.HandleLost(packet, default);

        byte[] narrow = end.Write(out _);
        end.MaxFrameBytes = 1_050;
        end.Mailbox.HandleTurnEnd(default);

        Assert.That(narrow, Is.Empty);
        Assert.That(MailboxEnd.Read(end.Write(out _)).Single(), Does.StartWith("r0:"));
    }

    [Test]
    public void A_claim_is_sent_when_committed_and_leaves_nothing_when_abandoned()
    {
        MailboxEnd end = new();
        end.Mailbox.TryClaim(2, Reliable, out PacketClaim dropped);
        SendStatus claimed = end.Mailbox.TryClaim(3, Reliable with { NotifyReceived = true }, out PacketClaim claim);
        "abc"u8.CopyTo(claim.Span);

        bool before = end.Mailbox.HasDataToSend;
        dropped.Abandon();
        SendStatus committed = claim.Commit(out PacketTicket ticket);

        Assert.That((claimed, committed), Is.EqualTo((SendStatus.Accepted, SendStatus.Accepted)));
        Assert.That(before, Is.False);
        Assert.That(MailboxEnd.Read(end.Write(out PacketNumber packet)), Is.EqualTo(["r0:616263"]));
        end.Mailbox.HandleAcked(packet, default);
        Assert.That(end.Updates().Single().Ticket, Is.EqualTo(ticket));
    }

    [Test]
    public void A_claim_that_outlives_the_connection_is_closed()
    {
        MailboxEnd end = new();
        end.Mailbox.TryClaim(3, Reliable, out PacketClaim claim);

        end.End();
        claim.Span.Fill(1);

        Assert.That(claim.Commit(), Is.EqualTo(SendStatus.Closed));
        Assert.That(end.Updates(), Is.Empty);
    }

    /// <summary>Sends one more and lets packets of one frame leave until it is received; the oldest is lost.</summary>
    /// <returns>False if it does not leave.</returns>
    private static bool TryWriteAnother(MailboxEnd end, bool ackOldest)
    {
        end.Send(Reliable, new byte[BytesOfOneFrame]);

        for (int writes = 0; writes < 8; writes++)
        {
            string[] written = MailboxEnd.Read(end.Write(out PacketNumber packet, room: BytesOfOneFrame + 10));
            bool isOldest = written is [var first] && first.StartsWith("r0:", StringComparison.Ordinal);

            if (isOldest && !ackOldest)
            {
                end.Mailbox.HandleLost(packet, default);
            }
            else if (written.Length > 0)
            {
                end.Mailbox.HandleAcked(packet, default);
            }

            if (written.Length == 1 && !isOldest)
            {
                return true;
            }
        }

        return false;
    }
}
