using System;
using System.Runtime.CompilerServices;
using System.Threading;

namespace Gudp.Core;

/// <summary>
/// What a connection did so far. The numbers are read one after another while the loop goes on, so they need not match
/// each other exactly. Counts grow only; the last six are levels.
/// </summary>
/// <param name="DatagramsSent">Datagrams handed to the socket.</param>
/// <param name="BytesSent">Bytes of UDP payload in them.</param>
/// <param name="DatagramsReceived">Datagrams accepted from the peer; dropped ones are the daemon's count.</param>
/// <param name="BytesReceived">Bytes of UDP payload in them.</param>
/// <param name="PayloadBytesSent">Bytes of frames of the layer above, also when repeated.</param>
/// <param name="PayloadBytesReceived">Bytes of frames handed to the layer above.</param>
/// <param name="PacketsAcked">Packets whose fate is: acked.</param>
/// <param name="PacketsLost">Packets whose fate is: lost.</param>
/// <param name="Retransmits">Times content was offered once more, after a loss or before it was sure.</param>
/// <param name="ProbesSent">Packets sent only to get an ack (RFC 9002 section 6.2).</param>
/// <param name="UserPacketsUnread">Unreliable packets that came and found the inbox full (P-8.8).</param>
/// <param name="UserPacketsTooLarge">Unreliable packets dropped because the path had shrunk below them (P-8.9).</param>
/// <param name="UserPacketsRepeated">Reliable packets that came again and were passed over (P-8.4).</param>
/// <param name="SmoothedRtt">Round trip, smoothed (RFC 9002 section 5.3); zero before the first sample.</param>
/// <param name="MinRtt">Least round trip; zero before the first sample.</param>
/// <param name="LatestRtt">Last round trip; zero before the first sample.</param>
/// <param name="WindowBytes">Bytes allowed in flight.</param>
/// <param name="BytesInFlight">Bytes sent, fate unknown.</param>
public readonly partial record struct ConnectionCounters(
    long DatagramsSent,
    long BytesSent,
    long DatagramsReceived,
    long BytesReceived,
    long PayloadBytesSent,
    long PayloadBytesReceived,
    long PacketsAcked,
    long PacketsLost,
    long Retransmits,
    long ProbesSent,
    long UserPacketsUnread,
    long UserPacketsTooLarge,
    long UserPacketsRepeated,
    TimeSpan SmoothedRtt,
    TimeSpan MinRtt,
    TimeSpan LatestRtt,
    long WindowBytes,
    long BytesInFlight)
{
    /// <summary>Packets that had counted as lost and were acked after all; they are in both other counts.</summary>
    public long PacketsSpuriouslyLost { get; init; }

    /// <summary>
    /// Reductions of the window that were undone because all losses they were made for had proved wrong (P-3.5).
    /// </summary>
    public long ReductionsUndone { get; init; }

    /// <summary>Times losses over more than three probe time-outs shrank the window to its least.</summary>
    public long PersistentCongestions { get; init; }

    /// <summary>Packets that carried nothing but an ack.</summary>
    public long PureAcksSent { get; init; }

    /// <summary>Heartbeats owed after a silence.</summary>
    public long HeartbeatsSent { get; init; }

    /// <summary>Packet numbers left out against forged acks.</summary>
    public long NumbersSkipped { get; init; }

    /// <summary>The largest datagram sent now (RFC 8899 PLPMTU); a level.</summary>
    public long PacketBytes { get; internal init; }

    /// <summary>Packets sent only to learn whether the path carries their size.</summary>
    public long SizeProbesSent { get; internal init; }

    /// <summary>Those of them that were lost; not in <see cref="PacketsLost"/>.</summary>
    public long SizeProbesLost { get; internal init; }

    /// <summary>Times the path was found to carry less than before: large packets lost, or refused by a socket.</summary>
    public long PacketSizeReductions { get; internal init; }

    /// <summary>Challenges sent to the peer, at a new address or its present one (RFC 9000 section 8.2).</summary>
    public long PathChallengesSent { get; internal init; }

    /// <summary>Times the peer proved to be at another address, and packets went there from then on.</summary>
    public long PathChanges { get; internal init; }

    /// <summary>Addresses that did not prove in time that the peer receives there.</summary>
    public long PathsRefused { get; internal init; }
}

/// <summary>
/// What a daemon did so far. Read while the loop goes on; between turns
/// <c>DatagramsReceived == DatagramsAccepted + DatagramsDropped</c>, and the drops are the sum over all reasons.
/// </summary>
public readonly partial record struct DaemonCounters
{
    private readonly DropCounts _drops;

    internal DaemonCounters(in DropCounts drops) => _drops = drops;

    /// <summary>Datagrams taken from all sockets.</summary>
    public long DatagramsReceived { get; internal init; }

    /// <summary>Those that were valid and meant for us.</summary>
    public long DatagramsAccepted { get; internal init; }

    /// <summary>Bytes of UDP payload received, also of dropped datagrams.</summary>
    public long BytesReceived { get; internal init; }

    /// <summary>Datagrams handed to the sockets.</summary>
    public long DatagramsSent { get; internal init; }

    /// <summary>Bytes of UDP payload handed to the sockets.</summary>
    public long BytesSent { get; internal init; }

    /// <summary>Sends the system had no room for; loss recovery brings their content again.</summary>
    public long SendBlocked { get; internal init; }

    /// <summary>News of the system about earlier sends, such as a port nobody listens on.</summary>
    public long SocketNotices { get; internal init; }

    /// <summary>Calls that handed several datagrams to the system at once.</summary>
    public long RunsSent { get; internal init; }

    /// <summary>The datagrams in them; they are in <see cref="DatagramsSent"/> too.</summary>
    public long RunDatagramsSent { get; internal init; }

    /// <summary>Calls that brought several datagrams at once.</summary>
    public long RunsReceived { get; internal init; }

    /// <summary>The datagrams in them; they are in <see cref="DatagramsReceived"/> too.</summary>
    public long RunDatagramsReceived { get; internal init; }

    /// <summary>
    /// Times the system refused several datagrams at once and they were sent one by one. If it cannot do it at all, the
    /// socket stops trying after the first.
    /// </summary>
    public long OffloadFallbacks { get; internal init; }

    /// <summary>Turns of the loop.</summary>
    public long Turns { get; internal init; }

    /// <summary>
    /// Turns that took more than 100 ms, mostly because the application's code in them did: a sink that is slow or blocks
    /// stops every connection of the daemon (H82).
    /// </summary>
    public long LongTurns { get; internal init; }

    /// <summary>Times this process stood still for so long that its peers were given grace (S-9).</summary>
    public long OwnPauses { get; internal init; }

    /// <summary>Datagrams received and discarded, whatever the reason.</summary>
    public long DatagramsDropped
    {
        get
        {
            long sum = 0;

            foreach (long count in _drops)
            {
                sum += count;
            }

            return sum;
        }
    }

    /// <summary>Datagrams discarded for that reason; zero for <see cref="DropReason.None"/>.</summary>
    public long Dropped(DropReason reason) => _drops[(int)reason];
}

/// <summary>One counter per <see cref="DropReason"/>, without an array of its own.</summary>
[InlineArray(Room)]
internal struct DropCounts : IEquatable<DropCounts>
{
    /// <summary>More than there are reasons; a test compares.</summary>
    internal const int Room = 32;

    private long _first;

    public readonly bool Equals(DropCounts other)
    {
        ReadOnlySpan<long> mine = this;
        ReadOnlySpan<long> theirs = other;
        return mine.SequenceEqual(theirs);
    }

    public override readonly bool Equals(object? obj) => obj is DropCounts other && Equals(other);

    public override readonly int GetHashCode()
    {
        var hash = default(HashCode);

        foreach (long count in this)
        {
            hash.Add(count);
        }

        return hash.ToHashCode();
    }
}

/// <summary>A connection's counters while they count. One writer, whoever leads the turn; any thread reads.</summary>
internal sealed class ConnectionCounterSet
{
    internal long DatagramsSent;
    internal long BytesSent;
    internal long DatagramsReceived;
    internal long BytesReceived;
    internal long PayloadBytesSent;
    internal long PayloadBytesReceived;
    internal long PacketsAcked;
    internal long PacketsLost;
    internal long Retransmits;
    internal long ProbesSent;
    internal long PacketsSpuriouslyLost;
    internal long ReductionsUndone;
    internal long PersistentCongestions;
    internal long PureAcksSent;
    internal long HeartbeatsSent;
    internal long NumbersSkipped;
    internal long UserPacketsUnread;
    internal long UserPacketsTooLarge;
    internal long UserPacketsRepeated;
    internal TimeSpan SmoothedRtt;
    internal TimeSpan MinRtt;
    internal TimeSpan LatestRtt;
    internal long WindowBytes;
    internal long BytesInFlight;
    internal long PacketBytes;
    internal long SizeProbesSent;
    internal long SizeProbesLost;
    internal long PacketSizeReductions;
    internal long PathChallengesSent;
    internal long PathChanges;
    internal long PathsRefused;

    private long _queueDelayTicks;

    /// <summary>One atomic of its own, not part of the snapshot (S-8.7).</summary>
    internal TimeSpan QueueDelay
    {
        get => new(Volatile.Read(ref _queueDelayTicks));
        set => Volatile.Write(ref _queueDelayTicks, value.Ticks);
    }

    internal ConnectionCounters ReadSnapshot() => new(
        DatagramsSent,
        BytesSent,
        DatagramsReceived,
        BytesReceived,
        PayloadBytesSent,
        PayloadBytesReceived,
        PacketsAcked,
        PacketsLost,
        Retransmits,
        ProbesSent,
        UserPacketsUnread,
        UserPacketsTooLarge,
        UserPacketsRepeated,
        SmoothedRtt,
        MinRtt,
        LatestRtt,
        WindowBytes,
        BytesInFlight)
    {
        PacketsSpuriouslyLost = PacketsSpuriouslyLost,
        ReductionsUndone = ReductionsUndone,
        PersistentCongestions = PersistentCongestions,
        PureAcksSent = PureAcksSent,
        HeartbeatsSent = HeartbeatsSent,
        NumbersSkipped = NumbersSkipped,
        PacketBytes = PacketBytes,
        SizeProbesSent = SizeProbesSent,
        SizeProbesLost = SizeProbesLost,
        PacketSizeReductions = PacketSizeReductions,
        PathChallengesSent = PathChallengesSent,
        PathChanges = PathChanges,
        PathsRefused = PathsRefused,
    };
}

/// <summary>A daemon's counters while they count. One writer, whoever leads the turn; any thread reads.</summary>
internal sealed class DaemonCounterSet
{
    internal long SendBlocked;
    internal long OffloadFallbacks;
    internal long SocketNotices;
    internal long Turns;
    internal long LongTurns;
    internal long OwnPauses;

    private long _received;
    private long _accepted;
    private long _bytesReceived;
    private long _sent;
    private long _bytesSent;
    private long _runsSent;
    private long _runDatagramsSent;
    private long _runsReceived;
    private long _runDatagramsReceived;
    private DropCounts _drops;

    /// <summary>One datagram came; it is counted once, accepted or under one reason.</summary>
    internal void CountReceived(int bytes, DropReason dropped)
    {
        _received++;
        _bytesReceived += bytes;

        if (dropped == DropReason.None)
        {
            _accepted++;
        }
        else
        {
            _drops[(int)dropped]++;
        }
    }

    /// <summary>One call brought so many; each is counted by itself as well.</summary>
    internal void CountRunReceived(int datagrams)
    {
        _runsReceived++;
        _runDatagramsReceived += datagrams;
    }

    /// <summary>One call.</summary>
    internal void CountSent(int bytes, int datagrams)
    {
        _sent += datagrams;
        _bytesSent += bytes;

        if (datagrams > 1)
        {
            _runsSent++;
            _runDatagramsSent += datagrams;
        }
    }

    internal DaemonCounters ReadSnapshot() => new(_drops)
    {
        DatagramsReceived = _received,
        DatagramsAccepted = _accepted,
        BytesReceived = _bytesReceived,
        DatagramsSent = _sent,
        BytesSent = _bytesSent,
        SendBlocked = SendBlocked,
        RunsSent = _runsSent,
        RunDatagramsSent = _runDatagramsSent,
        RunsReceived = _runsReceived,
        RunDatagramsReceived = _runDatagramsReceived,
        OffloadFallbacks = OffloadFallbacks,
        SocketNotices = SocketNotices,
        Turns = Turns,
        LongTurns = LongTurns,
        OwnPauses = OwnPauses,
    };
}
