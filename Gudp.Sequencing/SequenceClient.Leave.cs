using System;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Sequencing.Engine;

namespace Gudp.Sequencing;

/// <content>Leaving the run, and waiting for its end (lock-time 8.3).</content>
public sealed partial class SequenceClient
{
    /// <summary>Leaves the run: what was published still counts. Waits until the server has it.</summary>
    /// <param name="timeout">How long to wait for that; zero does not wait.</param>
    /// <returns>
    /// False if the time passed or the connection ended first: call again, or <see cref="WaitForEnd"/>, to go on.
    /// </returns>
    /// <exception cref="SequencingException">
    /// The member was not running, or its session, just being taken up again, is lost.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public bool Resign(TimeSpan timeout)
    {
        ThrowIfDisposed();

        if (_engine.Phase != MemberPhase.Resigned)
        {
            Require(_engine.Resign(), "resigning");
        }

        long start = _options.Clock.GetTimestamp();

        // Until it is taken up again, nothing of the session leaves.
        while (IsTakenUpLater())
        {
            if (!TrySendCommits(timeout, start) || !TryTakeIn(timeout, start))
            {
                return false;
            }
        }

        return TrySendCommits(timeout, start) && _link.Flush(Left(timeout, start));
    }

    /// <summary>After <see cref="Resign"/>: waits until everybody has resigned and the run's digest is known.</summary>
    /// <param name="timeout">
    /// How long; zero only looks at what is there, <see cref="Timeout.InfiniteTimeSpan"/> waits for ever.
    /// </param>
    /// <returns>The run digest; null if the time passed first.</returns>
    /// <exception cref="SequencingException">
    /// The run was aborted, the server refused the resignation, or the connection ended.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public ulong? WaitForEnd(TimeSpan timeout)
    {
        ThrowIfDisposed();
        long start = _options.Clock.GetTimestamp();

        while (RunDigest is null && TrySendCommits(timeout, start) && TryTakeIn(timeout, start))
        {
            ThrowIfFailed();
            WatchResumption();
        }

        return RunDigest;
    }

    /// <summary>As <see cref="Resign"/>, without holding a thread, and without waiting until the server has it.</summary>
    /// <param name="cancellationToken">Ends the wait for room to send; the resignation stays said.</param>
    /// <exception cref="SequencingException">
    /// The member was not running, or its session, just being taken up again, is lost.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled before it was sent.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public async ValueTask ResignAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();

        if (_engine.Phase != MemberPhase.Resigned)
        {
            Require(_engine.Resign(), "resigning");
        }

        while (IsTakenUpLater())
        {
            TrySendCommits();
            await TakeInAsync(cancellationToken).ConfigureAwait(false);
        }

        while (!TrySendCommits())
        {
            await _link.WaitToSendAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>As <see cref="WaitForEnd"/>, without holding a thread.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The run digest.</returns>
    /// <exception cref="SequencingException">
    /// The run was aborted, the server refused the resignation, or the connection ended.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled first; wait again to go on.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public async ValueTask<ulong> WaitForEndAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();

        while (RunDigest is null)
        {
            WatchResumption();

            while (!TrySendCommits())
            {
                await _link.WaitToSendAsync(cancellationToken).ConfigureAwait(false);
            }

            await TakeInAsync(cancellationToken).ConfigureAwait(false);
            ThrowIfFailed();
        }

        return RunDigest.Value;
    }

    private bool IsTakenUpLater()
    {
        ThrowIfFailed();
        WatchResumption();
        return IsResuming;
    }
}
