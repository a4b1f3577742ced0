namespace Gudp.Core.Simulation;

/// <summary>
/// What happened to the datagrams of a simulated network. Sent + Injected + Duplicated = the sum of all others but
/// Reordered, Corrupted, Clogged, Slowed, Refused, Blocked, Rebindings and the runs, plus what is still under way.
/// </summary>
public record struct SimulatedFaults
{
    /// <summary>Datagrams sockets sent.</summary>
    public long Sent { get; internal set; }

    /// <summary>Datagrams put in by <see cref="SimulatedNetwork.Inject"/>.</summary>
    public long Injected { get; internal set; }

    /// <summary>Copies made.</summary>
    public long Duplicated { get; internal set; }

    /// <summary>Put into a socket's receive queue.</summary>
    public long Delivered { get; internal set; }

    /// <summary>Lost by chance, alone or in a burst.</summary>
    public long Lost { get; internal set; }

    /// <summary>Swallowed by a cut link.</summary>
    public long CutDropped { get; internal set; }

    /// <summary>Sent during an outage of the link.</summary>
    public long OutageDropped { get; internal set; }

    /// <summary>Held by a clogged link.</summary>
    public long Clogged { get; internal set; }

    /// <summary>Passed a link while its other rate held, <see cref="LinkModel.SlowRateBytesPerSecond"/>.</summary>
    public long Slowed { get; internal set; }

    /// <summary>Longer than the link lets pass.</summary>
    public long TooLongDropped { get; internal set; }

    /// <summary>No room in the queue of the link's rate.</summary>
    public long QueueDropped { get; internal set; }

    /// <summary>No room in the socket's receive buffer.</summary>
    public long OverflowDropped { get; internal set; }

    /// <summary>No such host, or nobody listens at that port.</summary>
    public long Undeliverable { get; internal set; }

    /// <summary>Sent to a mapping that a rebinding had ended.</summary>
    public long UnmappedDropped { get; internal set; }

    /// <summary>Longer than the sending host's own limit: never sent.</summary>
    public long Refused { get; internal set; }

    /// <summary>Not taken by a full send buffer, <see cref="SocketModel.FullPpm"/>: never sent.</summary>
    public long Blocked { get; internal set; }

    /// <summary>Calls that sent several datagrams at once.</summary>
    public long RunsSent { get; internal set; }

    /// <summary>Calls with several datagrams that were refused as such.</summary>
    public long RunsRefused { get; internal set; }

    /// <summary>Calls that brought several datagrams at once.</summary>
    public long RunsReceived { get; internal set; }

    /// <summary>Calls of <see cref="SimulatedNetwork.Rebind(PeerAddress, PeerAddress)"/>.</summary>
    public long Rebindings { get; internal set; }

    /// <summary>Held back so that others overtake.</summary>
    public long Reordered { get; internal set; }

    /// <summary>Damaged.</summary>
    public long Corrupted { get; internal set; }

    internal readonly long Begun => Sent + Injected + Duplicated;

    internal readonly long Ended
        => Delivered + Lost + CutDropped + OutageDropped + TooLongDropped + QueueDropped + OverflowDropped + Undeliverable
            + UnmappedDropped;
}
