using Gudp.Core;
using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class LossDetectorTests
{
    private static readonly TimeSpan OneRoundTrip = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan OneTick = new(1);

    // With one sample: the variation is half of it. 100 + 4 x 50 + 25.
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromMilliseconds(325);
    private static readonly TimeSpan LossDelay = TimeSpan.FromMilliseconds(112.5);

    // P-3.1
    [Test]
    public void A_packet_is_lost_once_three_later_packets_are_acked()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 4);

        path.After(OneRoundTrip).Acknowledge(3);

        Assert.That(path.Lost, Is.EqualTo(new[] { 0 }));
    }

    [Test]
    public void A_packet_is_not_lost_while_only_two_later_packets_are_acked()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 3);

        path.After(OneRoundTrip).Acknowledge(2);

        Assert.That(path.Lost, Is.Empty);
    }

    [Test]
    public void All_packets_before_a_far_later_one_are_lost_oldest_first()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 10);

        path.After(OneRoundTrip).Acknowledge(9);

        Assert.That(path.Lost, Is.EqualTo(new[] { 0, 1, 2, 3, 4, 5, 6 }));
        Assert.That(path.Ring.OpenPackets, Is.EqualTo(2));
    }

    [Test]
    public void Nothing_is_lost_while_nothing_later_is_acked_however_old_it_is()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 5);

        path.After(OneRoundTrip * 100).Acknowledge(0);

        Assert.That(path.Lost, Is.Empty);
        Assert.That(path.Detector.LossDeadline.IsNever, Is.True);
    }

    // P-3.1
    [Test]
    public void A_packet_is_lost_by_time_nine_eighths_of_a_round_trip_after_it_was_sent()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        Instant sentAt = path.Now;
        path.Send(packets: 2);
        path.After(OneRoundTrip).Acknowledge(1);

        Instant deadline = path.Detector.LossDeadline;
        path.AdvanceToNextDeadline();

        Assert.That(deadline, Is.EqualTo(sentAt + LossDelay));
        Assert.That(path.Lost, Is.EqualTo(new[] { 0 }));
        Assert.That(path.ProbesAsked, Is.Zero);
    }

    [Test]
    public void A_packet_is_not_lost_by_time_one_tick_earlier()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 2);
        path.After(OneRoundTrip).Acknowledge(1);

        path.After(LossDelay - OneRoundTrip - OneTick).CollectLost();

        Assert.That(path.Lost, Is.Empty);
    }

    [Test]
    public void An_acknowledgement_that_comes_late_declares_the_older_ones_lost_at_once()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 2);

        path.After(LossDelay).Acknowledge(1);

        Assert.That(path.Lost, Is.EqualTo(new[] { 0 }));
    }

    // P-3.2
    [Test]
    public void An_unanswered_tail_asks_for_a_probe_and_declares_nothing_lost()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 1);

        path.AdvanceToNextDeadline();

        Assert.That(path.ProbesAsked, Is.EqualTo(1));
        Assert.That(path.Lost, Is.Empty);
    }

    [Test]
    public void The_probe_time_out_counts_from_the_last_packet_that_asks_for_an_acknowledgement()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 1);
        path.After(OneRoundTrip).Send(packets: 1);
        Instant last = path.Now;
        path.After(OneRoundTrip).SendAck();

        Assert.That(path.Detector.ProbeDeadline, Is.EqualTo(last + ProbeTimeout));
    }

    [Test]
    public void No_probe_is_asked_one_tick_before_its_deadline()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 1);
        Instant deadline = path.Detector.ProbeDeadline;

        Assert.That(path.Detector.TryProbe(new Instant(deadline.Ticks - 1)), Is.False);
        Assert.That(path.Detector.TryProbe(deadline), Is.True);
    }

    [Test]
    public void Each_probe_doubles_the_wait_and_an_acknowledgement_resets_it()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        Instant sentAt = path.Now;
        path.Send(packets: 2);

        path.AdvanceToNextDeadline();
        Instant second = path.Detector.ProbeDeadline;
        path.AdvanceToNextDeadline();
        Instant third = path.Detector.ProbeDeadline;
        path.Acknowledge(0);

        Assert.That(second, Is.EqualTo(sentAt + (ProbeTimeout * 2)));
        Assert.That(third, Is.EqualTo(sentAt + (ProbeTimeout * 4)));
        Assert.That(path.Detector.PtoCount, Is.Zero);
        Assert.That(path.Detector.ProbeDeadline, Is.EqualTo(sentAt + ProbeTimeout));
    }

    [Test]
    public void Probes_without_end_keep_their_deadline_within_its_range()
    {
        LossScenario path = LossScenario.WithRoundTrip(TimeSpan.FromSeconds(10));
        path.Send(packets: 1);

        for (int i = 0; i < 100; i++)
        {
            path.AdvanceToNextDeadline();
        }

        Assert.That(path.ProbesAsked, Is.EqualTo(100));
        Assert.That(path.Detector.ProbeDeadline.Ticks, Is.GreaterThan(0));
    }

    [Test]
    public void No_deadline_is_set_while_nothing_that_asks_is_in_flight()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        Instant fresh = path.Detector.Deadline;
        path.SendAck();
        Instant afterAck = path.Detector.Deadline;
        path.Send(packets: 1);
        path.After(OneRoundTrip).Acknowledge(1);

        Assert.That(fresh.IsNever && afterAck.IsNever, Is.True);
        Assert.That(path.Detector.Deadline.IsNever, Is.True);
        Assert.That(path.Detector.OverdueDeadline.IsNever, Is.True);
    }

    [Test]
    public void The_probe_waits_while_a_gap_is_known()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 3);

        path.After(OneRoundTrip).Acknowledge(1);
        bool whileGap = path.Detector.ProbeDeadline.IsNever;
        path.AdvanceToNextDeadline();

        Assert.That(whileGap, Is.True);
        Assert.That(path.Lost, Is.EqualTo(new[] { 0 }));
        Assert.That(path.Detector.LossDeadline.IsNever, Is.True);
        Assert.That(path.Detector.ProbeDeadline.IsNever, Is.False);
    }

    // P-3.5
    [Test]
    public void A_wrong_declaration_raises_the_threshold_to_the_distance_seen()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 10);
        path.After(OneRoundTrip).Acknowledge(5);

        path.FindWrong(0);

        Assert.That(path.Detector.PacketThreshold, Is.EqualTo(6));
    }

    [Test]
    public void A_later_wrong_declaration_of_a_short_distance_leaves_the_threshold_at_twenty()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 60);
        path.After(OneRoundTrip).Acknowledge(50);

        path.FindWrong(0);
        path.FindWrong(49);

        Assert.That(path.Detector.PacketThreshold, Is.EqualTo(LossDetector.MaxPacketThreshold));
    }

    [Test]
    public void A_path_that_reorders_further_than_twenty_packets_is_judged_by_time_alone()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 60);
        path.After(OneRoundTrip).Acknowledge(50);
        path.FindWrong(0);
        path.Send(packets: 100);

        path.After(OneRoundTrip).Acknowledge(159);
        bool isLostByCount = path.Lost.Contains(100);
        path.AdvanceToNextDeadline();

        Assert.That(isLostByCount, Is.False);
        Assert.That(path.Lost, Does.Contain(100));
    }

    [TestCase(30, 17.5, TestName = "What was missing is added to the age")]
    [TestCase(5_000, 100, TestName = "At most a round trip, or 100 ms if that is more")]
    public void A_wrong_declaration_raises_the_age_at_which_packets_are_lost(int lateByMs, double expectedMs)
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 5);
        path.After(OneRoundTrip).Acknowledge(4);

        path.After(TimeSpan.FromMilliseconds(lateByMs)).FindWrong(0);

        Assert.That(path.Detector.LossDelay - LossDelay, Is.EqualTo(TimeSpan.FromMilliseconds(expectedMs)));
    }

    [Test]
    public void What_was_learnt_is_given_back_in_halves_when_losses_prove_right()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 60);
        path.After(OneRoundTrip).Acknowledge(50);
        path.After(OneRoundTrip).FindWrong(0);
        TimeSpan learnt = path.Detector.LossDelay - LossDelay;

        for (int round = 0; round < 16; round++)
        {
            path.Send(packets: 2);
            path.After(OneRoundTrip).Acknowledge((int)path.Ring.Next.Value - 1);
            path.AdvanceToNextDeadline();
        }

        Assert.That(path.Detector.LossDelay - LossDelay, Is.EqualTo(learnt / 2));
        Assert.That(path.Detector.PacketThreshold, Is.EqualTo(11));
    }

    // P-9.7
    [Test]
    public void What_was_learnt_of_a_path_is_forgotten_with_it()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 60);
        path.After(OneRoundTrip).Acknowledge(50);
        path.After(OneRoundTrip).FindWrong(0);
        TimeSpan learnt = path.Detector.LossDelay - LossDelay;

        path.Detector.OnPathChanged();

        Assert.That(learnt, Is.GreaterThan(TimeSpan.Zero));
        Assert.That(path.Detector.LossDelay, Is.EqualTo(LossDelay));
        Assert.That(path.Detector.PacketThreshold, Is.EqualTo(3));
    }

    [Test]
    public void A_number_left_out_does_not_show_that_anything_was_overtaken()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 2);
        path.Ring.Skip();
        path.Send(packets: 2);

        path.After(OneRoundTrip).Acknowledge(3);
        int afterThree = path.Lost.Count;
        path.Acknowledge(4);

        Assert.That(afterThree, Is.Zero);
        Assert.That(path.Lost, Is.EqualTo(new[] { 0 }));
    }

    [TestCase(0, 1_000, 0, 325, TestName = "Bounds beside the measured wait change nothing")]
    [TestCase(500, 1_000, 0, 500, TestName = "No probe goes sooner than the least wait")]
    [TestCase(0, 1_000, 5, 1_000, TestName = "Doubling stops at the largest wait")]
    [TestCase(0, 200, 5, 325, TestName = "Which never shortens the first wait")]
    public void Probe_bounds(int leastMs, int largestMs, int probes, int expectedMs)
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip, leastMs, largestMs);
        path.Send(packets: 1);

        for (int i = 0; i < probes; i++)
        {
            path.AdvanceToNextDeadline();
        }

        Assert.That(
            path.Detector.ProbeDeadline - path.Ring.LastElicitingSentAt,
            Is.EqualTo(TimeSpan.FromMilliseconds(expectedMs)));
    }

    // P-3.6
    [Test]
    public void Losses_over_more_than_three_probe_time_outs_are_persistent_congestion()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 1);
        path.After((ProbeTimeout * 3) + OneTick).Send(packets: 1);
        path.Send(packets: 3);

        path.After(OneRoundTrip).Acknowledge(4);

        Assert.That(path.Lost, Is.EqualTo(new[] { 0, 1 }));
        Assert.That(path.PersistentAt, Is.EqualTo(new[] { 1 }));
    }

    [Test]
    public void Losses_over_just_three_probe_time_outs_are_not_persistent_congestion()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 1);
        path.After(ProbeTimeout * 3).Send(packets: 1);
        path.Send(packets: 3);

        path.After(OneRoundTrip).Acknowledge(4);

        Assert.That(path.Lost, Is.EqualTo(new[] { 0, 1 }));
        Assert.That(path.PersistentAt, Is.Empty);
    }

    [Test]
    public void One_acknowledgement_between_the_losses_shows_that_congestion_does_not_persist()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 2);
        path.After((ProbeTimeout * 3) + OneTick).Send(packets: 4);

        path.After(OneRoundTrip).Acknowledge(1, 5);

        Assert.That(path.Lost, Is.EqualTo(new[] { 0, 2 }));
        Assert.That(path.PersistentAt, Is.Empty);
    }

    [Test]
    public void A_pure_ack_between_the_losses_proves_nothing()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 1);
        path.SendAck();
        path.After((ProbeTimeout * 3) + OneTick).Send(packets: 4);

        path.After(OneRoundTrip).Acknowledge(5);

        Assert.That(path.PersistentAt, Is.EqualTo(new[] { 2 }));
    }

    [Test]
    public void Losses_from_before_the_first_sample_are_not_persistent_congestion()
    {
        LossScenario path = LossScenario.WithoutSample();
        path.Send(packets: 1);
        path.After(TimeSpan.FromSeconds(60)).Send(packets: 4);

        path.After(OneRoundTrip).Acknowledge(4);

        Assert.That(path.Lost, Is.EqualTo(new[] { 0, 1 }));
        Assert.That(path.PersistentAt, Is.Empty);
    }

    [Test]
    public void Persistent_congestion_is_reported_once_and_then_counts_from_the_beginning()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 1);
        path.After((ProbeTimeout * 3) + OneTick).Send(packets: 3);
        path.Send(packets: 3);

        path.After(OneRoundTrip).Acknowledge(6);

        Assert.That(path.Lost, Is.EqualTo(new[] { 0, 1, 2, 3 }));
        Assert.That(path.PersistentAt, Is.EqualTo(new[] { 1 }));
    }

    [Test]
    public void Payload_is_offered_once_when_it_is_overdue_and_stays_in_flight()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 1);
        Instant due = path.Detector.OverdueDeadline;

        bool before = path.Detector.TryNextOverdue(new Instant(due.Ticks - 1), out _);
        bool at = path.Detector.TryNextOverdue(due, out PacketNumber number);
        bool again = path.Detector.TryNextOverdue(due + OneRoundTrip, out _);

        Assert.That(due, Is.EqualTo(path.Now + ProbeTimeout), "srtt + 4 var + the ack delay granted");
        Assert.That(before || again, Is.False);
        Assert.That(at, Is.True);
        Assert.That(number.Value, Is.Zero);
        Assert.That(path.Ring.BytesInFlight, Is.EqualTo(LossScenario.PacketBytes));
        Assert.That(path.Detector.OverdueDeadline.IsNever, Is.True);
    }

    [Test]
    public void A_later_send_does_not_put_off_what_is_overdue()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 1);
        Instant due = path.Detector.OverdueDeadline;

        path.After(OneRoundTrip).Send(packets: 1);

        Assert.That(path.Detector.OverdueDeadline, Is.EqualTo(due));
    }

    [Test]
    public void Packets_without_payload_and_packets_acked_are_never_overdue()
    {
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);
        path.Send(packets: 1, hasPayload: false);
        path.SendAck();
        path.Send(packets: 3);
        path.After(OneRoundTrip).Acknowledge(2);

        path.After(OneRoundTrip * 10);
        bool first = path.Detector.TryNextOverdue(path.Now, out PacketNumber a);
        bool second = path.Detector.TryNextOverdue(path.Now, out PacketNumber b);
        bool third = path.Detector.TryNextOverdue(path.Now, out _);

        Assert.That(first && second, Is.True);
        Assert.That((a.Value, b.Value), Is.EqualTo((3L, 4L)));
        Assert.That(third, Is.False);
    }

    // Goal: over random loss and reordering each packet has one fate, and every packet has one in the end.
    [Test]
    public void Every_packet_has_exactly_one_fate([Range(1, 20)] int seed)
    {
        Prng draws = new((ulong)seed);
        LossScenario path = LossScenario.WithRoundTrip(OneRoundTrip);

        for (int step = 0; step < 2_000; step++)
        {
            path.After(TimeSpan.FromMilliseconds(draws.NextBelow(20))).Send(packets: 1);
            path.Acknowledge((int)Math.Max(0, path.Ring.Next.Value - 1 - draws.NextBelow(30)));

            if (draws.NextBelow(10) == 0)
            {
                path.AdvanceToNextDeadline();
            }
        }

        path.Send(packets: 1);
        path.After(OneRoundTrip * 10).Acknowledge((int)path.Ring.Next.Value - 1);

        Assert.That(path.Ring.OpenPackets, Is.Zero);
        Assert.That(path.Lost, Is.Unique);
        Assert.That(path.Acked.Concat(path.Lost), Is.Unique);
        Assert.That(path.Acked.Count + path.Lost.Count, Is.EqualTo(path.Ring.Next.Value));
    }
}
