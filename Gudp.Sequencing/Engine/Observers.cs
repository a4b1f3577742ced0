// Members that read only (lock-time 8.2): they hold nobody, are in neither roster nor numbering, and no draw is made for
// them: they read the nominal arrivals. They are granted after everybody else, from bounds that are there anyway.
//
// Always true:
//   - nothing of the run depends on an observer, but where a late sender may first be heard: above their grants too;
//   - one that does not ask is dropped when its inbox is full; nobody waits for it.

using System;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Observers(RunState run, Outbox outbox, Sessions sessions, Batches batches)
{
    private readonly JoinHistory _history = new(run);
    private bool _isEndTold;

    internal (SequencingError Error, string Detail) Join(long link, HelloFrame hello, Instant now)
    {
        (SequencingError error, string detail) = Judge(link, hello);
        Tag join = hello.Join == JoinKind.At ? hello.JoinTag : Tag.Later(run.Floor, Tag.Zero);

        if (error != SequencingError.None)
        {
            return (error, detail);
        }

        Interest[] interests = Array.ConvertAll(
            hello.Interests,
            entry => new Interest(run.Channels.TryFind(entry.Name, out int channel) ? channel : 0, entry.Name, entry.Bits)
            {
                Policy = entry.Policy,
            });
        int[] channels = Array.ConvertAll(interests, interest => interest.Channel);

        if (join < run.Log.Floor && run.Log.SeekTag(join, channels) is { IsTrimmed: true } start)
        {
            return (SequencingError.Trimmed, $"The log begins with number {start.Number}, after {join}.");
        }

        Member member = run.Members.AddObserver(
            new MemberLayout(hello.Name, false, true, Delay.OneRound, CrashPolicy.Resign, interests)
            {
                Join = join,
                RoleBits = hello.Flags,
                InboxLimit = run.Layout.DefaultInboxLimit,
            });
        member.DeafUntil = join;
        member.Life = MemberLife.Live;
        member.History = hello.From;
        member.WaitingSince = now;
        sessions.Open(link, member);
        sessions.WriteWelcome(member, join);
        outbox.Send(member);
        sessions.SendNames(member, 0);
        _history.FillInbox(member, join);
        run.Members.StateOf(member).Request = new AdvanceRequest(AdvanceMode.To, join, default);
        _isEndTold = false;
        run.HasChanged = true;
        return (SequencingError.None, "");
    }

    /// <summary>Its link is gone, or it has resigned.</summary>
    internal static void Leave(RunState run, Member member)
    {
        member.Link = null;
        member.Life = MemberLife.Resigned;
        member.Inbox.Clear();
        member.Kept.Clear();
        run.Members.Observers.Remove(member);
    }

    /// <summary>Grants what can be granted, after everybody else.</summary>
    internal void Evaluate()
    {
        for (int i = run.Members.Observers.Count - 1; i >= 0; i--)
        {
            Member member = run.Members.Observers[i];

            if (member.Inbox.Bytes > run.Layout.MaxInboxBytes)
            {
                Drop(member);
            }
            else if (run.Phase is RunPhase.Running or RunPhase.Ended)
            {
                Evaluate(member);
            }
        }

        if (run.Phase == RunPhase.Ended && !_isEndTold)
        {
            _isEndTold = true;

            foreach (Member member in run.Members.Observers)
            {
                new EndFrame((ulong)(run.Log.Next - 1), run.RunDigest).Write(
                    outbox.Writer, Outbox.Epoch, member.Session);
                outbox.Send(member);
            }
        }
    }

    private (SequencingError Error, string Detail) Judge(long link, HelloFrame hello)
    {
        if (run.Phase is RunPhase.Gathering or RunPhase.Aborted)
        {
            return (SequencingError.NotJoined, "The run has not started, or was aborted.");
        }

        if (hello.Flags != (RoleBits.Receives | RoleBits.Observes))
        {
            return (SequencingError.NotDeclared, $"Roles {hello.Flags} were given; an observer receives only.");
        }

        if (run.Members.Find(hello.Name) is not null || sessions.MemberOf(link) is not null)
        {
            return (SequencingError.NameTaken, "A member has that name, or this connection.");
        }

        if (run.Members.Observers.Count >= run.Layout.MaxObservers)
        {
            return (SequencingError.TooLarge, $"The run has its {run.Layout.MaxObservers} observers (MaxObservers).");
        }

        if (hello.Join == JoinKind.At && hello.JoinTag >= Tag.Infinity)
        {
            return (SequencingError.Overflow, "An observer joins at a tag below infinity.");
        }

        foreach (DeclaredInterest interest in hello.Interests)
        {
            if (interest.Bits.HasFlag(InterestBits.Publish))
            {
                return (SequencingError.NotDeclared, $"An observer does not publish on \"{interest.Name}\".");
            }

            if (!run.Channels.TryFind(interest.Name, out _))
            {
                return (SequencingError.UnknownChannel, $"The run has no channel \"{interest.Name}\".");
            }
        }

        return (SequencingError.None, "");
    }

    private void Evaluate(Member member)
    {
        ref MemberState state = ref run.Members.StateOf(member);

        if (state.IsWaiting && AdvanceRule.IsGrantable(in state, BoundOf(member), run.Limits, out Tag grant))
        {
            bool isFirst = member.GrantsSent == 0;
            int count = isFirst ? batches.WriteFirst(member, grant) : batches.Write(member, state.Now, grant);
            bool isFinal = grant == Tag.Infinity || grant == run.Limits.Stop;

            // Clause.
            if (!isFirst || grant > Tag.Zero)
            {
                member.Digest.AddGrant(grant, count, isFinal);
            }

            state.Now = grant;
            state.Request = default;
            state.Head = member.Inbox.Head;
            member.GrantsSent++;
            new GrantFrame(
                member.Step, member.Step, grant, count, grant, isFinal ? GrantFlags.Final : GrantFlags.None,
                member.Digest.Value).Write(outbox.Writer, Outbox.Epoch, member.Session);
            outbox.Send(member);
        }
    }

    private Tag BoundOf(Member member)
    {
        if (run.Phase == RunPhase.Ended)
        {
            return Tag.Top;
        }

        BoundTable bounds = run.Bounds;
        Reach reach = run.Members.Reach;
        Tag bound = Tag.Earlier(Tag.Earlier(bounds.StopBound, bounds.SponsorBound), reach.Undecided);

        foreach (Interest interest in member.Layout.Interests)
        {
            bound = Tag.Earlier(bound, bounds.ChannelEarliest[interest.Channel] + reach.LinkOf(interest.Channel));
        }

        return bound;
    }

    private void Drop(Member member)
    {
        if (member.Link is long link)
        {
            outbox.Refuse(
                link, SequencingError.InboxLimit,
                $"The observer has {member.Inbox.Bytes} of {run.Layout.MaxInboxBytes} (MaxInboxBytes) waiting.",
                (member.Step, member.Session));
            sessions.Forget(link);
            outbox.Close(link);
        }

        run.Tally[RunCount.ObserversDropped]++;
        Leave(run, member);
    }
}
