using System;
using System.Collections.Generic;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Wire;

namespace Gudp.Messaging.Lanes;

/// <content>Messages that are not whole yet, and the memory made ready for a packet.</content>
internal sealed partial class MessageReceiveLane
{
    /// <summary>So many messages of a lane may be incomplete (H46).</summary>
    internal const int MostPartials = 64;

    /// <summary>An unreliable message whose parts are not all here after that is given up.</summary>
    internal static readonly TimeSpan MostPartialAge = TimeSpan.FromSeconds(2);

    private readonly Stack<PartialMessage> _freePartials = new();
    private PartialMessage[] _partials = [];
    private int _partialCount;
    private long _partialBytes;

    // Reliable lanes: blocks rented while a packet is checked, so that taking it cannot fail.
    private StagedBlock[] _staged = [];
    private int _stagedCount;
    private int _stagedStarts;
    private int _stagedPieces;
    private int _rented;
    private int _rentedBefore;

    /// <summary>When the oldest incomplete message of an unreliable lane must be given up.</summary>
    internal override Instant NextDeadline
    {
        get
        {
            Instant oldest = Instant.Never;

            for (int i = 0; i < _partialCount && !_isReliable; i++)
            {
                oldest = _partials[i].StartedAt < oldest ? _partials[i].StartedAt : oldest;
            }

            return oldest == Instant.Never ? oldest : oldest + MostPartialAge;
        }
    }

    internal override void HandleTimeout(Instant now)
    {
        for (int i = _partialCount - 1; i >= 0 && !_isReliable; i--)
        {
            if (_partials[i].StartedAt + MostPartialAge <= now)
            {
                _ = DropPartial(_partials[i], MessageDrop.Incomplete);
            }
        }
    }

    internal override void EndPacket()
    {
        for (int i = 0; i < _stagedCount; i++)
        {
            if (_staged[i].Block is { } unused)
            {
                _spare.Put(unused);
            }

            _staged[i] = default;
        }

        _stagedCount = 0;
        _stagedStarts = 0;
        _stagedPieces = 0;
        _spare.Clear();
        _rentedBefore = _rented;
        _rented = 0;
    }

    // A packet needs about as many blocks as the one before.
    private SendStatus TryRent(int bytes, out byte[] block)
    {
        int more = Math.Max(0, _rentedBefore - ++_rented);
        return _spare.TryTake(bytes, more, out block);
    }

    private PayloadVerdict Stage(in LaneFrame frame, PartialMessage? partial)
    {
        int index = FindStaged(frame.Offset);
        bool needsRange = NeedsRange(frame, partial);
        _stagedPieces += needsRange ? 1 : 0;

        if (index < 0)
        {
            if (partial is null && !_window.TryCount(frame.Total))
            {
                return PayloadVerdict.CreditExceeded;
            }

            bool starts = partial is null && frame.Content.Length < frame.Total;
            _stagedStarts += starts ? 1 : 0;
            index = AddStaged(new StagedBlock(frame.Offset, frame.Total, null, IsSkip: false));
        }
        else if (_staged[index].IsSkip)
        {
            return PayloadVerdict.Held;
        }
        else if (_staged[index].Total != frame.Total)
        {
            return PayloadVerdict.FragmentConflict;
        }

        // Too many at once wait until others are whole: their sender goes on sending those (H46).
        return _partialCount + _stagedStarts > MostPartials
            || (needsRange && _stagedPieces > FreeRanges())
            || !TryStageBlock(ref _staged[index], frame, partial)
            ? PayloadVerdict.Refused
            : PayloadVerdict.Held;
    }

    private bool TryStageBlock(ref StagedBlock staged, in LaneFrame frame, PartialMessage? partial)
    {
        int have = Math.Max(staged.Block?.Length ?? -1, partial?.Block.Length ?? -1);
        int end = (int)frame.Start + frame.Content.Length;

        if (end <= have)
        {
            return true;
        }

        int bytes = PartialMessage.BlockFor(end, (int)frame.Total, partial?.HeldBytes ?? 0, Math.Max(have, 0));

        if (bytes < end || TryRent(bytes, out byte[] block) != SendStatus.Accepted)
        {
            return false;
        }

        if (staged.Block is { } smaller)
        {
            _memory.ReturnReceived(smaller);
        }

        staged = staged with { Block = block };
        return true;
    }

    private bool TryStageSkip(in LaneFrame frame)
    {
        if (FindStaged(frame.Offset) >= 0)
        {
            return true;
        }

        AddStaged(new StagedBlock(frame.Offset, frame.Total, null, IsSkip: true));
        return _window.TryCount(frame.Total);
    }

    private int AddStaged(in StagedBlock staged)
    {
        if (_stagedCount == _staged.Length)
        {
            Array.Resize(ref _staged, Math.Max(8, _stagedCount * 2));
        }

        _staged[_stagedCount] = staged;
        return _stagedCount++;
    }

    private int FindStaged(long id)
    {
        for (int i = _stagedCount - 1; i >= 0; i--)
        {
            if (_staged[i].Id == id)
            {
                return i;
            }
        }

        return -1;
    }

    private byte[] TakeStaged(long id)
    {
        int index = FindStaged(id);
        Invariant.Require(index >= 0 && _staged[index].Block is not null, "A block was staged when it was checked.");
        byte[] block = _staged[index].Block!;
        _staged[index] = _staged[index] with { Block = null };
        return block;
    }

    private void TakeStagedGrowth(PartialMessage partial)
    {
        int index = FindStaged(partial.Id);

        if (index >= 0 && _staged[index].Block is { } larger)
        {
            _staged[index] = _staged[index] with { Block = null };
            MoveTo(partial, larger);
        }
    }

    private void MoveTo(PartialMessage partial, byte[] larger)
    {
        _partialBytes += larger.Length - partial.Block.Length;
        _memory.ReturnReceived(partial.MoveTo(larger));
    }

    private bool TakeFirstUnreliable(in LaneFrame frame, Instant now)
    {
        int end = (int)frame.Start + frame.Content.Length;
        int bytes = PartialMessage.BlockFor(end, (int)frame.Total, held: 0, block: 0);

        // What can never become whole is not begun.
        if (frame.Total > _limits.UnreliableBytes)
        {
            return DropUnreliable(frame.Offset, Asks(frame), MessageDrop.TooLong);
        }

        if (bytes < end || !TryRentUnreliable(bytes, null, out byte[] block))
        {
            return DropUnreliable(frame.Offset, Asks(frame), MessageDrop.NoRoom);
        }

        if (_partialCount == MostPartials)
        {
            _ = DropPartial(Oldest(null)!, MessageDrop.Incomplete);
        }

        return AddPiece(AddPartial(frame, block, now), frame);
    }

    private bool TryGrowUnreliable(PartialMessage partial, in LaneFrame frame)
    {
        int end = (int)frame.Start + frame.Content.Length;

        if (end > partial.Block.Length)
        {
            int bytes = PartialMessage.BlockFor(end, partial.Total, partial.HeldBytes, partial.Block.Length);

            if (bytes < end || !TryRentUnreliable(bytes, partial, out byte[] larger))
            {
                return false;
            }

            MoveTo(partial, larger);
        }

        return !NeedsRange(frame, partial) || FreeRanges() > 0;
    }

    // What closes a gap, or goes on where one ended, needs none.
    private static bool NeedsRange(in LaneFrame frame, PartialMessage? partial) => partial is null
        ? frame.Content.Length < frame.Total
        : partial.StandsAlone(frame.Start, frame.Content.Length);

    private int FreeRanges()
    {
        int free = PartialMessage.MostRanges;

        for (int i = 0; i < _partialCount; i++)
        {
            free -= _partials[i].Ranges;
        }

        return free;
    }

    private static bool Conflicts(PartialMessage partial, in LaneFrame frame)
        => partial.Total != frame.Total || partial.Contradicts(frame.Start, frame.Content);

    // What was here before the packet was compared when it was checked.
    private bool IsConflictWithinPacket(PartialMessage partial, in LaneFrame frame)
    {
        bool conflicts = Conflicts(partial, frame);

        if (conflicts)
        {
            Violation = CloseCode.FragmentConflict;
        }

        return conflicts;
    }

    // A piece whose block is large enough. The first copy of each byte stays.
    private bool AddPiece(PartialMessage partial, in LaneFrame frame)
    {
        if (!partial.TryAdd(frame.Start, frame.Content) || !partial.IsWhole)
        {
            return false;
        }

        WaitingMessage whole = new(partial.Id, partial.TakeBlock(), partial.Total, partial.AsksTaken);
        _partialBytes += partial.Block.Length - whole.Block.Length;
        Remove(partial);
        _recent?.Add(whole.Id);
        return Queue(whole);
    }

    // A sequenced lane: what is older than a whole message will not be handed out.
    private void DropOutdatedPartials(long newest)
    {
        for (int i = _partialCount - 1; i >= 0; i--)
        {
            if (_partials[i].Id < newest)
            {
                _ = DropPartial(_partials[i], MessageDrop.Outdated);
            }
        }
    }

    private bool DropPartial(PartialMessage partial, MessageDrop cause)
    {
        (long id, int total, bool asks) = (partial.Id, partial.Total, partial.AsksTaken);
        ReturnPartial(partial);
        _recent?.Add(id);
        ThrowAway(id, total, asks, cause);
        return false;
    }

    // Given up by its sender, who knows what became of it.
    private void PassOver(PartialMessage partial)
    {
        (long id, int total) = (partial.Id, partial.Total);
        ReturnPartial(partial);
        _recent?.Add(id);

        if (_isReliable)
        {
            FinishIds(1, total);
        }
    }

    private void ReturnPartial(PartialMessage partial)
    {
        byte[] block = partial.TakeBlock();
        _partialBytes -= block.Length;
        _memory.ReturnReceived(block);
        Remove(partial);
    }

    private PartialMessage AddPartial(in LaneFrame first, byte[] block, Instant now)
    {
        if (_partials.Length == 0)
        {
            _partials = new PartialMessage[MostPartials];
        }

        Invariant.Require(_partialCount < MostPartials, "Room for a partial message was checked.");

        if (!_freePartials.TryPop(out PartialMessage? partial))
        {
            partial = new PartialMessage();
        }

        partial.Begin(first.Offset, (int)first.Total, Asks(first), block, now);
        _partialBytes += block.Length;
        _partials[_partialCount++] = partial;
        return partial;
    }

    private PartialMessage? Find(long id)
    {
        for (int i = 0; i < _partialCount; i++)
        {
            if (_partials[i].Id == id)
            {
                return _partials[i];
            }
        }

        return null;
    }

    private PartialMessage? Oldest(PartialMessage? except)
    {
        PartialMessage? oldest = null;

        for (int i = 0; i < _partialCount; i++)
        {
            if (_partials[i] != except && (oldest is null || _partials[i].Id < oldest.Id))
            {
                oldest = _partials[i];
            }
        }

        return oldest;
    }

    private void Remove(PartialMessage partial) => _ = RemovePartial(Array.IndexOf(_partials, partial, 0, _partialCount));

    private PartialMessage RemovePartial(int index)
    {
        PartialMessage partial = _partials[index];
        _partials[index] = _partials[--_partialCount];

        if (partial.IsSmall)
        {
            _freePartials.Push(partial);
        }

        return partial;
    }

    /// <summary>What one packet needs for one id.</summary>
    private readonly record struct StagedBlock(long Id, long Total, byte[]? Block, bool IsSkip);
}
