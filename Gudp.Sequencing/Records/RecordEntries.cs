using System;
using System.Collections.Generic;
using System.Text;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Records;

/// <summary>A delivery as it lies in a block.</summary>
internal readonly ref struct DeliveryEntry(MessageKey key, int channel, ReadOnlySpan<byte> payload)
{
    internal readonly MessageKey Key = key;
    internal readonly ReadOnlySpan<byte> Payload = payload;

    internal int Channel { get; } = channel;
    internal bool IsWhole { get; init; }
    internal long Length { get; init; }
    internal ulong Hash { get; init; }
}

/// <summary>
/// Reads the bodies of entries; clause R-3. False is a body that is not of its kind. Numbers that must agree with
/// other entries are the caller's to check.
/// </summary>
internal static class RecordEntries
{
    /// <summary>The next entry of a block; a kind that is not known is skipped by its length .</summary>
    internal static bool TryReadEntry(ref FrameReader block, out EntryKind kind, out ReadOnlySpan<byte> body)
    {
        kind = (EntryKind)block.ReadByte();
        body = block.ReadBlock();
        return !block.IsMalformed;
    }

    internal static bool TryReadHead(ReadOnlySpan<byte> body, out RunRecordHead head)
    {
        FrameReader reader = new(body);
        string version = reader.ReadText();
        ulong upper = reader.ReadUInt64();
        ulong lower = reader.ReadUInt64();
        ulong configHash = reader.ReadUInt64();
        ulong otherHash = reader.ReadUInt64();
        int recordedBy = (int)reader.ReadNumber(RecordFormat.MaxNumbers);
        head = new RunRecordHead
        {
            Version = version,
            RunId = new UInt128(upper, lower),
            ConfigHash = configHash,
            OtherHash = otherHash,
            RecordedBy = recordedBy == 0 ? null : recordedBy - 1,
            KeepPayloadBytes = reader.ReadInt32(),
        };

        return reader.IsComplete;
    }

    internal static RunRecordHead WithConfiguration(RunRecordHead head, List<byte[]> pieces) => new()
    {
        Version = head.Version,
        RunId = head.RunId,
        ConfigHash = head.ConfigHash,
        OtherHash = head.OtherHash,
        RecordedBy = head.RecordedBy,
        KeepPayloadBytes = head.KeepPayloadBytes,

        // The hash tells whether configurations are equal; a byte that is no UTF-8 is shown as a question.
        Configuration = Encoding.UTF8.GetString(Joined(pieces)),
    };

    internal static bool TryReadNamed(ReadOnlySpan<byte> body, out int number, out string name)
    {
        FrameReader reader = new(body);
        number = (int)reader.ReadNumber(RecordFormat.MaxNumbers - 1);
        name = reader.ReadText();
        return reader.IsComplete;
    }

    internal static bool TryReadDelivery(ReadOnlySpan<byte> body, out DeliveryEntry delivery)
    {
        FrameReader reader = new(body);
        Tag arrival = reader.ReadTag();
        Tag sent = reader.ReadTag();
        int publisher = reader.ReadInt32();
        long subSequence = (long)reader.ReadNumber();
        byte copy = reader.ReadByte();
        int channel = (int)reader.ReadNumber(RecordFormat.MaxNumbers - 1);
        byte form = reader.ReadByte();
        MessageKey key = new(arrival, sent, publisher, subSequence, copy);

        if (form == 0)
        {
            ReadOnlySpan<byte> payload = reader.ReadRest();
            delivery = new DeliveryEntry(key, channel, payload) { IsWhole = true, Length = payload.Length };
        }
        else
        {
            delivery = new DeliveryEntry(key, channel, default)
            {
                Length = (long)reader.ReadNumber(),
                Hash = reader.ReadUInt64(),
            };
        }

        return reader.IsComplete && form <= 1;
    }

    internal static bool TryReadGrant(ReadOnlySpan<byte> body, out RecordedGrant grant)
    {
        FrameReader reader = new(body);
        int member = (int)reader.ReadNumber(RecordFormat.MaxNumbers - 1);
        long index = (long)reader.ReadNumber();
        Tag tag = reader.ReadTag();
        byte flags = reader.ReadByte();
        GrantParts parts = (GrantParts)reader.ReadByte();
        int count = reader.ReadInt32();
        ulong digest = reader.ReadUInt64();
        grant = new RecordedGrant(member, index, tag, digest)
        {
            Flags = flags,
            Count = count,
            StateChecksum = parts.HasFlag(GrantParts.StateChecksum) ? reader.ReadUInt64() : null,
            CommitDigest = parts.HasFlag(GrantParts.CommitDigest) ? reader.ReadUInt64() : null,
            WallMilliseconds = (long)reader.ReadNumber(),
        };

        if (parts.HasFlag(GrantParts.Wait))
        {
            long waited = (long)reader.ReadNumber();
            WaitKind because = (WaitKind)reader.ReadNumber((ulong)WaitKind.FlowControl);
            int root = (int)reader.ReadNumber(RecordFormat.MaxNumbers);
            grant = grant with
            {
                WaitedMilliseconds = waited,
                WaitedBecause = because,
                WaitedFor = root == 0 ? null : root - 1,
            };
        }

        return reader.IsComplete && parts <= GrantParts.All;
    }

    internal static bool TryReadFact(ReadOnlySpan<byte> body, out RecordedFact fact)
    {
        FrameReader reader = new(body);
        fact = new RecordedFact(reader.ReadText(), reader.ReadText(), reader.ReadTag(), (long)reader.ReadNumber());
        return reader.IsComplete;
    }

    internal static bool TryReadEnd(ReadOnlySpan<byte> body, out ulong runDigest, out long grants)
    {
        FrameReader reader = new(body);
        runDigest = reader.ReadUInt64();
        grants = (long)reader.ReadNumber();
        return reader.IsComplete;
    }

    private static byte[] Joined(List<byte[]> pieces)
    {
        int bytes = 0;

        foreach (byte[] piece in pieces)
        {
            bytes += piece.Length;
        }

        byte[] all = new byte[bytes];
        int at = 0;

        foreach (byte[] piece in pieces)
        {
            piece.CopyTo(all, at);
            at += piece.Length;
        }

        return all;
    }
}
