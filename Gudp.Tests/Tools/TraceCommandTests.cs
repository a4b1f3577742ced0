using System.Text;
using System.Xml.Linq;
using Gudp.Core;
using Gudp.Tools;
using Gudp.Tools.Commands;
using Gudp.Tools.Output;
using NUnit.Framework;
using static Gudp.Tests.Tools.CommandCall;

namespace Gudp.Tests.Tools;

/// <summary><c>gudp trace</c>, in this process.</summary>
[TestFixture]
public sealed class TraceCommandTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("gudp-trace-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task View_draws_a_page_that_is_whole_and_needs_nothing_else()
    {
        string html = Path.Combine(_folder, "out.html");

        var (code, output, errors) = await RunAsync("trace", "view", Sample(), "--html", html);

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(output, Does.StartWith("connection 000000000000002a, 8 events"));
        XDocument page = XDocument.Parse(await File.ReadAllTextAsync(html));
        Assert.That(page.Descendants().Count(element => element.Name.LocalName == "svg"), Is.EqualTo(3));
        Assert.That(
            page.Descendants().Select(element => element.Name.LocalName),
            Has.No.Member("script").And.No.Member("link").And.No.Member("img"));
    }

    [Test]
    public async Task Summary_counts_each_connection()
    {
        var (code, output, errors) = await RunAsync("trace", "summary", Sample());

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(output, Does.Match(
            @"(?m)^000000000000002a +2 +2,400 +1 +1 +1 +1 +1 +1 +0$"));
        Assert.That(output, Does.Contain("1 datagrams of no connection were dropped"));
    }

    [Test]
    public async Task A_trace_whose_end_is_missing_is_shown_as_far_as_it_goes()
    {
        string whole = await File.ReadAllTextAsync(Sample());
        string cut = Write("cut.sqlog", whole[..^20]);

        var (code, output, errors) = await RunAsync("trace", "summary", cut);

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(output, Does.StartWith("the end is missing"));
    }

    [TestCase("", "it is empty")]
    [TestCase("not json\nat all\n", "line 1")]
    [TestCase("{\"a\":1}\n", "file_schema")]
    [TestCase("{\"file_schema\":1}\n{\"name\":\"x\"}\n{}\n", "line 2: an event has a time and a name")]
    [TestCase("{\"file_schema\":1}\n{\"time\":1e300,\"name\":\"x\"}\n{}\n", "line 2: an event has a time and a name")]
    [TestCase("{\"file_schema\":1}\n[]\n{}\n", "line 2: an event has a time and a name")]
    [TestCase("{\"file_schema\":1}\n{\"time\":\n{}\n", "line 2")]
    public async Task A_file_that_is_no_trace_is_one_line_and_code_2(string text, string problem)
    {
        var (code, output, errors) = await RunAsync("trace", "summary", Write("bad", text));

        Assert.That(code, Is.EqualTo(ExitCode.Usage));
        Assert.That(output, Is.Empty);
        Assert.That(errors, Does.StartWith("gudp: ").And.Contain("is no packet trace").And.Contain(problem));
        Assert.That(errors.TrimEnd('\n').Split('\n'), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task Fields_of_an_unexpected_kind_count_as_missing()
    {
        string odd = Write("odd", "{\"file_schema\":1,\"title\":5}\n"
            + "{\"time\":0,\"name\":\"quic:packet_sent\",\"group_id\":\"a\",\"data\":[]}\n"
            + "{\"time\":1,\"name\":\"quic:packet_sent\",\"group_id\":\"a\",\"data\":{\"raw\":{\"length\":1e300}}}\n"
            + "{\"time\":1,\"name\":\"quic:packets_acked\",\"group_id\":\"a\",\"data\":{\"packet_numbers\":[\"x\"]}}\n");

        var (code, output, errors) = await RunAsync("trace", "summary", odd);

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(output, Does.Match(@"(?m)^a +2 +0 +0 +1 +0 +0 +0 +0 +0$"));
    }

    [TestCase("trace summary no-such-file", "cannot be read")]
    [TestCase("trace view no-such-file --html out.html", "cannot be read")]
    [TestCase("trace view no-such-file", "--html")]
    [TestCase("trace bogus", "bogus")]
    public async Task A_mistake_ends_with_code_2(string commandLine, string problem)
    {
        var (code, _, errors) = await RunAsync(commandLine.Split(' '));

        Assert.That(code, Is.EqualTo(ExitCode.Usage));
        Assert.That(errors, Does.Contain(problem));
    }

    [Test]
    public async Task A_connection_that_is_not_there_is_named_with_those_that_are()
    {
        var (code, _, errors) = await RunAsync(
            "trace", "view", Sample(), "--html", Path.Combine(_folder, "x.html"), "--connection", "7");

        Assert.That(code, Is.EqualTo(ExitCode.Usage));
        Assert.That(errors, Does.Contain("it holds 000000000000002a"));
    }

    private string Sample()
    {
        PacketTraceLog log = new();
        TraceEvent one = new() { ConnectionId = 0x2A, Bytes = 1_200, Frames = TraceFrames.Payload };
        log.Record(one with { Kind = TraceEventKind.PacketSent, PacketNumber = 1, At = At(1) });
        log.Record(one with
        {
            Kind = TraceEventKind.PacketSent,
            PacketNumber = 2,
            IsRepeat = true,
            Trigger = TraceTrigger.PtoProbe,
            At = At(2),
        });
        log.Record(one with { Kind = TraceEventKind.PacketReceived, PacketNumber = 1, At = At(3) });
        log.Record(one with { Kind = TraceEventKind.PacketAcked, PacketNumber = 2, At = At(3) });
        log.Record(one with { Kind = TraceEventKind.PacketLost, PacketNumber = 1, At = At(4) });
        log.Record(one with { Kind = TraceEventKind.SpuriousLoss, PacketNumber = 1, At = At(5) });
        log.Record(one with
        {
            Kind = TraceEventKind.MetricsUpdated,
            Metrics = new TraceMetrics(At(1) - At(0), At(1) - At(0), At(1) - At(0), 12_000, 1_200),
            At = At(5),
        });
        log.Record(one with
        {
            Kind = TraceEventKind.ConnectionStateUpdated,
            Before = "open",
            After = "ended",
            At = At(6),
        });
        log.Record(one with
        {
            Kind = TraceEventKind.PacketDropped,
            ConnectionId = 0,
            Drop = DropReason.TooShort,
            At = At(7),
        });

        using MemoryStream file = new();
        log.WriteTo(file, "sample <&>");
        return Write("sample.sqlog", Encoding.UTF8.GetString(file.ToArray()));

        static Instant At(int milliseconds) => new(milliseconds * TimeSpan.TicksPerMillisecond);
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
