using System;
using System.Buffers;
using System.Collections.Generic;

namespace Gudp.Sequencing.Engine;

/// <summary>
/// A member's commits in the order of their steps, from being said until the server has them for good. The front part
/// was handed to the link already; it is kept for the day a link is taken up again.
/// </summary>
internal sealed class CommitStore
{
    // Of the buffer that goes from one commit to the next; longer ones come from the pool and go back there.
    private const int MaxSpareBytes = 4_096;
    private const int LeastBytes = 256;

    private readonly List<Commit> _kept = [];
    private byte[]? _spare;
    private int _sent;
    private ulong _applied;

    internal int Count => _kept.Count;

    internal void Add(ulong step, ReadOnlySpan<byte> message)
    {
        byte[] buffer = Take(message.Length);
        message.CopyTo(buffer);
        _kept.Add(new Commit(step, buffer, message.Length));
    }

    /// <summary>The next message for the link; valid until the store changes.</summary>
    internal bool TryPeek(out ReadOnlySpan<byte> message)
    {
        // What counts already need not be said again, also by a member that does again what it did before it died.
        while (_sent < _kept.Count && _kept[_sent].Step <= _applied)
        {
            _sent++;
        }

        bool isThere = _sent < _kept.Count;
        message = isThere ? _kept[_sent].Message : default;
        return isThere;
    }

    /// <summary>The peeked message was accepted by the link.</summary>
    internal void OnSent()
    {
        Invariant.Require(_sent < _kept.Count, "What is sent was offered before.");
        _sent++;
    }

    /// <summary>On another link everything is said again, but for what the server says it has applied.</summary>
    internal void Rewind(ulong applied)
    {
        _sent = 0;
        _applied = applied;
    }

    /// <summary>Drops what the server has for good, up to <paramref name="step"/>.</summary>
    internal void Forget(ulong step)
    {
        int count = 0;

        while (count < _sent && _kept[count].Step <= step)
        {
            GiveBack(_kept[count].Buffer);
            count++;
        }

        _kept.RemoveRange(0, count);
        _sent -= count;
    }

    private byte[] Take(int length)
    {
        if (_spare is not { } spare || spare.Length < length)
        {
            return ArrayPool<byte>.Shared.Rent(Math.Max(length, LeastBytes));
        }

        _spare = null;
        return spare;
    }

    private void GiveBack(byte[] buffer)
    {
        if (_spare is null && buffer.Length <= MaxSpareBytes)
        {
            _spare = buffer;
        }
        else
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private readonly record struct Commit(ulong Step, byte[] Buffer, int Length)
    {
        internal ReadOnlySpan<byte> Message => Buffer.AsSpan(0, Length);
    }
}
