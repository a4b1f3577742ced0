using System.Diagnostics;
using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Bench.Messages;

/// <summary>What one run of a cell found. All costs are per message sent.</summary>
internal readonly record struct StreamSample
{
    internal double MessagesPerSecond { get; init; }

    /// <summary>Of those sent in the measured time; about 100 on the reliable modes where no newer one wins.</summary>
    internal double ArrivedPercent { get; init; }

    /// <summary>Processor time of the whole process, both ends, in microseconds.</summary>
    internal double ProcessorMicroseconds { get; init; }

    /// <summary>On the managed heap, by the whole process, in each part of the measured time.</summary>
    internal double[] AllocatedBytes { get; init; }

    /// <summary>What the sender's packets carry besides the message layer's frames.</summary>
    internal double PacketOverheadBytes { get; init; }

    /// <summary>
    /// Sender's bytes on the wire less the message's own; not a number where most messages never get there.
    /// </summary>
    internal double MessageOverheadBytes { get; init; }

    /// <summary>Receiver's bytes on the wire: acks, credit, receipts.</summary>
    internal double ReturnBytes { get; init; }
}

/// <summary>A stream of messages through real sockets of this machine, for a while, in the steady state.</summary>
/// <remarks>
/// All that waits has a limit, and its memory grows up to that with what waited at most. In the steady state how much
/// waits is chance: who has its turn when. So a new high would come again and again, ever more seldom, and what is
/// measured would depend on the luck of the span. Therefore every queue is filled to its limit once before.
/// <para>
/// What is left is made once by the runtime, when it is first needed: 56 B for each lock and some 136 B for each thread
/// at the first time that one really waits for another, which on two processors may come late. So allocation is read in
/// parts of the span, and the median over all parts of all rounds counts; the most of them is reported beside it.
/// </para>
/// </remarks>
internal static class StreamRun
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan LongestFilling = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestSettling = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);

    // Of the measured time. What a message allocates is there in each of them, what is made once is in one.
    private const int Parts = 3;

    // So long nothing happens when nothing more will.
    private static readonly TimeSpan Stillness = TimeSpan.FromMilliseconds(100);

    /// <param name="cell">What is sent.</param>
    /// <param name="span">Measured; that long or longer before, windows, pools and the compiler settle.</param>
    internal static StreamSample Run(StreamCell cell, TimeSpan span)
    {
        using LoopbackPair pair = LoopbackPair.WithThreads(StreamCells.Config(cell.Mode, lanes: 1));
        StreamSender sender = new(pair.Sender, cell);
        StreamReceiver receiver = new(pair.Receiver, cell);
        receiver.Start();
        sender.Start();

        Thread.Sleep(WarmUp);
        FillQueues(cell, sender, receiver);
        Settle(span);
        double[] allocated = new double[Parts];
        Moment before = Moment.Now(sender, receiver);
        Measure(allocated, sender, span);
        Moment after = Moment.Now(sender, receiver);

        Finish(cell, sender, receiver);
        return SampleOf(cell, (before, after), pair, sender.Sent) with { AllocatedBytes = allocated };
    }

    private static void Measure(double[] allocatedBytes, StreamSender sender, TimeSpan span)
    {
        (long sent, long allocated) = (sender.Sent, GC.GetTotalAllocatedBytes(precise: true));

        foreach (ref double part in allocatedBytes.AsSpan())
        {
            Thread.Sleep(span / allocatedBytes.Length);
            (long sentNow, long allocatedNow) = (sender.Sent, GC.GetTotalAllocatedBytes(precise: true));
            part = (double)(allocatedNow - allocated) / Math.Max(1, sentNow - sent);
            (sent, allocated) = (sentNow, allocatedNow);
        }
    }

    // Nothing is read, so the queues of messages fill; then all is read and no update fetched, so those of updates do.
    private static void FillQueues(StreamCell cell, StreamSender sender, StreamReceiver receiver)
    {
        receiver.Hold();
        AwaitStillness(() => sender.Sent);

        if (cell.Receipts != AskedReceipts.Off)
        {
            sender.HoldUpdates();
            receiver.GoOn();
            AwaitStillness(() => sender.Sent);
            sender.GoOn();
        }

        receiver.GoOn();
    }

    // Where messages are lost when a queue is full, nothing stands still: long enough then.
    private static void AwaitStillness(Func<long> count)
    {
        long start = Stopwatch.GetTimestamp();

        for (long seen = -1; seen != count() && Stopwatch.GetElapsedTime(start) < LongestFilling;)
        {
            seen = count();
            Thread.Sleep(Stillness);
        }
    }

    // The steady state begins when nothing was allocated for a span. That waits for what the runtime makes once: the
    // event of each lock and the statics of each thread that waits for one first, the stubs of methods.
    private static void Settle(TimeSpan span)
    {
        long start = Stopwatch.GetTimestamp();
        long since = start;
        long seen = -1;

        while (Stopwatch.GetElapsedTime(since) < span && Stopwatch.GetElapsedTime(start) < LongestSettling)
        {
            // Precise, or what fits the chunk a thread has already been given is not seen.
            long allocated = GC.GetTotalAllocatedBytes(precise: true);
            since = allocated == seen ? since : Stopwatch.GetTimestamp();
            seen = allocated;
            Thread.Sleep(Stillness);
        }
    }

    private static void Finish(StreamCell cell, StreamSender sender, StreamReceiver receiver)
    {
        sender.Stop();
        sender.Join(Patience);

        if (StreamCells.IsUnreliable(cell.Mode))
        {
            for (long seen = -1; seen != receiver.Arrived; Thread.Sleep(Stillness))
            {
                seen = receiver.Arrived;
            }
        }
        else
        {
            bool isSequenced = StreamCells.IsSequenced(cell.Mode);
            Wait(() => isSequenced ? receiver.Newest == sender.Sent - 1 : receiver.Arrived == sender.Sent);
        }

        NumberedMessages numbers = receiver.Stop();
        Require(numbers.Arrived > 0, cell, "nothing arrived");
        Require(numbers.Fault is null, cell, numbers.Fault);
        Require(numbers.IsComplete(sender.Sent), cell, $"{numbers.Arrived} of {sender.Sent} arrived");
        Require(sender.IsToldAll, cell, $"{sender.Told} of {sender.Sent} were told of");
    }

    private static StreamSample SampleOf(
        StreamCell cell, (Moment Before, Moment After) window, LoopbackPair pair, long allSent)
    {
        (Moment before, Moment after) = window;
        double sent = Math.Max(1, after.Sent - before.Sent);
        bool isWholeOnWire = cell.Mode != LaneMode.SequencedReliable;
        ConnectionCounters there = pair.Sender.Connection.ReadCounters();
        ConnectionCounters back = pair.Receiver.Connection.ReadCounters();
        return new StreamSample
        {
            MessagesPerSecond = sent / Stopwatch.GetElapsedTime(before.Timestamp, after.Timestamp).TotalSeconds,
            ArrivedPercent = 100 * (after.Arrived - before.Arrived) / sent,
            ProcessorMicroseconds = (after.Worked - before.Worked).TotalMicroseconds / sent,
            PacketOverheadBytes = (double)(there.BytesSent - there.PayloadBytesSent) / there.DatagramsSent,
            MessageOverheadBytes = isWholeOnWire ? ((double)there.BytesSent / allSent) - cell.Bytes : double.NaN,
            ReturnBytes = (double)back.BytesSent / allSent,
        };
    }

    private static void Wait(Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();

        while (!condition() && Stopwatch.GetElapsedTime(start) < Patience)
        {
            Thread.Sleep(Step);
        }
    }

    private static void Require(bool holds, StreamCell cell, string? what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"{cell}: {what}.");
        }
    }

    /// <summary>Everything that is read at one edge of the measured time.</summary>
    private readonly record struct Moment(long Timestamp, TimeSpan Worked, long Sent, long Arrived)
    {
        internal static Moment Now(StreamSender sender, StreamReceiver receiver)
            => new(Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime, sender.Sent, receiver.Arrived);
    }
}
