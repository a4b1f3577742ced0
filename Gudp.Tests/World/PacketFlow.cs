using System.Buffers.Binary;
using Gudp.Core;
using NUnit.Framework;

namespace Gudp.Tests.World;

/// <summary>
/// Unreliable packets from one end of a connection of Core to the other. Each arrives at most once and as it was sent;
/// that is all that is promised.
/// </summary>
internal sealed class PacketFlow(string name, Connection sender, Prng draws, int packets)
{
    private const int MostBytes = 1_100;
    private const int NumberBytes = 4;

    private readonly List<byte[]> _sent = [];
    private readonly HashSet<int> _received = [];
    private readonly byte[] _buffer = new byte[2_000];

    /// <summary>The other end, once it was accepted.</summary>
    internal Connection? Receiver { get; set; }

    internal Connection Sender => sender;

    internal bool IsReaderPaused { get; set; }

    internal int Received => _received.Count;

    internal int Sent => _sent.Count;

    internal void Advance()
    {
        if (sender.Status.IsOpen && _sent.Count < packets && draws.NextChance(200_000))
        {
            // Several at once, so that a short queue at the other end can overflow.
            for (long i = draws.NextBetween(1, 6); i > 0; i--)
            {
                Send();
            }
        }

        if (!IsReaderPaused)
        {
            Read();
        }
    }

    internal void AssertAlive()
    {
        Oracles.AssertAlive(sender, $"{name}, sender");

        if (Receiver is not null)
        {
            Oracles.AssertAlive(Receiver, $"{name}, receiver");
        }
    }

    private void Send()
    {
        byte[] packet = new byte[NumberBytes + draws.NextBelow(MostBytes - NumberBytes)];
        new Prng((ulong)_sent.Count).FillInto(packet);
        BinaryPrimitives.WriteInt32BigEndian(packet, _sent.Count);

        if (sender.TrySend(packet) == SendStatus.Accepted)
        {
            _sent.Add(packet);
        }
    }

    private void Read()
    {
        while (Receiver is not null && Receiver.TryReceive(_buffer, out int length) == ReceiveStatus.Received)
        {
            int number = length < NumberBytes ? -1 : BinaryPrimitives.ReadInt32BigEndian(_buffer);

            if (number < 0 || number >= _sent.Count || !_buffer.AsSpan(0, length).SequenceEqual(_sent[number]))
            {
                Assert.Fail($"{name}: a packet of {length} bytes that was never sent.");
            }

            if (!_received.Add(number))
            {
                Assert.Fail($"{name}: packet {number} arrived twice.");
            }
        }
    }
}
