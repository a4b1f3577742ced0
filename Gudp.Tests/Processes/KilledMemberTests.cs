using System.Globalization;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Tests.Tools;
using Gudp.Tools;
using NUnit.Framework;

namespace Gudp.Tests.Processes;

// Goal: a member whose process is killed, at whatever point, and that goes on from what it saved, gives everything once
// and is given everything once: the run is the one in which nobody was ever killed.
// Method: one run over real sockets; twenty processes after each other are its member "b", each but the last killed with
// SIGKILL: at each point of a step by itself, where no other process could hit, and somewhere by this process. What each
// member says is numbered, so a hole or a repetition ends the test at once. The undisturbed run is that of a
// SequenceHost: one process, virtual time, the same code.

/// <summary>kill -9 of a member of a run, twenty times (lock-time 8.4, policy Stall).</summary>
[TestFixture]
[Category("Release")]
[NonParallelizable]
public sealed class KilledMemberTests
{
    private const int Kills = 20;
    private const int FirstKill = 5;
    private const int GrantsBetween = 9;

    // 128 and the number of SIGKILL, as the system tells the end of a process by a signal.
    private const int Killed = 128 + 9;

    private string _directory = string.Empty;

    private string SavePath => Path.Combine(_directory, "saved");

    [SetUp]
    public void MakeDirectory() => _directory = Directory.CreateTempSubdirectory("gudp-test-").FullName;

    [TearDown]
    public void RemoveDirectory() => Directory.Delete(_directory, recursive: true);

    [Test]
    [Platform("Linux,MacOsX", Reason = "Elsewhere a killed process does not say that it was killed.")]
    public async Task A_member_that_is_killed_twenty_times_gives_and_is_given_everything_once()
    {
        (string[] undisturbed, ulong runDigest) = PlayInOneProcess();
        using Daemon daemon = new(VictimMember.Messaging.Core);
        daemon.Start();
        using SequenceServer server = new(
            daemon, PeerAddress.LoopbackIPv4(0), CountingMember.Config, VictimMember.Messaging);
        Task<string> a = Task.Run(() => Play(daemon, server, "a"));
        Task<string> c = Task.Run(() => Play(daemon, server, "c"));

        for (int kill = 0; kill < Kills; kill++)
        {
            await LiveUntilKilledAsync(server, kill, a, c);
        }

        RunStatus before = server.ReadStatus();
        using ToolProcess last = Start(server, KillPoint.Never, 0);
        var (code, output, errors) = await last.EndAsync();

        Assert.That(code, Is.EqualTo(ExitCode.Fine), string.Join('\n', errors));
        Assert.That(before.IsInfluenced, Is.False);
        Assert.That(server.Refusals, Is.Zero);
        Assert.That(server.RunDigest, Is.EqualTo(runDigest));
        Assert.That(new[] { await a, output.TrimEnd('\n'), await c }, Is.EqualTo(undisturbed));
    }

    /// <summary>The run as it is if nobody is killed.</summary>
    /// <returns>What each member says at its end, and the digest of all.</returns>
    private static (string[] Ends, ulong RunDigest) PlayInOneProcess()
    {
        SequenceHost host = new(CountingMember.Config);
        string[] names = [.. CountingMember.Config.Roster.Select(member => member.Name)];
        Dictionary<string, CountingMember> members = names.ToDictionary(name => name, _ => new CountingMember());
        SequenceClient[] clients = [.. names.Select(name => host.Add(name, client => PlayAsync(client, members[name])))];

        Assert.That(host.Run(), Is.True);
        Assert.That(
            members[CountingMember.Victim].Grants, Is.GreaterThan(FirstKill + (Kills * GrantsBetween)), "Steps for all kills.");
        return (
            [.. clients.Select(client => EndOf(client, members[client.Name], host.RunDigest))], host.RunDigest);
    }

    private static async Task PlayAsync(SequenceClient client, CountingMember member)
    {
        while (client.Now < CountingMember.End)
        {
            member.Say(client);
            member.Ask(client);
            member.Take(await client.WaitForGrantAsync());
        }

        await client.ResignAsync();
    }

    private static string Play(Daemon daemon, SequenceServer server, string name)
    {
        using MessageEndpoint endpoint = new(daemon, PeerAddress.LoopbackIPv4(0), VictimMember.Messaging);
        using SequenceClient client = SequenceClient.Join(
            endpoint, server.LocalAddress, MemberOptions.From(CountingMember.Config, name), VictimMember.Patience);
        CountingMember member = new();

        while (client.Now < CountingMember.End)
        {
            member.Say(client);
            member.Ask(client);
            member.Take(client.WaitForGrant(VictimMember.Patience));
        }

        client.Resign(TimeSpan.Zero);
        return EndOf(client, member, client.WaitForEnd(VictimMember.Patience));
    }

    private static string EndOf(SequenceClient client, CountingMember member, ulong? runDigest)
        => $"{runDigest:x16} {client.Digest:x16} {member.Hash:x16} {member.Said}";

    /// <summary>One life of the member.</summary>
    private async Task LiveUntilKilledAsync(SequenceServer server, int kill, params Task<string>[] others)
    {
        KillPoint[] points = [.. Enum.GetValues<KillPoint>().Except([KillPoint.Never, KillPoint.Resigned])];
        KillPoint point = kill == Kills - 1 ? KillPoint.Resigned : points[kill % points.Length];
        using ToolProcess life = Start(server, point, FirstKill + (kill * GrantsBetween));

        if (point == KillPoint.FromOutside)
        {
            Assert.That(await life.NextLineAsync(), Does.StartWith("at "), "It lives until it is killed.");
            life.Kill();
        }

        var (code, output, errors) = await life.EndAsync();
        TestContext.Out.WriteLine($"{point}: {output}");
        Assert.That((int)code, Is.EqualTo(Killed), $"{point}: {string.Join('\n', errors)}");
        Assert.That(others.Where(other => other.IsFaulted).Select(other => other.Exception), Is.Empty, $"{point}");
    }

    private ToolProcess Start(SequenceServer server, KillPoint point, long at) => ToolProcess.StartOf(
        typeof(ChildProgram),
        ChildProgram.Member,
        server.LocalAddress.Port.ToString(CultureInfo.InvariantCulture),
        SavePath,
        $"{point}",
        at.ToString(CultureInfo.InvariantCulture));
}
