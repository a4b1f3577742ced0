using Gudp.Sequencing;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Log;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Log;

[TestFixture]
public sealed class SealedLogTests
{
    private static readonly LogLimits Wide = new(long.MaxValue, int.MaxValue);
    private static readonly int[] First = [0];

    [Test]
    public void Messages_are_numbered_in_key_order_when_the_floor_has_passed_them()
    {
        //
        SealedLog log = MakeLog(Wide, Retention.Default);
        Publish(log, 9, publisher: 1);
        Publish(log, 5, publisher: 2);
        Publish(log, 5, publisher: 0);

        int nothing = log.Seal(5);
        int two = log.Seal(9);
        int last = log.Seal(Tag.Top);

        Assert.That((nothing, two, last, log.Next), Is.EqualTo((0, 2, 1, 4L)));
        Assert.That(Numbers(log), Is.EqualTo(new long[] { 1, 2, 3 }));
        Assert.That(Read(log, 1).Key.Publisher, Is.EqualTo(0));
        Assert.That(Read(log, 3).Key.Arrival, Is.EqualTo(new Tag(9, 0)));
    }

    [Test]
    public void What_is_not_final_has_no_number_but_can_be_looked_at()
    {
        SealedLog log = MakeLog(Wide, Retention.Default);
        Publish(log, 5);
        Publish(log, 6);

        log.Seal(6);

        Assert.That(log.TryRead(2, out _), Is.False);
        Assert.That(log.Pending, Has.Count.EqualTo(1));
        Assert.That(log.PendingBytes, Is.EqualTo(ArrivalQueue.BytesOf(1)));
        Assert.That(log.SeekTag(6, First), Is.EqualTo(new LogStart(2, false)));
    }

    [Test]
    public void A_message_below_the_floor_and_a_floor_that_falls_are_bugs()
    {
        SealedLog log = MakeLog(Wide, Retention.Default);
        log.Seal(6);

        Assert.That(() => Publish(log, 5), Throws.Exception.With.Message.Contains("final"));
        Assert.That(() => log.Seal(5), Throws.Exception.With.Message.Contains("falls"));
    }

    [Test]
    public void Ties_in_the_log_stand_in_the_order_of_the_run()
    {
        IComparer<DeliveryKey> order = TieOrder.Of(3)!;
        SealedLog log = new(Wide, order);
        log.AddChannel(Retention.Default);

        for (int publisher = 0; publisher < 9; publisher++)
        {
            Publish(log, 5, publisher);
        }

        log.Seal(6);

        DeliveryKey[] keys = [.. Numbers(log).Select(number => Read(log, number).Key)];
        Assert.That(keys, Is.Ordered.Using(order));
        Assert.That(keys, Is.Not.EqualTo(keys.Order()));
    }

    [Test]
    public void Below_the_oldest_kept_the_answer_is_trimmed_and_where_it_starts()
    {
        //
        SealedLog log = MakeLog(Wide with { Messages = 3 }, Retention.Default);

        for (int time = 1; time <= 10; time++)
        {
            Publish(log, time);
        }

        log.Seal(Tag.Top);
        log.Trim();

        Assert.That(Numbers(log), Is.EqualTo(new long[] { 8, 9, 10 }));
        Assert.That((log.First, log.Trimmed), Is.EqualTo((8L, 7L)));
        Assert.That(log.SeekNumber(7L, First), Is.EqualTo(new LogStart(8, true)));
        Assert.That(log.SeekNumber(8L, First), Is.EqualTo(new LogStart(8, false)));
        Assert.That(log.SeekTag(new Tag(7, 0), First), Is.EqualTo(new LogStart(8, true)));
        Assert.That(log.SeekTag(new Tag(8, 0), First), Is.EqualTo(new LogStart(8, false)));
        Assert.That(log.SeekTag(new Tag(99, 0), First), Is.EqualTo(new LogStart(11, false)));
    }

    [Test]
    public void A_value_that_rarely_changes_outlives_what_fills_the_log()
    {
        SealedLog log = MakeLog(
            Wide with { Messages = 10 },
            Retention.Default with { History = ChannelHistory.Last(1) }, Retention.Default);
        Publish(log, 0, channel: 0);

        for (int time = 1; time <= 1000; time++)
        {
            Publish(log, time, channel: 1);
            log.Seal(time + 1);
            log.Trim();
        }

        Assert.That((log.NewestOf(0), log.NewestOf(1)), Is.EqualTo((1L, 1001L)));
        Assert.That(Read(log, 1).Key.Arrival, Is.EqualTo(Tag.Zero));
        Assert.That(log.SeekNumber(1L, First), Is.EqualTo(new LogStart(1, false)));
        Assert.That(log.SeekNumber(1L, [0, 1]), Is.EqualTo(new LogStart(993, true)));
    }

    [Test]
    public void What_no_history_wants_can_be_read_until_the_log_is_trimmed()
    {
        SealedLog log = MakeLog(Wide, Retention.Default with { History = ChannelHistory.None });
        Publish(log, 5);
        log.Seal(6);

        bool before = log.TryRead(1, out _);
        log.Trim();
        bool after = log.TryRead(1, out _);

        Assert.That((before, after), Is.EqualTo((true, false)));
        Assert.That((log.FirstOf(First), log.NewestOf(0)), Is.EqualTo((1L, 0L)));
        Assert.That((log.Trimmed, log.Bytes), Is.EqualTo((0L, 0L)));
    }

    [Test]
    public void A_joiner_reads_back_by_the_largest_latency()
    {
        SealedLog log = MakeLog(Wide, Retention.Default);

        for (int time = 1; time <= 20; time++)
        {
            Publish(log, time);
        }

        log.Seal(Tag.Top);

        Assert.That(log.SeekBacklog(15, Delay.Ticks(4), First), Is.EqualTo(new LogStart(11, false)));
        Assert.That(log.SeekBacklog(new Tag(15, 3), Delay.None, First), Is.EqualTo(new LogStart(15, false)));
        Assert.That(log.SeekBacklog(0, Delay.Ticks(LatencyModel.MaxTicks), First), Is.EqualTo(new LogStart(1, false)));
    }

    [Test]
    public void A_payload_is_shared_with_the_inboxes_and_its_memory_comes_back_with_the_last_of_them()
    {
        LetterPool pool = new(1 << 20);
        SealedLog log = MakeLog(Wide with { Messages = 0 }, Retention.Default);
        ArrivalQueue inbox = new();
        Letter letter = pool.Take(0, "shared"u8);
        DeliveryKey key = new(5, 0, 0, 1, 0);
        inbox.Add(in key, letter, 0, wakes: true);
        log.Add(in key, letter);

        log.Seal(6);
        log.Trim();
        long whileHeld = pool.IdleBytes;
        bool isTaken = inbox.TryTake(5, out _, out Letter taken, out _);
        string payload = System.Text.Encoding.UTF8.GetString(taken.Payload);
        taken.Release();

        Assert.That((isTaken, payload), Is.EqualTo((true, "shared")));
        Assert.That((whileHeld, pool.IdleBytes), Is.EqualTo((0L, 64L)));
    }

    [Test]
    public void Clearing_gives_all_memory_back()
    {
        LetterPool pool = new(1 << 20);
        SealedLog log = MakeLog(Wide, Retention.Default, Retention.Default with { History = ChannelHistory.Last(2) });

        for (int i = 0; i < 100; i++)
        {
            log.Add(new DeliveryKey(i, 0, 0, i, 0), pool.Take(i % 2, "x"u8));
        }

        log.Seal(50);
        log.Trim();
        log.Clear();

        Assert.That(pool.IdleBytes, Is.EqualTo(100 * 64));
        Assert.That((log.Bytes, log.PendingBytes, log.Count), Is.EqualTo((0L, 0L, 0)));
    }

    [Test]
    public void It_says_the_same_as_a_naive_log([Range(1, 60)] int seed)
    {
        Random random = new(seed);
        Retention[] channels = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => DrawRetention(random))];
        LogLimits limits = new(
            random.Next(3) == 0 ? random.Next(40) * SealedLog.EntryBytes : long.MaxValue,
            random.Next(2) == 0 ? random.Next(60) : int.MaxValue);
        IComparer<DeliveryKey>? order = TieOrder.Of(random.Next(2) == 0 ? 5 : null);
        NaiveLog naive = new(limits, channels, order ?? Comparer<DeliveryKey>.Default);
        LetterPool pool = new(1 << 20);
        SealedLog log = new(limits, order);
        Array.ForEach(channels, channel => log.AddChannel(in channel));
        long sequence = 0;
        int most = random.Next(1, 20);

        for (int time = 0; time < 45; time += random.Next(1, 4))
        {
            for (int i = random.Next(most); i > 0; i--)
            {
                DeliveryKey key = new(
                    new Tag(time + random.Next(8), (uint)random.Next(2)), time, random.Next(4), ++sequence, 0);
                byte[] payload = [.. Enumerable.Repeat((byte)sequence, random.Next(100))];
                int channel = random.Next(channels.Length);
                log.Add(in key, pool.Take(channel, payload));
                naive.Pending.Add(new NaiveLog.Entry(key, channel, payload.Length));
            }

            Tag floor = time > 40 ? Tag.Top : new Tag(time, 0);
            log.Seal(floor);
            naive.Seal(floor);
            AssertSame(log, naive, channels.Length, random);
            log.Trim();
            naive.Trim();
            AssertSame(log, naive, channels.Length, random);

            if (floor == Tag.Top)
            {
                break;
            }
        }
    }

    [Test]
    [Category("Release")]
    public void A_million_messages_through_a_small_log_allocate_nothing()
    {
        LetterPool pool = new(1 << 20);
        SealedLog log = MakeLog(
            new LogLimits(4 << 20, 2_000),
            Retention.Default, Retention.Default with { History = ChannelHistory.Last(50) },
            Retention.Default with { History = ChannelHistory.None }, Retention.Default with { MaxTicks = 30 });
        byte[] payload = new byte[100];
        Fill(log, pool, payload, 0, 100_000);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Fill(log, pool, payload, 100_000, 1_100_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(allocated, Is.Zero);
        Assert.That(log.Next, Is.EqualTo(1_099_951));
        Assert.That(log.Count, Is.EqualTo(2_000));
    }

    // Fifty messages of one tag, then the floor moves past those of the tag before.
    private static void Fill(SealedLog log, LetterPool pool, byte[] payload, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            log.Add(new DeliveryKey(i / 50, 0, i % 7, i, 0), pool.Take(i % 4, payload));

            if (i % 50 == 49)
            {
                log.Seal(i / 50);
                log.Trim();
            }
        }
    }

    private static void AssertSame(SealedLog log, NaiveLog naive, int channels, Random random)
    {
        NaiveLog.Entry[] kept = naive.Kept;
        int[] some = [.. Enumerable.Range(0, channels).Where(_ => random.Next(2) == 0)];
        Tag tag = new(random.Next(70), 0);
        long number = random.Next(1, (int)naive.Next + 2);
        long first = naive.FirstOf(some);
        long[] numbers = Numbers(log);

        Assert.That((log.Next, log.Count, log.Trimmed), Is.EqualTo((naive.Next, kept.Length, (long)naive.Cuts)));
        Assert.That(log.Bytes, Is.EqualTo(kept.Sum(entry => entry.Bytes)));
        Assert.That(log.PendingBytes, Is.EqualTo(naive.Pending.Sum(entry => ArrivalQueue.BytesOf(entry.Length))));
        Assert.That(numbers, Is.EqualTo(kept.Select(entry => entry.Number)));
        Assert.That(log.First, Is.EqualTo(kept.Length > 0 ? kept[0].Number : naive.Next));
        Assert.That(log.FirstOf(some), Is.EqualTo(first));
        Assert.That(some.Select(log.NewestOf), Is.EqualTo(some.Select(naive.NewestOf)));
        Assert.That(log.SeekNumber(number, some), Is.EqualTo(new LogStart(Math.Max(number, first), number < first)));

        foreach (NaiveLog.Entry entry in kept)
        {
            SealedMessage message = Read(log, entry.Number);
            Assert.That((message.Key, message.Letter.Channel), Is.EqualTo((entry.Key, entry.Channel)));
            Assert.That(message.Letter.Length, Is.EqualTo(entry.Length));
            Assert.That(message.Letter.Payload.ToArray(), Is.All.EqualTo((byte)entry.Key.SubSequence));
            Assert.That(message.Previous, Is.EqualTo(naive.PreviousOf(entry)));
        }

        LogStart start = log.SeekTag(tag, some);
        long[] fromTag = [.. kept.Where(entry => entry.Key.Arrival >= tag).Select(entry => entry.Number)];
        Assert.That(start.IsTrimmed, Is.EqualTo(naive.IsTrimmedAt(tag, some)));
        Assert.That(
            numbers.Where(found => found >= start.Number),
            Is.EqualTo(start.IsTrimmed ? numbers.Where(found => found >= first) : fromTag));
    }

    private static Retention DrawRetention(Random random) => new(
        random.Next(4) switch
        {
            0 => ChannelHistory.None,
            1 => ChannelHistory.Last(random.Next(1, 12)),
            _ => ChannelHistory.All,
        },
        random.Next(4) == 0 ? random.Next(20) * SealedLog.EntryBytes : long.MaxValue,
        random.Next(4) == 0 ? random.Next(20) : long.MaxValue);

    private static SealedLog MakeLog(LogLimits limits, params Retention[] channels)
    {
        SealedLog log = new(in limits);
        Array.ForEach(channels, channel => log.AddChannel(in channel));
        return log;
    }

    private static void Publish(SealedLog log, long arrival, int publisher = 0, int channel = 0)
        => log.Add(new DeliveryKey(arrival, 0, publisher, arrival, 0), new Letter(channel, "x"u8));

    private static SealedMessage Read(SealedLog log, long number)
        => log.TryRead(number, out SealedMessage message) ? message : throw new InvalidOperationException($"{number}");

    private static long[] Numbers(SealedLog log)
    {
        List<long> numbers = [];

        for (long number = 1; log.TryReadNext(number, out SealedMessage message); number = message.Number + 1)
        {
            numbers.Add(message.Number);
        }

        return [.. numbers];
    }
}
