using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Gudp.Sequencing;

/// <summary>Why a member does not go on; the last link of a <see cref="WaitReport"/> says the root.</summary>
public enum WaitKind
{
    /// <summary>It does not wait.</summary>
    None = 0,

    /// <summary>No root: something could still reach it from the next member of the chain.</summary>
    HeldBack = 1,

    /// <summary>No root: it may be woken by the next member of the chain, and speak earlier than it would else.</summary>
    CouldBeWoken = 2,

    /// <summary>No root: flow control keeps its grant back for the next member of the chain.</summary>
    Withheld = 3,

    /// <summary>Root: the member computes, and has not asked to go on.</summary>
    Running = 4,

    /// <summary>Root: the connection of the member is lost, and the run waits for it.</summary>
    Lost = 5,

    /// <summary>Root: the member has not joined yet.</summary>
    Absent = 6,

    /// <summary>Root: an operator's barrier, or a run that waits for the operator's start.</summary>
    Barrier = 7,

    /// <summary>Root: the wall has not come to the grant's time yet.</summary>
    Pacing = 8,

    /// <summary>Root: the member does not take what waits in its inbox, and those that feed it must wait.</summary>
    FlowControl = 9,
}

/// <summary>What a member does, as the server sees it.</summary>
public enum MemberActivity
{
    /// <summary>Nobody joined under the name.</summary>
    Absent = 0,

    /// <summary>Joined; the run has not started for it.</summary>
    Joining = 1,

    /// <summary>Has its grant and has not asked for the next one.</summary>
    Running = 2,

    /// <summary>Has asked.</summary>
    Waiting = 3,

    /// <summary>Its connection is gone.</summary>
    Lost = 4,

    /// <summary>Has left the run.</summary>
    Resigned = 5,
}

/// <summary>One member in a chain of who waits for whom (lock-time section 14). Tags are logical time, spans are not.</summary>
public readonly record struct WaitLink
{
    private readonly string? _member;

    /// <summary>Its name.</summary>
    public string Member
    {
        get => _member ?? "";
        init => _member = value;
    }

    /// <summary>Why the chain goes on from here, or what ends it.</summary>
    public WaitKind Kind { get; init; }

    /// <summary>What it does.</summary>
    public MemberActivity Activity { get; init; }

    /// <summary>N: the tag of its last grant.</summary>
    public Tag Now { get; init; }

    /// <summary>What it asked for; null if it did not.</summary>
    public Tag? Target { get; init; }

    /// <summary>Whether it asked for the next message, and the target is only the latest tag.</summary>
    public bool IsNext { get; init; }

    /// <summary>G: where it will get as far as is known; its bound must be above it.</summary>
    public Tag Needs { get; init; }

    /// <summary>B: nothing that reaches it from now on is below.</summary>
    public Tag Has { get; init; }

    /// <summary>With <see cref="WaitKind.CouldBeWoken"/>: the earliest tag at which it could be woken.</summary>
    public Tag WokenAt { get; init; }

    /// <summary>L: least distance from a grant to what it publishes there.</summary>
    public Delay Lookahead { get; init; }

    /// <summary>How long it has been doing what it does.</summary>
    public TimeSpan Since { get; init; }

    /// <summary>How long ago the server was told anything by it, a commit for instance.</summary>
    public TimeSpan LastHeard { get; init; }

    /// <summary>As a line for people.</summary>
    public override string ToString() => Kind switch
    {
        WaitKind.HeldBack => $"{Asked}, needs B > {Needs}, has {Has}",
        WaitKind.CouldBeWoken => $"{Asked}, could be woken at {WokenAt}, look-ahead {Lookahead}",
        WaitKind.Withheld => $"{Asked}, withheld at {Needs} until the next one takes its messages",
        WaitKind.Barrier => $"{Asked}, held at {Needs} by a barrier",
        WaitKind.Pacing => $"{Asked}, paced: {Needs} is not due yet",
        WaitKind.FlowControl => $"{Doing}, has more unread than its inbox limit, last heard {Text(LastHeard)} ago",
        _ => $"{Doing}, look-ahead {Lookahead}, last heard {Text(LastHeard)} ago",
    };

    internal static string Text(TimeSpan span) => span.TotalSeconds < 1
        ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0} ms")
        : string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.0} s");

    private string Asked => Target is Tag target
        ? $"{Member} waits {(IsNext ? "Next" : "To")} {target}"
        : $"{Member} waits for the start";

    private string Doing => Activity == MemberActivity.Absent
        ? $"{Member} is absent"
        : $"{Member} is {Activity.ToString().ToLowerInvariant()} at {Now} for {Text(Since)}";
}

/// <summary>
/// Who keeps a member waiting: the chain from the member itself to the root, as the server saw it at one moment. A
/// measurement: it may differ between executions and must not influence what a member does.
/// </summary>
public sealed class WaitReport
{
    /// <summary>Links of a longer chain than this are left out before its root.</summary>
    internal const int MaxLinks = 64;

    internal WaitReport(IReadOnlyList<WaitLink> links, int leftOut)
    {
        Links = links;
        LeftOut = leftOut;
    }

    /// <summary>From the waiting member to the root; at least one, at most 64.</summary>
    public IReadOnlyList<WaitLink> Links { get; }

    /// <summary>Links of a long chain that are missing just before the root.</summary>
    public int LeftOut { get; }

    /// <summary>Who waits.</summary>
    public string Member => Links[0].Member;

    /// <summary>How long the member has waited.</summary>
    public TimeSpan Waited => Links[0].Since;

    /// <summary>What ends the chain. With a barrier or pacing this is the member that they hold.</summary>
    public WaitLink Root => Links[^1];

    /// <summary>
    /// The stage of the limit that the wait has passed: 1, 3, 6 or 10 times; 0 if it was asked for, or the root was lost
    /// before the first.
    /// </summary>
    public int Stage { get; internal init; }

    /// <summary>As lines for people, the root marked.</summary>
    public override string ToString()
    {
        StringBuilder text = new();

        for (int i = 0; i < Links.Count; i++)
        {
            bool isRoot = i == Links.Count - 1;

            if (isRoot && LeftOut > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"  ... {LeftOut} more\n");
            }

            text.Append(i == 0 ? "" : "  <- ").Append(Links[i]).Append(isRoot ? "    ROOT" : "\n");
        }

        return text.ToString();
    }
}
