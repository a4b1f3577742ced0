using System.CommandLine;
using System.Diagnostics;
using Gudp.Core;
using Gudp.Tools.Arguments;
using Gudp.Tools.Network;
using Gudp.Tools.Output;
using Gudp.Tools.Transfer;

namespace Gudp.Tools.Commands;

/// <summary><c>gudp send FILE HOST:PORT</c>.</summary>
internal static class SendCommand
{
    internal static Command Create(Printer printer)
    {
        Argument<string> file = new("FILE") { Description = "The file to send." };
        Argument<HostPort> target = CommandOption.Target("Where 'gudp recv' listens.");
        Command command = new("send", "Sends a file; the receiver compares its SHA-256.") { file, target };
        Option<string?> trace = TraceCommand.Option();
        command.Add(trace);

        command.SetAction((parsed, cancelled) =>
        {
            ToolConfig.TraceTo(parsed.GetValue(trace));
            return CommandLine.RunAsync(
                RunAsync(parsed.GetRequiredValue(file), parsed.GetRequiredValue(target), printer, cancelled));
        });

        return command;
    }

    private static async Task<ExitCode> RunAsync(
        string path, HostPort target, Printer printer, CancellationToken cancelled)
    {
        using FileStream file = Open(path);
        using DialedPeer dialed = await DialedPeer
            .ConnectAsync(target, ToolConfig.Bulk, cancelled)
            .ConfigureAwait(false);

        long length = file.Length;
        string name = Path.GetFileName(path);
        long start = Stopwatch.GetTimestamp();
        using FileSender sender = new(dialed.Peer, file, length);

        (TransferOutcome outcome, string text) = await printer
            .WithProgressAsync(
                name, length, ProgressUnit.Bytes, meter => Task.Run(() => sender.Run(name, meter, cancelled)))
            .ConfigureAwait(false);

        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        ConnectionCounters counters = dialed.Peer.Connection.ReadCounters();

        switch (outcome)
        {
            case TransferOutcome.Stored:
                printer.Line(
                    $"{name}: {length} bytes in {Units.Span(elapsed)}, {Units.Rate(length, elapsed)}, "
                    + $"{Units.Share(counters.Retransmits, counters.DatagramsSent)} retransmitted, "
                    + $"SHA-256 equal, stored as '{text}'");
                PrintTransfer(printer, sender.TransferTime, length);
                return ExitCode.Fine;

            case TransferOutcome.Mismatch:
                throw new CommandFailure(
                    ExitCode.CheckFailed, $"The receiver got something else than was sent: {text}");

            default:
                throw new CommandFailure(ExitCode.CheckFailed, $"The receiver refused the file: {text}");
        }
    }

    // Apart, because the answer above waits for the receiver's disk as well.
    private static void PrintTransfer(Printer printer, TimeSpan? time, long length)
    {
        if (time is { } span)
        {
            printer.Line($"all acknowledged after {Units.Span(span)}, {Units.Rate(length, span)}");
        }
    }

    private static FileStream Open(string path)
    {
        try
        {
            // Without a buffer: it is read in pieces larger than one.
            return new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandFailure(ExitCode.Usage, $"'{path}' cannot be read: {failure.Message}");
        }
    }
}
