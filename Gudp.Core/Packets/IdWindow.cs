// Which reliable packets of the peer are known already (P-8.4).
//
// The sender keeps every open id less than a window behind its newest one, so what lies further back than that behind
// the newest id seen here was settled or given up: it needs no bit to be known.
//
// Always true: a bit is set exactly for the ids within the window that were noted; an id is noted once.
using Gudp.Core.Engine;

namespace Gudp.Core.Packets;

/// <summary>The ids noted; whatever a peer sends, it costs a constant amount of memory and of work.</summary>
internal sealed class IdWindow
{
    /// <summary>Ids that can be told apart: a sender opens none that lies so far ahead of an open one.</summary>
    internal const int Ids = 32_768;

    /// <summary>What one takes.</summary>
    internal const int Bytes = Ids / 8;

    private readonly SlotBits _known = new(Ids);
    private long _newest;

    /// <param name="first">The least id that a peer uses; 0 but in tests.</param>
    internal IdWindow(long first) => _newest = first - 1;

    /// <summary>True if the id was noted, or lies so far back that it must have been.</summary>
    internal bool IsKnown(long id) => id <= _newest && (_newest - id >= Ids || _known.Contains(id));

    /// <summary>Notes an id that is not known.</summary>
    internal void Add(long id)
    {
        Invariant.Require(!IsKnown(id), "An id is noted once.");

        if (id > _newest)
        {
            Forget(id);
            _newest = id;
        }

        _known.Set(id);
    }

    // The bits of the ids passed over are those of older ids by a window.
    private void Forget(long newest)
    {
        if (newest - _newest >= Ids)
        {
            _known.ClearAll();
            return;
        }

        _known.ClearRange(_newest + 1, newest);
    }
}
