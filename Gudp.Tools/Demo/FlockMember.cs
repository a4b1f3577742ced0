// One member of a flock. At step k it knows all agents at k, moves its own share to k + 1, publishes it one tick
// ahead, and asks to advance to that tick: the grant brings the others' shares, and with them all agents at k + 1.

using System.Diagnostics;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Tools.Arguments;
using Gudp.Tools.Network;

namespace Gudp.Tools.Demo;

/// <summary>One member of a flock, as a process that reports to its parent.</summary>
internal sealed record FlockMember
{
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(200);

    internal required int Member { get; init; }

    internal required int Members { get; init; }

    internal required int Agents { get; init; }

    internal required int Steps { get; init; }

    internal required ulong Seed { get; init; }

    /// <summary>How long it sleeps in the middle of the run; zero if not at all.</summary>
    internal required TimeSpan Pause { get; init; }

    internal async Task<ExitCode> RunAsync(HostPort server, TextWriter output, CancellationToken cancelled)
    {
        using CancellationTokenSource alone = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        ChildProcess.CancelWithParent(alone);
        IReadOnlyList<PeerAddress> addresses = await server.ResolveAsync(alone.Token).ConfigureAwait(false);

        using Daemon daemon = new(ToolConfig.Lockstep.Core);
        daemon.Start();
        using MessageEndpoint endpoint = ToolConfig.OnPort(
            0, local => new MessageEndpoint(daemon, local, ToolConfig.Lockstep));

        MemberOptions options = MemberOptions.From(FlockRun.Config(Members), FlockRun.NameOf(Member));
        using SequenceClient client = await SequenceClient
            .JoinAsync(endpoint, addresses[0], options, alone.Token)
            .ConfigureAwait(false);

        MemberReport report = await SimulateAsync(client, output, alone.Token).ConfigureAwait(false);

        // Whether its ack comes does not matter: the last one may be lost with the server, which ends after it. The
        // digest of the run says that everybody's resignation has arrived.
        client.Resign(EndPatience);

        if (client.WaitForEnd(EndPatience) is not { } runDigest)
        {
            throw new CommandFailure(ExitCode.TimedOut, "The server did not end the run in time.");
        }

        new ChildLine { Member = report with { RunDigest = FlockServer.TextOf(runDigest) } }.Write(output);
        return ExitCode.Fine;
    }

    private async Task<MemberReport> SimulateAsync(
        SequenceClient client, TextWriter output, CancellationToken cancelled)
    {
        FlockModel model = new(Agents, Seed);
        Range share = model.ShareOf(Member, Members);
        byte[] state = new byte[model.ShareBytes(share)];
        Dictionary<string, TimeSpan> waitedFor = [];
        TimeSpan waited = TimeSpan.Zero;
        long messages = 0;
        long lastReport = Stopwatch.GetTimestamp();

        while (model.StepNumber < Steps)
        {
            model.Step(share);
            int bytes = model.WriteShare(share, state);
            client.Publish(FlockRun.ChannelOf(Member), state.AsSpan(0, bytes), client.Now + FlockRun.Lookahead);

            if (Pause > TimeSpan.Zero && model.StepNumber == Math.Max(1, Steps / 2))
            {
                // As long as nobody is granted past this member's promise, the others wait, whatever the clocks say.
                await Task.Delay(Pause, cancelled).ConfigureAwait(false);
            }

            long asked = Stopwatch.GetTimestamp();
            Grant grant = await client.AdvanceToAsync(model.StepNumber, cancelled).ConfigureAwait(false);
            waited += Stopwatch.GetElapsedTime(asked);

            if (grant.WaitedFor is { } blocker)
            {
                waitedFor[blocker] = waitedFor.GetValueOrDefault(blocker) + grant.Waited;
            }

            messages += ReadShares(model, grant);

            if (Stopwatch.GetElapsedTime(lastReport) >= ReportInterval)
            {
                lastReport = Stopwatch.GetTimestamp();
                new ChildLine { Step = model.StepNumber }.Write(output);
            }
        }

        ConnectionCounters counters = client.Peer.Connection.ReadCounters();

        return new MemberReport
        {
            Member = Member,
            Steps = model.StepNumber,
            Grants = model.StepNumber + 1,
            Messages = messages,
            Waited = waited,
            WaitedFor = waitedFor,
            Rtt = counters.SmoothedRtt,
            PacketsSent = counters.PacketsAcked + counters.PacketsLost,
            PacketsLost = counters.PacketsLost,
            Retransmits = counters.Retransmits,
            Digest = FlockServer.TextOf(client.Digest),
            Checksum = FlockServer.TextOf(model.Checksum()),
            RunDigest = string.Empty,
        };
    }

    private static int ReadShares(FlockModel model, Grant grant)
    {
        foreach (SequencedMessage message in grant.Messages)
        {
            model.ReadShare(message.Payload.Span);
        }

        return grant.Messages.Count;
    }
}
