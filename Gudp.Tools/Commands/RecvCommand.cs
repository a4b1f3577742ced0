using System.CommandLine;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tools.Arguments;
using Gudp.Tools.Network;
using Gudp.Tools.Output;
using Gudp.Tools.Transfer;

namespace Gudp.Tools.Commands;

/// <summary><c>gudp recv DIR --port PORT</c>.</summary>
internal static class RecvCommand
{
    private static readonly TimeSpan AcceptStep = TimeSpan.FromMilliseconds(100);

    internal static Command Create(Printer printer)
    {
        Argument<string> directory = new("DIR") { Description = "Where files go; nothing there is overwritten." };
        Option<int> port = CommandOption.Port("--port", "The port to listen on; 0 for any free one.");
        Option<bool> keep = new("--keep") { Description = "Stay for more files, also several at a time." };
        Command command = new("recv", "Receives a file from 'gudp send' and ends.") { directory, port, keep };
        Option<string?> trace = TraceCommand.Option();
        Option<int?> status = StatusPort.Option();
        command.Add(trace);
        command.Add(status);

        command.SetAction((parsed, cancelled) =>
        {
            ToolConfig.TraceTo(parsed.GetValue(trace));
            return CommandLine.RunAsync(RunAsync(
                parsed.GetRequiredValue(directory),
                (parsed.GetRequiredValue(port), parsed.GetValue(status)),
                parsed.GetValue(keep),
                printer,
                cancelled));
        });

        return command;
    }

    private static async Task<ExitCode> RunAsync(
        string directory,
        (int Files, int? Status) ports,
        bool keep,
        Printer printer,
        CancellationToken cancelled)
    {
        RequireWritable(directory);

        using Daemon daemon = new(ToolConfig.Bulk.Core);
        daemon.Start();
        using MessageEndpoint endpoint = ToolConfig.OnPort(
            ports.Files, local => new MessageEndpoint(daemon, local, ToolConfig.Bulk));

        printer.Line($"listening on port {endpoint.LocalAddress.Port}");
        using StatusPort? status = StatusPort.Open(ports.Status, daemon, printer);
        return keep
            ? await ReceiveAllAsync(endpoint, directory, printer, cancelled).ConfigureAwait(false)
            : await ReceiveOneAsync(endpoint, directory, printer, cancelled).ConfigureAwait(false);
    }

    /// <summary>Several may connect, and leave again; the first that begins with a file is the one.</summary>
    private static async Task<ExitCode> ReceiveOneAsync(
        MessageEndpoint endpoint, string directory, Printer printer, CancellationToken cancelled)
    {
        TaskCompletionSource<TransferReport> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int begun = 0;

        await AcceptAsync(endpoint, ended.Task, async peer =>
        {
            bool isMine = false;
            TransferReport? report = null;

            try
            {
                FileReceiver receiver = new(peer, directory, Claim);
                report = await receiver.RunAsync(printer, cancelled).ConfigureAwait(false);
            }
            catch (Exception failure) when (isMine)
            {
                ended.TrySetException(failure);
            }

            if (isMine && report is not null)
            {
                ended.TrySetResult(report);
            }
            else if (report is not null)
            {
                printer.Error(report.Text);
            }

            bool Claim() => isMine = Interlocked.Exchange(ref begun, 1) == 0;
        }, cancelled).ConfigureAwait(false);

        TransferReport last = await ended.Task.ConfigureAwait(false);
        return last.Code == ExitCode.Fine
            ? Print(printer, last)
            : throw new CommandFailure(last.Code, last.Text);
    }

    private static async Task<ExitCode> ReceiveAllAsync(
        MessageEndpoint endpoint, string directory, Printer printer, CancellationToken cancelled)
    {
        // A terminal draws one bar at a time, and here several files may come at once: lines for all of them.
        Printer plain = printer.WithoutBars();

        try
        {
            await AcceptAsync(endpoint, Task.Delay(Timeout.Infinite, cancelled), async peer =>
            {
                TransferReport? report = await new FileReceiver(peer, directory, () => true)
                    .RunAsync(plain, cancelled)
                    .ConfigureAwait(false);

                if (report is not null)
                {
                    Print(plain, report);
                }
            }, cancelled).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C is how it ends.
        }

        return ExitCode.Fine;
    }

    private static async Task AcceptAsync(
        MessageEndpoint endpoint, Task until, Func<Peer, Task> receive, CancellationToken cancelled)
    {
        while (!until.IsCompleted)
        {
            cancelled.ThrowIfCancellationRequested();

            if (endpoint.TryAccept(out Peer? peer))
            {
                _ = Task.Run(() => ReceiveAsync(peer!, receive), CancellationToken.None);
                continue;
            }

            await Task.WhenAny(until, Task.Delay(AcceptStep, cancelled)).ConfigureAwait(false);
        }
    }

    private static async Task ReceiveAsync(Peer peer, Func<Peer, Task> receive)
    {
        using (peer)
        {
            await receive(peer).ConfigureAwait(false);
        }
    }

    private static ExitCode Print(Printer printer, TransferReport report)
    {
        if (report.Code == ExitCode.Fine)
        {
            printer.Line(report.Text);
        }
        else
        {
            printer.Error(report.Text);
        }

        return report.Code;
    }

    private static void RequireWritable(string directory)
    {
        if (!Directory.Exists(directory))
        {
            throw new CommandFailure(ExitCode.Usage, $"The directory '{directory}' does not exist.");
        }

        try
        {
            // Found out now, not after the sender has sent the first megabytes.
            using IncomingFile probe = new(directory, "probe", length: 0);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Usage, $"No file can be written to '{directory}'.");
        }
    }
}
