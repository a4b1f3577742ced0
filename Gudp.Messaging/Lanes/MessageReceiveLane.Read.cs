using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Status;

namespace Gudp.Messaging.Lanes;

/// <content>Whole messages on their way to the reader.</content>
internal sealed partial class MessageReceiveLane
{
    /// <summary>Most whole messages of an unreliable lane that wait; its bytes are limited too.</summary>
    internal const int MostWaiting = 4096;

    private const int FirstWaiting = 16;

    // Blocks are powers of two, and at least as long as MessageMemory's shortest.
    private const int BlockFactor = 2;
    private const int LeastBlockBytes = 64;

    private readonly Lock _queueGate = new();
    private WaitingMessage[] _waiting = [];
    private long _firstWaiting;
    private long _nextWaiting;
    private long _waitingBytes;
    private long _mostWaitingBytes;
    private long _mostWaiting;
    private long _doneIds;
    private long _doneBytes;
    private bool _ended;
    private bool _discarded;

    // The reader's: out of the queue, where a newer message cannot take its place any more.
    private WaitingMessage _inHand;
    private bool _hasInHand;

    internal override bool HasUnread => WaitingCount > 0 || Volatile.Read(ref _hasInHand);

    internal override bool IsDrained => Volatile.Read(ref _discarded) || !HasUnread;

    /// <summary>Whole messages that wait; a glance.</summary>
    private long WaitingCount => Volatile.Read(ref _nextWaiting) - Volatile.Read(ref _firstWaiting);

    internal override long ArrivedPosition => Volatile.Read(ref _nextWaiting);

    internal override long ReadPosition => Volatile.Read(ref _firstWaiting) - (Volatile.Read(ref _hasInHand) ? 1 : 0);

    internal override long UnreadBytes => Volatile.Read(ref _waitingBytes);

    /// <summary>Any thread. What is here, whole or in part, and not handed out; numbers at a glance.</summary>
    /// <remarks>The bytes are those of blocks, which are up to twice as long as what they hold.</remarks>
    internal override QueueCounters ReadQueue() => new(
        $"lane {Number} receive",
        _isReliable ? (_window.Bytes * BlockFactor) + (IdCredit.Ahead * LeastBlockBytes) : _limits.UnreliableBytes,
        _isReliable ? IdCredit.Ahead : MostWaiting,
        Volatile.Read(ref _waitingBytes) + Volatile.Read(ref _partialBytes),
        WaitingCount + Volatile.Read(ref _partialCount),
        Volatile.Read(ref _mostWaitingBytes),
        Volatile.Read(ref _mostWaiting),
        _tally.Read(MessageCount.FirstDrop + (int)MessageDrop.NoRoom));

    internal override bool TryPeek(out MessageView message)
    {
        message = default;

        if (Volatile.Read(ref _discarded))
        {
            return false;
        }

        if (!_hasInHand && !TryTakeNext())
        {
            return false;
        }

        message = new MessageView
        {
            Content = _inHand.Block.AsSpan(0, _inHand.Length),
            Id = _inHand.Id,
            AsksTaken = _inHand.AsksTaken,
        };
        return true;
    }

    internal override bool TryDetach(out byte[] block)
    {
        Invariant.Require(_hasInHand, "Only a message that was peeked is detached.");
        block = _inHand.Block;
        _inHand = _inHand with { Block = [] };
        return true;
    }

    internal override void Release(in MessageView message)
    {
        Invariant.Require(_hasInHand && _inHand.Id == message.Id, "A message is released once.");
        DropInHand();
    }

    internal override long Hold(in MessageView message)
    {
        Answers.Hold();
        return message.Id;
    }

    internal override void MarkTaken(in MessageView message) => Answers.Add(message.Id, refused: false);

    internal override void Settle(long number, bool refused) => Answers.Settle(number, refused);

    internal override void Discard()
    {
        Volatile.Write(ref _discarded, true);
        ReturnMemoryIfEnded();
    }

    private protected override void FinishReading()
    {
        // Each release was told at once, but for the blocks.
        _done.Clear();
    }

    private protected override void ReturnMemoryIfEnded()
    {
        // What is whole stays readable, in blocks of its own that go back one by one.
        if (!Volatile.Read(ref _ended) || !Volatile.Read(ref _discarded) || !TryEnter(polling: false))
        {
            return;
        }

        if (_hasInHand)
        {
            DropInHand();
        }

        while (TryTakeNext())
        {
            DropInHand();
        }

        _done.Clear();
        LeaveSlot();
    }

    // Leader. True if the reader has something new.
    private bool Queue(in WaitingMessage whole)
    {
        if (_isSequenced)
        {
            _newestWhole = Math.Max(_newestWhole, whole.Id);
            DropOutdatedPartials(_newestWhole);
        }

        bool isDiscarded = Volatile.Read(ref _discarded);

        if (isDiscarded || (_isSequenced && whole.Id < _newestWhole))
        {
            DropWhole(whole, isDiscarded ? MessageDrop.None : MessageDrop.Outdated);
            return false;
        }

        WaitingMessage outdated = default;
        bool hasOutdated;

        lock (_queueGate)
        {
            hasOutdated = _isSequenced && _nextWaiting > _firstWaiting;

            if (hasOutdated)
            {
                outdated = TakeFirst();
            }

            if (_nextWaiting - _firstWaiting == _waiting.Length)
            {
                Grow();
            }

            _waiting[_nextWaiting & (_waiting.Length - 1)] = whole;
            Volatile.Write(ref _nextWaiting, _nextWaiting + 1);
            _waitingBytes += whole.Block.Length;
            _mostWaitingBytes = Math.Max(_mostWaitingBytes, _waitingBytes);
            _mostWaiting = Math.Max(_mostWaiting, _nextWaiting - _firstWaiting);
        }

        if (hasOutdated)
        {
            DropWhole(outdated, MessageDrop.Outdated);
        }

        return true;
    }

    private void DropWhole(in WaitingMessage whole, MessageDrop cause)
    {
        _memory.ReturnReceived(whole.Block);
        ThrowAway(whole.Id, whole.Length, whole.AsksTaken, cause);
    }

    // Reader. The next message leaves the queue for its hand.
    private bool TryTakeNext()
    {
        lock (_queueGate)
        {
            if (_nextWaiting == _firstWaiting)
            {
                return false;
            }

            bool asks = _waiting[_firstWaiting & (_waiting.Length - 1)].AsksTaken;

            if (asks && !Answers.HasRoom && !Volatile.Read(ref _discarded))
            {
                return false;
            }

            _inHand = TakeFirst();
            Volatile.Write(ref _hasInHand, true);
            return true;
        }
    }

    // Under the queue's lock.
    private WaitingMessage TakeFirst()
    {
        ref WaitingMessage place = ref _waiting[_firstWaiting & (_waiting.Length - 1)];
        WaitingMessage first = place;
        place = default;
        Volatile.Write(ref _firstWaiting, _firstWaiting + 1);
        _waitingBytes -= first.Block.Length;
        return first;
    }

    private void DropInHand()
    {
        WaitingMessage done = _inHand;
        _inHand = default;
        Volatile.Write(ref _hasInHand, false);

        // A block that was detached belongs to its holder.
        if (done.Block.Length > 0)
        {
            _done.Put(done.Block);
        }

        if (_isReliable)
        {
            FinishIds(1, done.Length);
        }
    }

    // Under the queue's lock.
    private void Grow()
    {
        var larger = new WaitingMessage[Math.Max(FirstWaiting, _waiting.Length * 2)];

        for (long i = _firstWaiting; i < _nextWaiting; i++)
        {
            larger[i & (larger.Length - 1)] = _waiting[i & (_waiting.Length - 1)];
        }

        _waiting = larger;
    }

    // Leader. Unreliable lanes: within the lane's bytes, and the peer's memory. What is incomplete gives way.
    private bool TryRentUnreliable(int bytes, PartialMessage? growing, out byte[] block)
    {
        block = [];

        if (WaitingCount >= MostWaiting)
        {
            return false;
        }

        while (Volatile.Read(ref _waitingBytes) + _partialBytes + bytes > _limits.UnreliableBytes
            || TryRent(bytes, out block) != SendStatus.Accepted)
        {
            if (Oldest(except: growing) is not { } oldest)
            {
                return false;
            }

            _ = DropPartial(oldest, MessageDrop.Incomplete);
        }

        return true;
    }
}
