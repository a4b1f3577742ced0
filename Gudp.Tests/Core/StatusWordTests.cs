using Gudp.Core;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class StatusWordTests
{
    private static readonly TimeSpan JoinTimeout = TimeSpan.FromSeconds(10);

    [Test]
    public void A_fresh_word_is_working_and_not_open()
    {
        ConnectionStatus status = new StatusWord().Read();

        Assert.That(status, Is.EqualTo(default(ConnectionStatus)));
        Assert.That(status.IsFinal, Is.False);
        Assert.That(status.IsOpen, Is.False);
    }

    // S-8.1
    [Test]
    public void Working_levels_are_published_side_by_side()
    {
        var word = new StatusWord();

        word.TrySetOpen();
        word.TrySetLevels(Levels(CongestionLevel.Bad) with { SendQueue = SendQueueLevel.Full, IsPeerSilent = true });
        word.TrySetLevels(
            Levels(CongestionLevel.Bad) with { SendQueue = SendQueueLevel.Full, IsPacketSizeReduced = true });

        ConnectionStatus status = word.Read();
        Assert.That(status.IsOpen, Is.True);
        Assert.That(status.Congestion, Is.EqualTo(CongestionLevel.Bad));
        Assert.That(status.SendQueueLevel, Is.EqualTo(SendQueueLevel.Full));
        Assert.That(status.IsPathValidated, Is.True);
        Assert.That(status.IsPacketSizeReduced, Is.True);
        Assert.That(status.IsPeerSilent, Is.False);
    }

    [Test]
    public void A_working_level_is_set_before_the_end()
        => Assert.That(new StatusWord().TrySetLevels(Levels(CongestionLevel.Busy)), Is.True);

    [Test]
    public void A_working_level_is_not_set_after_the_end()
    {
        var word = new StatusWord();
        word.TrySetLevels(Levels(CongestionLevel.Busy));
        word.End(FinalReasons.LoopFaulted, CloseReason.ByApplication);

        bool isSet = word.TrySetLevels(Levels(CongestionLevel.Bad));

        Assert.That(isSet, Is.False);
        Assert.That(word.Read().Congestion, Is.EqualTo(CongestionLevel.Busy));
    }

    [TestCase(FinalReasons.LoopFaulted)]
    [TestCase(FinalReasons.Refused)]
    [TestCase(FinalReasons.ProtocolViolated)]
    [TestCase(FinalReasons.TimedOut)]
    [TestCase(FinalReasons.SocketFailed)]
    [TestCase(FinalReasons.ClosedByPeer)]
    [TestCase(FinalReasons.ClosedLocally)]
    public void Each_final_reason_ends_the_connection(FinalReasons reason)
    {
        var word = new StatusWord();
        word.TrySetOpen();

        word.End(reason, CloseReason.ByApplication);

        ConnectionStatus status = word.Read();
        Assert.That(status.IsFinal, Is.True);
        Assert.That(status.IsOpen, Is.False);
        Assert.That(status.WasOpen, Is.True);
        Assert.That(status.Reasons, Is.EqualTo(reason));
    }

    // S-8.2
    [Test]
    public void Later_ends_add_their_bits_and_keep_the_first_reason()
    {
        var word = new StatusWord();
        var first = new CloseReason(CloseCode.IdleTimeout, "silence");

        bool isFirst = word.End(FinalReasons.TimedOut, first);
        bool isSecondFirst = word.End(FinalReasons.ClosedLocally, CloseReason.ByApplication);

        Assert.That(isFirst, Is.True);
        Assert.That(isSecondFirst, Is.False);
        Assert.That(word.Read().Reasons, Is.EqualTo(FinalReasons.TimedOut | FinalReasons.ClosedLocally));
        Assert.That(word.Reason, Is.SameAs(first));
    }

    [Test]
    public void A_final_reason_that_touches_working_bits_is_a_bug()
        => Assert.Throws<InvariantException>(
            () => new StatusWord().End((FinalReasons)1, CloseReason.ByApplication));

    [Test]
    public void A_working_mask_that_touches_final_bits_is_a_bug()
        => Assert.Throws<InvariantException>(() => new StatusWord().TrySetWorking(StatusWord.LowestFinalBit, 0));

    // T25. Goal: whatever working bits others write meanwhile, an end set by any thread is never lost, and whoever sees
    // it sees why. Method: many short rounds, since each has one moment in which the end can be lost.
    // S-8.2
    [Test]
    public void An_end_is_never_lost_among_eight_threads_that_write_working_levels()
    {
        const int Writers = 8;
        const int Rounds = 200;
        var words = new StatusWord[Rounds];

        for (int round = 0; round < Rounds; round++)
        {
            words[round] = new StatusWord();
        }

        using var start = new Barrier(Writers + 1);
        var unseenReasons = 0;
        var threads = new Thread[Writers];

        for (int i = 0; i < Writers; i++)
        {
            threads[i] = new Thread(() => Hammer(words, start, ref unseenReasons)) { IsBackground = true };
            threads[i].Start();
        }

        start.SignalAndWait(JoinTimeout);

        foreach (StatusWord word in words)
        {
            Thread.SpinWait(50);
            word.End(FinalReasons.ClosedLocally, CloseReason.ByApplication);
        }

        Assert.That(threads.All(thread => thread.Join(JoinTimeout)), Is.True, "A writer never saw the end.");
        Assert.That(words.All(word => word.Read().Reasons == FinalReasons.ClosedLocally), Is.True);
        Assert.That(unseenReasons, Is.Zero, "A thread saw the end without its reason.");
    }

    private static void Hammer(StatusWord[] words, Barrier start, ref int unseenReasons)
    {
        start.SignalAndWait(JoinTimeout);

        foreach (StatusWord word in words)
        {
            int level = 0;

            while (word.TrySetLevels(Levels((CongestionLevel)(level++ % 3))))
            {
                word.TrySetOpen();
            }

            if (word.Reason is null)
            {
                Interlocked.Increment(ref unseenReasons);
            }
        }
    }

    [Test]
    public void A_status_names_what_is_not_well()
    {
        var word = new StatusWord();
        string connecting = word.Read().ToString();
        word.TrySetOpen();
        string open = word.Read().ToString();
        word.TrySetLevels(new WorkingLevels(
            CongestionLevel.Busy, SendQueueLevel.Full, IsPathValidated: false, IsPacketSizeReduced: true,
            IsPeerSilent: true));
        string troubled = word.Read().ToString();
        word.End(FinalReasons.TimedOut, CloseReason.ByApplication);

        Assert.That(connecting, Is.EqualTo("Connecting"));
        Assert.That(open, Is.EqualTo("Open, Clear"));
        Assert.That(troubled, Is.EqualTo("Open, Busy, SendQueueFull, PathUnvalidated, PacketSizeReduced, PeerSilent"));
        Assert.That(word.Read().ToString(), Is.EqualTo("Ended: TimedOut"));
    }

    // S-8.3: entered high, left low.
    [TestCase(SendQueueLevel.Clear, 499, SendQueueLevel.Clear)]
    [TestCase(SendQueueLevel.Clear, 500, SendQueueLevel.Busy)]
    [TestCase(SendQueueLevel.Clear, 875, SendQueueLevel.Full)]
    [TestCase(SendQueueLevel.Busy, 874, SendQueueLevel.Busy)]
    [TestCase(SendQueueLevel.Busy, 250, SendQueueLevel.Busy)]
    [TestCase(SendQueueLevel.Busy, 249, SendQueueLevel.Clear)]
    [TestCase(SendQueueLevel.Full, 750, SendQueueLevel.Full)]
    [TestCase(SendQueueLevel.Full, 749, SendQueueLevel.Busy)]
    [TestCase(SendQueueLevel.Full, 0, SendQueueLevel.Clear)]
    public void The_send_queue_s_level_is_left_further_down_than_it_was_entered(
        SendQueueLevel before, int filledPermille, SendQueueLevel after)
        => Assert.That(SendQueueRule.Next(before, filledPermille), Is.EqualTo(after));

    private static WorkingLevels Levels(CongestionLevel congestion) => new(
        congestion, SendQueueLevel.Clear, IsPathValidated: true, IsPacketSizeReduced: false, IsPeerSilent: false);

    [TestCase(255, 255)]
    [TestCase(256, 255)]
    [TestCase(0, 0)]
    public void A_detail_is_cut_to_what_fits_on_the_wire(int given, int kept)
        => Assert.That(new CloseReason(CloseCode.None, new string('a', given)).Detail, Has.Length.EqualTo(kept));

    [Test]
    public void A_detail_is_cut_at_a_whole_character()
    {
        // 254 bytes, then a character of three.
        var reason = new CloseReason(CloseCode.None, new string('a', 254) + "\u20AC");

        Assert.That(reason.Detail, Has.Length.EqualTo(254));
    }

    [Test]
    public void Every_drop_reason_has_its_counter_and_the_sum_adds_up()
    {
        var counters = new DaemonCounterSet();

        foreach (DropReason reason in Enum.GetValues<DropReason>())
        {
            counters.CountReceived(10, reason);
            counters.CountReceived(10, reason);
        }

        DaemonCounters seen = counters.ReadSnapshot();
        int reasons = Enum.GetValues<DropReason>().Length;
        Assert.That(seen.DatagramsReceived, Is.EqualTo(2 * reasons));
        Assert.That(seen.DatagramsAccepted, Is.EqualTo(2));
        Assert.That(seen.DatagramsDropped, Is.EqualTo(2 * (reasons - 1)));
        Assert.That(seen.Dropped(DropReason.Duplicate), Is.EqualTo(2));
        Assert.That(seen.Dropped(DropReason.None), Is.Zero);
        Assert.That(seen.BytesReceived, Is.EqualTo(20 * reasons));
    }

    [Test]
    public void Two_snapshots_without_traffic_between_them_are_equal()
    {
        var counters = new DaemonCounterSet();
        counters.CountReceived(10, DropReason.TooShort);

        DaemonCounters first = counters.ReadSnapshot();
        DaemonCounters second = counters.ReadSnapshot();

        Assert.That(second, Is.EqualTo(first));
    }
}
