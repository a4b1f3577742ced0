using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Gudp.Tools;
using Gudp.Tools.Network;
using Gudp.Tools.Transfer;

namespace Gudp.Bench.Transport;

// The gudp command three times, as a user would type it: recv, sim in front of it, send. Ports are the system's choice
// and are read from what the processes say.

/// <summary>A file through the real relay, and the same transfer in the simulator.</summary>
internal static partial class RelayRun
{
    /// <summary>How far the relay may be from the simulator without a word of explanation.</summary>
    internal const double Tolerance = 0.15;

    private const int FileBytes = 20_000_000;
    private const int QueueBytes = 625_000;
    private const double LinkMbit = 100;

    // What the relay calls the two ends of its first client: with these addresses and the same seed the simulator
    // loses the same datagrams.
    private const uint ClientAddress = 0x0A01_0001;
    private const uint TargetAddress = 0x0A02_0001;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    // Loss at 100 ms would take minutes with the controller that "gudp send" uses.
    private static readonly (double RoundTripMs, double LossPercent)[] Cells = [(20, 0), (20, 0.1), (20, 1), (100, 0)];

    internal static IReadOnlyList<RelayRow> Run(TransportBench bench, TextWriter log)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("gudp-bench-");

        try
        {
            string file = Path.Combine(folder.FullName, "twenty");
            File.WriteAllBytes(file, new byte[FileBytes]);
            List<RelayRow> rows = [];

            foreach ((double roundTrip, double loss) in Cells)
            {
                RelayRow row = Measure(bench, file, roundTrip, loss);
                rows.Add(row);
                log.WriteLine(FormattableString.Invariant(
                    $"relay {roundTrip} ms {loss} %: {row.RelayMbit.Median:0.0}, simulator {row.SimulatorMbit.Median:0.0}"));
            }

            return rows;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static RelayRow Measure(TransportBench bench, string file, double roundTrip, double loss)
    {
        TransferPlan plan = new(ToolConfig.Bulk, Presets.Link(LinkMbit, roundTrip, loss, QueueBytes))
        {
            Bytes = FileBytes,
            MessageBytes = TransferMessage.DataBytes,
            Addresses = (ClientAddress, TargetAddress),
        };
        Spread simulated = Spread.Of(bench.ForSeeds(seed => TransferRun.Run(plan, seed).MegabitsPerSecond));
        List<double> relayed = [];

        for (int seed = 1; seed <= bench.Seeds; seed++)
        {
            relayed.Add(SendFile(file, roundTrip, loss, seed));
        }

        Spread relay = Spread.Of(relayed);
        return new RelayRow
        {
            RoundTripMs = roundTrip,
            LossPercent = loss,
            RelayMbit = relay,
            SimulatorMbit = simulated,
            Ratio = Spread.Round(relay.Median / simulated.Median),
        };
    }

    private static double SendFile(string file, double roundTrip, double loss, int seed)
    {
        string target = Directory.CreateDirectory(file + ".in").FullName;

        try
        {
            using Process receiver = Start("recv", target, "--port", "0");
            int port = PortOf(receiver);
            using Process relay = Start(
                "sim", "--listen", "0", "--target", $"127.0.0.1:{port}", "--seed", Text(seed),
                "--delay", Text(roundTrip / 2) + "ms", "--loss", Text(loss) + "%",
                "--rate", Text(LinkMbit) + "mbit", "--queue", Text(QueueBytes) + "B");

            try
            {
                using Process sender = Start("send", file, $"127.0.0.1:{PortOf(relay)}");
                return FileBytes * 8 / 1e6 / SecondsOf(sender);
            }
            finally
            {
                relay.Kill();
                End(receiver);
            }
        }
        finally
        {
            Directory.Delete(target, recursive: true);
        }
    }

    private static Process Start(params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet") { RedirectStandardOutput = true };
        start.ArgumentList.Add(typeof(ExitCode).Assembly.Location);
        Array.ForEach(arguments, start.ArgumentList.Add);
        return Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start.");
    }

    private static int PortOf(Process process)
        => int.Parse(Wait(process, PortLine()).Groups["port"].Value, CultureInfo.InvariantCulture);

    private static double SecondsOf(Process process)
    {
        Match line = Wait(process, TimeLine());
        double amount = double.Parse(line.Groups["amount"].Value, CultureInfo.InvariantCulture);
        process.WaitForExit();
        return line.Groups["unit"].Value == "s" ? amount : amount / 1000;
    }

    private static Match Wait(Process process, Regex pattern)
    {
        while (process.StandardOutput.ReadLineAsync().WaitAsync(Patience).GetAwaiter().GetResult() is string line)
        {
            if (pattern.Match(line) is { Success: true } match)
            {
                return match;
            }
        }

        throw new InvalidOperationException($"gudp ended without saying {pattern}.");
    }

    private static void End(Process process)
    {
        if (!process.WaitForExit(TimeSpan.FromSeconds(5)))
        {
            process.Kill();
        }
    }

    private static string Text(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^listening on port (?<port>\d+)")]
    private static partial Regex PortLine();

    [GeneratedRegex(@"^all acknowledged after (?<amount>[\d.]+) (?<unit>ms|s), ")]
    private static partial Regex TimeLine();
}
