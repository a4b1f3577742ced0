using Gudp.Core;
using Gudp.Core.Engine;
using Gudp.Core.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class ReceiveWindowTests
{
    private static readonly Instant Now = new(1_000_000);

    [TestCase(100, 100, "Duplicate", TestName = "The newest again is a duplicate")]
    [TestCase(100, 99, "New", TestName = "One behind is new")]
    [TestCase(100, 68, "New", TestName = "Thirty-two behind is new")]
    [TestCase(100, 67, "New", TestName = "Thirty-three behind is new")]
    [TestCase(100, 101, "New", TestName = "One ahead is new")]
    [TestCase(100, 0, "New", TestName = "The first number is new")]
    [TestCase(0, 0, "Duplicate", TestName = "Number zero again is a duplicate")]
    [TestCase(8191, 0, "New", TestName = "The last number inside the window is new")]
    [TestCase(8192, 0, "TooOld", TestName = "The first number outside the window is too old")]
    [TestCase(0, PacketNumber.MaxValue, "New", TestName = "The largest number is new after the smallest")]
    [TestCase(PacketNumber.MaxValue, PacketNumber.MaxValue, "Duplicate", TestName = "The largest number again")]
    [TestCase(PacketNumber.MaxValue, PacketNumber.MaxValue - 8191, "New", TestName = "Inside the window at the top")]
    [TestCase(PacketNumber.MaxValue, PacketNumber.MaxValue - 8192, "TooOld", TestName = "Outside it at the top")]
    [TestCase(PacketNumber.MaxValue, 0, "TooOld", TestName = "The smallest number after the largest is too old")]
    [TestCase(PacketNumber.MaxValue, PacketNumber.MaxValue + 1, "TooOld", TestName = "Above the largest is none")]
    [TestCase(0, -1, "TooOld", TestName = "Below zero is none")]
    public void Check(long newest, long asked, string expected)
    {
        ReceiveWindow window = new();
        Receive(window, newest);

        WindowVerdict verdict = window.Check(new PacketNumber(asked));

        Assert.That(verdict.ToString(), Is.EqualTo(expected));
    }

    [Test]
    public void Everything_is_new_to_a_fresh_window([Values(0, 1, PacketNumber.MaxValue)] long number)
        => Assert.That(new ReceiveWindow().Check(new PacketNumber(number)), Is.EqualTo(WindowVerdict.New));

    [Test]
    public void Asking_changes_nothing()
    {
        ReceiveWindow window = new();

        window.Check(new PacketNumber(5));

        Assert.That(window.Largest, Is.EqualTo(-1));
        Assert.That(window.Check(new PacketNumber(5)), Is.EqualTo(WindowVerdict.New));
    }

    [Test]
    public void A_jump_keeps_what_stays_in_the_window([Values(1, 31, 32, 33, 64, 8190, 8191)] long jump)
    {
        ReceiveWindow window = new();
        Receive(window, 10_000);

        Receive(window, 10_000 + jump);

        Assert.That(window.Check(new PacketNumber(10_000)), Is.EqualTo(WindowVerdict.Duplicate));
        Assert.That(
            window.Check(new PacketNumber(10_000 + jump - 1)),
            Is.EqualTo(jump == 1 ? WindowVerdict.Duplicate : WindowVerdict.New));
    }

    [Test]
    public void A_jump_over_the_whole_window_clears_it([Values(8192, 8193, 16_384, 1L << 40)] long jump)
    {
        ReceiveWindow window = new();
        Receive(window, 10_000);

        Receive(window, 10_000 + jump);

        Assert.That(window.Check(new PacketNumber(10_000)), Is.EqualTo(WindowVerdict.TooOld));
        Assert.That(window.Check(new PacketNumber(10_000 + jump - 8191)), Is.EqualTo(WindowVerdict.New));
    }

    [Test]
    public void A_late_packet_is_acknowledged_and_then_a_duplicate()
    {
        ReceiveWindow window = new();
        Receive(window, 0, 1, 3);

        Receive(window, 2);

        Assert.That(RangesOf(window), Is.EqualTo("0-3"));
        Assert.That(window.Check(new PacketNumber(2)), Is.EqualTo(WindowVerdict.Duplicate));
    }

    [TestCase("0 1 2", "0-2", TestName = "In order they grow one range")]
    [TestCase("2 1 0", "0-2", TestName = "Backwards they grow one range")]
    [TestCase("0 2 4", "4-4 2-2 0-0", TestName = "Gaps split them, newest first")]
    [TestCase("0 2 4 3", "2-4 0-0", TestName = "A filled gap joins two ranges")]
    [TestCase("0 2 4 1", "4-4 0-2", TestName = "A filled older gap joins the older two")]
    [TestCase("0 2 4 3 1", "0-4", TestName = "All gaps filled leave one range")]
    [TestCase("9 0", "9-9 0-0", TestName = "A number far behind makes an older range")]
    [TestCase("9 0 5", "9-9 5-5 0-0", TestName = "A number between makes a range between")]
    [TestCase("5 7 6 4 8", "4-8", TestName = "Both ends grow")]
    public void Ranges(string arrivals, string expected)
    {
        ReceiveWindow window = new();

        Receive(window, [.. arrivals.Split(' ').Select(long.Parse)]);

        Assert.That(RangesOf(window), Is.EqualTo(expected));
    }

    [Test]
    public void Of_more_gaps_than_ranges_the_newest_stay()
    {
        ReceiveWindow window = new();

        Receive(window, [.. Enumerable.Range(0, 65).Select(i => 2L * i)]);

        Assert.That(window.Ranges.Length, Is.EqualTo(64));
        Assert.That(window.Ranges[0], Is.EqualTo(new AckRange(128, 128)));
        Assert.That(window.Ranges[63], Is.EqualTo(new AckRange(2, 2)));
    }

    [Test]
    public void A_packet_older_than_all_ranges_of_a_full_list_is_held_but_not_acknowledged()
    {
        ReceiveWindow window = new();
        Receive(window, [.. Enumerable.Range(1, 64).Select(i => 4L * i)]);

        Receive(window, 0);

        Assert.That(window.Ranges[63], Is.EqualTo(new AckRange(4, 4)));
        Assert.That(window.Check(new PacketNumber(0)), Is.EqualTo(WindowVerdict.Duplicate));
    }

    [Test]
    public void Many_packets_that_ask_for_nothing_may_overtake_one_that_asks()
    {
        ReceiveWindow window = new();

        for (int i = 1; i <= 64; i++)
        {
            window.Add(new PacketNumber(4 * i), Now, isAckEliciting: false);
        }

        Assert.That(window.Add(new PacketNumber(1), Now, isAckEliciting: true), Is.EqualTo(Arrival.AfterGap));
    }

    [TestCase(0, "8-9 4-5 0-1", TestName = "Nothing told, nothing forgotten")]
    [TestCase(1, "8-9 4-5 1-1", TestName = "The number itself stays")]
    [TestCase(2, "8-9 4-5", TestName = "A range wholly below goes")]
    [TestCase(4, "8-9 4-5", TestName = "A range that begins there stays")]
    [TestCase(5, "8-9 5-5", TestName = "A range is cut")]
    [TestCase(9, "9-9", TestName = "The newest always stays")]
    [TestCase(1000, "9-9", TestName = "A number never received empties nothing")]
    public void ForgetBelow(long number, string expected)
    {
        ReceiveWindow window = new();
        Receive(window, 0, 1, 4, 5, 8, 9);

        window.ForgetBelow(number);

        Assert.That(RangesOf(window), Is.EqualTo(expected));
        Assert.That(window.Check(new PacketNumber(0)), Is.EqualTo(WindowVerdict.Duplicate));
    }

    [Test]
    public void A_fresh_window_has_nothing_to_forget()
    {
        ReceiveWindow window = new();

        window.ForgetBelow(5);

        Assert.That(window.Ranges.IsEmpty, Is.True);
    }

    [TestCase("0 1", "InOrder", TestName = "The next one can wait")]
    [TestCase("0", "InOrder", TestName = "The first one can wait")]
    [TestCase("1", "AfterGap", TestName = "A first one that is not zero shows a gap")]
    [TestCase("0 2", "AfterGap", TestName = "A jump shows a gap")]
    [TestCase("0 2 3", "InOrder", TestName = "A gap is news once")]
    [TestCase("0 2 3 1", "Reordered", TestName = "A late one is acknowledged at once")]
    [TestCase("0 -2 3", "AfterGap", TestName = "A gap a pure ack has shown is news with the next that asks")]
    [TestCase("0 -1 2", "InOrder", TestName = "A pure ack between is no gap")]
    [TestCase("0 2 -1", "InOrder", TestName = "A late pure ack asks for nothing")]
    [TestCase("0 -3 2", "AfterGap", TestName = "Overtaken by a pure ack, a gap still shows")]
    [TestCase("0 -2 1", "InOrder", TestName = "Overtaken by a pure ack alone, it can wait")]
    public void Arrival_of_the_last(string arrivals, string expected)
    {
        ReceiveWindow window = new();
        Arrival last = default;

        // A minus sign marks a packet that asks for no acknowledgement.
        foreach (string arrival in arrivals.Split(' '))
        {
            long number = Math.Abs(long.Parse(arrival));
            last = window.Add(new PacketNumber(number), Now, isAckEliciting: !arrival.StartsWith('-'));
        }

        Assert.That(last.ToString(), Is.EqualTo(expected));
    }

    [Test]
    public void A_gap_the_peer_was_told_of_is_not_news()
    {
        ReceiveWindow window = new();
        Receive(window, 0);
        window.Add(new PacketNumber(7), Now, isAckEliciting: false);

        window.ForgetBelow(7);

        Assert.That(window.Add(new PacketNumber(8), Now, isAckEliciting: true), Is.EqualTo(Arrival.InOrder));
    }

    [Test]
    public void What_asks_for_an_acknowledgement_is_counted_until_one_is_written()
    {
        ReceiveWindow window = new();
        window.Add(new PacketNumber(0), Now, isAckEliciting: false);
        window.Add(new PacketNumber(1), Now + TimeSpan.FromMilliseconds(1), isAckEliciting: true);
        window.Add(new PacketNumber(2), Now + TimeSpan.FromMilliseconds(2), isAckEliciting: true);

        int before = window.ElicitingSinceAck;
        Instant first = window.FirstElicitingAt;
        window.OnAckWritten();

        Assert.That(before, Is.EqualTo(2));
        Assert.That(first, Is.EqualTo(Now + TimeSpan.FromMilliseconds(1)));
        Assert.That(window.ElicitingSinceAck, Is.Zero);
        Assert.That(window.FirstElicitingAt.IsNever, Is.True);
    }

    [Test]
    public void The_ack_delay_counts_from_the_largest_number_and_not_from_the_last_arrival()
    {
        ReceiveWindow window = new();
        Receive(window, 5);

        window.Add(new PacketNumber(3), Now + TimeSpan.FromMilliseconds(9), isAckEliciting: true);

        Assert.That(window.LargestReceivedAt, Is.EqualTo(Now));
    }

    [Test]
    public void Noting_a_duplicate_is_a_bug_of_ours()
    {
        ReceiveWindow window = new();
        Receive(window, 3);

        Assert.That(() => Receive(window, 3), Throws.TypeOf<InvariantException>());
    }

    [Test]
    public void The_newest_ranges_are_written_to_a_short_destination()
    {
        ReceiveWindow window = new();
        Receive(window, 0, 2, 4);
        AckRange[] destination = new AckRange[2];

        int written = window.WriteRanges(destination);

        Assert.That(written, Is.EqualTo(2));
        Assert.That(destination, Is.EqualTo(new AckRange[] { new(4, 4), new(2, 2) }));
    }

    // Goal: over a long run with loss, reordering, duplicates and jumps the window agrees with a set of all numbers
    // that arrived.
    [Test]
    public void A_window_agrees_with_a_naive_model([Range(1, 20)] int seed)
    {
        Prng draws = new((ulong)seed);
        ReceiveWindow window = new();
        HashSet<long> arrived = [];
        long largest = -1;

        for (int step = 0; step < 20_000; step++)
        {
            long reach = draws.NextBelow(100) == 0 ? 10_000 : 6;
            long number = Math.Max(0, largest + draws.NextBetween(-reach, reach));
            WindowVerdict expected = largest - number >= ReceiveWindow.WindowPackets ? WindowVerdict.TooOld
                : arrived.Contains(number) ? WindowVerdict.Duplicate
                : WindowVerdict.New;

            Assert.That(window.Check(new PacketNumber(number)), Is.EqualTo(expected));

            if (expected == WindowVerdict.New)
            {
                Receive(window, number);
                arrived.Add(number);
                largest = Math.Max(largest, number);
            }
        }

        foreach (AckRange range in window.Ranges)
        {
            for (long number = range.Smallest; number <= range.Largest; number++)
            {
                Assert.That(arrived, Does.Contain(number));
            }
        }
    }

    private static void Receive(ReceiveWindow window, params long[] numbers)
    {
        foreach (long number in numbers)
        {
            window.Add(new PacketNumber(number), Now, isAckEliciting: true);
        }
    }

    private static string RangesOf(ReceiveWindow window)
        => string.Join(' ', window.Ranges.ToArray().Select(range => $"{range.Smallest}-{range.Largest}"));
}
