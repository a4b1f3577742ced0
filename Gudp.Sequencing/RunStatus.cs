using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Gudp.Sequencing;

/// <summary>How far a run has come.</summary>
public enum RunStage
{
    /// <summary>Members are missing, or the start command is.</summary>
    Gathering = 0,

    /// <summary>Members advance.</summary>
    Running = 1,

    /// <summary>Everybody has resigned.</summary>
    Ended = 2,

    /// <summary>The loss of a member ended it.</summary>
    Aborted = 3,
}

/// <summary>One member of a run, as the server sees it. Tags are logical time, spans are not.</summary>
public readonly record struct MemberStatus
{
    private readonly string? _name;
    private readonly string? _rootMember;

    /// <summary>Its name.</summary>
    public string Name
    {
        get => _name ?? "";
        init => _name = value;
    }

    /// <summary>What it does.</summary>
    public MemberActivity Activity { get; init; }

    /// <summary>The tag of its last grant.</summary>
    public Tag Now { get; init; }

    /// <summary>What it asked for; null if it did not.</summary>
    public Tag? Target { get; init; }

    /// <summary>Whether it asked for the next message, and the target is only the latest tag.</summary>
    public bool IsNext { get; init; }

    /// <summary>How long it has been doing what it does.</summary>
    public TimeSpan Since { get; init; }

    /// <summary>Messages that wait for its next grants.</summary>
    public long InboxMessages { get; init; }

    /// <summary>Bytes of them, 64 for each message included.</summary>
    public long InboxBytes { get; init; }

    /// <summary>Grants it was given, the start not counted.</summary>
    public long Grants { get; init; }

    /// <summary>Of them, those later than the run's pace.</summary>
    public long LateGrants { get; init; }

    /// <summary>How late the last paced grant was; negative never.</summary>
    public TimeSpan Lag { get; init; }

    /// <summary>The longest lag so far.</summary>
    public TimeSpan MaxLag { get; init; }

    /// <summary>Time between its grants and its requests: its own computing.</summary>
    public TimeSpan UserTime { get; init; }

    /// <summary>Time between its requests and its grants.</summary>
    public TimeSpan ServerTime { get; init; }

    /// <summary>Why its present wait goes on; none if it does not wait.</summary>
    public WaitKind Root { get; init; }

    /// <summary>The member at whose door the wait ends; empty if it does not wait.</summary>
    public string RootMember
    {
        get => _rootMember ?? "";
        init => _rootMember = value;
    }
}

/// <summary>How a run stands, at one moment.</summary>
public sealed class RunStatus
{
    internal RunStatus(IReadOnlyList<MemberStatus> members)
    {
        Members = members;
    }

    /// <summary>How far it has come.</summary>
    public RunStage Stage { get; internal init; }

    /// <summary>W: nothing is published below it any more; infinity once everybody has resigned.</summary>
    public Tag Floor { get; internal init; }

    /// <summary>Where the run ends for everybody; null if nowhere.</summary>
    public Tag? Stop { get; internal init; }

    /// <summary>Nobody is granted at it or above for the time being; null: no barrier.</summary>
    public Tag? Barrier { get; internal init; }

    /// <summary>Steps that operators asked for and the run has not come to.</summary>
    public long PendingSteps { get; internal init; }

    /// <summary>Messages published so far.</summary>
    public long Published { get; internal init; }

    /// <summary>Grants to all members so far, the start not counted.</summary>
    public long Grants { get; internal init; }

    /// <summary>Of them, those later than the run's pace.</summary>
    public long LateGrants { get; internal init; }

    /// <summary>The longest lag behind the run's pace so far.</summary>
    public TimeSpan MaxLag { get; internal init; }

    /// <summary>Things from outside that the run has noted: losses, stops by operators.</summary>
    public long ExternalFacts { get; internal init; }

    /// <summary>Some of them changed what happens in the run, so that it cannot be repeated without them.</summary>
    public bool IsInfluenced { get; internal init; }

    /// <summary>Hash over what members can see of the configuration.</summary>
    public ulong ConfigHash { get; internal init; }

    /// <summary>Digest of the whole run; 0 until it has ended.</summary>
    public ulong RunDigest { get; internal init; }

    /// <summary>What the server has counted over the whole run.</summary>
    public RunCounters Counters { get; internal init; }

    /// <summary>All members by ordinal.</summary>
    public IReadOnlyList<MemberStatus> Members { get; }

    /// <summary>As lines for people.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{Stage}, floor {Floor}, {Grants} grants, {Published} messages");
        text.Append(Stop is Tag stop ? $", stops at {stop}" : "");
        text.Append(Barrier is Tag barrier ? $", held below {barrier}" : "");
        text.Append(PendingSteps > 0 ? $", {PendingSteps} steps to come" : "");

        foreach (MemberStatus member in Members)
        {
            string asked = member.Target is Tag target ? $", asks {(member.IsNext ? "Next" : "To")} {target}" : "";
            string root = member.Root == WaitKind.None ? "" : $", because {member.RootMember} is {member.Root}";
            text.Append(
                CultureInfo.InvariantCulture,
                $"\n  {member.Name}: {member.Activity} at {member.Now} for {WaitLink.Text(member.Since)}{asked}{root}");
        }

        return text.ToString();
    }
}
