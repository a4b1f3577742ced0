using System.CommandLine;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tools.Arguments;
using Gudp.Tools.Network;
using Gudp.Tools.Output;
using Gudp.Tools.Relay;

namespace Gudp.Tools.Commands;

/// <summary><c>gudp sim --listen PORT --target HOST:PORT</c>.</summary>
internal static class SimCommand
{
    internal static Command Create(Printer printer)
    {
        Option<int> listen = CommandOption.Port("--listen", "The port clients send to; 0 for any free one.");
        Option<HostPort> target = CommandOption.TargetOption("--target", "Where their datagrams go.");
        Option<ulong> seed = CommandOption.Seed();
        Option<int> loss = CommandOption.Percent("--loss", "Datagrams that vanish.");
        Option<TimeSpan> delay = CommandOption.Span("--delay", "Time each datagram takes, one way.", TimeSpan.Zero);
        Option<TimeSpan> jitter = CommandOption.Span("--jitter", "Up to this much is added to it.", TimeSpan.Zero);
        Option<int> duplicate = CommandOption.Percent("--duplicate", "Datagrams that arrive twice.");
        Option<int> reorder = CommandOption.Percent("--reorder", "Datagrams held back so that others overtake.");

        Command command = new("sim", "A bad network between unmodified UDP programs, both ways. Ctrl-C ends it.")
        {
            listen, target, seed, loss, delay, jitter, duplicate, reorder,
        };

        command.SetAction((parsed, cancelled) =>
        {
            ImpairmentOptions impairment = new()
            {
                Seed = parsed.GetValue(seed),
                Link = new LinkModel
                {
                    LossPpm = parsed.GetValue(loss),
                    Delay = parsed.GetValue(delay),
                    Jitter = parsed.GetValue(jitter),
                    DuplicatePpm = parsed.GetValue(duplicate),
                    ReorderPpm = parsed.GetValue(reorder),
                },
            };

            return CommandLine.RunAsync(RunAsync(
                parsed.GetRequiredValue(listen), parsed.GetRequiredValue(target), impairment, printer, cancelled));
        });

        return command;
    }

    private static async Task<ExitCode> RunAsync(
        int listen, HostPort target, ImpairmentOptions impairment, Printer printer, CancellationToken cancelled)
    {
        IReadOnlyList<PeerAddress> addresses = await target.ResolveAsync(cancelled).ConfigureAwait(false);

        // Nobody can tell from here which family the target listens on; one that serves a single family takes IPv4.
        PeerAddress chosen = addresses.FirstOrDefault(address => address.IsIPv4, addresses[0]);

        using UdpRelay relay = ToolConfig.OnPort(listen, local => new UdpRelay(local, chosen, impairment));
        relay.Start();
        printer.Line($"listening on port {relay.LocalAddress.Port}, relaying to {chosen}; Ctrl-C ends");

        while (relay.Fault is null && !cancelled.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500), cancelled)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        printer.Table(CountsOf(relay.ReadCounts()));

        return relay.Fault is null
            ? ExitCode.Fine
            : throw new CommandFailure(ExitCode.NotConnected, $"The relay stopped: {relay.Fault.Message}");
    }

    private static TextTable CountsOf(RelayCounts counts)
    {
        TextTable table = new("datagrams", "to target", "to clients");
        SimulatedFaults up = counts.ToTarget;
        SimulatedFaults down = counts.ToClients;

        table.Add("received", Units.Count(up.Sent), Units.Count(down.Sent));
        table.Add("lost", Units.Count(up.Lost), Units.Count(down.Lost));
        table.Add("duplicated", Units.Count(up.Duplicated), Units.Count(down.Duplicated));
        table.Add("reordered", Units.Count(up.Reordered), Units.Count(down.Reordered));
        table.Add("delivered", Units.Count(up.Delivered), Units.Count(down.Delivered));
        table.Add("refused", Units.Count(counts.Refused), string.Empty);
        table.Add("not sent", Units.Count(counts.SendFailed), string.Empty);
        return table;
    }
}
