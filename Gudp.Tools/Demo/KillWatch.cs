// What the server says of a run after one of its members was killed, asked as any operator asks: 'gudp status' and 'who'.

using Gudp.Sequencing;
using Gudp.Tools.Arguments;
using Gudp.Tools.Network;
using Gudp.Tools.Output;

namespace Gudp.Tools.Demo;

/// <summary>Looks at a run from the kill of a member until the server has noticed it.</summary>
/// <param name="server">The server itself: the bad network is between it and the members only.</param>
/// <param name="member">Whose process was killed.</param>
internal sealed class KillWatch(HostPort server, string member)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    // Long against a step of the run.
    private static readonly TimeSpan Standstill = TimeSpan.FromMilliseconds(500);

    /// <summary>Waits until the server knows, and checks that it does what the member's policy says.</summary>
    /// <param name="isWaitedFor">Whether its policy is Stall; else it is Resign.</param>
    /// <param name="cancelled">Gives up.</param>
    /// <returns>What happened, for people.</returns>
    /// <exception cref="CommandFailure">Something else happened than the policy says.</exception>
    internal async Task<IReadOnlyList<string>> WatchAsync(bool isWaitedFor, CancellationToken cancelled)
    {
        long start = TimeProvider.System.GetTimestamp();
        using DialedPeer dialed = await DialedPeer
            .ConnectAsync(server, ToolConfig.Lockstep, cancelled)
            .ConfigureAwait(false);
        using SequenceOperator run = SequenceOperator.Over(dialed.Peer, "demo");
        (RunStatus status, MemberStatus lost) = await UntilLostAsync(run, cancelled).ConfigureAwait(false);
        string after = Units.Span(TimeProvider.System.GetElapsedTime(start));

        if (!isWaitedFor)
        {
            return lost.Activity == MemberActivity.Resigned
                ? [$"{after} later the server took {member} out, at step {lost.Now.Time}: its policy is Resign"]
                : throw Wrong($"is {lost.Activity} and not taken out");
        }

        if (lost.Activity != MemberActivity.Lost || status.IsInfluenced)
        {
            throw Wrong($"is {lost.Activity} and not waited for");
        }

        return
        [
            $"{after} later the server missed {member}, at step {lost.Now.Time}: its policy is Stall",
            await CheckStandstillAsync(run, cancelled).ConfigureAwait(false),
        ];
    }

    private async Task<(RunStatus Run, MemberStatus Member)> UntilLostAsync(
        SequenceOperator run, CancellationToken cancelled)
    {
        while (true)
        {
            RunStatus status = await run.StatusAsync(cancelled).ConfigureAwait(false);
            MemberStatus found = status.Members.Single(one => one.Name == member);

            if (found.Activity is MemberActivity.Lost or MemberActivity.Resigned)
            {
                return (status, found);
            }

            await Task.Delay(Look, cancelled).ConfigureAwait(false);
        }
    }

    /// <summary>Nobody is granted anything, and everybody knows because of whom.</summary>
    private async Task<string> CheckStandstillAsync(SequenceOperator run, CancellationToken cancelled)
    {
        RunStatus before = await run.StatusAsync(cancelled).ConfigureAwait(false);
        await Task.Delay(Standstill, cancelled).ConfigureAwait(false);
        RunStatus status = await run.StatusAsync(cancelled).ConfigureAwait(false);
        IReadOnlyList<WaitReport> waits = await run.WhoBlocksAsync(null, cancelled).ConfigureAwait(false);
        int waitsForIt = waits.Count(wait => wait.Root is { Kind: WaitKind.Lost } root && root.Member == member);

        if (status.Grants != before.Grants)
        {
            throw Wrong($"was lost, and {status.Grants - before.Grants} grants were given meanwhile");
        }

        if (waitsForIt != status.Members.Count - 1)
        {
            throw Wrong($"was lost, and not everybody waits for it: {string.Join("; ", waits)}");
        }

        return $"the run stands: {string.Join(", ", waits.Select(wait => wait.Member))} wait, and {member} is the root";
    }

    private CommandFailure Wrong(string what)
        => new(ExitCode.CheckFailed, $"Member {member} was killed; the server says that it {what}.");
}
