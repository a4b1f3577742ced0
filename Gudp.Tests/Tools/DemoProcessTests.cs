using Gudp.Tools;
using NUnit.Framework;

namespace Gudp.Tests.Tools;

/// <summary>The demo as its users run it: processes, real sockets, a bad network.</summary>
[TestFixture]
[Category("Release")]
public sealed class DemoProcessTests
{
    [TestCase("1", "0%", "0")]
    [TestCase("2", "5%", "2ms")]
    [TestCase("3", "20%", "2ms")]
    public async Task Every_member_sees_the_same_history_in_both_runs(string seed, string loss, string delay)
    {
        var (code, output, errors) = await ToolProcess.RunAsync(
            "demo", "--members", "3", "--agents", "30", "--steps", "20",
            "--loss", loss, "--delay", delay, "--seed", seed);

        Assert.That(code, Is.EqualTo(ExitCode.Fine), string.Join('\n', errors));
        Assert.That(output, Does.Contain("deterministic: yes"));
        Assert.That(output, Does.Contain("m02"));
        Assert.That(errors, Is.Empty);
    }

    [Test]
    public async Task A_demo_of_one_member_is_a_demo()
    {
        var (code, output, _) = await ToolProcess.RunAsync(
            "demo", "--members", "1", "--agents", "3", "--steps", "5", "--loss", "0%", "--delay", "0");

        Assert.That(code, Is.EqualTo(ExitCode.Fine));
        Assert.That(output, Does.Contain("deterministic: yes"));
    }

    // Lock-time 8.4: policies Stall and Resign, with real processes and real kills.
    [Test]
    public async Task A_killed_member_comes_back_and_another_one_is_gone_and_both_runs_are_as_specified()
    {
        var (code, output, errors) = await ToolProcess.RunAsync(
            "demo", "--kill", "--members", "3", "--agents", "30", "--steps", "20",
            "--loss", "5%", "--delay", "2ms", "--seed", "3");

        Assert.That(code, Is.EqualTo(ExitCode.Fine), output + string.Join('\n', errors));
        Assert.That(output, Does.Match("another process goes on for m0[0-2] from what it saved at step "));
        Assert.That(output, Does.Match("came back: m0[0-2] gave and was given every message once"));
        Assert.That(output, Does.Match("stayed away: all others were told at step [0-9]+ that m0[0-2] left"));
        Assert.That(output, Does.Contain("deterministic: yes"));
        Assert.That(errors, Is.Empty);
    }

    [Test]
    public async Task A_report_has_the_digests_that_were_printed_and_every_step_with_and_without_kills([Values] bool kills)
    {
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"report-{kills}.html");
        string[] arguments =
        [
            "demo", "--members", "3", "--agents", "30", "--steps", "20", "--delay", "2ms", "--report", path,
            .. kills ? new[] { "--kill" } : [],
        ];

        var (code, output, errors) = await ToolProcess.RunAsync(arguments);

        Assert.That(code, Is.EqualTo(ExitCode.Fine), output + string.Join('\n', errors));
        string page = File.ReadAllText(path);
        string[] digests = [.. output.Split('\n').Where(line => line.Contains("run digest ")).Select(line => line[^16..])];
        Assert.That(digests, Has.Length.EqualTo(kills ? 3 : 2));
        Assert.That(digests.Where(digest => !page.Contains(digest)), Is.Empty);
        Assert.That(page.Split("<title>step 20: ").Length - 1, Is.EqualTo(digests.Length));
        Assert.That(page, Does.Contain("Deterministic: yes").And.Not.Contain("✗"));
        Assert.That(page.Contains("stays away; m0", StringComparison.Ordinal), Is.EqualTo(kills));
        File.Delete(path);
    }

    [TestCase("--members", "2")]
    [TestCase("--steps", "3")]
    public async Task A_demo_too_small_to_kill_somebody_says_so(string option, string value)
    {
        var call = await CommandCall.RunAsync("demo", "--kill", option, value);

        Assert.That(call.Code, Is.EqualTo(ExitCode.Usage));
        Assert.That(call.Errors, Does.Contain("--kill needs 3 members or more and 4 steps or more"));
    }

    [Test]
    public async Task A_demo_that_takes_too_long_ends_with_a_line()
    {
        var (code, _, errors) = await ToolProcess.RunAsync("demo", "--steps", "100000", "--limit", "3s");

        Assert.That(code, Is.EqualTo(ExitCode.TimedOut));
        Assert.That(errors, Has.Length.EqualTo(1));
        Assert.That(errors[0], Does.Contain("--limit"));
    }

    [Test]
    [Platform("Linux", Reason = "Elsewhere there is no plain way to ask for the children of a process.")]
    public async Task Interrupting_a_demo_ends_all_its_processes()
    {
        using ToolProcess demo = ToolProcess.Start("demo", "--members", "2", "--steps", "100000");
        IReadOnlyList<int> children = await demo.ChildrenAsync(atLeast: 3);

        demo.Interrupt();
        var (code, _, _) = await demo.EndAsync();

        Assert.That(code, Is.Not.EqualTo(ExitCode.Fine));
        Assert.That(children.Where(ToolProcess.IsAlive), Is.Empty);
    }

    [Test]
    [Platform("Linux", Reason = "Elsewhere there is no plain way to ask for the children of a process.")]
    public async Task Killing_a_demo_ends_all_its_processes()
    {
        using ToolProcess demo = ToolProcess.Start("demo", "--members", "2", "--steps", "100000");
        IReadOnlyList<int> children = await demo.ChildrenAsync(atLeast: 3);

        demo.Kill();

        await ToolProcess.UntilAsync(() => !children.Any(ToolProcess.IsAlive));
    }
}
