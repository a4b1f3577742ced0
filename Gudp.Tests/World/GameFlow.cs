using System.Buffers.Binary;
using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.World;

/// <summary>What a game sends: in each frame one reliable message and one unreliable, of drawn lengths.</summary>
internal sealed class GameFlow(Peer sender, Peer receiver, Prng draws)
{
    private const int NumberBytes = 4;
    private const int MostReliableBytes = 4_000;
    private const int MostUnreliableBytes = 2_000;

    private readonly List<byte[]> _reliable = [];
    private readonly List<byte[]> _unreliable = [];
    private readonly HashSet<int> _arrived = [];
    private byte[]? _refused;
    private int _received;

    internal int ReliableSent => _reliable.Count;

    internal int UnreliableReceived => _arrived.Count;

    internal bool IsFinished => _refused is null && _received == _reliable.Count;

    internal void SendFrame()
    {
        byte[] unreliable = Drawn(_unreliable.Count, Math.Min(MostUnreliableBytes, sender.MaxUnreliableBytes));

        if (sender.TrySend(unreliable, new SendOptions { Lane = SendOptions.UnreliableLane }) == SendStatus.Accepted)
        {
            _unreliable.Add(unreliable);
        }

        SendReliable(_refused ?? Drawn(_reliable.Count, MostReliableBytes));
    }

    /// <summary>Tries again what there was no room for.</summary>
    internal void SendRefused()
    {
        if (_refused is not null)
        {
            SendReliable(_refused);
        }
    }

    internal void Read()
    {
        while (receiver.TryReceive(out ReceivedMessage message))
        {
            if (message.Lane == SendOptions.DefaultLane || message.Lane == 0)
            {
                NoteReliable(message.Span);
            }
            else
            {
                NoteUnreliable(message.Span);
            }

            message.Dispose();
        }
    }

    private void SendReliable(byte[] message)
    {
        bool isAccepted = sender.TrySend(message) == SendStatus.Accepted;
        _refused = isAccepted ? null : message;

        if (isAccepted)
        {
            _reliable.Add(message);
        }
    }

    private byte[] Drawn(int number, int mostBytes)
    {
        byte[] message = new byte[draws.NextBetween(NumberBytes, mostBytes)];
        draws.FillInto(message);
        BinaryPrimitives.WriteInt32BigEndian(message, number);
        return message;
    }

    private void NoteReliable(ReadOnlySpan<byte> message)
    {
        if (_received >= _reliable.Count || !message.SequenceEqual(_reliable[_received]))
        {
            Assert.Fail($"Reliable message {_received} is not what was sent.");
        }

        _received++;
    }

    private void NoteUnreliable(ReadOnlySpan<byte> message)
    {
        int number = message.Length < NumberBytes ? -1 : BinaryPrimitives.ReadInt32BigEndian(message);

        if (number < 0 || number >= _unreliable.Count || !message.SequenceEqual(_unreliable[number])
            || !_arrived.Add(number))
        {
            Assert.Fail($"Unreliable message {number} came twice or was never sent.");
        }
    }
}
