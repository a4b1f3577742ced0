// Which lane writes next (D-11.1): strict priority between levels, deficit round robin in bytes within one.
//
// Lanes are ranked once by the plan: the control lane, then by falling priority, then by number. The set of ready lanes
// is kept by rank, so the next one to look at is its first member and a packet costs what is ready, not what exists.
//
// Within a level a lane gets a share of bytes for each time it is its turn, in proportion to its weight; the heaviest of
// the level gets the full share, so that nobody waits long for a heavy one. A frame may go beyond the share: the
// overdraft is kept, and paid off in later rounds. If all that are ready are overdrawn, as many rounds as the first of
// them needs pass at once. A lane whose frame finds no room in a packet keeps its turn; others fill the rest and pay.
//
// Of the connection's credit what comes free is kept for the first large message that waits for it, but for a part with
// which the others go on (D-8.9).
//
// Always true:
//   - a lane that may write is in the ready set, or waits in the set of those held by the connection's credit;
//   - a lane that is struck off keeps its overdraft but no share.

using System;
using System.Threading;
using Gudp.Messaging.Diagnostics;

namespace Gudp.Messaging.Lanes;

/// <remarks><see cref="MarkReady"/> and <see cref="MarkTimed"/>: any thread. All else: the leader.</remarks>
internal sealed class SendSchedule
{
    // The share of the heaviest lane of a level: about a packet.
    internal const int FullShare = 1024;

    // A frame shorter than this is not worth asking lanes for.
    internal const int LeastRoom = 8;

    // What a lane filled the rests of packets with is not held against it for ever.
    private const int MostOverdraft = 64 * FullShare;

    // So many lanes are asked in vain to fill the rest of a packet.
    private const int MostMisfits = 8;

    private SendLane?[] _lanes;
    private readonly PeerTerms _peer;
    private readonly LaneRanks _ranks;

    // By level: the rank whose turn it is.
    private readonly byte[] _cursors;
    private LaneSet _ready;
    private LaneSet _held;
    private LaneSet _tried;

    // By number, not by rank.
    private LaneSet _timed;
    private int _misfits;

    // Whose message credit is kept for, by rank; -1: nobody's.
    private int _waiter = -1;
    private long _kept;
    private bool _hasReleased;

    /// <summary>A schedule of the lanes in an array that fills as lanes are first used.</summary>
    internal SendSchedule(SendLane?[] lanes, LaneRanks ranks, PeerTerms peer)
    {
        _lanes = lanes;
        _peer = peer;
        _ranks = ranks;
        _cursors = ranks.FirstCursors();
    }

    /// <summary>Any thread, before a lane in it can be found: the array that fills, in place of the one before.</summary>
    internal void UseLanes(SendLane?[] lanes) => Volatile.Write(ref _lanes, lanes);

    /// <summary>Any thread. The lane may have something to write, which was published before.</summary>
    internal void MarkReady(int lane)
    {
        int rank = _ranks.RankOf[lane];

        // The leader strikes off, then looks once more; here it was published, then looked: one of the two sees it.
        Interlocked.MemoryBarrier();

        if (!_ready.Contains(rank))
        {
            _ready.AddAtomic(rank);
        }
    }

    /// <summary>Whether the lane has content that the connection's credit does not allow.</summary>
    internal bool IsHeldByConnection(int lane) => _held.Contains(_ranks.RankOf[lane]);

    /// <summary>Any thread. The lane has something that waits for a deadline (SendLane.StampDeadlines).</summary>
    internal void MarkTimed(int lane) => _timed.AddAtomic(lane);

    /// <summary>The next lane marked so since it was last taken.</summary>
    internal bool TryTakeTimed(out int lane)
    {
        lane = _timed.Next(0);

        if (lane < 0)
        {
            return false;
        }

        // Taken before it is looked at: what is marked later is taken again.
        _timed.RemoveAtomic(lane);
        return true;
    }

    /// <summary>The connection's credit was raised.</summary>
    /// <param name="connectionRoom">Bytes it leaves now.</param>
    internal void RaiseCredit(long connectionRoom)
    {
        if (_waiter >= 0)
        {
            Keep(connectionRoom);
        }

        Release();
    }

    private void Release()
    {
        _hasReleased = true;

        for (int rank = _held.Next(0); rank >= 0; rank = NextAfter(_held, rank))
        {
            _ready.AddAtomic(rank);
        }

        _held.Clear();
    }

    /// <summary>Whether any lane would write something into an empty packet; strikes off those that would not.</summary>
    internal bool HasNew(long connectionRoom)
    {
        do
        {
            _hasReleased = false;

            for (int rank = _ready.Next(0); rank >= 0; rank = NextAfter(_ready, rank))
            {
                if (!TryStrikeOff(rank, LaneAt(rank).Probe(RoomOf(rank, connectionRoom)), connectionRoom))
                {
                    return true;
                }
            }
        }
        while (_hasReleased);

        return false;
    }

    /// <summary>Fills the packet with new content. The control lane's comes first.</summary>
    internal void Write(ref PacketDraft draft)
    {
        _tried.Clear();
        _misfits = 0;

        for (int rank = _ready.Next(0); rank >= 0 && HasRoom(draft); rank = NextAfter(_ready, rank))
        {
            LaneLevel level = _ranks.Levels[_ranks.LevelAt[rank]];

            if (rank > 0)
            {
                // What lanes of a higher priority repeat goes before what this level has new.
                draft.Repeats.Write(ref draft, above: LaneAt(rank).Options.Priority);
            }

            WriteLevel(ref draft, level);
            rank = level.End - 1;
        }
    }

    private void WriteLevel(ref PacketDraft draft, in LaneLevel level)
    {
        bool isFilling = false;

        while (HasRoom(draft) && (isFilling ? TryPickFiller(level, out int rank) : TryPick(level, out rank)))
        {
            SendLane lane = LaneAt(rank);
            int before = draft.Writer.Used;
            long credit = draft.CreditLeft;
            draft.Withhold(KeptFrom(rank));
            LaneTurn turn = lane.WriteNew(ref draft, Math.Max(1, lane.Deficit));
            lane.Deficit = Math.Max(lane.Deficit - (draft.Writer.Used - before), -MostOverdraft);

            if (rank == _waiter && draft.CreditLeft < credit)
            {
                StopKeeping();
            }

            if (turn == LaneTurn.NoFit)
            {
                _tried.Add(rank);
                _misfits++;
                isFilling = true;
            }
            else if (turn != LaneTurn.HasMore && !TryStrikeOff(rank, turn, draft.CreditLeft))
            {
                // More came meanwhile: the next packet takes it.
                _tried.Add(rank);
            }
        }
    }

    // The lane whose turn it is goes on while it has a share; then the next one gets its own.
    private bool TryPick(in LaneLevel level, out int rank)
    {
        rank = _cursors[level.Number];

        if (IsWilling(rank))
        {
            SendLane lane = LaneAt(rank);

            if (lane.Deficit <= 0 && _ready.IsOnly(rank))
            {
                // As many rounds as it needs, as below: there is nobody to ask in between.
                lane.Deficit += ((-lane.Deficit / _ranks.ShareAt[rank]) + 1) * _ranks.ShareAt[rank];
            }

            if (lane.Deficit > 0)
            {
                return true;
            }
        }

        while (true)
        {
            long leastRounds = long.MaxValue;
            int count = level.End - level.Start;
            int next = NextWilling(level, _cursors[level.Number] + 1);

            if (next < 0)
            {
                return false;
            }

            int first = next;

            do
            {
                SendLane lane = LaneAt(next);
                lane.Deficit += _ranks.ShareAt[next];

                if (lane.Deficit > 0)
                {
                    _cursors[level.Number] = (byte)next;
                    rank = next;
                    return true;
                }

                leastRounds = Math.Min(leastRounds, -lane.Deficit / _ranks.ShareAt[next]);
                next = NextWilling(level, next + 1);
            }
            while (next != first && next >= 0 && count-- > 0);

            PassRounds(level, leastRounds);
        }
    }

    // Whose turn it is found no room: others may fill the rest of the packet. They pay for it, and it stays the turn of
    // the one that waits for the next packet.
    private bool TryPickFiller(in LaneLevel level, out int rank)
    {
        rank = NextWilling(level, _cursors[level.Number] + 1);
        return rank >= 0;
    }

    private void PassRounds(in LaneLevel level, long rounds)
    {
        if (rounds <= 0)
        {
            return;
        }

        for (int rank = level.Start; rank < level.End; rank++)
        {
            rank = _ready.Next(rank);

            if (rank < 0 || rank >= level.End)
            {
                return;
            }

            LaneAt(rank).Deficit += rounds * _ranks.ShareAt[rank];
        }
    }

    // The next rank of the level, at or after the given one and round its end, that is ready and was not tried.
    private int NextWilling(in LaneLevel level, int from)
    {
        from = from >= level.End ? level.Start : from;

        for (int rank = _ready.Next(from); rank >= 0 && rank < level.End; rank = NextAfter(_ready, rank))
        {
            if (!_tried.Contains(rank))
            {
                return rank;
            }
        }

        for (int rank = _ready.Next(level.Start); rank >= 0 && rank < from; rank = NextAfter(_ready, rank))
        {
            if (!_tried.Contains(rank))
            {
                return rank;
            }
        }

        return -1;
    }

    private bool IsWilling(int rank) => _ready.Contains(rank) && !_tried.Contains(rank);

    private bool HasRoom(in PacketDraft draft)
        => draft.Writer.Free >= LeastRoom && draft.CanNote && _misfits < MostMisfits;

    // False if the lane has something to write after all.
    private bool TryStrikeOff(int rank, LaneTurn turn, long connectionRoom)
    {
        if (turn is LaneTurn.HasMore or LaneTurn.NoFit)
        {
            return false;
        }

        SendLane lane = LaneAt(rank);
        _ready.RemoveAtomic(rank);

        // A sender may have published just before: then it saw the lane as ready, and nobody else looks.
        turn = lane.Probe(RoomOf(rank, connectionRoom));

        if (turn == LaneTurn.HasMore)
        {
            _ready.AddAtomic(rank);
            return false;
        }

        lane.Deficit = Math.Min(0, lane.Deficit);

        if (turn == LaneTurn.HeldByConnection)
        {
            _held.Add(rank);
            KeepFor(rank, lane, connectionRoom);
        }
        else if (rank == _waiter)
        {
            // Its message was given up.
            StopKeeping();
        }

        return true;
    }

    // One at a time, and of the highest priority: a lower one has no claim to what a higher one can use.
    private void KeepFor(int rank, SendLane lane, long connectionRoom)
    {
        if (rank != _waiter && (_waiter < 0 || _ranks.LevelAt[rank] < _ranks.LevelAt[_waiter]) && lane.CreditNeeded > 0)
        {
            _waiter = rank;
            _kept = 0;
            Keep(connectionRoom);
        }
    }

    private void Keep(long connectionRoom)
    {
        long beside = _peer.LeftBesideKept;
        long most = beside > 0 ? Math.Max(0, connectionRoom - beside) : 0;
        _kept = Math.Min(Math.Max(_kept, most), LaneAt(_waiter).CreditNeeded);
    }

    private void StopKeeping()
    {
        _waiter = -1;
        _kept = 0;
        Release();
    }

    private long KeptFrom(int rank)
        => _waiter < 0 || rank == _waiter || _ranks.LevelAt[rank] < _ranks.LevelAt[_waiter] ? 0 : _kept;

    private long RoomOf(int rank, long connectionRoom)
        => rank == 0 ? long.MaxValue : Math.Max(0, connectionRoom - KeptFrom(rank));

    private SendLane LaneAt(int rank)
    {
        SendLane? lane = Volatile.Read(ref _lanes[_ranks.LaneAt[rank]]);
        Invariant.Require(lane is not null, "Only a lane that was made becomes ready.");
        return lane!;
    }

    private static int NextAfter(in LaneSet set, int rank) => set.Next(rank + 1);
}
