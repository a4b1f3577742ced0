// With --messages: the way of messages to a 'gudp pong' and back, by lane and size. Without:
// Round trips to any program that uses Gudp.Messaging, whatever it does otherwise: the connection's own heartbeats are
// the pings. They are Core frames, which the peer's library acks without bothering the program, so nothing has to be
// running at the other side but an endpoint that takes peers in.

using System.CommandLine;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tools.Arguments;
using Gudp.Tools.Network;
using Gudp.Tools.Output;
using Gudp.Tools.Watching;

namespace Gudp.Tools.Commands;

/// <summary><c>gudp ping HOST:PORT</c>.</summary>
internal static class PingCommand
{
    private static readonly double[] Shown = [0, 50, 90, 99, 100];
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);

    // Who is silent for so long is gone, whatever of ours he still lacks; and an answer comes sooner or not at all.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private const int MostMessageBytes = 16_000_000;

    internal static Command Create(Printer printer)
    {
        Argument<HostPort> target = CommandOption.Target("A 'gudp serve', 'gudp recv' or another Gudp program.");
        Option<int> count = CommandOption.Count("--count", "Round trips to measure.", 20, (1, 100_000));
        Option<TimeSpan> interval = CommandOption.Span(
            "--interval", "From one to the next; 10ms to 1min.", TimeSpan.FromMilliseconds(100));
        Option<bool> messages = new("--messages")
        {
            Description = "Send messages to a 'gudp pong': when each is received, taken and answered.",
        };
        Option<int[]> sizes = CommandOption.Sizes("--size", "With --messages: bytes of each.", [64], MostMessageBytes);
        Option<int> lane = CommandOption.Count("--lane", "With --messages: the lane.", 1, (0, 15));
        Command command = new("ping", "Measures round trips and prints their percentiles.")
        {
            target, count, interval, messages, sizes, lane,
        };

        command.SetAction((parsed, cancelled) =>
        {
            Plan plan = new(
                parsed.GetRequiredValue(target),
                parsed.GetValue(count),
                parsed.GetValue(interval),
                parsed.GetValue(lane),
                parsed.GetValue(sizes) ?? []);
            return CommandLine.RunAsync(parsed.GetValue(messages)
                ? RunMessagesAsync(plan, printer, cancelled)
                : RunAsync(plan.Target, plan.Count, plan.Interval, printer, cancelled));
        });

        return command;
    }

    private static async Task<ExitCode> RunMessagesAsync(Plan plan, Printer printer, CancellationToken cancelled)
    {
        using MessagePing ping = new();
        using DialedPeer dialed = await DialedPeer
            .ConnectAsync(plan.Target, Hasty(Patience), cancelled, ping)
            .ConfigureAwait(false);

        printer.Line($"{plan.Count} messages of each size to {plan.Target} ({dialed.Peer.RemoteAddress})");
        TextTable table = new(["lane, size, fact", "count", .. Shown.Select(Title)]);
        bool isComplete = true;

        foreach (int size in plan.Sizes)
        {
            isComplete &= await Task
                .Run(() => MeasureMessages(ping, dialed.Peer, plan, size, cancelled), CancellationToken.None)
                .ConfigureAwait(false);
            string name = $"lane {plan.Lane}, {Units.Bytes(Math.Max(size, MessagePing.LeastBytes))}, ";
            Add(table, name + "received", ping.Received);
            Add(table, name + "taken", ping.Taken);
            Add(table, name + "answered", ping.Answered);
        }

        printer.Table(table);
        return isComplete || cancelled.IsCancellationRequested
            ? ExitCode.Fine
            : throw new CommandFailure(
                ExitCode.TimedOut,
                dialed.Peer.CloseReason is { } reason
                    ? $"{plan.Target} stopped answering: {Sentence(reason)}"
                    : $"Not all was known in time; does 'gudp pong' run at {plan.Target}?");
    }

    /// <summary>One message after the other.</summary>
    /// <returns>False if not everything became known of every message.</returns>
    private static bool MeasureMessages(
        MessagePing ping, Peer peer, Plan plan, int size, CancellationToken cancelled)
    {
        byte[] message = new byte[Math.Max(size, MessagePing.LeastBytes)];
        int sent = 0;
        ping.Begin();

        while (sent < plan.Count && !peer.Status.IsFinal && !cancelled.IsCancellationRequested)
        {
            SendStatus status = ping.Send(peer, message, plan.Lane);

            if (status is SendStatus.TooLarge)
            {
                throw new CommandFailure(ExitCode.Usage, $"Messages of {Units.Bytes(size)} are too large for lane {plan.Lane}.");
            }

            sent += status == SendStatus.Accepted ? 1 : 0;
            cancelled.WaitHandle.WaitOne(plan.Interval);
        }

        try
        {
            return ping.WaitForAll(Patience, cancelled) && ping.Answered.Count == plan.Count;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static void Add(TextTable table, string name, Percentiles spans) => table.Add(
    [
        name,
        Units.Count(spans.Count),
        .. Shown.Select(percent => spans.Count == 0 ? "-" : Units.Span(spans.Of(percent))),
    ]);

    private static async Task<ExitCode> RunAsync(
        HostPort target, int count, TimeSpan interval, Printer printer, CancellationToken cancelled)
    {
        interval = interval < TimeSpan.FromMilliseconds(10) ? TimeSpan.FromMilliseconds(10) : interval;
        using DialedPeer dialed = await DialedPeer
            .ConnectAsync(target, HeartbeatsEach(interval), cancelled)
            .ConfigureAwait(false);

        printer.Line($"{count} round trips to {target} ({dialed.Peer.RemoteAddress})");
        Percentiles roundTrips = await Task
            .Run(() => Measure(dialed.Peer.Connection, count, cancelled), CancellationToken.None)
            .ConfigureAwait(false);

        if (roundTrips.Count == 0)
        {
            throw new CommandFailure(ExitCode.TimedOut, $"No answer from {target}: {Sentence(dialed.Peer.CloseReason)}");
        }

        ConnectionCounters counters = dialed.Peer.Connection.ReadCounters();
        TextTable table = new(["answers", .. Shown.Select(Title), "lost"]);
        table.Add(
        [
            Units.Count(roundTrips.Count),
            .. Shown.Select(percent => Units.Span(roundTrips.Of(percent))),
            Units.Share(counters.PacketsLost, counters.PacketsLost + counters.PacketsAcked),
        ]);
        printer.Table(table);

        return roundTrips.Count == count || cancelled.IsCancellationRequested
            ? ExitCode.Fine
            : throw new CommandFailure(
                ExitCode.TimedOut,
                $"{target} stopped answering after {roundTrips.Count} of {count}: {Sentence(dialed.Peer.CloseReason)}");
    }

    /// <summary>Until there are enough, the connection ends, or the user does.</summary>
    private static Percentiles Measure(Connection connection, int count, CancellationToken cancelled)
    {
        Percentiles roundTrips = new();
        long acked = connection.ReadCounters().PacketsAcked;
        bool isDue = false;

        while (roundTrips.Count < count && !connection.Status.IsFinal && !cancelled.WaitHandle.WaitOne(Step))
        {
            ConnectionCounters counters = connection.ReadCounters();

            // One step later, because the counters of a turn appear one by one.
            // Zero means that no round trip was measured yet.
            if (isDue && counters.LatestRtt > TimeSpan.Zero)
            {
                roundTrips.Add(counters.LatestRtt);
            }

            isDue = counters.PacketsAcked != acked;
            acked = counters.PacketsAcked;
        }

        return roundTrips;
    }

    private static MessagingConfig HeartbeatsEach(TimeSpan interval)
    {
        TimeSpan threeHeartbeats = 3 * interval;
        MessagingConfig config = Hasty(threeHeartbeats > Patience ? threeHeartbeats : Patience);
        ConnectionConfig connections = config.Core.Connections with
        {
            HeartbeatStart = interval,
            HeartbeatInterval = interval,
        };

        return config with { Core = config.Core with { Connections = connections } };
    }

    private static MessagingConfig Hasty(TimeSpan silence)
    {
        MessagingConfig config = ToolConfig.Lockstep;
        ConnectionConfig connections = config.Core.Connections with { IdleTimeout = silence, UnfinishedTimeout = silence };
        return config with { Core = config.Core with { Connections = connections } };
    }

    // Its detail is a sentence already, its name alone is none.
    private static string Sentence(CloseReason? reason) => $"{reason}".TrimEnd('.') + '.';

    private static string Title(double percent) => percent switch
    {
        0 => "least",
        100 => "most",
        _ => $"p{percent:0}",
    };

    /// <summary>What the user asked for.</summary>
    private sealed record Plan(HostPort Target, int Count, TimeSpan Interval, int Lane, int[] Sizes);
}
