namespace Gudp.Bench.Load;

/// <summary>Takes what arrives.</summary>
internal interface ILoadInbox
{
    /// <param name="link">Leads back to the sender.</param>
    /// <param name="message">Valid during the call.</param>
    void Take(int link, ReadOnlySpan<byte> message);
}

/// <summary>Messages to be sent on one link, one after the other.</summary>
internal interface ILoadOutbox
{
    /// <param name="message">Valid until the next call; the same again while it was not sent.</param>
    /// <returns>False: that was all for now.</returns>
    bool TryNext(out ReadOnlySpan<byte> message);

    /// <summary>The system has taken the message.</summary>
    void OnSent();
}

/// <summary>
/// One end of a system under measurement, as its users would hold it on one thread: links to other ends, messages over
/// them. Every implementation uses the settings that its system recommends for the work.
/// </summary>
internal interface ILoadTransport : IDisposable
{
    /// <summary>Listens here, on the loopback.</summary>
    int Port { get; }

    /// <summary>So many messages between two looks at most, where more would make it slower.</summary>
    int MostBatch => int.MaxValue;

    /// <summary>Opens a link; it may be used once <see cref="AreOpen"/>.</summary>
    /// <param name="port">Of a node that listens.</param>
    /// <param name="sender">Stands in the messages of this link.</param>
    /// <returns>Its number: they count from 0, together with those that others opened.</returns>
    int Connect(int port, int sender);

    /// <summary>All links that were opened here can be used. Drives what has to be driven.</summary>
    bool AreOpen();

    /// <returns>False: not now.</returns>
    bool TrySend(int link, ReadOnlySpan<byte> message);

    /// <summary>Sends many, as the system's users would.</summary>
    /// <returns>False: the next one not now.</returns>
    bool TrySendAll<TOutbox>(int link, ref TOutbox outbox)
        where TOutbox : struct, ILoadOutbox
    {
        while (outbox.TryNext(out ReadOnlySpan<byte> message))
        {
            if (!TrySend(link, message))
            {
                return false;
            }

            outbox.OnSent();
        }

        return true;
    }

    /// <summary>Nothing more is sent for now: what waits for company leaves.</summary>
    void Flush();

    /// <summary>Does what can be done now, and hands out what is there, up to some hundred messages.</summary>
    /// <returns>How many were handed out.</returns>
    int Poll(ILoadInbox inbox);

    /// <summary>Sleeps until something arrives, or can be sent again if that was refused.</summary>
    void Wait(TimeSpan atMost, bool isRefused);

    /// <summary>What left, and what had to be sent again, where the system counts it.</summary>
    LoadTraffic ReadTraffic();
}

/// <summary>What a system's own counters say, since it was opened; -1: it has none.</summary>
/// <param name="Datagrams">Sent.</param>
/// <param name="Bytes">Sent, of UDP payload.</param>
/// <param name="PacketsLost">Packets that counted as lost.</param>
/// <param name="Retransmissions">Times content was sent once more.</param>
/// <param name="MostRetransmissions">Of one piece of content: the most so far.</param>
internal readonly record struct LoadTraffic(
    long Datagrams, long Bytes, long PacketsLost, long Retransmissions, long MostRetransmissions)
{
    internal static LoadTraffic Unknown => new(-1, -1, -1, -1, -1);

    /// <summary>What came after an earlier look; the most is of all time.</summary>
    internal LoadTraffic Since(in LoadTraffic before) => this == Unknown
        ? Unknown
        : new LoadTraffic(
            Datagrams - before.Datagrams,
            Bytes - before.Bytes,
            PacketsLost - before.PacketsLost,
            Retransmissions - before.Retransmissions,
            MostRetransmissions);

    /// <summary>Of both ends; unknown if it is of one.</summary>
    internal LoadTraffic With(in LoadTraffic other) => this == Unknown || other == Unknown
        ? Unknown
        : new LoadTraffic(
            Datagrams + other.Datagrams,
            Bytes + other.Bytes,
            PacketsLost + other.PacketsLost,
            Retransmissions + other.Retransmissions,
            Math.Max(MostRetransmissions, other.MostRetransmissions));
}
