using System;
using System.Diagnostics.CodeAnalysis;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Sequencing;

// Who keeps this member waiting (lock-time section 14). The question goes beside the commits, and is no part of them.
public sealed partial class SequenceClient
{
    /// <summary>
    /// Asks the server who keeps this member waiting: the chain from it to the root. A grant that comes meanwhile is
    /// kept for the next wait. A measurement: it must not influence what the member does.
    /// </summary>
    /// <param name="timeout">How long to wait for the answer.</param>
    /// <returns>Null if the member does not wait, or its grant is on its way already.</returns>
    /// <exception cref="TimeoutException">No answer in time.</exception>
    /// <exception cref="SequencingException">The server refused, or the connection ended.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public WaitReport? WhoBlocks(TimeSpan timeout)
    {
        ThrowIfDisposed();
        ThrowIfFailed();
        long start = _options.Clock.GetTimestamp();
        Question question = new(_engine.Health.NextRequest());

        while (_engine.Health.Answered != question.Number)
        {
            WatchResumption();

            if (TryAsk(question) ? !TryTakeIn(timeout, start) : !_link.WaitToSend(Left(timeout, start)))
            {
                throw NotAnswered(timeout);
            }

            ThrowIfFailed();
        }

        return _engine.Health.Answer;
    }

    /// <summary>As <see cref="WhoBlocks"/>, without holding a thread.</summary>
    /// <param name="cancellationToken">Ends the wait for the answer.</param>
    /// <exception cref="OperationCanceledException">Cancelled before the answer came.</exception>
    /// <exception cref="SequencingException">The server refused, or the connection ended.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public async ValueTask<WaitReport?> WhoBlocksAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        ThrowIfFailed();
        Question question = new(_engine.Health.NextRequest());

        while (_engine.Health.Answered != question.Number)
        {
            WatchResumption();

            if (TryAsk(question))
            {
                await TakeInAsync(cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await _link.WaitToSendAsync(cancellationToken).ConfigureAwait(false);
            }

            ThrowIfFailed();
        }

        return _engine.Health.Answer;
    }

    /// <summary>
    /// The next report of a wait of this member that was longer than the run's limit, then than 3, 6 and 10 times of it,
    /// or whose root was lost. They come with the messages that a wait takes in; the last 16 are kept.
    /// </summary>
    /// <param name="report">What the server told.</param>
    /// <returns>False if there is none.</returns>
    public bool TryTakeWaitReport([NotNullWhen(true)] out WaitReport? report)
        => _engine.Health.TryTakeOverdue(out report);

    /// <summary>
    /// Sends the question once on each connection, when the server has welcomed there: one that was lost may have lost the
    /// answer.
    /// </summary>
    /// <returns>False if there is no room now.</returns>
    private bool TryAsk(Question question)
    {
        if (!TrySendCommits())
        {
            return false;
        }

        if (IsResuming || _engine.AwaitsWelcome || question.AskedAt == Resumptions)
        {
            return true;
        }

        if (_link.TrySend(_engine.AskWhoBlocks(question.Number)) is not (SendStatus.Accepted or SendStatus.Closed))
        {
            return false;
        }

        question.AskedAt = Resumptions;
        return true;
    }

    private TimeoutException NotAnswered(TimeSpan timeout)
        => new($"The server has not said within {timeout} who keeps member '{Name}' at {Now} waiting.");

    private sealed class Question(ulong number)
    {
        internal ulong Number { get; } = number;

        internal int AskedAt { get; set; } = -1;
    }
}
