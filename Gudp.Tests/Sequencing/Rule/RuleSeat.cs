using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>A sequence point of a member: what it was granted, and all it said then.</summary>
internal sealed record RuleStep(Grant Grant)
{
    internal List<RuleAction> Said { get; } = [];

    /// <summary>By what was said: whether it was sent before more was said.</summary>
    internal List<bool> Flushed { get; } = [];
}

/// <summary>One member of a drawn run on the engines: its program, its library, its connection.</summary>
internal sealed class RuleSeat(MemberOptions options, RuleScript script)
{
    internal string Name => options.Name;

    internal MemberOptions Options => options;

    /// <summary>Names are used again; joins at one tag are not.</summary>
    internal string Key => options.ConfigHash != 0 ? options.Name : $"{options.Name}@{options.Join}";

    internal RuleScript Script => script;

    /// <summary>Null until it connects.</summary>
    internal MemberEngine? Engine { get; set; }

    internal RuleLink? Link { get; set; }

    /// <summary>It has a grant and did not answer yet.</summary>
    internal Grant? Taken { get; set; }

    /// <summary>What another process would begin with.</summary>
    internal ResumeTicket? Ticket { get; set; }

    /// <summary>It came back from its ticket, and says again what it said then.</summary>
    internal bool IsBack { get; set; }

    /// <summary>It was lost for good.</summary>
    internal bool IsGone { get; set; }

    /// <summary>Commits applied and grants sent when it was lost.</summary>
    internal (ulong Step, ulong Grants) LostAt { get; set; }

    /// <summary>It is never cut and comes back: its loss takes it out of the run.</summary>
    internal bool IsFragile => options.CrashPolicy != CrashPolicy.Stall;

    internal List<RuleStep> Steps { get; } = [];

    internal bool HasResigned => Steps.Count > 0 && Steps[^1].Said.Exists(action => action.Verb == RuleVerb.Resign);

    internal bool HasSaid => Engine!.TryPeekOutgoing(out _) || Link!.Up.Count > 0;

    internal bool IsAnswerDue => Taken is not null || (IsBack && Engine!.IsAtSequencePoint);

    /// <summary>It can go on without anybody.</summary>
    internal bool CanMove => Engine is not null && !IsGone
        && (IsAnswerDue || Link!.Down.Count > 0 || HasSaid || (Link.IsClosed && Engine.RunDigest is null));

    /// <summary>Whether a fact is about it.</summary>
    internal bool IsNamed(in ExternalFact fact)
        => fact.Member == Name && (options.ConfigHash != 0 || fact.Tag == options.Join);

    /// <summary>Whether it is whom the server waits for.</summary>
    internal bool Is(MemberLayout layout)
        => layout.Join == options.Join && layout.Lookahead == options.Lookahead
            && layout.Interests.Select(interest => (interest.Name, interest.Bits)).SequenceEqual(
                RunLayout.InterestsOf(options).Select(interest => (interest.Name, interest.Bits)));
}
