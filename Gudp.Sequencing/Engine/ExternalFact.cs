namespace Gudp.Sequencing.Engine;

/// <summary>What the server can learn from outside of the run. Numbers stay: a journal will hold them.</summary>
internal enum ExternalFactKind : byte
{
    /// <summary>The transport says that a member's connection is gone. The run only waits.</summary>
    Lost = 0,

    /// <summary>Its session was taken up again.</summary>
    Resumed = 1,

    /// <summary>A debugger stops the member; its loss means waiting, whatever its policy.</summary>
    Suspended = 2,

    /// <summary>It goes on.</summary>
    Continued = 3,

    /// <summary>A member was taken out of the run at its last commit.</summary>
    Removed = 4,

    /// <summary>The loss of a member ended the run.</summary>
    Aborted = 5,

    /// <summary>A member came in at the smallest tag that was possible then.</summary>
    JoinedEarliest = 6,

    /// <summary>An open run was started with whoever was there.</summary>
    Started = 7,

    /// <summary>A member took up the role to send; the tag is the F it got (lock-time 5.3).</summary>
    SenderAdded = 8,

    /// <summary>An operator took the role to receive from a member.</summary>
    ReceiverWithdrawn = 9,

    /// <summary>An operator set where the run ends.</summary>
    StopSet = 12,

    /// <summary>A member was left out that joins at the end of the run or later: whether it came changes nothing.</summary>
    LeftOut = 13,
}

/// <summary>Something from outside of the run, in the order it came (lock-time 8.4 and rule zero).</summary>
/// <param name="Kind">What.</param>
/// <param name="Member">Whom it is about; empty for the run.</param>
/// <param name="Tag">Where that member, or the run, was.</param>
internal readonly record struct ExternalFact(ExternalFactKind Kind, string Member, Tag Tag)
{
    /// <summary>It changed what members were granted or given, not only when.</summary>
    internal bool Influences => IsInfluence(Kind);

    internal static bool IsInfluence(ExternalFactKind kind)
        => kind >= ExternalFactKind.Removed && kind != ExternalFactKind.LeftOut;
}
