using System.Buffers.Binary;
using Gudp.Core;
using NUnit.Framework;

namespace Gudp.Tests.World;

/// <summary>Reliable packets of Core as fast as they are taken; each must arrive once and as it was sent.</summary>
internal sealed class PacketBulk(Connection sender, Connection receiver, long bytes)
{
    private const int NumberBytes = 4;
    private const int PacketBytes = 1_000;

    private readonly byte[] _packet = new byte[65_536];
    private readonly byte[] _expected = new byte[PacketBytes];
    private readonly HashSet<int> _received = [];
    private readonly int _packets = (int)((bytes + PacketBytes - 1) / PacketBytes);
    private int _sent;

    /// <summary>Of the application, each byte once.</summary>
    internal long ReceivedBytes => (long)_received.Count * PacketBytes;

    internal bool IsFinished => _received.Count == _packets;

    /// <summary>Sends and reads all that is possible at this moment.</summary>
    /// <returns><see cref="IsFinished"/>.</returns>
    internal bool Advance()
    {
        while (_sent < _packets
            && sender.TrySend(ContentOf(_sent), PacketDelivery.Reliable) == SendStatus.Accepted)
        {
            _sent++;
        }

        while (receiver.TryReceive(_packet, out int length) == ReceiveStatus.Received)
        {
            Note(_packet.AsSpan(0, length));
        }

        return IsFinished;
    }

    private void Note(ReadOnlySpan<byte> packet)
    {
        int number = packet.Length == PacketBytes ? BinaryPrimitives.ReadInt32BigEndian(packet) : -1;

        if (number < 0 || number >= _sent || !packet.SequenceEqual(ContentOf(number)) || !_received.Add(number))
        {
            Assert.Fail($"A packet of {packet.Length} bytes, number {number}, was not sent or came twice.");
        }
    }

    private ReadOnlySpan<byte> ContentOf(int number)
    {
        BinaryPrimitives.WriteInt32BigEndian(_expected, number);
        _expected.AsSpan(NumberBytes).Fill((byte)number);
        return _expected;
    }
}
