using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

/// <summary>What holds for elements of a commit at the server and in the member's own library alike (lock-time 5.3).</summary>
internal static class CommitCheck
{
    /// <summary>Nothing is published beyond: differences of tags must fit a wire integer (clause ).</summary>
    internal const long MaxPublicationTime = (1L << 62) - 1;

    /// <summary>What may be published, or a stop be asked for, when.</summary>
    internal static SequencingError CheckTag(Tag at, Tag earliest, uint maxRounds)
    {
        if (at < earliest)
        {
            return SequencingError.LookaheadViolation;
        }

        if (at.Time > MaxPublicationTime)
        {
            return SequencingError.Overflow;
        }

        return at.Round > maxRounds ? SequencingError.RoundLimit : SequencingError.None;
    }

    /// <summary>Promise and look-ahead, whose order matters to what follows in the commit.</summary>
    internal static void ApplyToTrial(in CommitElement element, ref MemberState state)
    {
        if (element.Kind == ElementKind.Promise)
        {
            state.Promise = Tag.Later(state.Promise, element.Tag);
        }
        else if (element.Kind == ElementKind.Lookahead)
        {
            // Also when it grows: delays are not ordered at the end of a time (lock-time 5.3).
            state.Promise = state.EarliestPublication;
            state.Lookahead = element.Lookahead;
        }
    }
}
