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

    /// <summary>On the managed heap, by the whole process.</summary>
    internal double AllocatedBytes { get; init; }

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
internal static class StreamRun
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LongestSettling = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);

    // So long nothing happens when nothing more will.
    private static readonly TimeSpan Stillness = TimeSpan.FromMilliseconds(100);

    /// <param name="cell">What is sent.</param>
    /// <param name="warmUp">Not measured: windows, pools and the compiler settle.</param>
    /// <param name="span">Measured.</param>
    internal static StreamSample Run(StreamCell cell, TimeSpan warmUp, TimeSpan span)
    {
        using LoopbackPair pair = LoopbackPair.WithThreads(StreamCells.Config(cell.Mode, lanes: 1));
        StreamSender sender = new(pair.Sender, cell);
        StreamReceiver receiver = new(pair.Receiver, cell);
        receiver.Start();
        sender.Start();

        Settle(warmUp);
        Moment before = Moment.Before(sender, receiver);
        Thread.Sleep(span);
        Moment after = Moment.After(sender, receiver);

        Finish(cell, sender, receiver);
        return SampleOf(cell, (before, after), pair, sender.Sent);
    }

    // Pools and buffers grow with the traffic: the steady state begins when nothing was allocated for a while.
    private static void Settle(TimeSpan warmUp)
    {
        Thread.Sleep(warmUp);
        long start = Stopwatch.GetTimestamp();

        for (long seen = -1; Stopwatch.GetElapsedTime(start) < LongestSettling; Thread.Sleep(Stillness))
        {
            long allocated = GC.GetTotalAllocatedBytes();

            if (allocated == seen)
            {
                return;
            }

            seen = allocated;
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
            AllocatedBytes = (after.Allocated - before.Allocated) / sent,
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
    private readonly record struct Moment(long Timestamp, TimeSpan Worked, long Allocated, long Sent, long Arrived)
    {
        // What reading itself allocates lies outside: the heap is read last here, and first at the other edge.
        internal static Moment Before(StreamSender sender, StreamReceiver receiver)
        {
            (long sent, long arrived) = (sender.Sent, receiver.Arrived);
            TimeSpan worked = Environment.CpuUsage.TotalTime;
            long timestamp = Stopwatch.GetTimestamp();
            return new Moment(timestamp, worked, GC.GetTotalAllocatedBytes(precise: true), sent, arrived);
        }

        internal static Moment After(StreamSender sender, StreamReceiver receiver)
        {
            long allocated = GC.GetTotalAllocatedBytes(precise: true);
            long timestamp = Stopwatch.GetTimestamp();
            return new Moment(timestamp, Environment.CpuUsage.TotalTime, allocated, sender.Sent, receiver.Arrived);
        }
    }
}
