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
        Option<TimeSpan> rebind = CommandOption.Span(
            "--rebind", "Each client gets a new port towards the target so often.", TimeSpan.Zero);
        Option<string?> up = CommandOption.LinkText("--up", "Towards the target otherwise than said so far:");
        Option<string?> down = CommandOption.LinkText("--down", "Towards the clients otherwise than said so far:");
        List<(LinkSetting Setting, Option<string?> Option)> settings =
            [.. LinkSetting.All.Select(setting => (setting, CommandOption.Of(setting)))];

        Command command = new(
            "sim",
            "A bad network between unmodified UDP programs, both ways. Chances and delays are each client's own; all "
            + "clients share one rate and queue in each direction. Ctrl-C ends it.")
        {
            listen, target, seed, rebind, up, down,
        };

        foreach ((_, Option<string?> option) in settings)
        {
            command.Options.Add(option);
        }

        command.SetAction((parsed, cancelled) =>
        {
            LinkModel both = LinkModel.Perfect;

            foreach ((LinkSetting setting, Option<string?> option) in settings)
            {
                both = parsed.GetValue(option) is { } text ? setting.Apply(both, text)! : both;
            }

            ImpairmentOptions impairment = new()
            {
                Seed = parsed.GetValue(seed),
                Up = Changed(both, parsed.GetValue(up)),
                Down = Changed(both, parsed.GetValue(down)),
                RebindEvery = parsed.GetValue(rebind),
            };

            return CommandLine.RunAsync(RunAsync(
                parsed.GetRequiredValue(listen), parsed.GetRequiredValue(target), impairment, printer, cancelled));
        });

        return command;
    }

    private static LinkModel Changed(LinkModel link, string? text)
        => text is not null && LinkSetting.TryApplyAll(link, text, out LinkModel changed, out _) ? changed : link;

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
        table.Add("in outages", Units.Count(up.OutageDropped), Units.Count(down.OutageDropped));
        table.Add("too long", Units.Count(up.TooLongDropped), Units.Count(down.TooLongDropped));
        table.Add("queue full", Units.Count(up.QueueDropped), Units.Count(down.QueueDropped));
        table.Add("duplicated", Units.Count(up.Duplicated), Units.Count(down.Duplicated));
        table.Add("reordered", Units.Count(up.Reordered), Units.Count(down.Reordered));
        table.Add("corrupted", Units.Count(up.Corrupted), Units.Count(down.Corrupted));
        table.Add("clogged", Units.Count(up.Clogged), Units.Count(down.Clogged));
        table.Add("delivered", Units.Count(up.Delivered), Units.Count(down.Delivered));
        table.Add("refused", Units.Count(counts.Refused), string.Empty);
        table.Add("not sent", Units.Count(counts.SendFailed), string.Empty);
        table.Add("rebindings", Units.Count(counts.Rebindings), string.Empty);
        return table;
    }
}
