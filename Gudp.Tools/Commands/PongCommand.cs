using System.CommandLine;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tools.Arguments;
using Gudp.Tools.Network;
using Gudp.Tools.Output;

namespace Gudp.Tools.Commands;

/// <summary><c>gudp pong --port PORT</c>: the other end of <c>gudp ping --messages</c>.</summary>
internal static class PongCommand
{
    internal static Command Create(Printer printer)
    {
        Option<int> port = CommandOption.Port("--port", "The port to answer on; 0 for any free one.");
        Option<int?> status = StatusPort.Option();
        Command command = new("pong", "Takes messages and sends each back: the other end of 'gudp ping --messages'.")
        {
            port, status,
        };

        command.SetAction((parsed, cancelled) => CommandLine.RunAsync(RunAsync(
            parsed.GetRequiredValue(port), parsed.GetValue(status), printer, cancelled)));

        return command;
    }

    private static async Task<ExitCode> RunAsync(
        int port, int? statusPort, Printer printer, CancellationToken cancelled)
    {
        using Daemon daemon = new(ToolConfig.Lockstep.Core);
        daemon.Start();
        using MessageEndpoint endpoint = ToolConfig.OnPort(
            port, local => new MessageEndpoint(daemon, local, ToolConfig.Lockstep, new Echo()));
        endpoint.Listen();
        printer.Line($"listening on port {endpoint.LocalAddress.Port}");
        using StatusPort? status = StatusPort.Open(statusPort, daemon, printer);

        try
        {
            await Task.Delay(Timeout.Infinite, cancelled).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C is how it ends.
        }

        return ExitCode.Fine;
    }

    private sealed class Echo : IMessageSink
    {
        // Refused: whoever asks faster than it takes the answers misses some, and counts that.
        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now)
            => from.TrySend(message, new SendOptions { Lane = lane });

        public void HandlePeer(Peer peer, PeerChange change, Instant now)
        {
        }

        public void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now)
        {
        }
    }
}
