// The batch of a member's next grant, or of its last one until the member asks again: in memory that is used for one
// batch after the other, so that a member whose program only looks at its messages makes no garbage.
//
// Always true: what was added is unchanged until the batch is cleared; also when the memory had to grow, because what
// was added before keeps the old piece.

using System;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Engine;

internal sealed class MemberBatch
{
    // A single large batch does not hold its memory for the rest of the run.
    private const int MaxIdleBytes = 1 << 20;
    private const int MaxIdleMessages = 1 << 14;

    private byte[] _bytes = [];
    private int _used;
    private SequencedMessage[] _messages = [];
    private int[] _interests = [];
    private int _payloadBytes;

    /// <summary>What its messages count, as in an inbox.</summary>
    internal long Bytes { get; private set; }

    internal int Count { get; private set; }

    /// <summary>Valid until the batch is cleared.</summary>
    internal ReadOnlySpan<SequencedMessage> Messages => _messages.AsSpan(0, Count);

    /// <summary>The interest of each message.</summary>
    internal ReadOnlySpan<int> Interests => _interests.AsSpan(0, Count);

    /// <summary>Arrival of the last message; of an empty batch the start of time.</summary>
    internal Tag Last => Count == 0 ? new Tag(long.MinValue, 0) : _messages[Count - 1].Arrival;

    /// <summary>Copies a frame's body to where its messages can stay.</summary>
    internal ReadOnlyMemory<byte> Hold(ReadOnlySpan<byte> body)
    {
        if (_bytes.Length - _used < body.Length)
        {
            _bytes = new byte[Math.Max(body.Length, 2 * _bytes.Length)];
            _used = 0;
        }

        body.CopyTo(_bytes.AsSpan(_used));
        Memory<byte> held = _bytes.AsMemory(_used, body.Length);
        _used += body.Length;
        return held;
    }

    internal void Add(in SequencedMessage message, int interest)
    {
        if (Count == _messages.Length)
        {
            Array.Resize(ref _messages, Math.Max(8, 2 * Count));
            Array.Resize(ref _interests, _messages.Length);
        }

        _messages[Count] = message;
        _interests[Count++] = interest;
        _payloadBytes += message.Payload.Length;
        Bytes += ArrivalQueue.BytesOf(message.Payload.Length);
    }

    internal void Clear()
    {
        // Names and payloads of before are not held on to.
        _messages.AsSpan(0, Count).Clear();
        Count = 0;
        _used = 0;
        _payloadBytes = 0;
        Bytes = 0;

        if (_bytes.Length > MaxIdleBytes)
        {
            _bytes = [];
        }

        if (_messages.Length > MaxIdleMessages)
        {
            _messages = [];
            _interests = [];
        }
    }

    /// <summary>The messages as their taker's own: one piece of memory for all payloads.</summary>
    internal SequencedMessage[] ToOwned()
    {
        if (Count == 0)
        {
            return [];
        }

        SequencedMessage[] owned = Messages.ToArray();
        byte[] payloads = new byte[_payloadBytes];
        int at = 0;

        foreach (ref SequencedMessage message in owned.AsSpan())
        {
            int length = message.Payload.Length;
            message.Payload.Span.CopyTo(payloads.AsSpan(at));
            message = message with { Payload = payloads.AsMemory(at, length) };
            at += length;
        }

        return owned;
    }
}
