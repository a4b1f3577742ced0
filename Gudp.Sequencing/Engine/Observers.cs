// Members that read only (lock-time 8.2): they hold nobody, are in neither roster nor numbering, and no draw is made for
// them: they read the nominal arrivals. They are granted after everybody else, from bounds that are there anyway.
//
// Always true:
//   - nothing of the run depends on an observer, and one may be added or left out without anybody noticing;
//   - nothing arrives at or before its last grant, also of those who take up sending late;
//   - one that does not ask is dropped when its inbox is full; nobody waits for it;
//   - one whose connection is lost keeps its place, until it comes back, its inbox has LostShare of the most, or
//     somebody else needs the place.

using System;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Observers(RunState run, Outbox outbox, Sessions sessions, Batches batches)
{
    // Of the most an inbox may have, for one that may never come back.
    private const int LostShare = 16;

    private readonly JoinHistory _history = new(run);

    internal (SequencingError Error, string Detail) Join(long link, HelloFrame hello, Instant now)
    {
        (SequencingError error, string detail) = Judge(link, hello);
        Tag join = hello.Join == JoinKind.At ? hello.JoinTag : Tag.Later(run.Floor, Tag.Zero);

        if (error != SequencingError.None)
        {
            return (error, detail);
        }

        MakeRoom();
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
        run.HasChanged = true;
        return (SequencingError.None, "");
    }

    /// <summary>It has resigned, or was let go.</summary>
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
        if (run.Members.Observers.Count == 0)
        {
            return;
        }

        Tag late = LateBound();

        for (int i = run.Members.Observers.Count - 1; i >= 0; i--)
        {
            Member member = run.Members.Observers[i];

            if (member.Inbox.Bytes > MostBytes(member))
            {
                Drop(member);
            }
            else if (run.Phase is RunPhase.Running or RunPhase.Ended)
            {
                Evaluate(member, late);
            }
        }
    }

    // Those whose connection is lost go first; the judge has seen that there is one.
    private void MakeRoom()
    {
        while (run.Members.Observers.Count >= run.Layout.MaxObservers)
        {
            Leave(run, run.Members.Observers.Find(other => other.Link is null)!);
        }
    }

    private long MostBytes(Member member)
        => member.Link is null ? run.Layout.MaxInboxBytes / LostShare : run.Layout.MaxInboxBytes;

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

        if (run.Members.Observers.FindAll(other => other.Link is not null).Count >= run.Layout.MaxObservers)
        {
            return (SequencingError.TooLarge, $"The run has its {run.Layout.MaxObservers} observers (MaxObservers).");
        }

        if (hello.Join == JoinKind.At && hello.JoinTag >= Tag.Infinity)
        {
            return (SequencingError.Overflow, "An observer joins at a tag below infinity.");
        }

        if (hello.JoinTag < Tag.Zero)
        {
            return (SequencingError.PastTag, $"Join {hello.JoinTag} was given; a run begins at {Tag.Zero}.");
        }

        if (!hello.IsNewcomer)
        {
            return (SequencingError.NotDeclared, "An observer has a name, and channels that are sorted and named once.");
        }

        foreach (DeclaredInterest interest in hello.Interests)
        {
            if ((interest.Bits & (InterestBits.Publish | InterestBits.Subscribe)) != InterestBits.Subscribe)
            {
                return (SequencingError.NotDeclared, $"An observer reads \"{interest.Name}\", and does nothing else there.");
            }

            if (!run.Channels.TryFind(interest.Name, out _))
            {
                return (SequencingError.UnknownChannel, $"The run has no channel \"{interest.Name}\".");
            }
        }

        return (SequencingError.None, "");
    }

    private void Evaluate(Member member, Tag late)
    {
        ref MemberState state = ref run.Members.StateOf(member);
        Tag bound = Tag.Earlier(late, BoundOf(member));

        if (state.IsWaiting && AdvanceRule.IsGrantable(in state, bound, run.Limits, out Tag grant))
        {
            bool isFirst = member.GrantsSent == 0;

            if (isFirst && run.Phase == RunPhase.Running && OpenPast.HeldBy(run, member, grant) != BoundTable.Nobody)
            {
                return;
            }

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
            outbox.SendKept(member);
        }

        if (run.Phase == RunPhase.Ended && !member.IsToldEnd)
        {
            member.IsToldEnd = true;
            new EndFrame((ulong)(run.Log.Next - 1), run.RunDigest).Write(outbox.Writer, Outbox.Epoch, member.Session);
            outbox.Send(member);
        }
    }

    /// <summary>
    /// Below it nobody is heard who is no sender yet: the run's floor, which is where a late sender begins at the
    /// earliest (clause ). Top if there is nobody who could become one.
    /// </summary>
    private Tag LateBound()
    {
        bool isPossible = run.Layout.AdmitsEarliest;

        for (int i = 0; i < run.Members.Count && !isPossible; i++)
        {
            isPossible = run.Members[i].Life != MemberLife.Resigned && !run.Members.States[i].Sends
                && run.Members.Reach.PublishedBy(i).Length > 0;
        }

        return isPossible && run.Phase == RunPhase.Running ? run.Floor : Tag.Top;
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
