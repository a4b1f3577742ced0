using Gudp.Core;
using Gudp.Core.Buffers;
using Gudp.Core.Packets;
using Gudp.Core.Wire;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

// Receiving: what is taken, refused or passed over, and what a hostile peer can do with ids (P-8.4, P-8.8). And the
// memory of both directions.

/// <summary>What comes into a mailbox, from frames made here.</summary>
[TestFixture]
public sealed class PacketInboxTests
{
    private const ulong LargestId = UserPacketFrame.MaxId;

    [Test]
    public void A_reliable_packet_that_comes_again_is_held_and_not_handed_out_twice()
    {
        MailboxEnd end = new();

        PayloadVerdict first = end.Take(MailboxEnd.ReliableFrame(3, 7));
        PayloadVerdict again = end.Take(MailboxEnd.ReliableFrame(3, 7));

        Assert.That((first, again), Is.EqualTo((PayloadVerdict.Held, PayloadVerdict.Held)));
        Assert.That(end.Receive(), Is.EqualTo(new byte[] { 7 }));
        Assert.That(end.Receive(), Is.Null);
        Assert.That(end.Counters.UserPacketsRepeated, Is.EqualTo(1));
    }

    [Test]
    public void The_same_id_twice_in_one_datagram_is_one_packet()
    {
        MailboxEnd end = new();

        end.Take([.. MailboxEnd.ReliableFrame(3, 7), .. MailboxEnd.ReliableFrame(3, 8)]);

        Assert.That(end.Receive(), Is.EqualTo(new byte[] { 7 }));
        Assert.That(end.Receive(), Is.Null);
    }

    [TestCase(0UL, 1UL, ExpectedResult = true)]
    [TestCase((ulong)IdWindow.Ids, 1UL, ExpectedResult = true)]
    [TestCase((ulong)IdWindow.Ids, 0UL, ExpectedResult = false)]
    [TestCase(LargestId, LargestId - IdWindow.Ids, ExpectedResult = false)]
    [TestCase(LargestId, LargestId - IdWindow.Ids + 1, ExpectedResult = true)]
    [TestCase(LargestId, 5UL, ExpectedResult = false)]
    public bool Only_ids_within_the_window_can_be_new(ulong newest, ulong id)
    {
        MailboxEnd end = new();
        end.Take(MailboxEnd.ReliableFrame(newest, 1));
        end.Receive();

        PayloadVerdict verdict = end.Take(MailboxEnd.ReliableFrame(id, 2));

        Assert.That(verdict, Is.EqualTo(PayloadVerdict.Held));
        return end.Receive() is not null;
    }

    [Test]
    public void Jumping_ids_cost_no_memory_and_nothing_is_handed_out_twice()
    {
        MemoryBudget budget = new(1024 * 1024);
        MailboxEnd end = new(budget: budget);
        Prng draws = new(5);
        HashSet<ulong> handedOut = [];
        ulong position = 0;

        for (int i = 0; i < 20_000; i++)
        {
            position += draws.NextChance(10_000) ? (ulong)draws.NextBelow(1L << 40) : (ulong)draws.NextBelow(100);
            ulong id = position - Math.Min(position, (ulong)draws.NextBelow(2 * IdWindow.Ids));
            end.Take(MailboxEnd.ReliableFrame(id, 1));

            if (end.Receive() is not null && !handedOut.Add(id))
            {
                Assert.Fail($"Id {id} was handed out twice.");
            }
        }

        Assert.That(handedOut, Has.Count.GreaterThan(1_000));
        Assert.That(budget.InUseBytes, Is.LessThan(16 * 1024));
    }

    [Test]
    public void Without_room_unreliable_packets_are_dropped_and_counted_and_reliable_ones_refused()
    {
        MailboxEnd end = new(new QueueConfig { ReceivePackets = 2 });
        end.Take([.. MailboxEnd.UnreliableFrame(1), .. MailboxEnd.UnreliableFrame(2)]);

        PayloadVerdict unreliable = end.Take(MailboxEnd.UnreliableFrame(3));
        PayloadVerdict reliable = end.Take(MailboxEnd.ReliableFrame(0, 4));
        PayloadVerdict both = end.Take([.. MailboxEnd.UnreliableFrame(5), .. MailboxEnd.ReliableFrame(1, 6)]);

        Assert.That(unreliable, Is.EqualTo(PayloadVerdict.Held));
        Assert.That(reliable, Is.EqualTo(PayloadVerdict.Refused));
        Assert.That(both, Is.EqualTo(PayloadVerdict.Refused));
        Assert.That(end.Counters.UserPacketsUnread, Is.EqualTo(1));
    }

    [Test]
    public void The_last_room_is_for_the_reliable_one()
    {
        MailboxEnd end = new(new QueueConfig { ReceivePackets = 1 });

        PayloadVerdict verdict = end.Take([.. MailboxEnd.UnreliableFrame(1), .. MailboxEnd.ReliableFrame(0, 2)]);

        Assert.That(verdict, Is.EqualTo(PayloadVerdict.Held));
        Assert.That(end.Receive(), Is.EqualTo(new byte[] { 2 }));
        Assert.That(end.Counters.UserPacketsUnread, Is.EqualTo(1));
    }

    // Seed 13 of the swarm: more small packets in one datagram than the inbox may hold.
    [Test]
    public void An_empty_inbox_takes_one_datagram_whole_though_it_brings_more_than_the_limit()
    {
        MailboxEnd end = new(new QueueConfig { ReceivePackets = 2 });
        byte[] many = [.. Enumerable.Range(1, 5).SelectMany(id => MailboxEnd.ReliableFrame((ulong)id, (byte)id))];
        end.Take(MailboxEnd.UnreliableFrame(0xAA));

        PayloadVerdict beside = end.Take(many);
        end.Receive();
        bool saysSo = end.Mailbox.HasDataToSend;
        PayloadVerdict alone = end.Take(many);
        PayloadVerdict next = end.Take(MailboxEnd.ReliableFrame(9, 9));

        Assert.That((beside, alone, next), Is.EqualTo(
            (PayloadVerdict.Refused, PayloadVerdict.Held, PayloadVerdict.Refused)));
        Assert.That(saysSo, Is.True, "The sender learns that there is room.");
        Assert.That(Enumerable.Range(0, 5).Select(_ => end.Receive()![0]), Is.EqualTo(new byte[] { 1, 2, 3, 4, 5 }));
        Assert.That(end.Receive(), Is.Null);
    }

    [Test]
    public void Unreliable_packets_do_not_keep_a_refused_one_out()
    {
        MailboxEnd end = new(new QueueConfig { ReceivePackets = 4 });
        byte[] two = [.. MailboxEnd.UnreliableFrame(1), .. MailboxEnd.UnreliableFrame(2)];
        end.Take(two);
        end.Take(two);
        end.Take(MailboxEnd.ReliableFrame(0, 5));
        bool wasTaken = false;

        for (int i = 0; i < 10 && !wasTaken; i++)
        {
            // A reader that is slower than what comes in.
            end.Receive();
            end.Take(two);
            wasTaken = MailboxEnd.Read(end.Write(out _)) is ["room"]
                && end.Take(MailboxEnd.ReliableFrame(0, 5)) == PayloadVerdict.Held;
        }

        Assert.That(wasTaken, Is.True);
    }

    [Test]
    public void A_reader_that_makes_room_after_a_refusal_lets_the_sender_know_once()
    {
        MailboxEnd end = new(new QueueConfig { ReceivePackets = 4 });

        for (ulong id = 0; id < 5; id++)
        {
            end.Take(MailboxEnd.ReliableFrame(id, 1));
        }

        end.Receive();
        bool tooSoon = end.Mailbox.HasDataToSend;
        end.Receive();
        string[] written = MailboxEnd.Read(end.Write(out PacketNumber packet));
        bool isDone = !end.Mailbox.HasDataToSend;
        end.Mailbox.HandleLost(packet, default);

        Assert.That(tooSoon, Is.False, "Less than half is free.");
        Assert.That(end.Wakes, Is.Positive);
        Assert.That(written, Is.EqualTo(["room"]));
        Assert.That(isDone, Is.True);
        Assert.That(MailboxEnd.Read(end.Write(out _)), Is.EqualTo(["room"]), "The notice was lost, and goes again.");
    }

    [Test]
    public void The_notice_of_room_asks_for_a_probe()
    {
        MailboxEnd end = new();

        PayloadVerdict verdict = end.Take([FrameType.UserPacketRoom]);

        Assert.That(verdict, Is.EqualTo(PayloadVerdict.Held));
        Assert.That(end.ProbesAsked, Is.EqualTo(1));
    }

    [Test]
    public void All_memory_is_given_back_at_the_end()
    {
        MemoryBudget budget = new(16 * 1024 * 1024);
        MailboxEnd end = new(budget: budget);

        for (byte i = 0; i < 200; i++)
        {
            end.SendReliable(new byte[1_000]);
            end.Take(MailboxEnd.ReliableFrame(i, new byte[1_000]));
        }

        long held = budget.InUseBytes;
        end.End();

        while (end.Receive() is not null || end.Updates().Length > 0)
        {
        }

        Assert.That(held, Is.GreaterThan(400_000));
        Assert.That(budget.InUseBytes, Is.Zero);
    }

    [Test]
    public void Packets_cancelled_before_they_leave_do_not_pile_up()
    {
        MemoryBudget budget = new(16 * 1024 * 1024);
        MailboxEnd end = new(budget: budget);

        for (int i = 0; i < 50_000; i++)
        {
            end.Mailbox.TryCancel(end.SendReliable(new byte[100]));
            end.Updates();
        }

        Assert.That(budget.InUseBytes, Is.LessThan(8 * 1024));
    }

    // Else both ends would ask and refuse once per round trip, for as long as the memory is short.
    [Test]
    public void Room_is_not_told_of_while_there_is_no_memory_to_know_ids_with()
    {
        MemoryBudget budget = new(12 * 1024);
        budget.TryReserve(6 * 1024);
        MailboxEnd end = new(budget: budget);

        PayloadVerdict verdict = end.Take(MailboxEnd.ReliableFrame(0, new byte[1_000]));
        byte[] whileShort = end.Write(out _);
        budget.Release(6 * 1024);
        byte[] after = end.Write(out _);

        Assert.That(verdict, Is.EqualTo(PayloadVerdict.Refused));
        Assert.That(whileShort, Is.Empty);
        Assert.That(after, Is.EqualTo(new[] { FrameType.UserPacketRoom }));
    }

    [Test]
    public void Without_memory_left_sends_and_packets_are_refused_by_name()
    {
        MemoryBudget budget = new(6 * 1024);
        MailboxEnd end = new(budget: budget);
        PacketOptions reliable = new() { Delivery = PacketDelivery.Reliable };

        SendStatus small = end.Mailbox.TryPost(new byte[1_000], reliable, true, out _);
        SendStatus large = end.Mailbox.TryPost(new byte[5_000], reliable, true, out _);
        PayloadVerdict verdict = end.Take(MailboxEnd.ReliableFrame(0, new byte[1_000]));

        Assert.That((small, large), Is.EqualTo((SendStatus.Accepted, SendStatus.DaemonFull)));
        Assert.That(verdict, Is.EqualTo(PayloadVerdict.Refused));
    }
}
