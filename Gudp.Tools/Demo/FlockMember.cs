using Gudp.Tools.Arguments;

namespace Gudp.Tools.Demo;

/// <summary>One member of a flock.</summary>
internal sealed record FlockMember
{
    internal required int Member { get; init; }

    internal required int Members { get; init; }

    internal required int Agents { get; init; }

    internal required int Steps { get; init; }

    internal required ulong Seed { get; init; }

    /// <summary>How long it sleeps in the middle of the run; zero if not at all.</summary>
    internal required TimeSpan Pause { get; init; }

    internal async Task<ExitCode> RunAsync(HostPort server, TextWriter output, CancellationToken cancelled)
    {
        _ = (server, output, Member);
        await Task.Delay(1, cancelled).ConfigureAwait(false);
        return ExitCode.Fine;
    }
}
