// What of the past a member gets with its first grant (lock-time 10, clauses ): from the sealed
// log and from what is not final yet, each message at the arrival it has at this member by the member's own draws.
// Everything up to the join J comes from here, everything after it from the inbox, so the seam has neither gap nor
// double.
//
// Always true:
//   - what is selected is in the order of the run, and arrives at or before J;
//   - it is a function of what was said up to J, not of how much of that is final, unless the log ran out of room;
//   - if a limit took some of it, the member is told from which number on nothing is missing.

using System;
using System.Collections.Generic;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Log;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

/// <summary>A message of a batch: its place, its payload, and the receiver's interest it came for.</summary>
internal readonly record struct BatchEntry(DeliveryKey Key, Letter Letter, int Interest);

internal sealed class JoinHistory(RunState run)
{
    private static readonly Tag Beginning = new(long.MinValue, 0);

    private readonly Dictionary<int, int> _interestOf = [];
    private readonly List<BatchEntry> _found = [];
    private readonly List<PendingMessage> _pending = [];
    private readonly PriorityQueue<bool, Tag> _latest = new();
    private readonly ChannelPast _past = new(run.Log);
    private int[] _channels = [];
    private Member? _member;
    private Tag _after;
    private Tag _until;

    /// <summary>The state the member starts with; null if it did not ask for one or there is none.</summary>
    internal StoredSnapshot? Snapshot { get; private set; }

    /// <summary>A limit took some of what was asked for; from this number on nothing is missing. 0: all is there.</summary>
    internal long TrimmedFrom { get; private set; }

    /// <summary>Selects the past of a member that joins.</summary>
    /// <param name="member">With what it asked for.</param>
    /// <param name="join">J.</param>
    /// <returns>Valid until the next call; the letters are the log's.</returns>
    internal IReadOnlyList<BatchEntry> Select(Member member, Tag join)
    {
        Begin(member, Beginning, join);
        _past.Find(_channels, join, _pending);

        switch (member.History.Kind)
        {
            case HistoryKind.Last:
                SelectLast(member.History.Count);
                break;
            case HistoryKind.Tag:
                _after = Before(member.History.Tag);
                SelectFrom(Tag.Earlier(member.History.Tag, join));
                break;
            case HistoryKind.Number:
                SelectFromNumber(Math.Max(1, member.History.Number));
                break;
            case HistoryKind.Snapshot:
                Snapshot = run.Snapshots.FindLatest(join, IsWholeSince);
                _after = Snapshot?.Tag ?? Beginning;
                SelectFrom(_after);
                break;
            default:
                break;
        }

        Sort();
        KeepWithinLimit();
        return _found;
    }

    /// <summary>What was selected is not needed any more. A long past must not take its room for the rest of the run.</summary>
    internal void Forget()
    {
        const int MostSpare = 1_024;
        _found.Clear();
        _pending.Clear();

        if (_found.Capacity > MostSpare || _pending.Capacity > MostSpare)
        {
            _found.Capacity = 0;
            _pending.Capacity = 0;
            _latest.TrimExcess();
        }
    }

    /// <summary>
    /// Puts into the inbox of a member that comes late what was published already and arrives at it after its join.
    /// </summary>
    internal void FillInbox(Member member, Tag join)
    {
        Begin(member, join, Tag.Infinity);
        _past.Find([], join, _pending);
        SelectFrom(join);
        Sort();
        ref MemberState state = ref run.Members.StateOf(member);

        foreach (BatchEntry entry in _found)
        {
            DeliveryKey key = entry.Key;
            bool wakes = state.Receives && member.Subscriptions.Wakes[entry.Interest];
            member.Inbox.Add(in key, entry.Letter, entry.Interest, wakes);
        }

        state.Head = member.Inbox.Head;
        Forget();
    }

    private void Begin(Member member, Tag after, Tag until)
    {
        _member = member;
        (_after, _until) = (after, until);
        Forget();
        _interestOf.Clear();
        Snapshot = null;
        TrimmedFrom = 0;

        for (int id = 0; id < member.Layout.Interests.Length; id++)
        {
            Interest interest = member.Layout.Interests[id];

            if (interest.Bits.HasFlag(InterestBits.Subscribe))
            {
                _interestOf[interest.Channel] = id;
            }
        }

        _channels = [.. _interestOf.Keys];
        CopyPending();
    }

    // Numbers as they are if nothing comes before what is there.
    private void CopyPending()
    {
        foreach ((Letter letter, DeliveryKey key) in run.Log.Pending)
        {
            _pending.Add(new PendingMessage(0, key, letter));
        }

        _pending.Sort((left, right) => run.Log.Compare(left.Key, right.Key));

        for (int i = 0; i < _pending.Count; i++)
        {
            _pending[i] = _pending[i] with { Number = run.Log.Next + i };
        }
    }

    private bool IsWholeSince(Tag tag) => !Seek(tag).IsTrimmed && !_past.IsCutSince(tag);

    // After it exclusively is from the tag on inclusively.
    private static Tag Before(Tag tag) => tag switch
    {
        { Round: > 0 } => new Tag(tag.Time, tag.Round - 1),
        { Time: > long.MinValue } => new Tag(tag.Time - 1, uint.MaxValue),
        _ => Beginning,
    };

    // Messages may arrive later at a receiver than their place in the log says.
    private long LongestExtra()
    {
        long longest = 0;

        foreach (int channel in _channels)
        {
            LatencyModel latency = run.Channels[channel].Model.Latency;
            longest = Math.Max(longest, latency.IsDrawn ? latency.Maximum.Time - latency.Minimum.Time : 0);
        }

        return longest;
    }

    private LogStart Seek(Tag from) => run.Log.SeekBacklog(from, Delay.Of(LongestExtra(), 0), _channels);

    private void SelectFrom(Tag from)
    {
        LogStart start = LongestExtra() == 0 ? run.Log.SeekTag(from, _channels) : Seek(from);
        TrimmedFrom = start.IsTrimmed ? start.Number : 0;
        TakeSealed(start.Number);
        TakePending(start.Number);
    }

    private void SelectFromNumber(long number)
    {
        LogStart start = run.Log.SeekNumber(number, _channels);
        TrimmedFrom = start.IsTrimmed ? start.Number : 0;
        TakeSealed(start.Number);
        TakePending(start.Number);
    }

    private void TakeSealed(long number)
    {
        while (run.Log.TryReadNext(number, out SealedMessage message) && message.Key.Arrival <= _until)
        {
            DeliveryKey key = message.Key;
            Take(message.Number, in key, message.Letter);
            number = message.Number + 1;
        }
    }

    private void TakePending(long from)
    {
        foreach ((long number, DeliveryKey key, Letter letter) in _pending)
        {
            if (number >= from)
            {
                Take(number, in key, letter);
            }
        }
    }

    /// <returns>How often it arrives in the stretch that is looked for.</returns>
    private int Take(long number, in DeliveryKey nominal, Letter letter)
    {
        if (nominal.Arrival > _until || !_interestOf.TryGetValue(letter.Channel, out int interest))
        {
            return 0;
        }

        // For an observer no draw is made (clause ).
        ReceiverPlan plan = _member!.IsObserver
            ? new ReceiverPlan(true, nominal.Arrival, false, default)
            : run.Channels[letter.Channel].Model
                .PlanNominal(
                    run.Layout.Seed, run.Members[nominal.Publisher].Digest.NameHash, nominal.SubSequence,
                    nominal.Arrival)
                .For(_member.Digest.NameHash);
        int before = _found.Count;
        bool isKept = _past.Has(in nominal, letter.Channel, out bool isCut);

        if (plan.Arrives && plan.Arrival > _after && plan.Arrival <= _until)
        {
            _found.Add(new BatchEntry(nominal with { Arrival = plan.Arrival }, letter, interest));
        }

        if (plan.IsDoubled && plan.DoubleArrival > _after && plan.DoubleArrival <= _until)
        {
            _found.Add(new BatchEntry(nominal with { Arrival = plan.DoubleArrival, Copy = 1 }, letter, interest));
        }

        if (!isKept)
        {
            TrimmedFrom = isCut && _found.Count > before ? Math.Max(TrimmedFrom, number + 1) : TrimmedFrom;
            _found.RemoveRange(before, _found.Count - before);
        }

        return _found.Count - before;
    }

    private void SelectLast(int count)
    {
        if (count == 0)
        {
            return;
        }

        List<BatchEntry> all = [];
        Dictionary<int, List<BatchEntry>> pending = [];
        TakePending(0);

        // In one pass: whoever joins says how many channels there are to look for.
        foreach (BatchEntry entry in _found)
        {
            if (!pending.TryGetValue(entry.Letter.Channel, out List<BatchEntry>? ofOne))
            {
                pending[entry.Letter.Channel] = ofOne = [];
            }

            ofOne.Add(entry);
        }

        foreach (int channel in _channels)
        {
            List<BatchEntry> ofIt = pending.GetValueOrDefault(channel) ?? [];
            TakeLast(channel, count, ofIt);
            ofIt.Sort(Compare);
            all.AddRange(ofIt[Math.Max(0, ofIt.Count - count)..]);
        }

        _found.Clear();
        _found.AddRange(all);
        TrimmedFrom = 0;
    }

    // From the newest back, until there are enough and nothing older can arrive later than those.
    private void TakeLast(int channel, int count, List<BatchEntry> found)
    {
        LatencyModel latency = run.Channels[channel].Model.Latency;
        long extra = latency.Maximum.Time - latency.Minimum.Time;
        long number = run.Log.NewestOf(channel);
        _latest.Clear();

        foreach (BatchEntry entry in found)
        {
            NoteLatest(entry.Key.Arrival, count);
        }

        while (number > 0 && run.Log.TryRead(number, out SealedMessage message))
        {
            DeliveryKey key = message.Key;

            if (_latest.Count == count && key.Arrival.Time < EarliestOfLatest - extra)
            {
                return;
            }

            int before = _found.Count;
            Take(message.Number, in key, message.Letter);

            for (int i = before; i < _found.Count; i++)
            {
                found.Add(_found[i]);
                NoteLatest(_found[i].Key.Arrival, count);
            }

            number = message.Previous;
        }
    }

    private long EarliestOfLatest => _latest.TryPeek(out _, out Tag arrival) ? arrival.Time : long.MaxValue;

    // The arrivals of the last so many that were found.
    private void NoteLatest(Tag arrival, int count)
    {
        _latest.Enqueue(true, arrival);

        if (_latest.Count > count)
        {
            _latest.Dequeue();
        }
    }

    private void Sort() => _found.Sort(Compare);

    private int Compare(BatchEntry left, BatchEntry right)
    {
        DeliveryKey first = left.Key;
        DeliveryKey second = right.Key;
        return run.Log.Compare(in first, in second);
    }

    // No batch is longer than an inbox may be; the latest of it is worth most.
    private void KeepWithinLimit()
    {
        long bytes = 0;
        int first = _found.Count;

        while (first > 0 && bytes <= run.Layout.MaxInboxBytes)
        {
            first--;
            bytes += ArrivalQueue.BytesOf(_found[first].Letter.Length);
        }

        if (bytes > run.Layout.MaxInboxBytes)
        {
            _found.RemoveRange(0, first + 1);
            TrimmedFrom = run.Log.Next;
        }
    }
}
