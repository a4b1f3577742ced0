// The lock-time rule: who may be granted which tag (lock-time section 3). Pure functions of the members' states.
//
//   act(c)  how far c has come, or is sure to come before it can speak again;
//   E(c)    nothing c publishes from now on has an arrival below it: max(promise, act + lookahead);
//   B(c)    nothing that reaches c from now on has an arrival below it: min over senders of E + link.
//
// A member that waits for "the next message" speaks as soon as somebody wakes it, so its E hangs on its senders' E,
// around every cycle. Each step around adds at least one round; the least solution is therefore found the way
// Dijkstra finds shortest paths: the smallest E of all cannot depend on any other. All publishers of a channel reach
// the same subscribers over the same link, so it is channels that are settled, the one with the smallest E first, and
// not members; if nobody who would speak waits for a message there is nothing to settle.
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
        // One place more: that of the sponsors.
        table.Begin(members.Length, reach.Channels + 1);
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
    private ref struct Pass(ReadOnlySpan<MemberState> members, Reach reach, Tag stop, BoundTable table)
    {
        // With so many edges for each member it pays to sort the channels first.
        private const int ManyEdges = 16;

        private readonly ReadOnlySpan<MemberState> _members = members;

        // With a system channel everybody is a sender, if only of the news of itself (lock-time 8.3).
        private readonly bool _everybodyCounts = reach.System != BoundTable.Nobody;

        // Of the members that a message would make speak: the largest E so far, how many no channel has been found to
        // wake yet, and the largest arrival that was found for the others.
        private Tag _latest = new(long.MinValue, 0);
        private Tag _latestWaker = new(long.MinValue, 0);
        private int _unwoken;
        private bool _isWaking;

        // Whoever admits others reaches all receivers at once: as if over one more channel, with those not decided on.
        private readonly int Sponsors => reach.Channels;

        internal void Run()
        {
            if (reach.Undecided < Tag.Top)
            {
                Offer(Sponsors, BoundTable.Nobody, reach.Undecided);
            }

            for (int member = 0; member < _members.Length; member++)
            {
                ref readonly MemberState state = ref _members[member];
                Tag earliest = Speaks(in state) ? EarliestUnwoken(in state) : Tag.Top;
                table.Earliest[member] = earliest;

                if (earliest < Tag.Top)
                {
                    Publish(member, earliest);
                }

                if (CanBeWoken(in state))
                {
                    _unwoken++;
                    _latest = Tag.Later(_latest, earliest);
                }
            }

            if (_unwoken > 0)
            {
                WakeAll();
            }

            FindFloor();

            for (int channel = 0; channel <= Sponsors; channel++)
            {
                table.ChannelArrival[channel] = ArrivalOn(channel, table.ChannelEarliest[channel]);
            }

            if (reach.Edges > ManyEdges * _members.Length)
            {
                BindByChannel();
            }
            else
            {
                BindByMember();
            }
        }

        private readonly Tag ArrivalOn(int channel, Tag earliest)
            => channel == Sponsors ? earliest : earliest + reach.LinkOf(channel);

        private readonly bool Speaks(in MemberState member) => member.Sends || (_everybodyCounts && !member.IsOut);

        private readonly bool CanBeWoken(in MemberState member)
            => member.Request.Mode == AdvanceMode.Next && member.Receives && Speaks(in member);

        /// <summary>Brings a member's E to where it counts.</summary>
        private readonly void Publish(int member, Tag earliest)
        {
            if (_everybodyCounts)
            {
                Offer(reach.System, member, earliest);
            }

            // The E of who does not send counts for nothing else.
            if (!_members[member].Sends)
            {
                return;
            }

            if (reach.MaySponsor(member))
            {
                Offer(Sponsors, member, earliest);
            }

            foreach (int channel in reach.PublishedBy(member))
            {
                Offer(channel, member, earliest);
            }
        }

        /// <summary>Keeps a channel's smallest E; among equals the lowest ordinal is named.</summary>
        private readonly void Offer(int channel, int member, Tag earliest)
        {
            Tag known = table.ChannelEarliest[channel];

            if (earliest < known || (earliest == known && member < table.ChannelHeldBy[channel]))
            {
                table.ChannelEarliest[channel] = earliest;
                table.ChannelHeldBy[channel] = member;

                if (_isWaking && earliest < known && earliest < _latest)
                {
                    table.Frontier.Add(earliest, channel);
                }
            }
        }

        /// <summary>Settles the channels that can wake somebody.</summary>
        private void WakeAll()
        {
            _isWaking = true;

            for (int channel = 0; channel <= Sponsors; channel++)
            {
                if (table.ChannelEarliest[channel] < _latest)
                {
                    table.Frontier.Add(table.ChannelEarliest[channel], channel);
                }
            }

            while (table.Frontier.TryTake(out Tag least, out int channel))
            {
                // An entry is left behind when a smaller value was found for its channel later on.
                if (least == table.ChannelEarliest[channel])
                {
                    Wake(channel, ArrivalOn(channel, least));
                }
            }
        }

        private void Wake(int channel, Tag arrival)
        {
            // Everybody speaks before it anyway, or is woken before it.
            if (arrival >= _latest || (_unwoken == 0 && arrival >= _latestWaker))
            {
                return;
            }

            if (channel == Sponsors)
            {
                for (int member = 0; member < _members.Length; member++)
                {
                    WakeOne(member, arrival, channel);
                }

                return;
            }

            foreach (Hearer hearer in reach.HearersOf(channel))
            {
                if (hearer.Wakes)
                {
                    WakeOne(hearer.Member, arrival, channel);
                }
            }
        }

        private void WakeOne(int ordinal, Tag arrival, int channel)
        {
            // A later arrival wakes no earlier, and whoever is woken speaks only after that.
            if (arrival >= table.WokenAt[ordinal] || arrival >= table.Earliest[ordinal])
            {
                return;
            }

            ref readonly MemberState member = ref _members[ordinal];

            if (!CanBeWoken(in member))
            {
                return;
            }

            _unwoken -= table.WokenAt[ordinal] == Tag.Top ? 1 : 0;
            _latestWaker = Tag.Later(_latestWaker, arrival);
            table.WokenAt[ordinal] = arrival;
            Tag woken = EarliestAfter(in member, member.Request.Grid.Next(arrival, member.Now));

            if (woken < table.Earliest[ordinal])
            {
                table.Earliest[ordinal] = woken;
                table.WokenBy[ordinal] = table.ChannelHeldBy[channel];
                Publish(ordinal, woken);
            }
        }

        private void FindFloor()
        {
            // Who comes with that admission may speak from there on.
            table.Floor = Tag.Earlier(table.Floor, reach.Undecided);

            for (int member = 0; member < _members.Length; member++)
            {
                Tag earliest = table.Earliest[member];
                table.Floor = Tag.Earlier(table.Floor, earliest);

                if (earliest < table.StopBound && reach.MayStop(member))
                {
                    table.StopBound = earliest;
                    table.StopHeldBy = member;
                }

                if (earliest < table.SponsorBound && reach.MaySponsor(member) && _members[member].Sends)
                {
                    table.SponsorBound = earliest;
                    table.SponsorHeldBy = member;
                }
            }
        }

        private void BindByMember()
        {
            for (int member = 0; member < _members.Length; member++)
            {
                Bind(member, table.StopBound, table.StopHeldBy);

                // Whoever does not receive is held by stops alone.
                if (_members[member].Receives)
                {
                    TryBind(member, Sponsors);

                    foreach (Heard heard in reach.HeardBy(member))
                    {
                        TryBind(member, heard.Channel);
                    }
                }
            }
        }

        /// <summary>The same, the first arrival first: the first channel that reaches a member gives it its bound.</summary>
        private void BindByChannel()
        {
            int unbound = 0;
            Tag last = Tag.Top;
            Tag limit = Tag.Earlier(table.StopBound, table.ChannelArrival[Sponsors]);

            for (int member = 0; member < _members.Length; member++)
            {
                Bind(member, table.StopBound, table.StopHeldBy);

                if (_members[member].Receives)
                {
                    unbound++;
                    TryBind(member, Sponsors);
                }
            }

            for (int channel = 0; channel < reach.Channels; channel++)
            {
                if (table.ChannelArrival[channel] < Tag.Top)
                {
                    table.Frontier.Add(table.ChannelArrival[channel], channel);
                }
            }

            // Equal arrivals are looked at to the last, for the sake of who is named.
            while (table.Frontier.TryTake(out Tag arrival, out int channel)
                && arrival <= limit && (unbound > 0 || arrival == last))
            {
                last = arrival;

                foreach (Hearer hearer in reach.HearersOf(channel))
                {
                    unbound -= table.Bound[hearer.Member] > arrival && _members[hearer.Member].Receives ? 1 : 0;

                    if (_members[hearer.Member].Receives)
                    {
                        TryBind(hearer.Member, channel);
                    }
                }
            }
        }

        private void TryBind(int member, int channel)
        {
            Tag arrival = table.ChannelArrival[channel];
            Tag bound = table.Bound[member];
            int holder = table.ChannelHeldBy[channel];

            // Among equals the lowest ordinal is named, so that a report does not depend on the order of channels.
            if (arrival < bound || (arrival == bound && (uint)holder < (uint)table.HeldBy[member]))
            {
                Bind(member, arrival, holder);
            }
        }

        private void Bind(int member, Tag bound, int holder)
        {
            table.Bound[member] = bound;
            table.HeldBy[member] = holder;
        }

        /// <summary>E of a sender as if no further message came.</summary>
        private Tag EarliestUnwoken(in MemberState member)
            => EarliestAfter(in member, member.IsWaiting ? GrantOf(in member, stop) : member.Now);

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
