// One run over UDP: the server in this process, the members in others, several in each if there are more than eight.
//
// Always true: every process started here is ended before the run returns, however it returns.

using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Tools.Demo;
using Gudp.Tools.Network;

namespace Gudp.Bench.Grants;

/// <summary>Measures grants over the loopback from the server's side.</summary>
internal sealed class UdpRun : IDisposable
{
    /// <summary>More members share processes.</summary>
    internal const int MostProcesses = 8;

    private const int WarmUpGrants = 2_000;

    // For so many times the measured span: a dozen processes on few cores compile for seconds, and that was most of what
    // a shorter warm-up measured.
    private const int WarmUpSpans = 5;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly Daemon _daemon = new(ToolConfig.Lockstep.Core);
    private readonly SequenceServer _server;
    private readonly List<ChildProcess> _children = [];

    internal UdpRun(GrantWork work, int members)
    {
        _daemon.Start();
        SequencingConfig config = MemberWorks.Config(work, members);
        _server = new SequenceServer(_daemon, PeerAddress.LoopbackIPv4(0), config, ToolConfig.Lockstep);

        for (int process = 0; process < ProcessesOf(members); process++)
        {
            _children.Add(ChildProcess.Start(
                $"process {process}", MemberCommand.Arguments(work, members, process, _server.LocalAddress.Port),
                Assembly.GetEntryAssembly()));
        }
    }

    /// <summary>Over so many processes are the members spread; the server has one of its own.</summary>
    internal static int ProcessesOf(int members) => Math.Min(members, MostProcesses);

    /// <summary>Waits until the run is warm, and measures it for a while.</summary>
    internal GrantSample Measure(TimeSpan span)
    {
        long start = Stopwatch.GetTimestamp();

        while (_server.ReadStatus().Grants < WarmUpGrants || Stopwatch.GetElapsedTime(start) < span * WarmUpSpans)
        {
            Check(Stopwatch.GetElapsedTime(start) < Patience, "The run is not warm in time.");
            Check(!_children.Exists(child => child.Lines.Completion.IsCompleted), "A process of members has ended.");
            Thread.Sleep(Look);
        }

        Moment before = Now();
        Thread.Sleep(span);
        Moment after = Now();
        Check(_server.Refusals == 0, "The server refused a member.");
        double grants = after.Grants - before.Grants;
        double seconds = Stopwatch.GetElapsedTime(before.Timestamp, after.Timestamp).TotalSeconds;

        return new GrantSample
        {
            GrantsPerSecond = grants / seconds,
            ProcessorMicroseconds = (after.Worked - before.Worked).TotalMicroseconds / grants,
            EventsPerSecond = (after.Published - before.Published) / seconds,
            MessagesUp = (after.Up - before.Up) / grants,
            MessagesDown = (after.Down - before.Down) / grants,
            AllocatedBytes = -1,
        };
    }

    public void Dispose()
    {
        _children.ForEach(child => child.Dispose());
        _server.Dispose();
        _daemon.Shutdown(TimeSpan.Zero);
        _daemon.Dispose();
    }

    private Moment Now()
    {
        RunStatus status = _server.ReadStatus();
        MessageCounters traffic = _server.ReadTraffic().Messages;
        TimeSpan worked = _children.Aggregate(Environment.CpuUsage.TotalTime, (sum, child) => sum + child.ProcessorTime);
        return new Moment(Stopwatch.GetTimestamp(), worked, status.Grants, status.Published)
        {
            Up = traffic.MessagesReceived,
            Down = traffic.MessagesSent,
        };
    }

    private void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"{what} {_server.ReadStatus()}");
        }
    }

    private readonly record struct Moment(long Timestamp, TimeSpan Worked, long Grants, long Published)
    {
        internal long Up { get; init; }

        internal long Down { get; init; }
    }
}

/// <summary>A process of a measured run: one or more members, each on a thread that blocks.</summary>
internal static class MemberCommand
{
    /// <summary>The first argument after that of the measurement.</summary>
    internal const string Name = "member";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    internal static IEnumerable<string> Arguments(GrantWork work, int members, int process, int port) =>
    [
        "grants", Name, work.ToString(),
        .. new[] { members, process, port }.Select(number => number.ToString(CultureInfo.InvariantCulture)),
    ];

    /// <summary>Runs until the parent is gone.</summary>
    internal static int Run(string[] arguments)
    {
        GrantWork work = Enum.Parse<GrantWork>(arguments[0]);
        int[] numbers = [.. arguments[1..].Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
        (int members, int process, int port) = (numbers[0], numbers[1], numbers[2]);
        using CancellationTokenSource alone = new();
        ChildProcess.CancelWithParent(alone);
        List<MessageEndpoint> endpoints = [];
        List<Daemon> daemons = [];

        for (int member = process; member < members; member += UdpRun.ProcessesOf(members))
        {
            // As if each had a process of its own: one thread that waits at a daemon waits in the system itself.
            Daemon daemon = new(ToolConfig.Lockstep.Core);
            daemon.Start();
            daemons.Add(daemon);
            MessageEndpoint endpoint = new(daemon, PeerAddress.LoopbackIPv4(0), ToolConfig.Lockstep);
            endpoints.Add(endpoint);
            SequencingConfig config = MemberWorks.Config(work, members);
            SequenceClient client = SequenceClient.Begin(
                endpoint, PeerAddress.LoopbackIPv4(port), MemberOptions.From(config, MemberWorks.NameOf(member)));
            IMemberWork act = MemberWorks.Of(work, member, members);
            new Thread(() => Play(client, act)) { IsBackground = true }.Start();
        }

        alone.Token.WaitHandle.WaitOne();
        endpoints.ForEach(endpoint => endpoint.Dispose());
        daemons.ForEach(daemon => daemon.Dispose());
        return 0;
    }

    private static void Play(SequenceClient client, IMemberWork work)
    {
        ClientSpeaker speaker = new(client);

        while (true)
        {
            work.Act(speaker, client.ReadGrant(Patience));
        }
    }
}
