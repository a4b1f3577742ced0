using System.Text.Json;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Tools;
using Gudp.Tools.Arguments;
using Gudp.Tools.Network;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

/// <summary>Looking at a run, holding and ending it from the shell; the server and a member on real sockets.</summary>
[TestFixture]
public sealed class RunCommandTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [TestCase("5", 5, 0u)]
    [TestCase("5,2", 5, 2u)]
    [TestCase("(5,2)", 5, 2u)]
    public void A_tag_is_a_time_or_a_time_and_a_round(string text, long time, uint round)
        => Assert.That(TagText.TryParse(text, out Tag tag) ? tag : null as Tag?, Is.EqualTo(new Tag(time, round)));

    [TestCase("")]
    [TestCase("-1")]
    [TestCase("5,")]
    [TestCase("5,2,1")]
    [TestCase("five")]
    [TestCase("9223372036854775807")]
    public void Anything_else_is_no_tag(string text) => Assert.That(TagText.TryParse(text, out _), Is.False);

    [Test]
    public async Task A_tag_that_is_none_is_a_wrong_command_line()
    {
        var call = await CommandCall.RunAsync("barrier", "localhost:9", "soon");

        Assert.That((call.Code, call.Errors), Is.EqualTo(
            (ExitCode.Usage, "gudp: 'soon' is not a tag, such as 5, or 5,2 for round 2 of time 5, and not 'clear'. Try --help.\n")));
    }

    [Test]
    public async Task A_run_is_looked_at_held_stepped_and_ended_from_the_shell()
    {
        using Scene scene = new(OperatorAccess.Loopback);
        (SequenceClient a, SequenceClient b) = scene.Join();
        b.RequestTo(20);
        b.TryTakeGrant(out _);

        var barrier = await CommandCall.RunAsync("barrier", scene.Target, "7");
        a.RequestTo(10);
        a.TryTakeGrant(out _);
        var step = await CommandCall.RunAsync("step", scene.Target, "--json");
        Grant stepped = a.WaitForGrant(Patience);
        var status = await CommandCall.RunAsync("status", scene.Target, "--json");
        var text = await CommandCall.RunAsync("status", scene.Target);
        var who = await CommandCall.RunAsync("who", scene.Target);
        var whoOne = await CommandCall.RunAsync("who", scene.Target, "--member", "b", "--json");
        var clear = await CommandCall.RunAsync("barrier", scene.Target, "clear");
        var stop = await CommandCall.RunAsync("stop", scene.Target, "--at", "15");
        var late = await CommandCall.RunAsync("stop", scene.Target, "--at", "3");

        Assert.That(barrier.Output, Does.StartWith("running, floor ").And.Contain(", held below 7").And.Contain("To 20"));
        Assert.That((step.Code, stepped.Tag), Is.EqualTo((ExitCode.Fine, (Tag)10)));
        Assert.That(Property(status.Output, "barrier"), Is.EqualTo("(10,1)"));
        Assert.That(who.Output, Does.StartWith("b waits To 20, needs B > 20, has ").And.Contain("  <- a is running at 10 "));
        Assert.That(JsonDocument.Parse(whoOne.Output).RootElement.GetProperty("waits")[0].GetProperty("root").GetString(),
            Is.EqualTo("a"));
        Assert.That(clear.Output, Does.Not.Contain("held"));
        Assert.That(stop.Output, Does.Contain("stops at 15, influenced from outside"));
        Assert.That((late.Code, late.Errors), Is.EqualTo((ExitCode.CheckFailed,
            "gudp: PastTag: The stop 3 was given; members have come to 10, the run can end at (10,1) or later.\n")));
        Assert.That(JsonDocument.Parse(status.Output).RootElement.GetProperty("counters").GetProperty("OperatorRequests").GetInt64(),
            Is.EqualTo(3));
        Assert.That(text.Output, Does.Not.Contain("refused"));
        Assert.That((await CommandCall.RunAsync("status", scene.Target)).Output, Does.Contain("1 refused (PastTag 1)"));
    }

    // Lock-time 8.1: an open run starts on command, with whoever is there.
    [Test]
    public async Task A_run_that_starts_on_command_is_started_from_the_shell_without_whom_it_does_not_wait_for()
    {
        using Scene scene = new(OperatorAccess.Loopback, startsOnCommand: true);
        SequenceClient a = scene.Begin("a");
        a.TryTakeGrant(out _);

        var before = await CommandCall.RunAsync("status", scene.Target);
        bool isEarly = a.TryTakeGrant(out _);
        var start = await CommandCall.RunAsync("start", scene.Target);
        Grant grant = a.WaitForGrant(Patience);

        Assert.That(isEarly, Is.False);
        Assert.That(before.Output, Does.StartWith("gathering"));
        Assert.That((start.Code, grant.Tag), Is.EqualTo((ExitCode.Fine, Tag.Zero)), start.Errors);
        Assert.That(start.Output, Does.StartWith("running"));
    }

    [Test]
    public async Task A_closed_run_is_not_started_from_the_shell_and_says_so()
    {
        using Scene scene = new(OperatorAccess.Loopback);

        var start = await CommandCall.RunAsync("start", scene.Target);

        Assert.That((start.Code, start.Output), Is.EqualTo((ExitCode.CheckFailed, "")));
        Assert.That(start.Errors, Does.Contain("startsOnCommand"));
    }

    [Test]
    public async Task A_run_that_takes_no_operators_refuses_with_a_reason()
    {
        using Scene scene = new(OperatorAccess.None);

        var call = await CommandCall.RunAsync("status", scene.Target);

        Assert.That(call.Code, Is.EqualTo(ExitCode.NotConnected));
        Assert.That(call.Errors, Does.StartWith("gudp: NotAllowed: ").And.Contain("SequencingConfig.Operators"));
    }

    private static string? Property(string json, string name)
        => JsonDocument.Parse(json).RootElement.GetProperty(name).GetString();

    private sealed class Scene : IDisposable
    {
        private readonly SequencingConfig _config;
        private readonly Daemon _daemon = new(ToolConfig.Lockstep.Core);
        private readonly SequenceServer _server;
        private readonly List<IDisposable> _open = [];

        internal Scene(OperatorAccess operators, bool startsOnCommand = false)
        {
            _config = new SequencingConfig
            {
                Roster = [new MemberDeclaration("a") { Publish = ["x"] }, new MemberDeclaration("b") { Subscribe = ["x"] }],
                Operators = operators,
                StartsOnCommand = startsOnCommand,
            };
            _daemon.Start();
            _server = new SequenceServer(_daemon, PeerAddress.LoopbackIPv4(0), _config, ToolConfig.Lockstep);
        }

        internal string Target => $"127.0.0.1:{_server.LocalAddress.Port}";

        internal (SequenceClient A, SequenceClient B) Join()
        {
            SequenceClient a = Begin("a");
            SequenceClient b = Begin("b");
            b.TryTakeGrant(out _);
            a.WaitForGrant(Patience);
            b.WaitForGrant(Patience);
            return (a, b);
        }

        public void Dispose()
        {
            _open.Reverse();
            _open.ForEach(open => open.Dispose());
            _server.Dispose();
            _daemon.Dispose();
        }

        internal SequenceClient Begin(string name)
        {
            MessageEndpoint endpoint = new(_daemon, PeerAddress.LoopbackIPv4(0), ToolConfig.Lockstep);
            SequenceClient client = SequenceClient.Begin(
                endpoint, _server.LocalAddress, MemberOptions.From(_config, name));
            _open.Add(endpoint);
            _open.Add(client);
            return client;
        }
    }
}
