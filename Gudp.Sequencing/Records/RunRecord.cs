// Reads a run record: once from end to end for the trails, and then single batches where they lie.
//
// Always true:
//   - what is shown was written: every block has matched its checksum;
//   - memory is 16 bytes for each grant and for each checksum, and what names, facts and the configuration need: a
//     constant times the file at most;
//   - of bytes that no writer wrote comes RunRecordException and nothing else.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Gudp.Sequencing.Records;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing;

/// <summary>The record of a run, opened for reading (docs/protocol/record.md). Of one thread.</summary>
/// <remarks>
/// A record may be opened while it is written: it is then cut where the writer stood. Nothing in it is trusted.
/// </remarks>
public sealed class RunRecord : IDisposable
{
    private readonly BlockReader _blocks;
    private readonly SortedDictionary<int, MemberTrail> _trails = [];
    private readonly Dictionary<string, MemberTrail> _byName = [];
    private readonly Dictionary<int, string> _channels = [];
    private readonly List<RecordedFact> _facts = [];

    /// <summary>Reads a record from end to end.</summary>
    /// <param name="stream">Can seek; the record's from now on, and closed with it, also if this throws.</param>
    /// <exception cref="RunRecordException">It is no run record, or damaged in the middle.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="ArgumentException">The stream cannot seek.</exception>
    public RunRecord(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);

        try
        {
            _blocks = new BlockReader(stream);
            Scan scan = new(this);
            scan.ReadAll();
            Head = scan.TakeHead();
            Members = scan.DescribeMembers();
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>What it says about the run as a whole.</summary>
    public RunRecordHead Head { get; }

    /// <summary>The members, by ordinal.</summary>
    public IReadOnlyList<RecordedMember> Members { get; }

    /// <summary>What came from outside, in the order in which it was recorded.</summary>
    public IReadOnlyList<RecordedFact> Facts => _facts;

    /// <summary>
    /// Some of it changed what members were granted or given, so that the run cannot be repeated without it; as
    /// <see cref="RunStatus.IsInfluenced"/>.
    /// </summary>
    public bool IsInfluenced => _facts.Exists(static fact => fact.Influences);

    /// <summary>Grants of all members.</summary>
    public long Grants { get; private set; }

    /// <summary>The record goes to the end of the run: its writer was told that it is over.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Digest of the whole run (lock-time 18); null if it is not <see cref="IsComplete"/>.</summary>
    public ulong? RunDigest { get; private set; }

    /// <summary>
    /// The byte from which on the file was not used, because its end is torn; null if it was used whole.
    /// </summary>
    public long? CutAt { get; private set; }

    /// <summary>What is the matter at <see cref="CutAt"/>; null if nothing is.</summary>
    public string? CutReason { get; private set; }

    /// <summary>Bytes of the file that were not used.</summary>
    public long CutBytes => CutAt is { } at ? _blocks.Length - at : 0;

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="RunRecordException">It is no run record, or damaged in the middle.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static RunRecord Open(string path)
        => new(new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0));

    /// <summary>A member's digest after one of its grants.</summary>
    /// <param name="member">Its ordinal.</param>
    /// <param name="grant">From its <see cref="RecordedMember.FirstGrant"/> to below its end.</param>
    /// <exception cref="ArgumentOutOfRangeException">The record does not hold it.</exception>
    public ulong DigestOf(int member, long grant) => TrailOf(member, grant).DigestOf(grant);

    /// <summary>A grant and its batch, read from the file.</summary>
    /// <param name="member">Ordinal of the member.</param>
    /// <param name="grant">From its <see cref="RecordedMember.FirstGrant"/> to below its end.</param>
    /// <exception cref="ArgumentOutOfRangeException">The record does not hold it.</exception>
    /// <exception cref="RunRecordException">The file was changed since it was opened.</exception>
    public RecordedBatch Read(int member, long grant)
    {
        RecordPlace place = TrailOf(member, grant).PlaceOf(grant);
        List<RecordedMessage> messages = [];
        int offset = place.Offset;

        for (long position = place.Block; ; offset = 0)
        {
            if (!_blocks.TryRead(position, out ReadOnlySpan<byte> content, out long next, out _)
                || offset > content.Length)
            {
                throw Changed(position);
            }

            FrameReader reader = new(content[offset..]);

            while (!reader.IsAtEnd)
            {
                if (!RecordEntries.TryReadEntry(ref reader, out EntryKind kind, out ReadOnlySpan<byte> body))
                {
                    throw Changed(position);
                }

                if (kind == EntryKind.Delivery && RecordEntries.TryReadDelivery(body, out DeliveryEntry delivery))
                {
                    messages.Add(MessageOf(delivery, position));
                }
                else if (kind == EntryKind.Grant && RecordEntries.TryReadGrant(body, out RecordedGrant found))
                {
                    return found.Member == member && found.Index == grant && found.Count == messages.Count
                        ? new RecordedBatch(found, messages)
                        : throw Changed(position);
                }
            }

            position = next;
        }
    }

    /// <summary>All grants with their batches in the order in which they were recorded, read as they are taken.</summary>
    /// <exception cref="RunRecordException">The file was changed since it was opened.</exception>
    public IEnumerable<RecordedBatch> ReadGrants()
    {
        List<RecordedBatch> found = [];
        List<RecordedMessage> messages = [];
        long position = BlockReader.FirstBlock;

        while (TryReadBlock(ref position, messages, found))
        {
            foreach (RecordedBatch batch in found)
            {
                yield return batch;
            }

            found.Clear();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _blocks.Dispose();

    internal MemberTrail? FindTrail(string name) => _byName.GetValueOrDefault(name);

    internal IEnumerable<MemberTrail> Trails => _trails.Values;

    /// <summary>The name of a member, or its number if it has none here.</summary>
    internal string NameOf(int ordinal) => _trails.TryGetValue(ordinal, out MemberTrail? trail)
        ? trail.Name
        : string.Create(CultureInfo.InvariantCulture, $"member {ordinal}");

    private static RunRecordException Changed(long position)
        => new(position, "The file was changed since it was opened");

    // A batch may begin in one block and have its grant in a later one.
    private bool TryReadBlock(ref long position, List<RecordedMessage> messages, List<RecordedBatch> found)
    {
        if (!_blocks.TryRead(position, out ReadOnlySpan<byte> content, out long next, out _))
        {
            return false;
        }

        FrameReader reader = new(content);

        while (!reader.IsAtEnd)
        {
            if (!RecordEntries.TryReadEntry(ref reader, out EntryKind kind, out ReadOnlySpan<byte> body))
            {
                throw Changed(position);
            }

            if (kind == EntryKind.Delivery && RecordEntries.TryReadDelivery(body, out DeliveryEntry delivery))
            {
                messages.Add(MessageOf(delivery, position));
            }
            else if (kind == EntryKind.Grant && RecordEntries.TryReadGrant(body, out RecordedGrant grant))
            {
                found.Add(new RecordedBatch(grant, messages.ToArray()));
                messages.Clear();
            }
        }

        position = next;
        return true;
    }

    private RecordedMessage MessageOf(in DeliveryEntry delivery, long position)
    {
        if (!_channels.TryGetValue(delivery.Channel, out string? channel))
        {
            throw Changed(position);
        }

        return delivery.IsWhole
            ? new RecordedMessage(delivery.Key, channel, delivery.Payload.ToArray())
            : new RecordedMessage(delivery.Key, channel, delivery.Length, delivery.Hash);
    }

    private MemberTrail TrailOf(int member, long grant)
    {
        if (!_trails.TryGetValue(member, out MemberTrail? trail))
        {
            throw new ArgumentOutOfRangeException(nameof(member), member, "The record has no such member.");
        }

        if (!trail.Has(grant))
        {
            throw new ArgumentOutOfRangeException(
                nameof(grant), grant, $"The record has grants {trail.First} to {trail.End - 1} of {trail.Name}.");
        }

        return trail;
    }

    /// <summary>The pass over the whole file.</summary>
    private sealed class Scan(RunRecord record)
    {
        private readonly List<byte[]> _configuration = [];
        private RunRecordHead? _head;
        private int _configurationBytes;
        private int _pending;
        private RecordPlace _batch;
        private long _position;
        private int _offset;

        internal RunRecordHead TakeHead() => RecordEntries.WithConfiguration(
            _head ?? throw new RunRecordException(_position, "The record was cut before it said anything"),
            _configuration);

        internal RecordedMember[] DescribeMembers()
        {
            RecordedMember[] members = new RecordedMember[record._trails.Count];
            int i = 0;

            foreach (MemberTrail trail in record._trails.Values)
            {
                members[i++] = trail.Describe();
            }

            return members;
        }

        internal void ReadAll()
        {
            record._blocks.CheckMagic();

            if (record._blocks.Length >= RecordPlace.MaxFileBytes)
            {
                throw new RunRecordException(
                    0, $"The file has {record._blocks.Length} bytes; a record has below {RecordPlace.MaxFileBytes}");
            }

            _position = BlockReader.FirstBlock;
            RecordCut? cut;

            while (record._blocks.TryRead(_position, out ReadOnlySpan<byte> content, out long next, out cut))
            {
                ReadBlock(content);
                _position = next;
            }

            // A batch without its grant is as if it had not been written.
            record.CutAt = _pending > 0 ? PositionOf(_batch) : cut?.Position;
            record.CutReason = cut?.Reason ?? (_pending > 0 ? "the last batch has no grant" : null);
        }

        private static long PositionOf(RecordPlace place)
            => place.Block + RecordFormat.BlockHeadBytes + place.Offset;

        private void ReadBlock(ReadOnlySpan<byte> content)
        {
            FrameReader reader = new(content);

            while (!reader.IsAtEnd)
            {
                _offset = content.Length - reader.Remaining;
                Require(!record.IsComplete, "Something stands behind the end of the run");
                Require(RecordEntries.TryReadEntry(ref reader, out EntryKind kind, out ReadOnlySpan<byte> body),
                    "An entry is longer than its block");
                Require(_head is not null || kind == EntryKind.Head, "The first entry is not the head");
                ReadEntry(kind, body);
            }
        }

        private void ReadEntry(EntryKind kind, ReadOnlySpan<byte> body)
        {
            switch (kind)
            {
                case EntryKind.Head:
                    Require(_head is null, "A second head");
                    Require(RecordEntries.TryReadHead(body, out _head), "A head that is none");
                    break;
                case EntryKind.Configuration:
                    _configurationBytes += body.Length;
                    Require(
                        _configurationBytes <= RecordFormat.MaxConfigurationBytes, "The configuration is too long");
                    _configuration.Add(body.ToArray());
                    break;
                case EntryKind.Member:
                    AddMember(body);
                    break;
                case EntryKind.Channel:
                    AddChannel(body);
                    break;
                case EntryKind.Delivery:
                    AddDelivery(body);
                    break;
                case EntryKind.Grant:
                    AddGrant(body);
                    break;
                case EntryKind.Fact:
                    Require(RecordEntries.TryReadFact(body, out RecordedFact fact), "A fact that is none");
                    record._facts.Add(fact);
                    break;
                case EntryKind.End:
                    AddEnd(body);
                    break;
                default:
                    // what a later version adds is not needed to understand the rest.
                    break;
            }
        }

        private void AddMember(ReadOnlySpan<byte> body)
        {
            Require(RecordEntries.TryReadNamed(body, out int ordinal, out string name), "A member that is none");
            MemberTrail trail = new(ordinal, name);
            Require(record._trails.TryAdd(ordinal, trail), "A second name for a member");
            Require(record._byName.TryAdd(name, trail), "Two members of one name");
        }

        private void AddChannel(ReadOnlySpan<byte> body)
        {
            Require(RecordEntries.TryReadNamed(body, out int channel, out string name), "A channel that is none");
            Require(record._channels.TryAdd(channel, name), "A second name for a channel");
        }

        private void AddDelivery(ReadOnlySpan<byte> body)
        {
            Require(RecordEntries.TryReadDelivery(body, out DeliveryEntry delivery), "A delivery that is none");
            Require(record._channels.ContainsKey(delivery.Channel), "A delivery on a channel without a name");

            if (_pending == 0)
            {
                _batch = new RecordPlace(_position, _offset);
            }

            _pending++;
        }

        private void AddGrant(ReadOnlySpan<byte> body)
        {
            Require(RecordEntries.TryReadGrant(body, out RecordedGrant grant), "A grant that is none");
            Require(
                record._trails.TryGetValue(grant.Member, out MemberTrail? trail), "A grant of a member without a name");
            Require(grant.Count == _pending, "A grant whose count is not that of the deliveries before it");
            RecordPlace place = _pending > 0 ? _batch : new RecordPlace(_position, _offset);
            Require(trail!.TryAdd(grant, place), "A grant that does not follow the member's last one");
            _pending = 0;
            record.Grants++;
        }

        private void AddEnd(ReadOnlySpan<byte> body)
        {
            Require(RecordEntries.TryReadEnd(body, out ulong digest, out long grants), "An end that is none");
            Require(grants == record.Grants && _pending == 0, "The end counts other grants than there are");
            record.IsComplete = true;
            record.RunDigest = digest;
        }

        // A checksum that matches and content that does not: no writer of ours wrote this.
        private void Require(bool holds, string rule)
        {
            if (!holds)
            {
                throw new RunRecordException(PositionOf(new RecordPlace(_position, _offset)), rule);
            }
        }
    }
}
