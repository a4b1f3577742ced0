using Gudp.Core;
using Gudp.Core.Engine;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;
using Gudp.Core.Wire;
using NUnit.Framework;

namespace Gudp.Tests.World;

/// <summary>
/// A client that knows the bytes and keeps no rule: opens a connection by hand, then says whatever a test wants.
/// </summary>
internal sealed class RawPeer
{
    private const ulong ClientId = 0x1122_3344_5566_7788;

    private readonly SimWorld _world;
    private readonly IDatagramSocket _socket;
    private readonly PeerAddress _server;
    private readonly PacketTrailer _trailer = new(applicationId: 0);
    private readonly byte[] _buffer = new byte[WireFormat.MaxDatagramBytes];
    private readonly byte[] _nonce = new byte[32];
    private ulong _serverId;
    private long _next;

    internal RawPeer(SimWorld world, Endpoint server)
    {
        _world = world;
        _server = server.LocalAddress;
        SimulatedHost host = world.Network.AddHost();
        _socket = host.Open(host.Address, 0, 0);
    }

    /// <summary>The largest packet number seen from the server; -1 before the first.</summary>
    internal long LargestSeen { get; private set; } = -1;

    /// <summary>The numbers of all short packets taken so far, in order of their arrival.</summary>
    internal List<long> Seen { get; } = [];

    /// <summary>Hello, HelloPlus and Finish. The server then holds a connection that asks for nothing more.</summary>
    internal void Open(Action<HandshakeParameters>? change = null)
    {
        HandshakeParameters cookie = Ask(LongPacketType.Hello, Hello(), out _);
        Finish(AskForAnswer(cookie, change));
    }

    /// <summary>Up to the answer: the server holds a candidate.</summary>
    internal ulong AskForAnswer(Action<HandshakeParameters>? change = null)
        => AskForAnswer(Ask(LongPacketType.Hello, Hello(), out _), change);

    internal void Finish(ulong serverId)
    {
        _serverId = serverId;
        HandshakeParameters finish = new() { ResetToken = new byte[WireFormat.ResetTokenBytes] };
        SendLong(LongPacketType.Finish, serverId, finish);
        _world.Settle();
    }

    /// <summary>Sends one packet with these frames and the next number, and lets the server have its turns.</summary>
    internal void Send(params ReadOnlySpan<byte> frames) => SendNumbered(_next, frames);

    internal void SendNumbered(long number, params ReadOnlySpan<byte> frames)
    {
        Span<byte> packet = Write(number, frames);
        _socket.TrySend(packet, packet.Length, _server);
        _world.Network.AdvanceTo(_world.Network.NextArrival);
        _world.Settle();
    }

    /// <summary>The same from another address, as somebody who reads along would forge it.</summary>
    internal void SendFrom(PeerAddress address, params ReadOnlySpan<byte> frames)
    {
        _world.Network.Inject(address, _server, Write(_next, frames));
        _world.Network.AdvanceTo(_world.Network.NextArrival);
        _world.Settle();
    }

    private Span<byte> Write(long number, ReadOnlySpan<byte> frames)
    {
        _next = number + 1;
        int header = ShortHeader.Write(_buffer, _serverId, isFromServer: false, new PacketNumber(number), number - 1);
        frames.CopyTo(_buffer.AsSpan(header));
        Span<byte> packet = _buffer.AsSpan(0, header + frames.Length + WireFormat.TrailerBytes);
        _trailer.SealShort(packet);
        return packet;
    }

    /// <summary>Its socket is gone; what the server still sends finds nobody.</summary>
    internal void Close() => _socket.Dispose();

    /// <summary>An Ack frame of one range.</summary>
    internal static byte[] Ack(long smallest, long largest) => Ack(new AckRange(smallest, largest));

    /// <summary>An Ack frame of these ranges, newest first.</summary>
    internal static byte[] Ack(params ReadOnlySpan<AckRange> ranges)
    {
        byte[] frame = new byte[64];
        return frame[..FrameWriter.WriteAck(frame, ranges, TimeSpan.Zero)];
    }

    /// <summary>Takes everything the server has sent; returns the frames of its short packets.</summary>
    internal List<byte[]> Take()
    {
        List<byte[]> packets = [];

        while (_socket.TryReceive(_buffer, out int length, out _, out _) == SocketOutcome.Done)
        {
            ReadOnlySpan<byte> datagram = _buffer.AsSpan(0, length);

            if (ShortHeader.TryParse(datagram, out ShortHeader header) == DropReason.None)
            {
                LargestSeen = PacketNumber.Expand(
                    header.NumberBits, header.NumberWidthBytes, new PacketNumber(LargestSeen + 1)).Value;
                Seen.Add(LargestSeen);
                packets.Add(datagram[header.HeaderBytes..^WireFormat.TrailerBytes].ToArray());
            }
        }

        return packets;
    }

    private ulong AskForAnswer(HandshakeParameters cookie, Action<HandshakeParameters>? change)
    {
        HandshakeParameters plus = Hello();
        plus.Cookie = cookie.Cookie;
        plus.Choice = new HandshakeChoice(WireFormat.Version, ModeSuite.Plain);
        plus.InstanceNumber = 1;
        plus.PeerId = new byte[ParameterRule.PeerIdBytes];
        plus.ConnectionCreditBytes = 0;
        plus.LaneCreditBytes = 0;
        plus.LargestMessageBytes = 0;
        plus.Lanes = 1;
        plus.SetPayload(0, 1);
        change?.Invoke(plus);
        plus.IdleTimeoutMilliseconds ??= 15_000;
        plus.MaxAckDelayMicroseconds ??= 25_000;
        plus.LargestDatagramBytes ??= 1_200;
        plus.ReceiveBufferBytes ??= 1 << 20;
        Ask(LongPacketType.HelloPlus, plus, out ulong serverId);
        return serverId;
    }

    private HandshakeParameters Hello()
    {
        HandshakeParameters hello = new() { ApplicationId = 0, Nonce = _nonce };
        hello.SetModes([ModeSuite.Plain]);
        hello.SetVersions([WireFormat.Version]);
        return hello;
    }

    private HandshakeParameters Ask(LongPacketType type, HandshakeParameters question, out ulong serverId)
    {
        SendLong(type, 0, question);
        _world.Network.AdvanceTo(_world.Network.NextArrival);
        Assert.That(_socket.TryReceive(_buffer, out int length, out _, out _), Is.EqualTo(SocketOutcome.Done));
        LongHeader.TryParse(_buffer.AsSpan(0, length), out LongHeader header);
        HandshakeParameters answer = new();
        Assert.That(answer.TryRead(LongHeader.ParametersOf(_buffer.AsSpan(0, length)), out _, out _), Is.True);
        serverId = header.SourceId;
        return answer;
    }

    private void SendLong(LongPacketType type, ulong serverId, HandshakeParameters parameters)
    {
        int length = HandshakePacket.Write(_buffer.AsSpan(0, 1_200), type, serverId, ClientId, parameters);
        _socket.TrySend(_buffer.AsSpan(0, length), length, _server);
        _world.Network.AdvanceTo(_world.Network.NextArrival);
        _world.Settle();
    }
}
