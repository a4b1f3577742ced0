using System;
using System.Collections.Generic;

namespace Gudp.Sequencing.Engine;

/// <summary>
/// A member's last batch and grant as they were sent, until its next commit proves that they came: what a link that
/// broke in between may have lost (lock-time 5.2). As much memory as one batch.
/// </summary>
internal sealed class KeptGrant
{
    private readonly List<Outgoing> _messages = [];

    internal bool IsEmpty => _messages.Count == 0;

    internal void Add(ReadOnlySpan<byte> message) => _messages.Add(new Outgoing(0, message));

    internal void Clear()
    {
        foreach (Outgoing message in _messages)
        {
            message.Release();
        }

        _messages.Clear();
    }

    /// <summary>Sends it once more, to whatever link its member has now.</summary>
    internal void SendAgain(Outbox outbox, Members.Member member)
    {
        foreach (Outgoing message in _messages)
        {
            outbox.Writer.WriteBytes(message.Message);
            outbox.Send(member);
        }
    }
}
