using System;
using System.Diagnostics;
using System.Threading;
using Gudp.Core;

namespace Gudp.Messaging;

/// <summary>The other end of a connection, as sender and receiver of messages.</summary>
/// <remarks>
/// Any thread may call any member, except where a member says otherwise. Nothing here blocks but the members with a
/// time-out; in manual mode another thread must call <see cref="Daemon.ProcessIO"/> while they wait. What is sent
/// before the handshake is done waits; see <see cref="TrySend(ReadOnlySpan{byte}, SendOptions)"/>.
/// </remarks>
public sealed partial class Peer : IDisposable
{
    // Memory that another peer gives back is not signalled to this one: look again after a while.
    private static readonly TimeSpan MemoryRecheck = TimeSpan.FromMilliseconds(20);

    private static long _lastId;

    private readonly MessageSession _session;

    internal Peer(MessageSession session)
    {
        _session = session;
        Id = new PeerId(Interlocked.Increment(ref _lastId));
    }

    /// <summary>Names the peer within this process.</summary>
    public PeerId Id { get; }

    /// <summary>The connection under it, for its counters and its path.</summary>
    public Connection Connection => _session.Connection;

    /// <summary>The peer's address and port.</summary>
    public PeerAddress RemoteAddress => Connection.RemoteAddress;

    /// <summary>How the connection stands: one atomic read.</summary>
    public ConnectionStatus Status => Connection.Status;

    /// <summary>Why it ended; null while it has not.</summary>
    public CloseReason? CloseReason => Connection.CloseReason;

    /// <summary>For the application's own use.</summary>
    public object? Tag { get; set; }

    /// <summary>Waits until the handshake is done.</summary>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <returns>False if the time passed or the connection ended first.</returns>
    public bool WaitUntilOpen(TimeSpan timeout)
    {
        Wait wait = new(_session.Changes, timeout);

        while (true)
        {
            long seen = wait.Look();

            if (_session.IsFinal || _session.IsOpen)
            {
                return !_session.IsFinal;
            }

            if (!wait.TryWait(seen))
            {
                return false;
            }
        }
    }

    /// <summary>
    /// Waits until everything accepted so far is received by the peer; unreliable messages: until transmitted.
    /// </summary>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <returns>False if the time passed, or the connection ended, first.</returns>
    public bool Flush(TimeSpan timeout)
    {
        Wait wait = new(_session.Changes, timeout);

        while (true)
        {
            long seen = wait.Look();

            if (_session.IsFlushed())
            {
                return true;
            }

            if (_session.HasEnded || !wait.TryWait(seen))
            {
                return false;
            }
        }
    }

    /// <summary>
    /// Ends the connection: final here at once. What was accepted still goes out, as far as the peer's credit and
    /// <see cref="ConnectionConfig.LingerTimeout"/> allow, then the peer is told; <see cref="Flush"/> first to be sure.
    /// </summary>
    public void Close() => Close(Gudp.Core.CloseReason.ByApplication);

    /// <summary>Ends the connection with a reason for the peer.</summary>
    /// <param name="reason">Code and detail.</param>
    public void Close(CloseReason reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        _session.Close(reason);
    }

    /// <summary>
    /// Ends the connection and gives up what was not read. Messages still held stay valid until disposed.
    /// </summary>
    public void Dispose()
    {
        Close();
        _session.Discard();
    }

    /// <summary>One wait with one deadline, however often it looks again.</summary>
    private readonly struct Wait(WaitPoint changes, TimeSpan timeout)
    {
        private readonly long _start = Stopwatch.GetTimestamp();

        internal long Look() => changes.Version;

        internal bool TryWait(long seen) => changes.WaitPast(seen, Left);

        /// <summary>As above, but comes back after a step even if nothing changed.</summary>
        internal bool TryWait(long seen, TimeSpan step)
        {
            TimeSpan left = Left;
            bool changed = changes.WaitPast(seen, left < step ? left : step);
            return changed || left > step;
        }

        private TimeSpan Left
            => timeout == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : timeout - Stopwatch.GetElapsedTime(_start);
    }
}
