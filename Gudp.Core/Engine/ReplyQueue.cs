using System;
using Gudp.Core.Wire;

namespace Gudp.Core.Engine;

/// <summary>
/// Answers to strangers that wait for the transmit step of the turn: at most <see cref="Capacity"/>, each not longer
/// than its cause; what finds no room is dropped and counted by the caller.
/// </summary>
internal sealed class ReplyQueue
{
    // As many as a turn receives by default. All hellos of a burst (G37) may come in one turn, what is not answered comes
    // again after HandshakeRetry, and clients that were started together keep coming together: with 64 places a quarter
    // of a thousand had no answer within the ten seconds of HandshakeTimeout. Slots are made when first used, 600 KB of
    // them at most for an endpoint.
    internal const int Capacity = 512;

    private readonly byte[][] _slots = new byte[Capacity][];
    private readonly int[] _lengths = new int[Capacity];
    private readonly PeerAddress[] _targets = new PeerAddress[Capacity];
    private int _head;
    private int _count;

    internal bool IsEmpty => _count == 0;

    /// <summary>
    /// A slot to write the next reply into; empty if there is no room. Counts only after <see cref="Commit"/>.
    /// </summary>
    internal Span<byte> Reserve()
    {
        if (_count == Capacity)
        {
            return default;
        }

        int slot = (_head + _count) % Capacity;
        return _slots[slot] ??= new byte[WireFormat.MinimumHelloBytes];
    }

    /// <summary>Queues what was written into the reserved slot.</summary>
    internal void Commit(int bytes, PeerAddress to)
    {
        Invariant.Require(_count < Capacity && bytes > 0, "Only a reserved slot is committed.");
        int slot = (_head + _count) % Capacity;
        _lengths[slot] = bytes;
        _targets[slot] = to;
        _count++;
    }

    internal bool TryTake(Span<byte> destination, out int bytes, out PeerAddress to)
    {
        if (_count == 0)
        {
            bytes = 0;
            to = default;
            return false;
        }

        bytes = _lengths[_head];
        to = _targets[_head];
        _slots[_head].AsSpan(0, bytes).CopyTo(destination);
        _head = (_head + 1) % Capacity;
        _count--;
        return true;
    }
}
