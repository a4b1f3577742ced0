using System;
using System.Collections.Generic;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing;

/// <summary>One delivered message as it stands in a run record (clause ).</summary>
public sealed class RecordedMessage
{
    private readonly ulong _hash;

    internal RecordedMessage(MessageKey key, string channel, byte[] payload)
    {
        Key = key;
        Channel = channel;
        Payload = payload;
        Length = payload.Length;
        IsWhole = true;
    }

    internal RecordedMessage(MessageKey key, string channel, long length, ulong hash)
    {
        Key = key;
        Channel = channel;
        Length = length;
        _hash = hash;
    }

    /// <summary>Its place in the one total order.</summary>
    public MessageKey Key { get; }

    /// <summary>The channel it was published to.</summary>
    public string Channel { get; }

    /// <summary>Bytes of the payload.</summary>
    public long Length { get; }

    /// <summary>Whether the record holds the payload itself; otherwise only its length and hash.</summary>
    public bool IsWhole { get; }

    /// <summary>The payload; empty if it is not <see cref="IsWhole"/>.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>XXH64 of the payload, seed 0.</summary>
    public ulong PayloadHash => IsWhole ? XxHash64.Hash(0, Payload.Span) : _hash;
}

/// <summary>A grant with what was delivered with it.</summary>
/// <param name="Grant">The grant.</param>
/// <param name="Messages">Its batch, in the order of delivery.</param>
public sealed record RecordedBatch(RecordedGrant Grant, IReadOnlyList<RecordedMessage> Messages);
