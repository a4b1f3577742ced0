// The lock-time rule: who may be granted which tag (lock-time section 3). Pure functions of the members' states.
//
//   act(c)  how far c has come, or is sure to come before it can speak again;
//   E(c)    nothing c publishes from now on has an arrival below it: max(promise, act + lookahead);
//   B(c)    nothing that reaches c from now on has an arrival below it: min over senders of E + link.
//
// A member that waits for "the next message" speaks as soon as somebody wakes it, so its E hangs on its senders' E,
// around every cycle. Each step around adds at least one round; the least solution is therefore found the way
// Dijkstra finds shortest paths: the smallest E of all cannot depend on any other. All publishers of a channel reach
// the same subscribers over the same link, so the first of them that is settled settles the channel.
//
// The grant is given only if B(c) > G(c), never at equality: a message arriving exactly at G could still be sent.
//
// A stop X cuts every grant to X, and who is granted X says nothing more. So a waiting member whose own grant is at X
// or above has E = top; and whoever may still ask for a stop holds everybody, receivers or not, below its E.

using System;

namespace Gudp.Sequencing.Time;

internal enum AdvanceMode : byte
{
    None = 0,
    To = 1,
    Next = 2,
}

/// <summary>What a waiting member asked for. <c>default</c>: nothing, it is running.</summary>
internal readonly record struct AdvanceRequest(AdvanceMode Mode, Tag Target, Grid Grid);

/// <summary>Everything the rule needs to know of one member (lock-time 3.1).</summary>
internal record struct MemberState
{
    /// <summary>S: may publish. A resigned member has neither role.</summary>
    internal bool Sends { get; set; }

    /// <summary>R: messages are delivered to it.</summary>
    internal bool Receives { get; set; }

    /// <summary>It has left the run and says nothing more, not even to the system channel.</summary>
    internal bool IsOut { get; set; }

    /// <summary>L, at least one round.</summary>
    internal Delay Lookahead { get; set; }

    /// <summary>N: tag of the last grant.</summary>
    internal Tag Now { get; set; }

    /// <summary>F: no later message arrives below it.</summary>
    internal Tag Promise { get; set; }

    internal AdvanceRequest Request { get; set; }

    /// <summary>Arrival of the first waking message that was not delivered yet; top if there is none.</summary>
    internal Tag Head { get; set; }

    internal readonly bool IsWaiting => Request.Mode != AdvanceMode.None;

    /// <summary>The smallest tag it may publish at.</summary>
    internal readonly Tag EarliestPublication => Tag.Later(Promise, Now + Lookahead);
}

/// <summary>What holds for all members of a run (lock-time 12).</summary>
/// <param name="Stop">X: no grant is above it, and the one at it is the last. Top: no stop.</param>
/// <param name="Barrier">No grant at it or above for the time being. Top: none.</param>
internal readonly record struct RunLimits(Tag Stop, Tag Barrier)
{
    internal static RunLimits None => new(Tag.Top, Tag.Top);
}

internal static class AdvanceRule
{
    /// <summary>E and B of every member, lock-time 3.2.</summary>
    /// <param name="members">By ordinal.</param>
    /// <param name="reach">Of the same members.</param>
    /// <param name="stop">X, or top.</param>
    /// <param name="table">Gets the outcome.</param>
    internal static void Bounds(ReadOnlySpan<MemberState> members, Reach reach, Tag stop, BoundTable table)
    {
        table.Begin(members.Length, reach.Channels);
        new Pass(members, reach, stop, table).Run();
    }

    /// <summary>Whether a waiting member may go on, and to which tag; lock-time 3.3.</summary>
    /// <param name="member">Waiting.</param>
    /// <param name="bound">Its B.</param>
    /// <param name="limits">Of the run.</param>
    /// <param name="grant">G, also if it may not go there yet.</param>
    internal static bool IsGrantable(in MemberState member, Tag bound, in RunLimits limits, out Tag grant)
    {
        grant = GrantOf(in member, limits.Stop);
        return bound > grant && grant < limits.Barrier;
    }

    /// <summary>G of a waiting member: where it will get as far as is known now.</summary>
    internal static Tag GrantOf(in MemberState member, Tag stop)
    {
        AdvanceRequest request = member.Request;
        Tag wanted = request.Mode == AdvanceMode.To ? request.Target : Tag.Earlier(request.Target, member.Head);
        return Tag.Earlier(request.Grid.Next(wanted, member.Now), stop);
    }

    /// <summary>One computation of all bounds.</summary>
    private readonly ref struct Pass(
        ReadOnlySpan<MemberState> members, Reach reach, Tag stop, BoundTable table)
    {
        private readonly ReadOnlySpan<MemberState> _members = members;

        // With a system channel everybody is a sender, if only of the news of itself (lock-time 8.3).
        private readonly bool _everybodyCounts = reach.System != BoundTable.Nobody;

        internal void Run()
        {
            Span<Tag> earliest = table.Earliest;

            for (int member = 0; member < _members.Length; member++)
            {
                earliest[member] = EarliestUnwoken(in _members[member]);

                if (earliest[member] < Tag.Top)
                {
                    table.Frontier.Add(earliest[member], member);
                }
            }

            if (reach.Undecided < Tag.Top)
            {
                WakeAll(reach.Undecided, BoundTable.Nobody);
            }

            while (table.Frontier.TryTake(out Tag least, out int sender))
            {
                // An entry is left behind when a smaller value was found for its member later on.
                if (least == earliest[sender])
                {
                    Settle(sender, least);
                }
            }

            for (int member = 0; member < _members.Length; member++)
            {
                (table.Bound[member], table.HeldBy[member]) = BoundOf(member);
            }
        }

        private void Settle(int sender, Tag earliest)
        {
            table.Floor = Tag.Earlier(table.Floor, earliest);

            if (earliest < table.StopBound && reach.MayStop(sender))
            {
                table.StopBound = earliest;
                table.StopHeldBy = sender;
            }

            if (_everybodyCounts)
            {
                SettleChannel(reach.System, earliest, sender);
            }

            // Its E counts for nothing else.
            if (!_members[sender].Sends)
            {
                return;
            }

            if (earliest < table.SponsorBound && reach.MaySponsor(sender))
            {
                table.SponsorBound = earliest;
                table.SponsorHeldBy = sender;
                WakeAll(earliest, sender);
            }

            foreach (int channel in reach.PublishedBy(sender))
            {
                SettleChannel(channel, earliest, sender);
            }
        }

        private void SettleChannel(int channel, Tag earliest, int sender)
        {
            // Settled by another publisher: its E is not greater.
            if (table.ChannelHeldBy[channel] == BoundTable.Nobody)
            {
                table.ChannelEarliest[channel] = earliest;
                table.ChannelHeldBy[channel] = sender;
                Wake(channel, earliest + reach.LinkOf(channel), sender);
            }
        }

        // Whom a sponsor admits may publish to anybody.
        private void WakeAll(Tag arrival, int sponsor)
        {
            for (int member = 0; member < _members.Length; member++)
            {
                WakeOne(member, arrival, sponsor);
            }
        }

        private void Wake(int channel, Tag arrival, int sender)
        {
            foreach (Hearer hearer in reach.HearersOf(channel))
            {
                if (hearer.Wakes)
                {
                    WakeOne(hearer.Member, arrival, sender);
                }
            }
        }

        private void WakeOne(int ordinal, Tag arrival, int sender)
        {
            ref readonly MemberState member = ref _members[ordinal];
            bool speaks = member.Sends || _everybodyCounts;

            if (!speaks || !member.Receives || member.Request.Mode != AdvanceMode.Next)
            {
                return;
            }

            Tag woken = EarliestAfter(in member, member.Request.Grid.Next(arrival, member.Now));

            if (woken < table.Earliest[ordinal])
            {
                table.Earliest[ordinal] = woken;
                table.WokenBy[ordinal] = sender;
                table.Frontier.Add(woken, ordinal);
            }
        }

        // Whoever does not receive is held by stops alone.
        private (Tag Bound, int HeldBy) BoundOf(int member)
        {
            Tag bound = table.StopBound;
            int heldBy = table.StopHeldBy;

            if (!_members[member].Receives)
            {
                return (bound, heldBy);
            }

            if (table.SponsorBound < bound)
            {
                (bound, heldBy) = (table.SponsorBound, table.SponsorHeldBy);
            }

            bound = Tag.Earlier(bound, reach.Undecided);

            foreach (Heard heard in reach.HeardBy(member))
            {
                Tag arrival = table.ChannelEarliest[heard.Channel] + reach.LinkOf(heard.Channel);
                int holder = table.ChannelHeldBy[heard.Channel];

                // Among equals the lowest ordinal is named, so that a report does not depend on the order of channels.
                if (arrival < bound || (arrival == bound && (uint)holder < (uint)heldBy))
                {
                    (bound, heldBy) = (arrival, holder);
                }
            }

            return (bound, heldBy);
        }

        /// <summary>E as if no further message came.</summary>
        private Tag EarliestUnwoken(in MemberState member)
        {
            if (!member.Sends && (!_everybodyCounts || member.IsOut))
            {
                return Tag.Top;
            }

            return EarliestAfter(in member, member.IsWaiting ? GrantOf(in member, stop) : member.Now);
        }

        /// <summary>E if its next grant, or for a running member its last, is at this tag.</summary>
        private Tag EarliestAfter(in MemberState member, Tag grant)
        {
            // At a stop everybody is granted for the last time.
            if (grant >= stop)
            {
                return Tag.Top;
            }

            // A member that joined late may wait below its own N.
            return Tag.Later(member.Promise, Tag.Later(member.Now, grant) + member.Lookahead);
        }
    }
}
