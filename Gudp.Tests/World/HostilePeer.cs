using Gudp.Core;
using Gudp.Core.Engine;
using Gudp.Core.Packets;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;
using Gudp.Core.Wire;

namespace Gudp.Tests.World;

// A stranger with a socket of its own and a builder of packets instead of an engine. It breaks the rules one by one, in
// steps, each at its own moment; between them it reads what it is answered, as the handshake needs that.

/// <summary>
/// Attacks three endpoints; everything but its own connection must stay as it is.
/// </summary>
internal sealed class HostilePeer
{
    private const int FewClients = 80;
    private const int FewHelloPluses = 40;

    // More than one host may have of a table that is half full.
    private const int ManyHelloPluses = (CandidateTable.Capacity / 2) + 40;
    private const int ManyClients = ManyHelloPluses + 40;
    private const int ReceiveBufferBytes = 4 * 1024 * 1024;
    private const int FloodDatagrams = 64;
    private const int FloodBytes = 1_000;
    private const int ShortFrameRoom = 64;
    private const long FarNumber = 20_000;

    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(20);

    private readonly SimWorld _world;
    private readonly IDatagramSocket _socket;
    private readonly PeerAddress _door;
    private readonly PeerAddress _silent;
    private readonly PeerAddress _flooded;
    private readonly Prng _draws;
    private readonly bool _isCrowd;
    private readonly HandshakeParameters _ours = new();
    private readonly HandshakeParameters _theirs = new();
    private readonly byte[] _nonce = new byte[32];
    private readonly byte[] _buffer = new byte[WireFormat.MaxDatagramBytes];
    private readonly Dictionary<ulong, byte[]> _cookies = [];
    private readonly List<(ulong ClientId, ulong ServerId)> _answers = [];

    private long _read;
    private int _step;
    private Instant _nextAt;

    /// <param name="world">Where it lives; it gets a host of its own.</param>
    /// <param name="door">Listens, for packets of Core, with room for one peer that nobody accepts.</param>
    /// <param name="silent">Does not listen.</param>
    /// <param name="flooded">Is sent more at once than a small socket holds.</param>
    /// <param name="draws">Of the attacker alone.</param>
    internal HostilePeer(SimWorld world, PeerAddress door, PeerAddress silent, PeerAddress flooded, Prng draws)
    {
        _world = world;
        _door = door;
        _silent = silent;
        _flooded = flooded;
        _draws = draws;
        _isCrowd = draws.Split(1).NextChance(100_000);
        _nextAt = world.Now + TimeSpan.FromMilliseconds(draws.NextBetween(100, 1_500));
        SimulatedHost host = world.Network.AddHost();
        _socket = host.Open(host.Address.WithPort(6666), 0, ReceiveBufferBytes);
    }

    internal bool IsDone => _step > 4;

    /// <summary>Does the next step once its moment has come.</summary>
    internal void Advance()
    {
        ReadAnswers();

        if (_world.Now < _nextAt || IsDone)
        {
            return;
        }

        switch (_step)
        {
            case 0:
                BreakEveryRuleOfStrangers();
                break;
            case 1:
                Flood();
                break;
            case 2:
                BringCookies();
                break;
            case 3:
                FinishTwice();
                break;
            default:
                BreakEveryRuleOfPeers();
                break;
        }

        _step++;
        _nextAt = _world.Now + Gap;
    }

    /// <returns>How many datagrams it was sent in all.</returns>
    internal long ReadAll()
    {
        ReadAnswers();
        return _read;
    }

    private void BreakEveryRuleOfStrangers()
    {
        Send([]);
        Send(Noise(3));
        Send(WithFirstByte(Noise(60), 0x00));
        Send(WithFirstByte(Noise(60), WireFormat.LongFormBit));
        Send(WithFirstByte(Noise(60), WireFormat.FixedBit | WireFormat.ShortReservedMask));

        for (int i = 0; i < 20; i++)
        {
            Send(Noise((int)_draws.NextBelow(1_300)));
        }

        byte[] hello = Hello(clientId: 5000, applicationId: 0);
        Send(WithFirstByte(hello, (byte)(hello[0] | WireFormat.LongReservedBit)));
        Send(Hello(clientId: 5001, applicationId: 77));
        Send(hello, _silent);
        Send(OfVersion(hello, 7));
        Send(Damaged(hello));
        Send(WithoutNonce());
        Send(Short(hello));
        Send(HelloPlus(clientId: 5000, new byte[CookieJar.CookieBytes]));
        Send(ShortPacket(destinationId: 4711, number: 0, FrameType.Ping));
        _world.Network.Inject(_socket.LocalAddress, _door.WithPort(9), Noise(50));
    }

    private void Flood()
    {
        int clients = _isCrowd ? ManyClients : FewClients;

        for (int client = 1; client <= clients; client++)
        {
            Send(Hello((ulong)client, applicationId: 0));
        }

        for (int i = 0; i < FloodDatagrams; i++)
        {
            Send(Noise(FloodBytes), _flooded);
        }
    }

    private void BringCookies()
    {
        int brought = _isCrowd ? ManyHelloPluses : FewHelloPluses;

        foreach ((ulong client, byte[] cookie) in _cookies.OrderBy(entry => entry.Key).Take(brought))
        {
            Send(HelloPlus(client, cookie));
        }
    }

    private void FinishTwice()
    {
        if (_answers.Count < 2)
        {
            return;
        }

        Send(ShortPacket(_answers[0].ServerId, 0, FrameType.Ping));
        Send(Finish(_answers[0]));
        Send(Finish(_answers[0]));
        Send(Finish(_answers[1]));
        (ulong client, byte[] cookie) = _cookies.OrderBy(entry => entry.Key).Last();
        Send(HelloPlus(client, cookie));
    }

    private void BreakEveryRuleOfPeers()
    {
        if (_answers.Count < 2)
        {
            return;
        }

        const byte UnknownFrame = 0x0F;
        ulong id = _answers[0].ServerId;
        byte[] ping = ShortPacket(id, 1, FrameType.Ping);
        Send(ping);
        Send(ping);
        Send(WithFirstByte(ping, (byte)(ping[0] | WireFormat.FromServerBit)));
        Send(Damaged(ping));
        Send(ShortPacket(id, FarNumber, FrameType.Ping));
        Send(ShortPacket(id, 5, FrameType.Ping));
        Send(ShortPacket(id, FarNumber + 1, UnknownFrame));
        Send(ShortPacket(id, FarNumber + 2, FrameType.Ping));
    }

    private void ReadAnswers()
    {
        while (_socket.TryReceive(_buffer, out int length, out int datagramBytes, out _) == SocketOutcome.Done)
        {
            int position = 0;

            do
            {
                int bytes = Math.Min(datagramBytes, length - position);
                ReadAnswer(_buffer.AsSpan(position, bytes));
                position += bytes;
            }
            while (position < length);
        }
    }

    private void ReadAnswer(ReadOnlySpan<byte> datagram)
    {
        _read++;

        if (LongHeader.TryParse(datagram, out LongHeader header) != DropReason.None
            || !_theirs.TryRead(LongHeader.ParametersOf(datagram), out _, out _))
        {
            return;
        }

        if (header.Type == LongPacketType.Cookie)
        {
            _cookies[header.DestinationId] = _theirs.Cookie.ToArray();
        }
        else if (header.Type == LongPacketType.Answer)
        {
            _answers.Add((header.DestinationId, header.SourceId));
        }
    }

    private void Send(byte[] datagram) => Send(datagram, _door);

    // Straight into the receiver's socket: what it is answered passes a link, which stays perfect.
    private void Send(byte[] datagram, PeerAddress to) => _world.Network.Inject(_socket.LocalAddress, to, datagram);

    private byte[] Noise(int bytes)
    {
        byte[] noise = new byte[bytes];
        _draws.FillInto(noise);
        return noise;
    }

    private byte[] Hello(ulong clientId, ulong applicationId)
    {
        FillHello(applicationId);
        return Built(LongPacketType.Hello, 0, clientId);
    }

    private byte[] HelloPlus(ulong clientId, byte[] cookie)
    {
        FillHello(applicationId: 0);
        _ours.Cookie = cookie;
        _ours.InstanceNumber = 1;
        _ours.PeerId = new byte[16];
        _ours.IdleTimeoutMilliseconds = 15_000;
        _ours.MaxAckDelayMicroseconds = 25_000;
        _ours.LargestDatagramBytes = 1_200;
        _ours.ReceiveBufferBytes = 100_000;
        _ours.ConnectionCreditBytes = 0;
        _ours.LaneCreditBytes = 0;
        _ours.LargestMessageBytes = 0;
        _ours.Lanes = 1;
        _ours.SetPayload(PacketMailbox.Parameters.Protocol, PacketMailbox.Parameters.Version);
        _ours.Choice = new HandshakeChoice(WireFormat.Version, ModeSuite.Plain);
        return Built(LongPacketType.HelloPlus, 0, clientId);
    }

    private byte[] Finish((ulong ClientId, ulong ServerId) answer)
    {
        _ours.Clear();
        _ours.ResetToken = new byte[WireFormat.ResetTokenBytes];
        return Built(LongPacketType.Finish, answer.ServerId, answer.ClientId);
    }

    private byte[] WithoutNonce()
    {
        _ours.Clear();
        _ours.ApplicationId = 0;
        _ours.SetModes([ModeSuite.Plain]);
        _ours.SetVersions([WireFormat.Version]);
        return Built(LongPacketType.Hello, 0, 5002);
    }

    private void FillHello(ulong applicationId)
    {
        _ours.Clear();
        _ours.ApplicationId = applicationId;
        _ours.Nonce = _nonce;
        _ours.SetModes([ModeSuite.Plain]);
        _ours.SetVersions([WireFormat.Version]);
    }

    private byte[] Built(LongPacketType type, ulong destinationId, ulong sourceId)
    {
        byte[] packet = new byte[WireFormat.MinimumHelloBytes + 1];
        int written = HandshakePacket.Write(packet, type, destinationId, sourceId, _ours);
        return packet[..written];
    }

    /// <summary>The hello without its padding, sealed again.</summary>
    private byte[] Short(byte[] hello)
    {
        FillHello(applicationId: 0);
        byte[] packet = new byte[hello.Length];
        int length = LongHeader.Write(packet, LongPacketType.Hello, 0, 5003);
        length += _ours.Write(packet.AsSpan(length));
        byte[] shorter = packet[..(length + WireFormat.TrailerBytes)];
        PacketTrailer.SealLong(shorter);
        return shorter;
    }

    private static byte[] ShortPacket(ulong destinationId, long number, byte frame)
    {
        byte[] packet = new byte[ShortFrameRoom];
        int position = ShortHeader.Write(
            packet, destinationId, isFromServer: false, new PacketNumber(number), -1, WireFormat.LeastNumberBytesInPlain);
        packet[position] = frame;
        new PacketTrailer(applicationId: 0).SealShort(packet);
        return packet;
    }

    private static byte[] OfVersion(byte[] hello, byte version)
    {
        byte[] other = [.. hello];
        other[WireFormat.VersionBytes] = version;       // the last byte of the version, behind the first byte
        return other;
    }

    private static byte[] Damaged(byte[] packet)
    {
        byte[] other = [.. packet];
        other[^1] ^= 1;
        return other;
    }

    private static byte[] WithFirstByte(byte[] packet, byte first)
    {
        byte[] other = [.. packet];
        other[0] = first;
        return other;
    }
}
