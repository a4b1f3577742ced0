// Members that are in no roster (lock-time 8.2): admitted by a sponsor at a tag that is the same in every execution, or
// in at the smallest tag at which nobody's past can change, which is a fact from outside.
//
// An admission is decided when it is final: no sponsor can publish another one at or before its tag. Ordinals are then
// given by (join tag, name); of two for one name and tag the first in the order of the run counts. If the name's holder
// may still resign before that tag, the decision waits for it, and all bounds with it, as if the sponsor stood there.

using System;
using System.Collections.Generic;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Newcomers(RunState run, Sessions sessions, Postings postings)
{
    private readonly JoinHistory _history = new(run);

    /// <summary>Decides the earliest open admission if it can be. Bounds are as of now.</summary>
    /// <returns>True: bounds must be computed again.</returns>
    internal bool TryDecide()
    {
        Settle();

        if (run.Admissions.Count == 0)
        {
            return false;
        }

        AdmissionOrder order = First();

        if (order.Join >= run.Bounds.SponsorBound)
        {
            return false;
        }

        // Whoever resigns at the tag itself still holds its name there, whether it has done so by now or not.
        Member? holder = run.Members.Find(order.Hello.Name);
        bool isFree = holder is null
            || (holder.Life == MemberLife.Resigned && run.Members.StateOf(holder).Now < order.Join);

        if (!isFree && !IsPast(holder!, order.Join))
        {
            Reach reach = run.Members.Reach;
            bool isNew = reach.Undecided != order.Join || reach.UndecidedHolder != holder!.Ordinal;
            reach.Undecided = order.Join;
            reach.UndecidedHolder = holder!.Ordinal;
            return isNew;
        }

        run.Admissions.Remove(order);
        run.Members.Reach.Undecided = Tag.Top;
        run.Members.Reach.UndecidedHolder = BoundTable.Nobody;

        if (isFree && HasRoom(order.Hello))
        {
            Member member = Add(order.Hello, order.CrashPolicy, holder);
            TakeWhatArrivesLater(member);
        }
        else
        {
            run.Tally[RunCount.AdmissionsRefused]++;
        }

        return true;
    }

    /// <summary>Somebody asks to come in as soon as possible.</summary>
    /// <returns>None, and the member; or why not.</returns>
    internal (SequencingError Error, string Detail) JoinEarliest(HelloFrame hello, out Member? member)
    {
        Member? holder = run.Members.Find(hello.Name);
        member = null;

        if (!run.Layout.AdmitsEarliest)
        {
            return (SequencingError.NotDeclared, "This run takes no members besides its roster's.");
        }

        if (run.Phase != RunPhase.Running)
        {
            return (SequencingError.NotJoined, "The run has not started, or is over.");
        }

        if (IsOver())
        {
            return (SequencingError.Stopped, "Everybody who is still in the run has had the final grant.");
        }

        if (holder is not null && holder.Life != MemberLife.Resigned)
        {
            return (SequencingError.NameTaken, $"\"{hello.Name}\" is in the run already.");
        }

        if (!HasRoom(hello))
        {
            return (SequencingError.TooLarge,
                $"The run has {run.Members.Count} of {SequencingRules.MaxMembers} members, and {run.Channels.Count} of "
                + $"{SequencingRules.MaxChannels} channels besides the {hello.Interests.Length} that were named.");
        }

        if (run.Members.Reach.System == BoundTable.Nobody && Names(hello, SystemEvent.Channel))
        {
            return (SequencingError.NotDeclared, "This run has no system channel.");
        }

        if (!hello.IsNewcomer || (hello.Flags & (RoleBits.MayStop | RoleBits.MaySponsor)) != 0)
        {
            return (SequencingError.NotDeclared,
                "Who comes early sends and receives, on channels other than the system's; a look-ahead is one round or more.");
        }

        member = Add(hello, CrashPolicy.Resign, holder);
        ref MemberState state = ref run.Members.StateOf(member);

        // Also of one that does not send there is news.
        bool isHeard = state.Sends || run.Members.Reach.System != BoundTable.Nobody;
        Tag first = isHeard ? LateSender.Earliest(run, member.Ordinal) : Tag.Zero;

        // What was published already is history, except what the network of its channel keeps longer for the newcomer.
        Tag join = Tag.Later(Before(first, state.Lookahead), state.Receives ? run.LatestArrival : Tag.Zero);
        member.Join = join;
        member.DeafUntil = join;
        member.IsToldRoles = !state.Sends;
        state.Now = join;
        state.Promise = first;
        _history.FillInbox(member, join);
        run.HasLateSender = true;
        run.Note(new ExternalFact(ExternalFactKind.JoinedEarliest, member.Name, join));
        return (SequencingError.None, "");
    }

    /// <summary>The smallest tag from which a look-ahead leads to <paramref name="tag"/> or later.</summary>
    private static Tag Before(Tag tag, Delay lookahead)
    {
        Tag before = lookahead.Time == 0
            ? new Tag(tag.Time, tag.Round > lookahead.Round ? tag.Round - lookahead.Round : 0)
            : new Tag(tag.Time - lookahead.Time + (tag.Round > lookahead.Round ? 1 : 0), 0);
        return Tag.Later(before, Tag.Zero);
    }

    // All that is left to them is to resign, and nobody could be heard any more.
    private bool IsOver()
    {
        foreach (Member member in run.Members.All)
        {
            if (member.Life != MemberLife.Resigned && !run.Members.StateOf(member).Now.IsInfinite)
            {
                return false;
            }
        }

        return true;
    }

    // Whoever was named before may be named again: more than enough, and quickly judged.
    private bool HasRoom(HelloFrame hello)
        => run.Members.Count < SequencingRules.MaxMembers
            && run.Channels.Count + hello.Interests.Length <= SequencingRules.MaxChannels;

    private static bool Names(HelloFrame hello, string channel)
        => Array.Exists(hello.Interests, interest => interest.Name == channel);

    // It has a sequence point at the tag or after it, and none before, so it does not resign before. Whoever is still to
    // come to an earlier join may leave there at once.
    private bool IsPast(Member holder, Tag join)
    {
        MemberState state = run.Members.StateOf(holder);

        if (state.Now >= join)
        {
            return true;
        }

        bool isSure = state.Request.Mode == AdvanceMode.To || run.Bounds.Bound[holder.Ordinal] >= join;
        return state.IsWaiting && isSure && AdvanceRule.GrantOf(in state, run.Limits.Stop) >= join;
    }

    // What no admission can need, decided or still to come.
    private void Settle()
    {
        Tag floor = Tag.Earlier(run.Bounds.SponsorBound, run.LatestArrival);

        foreach (AdmissionOrder order in run.Admissions)
        {
            floor = Tag.Earlier(floor, order.Join);
        }

        // A message may arrive at the newcomer that much later than its place in the run says.
        run.Unsettled?.Settle(new Tag(floor.Time - Math.Min(run.Channels.LongestExtra, floor.Time), floor.Round));
    }

    private AdmissionOrder First()
    {
        AdmissionOrder first = run.Admissions[0];

        foreach (AdmissionOrder order in run.Admissions)
        {
            if (Compare(in order, in first) < 0)
            {
                first = order;
            }
        }

        return first;
    }

    // Never the first that came: that is a matter of the moment (clause ).
    private int Compare(in AdmissionOrder left, in AdmissionOrder right)
    {
        int order = left.Join.CompareTo(right.Join);
        order = order != 0 ? order : RunLayout.CompareNames(left.Hello.Name, right.Hello.Name);
        DeliveryKey first = left.Place;
        DeliveryKey second = right.Place;
        return order != 0 ? order : run.Log.Compare(in first, in second);
    }

    private Member Add(HelloFrame hello, CrashPolicy policy, Member? before)
    {
        Interest[] interests = Array.ConvertAll(
            hello.Interests, entry => new Interest(ChannelOf(entry.Name), entry.Name, entry.Bits) { Policy = entry.Policy });
        MemberLayout layout = new(
            hello.Name, (hello.Flags & RoleBits.Sends) != 0, (hello.Flags & RoleBits.Receives) != 0, hello.Lookahead,
            policy, interests)
        {
            MayStop = (hello.Flags & RoleBits.MayStop) != 0,
            MaySponsor = (hello.Flags & RoleBits.MaySponsor) != 0,
            MayPeek = (hello.Flags & RoleBits.MayPeek) != 0,
            Join = hello.JoinTag,
            RoleBits = hello.Flags,
            InboxLimit = run.Layout.DefaultInboxLimit,
            IsPaced = true,
        };

        Member member = run.Members.Add(layout);

        // Frames of the one before are of an older session.
        member.Session = before?.Session ?? 0;

        foreach (Member other in run.Members.All)
        {
            if (other.Link is not null && other != member)
            {
                sessions.SendNames(other, member.Ordinal);
            }
        }

        foreach (Member observer in run.Members.Observers)
        {
            sessions.SendNames(observer, member.Ordinal);
        }

        return member;
    }

    private int ChannelOf(string name)
    {
        if (!run.Channels.TryFind(name, out int channel))
        {
            channel = run.Channels.Count;
            run.AddChannel(ChannelLayout.Default(name));
        }

        return channel;
    }

    private void TakeWhatArrivesLater(Member member)
    {
        if (run.Unsettled is not { } kept)
        {
            return;
        }

        foreach (((DeliveryKey nominal, Letter letter), _) in kept.All)
        {
            foreach (Hearer hearer in run.Members.Reach.HearersOf(letter.Channel))
            {
                if (hearer.Member == member.Ordinal)
                {
                    postings.PostTo(member, in hearer, in nominal, letter);
                }
            }
        }
    }
}
