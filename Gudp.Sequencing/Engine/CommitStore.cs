using System;
using System.Collections.Generic;

namespace Gudp.Sequencing.Engine;

/// <summary>
/// A member's commits in the order of their steps, from being said until the server has them for good. The front part
/// was handed to the link already; it is kept for the day a link is taken up again.
/// </summary>
internal sealed class CommitStore
{
    private readonly List<(ulong Step, Outgoing Message)> _kept = [];
    private int _sent;
    private ulong _applied;

    internal int Count => _kept.Count;

    internal void Add(ulong step, ReadOnlySpan<byte> message) => _kept.Add((step, new Outgoing(0, message)));

    /// <summary>The next message for the link; valid until the store changes.</summary>
    internal bool TryPeek(out ReadOnlySpan<byte> message)
    {
        // What counts already need not be said again, also by a member that does again what it did before it died.
        while (_sent < _kept.Count && _kept[_sent].Step <= _applied)
        {
            _sent++;
        }

        bool isThere = _sent < _kept.Count;
        message = isThere ? _kept[_sent].Message.Message : default;
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
            _kept[count].Message.Release();
            count++;
        }

        _kept.RemoveRange(0, count);
        _sent -= count;
    }
}
