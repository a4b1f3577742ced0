using System;
using System.Net.Sockets;

namespace Gudp.Core.Sockets;

/// <summary>
/// Where datagrams come from and go to: the operating system (<see cref="UdpNetwork"/>) or a simulated host. One per
/// daemon: it opens the daemon's sockets and waits for any of them.
/// </summary>
/// <remarks><see cref="Wake"/> is for any thread; everything else is for one thread at a time.</remarks>
public interface IDatagramNetwork : IDisposable
{
    /// <summary>
    /// Opens a non-blocking socket that takes and brings one datagram at a time; the caller disposes it, or the network
    /// does when it is disposed.
    /// </summary>
    /// <param name="local">
    /// Where to listen. Port 0 lets the system choose; <see cref="PeerAddress.AnyIPv6"/> serves both families.
    /// </param>
    /// <param name="sendBufferBytes">Bytes asked of the system for datagrams on their way out; 0 = its default.</param>
    /// <param name="receiveBufferBytes">Bytes asked for datagrams not yet read; 0 = its default.</param>
    /// <exception cref="SocketException">The address is taken, not ours, or not permitted.</exception>
    IDatagramSocket Open(PeerAddress local, int sendBufferBytes, int receiveBufferBytes);

    /// <summary>
    /// As the other, with all that a config asks of the system. A network without such options looks at the buffers
    /// only.
    /// </summary>
    /// <param name="local">Where to listen.</param>
    /// <param name="config">What is asked; valid.</param>
    /// <exception cref="SocketException">
    /// As above, or an option was refused; then the message names its key.
    /// </exception>
    IDatagramSocket Open(PeerAddress local, in SocketConfig config)
        => Open(local, config.SendBufferBytes, config.ReceiveBufferBytes);

    /// <summary>Sleeps until a socket can be read, <see cref="Wake"/> is called, or the time is over.</summary>
    /// <param name="limit">Zero or less only looks; <see cref="TimeSpan.MaxValue"/> is as good as for ever.</param>
    /// <returns>
    /// True: there may be something to read, or somebody called Wake. It can be true for nothing, never false for
    /// something.
    /// </returns>
    bool Wait(TimeSpan limit);

    /// <summary>Ends the present <see cref="Wait"/>, or the next if none runs. Any thread; never blocks.</summary>
    void Wake();
}
