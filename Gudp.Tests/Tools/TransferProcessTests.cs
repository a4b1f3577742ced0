using Gudp.Core;
using Gudp.Tools;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

/// <summary>Files between real processes over real sockets.</summary>
[TestFixture]
[Category("Release")]
public sealed class TransferProcessTests
{
    private string _directory = string.Empty;

    [SetUp]
    public void MakeDirectory() => _directory = Directory.CreateTempSubdirectory("gudp-test-").FullName;

    [TearDown]
    public void RemoveDirectory() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task A_file_crosses_a_relay_that_loses_delays_and_reorders()
    {
        byte[] content = Content(200_000);
        string sent = Write("flight.log", content);
        using ToolProcess receiver = ToolProcess.Start("recv", In(), "--port", "0");
        string target = "localhost:" + await receiver.PortAsync();
        using ToolProcess relay = ToolProcess.Start(
            "sim", "--listen", "0", "--target", target,
            "--seed", "7", "--loss", "5%", "--delay", "5ms", "--jitter", "2ms", "--duplicate", "2%", "--reorder", "5%");

        var sender = await ToolProcess.RunAsync("send", sent, "localhost:" + await relay.PortAsync());
        var received = await receiver.EndAsync();
        relay.Interrupt();
        var counts = await relay.EndAsync();

        Assert.That(
            new[] { sender.Code, received.Code, counts.Code },
            Is.All.EqualTo(ExitCode.Fine),
            () => string.Join('\n', sender.Errors.Concat(received.Errors).Concat(counts.Errors)));
        Assert.That(File.ReadAllBytes(Path.Combine(In(), "flight.log")), Is.EqualTo(content));
        Assert.That(sender.Output, Does.Contain("SHA-256 equal"));
        Assert.That(counts.Output, Does.Contain("lost"));
    }

    [Test]
    public async Task A_receiver_that_keeps_takes_several_files_and_overwrites_none()
    {
        string sent = Write("a.txt", Content(10));
        using ToolProcess receiver = ToolProcess.Start("recv", In(), "--port", "0", "--keep");
        string target = "127.0.0.1:" + await receiver.PortAsync();

        var first = await ToolProcess.RunAsync("send", sent, target);
        var second = await ToolProcess.RunAsync("send", sent, target);
        receiver.Interrupt();
        var received = await receiver.EndAsync();

        Assert.That(new[] { first.Code, second.Code, received.Code }, Is.All.EqualTo(ExitCode.Fine));
        Assert.That(
            Directory.GetFiles(In()).Select(Path.GetFileName), Is.EquivalentTo(new[] { "a.txt", "a-1.txt" }));
    }

    [Test]
    public async Task Both_ends_write_a_packet_trace_when_asked_to()
    {
        string traces = Path.Combine(_directory, "traces");
        string sent = Write("traced.bin", Content(100_000));
        using ToolProcess receiver = ToolProcess.Start("recv", In(), "--port", "0", "--trace", traces);

        var sender = await ToolProcess.RunAsync(
            "send", sent, "127.0.0.1:" + await receiver.PortAsync(), "--trace", traces);
        var received = await receiver.EndAsync();

        Assert.That((sender.Code, received.Code), Is.EqualTo((ExitCode.Fine, ExitCode.Fine)));
        string[] files = Directory.GetFiles(traces, "gudp-*.sqlog");
        Assert.That(files, Has.Length.EqualTo(2));

        foreach (string file in files)
        {
            var summary = await ToolProcess.RunAsync("trace", "summary", file);
            Assert.That(summary.Code, Is.EqualTo(ExitCode.Fine), string.Join('\n', summary.Errors));
            Assert.That(summary.Output.TrimEnd('\n').Split('\n'), Has.Length.GreaterThan(1));
        }
    }

    [Test]
    public async Task An_empty_file_is_sent_too()
    {
        string sent = Write("empty", []);
        using ToolProcess receiver = ToolProcess.Start("recv", In(), "--port", "0");

        var sender = await ToolProcess.RunAsync("send", sent, "[::1]:" + await receiver.PortAsync());
        var received = await receiver.EndAsync();

        Assert.That((sender.Code, received.Code), Is.EqualTo((ExitCode.Fine, ExitCode.Fine)));
        Assert.That(new FileInfo(Path.Combine(In(), "empty")).Length, Is.Zero);
    }

    [Test]
    public async Task A_receiver_killed_in_the_middle_makes_the_sender_say_what_was_confirmed()
    {
        string sent = Write("large", Content(20_000_000));
        using ToolProcess receiver = ToolProcess.Start("recv", In(), "--port", "0");
        using ToolProcess relay = ToolProcess.Start(
            "sim", "--listen", "0", "--target", "127.0.0.1:" + await receiver.PortAsync(), "--delay", "20ms");
        using ToolProcess sender = ToolProcess.Start("send", sent, "127.0.0.1:" + await relay.PortAsync());
        await ToolProcess.UntilAsync(() => Directory.GetFiles(In()).Any(path => new FileInfo(path).Length > 0));

        receiver.Kill();
        var ended = await sender.EndAsync();

        Assert.That(ended.Code, Is.EqualTo(ExitCode.TimedOut));
        Assert.That(ended.Errors, Has.Length.EqualTo(1));
        Assert.That(ended.Errors[0], Does.Match("it had received [1-9][0-9]* of 20000000 bytes"));
    }

    [Test]
    public async Task A_sender_killed_in_the_middle_leaves_nothing_at_the_receiver()
    {
        string sent = Write("large", Content(20_000_000));
        using ToolProcess receiver = ToolProcess.Start("recv", In(), "--port", "0");
        using ToolProcess relay = ToolProcess.Start(
            "sim", "--listen", "0", "--target", "127.0.0.1:" + await receiver.PortAsync(), "--delay", "20ms");
        using ToolProcess sender = ToolProcess.Start("send", sent, "127.0.0.1:" + await relay.PortAsync());
        await ToolProcess.UntilAsync(() => Directory.GetFiles(In()).Any(path => new FileInfo(path).Length > 0));

        sender.Kill();
        var ended = await receiver.EndAsync();

        Assert.That(ended.Code, Is.EqualTo(ExitCode.TimedOut));
        Assert.That(Directory.GetFiles(In()), Is.Empty);
    }

    [Test]
    public async Task A_ping_measures_a_receiver_that_waits_for_a_file()
    {
        using ToolProcess receiver = ToolProcess.Start("recv", In(), "--port", "0");

        var ping = await ToolProcess.RunAsync(
            "ping", "localhost:" + await receiver.PortAsync(), "--count", "5", "--interval", "20ms");

        Assert.That(ping.Code, Is.EqualTo(ExitCode.Fine));
        Assert.That(ping.Output, Does.Contain("p99"));
        Assert.That(ping.Output.Where(char.IsControl), Is.All.EqualTo('\n').Or.EqualTo('\r'));
    }

    private string In() => Directory.CreateDirectory(Path.Combine(_directory, "in")).FullName;

    private string Write(string name, byte[] content)
    {
        string path = Path.Combine(_directory, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    private static byte[] Content(int bytes)
    {
        byte[] content = new byte[bytes];
        new SeededSecrets(new Prng(1)).Fill(content);
        return content;
    }
}
