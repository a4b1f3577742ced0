// One check of one history. Two passes: what was published by whom at which point; then every event against it.
//
// Always true:
//   - an event is judged by what stands before it in its own member's events, and by publications, wherever they stand;
//   - what broke a rule still counts: the largest point and the largest key seen so far judge what follows.

using System;
using System.Collections.Generic;
using Gudp.Sequencing.Config;

namespace Gudp.Sequencing.Records;

/// <summary>Names a message in a history.</summary>
internal readonly record struct HistoryMessage(string Publisher, long SubSequence)
{
    public override string ToString() => FormattableString.Invariant($"\"{Publisher}\" {SubSequence}");
}

internal sealed class HistoryCheck(IReadOnlyList<HistoryEvent> events, HistoryRules rules)
{
    private readonly List<HistoryViolation> _found = [];
    private readonly Dictionary<HistoryMessage, Publication> _publications = [];
    private readonly Dictionary<HistoryMessage, Delivery> _deliveries = [];
    private readonly Dictionary<string, Progress> _members = [];
    private readonly Dictionary<string, int> _ranks = [];

    internal List<HistoryViolation> Run()
    {
        Collect();

        for (int i = 0; i < events.Count; i++)
        {
            HistoryEvent one = events[i];
            Progress member = _members[one.Member];

            switch (one.Kind)
            {
                case HistoryEventKind.Point:
                    CheckPoint(i, one, member);
                    break;
                case HistoryEventKind.Promise:
                    member.Promise = Later(member.Promise, one.Tag);
                    break;
                case HistoryEventKind.Publish:
                    CheckPublication(i, one, member);
                    break;
                default:
                    CheckReceipt(i, one, member);
                    break;
            }
        }

        CheckMissing();
        _found.Sort(CompareViolations);
        return _found;
    }

    private static int CompareViolations(HistoryViolation left, HistoryViolation right)
    {
        int order = left.EventIndex.CompareTo(right.EventIndex);
        order = order != 0 ? order : left.Rule.CompareTo(right.Rule);
        return order != 0 ? order : string.CompareOrdinal(left.Member, right.Member);
    }

    // Where each message was published, and the order of names for ties.
    private void Collect()
    {
        Dictionary<string, Tag> points = [];

        for (int i = 0; i < events.Count; i++)
        {
            HistoryEvent one = events[i];
            _members.TryAdd(one.Member, new Progress());
            _ranks.TryAdd(one.Member, 0);
            _ranks.TryAdd(one.Publisher, 0);

            if (one.Kind == HistoryEventKind.Point)
            {
                points[one.Member] = one.Tag;
            }
            else if (one.Kind == HistoryEventKind.Publish)
            {
                Tag? sent = one.SendTag ?? (points.TryGetValue(one.Member, out Tag point) ? point : null);
                _publications.TryAdd(MessageOf(one), new Publication(i, one.Tag, sent, one.Channel));
            }
        }

        string[] names = [.. _ranks.Keys];
        Array.Sort(names, RunLayout.CompareNames);

        for (int i = 0; i < names.Length; i++)
        {
            _ranks[names[i]] = i;
        }
    }

    private void CheckPoint(int index, in HistoryEvent one, Progress member)
    {
        if (member.Point is { } last && (one.Tag < last || (one.Tag == last && !rules.PointsMayRepeat)))
        {
            Report(HistoryRule.PointNotAfterLast, index, one.Member,
                $"its point {one.Tag} is not after its point {last}");
        }

        member.First ??= one.Tag;
        member.PointBefore = member.Point;
        member.Point = Later(member.Point, one.Tag);
    }

    private void CheckPublication(int index, in HistoryEvent one, Progress member)
    {
        HistoryMessage message = MessageOf(one);

        if (_publications[message].EventIndex is var first && first != index)
        {
            Report(HistoryRule.RepeatedNumber, index, one.Member,
                $"it publishes number {one.SubSequence} at {one.Tag}, which was event {first} already");
        }

        if (member.Point is { } point && one.Tag <= point)
        {
            Report(HistoryRule.PublishedInThePast, index, one.Member,
                $"it publishes {one.SubSequence} at {one.Tag}, not after its point {point}");
        }
        else if (member.Received is { } received && one.Tag <= received)
        {
            Report(HistoryRule.PublishedInThePast, index, one.Member,
                $"it publishes {one.SubSequence} at {one.Tag}, not after the message it was given at {received}");
        }
        else if (member.Point is { } start && rules.Lookahead.TryGetValue(one.Member, out Delay lookahead)
            && one.Tag < start + lookahead)
        {
            Report(HistoryRule.PublishedTooEarly, index, one.Member,
                $"it publishes {one.SubSequence} at {one.Tag}, below {start + lookahead}: its point {start} "
                + $"and its look-ahead of {lookahead}");
        }

        if (member.Promise is { } promise && one.Tag < promise)
        {
            Report(HistoryRule.PublishedTooEarly, index, one.Member,
                $"it publishes {one.SubSequence} at {one.Tag}, below its promise {promise}");
        }
    }

    private void CheckReceipt(int index, in HistoryEvent one, Progress member)
    {
        HistoryMessage message = MessageOf(one);
        bool isKnown = _publications.TryGetValue(message, out Publication publication);
        Tag? sent = one.SendTag ?? (isKnown ? publication.SendTag : null);

        if (!isKnown)
        {
            Report(HistoryRule.NeverPublished, index, one.Member,
                $"it is given {message} at {one.Tag}, which nobody published");
        }
        else if (publication.Channel != one.Channel)
        {
            Report(HistoryRule.OtherChannel, index, one.Member,
                $"it is given {message} on \"{one.Channel}\", published to \"{publication.Channel}\" "
                + $"by event {publication.EventIndex}");
        }

        if (sent is { } from && one.Tag <= from)
        {
            Report(HistoryRule.Noncausal, index, one.Member,
                $"{message} arrives at {one.Tag}, not after {from}, where it was sent");
        }
        else if (isKnown && one.Tag < publication.Tag)
        {
            Report(HistoryRule.Noncausal, index, one.Member,
                $"{message} arrives at {one.Tag}, before {publication.Tag}, for which it was published");
        }

        Tag? left = rules.MessagesFollowPoint ? member.PointBefore : member.Point;

        if (left is { } behind && one.Tag <= behind)
        {
            Report(HistoryRule.DeliveredTooLate, index, one.Member,
                $"it is given {message} with arrival {one.Tag}, although it was at {behind} before");
        }

        CheckOrder(index, one, member, sent);
        member.Received = Later(member.Received, one.Tag);
        NoteDelivery(index, one, message);
    }

    private void CheckOrder(int index, in HistoryEvent one, Progress member, Tag? sent)
    {
        HistoryMessage message = MessageOf(one);

        if (!member.Messages.TryAdd((message, one.Copy), index))
        {
            Report(HistoryRule.Duplicate, index, one.Member,
                $"it is given {message} at {one.Tag} again, after event {member.Messages[(message, one.Copy)]}");
            return;
        }

        HistoryKey key = new(one.Tag, sent, _ranks[one.Publisher], one.SubSequence, one.Copy);

        if (member.Largest is { } largest && key.IsBefore(largest.Key, rules.TiesAreFree))
        {
            Report(HistoryRule.OutOfOrder, index, one.Member,
                $"it is given {message} with arrival {one.Tag} after {largest.Message} with arrival "
                + $"{largest.Key.Arrival} (event {largest.EventIndex}), which belongs behind it");
            return;
        }

        member.Largest = new Place(key, message, index);
    }

    private void NoteDelivery(int index, in HistoryEvent one, HistoryMessage message)
    {
        if (!rules.Subscribers.ContainsKey(one.Channel))
        {
            return;
        }

        if (!_deliveries.TryGetValue(message, out Delivery? delivery))
        {
            int first = _publications.TryGetValue(message, out Publication published) ? published.EventIndex : index;
            delivery = _deliveries[message] = new Delivery(first, one.Channel, one.Member);
        }

        delivery.Receivers.Add(one.Member);
        delivery.Arrival = Tag.Later(delivery.Arrival ?? one.Tag, one.Tag);
    }

    private void CheckMissing()
    {
        foreach ((HistoryMessage message, Delivery delivery) in _deliveries)
        {
            Tag arrival = delivery.Arrival ?? Tag.Zero;

            foreach (string subscriber in rules.Subscribers[delivery.Channel])
            {
                bool wasThere = !_members.TryGetValue(subscriber, out Progress? member)
                    || member.Point is null
                    || (member.First < arrival && arrival <= member.Point);

                if (wasThere && !delivery.Receivers.Contains(subscriber))
                {
                    Report(HistoryRule.Missing, delivery.EventIndex, subscriber,
                        $"it was never given {message} on \"{delivery.Channel}\", which \"{delivery.First}\" was given "
                        + $"and which arrives at {arrival}");
                }
            }
        }
    }

    private void Report(HistoryRule rule, int index, string member, string what)
        => _found.Add(new HistoryViolation(
            rule, index, member, FormattableString.Invariant($"event {index}: member \"{member}\": {what}")));

    private static HistoryMessage MessageOf(in HistoryEvent one) => new(one.Publisher, one.SubSequence);

    private static Tag Later(Tag? one, Tag other) => one is { } known ? Tag.Later(known, other) : other;

    private readonly record struct Publication(int EventIndex, Tag Tag, Tag? SendTag, string Channel);

    private readonly record struct Place(HistoryKey Key, HistoryMessage Message, int EventIndex);

    /// <summary>What a member has behind it.</summary>
    private sealed class Progress
    {
        internal Tag? First { get; set; }
        internal Tag? Point { get; set; }
        internal Tag? PointBefore { get; set; }
        internal Tag? Promise { get; set; }
        internal Tag? Received { get; set; }
        internal Place? Largest { get; set; }
        internal Dictionary<(HistoryMessage Message, byte Copy), int> Messages { get; } = [];
    }

    private sealed class Delivery(int eventIndex, string channel, string first)
    {
        internal int EventIndex { get; } = eventIndex;
        internal string Channel { get; } = channel;
        internal string First { get; } = first;
        internal HashSet<string> Receivers { get; } = [];

        /// <summary>The latest of all receivers': they may differ where latency is drawn for each.</summary>
        internal Tag? Arrival { get; set; }
    }
}

/// <summary>The delivery key of lock-time 7.1, of which a foreign history may not know the send tag.</summary>
internal readonly record struct HistoryKey(Tag Arrival, Tag? Sent, int Publisher, long SubSequence, byte Copy)
{
    internal bool IsBefore(HistoryKey other, bool tiesAreFree)
    {
        if (Arrival != other.Arrival)
        {
            return Arrival < other.Arrival;
        }

        if (Publisher != other.Publisher && (tiesAreFree || Sent is null || other.Sent is null))
        {
            return false;
        }

        int order = Sent is { } sent && other.Sent is { } otherSent ? sent.CompareTo(otherSent) : 0;
        order = order != 0 ? order : Publisher.CompareTo(other.Publisher);
        order = order != 0 ? order : SubSequence.CompareTo(other.SubSequence);
        order = order != 0 ? order : Copy.CompareTo(other.Copy);
        return order < 0;
    }
}
