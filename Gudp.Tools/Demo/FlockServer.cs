namespace Gudp.Tools.Demo;

/// <summary>The sequence server of a flock.</summary>
internal static class FlockServer
{
    internal static async Task<ExitCode> RunAsync(int members, TextWriter output, CancellationToken cancelled)
    {
        _ = (members, output);
        await Task.Delay(1, cancelled).ConfigureAwait(false);
        return ExitCode.Fine;
    }
}
