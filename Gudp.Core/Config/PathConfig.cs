namespace Gudp.Core;

/// <summary>What the path between two addresses can carry. <c>default</c> is the documented default.</summary>
public readonly record struct PathConfig
{
    internal static readonly ConfigTable<PathConfig> Table = new ConfigTable<PathConfig>()
        .Bytes(nameof(PacketBytes), c => c.PacketBytes, (c, v) => c with { PacketBytes = v }, (1_200, 65_507),
            "1,200 is what every path carries, RFC 9000 section 14, and 65,507 is the largest UDP payload over IPv4")
        .Count(nameof(MaxPacketsInFlight), c => c.MaxPacketsInFlight, (c, v) => c with { MaxPacketsInFlight = v },
            (16, 65_536), "fewer stall every path, and more cost memory per connection that no path needs");

    private const int DefaultPacketBytes = 1_200;
    private const int DefaultMaxPacketsInFlight = 2_048;

    private readonly int? _packetBytes;
    private readonly int? _maxPacketsInFlight;

    /// <summary>
    /// Largest datagram sent, in bytes of UDP payload. Default 1,200 (RFC 9000 section 14); 1,200 to 65,507.
    /// </summary>
    /// <remarks>
    /// Datagrams above what the path carries are lost without a word. 1,452 suits Ethernet; 8,900 to 65,507 only the
    /// loopback and networks set up for it. Each connection's buffers hold whole datagrams, so memory grows with it.
    /// </remarks>
    public int PacketBytes
    {
        get => _packetBytes ?? DefaultPacketBytes;
        init => _packetBytes = value == DefaultPacketBytes ? null : value;
    }

    /// <summary>Packets sent and not yet acked or lost, at most. Default 2,048 packets; 16 to 65,536.</summary>
    /// <remarks>Rate times round trip must fit: 2,048 packets of 1,200 bytes are 2.4 MB. About 64 bytes each.</remarks>
    public int MaxPacketsInFlight
    {
        get => _maxPacketsInFlight ?? DefaultMaxPacketsInFlight;
        init => _maxPacketsInFlight = value == DefaultMaxPacketsInFlight ? null : value;
    }

    /// <summary>What differs from the default, as text.</summary>
    public override string ToString() => Table.ToText(this);
}
