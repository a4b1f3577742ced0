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
            (LeastBytes, MostBytes), "smaller ones lose bursts, larger ones are refused by every system");

    private const int LeastBytes = 4 * 1024;
    private const int MostBytes = 1024 * 1024 * 1024;
    private const int DefaultBytes = 4 * 1024 * 1024;

    private readonly int? _sendBufferBytes;
    private readonly int? _receiveBufferBytes;

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

    /// <summary>What differs from the default, as text.</summary>
    public override string ToString() => Table.ToText(this);
}
