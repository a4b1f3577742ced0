using System.CommandLine;
using System.Diagnostics;
using Gudp.Tools.Arguments;
using Gudp.Tools.Network;
using Gudp.Tools.Output;
using Gudp.Tools.Watching;

namespace Gudp.Tools.Commands;

/// <summary><c>gudp top HOST:PORT</c>.</summary>
internal static class TopCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // Two looks so far apart give rates to a table that is shown once.
    private static readonly TimeSpan ShortInterval = TimeSpan.FromMilliseconds(500);

    internal static Command Create(Printer printer)
    {
        Argument<HostPort> target = CommandOption.Target(
            "The --status-port of 'gudp serve', 'recv' or 'pong', or a StatusReporter of another program.");
        Option<bool> once = new("--once") { Description = "Show one look and end." };
        Option<bool> json = new("--json") { Description = "Print the answers as they come, a line of JSON each." };
        Command command = new("top", "Shows the peers of a running process, anew each second.") { target, once, json };

        command.SetAction((parsed, cancelled) => CommandLine.RunAsync(RunAsync(
            parsed.GetRequiredValue(target),
            parsed.GetValue(once),
            parsed.GetValue(json),
            printer,
            cancelled)));

        return command;
    }

    private static async Task<ExitCode> RunAsync(
        HostPort target, bool once, bool json, Printer printer, CancellationToken cancelled)
    {
        using DialedPeer dialed = await DialedPeer
            .ConnectAsync(target, ToolConfig.Lockstep, cancelled)
            .ConfigureAwait(false);

        try
        {
            await (json ? PrintAnswersAsync(dialed, once, printer, cancelled)
                : once ? ShowOnceAsync(dialed, printer, cancelled)
                : printer.WithLiveTableAsync(show => ShowAlwaysAsync(dialed, target, show, cancelled)))
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C is how it ends.
        }

        return ExitCode.Fine;
    }

    private static async Task PrintAnswersAsync(
        DialedPeer dialed, bool once, Printer printer, CancellationToken cancelled)
    {
        StatusLook? look = null;

        while (true)
        {
            look = await StatusLook.AskAsync(dialed.Peer, look, cancelled).ConfigureAwait(false);
            printer.Line(look.Text);

            if (once)
            {
                return;
            }

            await Task.Delay(Interval, cancelled).ConfigureAwait(false);
        }
    }

    private static async Task ShowOnceAsync(DialedPeer dialed, Printer printer, CancellationToken cancelled)
    {
        StatusLook first = await StatusLook.AskAsync(dialed.Peer, before: null, cancelled).ConfigureAwait(false);
        long start = Stopwatch.GetTimestamp();
        await Task.Delay(ShortInterval, cancelled).ConfigureAwait(false);
        StatusLook second = await StatusLook.AskAsync(dialed.Peer, first, cancelled).ConfigureAwait(false);
        printer.Line(TitleOf(second));
        printer.Table(second.ToTable(first, Stopwatch.GetElapsedTime(start)));
    }

    private static async Task ShowAlwaysAsync(
        DialedPeer dialed, HostPort target, Action<string, TextTable> show, CancellationToken cancelled)
    {
        StatusLook? before = null;
        long last = Stopwatch.GetTimestamp();

        while (true)
        {
            StatusLook look = await StatusLook.AskAsync(dialed.Peer, before, cancelled).ConfigureAwait(false);
            show($"{target}: {TitleOf(look)}", look.ToTable(before, Stopwatch.GetElapsedTime(last)));
            last = Stopwatch.GetTimestamp();
            before = look;
            await Task.Delay(Interval, cancelled).ConfigureAwait(false);
        }
    }

    private static string TitleOf(StatusLook look)
        => $"{look.Peers.Count} {(look.Peers.Count == 1 ? "peer" : "peers")}"
            + (look.PeersLeftOut > 0 ? $" and {look.PeersLeftOut} more" : "");
}
