using System;
using System.Text;

namespace Gudp.Sequencing;

/// <summary>One message as a member receives it.</summary>
/// <param name="Channel">The channel it was published to.</param>
/// <param name="Arrival">When it arrives: after the last grant and not after the one it came with.</param>
/// <param name="SendTag">The grant its sender had when it published.</param>
/// <param name="Sender">Name of the sender.</param>
/// <param name="SenderOrdinal">The sender's place in the sorted roster.</param>
/// <param name="SubSequence">Counts the sender's messages over the whole run, from 1.</param>
/// <param name="Payload">
/// Owned by the grant it came with, and never reused: it may be kept. Of a <see cref="GrantView"/> it is the client's.
/// </param>
public readonly record struct SequencedMessage(
    string Channel,
    Tag Arrival,
    Tag SendTag,
    string Sender,
    int SenderOrdinal,
    long SubSequence,
    ReadOnlyMemory<byte> Payload)
{
    /// <summary>1 for a duplicate that the channel's network made (lock-time section 17); else 0.</summary>
    public byte Copy { get; init; }

    /// <summary>The payload as UTF-8; bytes that are none become U+FFFD. Made at each call.</summary>
    public string Text => Encoding.UTF8.GetString(Payload.Span);
}
