// Writes a run record: entries into a block in memory, whole blocks into the stream.
//
// Always true:
//   - what is in the stream is a valid record, however it ends: a reader cuts the block that is not whole;
//   - memory is one block and one number per member and channel, however long the run;
//   - the grants of a member are numbered without a gap, and a delivery belongs to the next grant.

using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Gudp.Core;
using Gudp.Sequencing.Records;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing;

/// <summary>
/// Records a run in one file, so that it can be compared with another one (docs/protocol/record.md). Of one thread.
/// Nothing is allocated per delivery or grant once the buffer has the size of the largest of them.
/// </summary>
/// <remarks>
/// A stream that fails ends the record and not the run: nothing more is written, and <see cref="Failure"/> says why.
/// What is wrong in a call throws <see cref="ArgumentException"/> and leaves the record as it was.
/// </remarks>
public sealed class RunRecordWriter : IDisposable
{
    private const long NotStarted = -1;
    private const long NotDeclared = -2;
    private const int ConfigurationPieceBytes = 32 * 1024;

    private readonly Stream _stream;
    private readonly FrameWriter _block = new();
    private readonly byte[] _head = new byte[RecordFormat.BlockHeadBytes];
    private readonly int _keepPayloadBytes;
    private readonly List<long> _lastGrants = [];
    private readonly List<bool> _channels = [];
    private int _pending;
    private bool _isEnded;
    private bool _isDisposed;

    /// <summary>Begins a record.</summary>
    /// <param name="stream">
    /// Empty and writable; the writer's from now on, and closed with it. It need not buffer.
    /// </param>
    /// <param name="head">What the record says about the run.</param>
    /// <exception cref="ArgumentException">A text of the head is longer than it may be.</exception>
    public RunRecordWriter(Stream stream, RunRecordHead head)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(head);
        CheckText(head.Version, nameof(head));
        CheckNumber(head.RecordedBy ?? 0, nameof(head));
        byte[] configuration = Encoding.UTF8.GetBytes(head.Configuration);

        if (configuration.Length > RecordFormat.MaxConfigurationBytes)
        {
            throw new ArgumentException(
                $"The configuration has {configuration.Length} bytes; a record holds up to "
                + $"{RecordFormat.MaxConfigurationBytes}.", nameof(head));
        }

        _stream = stream;
        _keepPayloadBytes = Math.Clamp(head.KeepPayloadBytes, 0, RecordFormat.MaxWholeBytes);
        WriteToStream(RecordFormat.Magic);
        WriteHead(head, configuration);
    }

    /// <summary>Why the record ends early; null if all is well.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Bytes handed to the stream.</summary>
    public long WrittenBytes { get; private set; }

    /// <summary>Grants recorded, of all members.</summary>
    public long Grants { get; private set; }

    /// <summary>Begins a record in a new file; one that is there is replaced.</summary>
    /// <param name="path">The file.</param>
    /// <param name="head">What the record says about the run.</param>
    /// <exception cref="IOException">The file cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be made.</exception>
    public static RunRecordWriter Create(string path, RunRecordHead head)
        => new(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0), head);

    /// <summary>Names a member; before its first grant.</summary>
    /// <param name="ordinal">Its number, below 1,048,576; each once.</param>
    /// <param name="name">At most 1,024 bytes of UTF-8.</param>
    public void AddMember(int ordinal, string name)
    {
        CheckOpen();
        CheckNumber(ordinal, nameof(ordinal));
        CheckText(name, nameof(name));

        if (ordinal < _lastGrants.Count && _lastGrants[ordinal] != NotDeclared)
        {
            throw new ArgumentException($"Member {ordinal} has a name already.", nameof(ordinal));
        }

        while (_lastGrants.Count <= ordinal)
        {
            _lastGrants.Add(NotDeclared);
        }

        _lastGrants[ordinal] = NotStarted;
        WriteNamed(EntryKind.Member, ordinal, name);
    }

    /// <summary>Names a channel; before the first delivery on it.</summary>
    /// <param name="channel">A number of the caller's choice, below 1,048,576; each once.</param>
    /// <param name="name">At most 1,024 bytes of UTF-8.</param>
    public void AddChannel(int channel, string name)
    {
        CheckOpen();
        CheckNumber(channel, nameof(channel));
        CheckText(name, nameof(name));

        if (channel < _channels.Count && _channels[channel])
        {
            throw new ArgumentException($"Channel {channel} has a name already.", nameof(channel));
        }

        while (_channels.Count <= channel)
        {
            _channels.Add(false);
        }

        _channels[channel] = true;
        WriteNamed(EntryKind.Channel, channel, name);
    }

    /// <summary>Records a delivery. It belongs to the next <see cref="AddGrant"/>.</summary>
    /// <param name="key">Its place in the order.</param>
    /// <param name="channel">As in <see cref="AddChannel"/>.</param>
    /// <param name="payload">Copied, or hashed if it is above <see cref="RunRecordHead.KeepPayloadBytes"/>.</param>
    public void AddDelivery(in MessageKey key, int channel, ReadOnlySpan<byte> payload)
    {
        CheckOpen();
        ArgumentOutOfRangeException.ThrowIfNegative(key.Publisher, nameof(key));
        CheckLong(key.SubSequence, nameof(key));

        if ((uint)channel >= (uint)_channels.Count || !_channels[channel])
        {
            throw new ArgumentException($"Channel {channel} has no name yet.", nameof(channel));
        }

        int lengthAt = Begin(EntryKind.Delivery);
        _block.WriteTag(key.Arrival);
        _block.WriteTag(key.SendTag);
        _block.WriteNumber((ulong)key.Publisher);
        _block.WriteNumber((ulong)key.SubSequence);
        _block.WriteByte(key.Copy);
        _block.WriteNumber((ulong)channel);

        if (payload.Length <= _keepPayloadBytes)
        {
            _block.WriteByte(0);
            _block.WriteBytes(payload);
        }
        else
        {
            _block.WriteByte(1);
            _block.WriteNumber((ulong)payload.Length);
            _block.WriteUInt64(XxHash64.Hash(0, payload));
        }

        _pending++;
        End(lengthAt);
    }

    /// <summary>Records a grant, behind the deliveries of its batch.</summary>
    /// <param name="grant">Its <see cref="RecordedGrant.Count"/> is not read: the writer has counted.</param>
    public void AddGrant(in RecordedGrant grant)
    {
        CheckOpen();
        CheckLong(grant.Index, nameof(grant));
        CheckLong(grant.WallMilliseconds, nameof(grant));
        CheckLong(grant.WaitedMilliseconds, nameof(grant));
        CheckNumber(grant.WaitedFor ?? 0, nameof(grant));

        if ((uint)grant.Member >= (uint)_lastGrants.Count || _lastGrants[grant.Member] == NotDeclared)
        {
            throw new ArgumentException($"Member {grant.Member} has no name yet.", nameof(grant));
        }

        long last = _lastGrants[grant.Member];

        // Clause: a member begins where its recording did, the others follow without a gap.
        if (grant.Index != last + 1 && last != NotStarted)
        {
            throw new ArgumentException(
                $"Grant {grant.Index} of member {grant.Member} does not follow its grant {last}.", nameof(grant));
        }

        GrantParts parts = (grant.StateChecksum is null ? GrantParts.None : GrantParts.StateChecksum)
            | (grant.CommitDigest is null ? GrantParts.None : GrantParts.CommitDigest)
            | (grant.WaitedBecause == WaitKind.None ? GrantParts.None : GrantParts.Wait);

        int lengthAt = Begin(EntryKind.Grant);
        _block.WriteNumber((ulong)grant.Member);
        _block.WriteNumber((ulong)grant.Index);
        _block.WriteTag(grant.Tag);
        _block.WriteByte(grant.Flags);
        _block.WriteByte((byte)parts);
        _block.WriteNumber((ulong)_pending);
        _block.WriteUInt64(grant.Digest);

        if (grant.StateChecksum is { } state)
        {
            _block.WriteUInt64(state);
        }

        if (grant.CommitDigest is { } commit)
        {
            _block.WriteUInt64(commit);
        }

        _block.WriteNumber((ulong)grant.WallMilliseconds);

        if (grant.WaitedBecause != WaitKind.None)
        {
            _block.WriteNumber((ulong)grant.WaitedMilliseconds);
            _block.WriteNumber((ulong)grant.WaitedBecause);
            _block.WriteNumber(grant.WaitedFor is { } root ? (ulong)root + 1 : 0);
        }

        _lastGrants[grant.Member] = grant.Index;
        _pending = 0;
        Grants++;
        End(lengthAt);
    }

    /// <summary>Records something from outside.</summary>
    /// <param name="fact">Its texts have at most 1,024 bytes of UTF-8 each.</param>
    public void AddFact(in RecordedFact fact)
    {
        CheckOpen();
        CheckText(fact.Name, nameof(fact));
        CheckText(fact.What, nameof(fact));
        CheckLong(fact.WallMilliseconds, nameof(fact));

        int lengthAt = Begin(EntryKind.Fact);
        _block.WriteText(fact.Name);
        _block.WriteText(fact.What);
        _block.WriteTag(fact.Tag);
        _block.WriteNumber((ulong)fact.WallMilliseconds);
        End(lengthAt);
    }

    /// <summary>The run is over. Nothing can be added after it.</summary>
    /// <param name="runDigest">Of the whole run (lock-time 18).</param>
    /// <exception cref="InvalidOperationException">There are deliveries without a grant.</exception>
    public void Complete(ulong runDigest)
    {
        CheckOpen();

        if (_pending > 0)
        {
            throw new InvalidOperationException($"{_pending} deliveries have no grant yet.");
        }

        int lengthAt = Begin(EntryKind.End);
        _block.WriteUInt64(runDigest);
        _block.WriteNumber((ulong)Grants);
        End(lengthAt);
        _isEnded = true;
        Flush();
    }

    /// <summary>Writes what is held back, and flushes the stream.</summary>
    public void Flush()
    {
        WriteBlock();

        try
        {
            if (Failure is null)
            {
                _stream.Flush();
            }
        }
        catch (Exception failure) when (IsOfStream(failure))
        {
            Failure = failure;
        }
    }

    /// <summary>
    /// Writes what is held back and closes the stream. Without <see cref="Complete"/> the record tells that the run was
    /// left before its end.
    /// </summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        Flush();
        _isDisposed = true;

        try
        {
            _stream.Dispose();
        }
        catch (Exception failure) when (IsOfStream(failure))
        {
            Failure ??= failure;
        }
    }

    private void WriteHead(RunRecordHead head, ReadOnlySpan<byte> configuration)
    {
        int lengthAt = Begin(EntryKind.Head);
        _block.WriteText(head.Version);
        _block.WriteUInt64((ulong)(head.RunId >> 64));
        _block.WriteUInt64((ulong)head.RunId);
        _block.WriteUInt64(head.ConfigHash);
        _block.WriteUInt64(head.OtherHash);
        _block.WriteNumber(head.RecordedBy is { } member ? (ulong)member + 1 : 0);
        _block.WriteNumber((ulong)_keepPayloadBytes);
        End(lengthAt);

        for (ReadOnlySpan<byte> rest = configuration; !rest.IsEmpty;)
        {
            int bytes = Math.Min(rest.Length, ConfigurationPieceBytes);
            lengthAt = Begin(EntryKind.Configuration);
            _block.WriteBytes(rest[..bytes]);
            End(lengthAt);
            rest = rest[bytes..];
        }
    }

    private void WriteNamed(EntryKind kind, int number, string name)
    {
        int lengthAt = Begin(kind);
        _block.WriteNumber((ulong)number);
        _block.WriteText(name);
        End(lengthAt);
    }

    private int Begin(EntryKind kind)
    {
        _block.WriteByte((byte)kind);
        return _block.BeginLength();
    }

    private void End(int lengthAt)
    {
        _block.EndLength(lengthAt);

        if (_block.Length >= RecordFormat.BlockBytes)
        {
            WriteBlock();
        }
    }

    private void WriteBlock()
    {
        if (_block.Length == 0)
        {
            return;
        }

        Invariant.Require(_block.Length <= RecordFormat.MaxBlockBytes, "A block holds one entry above its size.");
        RecordFormat.WriteBlockHead(_head, WrittenBytes, _block.Written);
        WriteToStream(_head);
        WriteToStream(_block.Written);
        _block.Clear();
    }

    private void WriteToStream(ReadOnlySpan<byte> bytes)
    {
        if (Failure is not null)
        {
            return;
        }

        try
        {
            _stream.Write(bytes);
            WrittenBytes += bytes.Length;
        }
        catch (Exception failure) when (IsOfStream(failure))
        {
            Failure = failure;
        }
    }

    private static bool IsOfStream(Exception failure)
        => failure is IOException or UnauthorizedAccessException or NotSupportedException or ObjectDisposedException;

    private void CheckOpen()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);

        if (_isEnded)
        {
            ThrowEnded();
        }
    }

    private static void ThrowEnded() => throw new InvalidOperationException("The record is complete.");

    private static void CheckNumber(int number, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(number, RecordFormat.MaxNumbers, name);
    }

    private static void CheckLong(long number, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)number, VarInt.MaxValue, name);
    }

    private static void CheckText(string text, string name)
    {
        ArgumentNullException.ThrowIfNull(text, name);

        if (Encoding.UTF8.GetByteCount(text) > RecordFormat.MaxTextBytes)
        {
            throw new ArgumentException(
                $"A text of {text.Length} characters is too long; a record holds up to "
                + $"{RecordFormat.MaxTextBytes} bytes.", name);
        }
    }
}
