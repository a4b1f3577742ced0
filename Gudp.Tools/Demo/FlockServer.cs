using System.Globalization;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Tools.Network;

namespace Gudp.Tools.Demo;

/// <summary>The sequence server of a flock, as a process that reports to its parent.</summary>
internal static class FlockServer
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    /// <param name="members">Size of the roster.</param>
    /// <param name="expendable">As for <see cref="FlockRun.Config"/>.</param>
    /// <param name="record">Where the run is recorded; null: nowhere.</param>
    /// <param name="output">To the parent.</param>
    /// <param name="cancelled">Ends it before the run has ended.</param>
    internal static async Task<ExitCode> RunAsync(
        int members, int? expendable, string? record, TextWriter output, CancellationToken cancelled)
    {
        using CancellationTokenSource alone = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        ChildProcess.CancelWithParent(alone);
        MessagingConfig messaging = FlockRun.Messaging(expendable);
        RunRecording? recording = record is null ? null : new RunRecording { Path = record };
        using Daemon daemon = new(messaging.Core);
        daemon.Start();
        string runDigest;

        // The record is whole once the server is closed, and the parent reads it once it has the digest.
        using (SequenceServer server = ToolConfig.OnPort(
            0,
            local => new SequenceServer(
                daemon, local, FlockRun.Config(members, expendable), messaging, recording)))
        {
            new ChildLine { Port = server.LocalAddress.Port }.Write(output);
            await UntilEndAsync(server, alone.Token).ConfigureAwait(false);
            runDigest = TextOf(server.RunDigest);

            if (server.RecordFailure is { } failure)
            {
                throw new CommandFailure(ExitCode.CheckFailed, $"The record ends early: {failure.Message}");
            }
        }

        new ChildLine { RunDigest = runDigest }.Write(output);
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
