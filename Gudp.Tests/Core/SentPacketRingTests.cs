using Gudp.Core;
using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class SentPacketRingTests
{
    private const int PacketBytes = 1200;

    [Test]
    public void A_fresh_ring_has_nothing_in_flight_and_nothing_to_acknowledge()
    {
        SentPacketRing ring = new(64, 64);

        Assert.That(ring.BytesInFlight, Is.Zero);
        Assert.That(ring.OldestUnsettled, Is.EqualTo(ring.Next));
        Assert.That(ring.LargestAcked, Is.EqualTo(-1));
        Assert.That(Acknowledge(ring, 0, 1000), Is.Empty);
    }

    [Test]
    public void The_fate_of_a_packet_is_taken_once()
    {
        SentPacketRing ring = new(64, 64);
        Send(ring, 1);

        bool first = ring.TrySettle(new PacketNumber(0), out SentPacket packet);
        bool second = ring.TrySettle(new PacketNumber(0), out _);
        bool lost = ring.TryLose(new PacketNumber(0), out _);

        Assert.That(first, Is.True);
        Assert.That(packet.Bytes, Is.EqualTo(PacketBytes));
        Assert.That(second || lost, Is.False);
        Assert.That(ring.BytesInFlight, Is.Zero);
    }

    [Test]
    public void The_oldest_payload_is_found_behind_packets_that_only_ask()
    {
        SentPacketRing ring = new(64, 64);
        Send(ring, 3);
        bool before = ring.TryFindOldestPayload(out _);
        ring.Add(new SentPacket { Bytes = PacketBytes, IsAckEliciting = true, HasPayload = true });
        ring.Add(new SentPacket { Bytes = PacketBytes, IsAckEliciting = true, HasPayload = true });

        bool after = ring.TryFindOldestPayload(out PacketNumber number);

        Assert.That((before, after), Is.EqualTo((false, true)));
        Assert.That(number.Value, Is.EqualTo(3));
    }

    [Test]
    public void A_number_not_sent_yet_has_no_fate([Values(-1, 1, 64, PacketNumber.MaxValue)] long number)
    {
        SentPacketRing ring = new(64, 64);
        Send(ring, 1);

        Assert.That(ring.TrySettle(new PacketNumber(number), out _), Is.False);
        Assert.That(ring.WasSent(new PacketNumber(number)), Is.False);
    }

    [Test]
    public void Thirty_three_at_once_are_acknowledged_oldest_first_and_then_none_again()
    {
        SentPacketRing ring = new(64, 64);
        Send(ring, 33);

        long[] first = Acknowledge(ring, 0, 32);
        long[] again = Acknowledge(ring, 0, 32);

        Assert.That(first, Is.EqualTo(Enumerable.Range(0, 33)));
        Assert.That(again, Is.Empty);
    }

    [Test]
    public void Every_second_one_can_be_acknowledged_and_then_the_rest()
    {
        SentPacketRing ring = new(64, 64);
        Send(ring, 40);

        for (long number = 0; number < 40; number += 2)
        {
            Acknowledge(ring, number, number);
        }

        Assert.That(ring.BytesInFlight, Is.EqualTo(20 * PacketBytes));
        Assert.That(Acknowledge(ring, 0, 39), Is.EqualTo(Enumerable.Range(0, 20).Select(i => (2 * i) + 1)));
    }

    [Test]
    public void Acknowledging_goes_on_across_the_end_of_the_ring()
    {
        SentPacketRing ring = new(64, 64);
        Send(ring, 40);
        Acknowledge(ring, 0, 39);
        Send(ring, 40);

        Assert.That(Acknowledge(ring, 0, 79), Is.EqualTo(Enumerable.Range(40, 40)));
    }

    [Test]
    public void A_slot_used_again_does_not_answer_for_its_former_number()
    {
        SentPacketRing ring = new(64, 64);
        Send(ring, 1);
        ring.TryLose(new PacketNumber(0), out _);
        SendAcks(ring, 63);
        bool before = ring.TryFind(new PacketNumber(0), out _);

        SendAcks(ring, 1);

        Assert.That(before, Is.True);
        Assert.That(ring.TryFind(new PacketNumber(0), out _), Is.False);
        Assert.That(ring.TryAckLate(new PacketNumber(0), out _), Is.False);
        Assert.That(ring.TrySettle(new PacketNumber(0), out _), Is.False);
        Assert.That(ring.WasSent(new PacketNumber(0)), Is.True);
    }

    [Test]
    public void Packets_that_only_acknowledge_never_hold_the_ring()
    {
        SentPacketRing ring = new(64, 64);

        SendAcks(ring, 10_000);

        Assert.That(ring.IsFull, Is.False);
        Assert.That(ring.BytesInFlight, Is.Zero);
        Assert.That(ring.Growths, Is.Zero);
        Assert.That(ring.TrySettle(new PacketNumber(9_999), out _), Is.False);
    }

    [Test]
    public void What_a_pure_ack_acknowledged_is_found_once_when_it_is_acknowledged()
    {
        SentPacketRing ring = new(64, 64);
        PacketNumber ack = ring.Add(new SentPacket { Bytes = 40, LargestAckedInIt = 77 });
        Send(ring, 1);

        bool first = ring.TryAckLate(ack, out SentPacket packet);
        bool second = ring.TryAckLate(ack, out _);

        Assert.That(first, Is.True);
        Assert.That(packet.Fate, Is.EqualTo(PacketFate.Unwatched));
        Assert.That(packet.LargestAckedInIt, Is.EqualTo(77));
        Assert.That(second, Is.False);
        Assert.That(ring.BytesInFlight, Is.EqualTo(PacketBytes));
    }

    [Test]
    public void A_packet_without_an_ack_frame_says_so()
        => Assert.That(new SentPacket().LargestAckedInIt, Is.EqualTo(-1));

    [Test]
    public void A_late_acknowledgement_of_a_lost_packet_is_recognised_once()
    {
        SentPacketRing ring = new(64, 64);
        Send(ring, 2);
        ring.TryLose(new PacketNumber(0), out _);

        bool first = ring.TryAckLate(new PacketNumber(0), out SentPacket packet);
        bool second = ring.TryAckLate(new PacketNumber(0), out _);
        bool inFlight = ring.TryAckLate(new PacketNumber(1), out _);

        Assert.That(first, Is.True);
        Assert.That(packet.Fate, Is.EqualTo(PacketFate.Lost));
        Assert.That(second || inFlight, Is.False);
    }

    [Test]
    public void A_number_left_out_was_not_sent()
    {
        SentPacketRing ring = new(64, 64);
        Send(ring, 1);
        PacketNumber skipped = ring.Skip();
        Send(ring, 1);

        Assert.That(ring.WasSent(skipped), Is.False);
        Assert.That(ring.WasSent(new PacketNumber(2)), Is.True);
        Assert.That(Acknowledge(ring, 0, 2), Is.EqualTo(new long[] { 0, 2 }));
    }

    [Test]
    public void A_ring_doubles_up_to_its_limit_and_forgets_nothing_in_flight()
    {
        SentPacketRing ring = new(64, 256);
        SendAcks(ring, 100);

        Send(ring, 200);

        Assert.That(ring.Growths, Is.EqualTo(2));
        Assert.That(ring.BytesInFlight, Is.EqualTo(200 * PacketBytes));
        Assert.That(ring.TryFind(new PacketNumber(0), out _), Is.False);
        Assert.That(Acknowledge(ring, 100, 299), Is.EqualTo(Enumerable.Range(100, 200)));
    }

    // P-3.3
    [Test]
    public void A_full_ring_still_lets_sixteen_probes_out_and_not_one_more()
    {
        SentPacketRing ring = new(64, 64);

        Send(ring, 47);
        bool before = ring.IsFull;
        Send(ring, 1);
        bool after = ring.IsFull;
        Send(ring, 16);

        Assert.That(before, Is.False);
        Assert.That(after, Is.True);
        Assert.That(ring.IsExhausted, Is.True);
        Assert.That(() => Send(ring, 1), Throws.TypeOf<InvariantException>());
    }

    [Test]
    public void Settling_the_oldest_frees_the_ring_and_settling_another_does_not()
    {
        SentPacketRing ring = new(64, 64);
        Send(ring, 48);

        ring.TrySettle(new PacketNumber(1), out _);
        bool afterSecond = ring.IsFull;
        ring.TrySettle(new PacketNumber(0), out _);

        Assert.That(afterSecond, Is.True);
        Assert.That(ring.IsFull, Is.False);
        Assert.That(ring.OldestUnsettled.Value, Is.EqualTo(2));
    }

    [Test]
    public void Unsettled_packets_are_visited_in_order_up_to_a_number()
    {
        SentPacketRing ring = new(64, 256);
        Send(ring, 200);
        Acknowledge(ring, 10, 149);
        List<long> visited = [];

        for (PacketNumber from = new(5);
            ring.TryNextUnsettled(from, new PacketNumber(151), out PacketNumber number);
            from = new PacketNumber(number.Value + 1))
        {
            visited.Add(number.Value);
        }

        Assert.That(visited, Is.EqualTo(new long[] { 5, 6, 7, 8, 9, 150, 151 }));
    }

    // Goal: whatever the order of events, ring and a naive model agree on what is in flight. The recount of the
    // invariants runs beside it in Debug.
    [Test]
    public void A_ring_agrees_with_a_naive_model([Range(1, 20)] int seed)
    {
        Prng draws = new((ulong)seed);
        SentPacketRing ring = new(64, 256);
        SortedSet<long> inFlight = [];

        for (int step = 0; step < 5_000; step++)
        {
            long choice = draws.NextBelow(10);
            PacketNumber drawn = new(draws.NextBelow(ring.Next.Value + 5));

            if (choice < 3 && !ring.IsFull)
            {
                inFlight.Add(Send(ring, 1));
            }
            else if (choice == 3 && !ring.IsExhausted)
            {
                SendAcks(ring, 1);
            }
            else if (choice == 4 && !ring.IsExhausted)
            {
                ring.Skip();
            }
            else if (choice < 9)
            {
                drawn = inFlight.Count > 0 && choice < 8 ? new PacketNumber(inFlight.Min) : drawn;
                Assert.That(ring.TrySettle(drawn, out _), Is.EqualTo(inFlight.Remove(drawn.Value)));
            }
            else
            {
                Assert.That(ring.TryLose(drawn, out _), Is.EqualTo(inFlight.Remove(drawn.Value)));
            }

            Assert.That(ring.OpenPackets, Is.EqualTo(inFlight.Count));
            Assert.That(ring.BytesInFlight, Is.EqualTo(inFlight.Count * PacketBytes));
            Assert.That(ring.OldestUnsettled.Value, Is.EqualTo(inFlight.Count > 0 ? inFlight.Min : ring.Next.Value));
        }
    }

    private static long Send(SentPacketRing ring, int packets)
    {
        PacketNumber last = default;

        for (int i = 0; i < packets; i++)
        {
            last = ring.Add(new SentPacket { Bytes = PacketBytes, IsAckEliciting = true });
        }

        return last.Value;
    }

    private static void SendAcks(SentPacketRing ring, int packets)
    {
        for (int i = 0; i < packets; i++)
        {
            ring.Add(new SentPacket { Bytes = 40, LargestAckedInIt = i });
        }
    }

    /// <summary>As an engine handles one range of an Ack frame.</summary>
    private static long[] Acknowledge(SentPacketRing ring, long smallest, long largest)
    {
        List<long> settled = [];
        PacketNumber from = new(smallest);

        while (ring.TryNextUnacked(from, new PacketNumber(largest), out PacketNumber number))
        {
            if (ring.TrySettle(number, out SentPacket packet))
            {
                settled.Add(packet.Number);
            }
            else
            {
                Assert.That(ring.TryAckLate(number, out _), Is.True);
            }

            from = new PacketNumber(number.Value + 1);
        }

        return [.. settled];
    }
}
