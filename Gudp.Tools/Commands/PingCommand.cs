// Round trips to any program that uses Gudp.Messaging, whatever it does otherwise: the connection's own heartbeats are
// the pings. They are Core frames, which the peer's library acks without bothering the program, so nothing has to be
// running at the other side but an endpoint that takes peers in.

using System.CommandLine;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tools.Arguments;
using Gudp.Tools.Network;
using Gudp.Tools.Output;

namespace Gudp.Tools.Commands;

/// <summary><c>gudp ping HOST:PORT</c>.</summary>
internal static class PingCommand
{
    private static readonly double[] Shown = [0, 50, 90, 99, 100];
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);

    internal static Command Create(Printer printer)
    {
        Argument<HostPort> target = CommandOption.Target("A 'gudp serve', 'gudp recv' or another Gudp program.");
        Option<int> count = CommandOption.Count("--count", "Round trips to measure.", 20, (1, 100_000));
        Option<TimeSpan> interval = CommandOption.Span(
            "--interval", "From one to the next; 10ms to 1min.", TimeSpan.FromMilliseconds(100));
        Command command = new("ping", "Measures round trips and prints their percentiles.") { target, count, interval };

        command.SetAction((parsed, cancelled) => CommandLine.RunAsync(RunAsync(
            parsed.GetRequiredValue(target),
            parsed.GetValue(count),
            parsed.GetValue(interval),
            printer,
            cancelled)));

        return command;
    }

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
            throw new CommandFailure(ExitCode.TimedOut, $"No answer from {target}: {dialed.Peer.CloseReason}.");
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
                $"{target} stopped answering after {roundTrips.Count} of {count}: {dialed.Peer.CloseReason}.");
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
        MessagingConfig config = ToolConfig.Lockstep;
        ConnectionConfig connections = config.Core.Connections;
        TimeSpan threeHeartbeats = 3 * interval;

        connections = connections with
        {
            HeartbeatStart = interval,
            HeartbeatInterval = interval,
            IdleTimeout = connections.IdleTimeout > threeHeartbeats ? connections.IdleTimeout : threeHeartbeats,
        };

        return config with { Core = config.Core with { Connections = connections } };
    }

    private static string Title(double percent) => percent switch
    {
        0 => "least",
        100 => "most",
        _ => $"p{percent:0}",
    };
}
