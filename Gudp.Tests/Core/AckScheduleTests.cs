using Gudp.Core;
using Gudp.Core.Congestion;
using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>When an acknowledgement leaves (P-2.1, P-2.2, P-2.5, P-2.6).</summary>
[TestFixture]
public sealed class AckScheduleTests
{
    [Test]
    public void Nothing_is_due_and_nothing_is_waited_for_while_nothing_is_owed()
    {
        Receiver receiver = new(new LossConfig());

        Assert.That(receiver.Acks.IsOwed, Is.False);
        Assert.That(receiver.Acks.IsDue(receiver.Now), Is.False);
        Assert.That(receiver.Acks.NextDeadline(receiver.Now).IsNever, Is.True);
    }

    [TestCase(400, 25, TestName = "The configured delay is the most")]
    [TestCase(40, 10, TestName = "A quarter of the round trip if that is less")]
    [TestCase(1, 1, TestName = "Not below the granularity")]
    public void The_first_packet_waits_and_the_second_does_not(int roundTripMs, int expectedMs)
    {
        Receiver receiver = new(new LossConfig(), roundTripMs);

        receiver.Take();
        Instant deadline = receiver.Acks.NextDeadline(receiver.Now);
        bool isDueAfterOne = receiver.Acks.IsDue(receiver.Now);
        receiver.Take();

        Assert.That(isDueAfterOne, Is.False);
        Assert.That(deadline - receiver.Now, Is.EqualTo(Ms(expectedMs)));
        Assert.That(receiver.Acks.IsDue(receiver.Now), Is.True);
    }

    [Test]
    public void A_wait_that_is_over_when_the_next_packet_comes_is_over()
    {
        Receiver receiver = new(new LossConfig { AckEveryPackets = 10 });
        receiver.Take();

        receiver.After(25).Take();

        Assert.That(receiver.Acks.IsDue(receiver.Now), Is.True);
    }

    [Test]
    public void A_gap_and_reordering_and_a_duplicate_are_told_at_once()
    {
        Receiver gap = new(new LossConfig());
        Receiver reordered = new(new LossConfig());
        Receiver duplicate = new(new LossConfig());

        gap.Take(Arrival.AfterGap);
        reordered.Take(Arrival.Reordered);
        duplicate.Acks.OnDuplicate(mayAnswer: true);

        Assert.That(gap.Acks.IsDue(gap.Now), Is.True);
        Assert.That(reordered.Acks.IsDue(reordered.Now), Is.True);
        Assert.That(duplicate.Acks.IsDue(duplicate.Now), Is.True);
    }

    [TestCase(390, ExpectedResult = false)]
    [TestCase(400, ExpectedResult = true)]
    public bool The_first_packet_after_a_long_silence_is_told_at_once(int silenceMs)
    {
        Receiver receiver = new(new LossConfig(), roundTripMs: 100);
        receiver.Take();
        receiver.Write();

        receiver.After(silenceMs).Take();

        return receiver.Acks.IsDue(receiver.Now);
    }

    [TestCase(80, 10, TestName = "80 ms and a packet a millisecond: eight acks in a round trip")]
    [TestCase(800, 32, TestName = "Not rarer than configured, however long the path")]
    [TestCase(8, 2, TestName = "Not rarer than every second on a path that holds few packets")]
    public void On_a_clean_path_acks_thin_out_to_eight_in_a_round_trip(int roundTripMs, int expected)
    {
        Receiver receiver = new(new LossConfig { MaxAckDelay = Ms(1_000) }, roundTripMs);
        receiver.TakeInRhythm(packets: 2_000);

        int between = receiver.CountUntilDue();

        Assert.That(between, Is.EqualTo(expected));
    }

    [TestCase(0.0005, 8_388_608, 128, TestName = "A packet each 0.5 us: four times what is configured at most")]
    [TestCase(0.0005, 2_944_000, 62, TestName = "A packet each 0.5 us: eight acks in what a window can be")]
    [TestCase(0.0005, 212_992, 32, TestName = "A packet each 0.5 us into a small buffer: as configured")]
    [TestCase(0.005, 8_388_608, 20, TestName = "A packet each 5 us: what arrives in a tenth of a millisecond")]
    [TestCase(0.06, 8_388_608, 2, TestName = "A packet each 60 us: not rarer than every second")]
    public void On_a_path_within_a_machine_acks_thin_out_to_ten_in_a_millisecond(double gapMs, int buffer, int expected)
    {
        Receiver receiver = new(new LossConfig(), roundTripMs: 0.02, gapMs, buffer);
        receiver.TakeInRhythm(packets: 2_000);

        int between = receiver.CountUntilDue();

        Assert.That(between, Is.EqualTo(expected));
    }

    [Test]
    public void On_a_path_within_a_machine_the_end_of_a_burst_is_told_within_a_tenth_of_a_millisecond()
    {
        Receiver receiver = new(new LossConfig(), roundTripMs: 0.02, gapMs: 0.005);
        receiver.TakeInRhythm(packets: 2_000);

        receiver.After(0.005).Take();
        Instant deadline = receiver.Acks.NextDeadline(receiver.Now);

        Assert.That(deadline - receiver.Now, Is.EqualTo(Ms(0.1)));
    }

    [Test]
    public void A_gap_brings_the_usual_rhythm_back_for_a_round_trip()
    {
        Receiver receiver = new(new LossConfig(), roundTripMs: 80);
        receiver.TakeInRhythm(packets: 500);

        receiver.After(1).Take(Arrival.AfterGap);
        receiver.Write();
        int after = receiver.CountUntilDue();
        receiver.TakeInRhythm(packets: 100);
        int later = receiver.CountUntilDue();

        Assert.That(after, Is.EqualTo(2));
        Assert.That(later, Is.EqualTo(10));
    }

    [Test]
    public void A_peer_that_asks_gets_its_rhythm_and_the_newest_packets_wish_counts()
    {
        Receiver receiver = new(new LossConfig(), roundTripMs: 80);
        receiver.TakeInRhythm(packets: 500);

        receiver.Acks.OnAsked(new PacketNumber(10), everyPackets: 5, Ms(20));
        receiver.Acks.OnAsked(new PacketNumber(9), everyPackets: 1, TimeSpan.Zero);

        Assert.That(receiver.CountUntilDue(), Is.EqualTo(5));
    }

    [TestCase(0UL, 1)]
    [TestCase(1UL << 60, 256)]
    public void What_a_peer_asks_is_kept_within_1_and_256(ulong asked, int expected)
    {
        Receiver receiver = new(new LossConfig { MaxAckDelay = Ms(1_000) }, roundTripMs: 4_000);

        receiver.Acks.OnAsked(new PacketNumber(1), asked, TimeSpan.FromHours(1));

        Assert.That(receiver.CountUntilDue(), Is.EqualTo(expected));
    }

    [Test]
    public void The_end_of_a_burst_is_told_before_the_delay_is_over()
    {
        Receiver receiver = new(new LossConfig(), roundTripMs: 200);
        receiver.TakeInRhythm(packets: 500);

        receiver.After(1).Take();
        Instant deadline = receiver.Acks.NextDeadline(receiver.Now);

        Assert.That(deadline - receiver.Now, Is.EqualTo(Ms(4)));
    }

    [Test]
    public void Pure_acks_keep_their_distance_whatever_arrives()
    {
        Receiver receiver = new(new LossConfig { MaxAcksPerSecond = 50 });
        List<Instant> sent = [];

        for (int i = 0; i < 1_000; i++)
        {
            receiver.After(1).Take(Arrival.AfterGap);

            if (receiver.Acks.IsDue(receiver.Now))
            {
                receiver.Write();
                receiver.Acks.OnPacketSent(asks: false, receiver.Now);
                sent.Add(receiver.Now);
            }
            else
            {
                // Owed and held back: the next permission is waited for.
                Assert.That(receiver.Acks.NextDeadline(receiver.Now), Is.EqualTo(sent[^1] + Ms(20)));
            }
        }

        Assert.That(sent, Has.Count.EqualTo(50));
    }

    [Test]
    public void An_end_that_only_receives_asks_once_a_second_for_an_ack_of_its_own()
    {
        Receiver receiver = new(new LossConfig { MostPacketsPerAck = 2 });
        List<Instant> asked = [];

        for (int i = 0; i < 5_000; i++)
        {
            receiver.After(1).Take();

            if (!receiver.Acks.IsDue(receiver.Now))
            {
                continue;
            }

            bool asks = receiver.Acks.ShouldAsk(ranges: 1, receiver.Now);
            receiver.Write();
            receiver.Acks.OnPacketSent(asks, receiver.Now);

            if (asks)
            {
                asked.Add(receiver.Now);
            }
        }

        Assert.That(asked, Has.Count.EqualTo(5));
    }

    private static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    /// <summary>An end that takes packets one by one; the round trip is given.</summary>
    private sealed class Receiver(LossConfig rules, double roundTripMs = 100, double gapMs = 1, int buffer = 8_388_608)
    {
        private readonly RttSample _rtt = new(Ms(roundTripMs), Ms(roundTripMs), Ms(roundTripMs), IsMeasured: true);
        private int _sinceAck;

        internal AckSchedule Acks { get; } = new(rules, buffer);

        internal Instant Now { get; private set; } = new(TimeSpan.TicksPerSecond);

        internal Receiver After(double milliseconds)
        {
            Now += Ms(milliseconds);
            return this;
        }

        internal void Take(Arrival arrival = Arrival.InOrder)
        {
            _sinceAck++;
            Acks.OnArrived(arrival, _sinceAck, _rtt, Now);
        }

        internal void Write()
        {
            _sinceAck = 0;
            Acks.OnWritten();
        }

        internal void TakeInRhythm(int packets)
        {
            for (int i = 0; i < packets; i++)
            {
                After(gapMs).Take();

                if (Acks.IsDue(Now))
                {
                    Write();
                }
            }

            Write();
        }

        /// <summary>A packet at each gap until one makes the ack due.</summary>
        internal int CountUntilDue()
        {
            int taken = 0;

            while (!Acks.IsDue(Now) && taken < 1_000)
            {
                After(gapMs).Take();
                taken++;
            }

            Write();
            return taken;
        }
    }
}
