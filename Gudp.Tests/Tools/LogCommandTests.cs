using System.Net;
using System.Text.Json;
using System.Xml.Linq;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Tests.Sequencing.Records;
using Gudp.Tools;
using Gudp.Tools.Network;
using Gudp.Tools.Picture;
using NUnit.Framework;
using static Gudp.Tests.Tools.CommandCall;

namespace Gudp.Tests.Tools;

/// <summary><c>gudp log</c>: a server's log on real sockets, and records as lines and as a picture.</summary>
[TestFixture]
public sealed class LogCommandTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("gudp-log-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_record_is_printed_grant_by_grant_with_its_messages()
    {
        string file = Write(RecordedRun.Of(members: 3, grants: 10, messages: 2));

        var (code, output, errors) = await RunAsync("log", file, "--from", "60", "--to", "60");

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(output, Does.StartWith("60 m0 grant 6, 6 ms\n  60 state from m1 #11, 16 bytes\n"));
        Assert.That(output.Split('\n'), Has.Length.EqualTo(3 + (3 * 2) + 1));
    }

    [Test]
    public async Task Json_has_a_line_for_each_grant_and_a_channel_leaves_out_the_others()
    {
        string file = Write(RecordedRun.Of(members: 2, grants: 5, messages: 2));

        var (code, output, errors) = await RunAsync("log", file, "--json", "--channel", "control");
        JsonElement[] lines = [.. output.Trim().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(lines, Has.Length.EqualTo(2 * 6));
        Assert.That(lines.SelectMany(line => line.GetProperty("messages").EnumerateArray())
            .Select(message => message.GetProperty("channel").GetString()), Is.All.EqualTo("control").And.Exactly(10).Items);
    }

    [Test]
    public async Task The_picture_has_a_lifeline_for_the_server_and_each_member_and_a_mark_for_each_grant()
    {
        string html = Path.Combine(_folder, "run.html");
        string file = Write(RecordedRun.Of(members: 4, grants: 10, messages: 2));

        var (code, output, errors) = await RunAsync("log", file, "--html", html);
        XDocument page = XDocument.Parse(File.ReadAllText(html)["<!DOCTYPE html>\n".Length..]);

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(output, Does.Contain("44 grants of 4 members"));
        Assert.That(Texts(page), Does.Contain("server").And.Contain("m0").And.Contain("m3").And.Contain("100"));
        Assert.That(Elements(page, "circle"), Has.Count.EqualTo(44));
        Assert.That(Elements(page, "path").Count(path => $"{path.Attribute("d")?.Value}".EndsWith('z')), Is.EqualTo(80));
        Assert.That(Tips(page), Has.Some.EqualTo(
            "state: message 1 of m1, sent at 0, arrives at 10, 16 bytes"));
        Assert.That(File.ReadAllText(html), Does.Not.Contain("<script").And.Not.Contain("http://www.w3.org/1999"));
    }

    [Test]
    public async Task A_long_run_is_drawn_in_parts_and_what_is_left_out_is_said()
    {
        string html = Path.Combine(_folder, "run.html");
        string file = Write(RecordedRun.Of(members: 16, grants: 600, messages: 2));

        var (code, _, errors) = await RunAsync("log", file, "--html", html);
        string page = File.ReadAllText(html);
        var rest = await RunAsync("log", file, "--html", html, "--from", "5000");
        string second = File.ReadAllText(html);

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(page, Does.Contain("grants from tag 2500 on are left out").And.Contain("--from 2500"));
        Assert.That(page.Split("<svg").Length - 1, Is.EqualTo((250 + RunPage.MostRows - 1) / RunPage.MostRows));
        Assert.That(page.Split("more messages of this part").Length - 1, Is.Positive);
        Assert.That(page.Length, Is.LessThan(6_000_000));
        Assert.That(rest.Code, Is.EqualTo(ExitCode.Fine), rest.Errors);
        Assert.That(second, Does.Contain(">5000<").And.Contain(">6000<").And.Not.Contain("left out"));
    }

    // A record may be anybody's, and a name anything.
    [Test]
    public async Task Names_that_are_markup_control_characters_or_very_long_are_drawn_and_do_no_harm()
    {
        string html = Path.Combine(_folder, "run.html");
        RecordedRun run = RecordedRun.Of(members: 12, grants: 3, messages: 1);
        string[] names =
        [
            "</svg><script>alert(1)</script>", "\u0001\u001b[31m\u202Eder\uFFFE", new string('x', 200) + " the end",
            string.Concat(Enumerable.Repeat("\U0001F600", 60)), "\"]]>&amp;",
        ];

        for (int i = 0; i < names.Length; i++)
        {
            run.Members[i] = (names[i], run.Members[i].Grants);
        }

        var (code, _, errors) = await RunAsync("log", Write(run), "--html", html);
        string text = File.ReadAllText(html);
        XDocument page = XDocument.Parse(text["<!DOCTYPE html>\n".Length..]);

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(text, Does.Not.Contain("<script").And.Not.Contain("\u202E").And.Not.Contain("\u001b"));
        Assert.That(Tips(page), Does.Contain(names[0]).And.Contain(names[2]).And.Contain(names[4]));
        Assert.That(Texts(page), Has.Some.StartsWith("xxx").And.EndsWith("the end"));
        Assert.That(Elements(page, "script"), Is.Empty);
    }

    [Test]
    public async Task A_grant_that_waited_is_a_ring_with_a_bar_at_whom_it_waited_for()
    {
        string path = Path.Combine(_folder, "run.rec");
        string html = Path.Combine(_folder, "run.html");

        using (RunRecordWriter writer = RunRecordWriter.Create(path, new RunRecordHead()))
        {
            writer.AddMember(0, "a");
            writer.AddMember(1, "b");
            writer.AddGrant(new RecordedGrant(0, 0, 0, 1));
            writer.AddGrant(new RecordedGrant(1, 0, 0, 1) { WaitedBecause = WaitKind.Running, WaitedFor = 0 });
        }

        var (code, _, errors) = await RunAsync("log", path, "--html", html);
        XDocument page = XDocument.Parse(File.ReadAllText(html)["<!DOCTYPE html>\n".Length..]);

        Assert.That(code, Is.EqualTo(ExitCode.Fine), errors);
        Assert.That(Elements(page, "circle").Count(mark => $"{mark.Attribute("class")?.Value}".StartsWith("ring")), Is.EqualTo(1));
        XElement wait = Elements(page, "line").Single(line => line.Attribute("class")?.Value == "reference");
        XElement bar = Elements(page, "line").Single(line => line.Attribute("class")?.Value == "range");
        Assert.That(bar.Attribute("x1")!.Value, Is.EqualTo(wait.Attribute("x1")!.Value));
    }

    [Test]
    public async Task What_is_neither_file_nor_server_and_wrong_options_are_usage_errors()
    {
        string file = Write(RecordedRun.Of(members: 2, grants: 2, messages: 1));
        string text = Path.Combine(_folder, "text");
        File.WriteAllText(text, "no record");

        var neither = await RunAsync("log", "nothing");
        var picture = await RunAsync("log", "localhost:9", "--html", "x.html");
        var follow = await RunAsync("log", file, "--follow");
        var from = await RunAsync("log", file, "--from", "soon");
        var other = await RunAsync("log", text);
        var folder = await RunAsync("log", file, "--html", _folder);

        Assert.That(
            new[] { neither, picture, follow, from, other, folder }.Select(call => call.Code),
            Is.All.EqualTo(ExitCode.Usage));
        Assert.That(neither.Errors, Does.Contain("no file 'nothing'"));
        Assert.That(from.Errors, Does.Contain("'soon' is not a number"));
    }

    [Test]
    public async Task A_servers_log_is_read_and_its_record_is_a_picture()
    {
        string file = Path.Combine(_folder, "run.rec");
        string html = Path.Combine(_folder, "run.html");
        using Daemon daemon = new(ToolConfig.Lockstep.Core);
        daemon.Start();
        SequencingConfig config = new()
        {
            Roster =
            [
                new("a") { Publish = ["x"], Lookahead = Delay.Ticks(1) },
                new("b") { Subscribe = ["x"] },
            ],
        };
        using SequenceServer server = new(
            daemon, PeerAddress.From(IPAddress.Loopback, 0), config, ToolConfig.Lockstep, new RunRecording { Path = file });
        string target = $"127.0.0.1:{server.LocalAddress.Port}";
        await PlayAsync(server, config, 20);

        var all = await RunAsync("log", target, "--follow");
        var some = await RunAsync("log", target, "--from", "5", "--to", "8", "--json");
        var byTag = await RunAsync("log", target, "--from", "19,0", "--channel", "x");
        server.Dispose();
        var picture = await RunAsync("log", file, "--html", html);

        Assert.That(all.Code, Is.EqualTo(ExitCode.Fine), all.Errors);
        Assert.That(all.Output, Does.StartWith("1 1 x from a #1, 4 bytes\n2 2 x from a #2").And.Contain("end of the run"));
        Assert.That(some.Output.Split('\n').Count(line => line.Contains("\"number\"")), Is.EqualTo(4), some.Output);
        Assert.That(byTag.Output, Does.StartWith("19 19 x from a #19"));
        Assert.That(picture.Code, Is.EqualTo(ExitCode.Fine), picture.Errors);
        Assert.That(File.ReadAllText(html), Does.Contain("waited"));
        Assert.That(server.RecordFailure, Is.Null);
    }

    private static async Task PlayAsync(SequenceServer server, SequencingConfig config, int steps)
    {
        using Daemon daemon = new(ToolConfig.Lockstep.Core);
        daemon.Start();
        using MessageEndpoint first = new(daemon, PeerAddress.From(IPAddress.Loopback, 0), ToolConfig.Lockstep);
        using MessageEndpoint second = new(daemon, PeerAddress.From(IPAddress.Loopback, 0), ToolConfig.Lockstep);
        Task<SequenceClient> joining = SequenceClient.JoinAsync(
            first, server.LocalAddress, MemberOptions.From(config, "a"));
        using SequenceClient b = await SequenceClient.JoinAsync(
            second, server.LocalAddress, MemberOptions.From(config, "b"));
        using SequenceClient a = await joining;

        for (int step = 1; step <= steps; step++)
        {
            b.RequestTo(step);
            a.Publish("x", BitConverter.GetBytes(step));
            a.AdvanceTo(step, Patience);
            b.WaitForGrant(Patience);
        }

        a.Resign(Patience);
        b.Resign(Patience);
        Assert.That(server.WaitForEnd(Patience), Is.True);
    }

    private static List<XElement> Elements(XDocument page, string name)
        => [.. page.Descendants().Where(element => element.Name.LocalName == name)];

    private static List<string> Texts(XDocument page) =>
        [.. Elements(page, "text").Select(text => string.Concat(text.Nodes().OfType<XText>().Select(own => own.Value)))];

    private static List<string> Tips(XDocument page) => [.. Elements(page, "title").Select(title => title.Value)];

    private string Write(RecordedRun run)
    {
        string path = Path.Combine(_folder, "run.rec");
        using FileStream file = File.Create(path);
        run.Write().CopyTo(file);
        return path;
    }
}
