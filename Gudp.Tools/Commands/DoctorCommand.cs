using System.CommandLine;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Gudp.Core;
using Gudp.Tools.Arguments;
using Gudp.Tools.Doctor;
using Gudp.Tools.Output;

namespace Gudp.Tools.Commands;

/// <summary><c>gudp doctor</c>.</summary>
internal static class DoctorCommand
{
    private const int JsonVersion = 1;

    internal static Command Create(Printer printer)
    {
        Option<HostPort?> to = new("--to")
        {
            Description = "Also what the system knows of the path there; nothing is sent.",
            HelpName = "HOST:PORT",
            CustomParser = result =>
            {
                if (!HostPort.TryParse(result.Tokens[0].Value, out HostPort? target, out string problem))
                {
                    result.AddError(problem);
                }

                return target;
            },
        };
        Option<int?> port = CommandOption.OptionalPort("--port", "Also whether this UDP port can be opened.");
        Option<bool> json = new("--json") { Description = "Print a line of JSON." };
        Command command = new("doctor", "Looks at what this machine does for UDP, and says what would help.")
        {
            to, port, json,
        };

        command.SetAction((parsed, cancelled) => CommandLine.RunAsync(RunAsync(
            parsed.GetValue(to), parsed.GetValue(port), parsed.GetValue(json), printer, cancelled)));

        return command;
    }

    private static async Task<ExitCode> RunAsync(
        HostPort? to, int? port, bool json, Printer printer, CancellationToken cancelled)
    {
        List<CheckUp> checks = [Platform(), .. Machine(default)];

        if (to is not null)
        {
            IReadOnlyList<PeerAddress> addresses = await to.ResolveAsync(cancelled).ConfigureAwait(false);
            checks.AddRange(addresses.SelectMany(
                address => Examine($"path to {address}", () => [SocketExam.Path(address)])));
        }

        if (port is { } named)
        {
            checks.AddRange(Examine($"port {named}", () => [SocketExam.Port(named)]));
        }

        if (json)
        {
            printer.Line(JsonOf(checks));
        }
        else
        {
            Show(checks, printer);
        }

        return checks.Any(static check => check.Verdict == Verdict.Bad) ? ExitCode.CheckFailed : ExitCode.Fine;
    }

    private static CheckUp Platform() => new(
        "system",
        $"{RuntimeInformation.OSDescription}, kernel {Environment.OSVersion.Version}, "
        + $"{RuntimeInformation.FrameworkDescription}, {Units.Count(Environment.ProcessorCount)} CPUs");

    private static IEnumerable<CheckUp> Machine(SocketConfig config) =>
    [
        .. SocketExam.Offload(),
        .. Examine("sockets", () => SocketExam.Buffers(config)),
        .. Examine("interfaces", InterfaceExam.Interfaces),
        .. Examine("local ports", () => [InterfaceExam.LocalPorts()]),
        CostExam.Clock(),
        .. Examine("datagram", () => CostExam.Datagrams(config)),
        .. Examine("wait of 200 us", () => [CostExam.Waiting(config)]),
    ];

    /// <summary>
    /// What is found, up to what cannot be looked at: who asks for help has a machine on which something does not work,
    /// and wants to know what does.
    /// </summary>
    /// <param name="name">Of what is missing then.</param>
    /// <param name="exam">Looks.</param>
    internal static IReadOnlyList<CheckUp> Examine(string name, Func<IEnumerable<CheckUp>> exam)
    {
        List<CheckUp> found = [];

        try
        {
            foreach (CheckUp check in exam())
            {
                found.Add(check);
            }
        }
        catch (Exception refusal) when (refusal is SocketException or NetworkInformationException or IOException
            or UnauthorizedAccessException or PlatformNotSupportedException or TypeInitializationException)
        {
            string reason = (refusal.InnerException ?? refusal).Message;
            found.Add(new CheckUp(name, "cannot be examined", Verdict.Bad, reason));
        }

        return found;
    }

    private static void Show(IEnumerable<CheckUp> checks, Printer printer)
    {
        TextTable table = new("", "found", "");

        foreach (CheckUp check in checks)
        {
            table.Add(check.Name, check.Found, check.Verdict == Verdict.Fine ? "" : MarkOf(check.Verdict));
        }

        printer.Table(table);

        foreach (CheckUp check in checks.Where(static check => check.Advice.Length > 0))
        {
            printer.Line($"{check.Name}: {check.Advice}");
        }
    }

    private static string MarkOf(Verdict verdict) => verdict == Verdict.Bad ? "bad" : "note";

    private static string JsonOf(IEnumerable<CheckUp> checks)
    {
        using MemoryStream stream = new();

        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("version", JsonVersion);
            json.WriteStartArray("checks");

            foreach (CheckUp check in checks)
            {
                json.WriteStartObject();
                json.WriteString("name", check.Name);
                json.WriteString("found", check.Found);
                json.WriteString("verdict", check.Verdict.ToString().ToLowerInvariant());
                json.WriteString("advice", check.Advice);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
