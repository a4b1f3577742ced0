namespace Gudp.Core;

/// <summary>
/// Limits of what waits inside a connection, each in packets and in bytes; whichever is reached first refuses.
/// <c>default</c> is the documented default.
/// </summary>
public readonly record struct QueueConfig
{
    internal static readonly ConfigTable<QueueConfig> Table = new ConfigTable<QueueConfig>()
        .Count(nameof(SendPackets), c => c.SendPackets, (c, v) => c with { SendPackets = v }, (1, 65_536),
            "none could ever be sent, and more cost memory per connection that no path needs")
        .Bytes(nameof(SendBytes), c => c.SendBytes, (c, v) => c with { SendBytes = v }, (LeastBytes, MostBytes),
            "the largest datagram must fit, and one connection must not take it all")
        .Count(nameof(ReceivePackets), c => c.ReceivePackets, (c, v) => c with { ReceivePackets = v }, (1, 65_536),
            "none could ever be received, and more cost memory per connection that no reader needs")
        .Bytes(nameof(ReceiveBytes), c => c.ReceiveBytes, (c, v) => c with { ReceiveBytes = v },
            (LeastBytes, MostBytes), "the largest datagram must fit, and one connection must not take it all")
        .Count(nameof(PendingAccepts), c => c.PendingAccepts, (c, v) => c with { PendingAccepts = v }, (1, 65_536),
            "an endpoint without room for one new peer cannot accept any");

    private const int LeastBytes = 64 * 1024;
    private const int MostBytes = 64 * 1024 * 1024;
    private const int DefaultPackets = 1_024;
    private const int DefaultBytes = 1024 * 1024;
    private const int DefaultPendingAccepts = 1_024;

    private readonly int? _sendPackets;
    private readonly int? _sendBytes;
    private readonly int? _receivePackets;
    private readonly int? _receiveBytes;
    private readonly int? _pendingAccepts;

    /// <summary>
    /// Packets waiting to be sent, or sent and not yet acked. Default 1,024 packets (M22); 1 to 65,536.
    /// </summary>
    /// <remarks>
    /// Beyond it a send is refused with <c>PeerFull</c>. A longer queue only adds delay once the path is full. Packets
    /// with a ticket and updates not yet taken are as many at most; beyond that it is <c>UpdatesFull</c>.
    /// </remarks>
    public int SendPackets
    {
        get => _sendPackets ?? DefaultPackets;
        init => _sendPackets = value == DefaultPackets ? null : value;
    }

    /// <summary>Bytes of those packets, each rounded up to 64. Default 1 MB; 64 KB to 64 MB.</summary>
    /// <remarks>Rented from <c>MemoryBudgetBytes</c> in steps, as they are needed.</remarks>
    public int SendBytes
    {
        get => _sendBytes ?? DefaultBytes;
        init => _sendBytes = value == DefaultBytes ? null : value;
    }

    /// <summary>
    /// Packets received and not yet taken by the application. Default 1,024 packets (M22, G7); 1 to 65,536.
    /// </summary>
    /// <remarks>
    /// Beyond it reliable packets are refused unacked, so the sender offers them again; unreliable ones are dropped. What
    /// one datagram brings of reliable ones is taken whole by an empty queue, even if it is more.
    /// </remarks>
    public int ReceivePackets
    {
        get => _receivePackets ?? DefaultPackets;
        init => _receivePackets = value == DefaultPackets ? null : value;
    }

    /// <summary>Bytes of those packets. Default 1 MB; 64 KB to 64 MB.</summary>
    /// <remarks>Rented from <c>MemoryBudgetBytes</c> in steps, as they are needed.</remarks>
    public int ReceiveBytes
    {
        get => _receiveBytes ?? DefaultBytes;
        init => _receiveBytes = value == DefaultBytes ? null : value;
    }

    /// <summary>
    /// New peers of an endpoint that wait to be accepted. Default 1,024 connections (G21, G37); 1 to 65,536.
    /// </summary>
    /// <remarks>Beyond it new peers are answered busy.</remarks>
    public int PendingAccepts
    {
        get => _pendingAccepts ?? DefaultPendingAccepts;
        init => _pendingAccepts = value == DefaultPendingAccepts ? null : value;
    }

    /// <summary>What differs from the default, as text.</summary>
    public override string ToString() => Table.ToText(this);
}
