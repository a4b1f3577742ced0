using System;

namespace Gudp.Core.Congestion;

/// <summary>The sizes all controllers begin and end with (RFC 9002 section 7.2).</summary>
internal static class CongestionWindow
{
    /// <summary>The RFC's initial window in packets.</summary>
    internal const int DefaultInitialPackets = 10;

    /// <summary>No window is larger; far beyond what a ring of packets can hold in flight.</summary>
    internal const int MaxBytes = 1 << 30;

    private const int MinPackets = 2;

    // The RFC's 14,720 bytes are ten packets of this size: an Ethernet packet without its IPv6 and UDP headers, and
    // some room.
    private const int UsualPacketBytes = 1472;

    /// <summary>min(n packets, max(2 packets, n x 1,472 bytes)); the RFC's value for n = 10.</summary>
    internal static int Initial(int packetBytes, int packets)
        => Math.Min(packets * packetBytes, Math.Max(Minimum(packetBytes), packets * UsualPacketBytes));

    /// <summary>Two packets.</summary>
    internal static int Minimum(int packetBytes) => MinPackets * packetBytes;
}
