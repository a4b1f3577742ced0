using System.Globalization;
using System.Text.Json;
using Gudp.Core;
using Gudp.Core.Sockets;
using Gudp.Tools;
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
        "IPv6", "clock", "datagram", "wait of 200 us",
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

    private static List<JsonElement> ChecksIn(string output)
    {
        using JsonDocument document = JsonDocument.Parse(output);
        return [.. document.RootElement.GetProperty("checks").Clone().EnumerateArray()];
    }

    private static Dictionary<string, string> VerdictsIn(string output) => ChecksIn(output).ToDictionary(
        static check => check.GetProperty("name").GetString()!,
        static check => check.GetProperty("verdict").GetString()!);
}
