using System;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Status;

namespace Gudp.Messaging.Lanes;

// A repeat goes before new content of lanes of lower priority only, and only while the window has room behind it for one
// more packet like this one: what takes the window from new content makes messages later, not earlier. For the same
// reason a repeat the window has no room for is dropped and does not wait.
//
// It waits for a packet that leaves anyway. Where new content comes in a row, that is the next of it; a packet more each
// time would bring it a few milliseconds earlier at thrice the packets. If none comes, a packet of its own leaves.

/// <summary>
/// Small pieces that go out again in the next packets before anything is known to be lost (D-11.3): what one lost packet
/// carried is then in the next one, a round trip before its loss is noticed.
/// </summary>
/// <remarks>
/// Leader only. Always true: a piece stands here at most <see cref="LaneOptions.Repeats"/> times less those that went or
/// were dropped, at most once in a packet and not in the one it was new in; at most <see cref="MostPieces"/> stand here.
/// </remarks>
internal sealed class RepeatQueue
{
    /// <summary>More small pieces than this at a time are not repeated: then there are packets enough.</summary>
    internal const int MostPieces = 128;

    private const int FirstPieces = 8;

    // A message may be at most this part of a packet.
    private const int PartOfPacket = 4;

    // A frame's head at its longest, with the lane's opening before it.
    private const int LongestHead = 20;

    // If no packet leaves by itself, one leaves for the repeats.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(5);

    // New content that comes so often is waited for: 50 and 60 times a second, with some jitter.
    private static readonly TimeSpan LongestRide = TimeSpan.FromMilliseconds(22);

    private Entry[] _entries = [];              // grows with use, up to MostPieces
    private int _count;
    private int _older;                         // those that stood here when the packet began
    private int _repeatedBytes;                 // of the packet
    private bool _isDue;
    private Instant _now;
    private Instant _freshAt = Instant.Never;   // when a piece last came
    private TimeSpan _gap = TimeSpan.MaxValue;  // between the last two that came at different times

    /// <summary>When a packet must leave for what stands here; <see cref="Instant.Never"/> if nothing does.</summary>
    internal Instant NextDeadline { get; private set; } = Instant.Never;

    /// <summary>Whether a packet should leave for them now, and the window has room for one.</summary>
    /// <param name="windowRoom">Bytes that may still get in flight.</param>
    internal bool IsDue(int windowRoom) => _isDue && _count > 0 && HasWindow(0, _entries[0].Bytes, windowRoom);

    /// <summary>Puts a piece in line that just went out for the first time.</summary>
    /// <param name="lane">Whose it is.</param>
    /// <param name="piece">As it was noted.</param>
    /// <param name="bytes">Its content.</param>
    /// <param name="packetBytes">Of the packet it went in.</param>
    /// <returns>False if it is not repeated.</returns>
    internal bool TryPlan(SendLane lane, in SentPiece piece, int bytes, int packetBytes)
    {
        if (lane.Options.Repeats == 0 || _count == MostPieces || bytes > packetBytes / PartOfPacket)
        {
            return false;
        }

        if (_freshAt != _now)
        {
            _gap = _freshAt.IsNever ? TimeSpan.MaxValue : _now - _freshAt;
            _freshAt = _now;
        }

        if (_count == _entries.Length)
        {
            Array.Resize(ref _entries, _entries.Length == 0 ? FirstPieces : MostPieces);
        }

        _entries[_count++] = new Entry { Lane = lane, Piece = piece, Bytes = bytes, Left = lane.Options.Repeats };
        return true;
    }

    /// <summary>Whether repeats of the piece are still to go.</summary>
    internal bool Contains(in SentPiece piece)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_entries[i].Piece.Lane == piece.Lane && _entries[i].Piece.From == piece.From)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A packet begins: what stands here now may go into it.</summary>
    internal void BeginPacket(Instant now)
    {
        Invariant.Require(_older == 0, "Every packet that began has ended.");
        _now = now;
        _older = _count;
        _repeatedBytes = 0;
    }

    /// <summary>Writes what fits of lanes whose priority is higher than this.</summary>
    internal void Write(ref PacketDraft draft, int above)
    {
        // The newest first: more of their copies may still be needed.
        for (int i = _older - 1; i >= 0; i--)
        {
            ref Entry entry = ref _entries[i];

            if (!entry.IsPassed && entry.Lane.Options.Priority > above)
            {
                entry.IsPassed = true;
                Write(ref draft, ref entry);
            }
        }
    }

    /// <summary>The packet is written.</summary>
    internal void EndPacket()
    {
        if (_older > 0)
        {
            _isDue = false;
            _older = 0;
            Compact();
        }
    }

    /// <summary>At the end of a turn: what stands here gets its time.</summary>
    /// <returns>True if a message had its end, because its last repeat was dropped.</returns>
    internal bool StampDeadlines(Instant now)
    {
        // Core let no packet leave in the turn in which one was due.
        bool changed = _isDue && DropAll();

        if (_count == 0)
        {
            NextDeadline = Instant.Never;
        }
        else if (NextDeadline == Instant.Never)
        {
            bool isAwaited = _gap <= LongestRide && now < _freshAt + _gap;
            NextDeadline = (isAwaited ? _freshAt + _gap : now) + LongestWait;
        }

        return changed;
    }

    /// <summary>Nothing was sent for a while: the room goes back.</summary>
    internal void Rest()
    {
        if (_count == 0)
        {
            _entries = [];
        }
    }

    /// <summary>The time has come.</summary>
    internal void HandleTimeout()
    {
        NextDeadline = Instant.Never;

        for (int i = 0; i < _count; i++)
        {
            if (!_entries[i].Lane.Matters(_entries[i].Piece))
            {
                _entries[i].Left = 0;
            }
        }

        Compact();
        _isDue = _count > 0;
    }

    private void Write(ref PacketDraft draft, ref Entry entry)
    {
        int before = draft.Writer.Used;

        if (!HasWindow(before, entry.Bytes, draft.WindowRoom))
        {
            draft.HasProgressed |= Drop(ref entry);
            return;
        }

        if (entry.Lane.TryRepeat(ref draft, entry.Piece, out bool isDone))
        {
            entry.Lane.Tally.Count(MessageCount.RepeatsWritten);
            entry.Left--;
            _repeatedBytes += draft.Writer.Used - before;
        }
        else if (!isDone)
        {
            // The packet is full: the next one.
            return;
        }

        // What stands here still waits for a packet from now on.
        NextDeadline = Instant.Never;
        entry.Left = isDone ? 0 : entry.Left;
    }

    // Behind the packet there must be room for one more with as much new content, or for this content once more.
    private bool HasWindow(int used, int bytes, int windowRoom)
        => used + bytes + LongestHead + Math.Max(used - _repeatedBytes, bytes + LongestHead) <= windowRoom;

    private bool DropAll()
    {
        _isDue = false;
        bool changed = false;

        for (int i = 0; i < _count; i++)
        {
            changed |= Drop(ref _entries[i]);
        }

        Compact();
        return changed;
    }

    private static bool Drop(ref Entry entry)
    {
        entry.Lane.Tally.Count(MessageCount.RepeatsDropped);
        entry.Left--;
        return entry.Lane.DropRepeat(entry.Piece);
    }

    private void Compact()
    {
        int kept = 0;

        for (int i = 0; i < _count; i++)
        {
            if (_entries[i].Left > 0)
            {
                _entries[kept] = _entries[i];
                _entries[kept++].IsPassed = false;
            }
        }

        Array.Clear(_entries, kept, _count - kept);
        _count = kept;
    }

    private struct Entry
    {
        internal SendLane Lane;
        internal SentPiece Piece;
        internal int Bytes;
        internal int Left;
        internal bool IsPassed;     // it had its chance in this packet
    }
}
