using System;
using System.Collections.Generic;
using Gudp.Core;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Members;

/// <summary>At whose door a wait ends, and why it does.</summary>
internal readonly record struct WaitRoot(WaitKind Kind, int Member)
{
    internal static WaitRoot None => new(WaitKind.None, BoundTable.Nobody);
}

/// <summary>What was measured of one member's waits. Nothing that is granted depends on it.</summary>
internal sealed class WaitRecord
{
    // A member of a large run may wait for everybody in turn; what comes later than this is summed without a name.
    private const int MaxRoots = 1_024;

    private readonly Dictionary<WaitRoot, TimeSpan> _blocked = [];

    /// <summary>Root of its wait as of the last evaluation that left it waiting; none if it does not wait.</summary>
    internal WaitRoot Root { get; private set; } = WaitRoot.None;

    /// <summary>When that became the root.</summary>
    internal Instant RootSince { get; private set; }

    /// <summary>Stages of the health limit that the present wait has passed.</summary>
    internal int Stage { get; set; }

    /// <summary>When the next stage is passed.</summary>
    internal Instant StageDue { get; set; } = Instant.Never;

    /// <summary>When it last said anything.</summary>
    internal Instant LastHeard { get; set; }

    internal long Grants { get; private set; }

    /// <summary>From its grants to its requests.</summary>
    internal TimeSpan UserTime { get; private set; }

    /// <summary>From its requests to its grants.</summary>
    internal TimeSpan ServerTime { get; private set; }

    /// <summary>How late its last paced grant was.</summary>
    internal TimeSpan Lag { get; private set; }

    internal TimeSpan MaxLag { get; private set; }

    /// <summary>Paced grants whose moment had passed before they could be given.</summary>
    internal long LateGrants { get; private set; }

    /// <summary>How long it waited because of each root, the present wait up to its last change of root.</summary>
    internal IReadOnlyDictionary<WaitRoot, TimeSpan> Blocked => _blocked;

    /// <summary>The wait goes on, because of this one.</summary>
    /// <returns>Whether that is news.</returns>
    internal bool Note(in WaitRoot root, Instant now)
    {
        if (root == Root)
        {
            return false;
        }

        CloseRoot(now);
        Root = root;
        RootSince = now;
        return true;
    }

    /// <summary>The wait is over, or the member gone.</summary>
    internal void End(Instant now)
    {
        CloseRoot(now);
        Root = WaitRoot.None;
        Stage = 0;
        StageDue = Instant.Never;
    }

    /// <summary>One grant.</summary>
    /// <param name="user">How long the member computed before it asked.</param>
    /// <param name="server">How long it waited.</param>
    internal void CountGrant(TimeSpan user, TimeSpan server)
    {
        Grants++;
        UserTime += user;
        ServerTime += server;
    }

    internal void CountLag(TimeSpan lag, bool isLate)
    {
        Lag = lag;
        MaxLag = lag > MaxLag ? lag : MaxLag;
        LateGrants += isLate ? 1 : 0;
    }

    private void CloseRoot(Instant now)
    {
        if (Root.Kind == WaitKind.None)
        {
            return;
        }

        WaitRoot key = _blocked.Count < MaxRoots || _blocked.ContainsKey(Root)
            ? Root
            : Root with { Member = BoundTable.Nobody };
        _blocked[key] = _blocked.GetValueOrDefault(key) + (now - RootSince);
    }
}
