using System.Text.Json;
using Gudp.Tools;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

/// <summary>Looking at a process and pinging it with messages, between real processes.</summary>
[TestFixture]
[Category("Release")]
public sealed class WatchingProcessTests
{
    [Test]
    public async Task Messages_to_a_pong_are_received_taken_and_answered()
    {
        using ToolProcess pong = ToolProcess.Start("pong", "--port", "0");

        var ping = await ToolProcess.RunAsync(
            "ping", "localhost:" + await pong.PortAsync(), "--messages",
            "--count", "5", "--interval", "20ms", "--size", "64B", "--size", "1MB");

        string[] lines = ping.Output.TrimEnd('\n').Split('\n');
        Assert.That(ping.Code, Is.EqualTo(ExitCode.Fine), string.Join('\n', ping.Errors));
        Assert.That(lines, Has.Length.EqualTo(8));
        Assert.That(lines.Where(line => line.StartsWith("lane 1, 64 B, ", StringComparison.Ordinal)).Count(), Is.EqualTo(3));
        Assert.That(lines[2..], Has.All.Match("^lane 1, (64 B|1.0 MB), (received|taken|answered) +5 "));
    }

    [Test]
    public async Task A_ping_of_messages_to_who_does_not_answer_says_what_was_received()
    {
        using ToolProcess server = ToolProcess.Start("serve", "--port", "0");

        var ping = await ToolProcess.RunAsync(
            "ping", "localhost:" + await server.PortAsync(), "--messages", "--count", "1");

        Assert.That(ping.Code, Is.EqualTo(ExitCode.TimedOut));
        Assert.That(ping.Errors, Has.Length.EqualTo(1));
        Assert.That(ping.Output, Does.Match("answered +0 "));
    }

    // Goal: what still waits for the dead does not keep the ping waiting for longer than for a silence.
    [TestCase("--messages")]
    [TestCase("--interval", "20ms")]
    public async Task A_ping_of_who_is_killed_ends_after_the_silence_and_says_so(params string[] options)
    {
        using ToolProcess pong = ToolProcess.Start("pong", "--port", "0");
        using ToolProcess ping = ToolProcess.Start(
            ["ping", "localhost:" + await pong.PortAsync(), "--count", "100000", .. options]);
        _ = await ping.NextLineAsync();

        pong.Kill();
        var end = await ping.EndAsync();

        Assert.That(end.Code, Is.EqualTo(ExitCode.TimedOut));
        Assert.That(
            end.Errors.Single(), Does.Match("(stopped answering|No answer).*: IdleTimeout: .* for 5(\\.\\d)? s\\.$"));
    }

    [Test]
    public async Task Top_shows_the_peers_of_a_process_and_what_they_did()
    {
        using ToolProcess pong = ToolProcess.Start("pong", "--port", "0", "--status-port", "0");
        string port = await pong.PortAsync();
        string status = "localhost:" + await pong.StatusPortAsync();
        using ToolProcess ping = ToolProcess.Start(
            "ping", "localhost:" + port, "--messages", "--count", "1000", "--interval", "10ms", "--size", "1KB");
        JsonElement peer = await OnePeerAsync(status);

        var table = await ToolProcess.RunAsync("top", status, "--once");

        Assert.That(table.Code, Is.EqualTo(ExitCode.Fine), string.Join('\n', table.Errors));
        Assert.That(table.Output, Does.StartWith("1 peer\npeer ").And.Contain(peer.GetProperty("remote").GetString()));
        Assert.That(peer.GetProperty("isOpen").GetBoolean(), Is.True);
        Assert.That(peer.GetProperty("bytesReceived").GetInt64(), Is.Positive);
    }

    [Test]
    public async Task Top_of_a_process_that_dies_says_that_it_does_not_answer_any_more()
    {
        using ToolProcess pong = ToolProcess.Start("pong", "--port", "0", "--status-port", "0");
        await pong.PortAsync();
        using ToolProcess top = ToolProcess.Start("top", "localhost:" + await pong.StatusPortAsync(), "--json");
        string? first = await top.NextLineAsync();

        pong.Kill();
        var end = await top.EndAsync();

        Assert.That(first, Does.StartWith("{\"version\":1,"));
        Assert.That(end.Code, Is.EqualTo(ExitCode.TimedOut));
        Assert.That(end.Errors.Single(), Does.StartWith("gudp: The observed process "));
    }

    [Test]
    public async Task Top_at_a_port_that_is_no_status_port_says_so()
    {
        using ToolProcess pong = ToolProcess.Start("pong", "--port", "0");

        var top = await ToolProcess.RunAsync("top", "localhost:" + await pong.PortAsync(), "--once");

        Assert.That(top.Code, Is.EqualTo(ExitCode.CheckFailed));
        Assert.That(top.Errors, Is.EqualTo(new[] { "gudp: What came is not an answer to a status question." }));
    }

    // The ping may not have connected yet when the first look is taken.
    private static async Task<JsonElement> OnePeerAsync(string status)
    {
        using CancellationTokenSource late = new(ToolProcess.Patience);

        while (true)
        {
            late.Token.ThrowIfCancellationRequested();
            var look = await ToolProcess.RunAsync("top", status, "--once", "--json");
            Assert.That(look.Code, Is.EqualTo(ExitCode.Fine), string.Join('\n', look.Errors));
            JsonElement peers = JsonDocument.Parse(look.Output).RootElement.GetProperty("peers");

            if (peers.GetArrayLength() == 1 && peers[0].GetProperty("bytesReceived").GetInt64() > 0)
            {
                return peers[0];
            }
        }
    }
}
