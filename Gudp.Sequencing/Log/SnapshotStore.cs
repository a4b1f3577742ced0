// States that members publish for those who join late (lock-time 10). The server stores them as they come and looks into
// none: taking one is the member's work at its own tag, so sequencing never stops for it.
//
// Always true: bytes are the sum over those kept, and within the limit; the oldest go first.

using System;
using System.Collections.Generic;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Log;

/// <summary>A state as of a sequence point: everything that had arrived at its member by then is in it.</summary>
/// <param name="Tag">The sequence point.</param>
/// <param name="Publisher">The member's ordinal.</param>
/// <param name="Name">What the member calls it.</param>
/// <param name="Bytes">The state.</param>
internal sealed record StoredSnapshot(Tag Tag, int Publisher, string Name, byte[] Bytes);

/// <param name="maxBytes">Of all of them, <see cref="EntryBytes"/> for each included.</param>
internal sealed class SnapshotStore(long maxBytes)
{
    /// <summary>What one takes beside its bytes, its name included.</summary>
    internal const int EntryBytes = 512;

    // In the order in which they came; of one member tags ascend, of all they need not.
    private readonly List<StoredSnapshot> _kept = [];

    internal long Bytes { get; private set; }

    internal int Count => _kept.Count;

    internal void Add(StoredSnapshot snapshot)
    {
        _kept.Add(snapshot);
        Bytes += snapshot.Bytes.Length + EntryBytes;

        while (Bytes > maxBytes)
        {
            int oldest = Oldest();
            Bytes -= _kept[oldest].Bytes.Length + EntryBytes;
            _kept.RemoveAt(oldest);
        }
    }

    /// <summary>The one with the latest tag in a range; of several at one tag the one of the largest ordinal.</summary>
    /// <param name="end">None at it or after it.</param>
    /// <param name="isWhole">Whether what came after a snapshot can still be given.</param>
    internal StoredSnapshot? FindLatest(Tag end, Func<Tag, bool> isWhole)
    {
        StoredSnapshot? found = null;

        // From the end, where the latest are: whether one is fit is not asked of each.
        for (int i = _kept.Count - 1; i >= 0; i--)
        {
            StoredSnapshot snapshot = _kept[i];
            bool isLater = found is null || snapshot.Tag > found.Tag
                || (snapshot.Tag == found.Tag && snapshot.Publisher > found.Publisher);

            if (snapshot.Tag < end && isLater && isWhole(snapshot.Tag))
            {
                found = snapshot;
            }
        }

        return found;
    }

    private int Oldest()
    {
        int oldest = 0;

        for (int i = 1; i < _kept.Count; i++)
        {
            oldest = _kept[i].Tag < _kept[oldest].Tag ? i : oldest;
        }

        return oldest;
    }
}
