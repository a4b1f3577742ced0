using System;
using System.Buffers.Binary;
using System.Text;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Members;

/// <summary>Where a member's commit digest stands at a sequence point.</summary>
internal readonly record struct CommitPoint(ulong Value, long Count, long Published);

/// <summary>
/// Chain of hashes over what one member said, without the configuration and without what it was told (lock-time 7.1,
/// clause ). Two runs that differ in the order of ties alone have equal ones if no member depends on that order.
/// </summary>
internal sealed class CommitDigest
{
    private const int HeadBytes = 13;
    private const int TagBytes = 12;
    private const int PublicationBytes = HeadBytes + 16 + TagBytes + 4;
    private const int RequestBytes = HeadBytes + 1 + TagBytes + 24;

    private byte[] _scratch = new byte[128];

    // By AddCommit; at the server the member counts them itself.
    private long _published;

    internal CommitDigest(string name)
    {
        byte[] start = [.. "gudp-cd/1"u8, 0, .. Encoding.UTF8.GetBytes(name)];
        Value = XxHash64.Hash(0, start);
    }

    internal ulong Value { get; private set; }

    /// <summary>Elements in it.</summary>
    internal long Count { get; private set; }

    /// <summary>Where it stands, for a ticket; <see cref="AddCommit"/> goes on from there.</summary>
    internal CommitPoint Point => new(Value, Count, _published);

    internal void Return(in CommitPoint point) => (Value, Count, _published) = (point.Value, point.Count, point.Published);

    /// <summary>Takes a commit as the member itself has written it.</summary>
    /// <param name="elements">The commit's body after its step; well formed.</param>
    /// <param name="now">N of the member.</param>
    /// <param name="channelKeys">Of its interests.</param>
    internal void AddCommit(ReadOnlySpan<byte> elements, Tag now, ReadOnlySpan<ulong> channelKeys)
    {
        CommitReader reader = new(elements, now);

        while (reader.TryNext(out CommitElement element))
        {
            switch (element.Kind)
            {
                case ElementKind.Publication:
                    AddPublication(now, channelKeys[element.Interest], in element, ++_published);
                    break;
                case ElementKind.Interest:
                    AddInterest(now, channelKeys[element.Interest], element.IsOn);
                    break;
                case ElementKind.Request:
                    AddRequest(now, element.Request);
                    break;
                case ElementKind.Snapshot:
                    AddSnapshot(now, in element);
                    break;
                case ElementKind.Digest or ElementKind.StateChecksum:
                    break;
                default:
                    AddOther(now, in element);
                    break;
            }
        }

        Invariant.Require(!reader.IsMalformed, "A member's own commit is well formed.");
    }

    /// <summary>Takes a publication.</summary>
    /// <param name="now">N of the member.</param>
    /// <param name="channelKey">Of the channel.</param>
    /// <param name="element">The publication.</param>
    /// <param name="subSequence">The member's count of it.</param>
    internal void AddPublication(Tag now, ulong channelKey, in CommitElement element, long subSequence)
    {
        int bytes = PublicationBytes + element.Payload.Length;

        if (_scratch.Length < bytes)
        {
            _scratch = new byte[Math.Max(bytes, 2 * _scratch.Length)];
        }

        Span<byte> rest = Begin(element.Kind, now);
        BinaryPrimitives.WriteInt64LittleEndian(rest, subSequence);
        BinaryPrimitives.WriteUInt64LittleEndian(rest[8..], channelKey);
        Digest.WriteTag(rest[16..], element.Tag);
        BinaryPrimitives.WriteInt32LittleEndian(rest[28..], element.Payload.Length);
        element.Payload.CopyTo(rest[32..]);
        Add(bytes);
    }

    /// <summary>Takes a snapshot, name and bytes.</summary>
    internal void AddSnapshot(Tag now, in CommitElement element)
    {
        int bytes = HeadBytes + 12 + element.Payload.Length;

        if (_scratch.Length < bytes)
        {
            _scratch = new byte[Math.Max(bytes, 2 * _scratch.Length)];
        }

        Span<byte> rest = Begin(element.Kind, now);
        BinaryPrimitives.WriteUInt64LittleEndian(rest, Digest.ChannelKey(element.Name!));
        BinaryPrimitives.WriteInt32LittleEndian(rest[8..], element.Payload.Length);
        element.Payload.CopyTo(rest[12..]);
        Add(bytes);
    }

    internal void AddInterest(Tag now, ulong channelKey, bool isOn)
    {
        Span<byte> rest = Begin(ElementKind.Interest, now);
        BinaryPrimitives.WriteUInt64LittleEndian(rest, channelKey);
        rest[8] = isOn ? (byte)1 : (byte)0;
        Add(HeadBytes + 9);
    }

    internal void AddRequest(Tag now, in AdvanceRequest request)
    {
        Span<byte> rest = Begin(ElementKind.Request, now);
        rest[0] = (byte)request.Mode;
        Digest.WriteTag(rest[1..], request.Target);
        BinaryPrimitives.WriteInt64LittleEndian(rest[13..], request.Grid.Period);
        BinaryPrimitives.WriteInt64LittleEndian(rest[21..], request.Grid.Offset);
        BinaryPrimitives.WriteInt64LittleEndian(rest[29..], request.Grid.MinStep);
        Add(RequestBytes);
    }

    /// <summary>Takes a promise, a look-ahead, a role, a stop or a resignation.</summary>
    internal void AddOther(Tag now, in CommitElement element)
    {
        Span<byte> rest = Begin(element.Kind, now);

        switch (element.Kind)
        {
            case ElementKind.Promise or ElementKind.Stop:
                Digest.WriteTag(rest, element.Tag);
                Add(HeadBytes + TagBytes);
                break;
            case ElementKind.Lookahead:
                Digest.WriteTag(rest, new Tag(element.Lookahead.Time, element.Lookahead.Round));
                Add(HeadBytes + TagBytes);
                break;
            case ElementKind.Role:
                rest[0] = (byte)element.Roles;
                Add(HeadBytes + 1);
                break;
            default:
                Add(HeadBytes);
                break;
        }
    }

    private Span<byte> Begin(ElementKind kind, Tag now)
    {
        _scratch[0] = (byte)kind;
        Digest.WriteTag(_scratch.AsSpan(1), now);
        return _scratch.AsSpan(HeadBytes);
    }

    private void Add(int bytes)
    {
        Value = XxHash64.Hash(Value, _scratch.AsSpan(0, bytes));
        Count++;
    }
}
