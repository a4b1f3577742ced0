using System.Globalization;
using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Tools.Network;

namespace Gudp.Tools.Demo;

/// <summary>The sequence server of a flock, as a process that reports to its parent.</summary>
internal static class FlockServer
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    internal static async Task<ExitCode> RunAsync(int members, TextWriter output, CancellationToken cancelled)
    {
        using CancellationTokenSource alone = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        ChildProcess.CancelWithParent(alone);

        using Daemon daemon = new(ToolConfig.Lockstep.Core);
        daemon.Start();
        using SequenceServer server = ToolConfig.OnPort(
            0, local => new SequenceServer(daemon, local, FlockRun.Config(members), ToolConfig.Lockstep));

        new ChildLine { Port = server.LocalAddress.Port }.Write(output);
        await UntilEndAsync(server, alone.Token).ConfigureAwait(false);
        new ChildLine { RunDigest = TextOf(server.RunDigest) }.Write(output);
        return ExitCode.Fine;
    }

    /// <summary>Until everybody has left the run.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before.</exception>
    internal static Task UntilEndAsync(SequenceServer server, CancellationToken cancelled) => Task.Run(
        () =>
        {
            while (!server.WaitForEnd(Step))
            {
                cancelled.ThrowIfCancellationRequested();
            }
        },
        CancellationToken.None);

    /// <summary>Digests and checksums as people compare them: 16 hexadecimal digits.</summary>
    internal static string TextOf(ulong digest) => digest.ToString("x16", CultureInfo.InvariantCulture);
}
