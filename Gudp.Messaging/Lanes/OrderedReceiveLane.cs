// The receiving side of an ordered lane: the leader puts ranges where they belong in a ring, the reader takes messages
// from its front.
//
// A message that stands in the ring whole is handed out in place; one over the ring's end is copied into a spare block
// first. A message of more than a quarter of the ring never has to fit: as soon as its header is read, the reader opens
// a block of its own for it and moves in what arrives, so the ring's room and with it the credit flow on.
//
// Always true:
//   - released <= read position <= prefix <= highest <= released + capacity: the credit granted is room that exists;
//   - the leader writes only offsets at or above the prefix that were never written, the reader reads only below it;
//   - at most one reader is inside.

using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Memory;

namespace Gudp.Messaging.Lanes;

/// <remarks>
/// The leader only: the members in this file. The one reader that is inside: those in OrderedReceiveLane.Read.cs. Between
/// them stand positions, each written by one side.
/// </remarks>
internal sealed partial class OrderedReceiveLane
{
    // An honest peer's packets are hardly smaller; more holes than this are not worth their memory.
    private const int RingBytesPerRange = 512;
    private const int LeastRanges = 64;

    // Peers skip rarely: an abandoned claim, later a message that expired.
    private const int MostSkips = 128;

    private readonly MessageMemory _memory;
    private readonly int _capacity;
    private readonly int _largestMessage;
    private readonly RangeSet _have;
    private readonly Lock _skipGate = new();
    private OffsetRange[] _skips = [];
    private int _skipCount;
    private LaneRing? _ring;
    private long _prefix;
    private long _grantedLimit;

    internal OrderedReceiveLane(int number, int capacity, int largestMessage, MessageMemory memory)
    {
        Number = number;
        _capacity = capacity;
        _largestMessage = largestMessage;
        _memory = memory;
        _have = new RangeSet(Math.Max(LeastRanges, capacity / RingBytesPerRange));
        _grantedLimit = capacity;
    }

    internal int Number { get; }

    /// <summary>Confirmations owed to the peer.</summary>
    internal TakeLedger Ledger { get; } = new();

    /// <summary>The peer has opened the lane.</summary>
    internal bool IsOpen { get; set; }

    /// <summary>One above the highest offset received: what the lane counts in the connection's credit.</summary>
    internal long Highest { get; private set; }

    /// <summary>How far the peer may go, as last granted.</summary>
    internal long GrantedLimit => _grantedLimit;

    /// <summary>How many more ranges may come to stand alone.</summary>
    internal int FreeRanges => _have.Free;

    internal int FreeSkips => MostSkips - Volatile.Read(ref _skipCount);

    /// <summary>The taken offset last written into a packet, -1 if it must be written again.</summary>
    internal long AnnouncedTaken { get; set; }

    /// <summary>Enough was read since the last grant that the peer should hear of it.</summary>
    internal bool IsCreditDue => Volatile.Read(ref _released) + _capacity - _grantedLimit >= _capacity / 4;

    /// <summary>The memory behind the lane's credit. False: there is none now.</summary>
    internal bool TryRentRing()
    {
        if (_ring is null && !_ended)
        {
            if (_memory.TryRent(_capacity, out byte[] block) != SendStatus.Accepted)
            {
                return false;
            }

            _ring = new LaneRing(block, _capacity);
        }

        return true;
    }

    internal bool StandsAlone(long from, long to) => _have.StandsAlone(from, to);

    /// <summary>Keeps what was not received before.</summary>
    /// <returns>True if the reader has something new.</returns>
    internal bool Accept(long offset, ReadOnlySpan<byte> content)
    {
        if (_ring is not { } ring)
        {
            return false;
        }

        long end = offset + content.Length;
        Invariant.Require(end <= _grantedLimit, "Credit was checked before the content was taken.");

        while (_have.TryFirstMissing(offset, end, out OffsetRange missing))
        {
            // What was received before may be in a reader's hands: it is never written twice.
            ring.Write(missing.From, content.Slice((int)(missing.From - offset), (int)missing.Length));
            Mark(missing.From, missing.To);
        }

        return TryPublish(end);
    }

    /// <summary>The peer gives up a range that starts and ends between messages.</summary>
    internal bool AcceptSkip(long from, long to)
    {
        // A message that is here whole may be read already; then it stays.
        if (!_have.TryFirstMissing(from, to, out _))
        {
            return false;
        }

        lock (_skipGate)
        {
            if (_skips.Length == 0)
            {
                _skips = new OffsetRange[MostSkips];
            }

            Invariant.Require(_skipCount < MostSkips, "Room for a skip was checked before it was taken.");
            _skips[_skipCount] = new OffsetRange(from, to);
            Volatile.Write(ref _skipCount, _skipCount + 1);
        }

        Mark(from, to);
        return TryPublish(to);
    }

    /// <summary>A new limit for the peer, as much as there is room.</summary>
    internal long GrantCredit()
    {
        _grantedLimit = Math.Max(_grantedLimit, Volatile.Read(ref _released) + _capacity);
        return _grantedLimit;
    }

    /// <summary>Nothing more arrives. What is whole stays readable.</summary>
    internal void End()
    {
        Volatile.Write(ref _ended, true);
        ReturnMemoryIfDrained();
    }

    private void Mark(long from, long to)
    {
        bool added = _have.TryAdd(from, to);
        Invariant.Require(added, "Room for a range was checked before it was taken.");
    }

    private bool TryPublish(long end)
    {
        Highest = Math.Max(Highest, end);

        if (_have.Prefix == _prefix)
        {
            return false;
        }

        Volatile.Write(ref _prefix, _have.Prefix);
        return true;
    }
}
