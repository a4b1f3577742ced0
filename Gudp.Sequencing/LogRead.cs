using System;

namespace Gudp.Sequencing;

/// <summary>What <see cref="SequenceReader"/> came across.</summary>
public enum LogReadKind
{
    /// <summary>Nothing yet.</summary>
    None = 0,

    /// <summary>A message; numbers ascend.</summary>
    Message = 1,

    /// <summary>
    /// A gap: what was asked for is not all kept any more. The next message is <see cref="LogRead.Number"/> or later, and
    /// from there on nothing is missing.
    /// </summary>
    Trimmed = 2,

    /// <summary>The run is over and everything was read.</summary>
    End = 3,
}

/// <summary>One message of the sealed log of a run (lock-time section 7.3).</summary>
/// <param name="Number">Global sequence number, from 1.</param>
/// <param name="Channel">The channel it was published to.</param>
/// <param name="Arrival">
/// Its place in the run: the publisher's tag and the channel's least latency. Single receivers may get it later, or not at
/// all, as the channel's network has it.
/// </param>
/// <param name="SendTag">The grant its sender had when it published.</param>
/// <param name="Sender">Name of the sender.</param>
/// <param name="SenderOrdinal">The sender's place in the run's numbering.</param>
/// <param name="SubSequence">Counts the sender's messages over the whole run, from 1.</param>
/// <param name="Payload">Owned by the message, and never reused: it may be kept.</param>
public sealed record LoggedMessage(
    long Number, string Channel, Tag Arrival, Tag SendTag, string Sender, int SenderOrdinal, long SubSequence,
    ReadOnlyMemory<byte> Payload);

/// <summary>One thing read from a log.</summary>
/// <param name="Kind">What.</param>
/// <param name="Number">Of the message; at a gap the first that is kept; at the end the last there is.</param>
/// <param name="Message">The message; null if it is none.</param>
/// <param name="RunDigest">Of the whole run, at the end; else 0.</param>
public readonly record struct LogRead(LogReadKind Kind, long Number, LoggedMessage? Message, ulong RunDigest);
