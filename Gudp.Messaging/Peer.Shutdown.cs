using System;
using System.Threading;

namespace Gudp.Messaging;

/// <content>The end by a deadline (R17).</content>
public sealed partial class Peer
{
    /// <summary>
    /// Takes nothing more to be sent, waits until everything accepted is received or given up and everything asked is
    /// taken or refused, ends the connection, and says what was left (D-13.4).
    /// </summary>
    /// <param name="deadline">
    /// How long to wait at most; <see cref="Timeout.InfiniteTimeSpan"/>: until all is done or the connection ends. Zero
    /// or less only looks. What is left then is given up at once, without <see cref="Core.ConnectionConfig.LingerTimeout"/>.
    /// </param>
    /// <returns>
    /// What was left, as it was known when the waiting ended. Called again, or after the connection has ended: what is left
    /// by now, or was when it ended.
    /// </returns>
    /// <exception cref="InvalidOperationException">
    /// Called from a sink, with a deadline other than zero: it would wait for the turn it is in.
    /// </exception>
    /// <remarks>
    /// A claim that is open is no message yet: to commit it is refused from now on. In manual mode another thread must call
    /// <see cref="Core.Daemon.ProcessIO"/> meanwhile. <see cref="Dispose"/> does not wait: there the connection lingers.
    /// </remarks>
    public MessageDrainReport Shutdown(TimeSpan deadline) => Gudp.Messaging.Shutdown.Run([Session], deadline);
}
