using System;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Wire;

/// <summary>One thing a member says in a commit. Only the members that its kind uses have a meaning.</summary>
internal ref struct CommitElement
{
    internal ElementKind Kind { get; set; }
    internal int Interest { get; set; }
    internal Tag Tag { get; set; }
    internal Delay Lookahead { get; set; }
    internal AdvanceRequest Request { get; set; }

    /// <summary>S and R as flags of Hello, clause .</summary>
    internal ulong Roles { get; set; }

    /// <summary>Whether an interest is switched on.</summary>
    internal bool IsOn { get; set; }

    /// <summary>Of a snapshot.</summary>
    internal string? Name { get; set; }

    /// <summary>Of the deliveries; in a state checksum the checksum.</summary>
    internal ulong Digest { get; set; }
    internal ReadOnlySpan<byte> Payload { get; set; }
}

/// <summary>Writes the elements of a commit in their order (clauses Q-3).</summary>
internal static class CommitElements
{
    /// <summary>Bits of the request's first number, clause .</summary>
    internal const ulong ModeMask = 3;
    internal const ulong InfinityBit = 4;
    internal const ulong EndOfBit = 8;
    internal const ulong GridBit = 16;
    internal const ulong KnownBits = 31;

    internal static void WritePublication(FrameWriter writer, int interest, Tag now, Tag at, ReadOnlySpan<byte> payload)
    {
        int lengthAt = Begin(writer, ElementKind.Publication);
        writer.WriteNumber((ulong)interest);
        writer.WriteDistance(now, at);
        writer.WriteBytes(payload);
        writer.EndLength(lengthAt);
    }

    internal static void WritePromise(FrameWriter writer, Tag now, Tag promise)
    {
        int lengthAt = Begin(writer, ElementKind.Promise);

        // Infinity is further than a distance can say; an empty body stands for it (clause ).
        if (promise != Tag.Infinity)
        {
            writer.WriteDistance(now, promise);
        }

        writer.EndLength(lengthAt);
    }

    internal static void WriteLookahead(FrameWriter writer, Delay lookahead)
    {
        int lengthAt = Begin(writer, ElementKind.Lookahead);
        writer.WriteDelay(lookahead);
        writer.EndLength(lengthAt);
    }

    internal static void WriteRole(FrameWriter writer, bool sends, bool receives)
    {
        int lengthAt = Begin(writer, ElementKind.Role);
        writer.WriteNumber((sends ? RoleBits.Sends : 0) | (receives ? RoleBits.Receives : 0));
        writer.EndLength(lengthAt);
    }

    internal static void WriteInterest(FrameWriter writer, int interest, bool isOn)
    {
        int lengthAt = Begin(writer, ElementKind.Interest);
        writer.WriteNumber((ulong)interest);
        writer.WriteByte(isOn ? (byte)1 : (byte)0);
        writer.EndLength(lengthAt);
    }

    internal static void WriteStop(FrameWriter writer, Tag now, Tag stop)
    {
        int lengthAt = Begin(writer, ElementKind.Stop);
        writer.WriteDistance(now, stop);
        writer.EndLength(lengthAt);
    }

    internal static void WriteSnapshot(FrameWriter writer, string name, ReadOnlySpan<byte> bytes)
    {
        int lengthAt = Begin(writer, ElementKind.Snapshot);
        writer.WriteText(name);
        writer.WriteBytes(bytes);
        writer.EndLength(lengthAt);
    }

    internal static void WriteResign(FrameWriter writer) => writer.EndLength(Begin(writer, ElementKind.Resign));

    internal static void WriteRequest(FrameWriter writer, Tag now, in AdvanceRequest request)
    {
        bool isInfinite = request.Target == Tag.Infinity;
        bool isEndOf = !isInfinite && request.Target.Round == uint.MaxValue;
        ulong first = (ulong)request.Mode;
        first |= isInfinite ? InfinityBit : 0;
        first |= isEndOf ? EndOfBit : 0;
        first |= request.Grid.IsNone ? 0 : GridBit;

        int lengthAt = Begin(writer, ElementKind.Request);
        writer.WriteNumber(first);

        if (isEndOf)
        {
            writer.WriteNumber((ulong)(request.Target.Time - now.Time));
        }
        else if (!isInfinite)
        {
            writer.WriteDistance(now, request.Target);
        }

        if (!request.Grid.IsNone)
        {
            writer.WriteNumber((ulong)request.Grid.Period);
            writer.WriteNumber((ulong)request.Grid.Offset);
            writer.WriteNumber((ulong)request.Grid.MinStep);
        }

        writer.EndLength(lengthAt);
    }

    internal static void WriteDigest(FrameWriter writer, ulong digest)
    {
        int lengthAt = Begin(writer, ElementKind.Digest);
        writer.WriteUInt64(digest);
        writer.EndLength(lengthAt);
    }

    internal static void WriteStateChecksum(FrameWriter writer, ulong checksum)
    {
        int lengthAt = Begin(writer, ElementKind.StateChecksum);
        writer.WriteUInt64(checksum);
        writer.EndLength(lengthAt);
    }

    private static int Begin(FrameWriter writer, ElementKind kind)
    {
        writer.WriteNumber((ulong)kind);
        return writer.BeginLength();
    }
}

/// <summary>
/// Walks the elements of a commit. They must stand in the order of their kinds, each at most once except publications
/// and interests, and who resigns asks for nothing; an unknown one is malformed, because a change of the run cannot be
/// skipped (clause ).
/// </summary>
/// <param name="elements">The commit's body after its step.</param>
/// <param name="now">N of the member: every tag in a commit is a distance from it.</param>
internal ref struct CommitReader(ReadOnlySpan<byte> elements, Tag now)
{
    private FrameReader _reader = new(elements);
    private ElementKind _last;

    internal bool IsMalformed { get; private set; }

    /// <summary>False at the end, and on malformed bytes.</summary>
    internal bool TryNext(out CommitElement element)
    {
        element = default;

        if (_reader.IsAtEnd)
        {
            IsMalformed |= _reader.IsMalformed;
            return false;
        }

        ElementKind kind = (ElementKind)_reader.ReadNumber(byte.MaxValue);
        ReadOnlySpan<byte> body = _reader.ReadBlock();
        bool repeats = kind is ElementKind.Publication or ElementKind.Interest;
        bool isInOrder = kind > _last || (repeats && kind == _last);
        isInOrder &= !(kind == ElementKind.Request && _last == ElementKind.Resign);

        if (_reader.IsMalformed || !isInOrder || !TryReadBody(kind, body, out element))
        {
            IsMalformed = true;
            _reader.Fail();
            return false;
        }

        _last = kind;
        element.Kind = kind;
        return true;
    }

    private readonly bool TryReadBody(ElementKind kind, ReadOnlySpan<byte> bytes, out CommitElement element)
    {
        FrameReader body = new(bytes);
        element = default;

        switch (kind)
        {
            case ElementKind.Publication:
                element.Interest = body.ReadInt32();
                element.Tag = body.ReadDistance(now);
                element.Payload = body.ReadRest();
                break;
            case ElementKind.Promise:
                element.Tag = body.IsAtEnd ? Tag.Infinity : body.ReadDistance(now);
                break;
            case ElementKind.Lookahead:
                element.Lookahead = body.ReadDelay();
                break;
            case ElementKind.Role:
                element.Roles = body.ReadNumber(RoleBits.Sends | RoleBits.Receives);
                break;
            case ElementKind.Interest:
                element.Interest = body.ReadInt32();
                element.IsOn = body.ReadNumber(1) == 1;
                break;
            case ElementKind.Stop:
                element.Tag = body.ReadDistance(now);
                break;
            case ElementKind.Snapshot:
                element.Name = body.ReadText(SequencingRules.MaxNameBytes);
                element.Payload = body.ReadRest();
                break;
            case ElementKind.Resign:
                break;
            case ElementKind.Request:
                element.Request = ReadRequest(ref body);
                break;
            case ElementKind.Digest or ElementKind.StateChecksum:
                element.Digest = body.ReadUInt64();
                break;
            default:
                return false;
        }

        return body.IsComplete;
    }

    private readonly AdvanceRequest ReadRequest(ref FrameReader body)
    {
        ulong first = body.ReadNumber(CommitElements.KnownBits);
        AdvanceMode mode = (AdvanceMode)(first & CommitElements.ModeMask);
        bool isInfinite = (first & CommitElements.InfinityBit) != 0;
        bool isEndOf = (first & CommitElements.EndOfBit) != 0;

        if (mode is not (AdvanceMode.To or AdvanceMode.Next) || (isInfinite && isEndOf))
        {
            body.Fail();
            return default;
        }

        Tag target = Tag.Infinity;

        if (isEndOf)
        {
            ulong time = unchecked((ulong)now.Time + body.ReadNumber());
            target = new Tag((long)time, uint.MaxValue);

            if (target.Time < now.Time || target.IsInfinite)
            {
                body.Fail();
            }
        }
        else if (!isInfinite)
        {
            target = body.ReadDistance(now);
        }

        return new AdvanceRequest(mode, target, ReadGrid(ref body, (first & CommitElements.GridBit) != 0));
    }

    private static Grid ReadGrid(ref FrameReader body, bool isThere)
    {
        if (!isThere)
        {
            return default;
        }

        ulong period = body.ReadNumber();
        ulong offset = body.ReadNumber();
        ulong minStep = body.ReadNumber();

        if (period == 0 || offset >= period)
        {
            body.Fail();
            return default;
        }

        return new Grid((long)period, (long)offset, (long)minStep);
    }
}
