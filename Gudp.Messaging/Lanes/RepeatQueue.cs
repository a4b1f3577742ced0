using System;
using Gudp.Core;
using Gudp.Messaging.Status;

namespace Gudp.Messaging.Lanes;

/// <summary>
/// Small pieces that go out again in the next packets before anything is known to be lost (D-11.3): what one lost packet
/// carried is then in the next one, a round trip before its loss is noticed.
/// </summary>
/// <remarks>
/// Leader only. Always true: a piece stands here at most <see cref="LaneOptions.Repeats"/> times less those that went,
/// and at most <see cref="MostPieces"/> stand here.
/// </remarks>
internal sealed class RepeatQueue
{
    /// <summary>More small pieces than this at a time are not repeated: then there are packets enough.</summary>
    internal const int MostPieces = 128;

    // A message may be at most this part of a packet.
    private const int PartOfPacket = 4;

    // If no packet leaves by itself, one leaves for the repeats.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(5);

    private readonly Entry[] _entries = new Entry[MostPieces];
    private int _count;
    private bool _isDue;

    /// <summary>When a packet must leave for what stands here; <see cref="Instant.Never"/> if nothing does.</summary>
    internal Instant NextDeadline { get; private set; } = Instant.Never;

    /// <summary>Whether a packet should leave for them now.</summary>
    internal bool IsDue => _isDue && _count > 0;

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

        _entries[_count++] = new Entry(lane, piece, lane.Options.Repeats);
        return true;
    }

    /// <summary>Writes what fits; before new content, so that nothing of this packet stands here yet.</summary>
    internal void Write(ref PacketDraft draft)
    {
        _isDue = false;

        if (_count == 0)
        {
            return;
        }

        int kept = 0;

        for (int i = 0; i < _count; i++)
        {
            Entry entry = _entries[i];
            bool written = entry.Lane.TryRepeat(ref draft, entry.Piece, out bool isDone);

            if (written)
            {
                entry.Lane.Tally.Count(MessageCount.RepeatsWritten);
                entry = entry with { Left = entry.Left - 1 };
            }

            if (!isDone && entry.Left > 0)
            {
                _entries[kept++] = entry;
            }
        }

        Array.Clear(_entries, kept, _count - kept);
        _count = kept;
    }

    /// <summary>At the end of a turn: what stands here gets its time.</summary>
    internal void StampDeadlines(Instant now)
    {
        if (_count == 0)
        {
            NextDeadline = Instant.Never;
        }
        else if (NextDeadline == Instant.Never)
        {
            NextDeadline = now + LongestWait;
        }
    }

    /// <summary>The time has come.</summary>
    internal void HandleTimeout()
    {
        NextDeadline = Instant.Never;
        int kept = 0;

        for (int i = 0; i < _count; i++)
        {
            if (_entries[i].Lane.Matters(_entries[i].Piece))
            {
                _entries[kept++] = _entries[i];
            }
        }

        Array.Clear(_entries, kept, _count - kept);
        _count = kept;
        _isDue = kept > 0;
    }

    private readonly record struct Entry(SendLane Lane, SentPiece Piece, int Left);
}
