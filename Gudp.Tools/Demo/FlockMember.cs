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

    /// <summary>As for <see cref="FlockRun.Config"/>.</summary>
    internal required int? Expendable { get; init; }

    internal required FlockWishes Wishes { get; init; }

    internal async Task<ExitCode> RunAsync(HostPort server, TextWriter output, CancellationToken cancelled)
    {
        using CancellationTokenSource alone = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        ChildProcess.CancelWithParent(alone);
        IReadOnlyList<PeerAddress> addresses = await server.ResolveAsync(alone.Token).ConfigureAwait(false);

        MessagingConfig messaging = FlockRun.Messaging(Expendable);
        using Daemon daemon = new(messaging.Core);
        daemon.Start();
        using MessageEndpoint endpoint = ToolConfig.OnPort(0, local => new MessageEndpoint(daemon, local, messaging));

        (SequenceClient client, FlockPilot pilot) = await BeginAsync(endpoint, addresses[0], alone.Token)
            .ConfigureAwait(false);

        using (client)
        {
            MemberReport report = await SimulateAsync(client, pilot, output, alone.Token).ConfigureAwait(false);

            // Whether its ack comes does not matter: the last one may be lost with the server, which ends after it. The
            // digest of the run says that everybody's resignation has arrived.
            client.Resign(EndPatience);

            if (client.WaitForEnd(EndPatience) is not { } runDigest)
            {
                throw new CommandFailure(ExitCode.TimedOut, "The server did not end the run in time.");
            }

            new ChildLine { Member = report with { RunDigest = FlockServer.TextOf(runDigest) } }.Write(output);
        }

        return ExitCode.Fine;
    }

    private async Task<(SequenceClient Client, FlockPilot Pilot)> BeginAsync(
        MessageEndpoint endpoint, PeerAddress server, CancellationToken cancelled)
    {
        if (Wishes is { Resumes: true, SavePath: { } path })
        {
            FlockSave save = FlockSave.Read(path);
            FlockPilot pilot = FlockPilot.Restore(save, Agents, Member, Members);
            return (
                await SequenceClient.ResumeAsync(endpoint, server, save.ReadTicket(), cancelled).ConfigureAwait(false),
                pilot);
        }

        MemberOptions options = MemberOptions.From(
            FlockRun.Config(Members, Expendable), FlockRun.NameOf(Member));
        return (
            await SequenceClient.JoinAsync(endpoint, server, options, cancelled).ConfigureAwait(false),
            new FlockPilot(new FlockModel(Agents, Seed), Member, Members));
    }

    private async Task<MemberReport> SimulateAsync(
        SequenceClient client, FlockPilot pilot, TextWriter output, CancellationToken cancelled)
    {
        Dictionary<string, TimeSpan> waitedFor = [];
        TimeSpan waited = TimeSpan.Zero;
        long lastReport = Stopwatch.GetTimestamp();

        while (pilot.StepNumber < Steps)
        {
            await AtSequencePointAsync(client, pilot, cancelled).ConfigureAwait(false);
            client.Publish(FlockRun.ChannelOf(Member), pilot.Move(), client.Now + FlockRun.Lookahead);

            if (Wishes.Pause > TimeSpan.Zero && pilot.StepNumber == Math.Max(1, Steps / 2))
            {
                // As long as nobody is granted past this member's promise, the others wait, whatever the clocks say.
                await Task.Delay(Wishes.Pause, cancelled).ConfigureAwait(false);
            }

            long asked = Stopwatch.GetTimestamp();
            Grant grant = await client.AdvanceToAsync(pilot.StepNumber, cancelled).ConfigureAwait(false);
            waited += Stopwatch.GetElapsedTime(asked);

            if (grant.WaitedFor is { } blocker)
            {
                waitedFor[blocker] = waitedFor.GetValueOrDefault(blocker) + grant.Waited;
            }

            pilot.Take(grant.Messages);

            if (Wishes.IsDoomed || Stopwatch.GetElapsedTime(lastReport) >= ReportInterval)
            {
                lastReport = Stopwatch.GetTimestamp();
                new ChildLine { Step = pilot.StepNumber }.Write(output);
            }
        }

        return Report(client, pilot) with { Waited = waited, WaitedFor = waitedFor };
    }

    private async Task AtSequencePointAsync(SequenceClient client, FlockPilot pilot, CancellationToken cancelled)
    {
        // Before anything is said: what follows is done again by whoever goes on from here.
        if (Wishes.SavePath is { } path)
        {
            pilot.Save(client.CreateTicket()).Write(path);
        }

        if (Wishes.IsDoomed && pilot.StepNumber == Steps - 1)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancelled).ConfigureAwait(false);
        }
    }

    private MemberReport Report(SequenceClient client, FlockPilot pilot)
    {
        ConnectionCounters counters = client.Peer.Connection.ReadCounters();

        return new MemberReport
        {
            Member = Member,
            Steps = pilot.StepNumber,
            Grants = pilot.StepNumber + 1,
            Messages = pilot.Messages,
            Waited = TimeSpan.Zero,
            WaitedFor = new Dictionary<string, TimeSpan>(),
            Rtt = counters.SmoothedRtt,
            PacketsSent = counters.PacketsAcked + counters.PacketsLost,
            PacketsLost = counters.PacketsLost,
            Retransmits = counters.Retransmits,
            Digest = FlockServer.TextOf(client.Digest),
            Departures = pilot.Departures,
            Checksum = FlockServer.TextOf(pilot.Checksum()),
            RunDigest = string.Empty,
        };
    }
}
