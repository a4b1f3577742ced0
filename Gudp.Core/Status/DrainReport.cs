using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Gudp.Core;

/// <summary>Why something a connection had accepted did not reach its peer before the daemon ended.</summary>
public enum UndeliveredCause
{
    /// <summary>The time given to <see cref="Daemon.Shutdown"/> was over first.</summary>
    DeadlineReached,

    /// <summary>
    /// Nobody drove the daemon while it ended: in manual mode nothing is waited for. Close the connections and call
    /// <see cref="Daemon.ProcessIO"/> until they are gone, then shut down.
    /// </summary>
    NotDriven,

    /// <summary>The handshake was not done.</summary>
    NeverOpened,

    /// <summary>The connection had ended, or ended meanwhile, for the reasons given.</summary>
    ConnectionEnded,
}

/// <summary>What one connection had accepted and not brought to its peer.</summary>
/// <param name="Remote">The peer.</param>
/// <param name="QueuedBytes">Accepted and never sent.</param>
/// <param name="QueuedPackets">Packets or messages of them; 0 if the layer on top does not count them.</param>
/// <param name="UnackedBytes">
/// Sent and not acknowledged, bytes of UDP payload: they may have arrived, and nobody knows.
/// </param>
/// <param name="UnackedPackets">Packets of them.</param>
/// <param name="Cause">Why.</param>
/// <param name="Reasons">The connection's final reasons.</param>
public readonly record struct UndeliveredTraffic(
    PeerAddress Remote,
    long QueuedBytes,
    int QueuedPackets,
    long UnackedBytes,
    int UnackedPackets,
    UndeliveredCause Cause,
    FinalReasons Reasons);

/// <summary>What <see cref="Daemon.Shutdown"/> could not deliver.</summary>
public sealed record DrainReport
{
    internal DrainReport(IReadOnlyList<UndeliveredTraffic> undelivered) => Undelivered = undelivered;

    /// <summary>One entry per connection that had something left; empty if everything arrived.</summary>
    public IReadOnlyList<UndeliveredTraffic> Undelivered { get; }

    /// <summary>True if everything that was accepted was acknowledged by its peer.</summary>
    public bool IsComplete => Undelivered.Count == 0;

    internal static DrainReport Nothing { get; } = new([]);

    /// <summary>One line per connection with something left, for logs. Cold path.</summary>
    public override string ToString() => IsComplete
        ? "Everything was delivered."
        : string.Join('\n', Undelivered.Select(static left => string.Create(
            CultureInfo.InvariantCulture,
            $"{left.Remote}: {left.QueuedPackets} ({left.QueuedBytes} B) not sent, {left.UnackedPackets} packets "
                + $"({left.UnackedBytes} B) not acknowledged; "
                + $"{left.Cause} ({left.Reasons})")));
}
