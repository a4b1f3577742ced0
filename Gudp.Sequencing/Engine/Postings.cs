// Puts what is published into the inboxes of those who hear it, after what its channel's network does to it (lock-time
// 6.2, 17).

using System;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

/// <summary>Where a message stands before its channel's latency.</summary>
/// <param name="At">p: the tag its publisher named.</param>
/// <param name="Sent">The publisher's N.</param>
/// <param name="Number">The publisher's sub-sequence.</param>
internal readonly record struct Posting(Tag At, Tag Sent, long Number);

internal sealed class Postings(RunState run)
{
    internal void Post(Member sender, int channel, in Posting posting, ReadOnlySpan<byte> payload)
    {
        PublicationPlan plan = run.Channels[channel].Model.Plan(
            run.Layout.Seed, sender.Digest.NameHash, posting.Number, posting.At);
        run.Published++;

        if (plan.IsLost)
        {
            run.Lost++;
            return;
        }

        run.LatestArrival = Tag.Later(run.LatestArrival, plan.Nominal);

        if (plan.Nominal.Time == posting.Sent.Time)
        {
            run.Rounds.Note(sender.Ordinal, channel, posting.Sent);
        }

        DeliveryKey key = new(plan.Nominal, posting.Sent, sender.Ordinal, posting.Number, 0);
        Letter letter = run.Letters.Take(channel, payload);
        letter.Hold();
        run.Log.Add(in key, letter);
        run.Unsettled?.Add(in key, letter, run.Channels[channel].Model.Latency);

        foreach (Hearer hearer in run.Members.Reach.HearersOf(channel))
        {
            Member receiver = run.Members[hearer.Member];

            if (receiver.Life != MemberLife.Resigned)
            {
                Send(receiver, in hearer, plan.For(receiver.Digest.NameHash), in key, letter);
            }
        }

        foreach (Member observer in run.Members.Observers)
        {
            Show(run, observer, in key, letter);
        }

        letter.Release();
    }

    /// <summary>To an observer: as it was published, whatever the channel's network does.</summary>
    internal static void Show(RunState run, Member observer, in DeliveryKey nominal, Letter letter)
    {
        ref MemberState state = ref run.Members.StateOf(observer);
        Interest[] interests = observer.Layout.Interests;

        for (int id = 0; id < interests.Length; id++)
        {
            if (interests[id].Channel == letter.Channel && nominal.Arrival > state.Now)
            {
                observer.Inbox.Add(in nominal, letter, id, observer.Subscriptions.Wakes[id]);
                state.Head = observer.Inbox.Head;
            }
        }
    }

    /// <summary>What was published before, to a member that came later: with its own draws.</summary>
    internal void PostTo(Member receiver, in Hearer hearer, in DeliveryKey nominal, Letter letter)
    {
        PublicationPlan plan = run.Channels[letter.Channel].Model.PlanNominal(
            run.Layout.Seed, run.Members[nominal.Publisher].Digest.NameHash, nominal.SubSequence, nominal.Arrival);
        Send(receiver, in hearer, plan.For(receiver.Digest.NameHash), in nominal, letter);
    }

    private void Send(Member receiver, in Hearer hearer, in ReceiverPlan plan, in DeliveryKey nominal, Letter letter)
    {
        if (plan.Arrives)
        {
            Queue(receiver, in hearer, nominal with { Arrival = plan.Arrival }, letter);
        }
        else
        {
            run.Tally[RunCount.MessagesLostByReceiver]++;
        }

        if (plan.IsDoubled)
        {
            run.Tally[RunCount.MessagesDuplicated]++;
            Queue(receiver, in hearer, nominal with { Arrival = plan.DoubleArrival, Copy = 1 }, letter);
        }
    }

    private void Queue(Member receiver, in Hearer hearer, in DeliveryKey key, Letter letter)
    {
        ref MemberState state = ref run.Members.StateOf(receiver);

        // What arrives where the member was granted without the role to receive is not for it (clause ), nor what
        // arrives before it joins, which is its history.
        if (key.Arrival <= state.Now)
        {
            Invariant.Require(key.Arrival <= receiver.DeafUntil, "Nothing arrives at or before a grant of a receiver.");
            return;
        }

        bool wakes = state.Receives && receiver.Subscriptions.Wakes[hearer.Interest];
        receiver.Inbox.Add(in key, letter, hearer.Interest, wakes);
        state.Head = receiver.Inbox.Head;
    }
}
