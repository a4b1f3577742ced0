namespace Gudp.Core;

/// <summary>
/// What is asked from the operating system for each socket. <c>default</c> is the documented default.
/// </summary>
public readonly record struct SocketConfig
{
    internal static readonly ConfigTable<SocketConfig> Table = new ConfigTable<SocketConfig>()
        .Bytes(nameof(SendBufferBytes), c => c.SendBufferBytes, (c, v) => c with { SendBufferBytes = v },
            (LeastBytes, MostBytes), "smaller ones lose bursts, larger ones are refused by every system")
        .Bytes(nameof(ReceiveBufferBytes), c => c.ReceiveBufferBytes, (c, v) => c with { ReceiveBufferBytes = v },
            (LeastBytes, MostBytes), "smaller ones lose bursts, larger ones are refused by every system")
        .Count(nameof(TrafficClass), c => c.TrafficClass, (c, v) => c with { TrafficClass = v }, (0, 63),
            "the DiffServ field has six bits")
        .Text(nameof(Interface), c => c.Interface, (c, v) => c with { Interface = v }, MostNameCharacters,
            "no system has longer names")
        .Flag(nameof(SendOffload), c => c.SendOffload, (c, v) => c with { SendOffload = v })
        .Flag(nameof(ReceiveOffload), c => c.ReceiveOffload, (c, v) => c with { ReceiveOffload = v })
        .Flag(nameof(FrameworkOnly), c => c.FrameworkOnly, (c, v) => c with { FrameworkOnly = v });

    /// <summary>The text of <see cref="Interface"/> that binds to none.</summary>
    internal const string AnyInterface = "any";

    private const int LeastBytes = 4 * 1024;
    private const int MostBytes = 1024 * 1024 * 1024;
    private const int DefaultBytes = 4 * 1024 * 1024;
    private const int MostNameCharacters = 64;

    private readonly int? _sendBufferBytes;
    private readonly int? _receiveBufferBytes;
    private readonly string? _interface;
    private readonly bool _hasNoSendOffload;
    private readonly bool _hasNoReceiveOffload;

    /// <summary>Kernel memory for datagrams on their way out. Default 4 MB; 4 KB to 1 GB.</summary>
    /// <remarks>A wish: the system may grant less. The socket's capabilities say what it granted.</remarks>
    public int SendBufferBytes
    {
        get => _sendBufferBytes ?? DefaultBytes;
        init => _sendBufferBytes = value == DefaultBytes ? null : value;
    }

    /// <summary>Kernel memory for datagrams nobody read yet. Default 4 MB; 4 KB to 1 GB.</summary>
    /// <remarks>
    /// A wish: the system may grant less (on Linux, net.core.rmem_max). Too small, and bursts are lost before the loop
    /// sees them.
    /// </remarks>
    public int ReceiveBufferBytes
    {
        get => _receiveBufferBytes ?? DefaultBytes;
        init => _receiveBufferBytes = value == DefaultBytes ? null : value;
    }

    /// <summary>
    /// DiffServ code point of every datagram sent (RFC 2474), for routers that treat classes differently. Default 0,
    /// best effort; 0 to 63: 46 is expedited forwarding (RFC 3246), 1 is less than best effort (RFC 8622).
    /// </summary>
    /// <remarks>
    /// Costs nothing here; networks are free to ignore it, and Windows does unless a policy allows it.
    /// </remarks>
    public int TrafficClass { get; init; }

    /// <summary>
    /// Name of the one network interface datagrams leave by and arrive at, such as "eth0". Default "any": the system
    /// chooses by its routes; 1 to 64 characters without ';'.
    /// </summary>
    /// <remarks>
    /// For machines with several networks. An interface that does not exist, or that the system does not give, is an
    /// error when an endpoint opens. On Windows and macOS it binds what leaves, not what arrives.
    /// </remarks>
    public string Interface
    {
        get => _interface ?? AnyInterface;
        init => _interface = value == AnyInterface ? null : value;
    }

    /// <summary>
    /// Hands up to 64 datagrams of one size to the system in one call, where it can (Linux 4.18, UDP_SEGMENT). Default
    /// true.
    /// </summary>
    /// <remarks>
    /// A system or device that refuses is noticed, nothing is lost, and the socket goes on one by one
    /// (<see cref="DaemonCounters.OffloadFallbacks"/>). Off, each datagram costs a call of 3 to 5 us.
    /// </remarks>
    public bool SendOffload
    {
        get => !_hasNoSendOffload;
        init => _hasNoSendOffload = !value;
    }

    /// <summary>
    /// Takes up to 64 KB of one sender's datagrams from the system in one call, where it joins them (Linux 5.0,
    /// UDP_GRO). Default true.
    /// </summary>
    public bool ReceiveOffload
    {
        get => !_hasNoReceiveOffload;
        init => _hasNoReceiveOffload = !value;
    }

    /// <summary>
    /// Sends, receives and waits through .NET's own Socket alone, as it is done where the system's calls are not known.
    /// Default false.
    /// </summary>
    /// <remarks>One datagram a call, and waits in whole milliseconds. To compare, or to get round a sandbox.</remarks>
    public bool FrameworkOnly { get; init; }

    /// <summary>What differs from the default, as text.</summary>
    public override string ToString() => Table.ToText(this);
}
