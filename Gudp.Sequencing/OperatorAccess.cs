namespace Gudp.Sequencing;

/// <summary>Who may look at a run and hold, step or stop it without being a member (lock-time section 12).</summary>
public enum OperatorAccess
{
    /// <summary>Nobody.</summary>
    None,

    /// <summary>Default. Programs on the server's own machine, by their loopback address.</summary>
    Loopback,

    /// <summary>Everybody who reaches the server.</summary>
    All,
}

/// <summary>What a paced run does with grants that come late (lock-time section 13). It changes moments, never content.</summary>
public enum LatePolicy
{
    /// <summary>Default. The plan stays: later grants come as fast as possible until the run is on time again.</summary>
    CatchUp,

    /// <summary>The plan moves: what follows keeps its distance to the late grant.</summary>
    Slip,
}
