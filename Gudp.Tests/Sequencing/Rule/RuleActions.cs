using Gudp.Sequencing;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing.Rule;

internal enum RuleVerb : byte
{
    /// <summary>It was not said after all.</summary>
    None,
    Publish,
    Promise,
    Lookahead,
    Roles,
    Interest,
    Stop,
    Admit,
    Snapshot,
    Request,
    Resign,
}

/// <summary>One thing a member says: an element of a commit without its bytes.</summary>
internal readonly record struct RuleAction(RuleVerb Verb)
{
    /// <summary>Of a publication or an interest.</summary>
    internal string Channel { get; init; } = "";

    /// <summary>Of a publication, a promise or a stop. Null: the smallest tag a publication may have.</summary>
    internal Tag? Tag { get; init; }

    internal Delay Lookahead { get; init; }

    internal bool Sends { get; init; }

    internal bool Receives { get; init; }

    /// <summary>Whether the interest is switched on.</summary>
    internal bool IsOn { get; init; }

    internal AdvanceRequest Request { get; init; }

    internal ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Of an admission, with the tag at which it joins.</summary>
    internal RuleNewcomer? Newcomer { get; init; }
}

/// <summary>One message of a batch.</summary>
internal readonly record struct RuleDelivery(
    Tag Arrival, Tag Sent, string Sender, long SubSequence, string Channel, ReadOnlyMemory<byte> Payload);

/// <summary>What a member learns when it is granted.</summary>
internal sealed record RuleGrant(Tag Tag, bool IsFinal, IReadOnlyList<RuleDelivery> Batch)
{
    internal static RuleGrant Start { get; } = new(Gudp.Sequencing.Tag.Zero, false, []);

    /// <summary>Of one that came late.</summary>
    internal SequenceSnapshot? Snapshot { get; init; }
}

/// <summary>A promise of the rule that an execution broke.</summary>
internal sealed class RuleBrokenException(string message) : Exception(message)
{
    internal static void Require(bool holds, string promise)
    {
        if (!holds)
        {
            throw new RuleBrokenException(promise);
        }
    }
}
