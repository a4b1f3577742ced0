using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Log;

/// <summary>The reading side of the log: order, holes, duplicates, gaps, the end (clause ).</summary>
[TestFixture]
public sealed class LogFollowerTests
{
    [Test]
    public void S_E1_a_hole_is_asked_for_once_and_everything_comes_in_order()
    {
        LogFollower follower = new(HistoryStart.FromNumber(1));
        FetchFrame first = Asked(follower)!.Value;
        Give(follower, Names, Log(1, 4));

        Give(follower, Log(7, 10));
        FetchFrame hole = Asked(follower)!.Value;
        Give(follower, Log(10, 11));
        FetchFrame? again = Asked(follower);
        Give(follower, Log(4, 7), Heartbeat(11));
        Give(follower, Log(3, 6));

        Assert.That((first.First, first.Count), Is.EqualTo((1L, LogFollower.FetchCount)));
        Assert.That((hole.First, hole.Count), Is.EqualTo((4L, 3L)));
        Assert.That(again, Is.Null);
        Assert.That(follower.Tally[ClientCount.LogHolesAsked], Is.EqualTo(1));
        Assert.That(follower.Tally[ClientCount.LogMessagesRepeated], Is.EqualTo(3));
        Assert.That(Numbers(follower), Is.EqualTo(Enumerable.Range(1, 10).Select(n => (long)n)));
        Assert.That(Asked(follower)!.Value.First, Is.EqualTo(11));
    }

    [Test]
    public void S_E2_a_tail_that_was_missed_is_asked_for_when_a_heartbeat_says_it_is_there()
    {
        LogFollower follower = new(HistoryStart.FromNumber(1));
        Asked(follower);
        Give(follower, Names, Log(1, 10), Heartbeat(10));
        FetchFrame next = Asked(follower)!.Value;

        Give(follower, Heartbeat(11));
        FetchFrame tail = Asked(follower)!.Value;

        Assert.That((next.First, tail.First), Is.EqualTo((10L, 10L)));
        Assert.That(follower.Next, Is.EqualTo(11));
    }

    [Test]
    public void S_E3_the_end_is_told_only_when_everything_before_it_was_read()
    {
        LogFollower follower = new(HistoryStart.FromNumber(1));
        Asked(follower);
        Give(follower, Names, Log(1, 4), Heartbeat(4));
        Asked(follower);

        Give(follower, End(5));
        FetchFrame rest = Asked(follower)!.Value;
        Give(follower, Log(4, 6), Heartbeat(6), End(5));
        List<LogRead> read = Take(follower);

        Assert.That(rest.First, Is.EqualTo(4));
        Assert.That(read.Select(one => one.Number), Is.EqualTo((long[])[1, 2, 3, 4, 5, 5]));
        Assert.That(read[^1].Kind, Is.EqualTo(LogReadKind.End));
        Assert.That(read[^1].RunDigest, Is.EqualTo(99));
        Assert.That(Asked(follower), Is.Null);
    }

    // H93.
    [Test]
    public void H93_a_gap_is_told_with_the_first_number_after_it_and_reading_goes_on_there()
    {
        LogFollower follower = new(HistoryStart.FromNumber(1));
        Asked(follower);

        Give(follower, Trimmed(20));
        FetchFrame next = Asked(follower)!.Value;
        Give(follower, Names, Log(20, 22), Heartbeat(22));
        List<LogRead> read = Take(follower);

        Assert.That(next.First, Is.EqualTo(20));
        Assert.That(read.Select(one => (one.Kind, one.Number)), Is.EqualTo(new[]
        {
            (LogReadKind.Trimmed, 20L), (LogReadKind.Message, 20L), (LogReadKind.Message, 21L),
        }));
    }

    // S-E13: who does not read asks for no more, and knows where it goes on.
    [Test]
    public void S_E13_a_reader_that_does_not_read_asks_for_no_more_until_it_does()
    {
        LogFollower follower = new(HistoryStart.FromNumber(1));
        Asked(follower);
        Give(follower, Names);

        for (long number = 1; number <= 9; number++)
        {
            Give(follower, Log(number, number + 1, bytes: 512 * 1024));
        }

        Give(follower, Heartbeat(100));
        FetchFrame? none = Asked(follower);
        Take(follower);
        FetchFrame? some = Asked(follower);

        Assert.That(none, Is.Null);
        Assert.That(some!.Value.First, Is.EqualTo(10));
        Assert.That(follower.Position, Is.EqualTo(10));
    }

    [Test]
    public void Live_begins_with_what_comes_next()
    {
        LogFollower follower = new(HistoryStart.Live);
        FetchFrame position = Asked(follower)!.Value;

        Give(follower, Heartbeat(41));
        FetchFrame next = Asked(follower)!.Value;

        Assert.That(position.Count, Is.Zero);
        Assert.That(next.First, Is.EqualTo(41));
    }

    [Test]
    public void A_tag_leaves_out_what_arrives_before_it()
    {
        LogFollower follower = new(HistoryStart.Since(new Tag(5, 0)));
        Asked(follower);

        Give(follower, Names, Log(1, 10));

        Assert.That(Numbers(follower), Is.EqualTo((long[])[5, 6, 7, 8, 9]));
    }

    // H93: the oldest kept is not the first there was.
    [Test]
    public void H93_who_asks_for_a_tag_is_told_when_messages_from_there_on_are_gone()
    {
        LogFollower follower = new(HistoryStart.Since(new Tag(5, 0)));
        FetchFrame asked = Asked(follower)!.Value;

        Give(follower, Trimmed(20));
        FetchFrame next = Asked(follower)!.Value;
        Give(follower, Names, Log(20, 22));

        Assert.That((asked.First, next.First), Is.EqualTo((1L, 20L)));
        Assert.That(
            Take(follower).Select(read => (read.Kind, read.Number)),
            Is.EqualTo(new[]
            {
                (LogReadKind.Trimmed, 20L), (LogReadKind.Message, 20L), (LogReadKind.Message, 21L),
            }));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_gap_before_the_tag_that_was_asked_for_is_none(bool isSeenByFloor)
    {
        LogFollower follower = new(HistoryStart.Since(new Tag(22, 0)));
        Asked(follower);
        Give(follower, Trimmed(20));
        Asked(follower);

        // The heartbeat's floor is 7.
        LogFollower early = new(HistoryStart.Since(new Tag(7, 0)));
        Asked(early);
        Give(early, Trimmed(3), Heartbeat(3));
        Give(follower, Names, Log(20, 24));
        Give(early, Names, Log(7, 9));

        Assert.That(
            Take(isSeenByFloor ? early : follower).Select(read => read.Kind), Is.All.EqualTo(LogReadKind.Message));
    }

    [Test]
    public void The_position_is_that_of_what_is_read_and_not_of_what_has_come()
    {
        LogFollower follower = new(HistoryStart.FromNumber(1));
        Asked(follower);
        Give(follower, Names, Log(1, 4), Log(4, 6, last: 9), Heartbeat(9));
        List<long> positions = [follower.ReadPosition];

        while (follower.TryTake(out _))
        {
            positions.Add(follower.ReadPosition);
        }

        Assert.That(positions, Is.EqualTo((long[])[1, 2, 3, 4, 5, 9]));
    }

    // Unread messages take memory, whatever is in them.
    [Test]
    public void Who_does_not_read_empty_messages_asks_for_no_more_either()
    {
        LogFollower follower = new(HistoryStart.FromNumber(1));
        Asked(follower);
        Give(follower, Names);
        long count = 0;

        while (count < 1_000_000 && (count == 0 || Asked(follower) is not null))
        {
            Give(follower, Log(count + 1, count + 10_001, bytes: 0), Heartbeat((ulong)(count + 10_001)));
            count += 10_000;
        }

        Assert.That(count, Is.LessThan(100_000));
    }

    [Test]
    public void What_comes_early_has_a_limit()
    {
        LogFollower follower = new(HistoryStart.FromNumber(1));
        Asked(follower);
        Give(follower, Names);

        for (int piece = 0; piece < 20; piece++)
        {
            Give(follower, Log(10 + piece, 11 + piece, bytes: 1 << 20));
        }

        Give(follower, Log(1, 10));

        Assert.That(Numbers(follower).Last(), Is.LessThan(20));
        Assert.That(follower.Position, Is.LessThan(20));
        Assert.That(follower.Error, Is.EqualTo(SequencingError.None));
    }

    [Test]
    public void Numbers_that_a_frame_does_not_have_are_no_hole()
    {
        LogFollower follower = new(HistoryStart.FromNumber(1));
        Asked(follower);

        Give(follower, Names, Log(1, 3, last: 9), Log(9, 10), Heartbeat(10));

        Assert.That(Numbers(follower), Is.EqualTo((long[])[1, 2, 9]));
        Assert.That(follower.Tally[ClientCount.LogHolesAsked], Is.Zero);
    }

    // Names come first, and every record names one of them.
    [Test]
    public void A_message_of_a_member_or_channel_without_a_name_is_a_bad_frame()
    {
        LogFollower follower = new(HistoryStart.FromNumber(1));
        Asked(follower);

        Give(follower, Log(1, 2));

        Assert.That(follower.Error, Is.EqualTo(SequencingError.BadFrame));
    }

    [Test]
    public void Any_bytes_leave_the_follower_with_an_error_or_nothing([Range(1, 30)] int seed)
    {
        Random random = new(seed);
        LogFollower follower = new(HistoryStart.FromNumber(0));
        Give(follower, Names);

        for (int i = 0; i < 200 && follower.Error == SequencingError.None; i++)
        {
            byte[] bytes = Log(1 + random.Next(5), 8 + random.Next(20));
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            Assert.That(() => follower.HandleMessage(bytes), Throws.Nothing);
            Take(follower);
        }

        Assert.That(follower.TryTake(out _), Is.False);
    }

    [Test]
    public void Names_of_channels_without_end_are_a_bad_frame()
    {
        LogFollower follower = new(HistoryStart.FromNumber(1));
        int names = 0;

        while (follower.Error == SequencingError.None && names < 100_000)
        {
            int index = names++;
            Give(follower, Write(writer => new ChannelNameFrame(index, "x").Write(writer, 1, 0)));
        }

        Assert.That(follower.Error, Is.EqualTo(SequencingError.BadFrame));
    }

    [Test]
    public void A_number_that_cannot_be_asked_for_is_refused_at_the_call()
        => Assert.Throws<ArgumentOutOfRangeException>(() => HistoryStart.FromNumber(long.MaxValue));

    private static byte[] Names => Write(writer =>
    {
        new PeerEventFrame("a", PeerEventKind.Joined, Tag.Zero).Write(writer, 1, 0);
        new ChannelNameFrame(0, "x").Write(writer, 1, 0);
    });

    private static byte[] Log(long first, long next, long? last = null, int bytes = 1) => Write(writer =>
    {
        LogRecord.Begin(writer, (1, 0), first);

        for (long number = first; number < next; number++)
        {
            DeliveryKey key = new(new Tag(number, 0), new Tag(number - 1, 0), 0, number, 0);
            new LogRecord(number, key, 0, new byte[bytes]).Write(writer, number - 1);
        }

        LogRecord.End(writer, last ?? next);
    });

    private static byte[] Heartbeat(ulong next)
        => Write(writer => new HeartbeatFrame(next, new Tag(7, 0), 1).Write(writer, 1, 0));

    private static byte[] End(ulong last) => Write(writer => new EndFrame(last, 99).Write(writer, 1, 0));

    private static byte[] Trimmed(long first) => Write(writer => new TrimmedFrame(first).Write(writer, 1, 0));

    private static byte[] Write(Action<FrameWriter> write)
    {
        FrameWriter writer = new();
        write(writer);
        return writer.Written.ToArray();
    }

    private static void Give(LogFollower follower, params byte[][] messages)
    {
        foreach (byte[] message in messages)
        {
            follower.HandleMessage(message);
        }
    }

    private static FetchFrame? Asked(LogFollower follower)
    {
        if (!follower.TryPeekOutgoing(out ReadOnlySpan<byte> message))
        {
            return null;
        }

        FrameReader reader = new(message);
        Assert.That(Frame.TryNext(ref reader, out Frame frame), Is.True);
        Assert.That(FetchFrame.TryRead(frame.Body, out FetchFrame fetch), Is.True);
        follower.OnSent();
        return fetch;
    }

    private static List<LogRead> Take(LogFollower follower)
    {
        List<LogRead> all = [];

        while (follower.TryTake(out LogRead read))
        {
            all.Add(read);
        }

        return all;
    }

    private static IEnumerable<long> Numbers(LogFollower follower) => Take(follower).Select(read => read.Number);
}
