// The lock-time rule: who may be granted which tag (lock-time section 3). Pure functions of the members' states.
//
//   act(c)  how far c has come, or is sure to come before it can speak again;
//   E(c)    nothing c publishes from now on has an arrival below it: max(promise, act + lookahead);
//   B(c)    nothing that reaches c from now on has an arrival below it: min over senders of E + link.
//
// A member that waits for "the next message" speaks as soon as somebody wakes it, so its E hangs on its senders' E,
// around every cycle. Each step around adds at least one round; the least solution is therefore found the way
// Dijkstra finds shortest paths: the smallest E of all cannot depend on any other.
//
// The grant is given only if B(c) > G(c), never at equality: a message arriving exactly at G could still be sent.

using System;
using System.Collections.Generic;

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

/// <summary>The outcome of one bounds pass, and the room it needs. Reused from pass to pass.</summary>
internal sealed class BoundTable(int members)
{
    internal const int Nobody = -1;

    /// <summary>E by ordinal.</summary>
    internal Tag[] Earliest { get; } = new Tag[members];

    /// <summary>B by ordinal.</summary>
    internal Tag[] Bound { get; } = new Tag[members];

    /// <summary>The sender that gave each B its value.</summary>
    internal int[] HeldBy { get; } = new int[members];

    /// <summary>The sender whose message could wake it and so gave its E; nobody if its own state did.</summary>
    internal int[] WokenBy { get; } = new int[members];

    internal PriorityQueue<int, Tag> Frontier { get; } = new(members);
}

internal static class AdvanceRule
{
    /// <summary>E and B of every member, lock-time 3.2.</summary>
    internal static void Bounds(ReadOnlySpan<MemberState> members, EdgeTable edges, BoundTable table)
    {
        table.Frontier.Clear();

        for (int member = 0; member < members.Length; member++)
        {
            table.Earliest[member] = EarliestUnwoken(in members[member]);
            table.Bound[member] = Tag.Top;
            table.HeldBy[member] = BoundTable.Nobody;
            table.WokenBy[member] = BoundTable.Nobody;

            if (table.Earliest[member] < Tag.Top)
            {
                table.Frontier.Enqueue(member, table.Earliest[member]);
            }
        }

        while (table.Frontier.TryDequeue(out int sender, out Tag earliest))
        {
            // An entry is left behind when a smaller value was found for its member later on.
            if (earliest == table.Earliest[sender])
            {
                RelaxEdges(sender, earliest, members, edges, table);
            }
        }
    }

    /// <summary>Whether a waiting member may go on, and to which tag; lock-time 3.3.</summary>
    /// <param name="member">Waiting.</param>
    /// <param name="bound">Its B.</param>
    /// <param name="grant">G, also if it may not go there yet.</param>
    internal static bool IsGrantable(in MemberState member, Tag bound, out Tag grant)
    {
        grant = GrantOf(in member);
        return !member.Receives || bound > grant;
    }

    /// <summary>G of a waiting member: where it will get as far as is known now.</summary>
    internal static Tag GrantOf(in MemberState member)
    {
        AdvanceRequest request = member.Request;
        Tag wanted = request.Mode == AdvanceMode.To ? request.Target : Tag.Earlier(request.Target, member.Head);
        return request.Grid.Next(wanted, member.Now);
    }

    private static void RelaxEdges(
        int sender, Tag earliest, ReadOnlySpan<MemberState> members, EdgeTable edges, BoundTable table)
    {
        foreach (Edge edge in edges.From(sender))
        {
            Tag arrival = earliest + edge.Link;
            Tag bound = table.Bound[edge.To];

            // Among equals the lowest ordinal is named, so that a report does not depend on the queue's habits.
            if (arrival < bound || (arrival == bound && sender < table.HeldBy[edge.To]))
            {
                table.Bound[edge.To] = arrival;
                table.HeldBy[edge.To] = sender;
            }

            if (!edge.Wakes || !members[edge.To].Sends || members[edge.To].Request.Mode != AdvanceMode.Next)
            {
                continue;
            }

            Tag woken = EarliestWoken(in members[edge.To], earliest + edge.WakingLink);

            if (woken < table.Earliest[edge.To])
            {
                table.Earliest[edge.To] = woken;
                table.WokenBy[edge.To] = sender;
                table.Frontier.Enqueue(edge.To, woken);
            }
        }
    }

    /// <summary>E as if no further message came.</summary>
    private static Tag EarliestUnwoken(in MemberState member)
    {
        if (!member.Sends)
        {
            return Tag.Top;
        }

        // A member that joined late may wait below its own N.
        Tag reached = member.IsWaiting ? Tag.Later(member.Now, GrantOf(in member)) : member.Now;
        return Tag.Later(member.Promise, reached + member.Lookahead);
    }

    /// <summary>E if a message arriving at <paramref name="arrival"/> wakes it.</summary>
    private static Tag EarliestWoken(in MemberState member, Tag arrival)
    {
        Tag reached = Tag.Later(member.Now, member.Request.Grid.Next(arrival, member.Now));
        return Tag.Later(member.Promise, reached + member.Lookahead);
    }
}
