using System;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Gudp.Core.Sockets;

/// <summary>
/// Sends and receives by the calls of Linux: a run of equal datagrams leaves and arrives in one call (UDP_SEGMENT,
/// UDP_GRO), nothing is allocated, and an error costs no exception.
/// </summary>
/// <remarks>
/// The size of segments goes with each call, not with the socket, so that a probe of another size is never cut.
/// </remarks>
internal sealed unsafe class LinuxUdpSocket : IWatchedSocket
{
    private const int AddressBytes = 28;

    // Room for more items than were asked for.
    private const int ControlBytes = 64;

    private readonly BoundSocket _bound;
    private readonly Action<IWatchedSocket> _forget;
    private readonly SafeHandle _handle;
    private readonly bool _isIPv4;
    private readonly bool _joinsReceived;
    private readonly int _mostSegments;
    private RunSender _runs;

    /// <param name="bound">Ours from now on.</param>
    /// <param name="offload">What to use; what the system does not have after all is left out.</param>
    /// <param name="forget">Called when this is disposed, before the system's socket is.</param>
    internal LinuxUdpSocket(BoundSocket bound, OffloadChoice offload, Action<IWatchedSocket> forget)
    {
        _bound = bound;
        _forget = forget;
        _handle = bound.Socket.SafeHandle;
        _isIPv4 = bound.Family == AddressFamily.InterNetwork;
        _joinsReceived = offload.Receive && TryJoin(bound.Socket);
        _mostSegments = offload.Send ? RunSender.MostSegments : 1;
        _runs = new RunSender(offload.Send);
    }

    /// <inheritdoc/>
    public PeerAddress LocalAddress => _bound.LocalAddress;

    /// <inheritdoc/>
    public DatagramCapabilities Capabilities => _bound.Granted with
    {
        MaxSegments = _runs.IsOn ? _mostSegments : 1,
        JoinsReceived = _joinsReceived,
    };

    /// <inheritdoc/>
    public long OffloadRefusals => _runs.Refusals;

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

        byte* address = stackalloc byte[AddressBytes];
        byte* control = stackalloc byte[ControlBytes];

        fixed (byte* bytes = buffer)
        {
            MemoryPiece piece = new() { Start = bytes, Bytes = buffer.Length };
            MessageHeader message = new()
            {
                Name = address,
                NameBytes = AddressBytes,
                Pieces = &piece,
                PieceCount = 1,
                Control = control,
                ControlBytes = _joinsReceived ? ControlBytes : 0,
            };
            int error = Receive(&message, out int received);

            if (error != LinuxErrors.None)
            {
                return LinuxErrors.OutcomeOfReceive(error);
            }

            // A run that does not fit loses its last datagrams with it; no buffer of ours is that short. Without its
            // control information nobody knows where a run is to be cut: it would be one datagram that nobody sent.
            if ((message.Flags & (LinuxCalls.CutOff | (_joinsReceived ? LinuxCalls.ControlCutOff : 0))) != 0)
            {
                return SocketOutcome.TooLarge;
            }

            int segmentBytes = SegmentBytesOf(control, message.ControlBytes);
            length = received;
            datagramBytes = segmentBytes > 0 && segmentBytes < received ? segmentBytes : received;
            from = PeerAddress.ReadSystem(new ReadOnlySpan<byte>(address, AddressBytes), _isIPv4);
            return SocketOutcome.Done;
        }
    }

    /// <inheritdoc/>
    public SocketOutcome TrySend(ReadOnlySpan<byte> datagrams, int datagramBytes, PeerAddress to)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(datagrams.Length, (long)datagramBytes * _mostSegments);

        if (!_bound.CanReach(to))
        {
            return SocketOutcome.Unreachable;
        }

        byte* address = stackalloc byte[AddressBytes];
        *(ushort*)address = _isIPv4 ? LinuxCalls.FamilyIPv4 : LinuxCalls.FamilyIPv6;
        int addressBytes = to.WriteSystem(new Span<byte>(address, AddressBytes), _isIPv4);
        return _runs.Send(new SendCall(_handle, address, addressBytes), datagrams, datagramBytes);
    }

    public void Dispose()
    {
        _forget(this);
        Socket.Dispose();
    }

    private static bool TryJoin(Socket socket)
    {
        try
        {
            socket.SetRawSocketOption(LinuxCalls.UdpLevel, LinuxCalls.UdpJoin, BitConverter.GetBytes(1));
            return true;
        }
        catch (SocketException)
        {
            // A kernel before 5.0, or not a kernel at all.
            return false;
        }
    }

    private int Receive(MessageHeader* message, out int received)
    {
        received = 0;

        try
        {
            while (true)
            {
                nint answer = LinuxCalls.ReceiveMessage(_handle, message, LinuxCalls.DoNotWait);

                if (answer >= 0)
                {
                    received = (int)answer;
                    return LinuxErrors.None;
                }

                int error = Marshal.GetLastPInvokeError();

                if (error != LinuxErrors.Interrupted)
                {
                    return error;
                }
            }
        }
        catch (ObjectDisposedException)
        {
            return LinuxErrors.BadDescriptor;
        }
    }

    private static int SegmentBytesOf(byte* control, nint controlBytes)
    {
        nint offset = 0;

        while (offset + sizeof(ControlHeader) + sizeof(int) <= controlBytes)
        {
            ControlHeader* header = (ControlHeader*)(control + offset);

            if (header->Level == LinuxCalls.UdpLevel && header->Type == LinuxCalls.UdpJoin)
            {
                return *(int*)(header + 1);
            }

            if (header->Bytes < sizeof(ControlHeader))
            {
                break;
            }

            // Items are aligned as native integers are.
            offset += (header->Bytes + sizeof(nint) - 1) & ~(nint)(sizeof(nint) - 1);
        }

        return 0;
    }

    /// <summary>To one address.</summary>
    private readonly ref struct SendCall(SafeHandle handle, byte* address, int addressBytes) : ISendCall
    {
        public int Send(ReadOnlySpan<byte> datagrams, int segmentBytes)
        {
            fixed (byte* bytes = datagrams)
            {
                try
                {
                    while (true)
                    {
                        nint answer = segmentBytes == 0
                            ? LinuxCalls.SendTo(
                                handle, bytes, datagrams.Length, LinuxCalls.DoNotWait, address, addressBytes)
                            : SendCut(bytes, datagrams.Length, segmentBytes);

                        if (answer >= 0)
                        {
                            return LinuxErrors.None;
                        }

                        int error = Marshal.GetLastPInvokeError();

                        if (error != LinuxErrors.Interrupted)
                        {
                            return error;
                        }
                    }
                }
                catch (ObjectDisposedException)
                {
                    return LinuxErrors.BadDescriptor;
                }
            }
        }

        private nint SendCut(byte* bytes, int length, int segmentBytes)
        {
            MemoryPiece piece = new() { Start = bytes, Bytes = length };
            SegmentControl control = new()
            {
                Header = new()
                {
                    Bytes = sizeof(ControlHeader) + sizeof(ushort),
                    Level = LinuxCalls.UdpLevel,
                    Type = LinuxCalls.UdpSegment,
                },
                SegmentBytes = (ushort)segmentBytes,
            };
            MessageHeader message = new()
            {
                Name = address,
                NameBytes = addressBytes,
                Pieces = &piece,
                PieceCount = 1,
                Control = &control,
                ControlBytes = sizeof(SegmentControl),
            };
            return LinuxCalls.SendMessage(handle, &message, LinuxCalls.DoNotWait);
        }
    }
}
