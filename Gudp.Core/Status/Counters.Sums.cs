using System;

namespace Gudp.Core;

public readonly partial record struct ConnectionCounters
{
    /// <summary>These and another connection's: counts and levels as sums, of spans the longest (M11). Cold path.</summary>
    /// <param name="other">Of another connection, or a sum.</param>
    public ConnectionCounters Plus(in ConnectionCounters other) => new(
        DatagramsSent + other.DatagramsSent,
        BytesSent + other.BytesSent,
        DatagramsReceived + other.DatagramsReceived,
        BytesReceived + other.BytesReceived,
        PayloadBytesSent + other.PayloadBytesSent,
        PayloadBytesReceived + other.PayloadBytesReceived,
        PacketsAcked + other.PacketsAcked,
        PacketsLost + other.PacketsLost,
        Retransmits + other.Retransmits,
        ProbesSent + other.ProbesSent,
        UserPacketsUnread + other.UserPacketsUnread,
        UserPacketsTooLarge + other.UserPacketsTooLarge,
        UserPacketsRepeated + other.UserPacketsRepeated,
        Longer(SmoothedRtt, other.SmoothedRtt),
        Longer(MinRtt, other.MinRtt),
        Longer(LatestRtt, other.LatestRtt),
        WindowBytes + other.WindowBytes,
        BytesInFlight + other.BytesInFlight)
    {
        PacketsSpuriouslyLost = PacketsSpuriouslyLost + other.PacketsSpuriouslyLost,
        ReductionsUndone = ReductionsUndone + other.ReductionsUndone,
        PersistentCongestions = PersistentCongestions + other.PersistentCongestions,
        PureAcksSent = PureAcksSent + other.PureAcksSent,
        HeartbeatsSent = HeartbeatsSent + other.HeartbeatsSent,
        NumbersSkipped = NumbersSkipped + other.NumbersSkipped,
        PacketBytes = PacketBytes + other.PacketBytes,
        SizeProbesSent = SizeProbesSent + other.SizeProbesSent,
        SizeProbesLost = SizeProbesLost + other.SizeProbesLost,
        PacketSizeReductions = PacketSizeReductions + other.PacketSizeReductions,
        PathChallengesSent = PathChallengesSent + other.PathChallengesSent,
        PathChanges = PathChanges + other.PathChanges,
        PathsRefused = PathsRefused + other.PathsRefused,
    };

    /// <summary>What stays when the connection has ended: the counts, without levels and spans.</summary>
    public ConnectionCounters WithoutLevels() => this with
    {
        SmoothedRtt = default,
        MinRtt = default,
        LatestRtt = default,
        WindowBytes = 0,
        BytesInFlight = 0,
        PacketBytes = 0,
    };

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
