using System;
using System.Runtime.CompilerServices;

namespace Gudp.Core.Engine;

/// <summary>What a connection can wait for. Of two due at the same moment the earlier listed fires first.</summary>
internal enum TimerKind : byte
{
    /// <summary>The peer was silent for too long.</summary>
    Idle = 0,

    /// <summary>The closing or draining time is over.</summary>
    Close,

    /// <summary>The handshake packet is repeated, or the handshake given up.</summary>
    Handshake,

    /// <summary>A packet counts as lost by time, or the peer must be probed.</summary>
    Loss,

    /// <summary>Content not acknowledged in time is offered once more.</summary>
    Eager,

    /// <summary>An acknowledgement was held back long enough.</summary>
    Ack,

    /// <summary>The pacer lets the next packet go.</summary>
    Pace,

    /// <summary>The layer above has something to do.</summary>
    Payload,

    /// <summary>The peer counts as silent.</summary>
    Silence,

    /// <summary>Nothing was sent for so long that the peer must hear that we live.</summary>
    Heartbeat,

    /// <summary>A challenge is repeated or given up, or the path's size is searched again.</summary>
    Path,

    /// <summary>No content went or came for so long that what grew with it may go.</summary>
    Rest,
}

/// <summary>One absolute deadline per kind of timer.</summary>
internal sealed class TimerTable
{
    private const int Kinds = (int)TimerKind.Rest + 1;

    private Deadlines _deadlines;

    internal TimerTable() => ClearAll();

    /// <summary>The earliest deadline; <see cref="Instant.Never"/> if none is set.</summary>
    internal Instant Next => _deadlines[(int)Soonest()];

    /// <summary>The deadline of one kind; <see cref="Instant.Never"/> if it is not set.</summary>
    internal Instant Of(TimerKind kind) => _deadlines[(int)kind];

    /// <summary>Sets the deadline, in place of the one before; <see cref="Instant.Never"/> clears it.</summary>
    internal void Set(TimerKind kind, Instant deadline) => _deadlines[(int)kind] = deadline;

    /// <summary>Takes the deadline away.</summary>
    internal void Clear(TimerKind kind) => _deadlines[(int)kind] = Instant.Never;

    /// <summary>Takes all deadlines away.</summary>
    internal void ClearAll() => ((Span<Instant>)_deadlines).Fill(Instant.Never);

    /// <summary>Takes the soonest deadline at or before <paramref name="now"/> out of the table.</summary>
    /// <returns>False if none is due; else <paramref name="kind"/> has fired and is cleared.</returns>
    internal bool TryExpire(Instant now, out TimerKind kind)
    {
        kind = Soonest();
        Instant deadline = _deadlines[(int)kind];

        if (deadline.IsNever || deadline > now)
        {
            return false;
        }

        Clear(kind);
        return true;
    }

    private TimerKind Soonest()
    {
        int soonest = 0;

        for (int kind = 1; kind < Kinds; kind++)
        {
            if (_deadlines[kind] < _deadlines[soonest])
            {
                soonest = kind;
            }
        }

        return (TimerKind)soonest;
    }

    // In the object itself: a connection has one.
    [InlineArray(Kinds)]
    private struct Deadlines
    {
        private Instant _first;
    }
}
