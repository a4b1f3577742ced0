using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Gudp.Tools;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

/// <summary>What goes wrong is one line on the error stream and an exit code a script can branch on.</summary>
[TestFixture]
[Category("Release")]
public sealed class BadInputTests
{
    private static IEnumerable<TestCaseData> CommandLines()
    {
        yield return Case("no command", ExitCode.Usage, "");
        yield return Case("an unknown command", ExitCode.Usage, "bogus");
        yield return Case("an unknown option", ExitCode.Usage, "demo --bogus");
        yield return Case("a missing argument", ExitCode.Usage, "send");
        yield return Case("a missing option", ExitCode.Usage, "recv .");
        yield return Case("a target without a port", ExitCode.Usage, "ping localhost");
        yield return Case("a port that is none", ExitCode.Usage, "serve --port 65536");
        yield return Case("a share above all", ExitCode.Usage, "demo --loss 101%");
        yield return Case("a time without a unit", ExitCode.Usage, "demo --delay 10");
        yield return Case("a rate without a unit", ExitCode.Usage, "sim --listen 0 --target localhost:9 --rate 10");
        yield return Case("a wrong setting", ExitCode.Usage, "sim --listen 0 --target localhost:9 --up los=5%");
        yield return Case("no members", ExitCode.Usage, "demo --members 0");
        yield return Case("a negative seed", ExitCode.Usage, "demo --seed -1");
        yield return Case("a file that is not there", ExitCode.Usage, "send no-such-file localhost:9");
        yield return Case("a directory that is not there", ExitCode.Usage, "recv no-such-directory --port 0");
        yield return Case("a roster that is not there", ExitCode.Usage, "serve --port 0 --roster no-such-file");
        yield return Case("an unknown host", ExitCode.NotConnected, "ping no-such-host.invalid:9");
        yield return Case("an unknown target", ExitCode.NotConnected, "sim --listen 0 --target no-such-host.invalid:9");
    }

    [TestCaseSource(nameof(CommandLines))]
    public async Task Ends_with_one_line_and_a_code(string commandLine, int expected)
    {
        var (code, output, errors) = await ToolProcess.RunAsync(
            commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.That((int)code, Is.EqualTo(expected), string.Join('\n', errors));
        Assert.That(errors, Has.Length.EqualTo(1));
        Assert.That(errors[0], Does.StartWith("gudp: "));
        Assert.That(output, Is.Empty);
    }

    [TestCase("recv . --port {0}")]
    [TestCase("serve --port {0}")]
    [TestCase("sim --listen {0} --target localhost:9")]
    public async Task A_port_in_use_is_no_connection(string commandLine)
    {
        using Socket taken = new(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = true };
        taken.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        int port = ((IPEndPoint)taken.LocalEndPoint!).Port;

        var (code, _, errors) = await ToolProcess.RunAsync(
            string.Format(CultureInfo.InvariantCulture, commandLine, port).Split(' '));

        Assert.That(code, Is.EqualTo(ExitCode.NotConnected));
        Assert.That(errors, Has.Length.EqualTo(1));
        Assert.That(errors[0], Does.Contain($"Port {port} is in use"));
    }

    [Test]
    public async Task A_port_where_nobody_listens_is_no_connection()
    {
        using Socket silent = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)silent.LocalEndPoint!).Port;

        var (code, _, errors) = await ToolProcess.RunAsync("ping", $"127.0.0.1:{port}");

        Assert.That(code, Is.EqualTo(ExitCode.NotConnected));
        Assert.That(errors, Is.EqualTo(new[] { $"gudp: Nobody answers at 127.0.0.1:{port}." }));
    }

    [Test]
    public async Task Help_is_no_error()
    {
        var (code, output, errors) = await ToolProcess.RunAsync("--help");

        Assert.That(code, Is.EqualTo(ExitCode.Fine));
        Assert.That(output, Does.Contain("demo").And.Contain("serve").And.Not.Contain("demo-member"));
        Assert.That(errors, Is.Empty);
    }

    private static TestCaseData Case(string name, ExitCode expected, string commandLine)
        => new TestCaseData(commandLine, (int)expected).SetArgDisplayNames(name);
}
