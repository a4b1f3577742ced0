using System;
using System.Collections.Generic;

namespace Gudp.Sequencing.Engine;

/// <summary>
/// A member's last batch and grant as they were sent, until its next commit proves that they came: what a link that
/// broke in between may have lost (lock-time 5.2). As much memory as one batch.
/// </summary>
internal sealed class KeptGrant
{
    // Most grants are one short message: it has a place of its own, which costs a copy and no way to a pool.
    private const int ShortBytes = 4_096;

    private readonly List<Outgoing> _more = [];
    private byte[] _short = [];
    private int _shortLength;

    internal bool IsEmpty => _shortLength == 0 && _more.Count == 0;

    internal void Add(ReadOnlySpan<byte> message)
    {
        if (!IsEmpty || message.Length > ShortBytes)
        {
            _more.Add(new Outgoing(0, message));
            return;
        }

        if (message.Length > _short.Length)
        {
            _short = new byte[Math.Min(ShortBytes, Math.Max(message.Length, 2 * _short.Length))];
        }

        message.CopyTo(_short);
        _shortLength = message.Length;
    }

    internal void Clear()
    {
        _shortLength = 0;

        if (_more.Count == 0)
        {
            return;
        }

        foreach (Outgoing message in _more)
        {
            message.Release();
        }

        _more.Clear();
    }

    /// <summary>Sends it once more, to whatever link its member has now.</summary>
    internal void SendAgain(Outbox outbox, Members.Member member)
    {
        if (_shortLength > 0)
        {
            outbox.Writer.WriteBytes(_short.AsSpan(0, _shortLength));
            outbox.Send(member);
        }

        foreach (Outgoing message in _more)
        {
            outbox.Writer.WriteBytes(message.Message);
            outbox.Send(member);
        }
    }
}
