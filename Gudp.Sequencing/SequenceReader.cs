using System;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Links;

namespace Gudp.Sequencing;

/// <summary>
/// Reads the sealed log of a run without being a member (lock-time sections 7.3 and 10): everything published, once, in
/// the order of the run, by number. It lags until messages are final, and nobody ever waits for it. The server must let
/// this end look: <see cref="SequencingConfig.Operators"/>.
/// </summary>
/// <remarks>
/// One thread at a time. A reader that stops reading asks for no more, so it costs the server nothing; if the log has
/// passed it meanwhile, it gets <see cref="LogReadKind.Trimmed"/> with the number it goes on from. After a lost connection
/// another reader goes on from <see cref="Position"/>.
/// </remarks>
public sealed class SequenceReader : IDisposable
{
    private readonly LogFollower _follower;
    private readonly Exchange _exchange;
    private bool _isDisposed;

    private SequenceReader(Peer peer, HistoryStart from)
    {
        _follower = new LogFollower(from);
        _exchange = new Exchange(peer, _follower);
    }

    /// <summary>
    /// The number read next: after each read it says where another reader goes on from, once each. 0 before it is known.
    /// </summary>
    public long Position => _follower.ReadPosition;

    /// <summary>The number the log's next message will have, as last heard; 0 before it was.</summary>
    public long Next => _follower.Next;

    /// <summary>W, as last heard: everything that arrives below is final.</summary>
    public Tag Floor => _follower.Floor;

    /// <summary>What was counted at this end. A copy.</summary>
    public ClientCounters ReadCounters() => _follower.Tally.Read();

    /// <summary>The peer beneath: status and counters of the connection.</summary>
    public Peer Peer => _exchange.Peer;

    /// <summary>Begins to connect to a server, and returns at once.</summary>
    /// <param name="endpoint">Without a sink. Not one that members of the same server use.</param>
    /// <param name="server">Where the sequence server is.</param>
    /// <param name="from">Live, a tag, or a number; <c>HistoryStart.FromNumber(0)</c> is the oldest kept.</param>
    /// <exception cref="ArgumentException">The last so many, or a snapshot: those are for members.</exception>
    public static SequenceReader Connect(MessageEndpoint endpoint, PeerAddress server, HistoryStart from)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        CheckStart(from);
        return new SequenceReader(endpoint.Connect(server), from);
    }

    /// <summary>Reads on a connection that is open already; it is the reader's from now on.</summary>
    /// <param name="peer">Of an endpoint without a sink.</param>
    /// <param name="from">As in <see cref="Connect"/>.</param>
    /// <exception cref="ArgumentException">The last so many, or a snapshot: those are for members.</exception>
    public static SequenceReader Over(Peer peer, HistoryStart from)
    {
        ArgumentNullException.ThrowIfNull(peer);
        CheckStart(from);
        return new SequenceReader(peer, from);
    }

    /// <summary>
    /// The pump's way to read: takes in what came, and sends what is to be asked. Also what a daemon without a thread
    /// needs.
    /// </summary>
    /// <param name="read">What was read.</param>
    /// <returns>False if there is nothing now.</returns>
    /// <exception cref="SequencingException">NotAllowed, Stopped, or ConnectionLost after everything was read.</exception>
    /// <exception cref="ObjectDisposedException">The reader was disposed.</exception>
    public bool TryRead(out LogRead read)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);

        while (!_follower.TryTake(out read))
        {
            ThrowIfFailed();
            _exchange.TrySend();

            if (!_exchange.TryTake(TimeSpan.Zero))
            {
                return false;
            }
        }

        _exchange.TrySend();
        return true;
    }

    /// <summary>Reads on, and waits for what is not final yet; the daemon of the endpoint runs.</summary>
    /// <param name="timeout"><see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <returns><see cref="LogReadKind.None"/> if the time passed first.</returns>
    /// <inheritdoc cref="TryRead" path="/exception"/>
    public LogRead Read(TimeSpan timeout)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        long start = TimeProvider.System.GetTimestamp();
        LogRead read;

        while (!_follower.TryTake(out read))
        {
            ThrowIfFailed();

            if (!_exchange.TryStep(timeout, start))
            {
                return default;
            }
        }

        return read;
    }

    /// <summary>As <see cref="Read"/>, without holding a thread.</summary>
    /// <param name="cancellationToken">Ends the wait; the reader stays where it is.</param>
    /// <inheritdoc cref="TryRead" path="/exception"/>
    public async ValueTask<LogRead> ReadAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        LogRead read;

        while (!_follower.TryTake(out read))
        {
            ThrowIfFailed();

            await _exchange.StepAsync(cancellationToken).ConfigureAwait(false);
        }

        return read;
    }

    /// <summary>Closes the connection.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        Peer.Dispose();
    }

    private static void CheckStart(HistoryStart from)
    {
        if (from.Kind is HistoryKind.Last or HistoryKind.Snapshot)
        {
            throw new ArgumentException($"A log is read from now on, a tag or a number, not {from.Kind}.", nameof(from));
        }
    }

    private void ThrowIfFailed()
    {
        if (_follower.Error != SequencingError.None)
        {
            throw new SequencingException(_follower.Error, _follower.ErrorDetail);
        }
    }
}
