using System;

namespace Gudp.Core.Sockets;

/// <summary>One local address that datagrams are sent from and arrive at. Never blocks.</summary>
/// <remarks>One thread at a time; <see cref="IDisposable.Dispose"/> from any thread.</remarks>
public interface IDatagramSocket : IDisposable
{
    /// <summary>Where this socket listens, with the port the system chose.</summary>
    PeerAddress LocalAddress { get; }

    /// <summary>
    /// What the system granted. It does not change, except that <see cref="DatagramCapabilities.MaxSegments"/> falls
    /// to 1 once the system has refused several datagrams at once for good.
    /// </summary>
    DatagramCapabilities Capabilities { get; }

    /// <summary>
    /// Times the system refused several datagrams at once that it then took one by one. Only grows. The sending thread.
    /// </summary>
    long OffloadRefusals => 0;

    /// <summary>Takes the oldest waiting datagram, or several of one sender where the system joins them.</summary>
    /// <param name="buffer">
    /// Filled from its start; the caller's. 65,535 bytes hold everything; what does not fit is cut off or dropped.
    /// </param>
    /// <param name="length">Bytes written, 0 for an empty datagram and for every other outcome.</param>
    /// <param name="datagramBytes">
    /// Bytes of each datagram: several stand back to back, the last may be shorter. Without offload it equals
    /// <paramref name="length"/>.
    /// </param>
    /// <param name="from">The sender.</param>
    /// <returns>
    /// Done, WouldBlock (nothing waits), EarlierSendRefused (nothing was received; go on), TooLarge (one datagram
    /// longer than the buffer was dropped), or Closed.
    /// </returns>
    SocketOutcome TryReceive(Span<byte> buffer, out int length, out int datagramBytes, out PeerAddress from);

    /// <summary>Hands one datagram, or several of one size, to the system.</summary>
    /// <param name="datagrams">
    /// Back to back; only the last may be shorter. At most as many as <see cref="DatagramCapabilities.MaxSegments"/>
    /// was at first. Copied before this returns.
    /// </param>
    /// <param name="datagramBytes">Bytes of each datagram but the last.</param>
    /// <param name="to">The receiver; its port is not 0.</param>
    /// <returns>
    /// Done means handed over, not arrived. WouldBlock, TooLarge, Unreachable and EarlierSendRefused: nothing was sent, or
    /// of several only the first ones. Closed: nothing ever will be.
    /// </returns>
    SocketOutcome TrySend(ReadOnlySpan<byte> datagrams, int datagramBytes, PeerAddress to);
}

/// <summary>What became of one call on an <see cref="IDatagramSocket"/>.</summary>
public enum SocketOutcome
{
    /// <summary>It was done.</summary>
    Done,

    /// <summary>Nothing to read, or no room to send; try again later.</summary>
    WouldBlock,

    /// <summary>Nobody listened for some datagram sent earlier. A hint that can be forged; go on.</summary>
    EarlierSendRefused,

    /// <summary>Longer than this path or socket takes at once (EMSGSIZE).</summary>
    TooLarge,

    /// <summary>No way there now: no route, a firewall, no memory. Passes; treat it as a loss.</summary>
    Unreachable,

    /// <summary>The socket is disposed or broken for good.</summary>
    Closed,
}

/// <summary>What the system granted a socket.</summary>
/// <param name="SendBufferBytes">As the system reports it; Linux reports twice what it was asked for.</param>
/// <param name="ReceiveBufferBytes">As above. Bursts longer than this are lost before Gudp sees them.</param>
/// <param name="MaxSegments">Datagrams one TrySend may carry; 1 = no offload.</param>
/// <param name="DoNotFragment">
/// True if datagrams leave whole or not at all. False: the system would not promise it, and the path's size is not
/// searched, since a probe in pieces would prove nothing (RFC 8899 section 3).
/// </param>
public readonly record struct DatagramCapabilities(
    int SendBufferBytes, int ReceiveBufferBytes, int MaxSegments, bool DoNotFragment)
{
    /// <summary>True if one TryReceive may bring several datagrams.</summary>
    public bool JoinsReceived { get; init; }
}
