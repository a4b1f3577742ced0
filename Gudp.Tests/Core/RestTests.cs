using Gudp.Core;
using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

// What grows with use, and is given back.
[TestFixture]
public sealed class RestTests
{
    private static readonly Instant Start = new(1_000_000);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Test]
    public void A_ring_that_sends_twice_a_second_keeps_its_few_slots()
    {
        SentPacketRing ring = new(256, 1024);

        for (int i = 0; i < 1000; i++)
        {
            ring.Add(Ack(Start + (i * (Second / 2))));
        }

        Assert.That(ring.Slots, Is.EqualTo(SentPacketRing.RestSlots));
    }

    [Test]
    public void A_ring_grows_to_remember_what_left_a_moment_ago_but_not_beyond_its_usual_size()
    {
        SentPacketRing ring = new(256, 1024);

        for (int i = 0; i < 1000; i++)
        {
            ring.Add(Ack(Start));
        }

        Assert.Multiple(() =>
        {
            Assert.That((ring.Slots, ring.Growths), Is.EqualTo((256, 0)));
            Assert.That(ring.TryFind(new PacketNumber(1000 - 256), out _), Is.True);
            Assert.That(ring.TryFind(new PacketNumber(1000 - 257), out _), Is.False);
        });
    }

    [Test]
    public void A_ring_at_rest_keeps_its_newest_packets_and_what_is_in_flight()
    {
        SentPacketRing ring = new(256, 1024);

        for (int i = 0; i < 500; i++)
        {
            ring.Add(Ack(Start));
        }

        PacketNumber asking = ring.Add(new SentPacket { Bytes = 50, IsAckEliciting = true, SentAt = Start });

        ring.Rest();

        Assert.Multiple(() =>
        {
            Assert.That(ring.Slots, Is.EqualTo(SentPacketRing.RestSlots));
            Assert.That(ring.TryFind(new PacketNumber(498), out _), Is.True);
            Assert.That(ring.TryFind(new PacketNumber(495), out _), Is.False);
            Assert.That(ring.BytesInFlight, Is.EqualTo(50));
            Assert.That(ring.TrySettle(asking, out _), Is.True);
        });
    }

    [Test]
    public void A_ring_does_not_rest_while_more_is_in_flight_than_would_fit()
    {
        SentPacketRing ring = new(256, 1024);

        for (int i = 0; i < 20; i++)
        {
            ring.Add(new SentPacket { Bytes = 50, IsAckEliciting = true, SentAt = Start });
        }

        ring.Rest();

        Assert.That((ring.Slots, ring.OpenPackets), Is.EqualTo((64, 20)));
    }

    // P-1.2
    [Test]
    public void A_window_remembers_ten_seconds_however_much_comes_in_them()
    {
        ReceiveWindow window = new();
        window.Add(new PacketNumber(0), Start, isAckEliciting: true);
        window.Add(new PacketNumber(8_000), Start + Second, isAckEliciting: true);

        Assert.Multiple(() =>
        {
            Assert.That(window.Check(new PacketNumber(0)), Is.EqualTo(WindowVerdict.Duplicate));
            Assert.That(window.Check(new PacketNumber(1)), Is.EqualTo(WindowVerdict.New));
        });
    }

    // P-1.2
    [Test]
    public void A_window_that_hears_twice_a_second_forgets_what_is_older_than_ten_seconds_before_it_grows()
    {
        ReceiveWindow window = new();

        for (int i = 0; i < 200; i++)
        {
            window.Add(new PacketNumber(i), Start + (i * (Second / 2)), isAckEliciting: true);
        }

        Assert.Multiple(() =>
        {
            Assert.That(window.Check(new PacketNumber(199 - 20)), Is.EqualTo(WindowVerdict.Duplicate));
            Assert.That(window.Check(new PacketNumber(199 - 64)), Is.EqualTo(WindowVerdict.TooOld));
        });
    }

    // P-1.2
    [Test]
    public void A_window_at_rest_knows_its_newest_64_numbers()
    {
        ReceiveWindow window = new();

        for (int i = 0; i < 1000; i += 2)
        {
            window.Add(new PacketNumber(i), Start, isAckEliciting: true);
        }

        window.Rest();

        Assert.Multiple(() =>
        {
            Assert.That(window.Check(new PacketNumber(998 - 62)), Is.EqualTo(WindowVerdict.Duplicate));
            Assert.That(window.Check(new PacketNumber(998 - 63)), Is.EqualTo(WindowVerdict.New));
            Assert.That(window.Check(new PacketNumber(998 - 64)), Is.EqualTo(WindowVerdict.TooOld));
            Assert.That(window.Ranges.Length, Is.EqualTo(ReceiveWindow.MaxRanges));
        });
    }

    [Test]
    public void An_outbox_at_rest_begins_anew()
    {
        ReliableOutbox<int> outbox = new(1024);

        for (int i = 0; i < 500; i++)
        {
            outbox.Note(new PacketNumber(i), i);
            outbox.TryTake(new PacketNumber(i), out int taken);
            outbox.Offer(taken);
            outbox.TryNextOffer(out _);
        }

        outbox.Rest();
        outbox.Note(new PacketNumber(500), 7);
        outbox.Offer(8);

        Assert.Multiple(() =>
        {
            Assert.That(outbox.TryTake(new PacketNumber(500), out int noted) ? noted : -1, Is.EqualTo(7));
            Assert.That(outbox.TryNextOffer(out int offered) ? offered : -1, Is.EqualTo(8));
        });
    }

    [Test]
    public void An_outbox_keeps_what_is_in_flight_or_waits()
    {
        ReliableOutbox<int> outbox = new(1024);
        outbox.Note(new PacketNumber(1), 7);

        outbox.Rest();
        bool isThere = outbox.TryTake(new PacketNumber(1), out _);
        outbox.Offer(8);
        outbox.Rest();

        Assert.That((isThere, outbox.Waiting), Is.EqualTo((true, 1)));
    }

    private static SentPacket Ack(Instant at) => new() { Bytes = 40, SentAt = at };
}
