namespace Gudp.Bench.Grants;

/// <summary>What one run of a cell found; all but the rates are per grant, -1 where nobody counts it.</summary>
internal readonly record struct GrantSample
{
    internal double GrantsPerSecond { get; init; }

    /// <summary>Of all processes of the run.</summary>
    internal double ProcessorMicroseconds { get; init; }

    /// <summary>Messages of members that were published.</summary>
    internal double EventsPerSecond { get; init; }

    /// <summary>From members to the server.</summary>
    internal double MessagesUp { get; init; }

    /// <summary>From the server to members.</summary>
    internal double MessagesDown { get; init; }

    /// <summary>On the managed heap; of a run in one process only.</summary>
    internal double AllocatedBytes { get; init; }
}
