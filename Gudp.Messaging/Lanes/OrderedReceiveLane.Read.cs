using System;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Lanes;

/// <content>The reader's side.</content>
internal sealed partial class OrderedReceiveLane
{
    // Telling the leader costs a shared write: once per so many bytes, and always on leaving.
    private const int ReleaseStepBytes = 64 * 1024;

    private bool _ended;
    private bool _discarded;
    private long _released;
    private long _read;
    private byte[]? _spare;
    private bool _lacksMemory;
    private bool _lacksLedger;

    // A message that does not fit the ring, on its way into a block of its own.
    private byte[]? _largeBlock;
    private long _largeStart;
    private int _largeLength;
    private int _largeFilled;
    private bool _largeAsksTaken;

    internal override bool LacksMemory => Volatile.Read(ref _lacksMemory);

    internal override bool HasUnread => Volatile.Read(ref _prefix) > Volatile.Read(ref _released);

    internal override long ArrivedPosition => Volatile.Read(ref _prefix);

    internal override long ReadPosition => Volatile.Read(ref _released);

    internal override long UnreadBytes => Math.Max(0, ArrivedPosition - ReadPosition);

    // What is here may be a part of a message, for whose rest the peer is to blame. Whoever is inside holds one.
    internal override bool IsMessageWaiting()
    {
        if (!TryEnter(polling: false))
        {
            return true;
        }

        bool waits = TryPeek(out _);
        _ = Leave();
        return waits;
    }

    internal override bool IsDrained => Volatile.Read(ref _ring) is null;

    internal override bool TryPeek(out MessageView message)
    {
        message = default;

        if (_ring is not { } ring || Violation != CloseCode.None || Volatile.Read(ref _discarded))
        {
            return false;
        }

        long prefix = Volatile.Read(ref _prefix);

        if (_lacksMemory)
        {
            Volatile.Write(ref _lacksMemory, false);
        }

        _lacksLedger = false;

        PassSkips(prefix);

        if (_largeBlock is not null)
        {
            return TryPeekLarge(ring, prefix, out message);
        }

        int available = (int)Math.Min(prefix - _read, int.MaxValue);

        if (available <= 0 || !TryReadHeader(ring, available, out int headerBytes, out ulong header))
        {
            return false;
        }

        ulong length = header >> 1;
        bool asksTaken = (header & 1) != 0;

        if (length > (ulong)_largestMessage)
        {
            Violation = CloseCode.MessageTooLarge;
            return false;
        }

        if (asksTaken && !Ledger.HasRoom)
        {
            _lacksLedger = true;
            return false;
        }

        if ((int)length > ring.Bytes / 4)
        {
            return TryOpenLarge(headerBytes, (int)length, asksTaken)
                && TryPeekLarge(ring, prefix, out message);
        }

        if (headerBytes + (int)length > available || CutsSkip(_read, _read + headerBytes + (long)length)
            || !TryInOnePiece(ring, _read + headerBytes, (int)length, out ReadOnlySpan<byte> content))
        {
            return false;
        }

        message = new MessageView
        {
            Content = content,
            Id = _read + headerBytes + (long)length,
            AsksTaken = asksTaken,
        };
        return true;
    }

    /// <summary>
    /// Hands out messages in place as long as each stands at the front whole, in one piece, and nobody wants to hear of
    /// it; the others are for <see cref="TryPeek"/>.
    /// </summary>
    /// <param name="handler">May throw: then its message stays.</param>
    /// <param name="from">For the handler.</param>
    /// <param name="budget">Most messages in the run.</param>
    /// <param name="run">Counts what was handed out.</param>
    internal void HandOutPlain<THandler>(ref THandler handler, Peer from, int budget, ref ReadRun run)
        where THandler : IMessageHandler, allows ref struct
    {
        if (_ring is not { } ring || _largeBlock is not null || Violation != CloseCode.None)
        {
            return;
        }

        // While a reader is inside, the ring stays as it is, and below the prefix nobody writes.
        long start = _read;
        ReadOnlySpan<byte> front = ring.Contiguous(start, (int)Math.Min(Volatile.Read(ref _prefix) - start, ring.Bytes));
        int longest = Math.Min(_largestMessage, ring.Bytes / 4);
        int at = 0;

        // A skip may come at any time, also over what is here: looked at before each message, as the slow way does.
        while (run.Messages < budget && !_skipped.IsAny && !Volatile.Read(ref _discarded))
        {
            int header = TryReadPlainHeader(front[at..], out int length);

            if (header == 0 || length > longest || length > front.Length - at - header)
            {
                return;
            }

            handler.HandleMessage(from, Number, front.Slice(at + header, length));
            at += header + length;
            run.Count(length);
            _read = start + at;

            if (_read - _released >= ReleaseStepBytes)
            {
                PublishReleased();
            }
        }
    }

    // The bytes of a header of up to 8 KB that asks nothing; 0: it is another one, or not there.
    private static int TryReadPlainHeader(ReadOnlySpan<byte> front, out int length)
    {
        int value = 0;
        int bytes = 0;

        if (front.Length >= sizeof(ushort))
        {
            value = BinaryPrimitives.ReadUInt16BigEndian(front);
            bytes = value < 0x4000 ? 1 : 2;
            value = value < 0x4000 ? value >> 8 : value & 0x3FFF;
            bytes = (value & 1) != 0 || front[0] >= 0x80 ? 0 : bytes;
        }

        length = value >> 1;
        return bytes;
    }

    internal override void Release(in MessageView message)
    {
        Invariant.Require(message.Id > _read || _largeBlock is not null, "A message is released once.");
        _read = message.Id;

        if (_largeBlock is { } large)
        {
            _largeBlock = null;
            _memory.ReturnReceived(large);
        }

        if (_read - _released >= ReleaseStepBytes)
        {
            PublishReleased();
        }
    }

    internal override long Hold(in MessageView message) => Ledger.Hold(message.Id);

    internal override void MarkTaken(in MessageView message) => Ledger.Take(message.Id);

    internal override void Settle(long number, bool refused) => Ledger.Settle(number, refused);

    internal override void Discard()
    {
        Volatile.Write(ref _discarded, true);
        ReturnMemoryIfEnded();
    }

    private protected override void FinishReading() => PublishReleased();

    private protected override void ReturnMemoryIfEnded()
    {
        if (Volatile.Read(ref _ended))
        {
            ReturnMemoryIfDrained();
        }
    }

    // The connection's credit first: whoever sees the lane's room sees the connection's.
    private void PublishReleased()
    {
        _window?.AddRead(_read - _released);
        Volatile.Write(ref _released, _read);
    }

    private bool TryReadHeader(LaneRing ring, int available, out int headerBytes, out ulong header)
    {
        int most = Math.Min(available, VarInt.MaxBytes);
        ReadOnlySpan<byte> atFront = ring.Contiguous(_read, most);
        headerBytes = VarInt.TryRead(atFront, out header);
        return headerBytes > 0
            || (atFront.Length < most && TryReadHeaderOverEnd(ring, most, out headerBytes, out header));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryReadHeaderOverEnd(LaneRing ring, int most, out int headerBytes, out ulong header)
    {
        Span<byte> joined = stackalloc byte[VarInt.MaxBytes];
        ring.Read(_read, joined[..most]);
        headerBytes = VarInt.TryRead(joined[..most], out header);
        return headerBytes > 0;
    }

    private bool TryInOnePiece(LaneRing ring, long start, int length, out ReadOnlySpan<byte> content)
    {
        content = ring.Contiguous(start, length);

        if (content.Length == length)
        {
            return true;
        }

        // About one message per lap of the ring. Without memory it waits, as a large one does.
        if ((_spare is null || _spare.Length < length) && !TryRentSpare(ring.Bytes / 4))
        {
            Volatile.Write(ref _lacksMemory, true);
            return false;
        }

        ring.Read(start, _spare.AsSpan(0, length));
        content = _spare.AsSpan(0, length);
        return true;
    }

    // Anew after the ring has grown.
    private bool TryRentSpare(int bytes)
    {
        if (_spare is { } shorter)
        {
            _spare = null;
            _memory.ReturnReceived(shorter);
        }

        return _memory.TryRentToReceive(bytes, out byte[] block) == SendStatus.Accepted && (_spare = block) is not null;
    }

    private bool TryOpenLarge(int headerBytes, int length, bool asksTaken)
    {
        // Without memory the message waits in the ring, and the peer for credit.
        if (_memory.TryRentToReceive(length, out byte[] block) != SendStatus.Accepted)
        {
            Volatile.Write(ref _lacksMemory, true);
            return false;
        }

        _largeBlock = block;
        _largeStart = _read;
        _largeLength = length;
        _largeFilled = 0;
        _largeAsksTaken = asksTaken;
        _read += headerBytes;
        return true;
    }

    private bool TryPeekLarge(LaneRing ring, long prefix, out MessageView message)
    {
        message = default;
        int arrived = (int)Math.Min(prefix - _read, _largeLength - _largeFilled);

        if (arrived > 0)
        {
            ring.Read(_read, _largeBlock.AsSpan(_largeFilled, arrived));
            _largeFilled += arrived;
            _read += arrived;
            PublishReleased();
        }

        if (_largeFilled < _largeLength || CutsSkip(_largeStart, _read))
        {
            return false;
        }

        message = new MessageView
        {
            Content = _largeBlock.AsSpan(0, _largeLength),
            Id = _read,
            AsksTaken = _largeAsksTaken,
        };
        return true;
    }

    // What was given up at the front, also if a part of it was moved into a block already.
    private void PassSkips(long prefix)
    {
        long front = _largeBlock is null ? _read : _largeStart;
        long next = _skipped.Pass(front, prefix);

        if (next > front)
        {
            DropLarge();
            _read = Math.Max(_read, next);
        }
    }

    // A skip may only start between messages: one that starts inside would show stale bytes as content.
    private bool CutsSkip(long start, long end)
    {
        if (_skipped.Cuts(new OffsetRange(start, end)))
        {
            Violation = CloseCode.LaneViolation;
        }

        return Violation != CloseCode.None;
    }

    private void DropLarge()
    {
        if (_largeBlock is { } large)
        {
            _largeBlock = null;
            _memory.ReturnReceived(large);
        }
    }

    // After the end, once nothing whole is left to read: by whichever side sees it last.
    private void ReturnMemoryIfDrained()
    {
        if (!TryEnter(polling: false))
        {
            return;
        }

        // What only lacks memory, or room among those held, is handed out when there is some.
        if (!TryPeek(out _) && (Volatile.Read(ref _discarded) || !(_lacksMemory || _lacksLedger)))
        {
            DropLarge();

            if (_spare is { } spare)
            {
                _spare = null;
                _memory.ReturnReceived(spare);
            }

            if (_ring is { } ring)
            {
                _ring = null;
                _memory.ReturnReceived(ring.Block);
            }
        }

        LeaveSlot();
    }
}
