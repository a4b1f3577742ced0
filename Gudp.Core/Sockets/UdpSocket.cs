using System;
using System.Net;
using System.Net.Sockets;

namespace Gudp.Core.Sockets;

/// <summary>
/// Sends and receives through the framework, one datagram a call: works wherever .NET does. The framework's quirks are
/// absorbed here; nothing of the protocol is decided here.
/// </summary>
internal sealed class UdpSocket : IWatchedSocket
{
    private readonly BoundSocket _bound;
    private readonly Action<IWatchedSocket> _forget;
    private readonly SocketAddress _sender;
    private readonly SocketAddress _receiver;

    /// <param name="bound">Ours from now on.</param>
    /// <param name="forget">Called when this is disposed, before the system's socket is.</param>
    internal UdpSocket(BoundSocket bound, Action<IWatchedSocket> forget)
    {
        _bound = bound;
        _forget = forget;
        _sender = new SocketAddress(bound.Family);
        _receiver = new SocketAddress(bound.Family);
    }

    /// <inheritdoc/>
    public PeerAddress LocalAddress => _bound.LocalAddress;

    /// <inheritdoc/>
    public DatagramCapabilities Capabilities => _bound.Granted;

    public Socket Socket => _bound.Socket;

    public object? Mark
    {
        get => _bound.Mark;
        set => _bound.Mark = value;
    }

    /// <inheritdoc/>
    public SocketOutcome TryReceive(Span<byte> buffer, out int length, out int datagramBytes, out PeerAddress from)
    {
        length = 0;
        datagramBytes = 0;
        from = default;

        try
        {
            // Asked first because an empty non-blocking socket answers with an exception, which costs far more than
            // this. Socket.Available is no cheaper and says 0 when an empty datagram stands before others.
            if (!Socket.Poll(0, SelectMode.SelectRead))
            {
                return SocketOutcome.WouldBlock;
            }

            // This overload refills one SocketAddress; the ones that take an EndPoint allocate for every datagram.
            length = Socket.ReceiveFrom(buffer, SocketFlags.None, _sender);
        }
        catch (SocketException refusal)
        {
            return OutcomeOfReceive(refusal.SocketErrorCode);
        }
        catch (ObjectDisposedException)
        {
            return SocketOutcome.Closed;
        }

        datagramBytes = length;
        from = PeerAddress.Read(_sender);
        return SocketOutcome.Done;
    }

    /// <inheritdoc/>
    public SocketOutcome TrySend(ReadOnlySpan<byte> datagrams, int datagramBytes, PeerAddress to)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(datagrams.Length, datagramBytes);

        if (!_bound.CanReach(to))
        {
            return SocketOutcome.Unreachable;
        }

        to.Write(_receiver, _bound.Family);

        try
        {
            Socket.SendTo(datagrams, SocketFlags.None, _receiver);
            return SocketOutcome.Done;
        }
        catch (SocketException refusal)
        {
            return OutcomeOfSend(refusal.SocketErrorCode);
        }
        catch (ObjectDisposedException)
        {
            return SocketOutcome.Closed;
        }
    }

    public void Dispose()
    {
        _forget(this);
        Socket.Dispose();
    }

    private static SocketOutcome OutcomeOfReceive(SocketError error) => error switch
    {
        // Readable and yet empty: the waiting datagram failed its checksum.
        SocketError.WouldBlock or SocketError.TryAgain or SocketError.NoBufferSpaceAvailable
            => SocketOutcome.WouldBlock,
        SocketError.ConnectionReset or SocketError.ConnectionRefused or SocketError.NetworkReset
            or SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown
            => SocketOutcome.EarlierSendRefused,
        SocketError.MessageSize => SocketOutcome.TooLarge,
        _ => SocketOutcome.Closed,
    };

    private static SocketOutcome OutcomeOfSend(SocketError error) => error switch
    {
        SocketError.WouldBlock or SocketError.TryAgain => SocketOutcome.WouldBlock,
        SocketError.ConnectionReset or SocketError.ConnectionRefused => SocketOutcome.EarlierSendRefused,
        SocketError.MessageSize => SocketOutcome.TooLarge,
        SocketError.Interrupted or SocketError.OperationAborted or SocketError.NotSocket or SocketError.Shutdown
            => SocketOutcome.Closed,

        // No route, a firewall's veto, port 0, no memory: bad for this datagram, perhaps not for the next.
        _ => SocketOutcome.Unreachable,
    };
}
