using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Gudp.Core;
using Gudp.Core.Sockets;
using Gudp.Tools;
using Gudp.Tools.Commands;
using Gudp.Tools.Doctor;
using NUnit.Framework;
using static Gudp.Tests.Tools.CommandCall;

namespace Gudp.Tests.Tools;

/// <summary><c>gudp doctor</c>, in this process, on real sockets.</summary>
[TestFixture, Category("Release")]
public sealed class DoctorCommandTests
{
    private static readonly string[] Always =
    [
        "system", "calls", "send offload", "receive offload", "send buffer", "receive buffer", "whole datagrams",
        "IPv6", "local ports", "clock", "datagram", "wait of 200 us",
    ];

    [Test]
    public async Task Everything_is_looked_at_and_the_machine_of_the_tests_works()
    {
        var (code, output, errors) = await RunAsync("doctor", "--json");

        Dictionary<string, string> verdicts = VerdictsIn(output);
        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(verdicts.Keys, Is.SupersetOf(Always));
        Assert.That(verdicts.Keys, Has.Some.StartsWith("interface "));
    }

    [Test]
    public async Task It_says_what_daemons_will_do()
    {
        var (_, output, _) = await RunAsync("doctor", "--json");

        Dictionary<string, string> verdicts = VerdictsIn(output);
        Assert.That(verdicts["send offload"], Is.EqualTo(UdpNetwork.Offload.Sends ? "fine" : "note"));
        Assert.That(verdicts["receive offload"], Is.EqualTo(UdpNetwork.Offload.Receives ? "fine" : "note"));
    }

    [Test]
    public async Task A_port_in_use_is_bad_and_a_free_one_is_not()
    {
        using UdpNetwork network = new();
        IDatagramSocket socket = network.Open(PeerAddress.AnyIPv6(0), 0, 0);
        string port = socket.LocalAddress.Port.ToString(CultureInfo.InvariantCulture);

        var (inUse, _, _) = await RunAsync("doctor", "--port", port);
        socket.Dispose();
        var (free, _, _) = await RunAsync("doctor", "--port", port);

        Assert.That((inUse, free), Is.EqualTo((ExitCode.CheckFailed, ExitCode.Fine)));
    }

    [Test, Platform("Linux")]
    public async Task The_loopback_carries_the_largest_datagram()
    {
        var (code, output, errors) = await RunAsync("doctor", "--to", "127.0.0.1:9");

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(output, Does.Match(@"(?m)^path to 127\.0\.0\.1:9 +[0-9,]+ B, datagrams of 65,507 B"));
    }

    [Test, Platform("Linux")]
    public async Task What_cannot_be_examined_is_said_and_the_rest_is_looked_at()
    {
        // No UDP socket may be connected to everybody.
        var (code, output, errors) = await RunAsync("doctor", "--to", "255.255.255.255:9", "--json");

        Dictionary<string, string> verdicts = VerdictsIn(output);
        Assert.That(code, Is.EqualTo(ExitCode.CheckFailed), errors);
        Assert.That(verdicts["path to 255.255.255.255:9"], Is.EqualTo("bad"));
        Assert.That(verdicts.Keys, Is.SupersetOf(Always));
        Assert.That(errors, Is.Empty);
    }

    [Test]
    public void An_exam_that_breaks_off_keeps_what_it_found()
    {
        IReadOnlyList<CheckUp> found = DoctorCommand.Examine("rest", Broken);

        Assert.That(found.Select(check => (check.Name, check.Verdict)), Is.EqualTo(new[]
        {
            ("first", Verdict.Fine), ("rest", Verdict.Bad),
        }));
        Assert.That(found[1].Advice, Is.EqualTo("no such file"));

        static IEnumerable<CheckUp> Broken()
        {
            yield return new CheckUp("first", "found");
            throw new IOException("no such file");
        }
    }

    [Test, Platform("Linux")]
    public async Task A_machine_whose_loopback_is_down_is_examined_all_the_same()
    {
        ProcessStartInfo start = new("unshare")
        {
            ArgumentList =
            {
                "--user", "--map-root-user", "--net", "dotnet", typeof(ExitCode).Assembly.Location, "doctor", "--json",
            },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process doctor = Start(start);
        string output = await doctor.StandardOutput.ReadToEndAsync().WaitAsync(ToolProcess.Patience);
        string errors = await doctor.StandardError.ReadToEndAsync().WaitAsync(ToolProcess.Patience);
        await doctor.WaitForExitAsync().WaitAsync(ToolProcess.Patience);

        if (errors.Contains("unshare", StringComparison.Ordinal))
        {
            Assert.Ignore("Processes get no network of their own here: " + errors);
        }

        Assert.That(doctor.ExitCode, Is.EqualTo((int)ExitCode.Fine), errors);
        Dictionary<string, string> verdicts = VerdictsIn(output);
        Assert.That(verdicts["datagram"], Is.EqualTo("note"));
        Assert.That(verdicts["receive buffer"], Is.AnyOf("fine", "note"));
    }

    [Test]
    public async Task Advice_stands_below_the_table_once_for_each_note()
    {
        var (_, json, _) = await RunAsync("doctor", "--json");
        var (_, output, _) = await RunAsync("doctor");

        foreach (JsonElement check in ChecksIn(json).Where(check => check.GetProperty("advice").GetString() != ""))
        {
            Assert.That(output, Does.Contain($"\n{check.GetProperty("name").GetString()}: "));
        }

        Assert.That(output, Does.StartWith(" ").And.Contain("found"));
    }

    [Test]
    public async Task What_is_no_address_is_a_mistake_of_the_command_line()
    {
        var (code, _, errors) = await RunAsync("doctor", "--to", "nowhere");

        Assert.That(code, Is.EqualTo(ExitCode.Usage));
        Assert.That(errors, Is.Not.Empty);
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            Assert.Ignore(missing.Message);
            throw;
        }
    }

    private static List<JsonElement> ChecksIn(string output)
    {
        using JsonDocument document = JsonDocument.Parse(output);
        return [.. document.RootElement.GetProperty("checks").Clone().EnumerateArray()];
    }

    private static Dictionary<string, string> VerdictsIn(string output) => ChecksIn(output).ToDictionary(
        static check => check.GetProperty("name").GetString()!,
        static check => check.GetProperty("verdict").GetString()!);
}
