using System;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

/// <summary>
/// Judges a whole commit before any of it is applied (lock-time 5.2, 5.3): one wrong element refuses all, and nothing
/// has changed.
/// </summary>
internal static class CommitCheck
{
    /// <summary>Nothing is published beyond: differences of tags must fit a wire integer (clause ).</summary>
    internal const long MaxPublicationTime = (1L << 62) - 1;

    /// <param name="elements">The commit's body after its step.</param>
    /// <param name="run">The run.</param>
    /// <param name="member">Who commits; running.</param>
    /// <param name="state">The rule's state of it; a copy, on which the commit is tried.</param>
    /// <param name="inboxBytes">What its publications take in the inbox of a receiver of all of them.</param>
    internal static SequencingError Check(
        ReadOnlySpan<byte> elements, RunState run, Member member, MemberState state, out long inboxBytes)
    {
        inboxBytes = 0;
        CommitReader reader = new(elements, state.Now);
        bool isFinished = state.Now.IsInfinite || state.Now >= run.Limits.Stop;

        while (reader.TryNext(out CommitElement element))
        {
            if (isFinished && element.Kind is not (ElementKind.Resign or ElementKind.Digest))
            {
                return SequencingError.Stopped;
            }

            SequencingError error = element.Kind switch
            {
                ElementKind.Publication => CheckPublication(in element, run, member.Layout, in state),
                ElementKind.Promise when !state.Sends => SequencingError.NotASender,
                ElementKind.Lookahead => CheckLookahead(in element, run.Layout.MaxRounds, in state),
                ElementKind.Digest when element.Digest != member.Digest.Value => SequencingError.DigestMismatch,
                _ => SequencingError.None,
            };

            if (error != SequencingError.None)
            {
                return error;
            }

            inboxBytes += element.Kind == ElementKind.Publication ? ArrivalQueue.BytesOf(element.Payload.Length) : 0;
            ApplyToTrial(in element, ref state);
        }

        return reader.IsMalformed ? SequencingError.BadFrame : SequencingError.None;
    }

    /// <summary>What may be published when, the same for the server and for the member's own library.</summary>
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

    private static SequencingError CheckPublication(
        in CommitElement element, RunState run, MemberLayout member, in MemberState state)
    {
        if (!state.Sends)
        {
            return SequencingError.NotASender;
        }

        if (element.Interest >= member.Interests.Length)
        {
            return SequencingError.UnknownChannel;
        }

        Interest interest = member.Interests[element.Interest];

        if (!interest.Bits.HasFlag(InterestBits.Publish))
        {
            return SequencingError.NotDeclared;
        }

        if (element.Payload.Length > run.Layout.MaxPayloadBytes)
        {
            return SequencingError.TooLarge;
        }

        SequencingError error = CheckTag(element.Tag, state.EarliestPublication, run.Layout.MaxRounds);

        // The promise and the look-ahead hold before the channel's latency, the limits before and after it.
        return error != SequencingError.None
            ? error
            : CheckTag(element.Tag + run.Channels[interest.Channel].MinimumLatency, Tag.Zero, run.Layout.MaxRounds);
    }

    private static SequencingError CheckLookahead(in CommitElement element, uint maxRounds, in MemberState state)
    {
        if (!state.Sends)
        {
            return SequencingError.NotASender;
        }

        if (element.Lookahead < Delay.OneRound)
        {
            return SequencingError.LookaheadViolation;
        }

        return element.Lookahead.Round > maxRounds ? SequencingError.RoundLimit : SequencingError.None;
    }
}
