using System;

namespace Gudp.Core;

/// <summary>What the path between two addresses can carry. <c>default</c> is the documented default.</summary>
public readonly record struct PathConfig
{
    internal static readonly ConfigTable<PathConfig> Table = new ConfigTable<PathConfig>()
        .Bytes(nameof(PacketBytes), c => c.PacketBytes, (c, v) => c with { PacketBytes = v }, (1_200, 65_507),
            "1,200 is what every path carries, RFC 9000 section 14, and 65,507 is the largest UDP payload over IPv4")
        .Bytes(nameof(MaxPacketBytes), c => c.MaxPacketBytes, (c, v) => c with { MaxPacketBytes = v },
            (1_200, 65_507), "below 1,200 no path is, and 65,507 is the largest UDP payload over IPv4")
        .Duration(nameof(RaiseInterval), c => c.RaiseInterval, (c, v) => c with { RaiseInterval = v },
            (TimeSpan.FromSeconds(1), TimeSpan.FromHours(24)), "more often only wastes probes, RFC 8899 section 5.1.1")
        .Count(nameof(MaxPacketsInFlight), c => c.MaxPacketsInFlight, (c, v) => c with { MaxPacketsInFlight = v },
            (16, 65_536), "fewer stall every path, and more cost memory per connection that no path needs")
        .Flag(nameof(AllowAddressChange), c => c.AllowAddressChange, (c, v) => c with { AllowAddressChange = v })
        .Count(nameof(SpareIds), c => c.SpareIds, (c, v) => c with { SpareIds = v }, (0, Engine.ConnectionIds.MostSpare),
            "one serves a move, and peers hold no more than seven");

    private const int DefaultPacketBytes = 1_200;
    private const int DefaultMaxPacketBytes = 1_452;
    private const int DefaultMaxPacketsInFlight = 2_048;
    private const int DefaultSpareIds = 1;
    private static readonly TimeSpan DefaultRaiseInterval = TimeSpan.FromSeconds(600);

    private readonly int? _packetBytes;
    private readonly int? _maxPacketBytes;
    private readonly TimeSpan? _raiseInterval;
    private readonly int? _maxPacketsInFlight;
    private readonly int? _spareIds;

    /// <summary>
    /// Largest datagram sent before the path was asked, in bytes of UDP payload. Default 1,200 (RFC 9000 section 14);
    /// 1,200 to 65,507.
    /// </summary>
    /// <remarks>
    /// Taken for granted: larger than what the path carries, the first packets are lost until that is noticed, after a
    /// few round trips. Larger ones are searched for up to <see cref="MaxPacketBytes"/>.
    /// </remarks>
    public int PacketBytes
    {
        get => _packetBytes ?? DefaultPacketBytes;
        init => _packetBytes = value == DefaultPacketBytes ? null : value;
    }

    /// <summary>
    /// Largest datagram that is searched for, and that the peer is told it may send, in bytes of UDP payload. Default
    /// 1,452, an Ethernet frame over IPv6; 1,200 to 65,507. RFC 8899 (DPLPMTUD).
    /// </summary>
    /// <remarks>
    /// The search ends at the least of this, what the peer accepts, and half its socket buffer. It costs a packet of
    /// its own for each size tried, three if the path does not carry it. Not above <see cref="PacketBytes"/> there is
    /// no search. 65,507 suits the loopback; buffers hold whole datagrams, so memory grows with what is found.
    /// </remarks>
    public int MaxPacketBytes
    {
        get => _maxPacketBytes ?? DefaultMaxPacketBytes;
        init => _maxPacketBytes = value == DefaultMaxPacketBytes ? null : value;
    }

    /// <summary>
    /// When a search that ended below <see cref="MaxPacketBytes"/> begins anew. Default 600 s (RFC 8899 section 5.1.1);
    /// 1 s to 24 h.
    /// </summary>
    /// <remarks>Shorter finds a larger path sooner; costs three lost probes for each size the path refuses.</remarks>
    public TimeSpan RaiseInterval
    {
        get => _raiseInterval ?? DefaultRaiseInterval;
        init => _raiseInterval = value == DefaultRaiseInterval ? null : value;
    }

    /// <summary>Packets sent and not yet acked or lost, at most. Default 2,048 packets; 16 to 65,536.</summary>
    /// <remarks>Rate times round trip must fit: 2,048 packets of 1,200 bytes are 2.4 MB. About 96 bytes each.</remarks>
    public int MaxPacketsInFlight
    {
        get => _maxPacketsInFlight ?? DefaultMaxPacketsInFlight;
        init => _maxPacketsInFlight = value == DefaultMaxPacketsInFlight ? null : value;
    }

    /// <summary>
    /// Follows a peer whose address or port changes, such as behind a NAT, once it has proved to receive there (RFC
    /// 9000 section 9). Default false: its packets from elsewhere are dropped.
    /// </summary>
    /// <remarks>
    /// In Plain nothing but the connection's id vouches for a packet: who reads along can make the proof run, though not
    /// pass it. Each end decides for itself; a server's address does not change otherwise either.
    /// </remarks>
    public bool AllowAddressChange { get; init; }

    /// <summary>
    /// Ids given to the peer beside the first, for moves on purpose. Default 1; 0 to 7. Only with
    /// <see cref="AllowAddressChange"/>.
    /// </summary>
    /// <remarks>One frame of 26 bytes and one entry in the routing table each (RFC 9000 section 5.1).</remarks>
    public int SpareIds
    {
        get => _spareIds ?? DefaultSpareIds;
        init => _spareIds = value == DefaultSpareIds ? null : value;
    }

    /// <summary>The largest datagram this end may come to send, and is willing to receive.</summary>
    internal int LargestBytes => Math.Max(PacketBytes, MaxPacketBytes);

    /// <summary>What differs from the default, as text.</summary>
    public override string ToString() => Table.ToText(this);
}
