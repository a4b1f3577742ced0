// The run as one list (lock-time 7.3 and 10): every message once, at its nominal arrival, with a number from 1 without
// gaps. A message is final when the floor W of the run has passed it, because nothing can come before it any more; until
// then it waits in a heap. What is final is kept for late joiners and observers within limits of memory.
//
// Sealing and trimming are two steps: between them every message just sealed can be read, whatever its channel keeps.
//
// Always true:
//   - nothing pending is below the floor, and everything numbered is;
//   - numbers are dense, and ascend with the keys in the order of the run;
//   - its bytes are the sum over the messages kept, and after trimming within the limit.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Log;

/// <summary>What a log may keep.</summary>
/// <param name="Bytes">Payloads and <see cref="SealedLog.EntryBytes"/> for each message.</param>
/// <param name="Messages">Messages.</param>
internal readonly record struct LogLimits(long Bytes, int Messages);

/// <summary>A message of the log. The letter is the log's: hold it to keep it.</summary>
/// <param name="Number">Global sequence number.</param>
/// <param name="Key">With the nominal arrival.</param>
/// <param name="Letter">Payload and channel.</param>
/// <param name="Previous">Number of the message kept before it on its channel; 0 if there is none.</param>
internal readonly record struct SealedMessage(long Number, DeliveryKey Key, Letter Letter, long Previous);

/// <summary>Where a reader starts.</summary>
/// <param name="Number">The number to read from.</param>
/// <param name="IsTrimmed">What it asked for is not all there any more: it is told so, with the number.</param>
internal readonly record struct LogStart(long Number, bool IsTrimmed);

internal sealed class SealedLog
{
    /// <summary>What a message takes beside its payload: its slot in a ring that may be half full.</summary>
    internal const int EntryBytes = 192;

    private readonly LogLimits _limits;
    private readonly IComparer<DeliveryKey>? _order;
    private readonly PriorityQueue<Letter, DeliveryKey> _pending;
    private readonly LogSlots _slots = new();
    private readonly List<ChannelTrack> _tracks = [];
    private readonly List<ChannelTrack> _touched = [];
    private readonly List<ChannelTrack> _aging = [];

    // No message of a channel that keeps all is below it.
    private long _fullFrom = 1;

    /// <param name="limits">Of what is kept.</param>
    /// <param name="order">The run's order of messages; null for that of the keys themselves.</param>
    internal SealedLog(in LogLimits limits, IComparer<DeliveryKey>? order = null)
    {
        _limits = limits;
        _order = order;
        _pending = new PriorityQueue<Letter, DeliveryKey>(order);
    }

    /// <summary>The number the next message sealed will have; also what a heartbeat tells.</summary>
    internal long Next { get; private set; } = 1;

    /// <summary>W, as of the last sealing.</summary>
    internal Tag Floor { get; private set; } = new(long.MinValue, 0);

    /// <summary>Number of the oldest message kept; <see cref="Next"/> if there is none.</summary>
    internal long First => _slots.Count > 0 ? _slots[0].Number : Next;

    /// <summary>From this number on no limit has taken anything, of any channel.</summary>
    internal long Complete { get; private set; } = 1;

    /// <summary>Messages kept.</summary>
    internal int Count => _slots.Kept;

    /// <summary>What the messages kept take.</summary>
    internal long Bytes { get; private set; }

    /// <summary>
    /// What the messages that are not final yet take, counted as in an inbox; the limits of the log do not hold for them,
    /// that of an inbox does.
    /// </summary>
    internal long PendingBytes { get; private set; }

    /// <summary>Messages that are not final yet, in no order. Valid until the log changes.</summary>
    internal PriorityQueue<Letter, DeliveryKey>.UnorderedItemsCollection Pending => _pending.UnorderedItems;

    /// <summary>Messages that were kept and are not any more because a limit was reached.</summary>
    internal long Trimmed { get; private set; }

    /// <summary>A channel of the run; the indexes are the run's, from 0.</summary>
    internal void AddChannel(in Retention retention)
    {
        ChannelTrack track = new(in retention);
        _tracks.Add(track);

        if (track.MaxTicks < long.MaxValue)
        {
            _aging.Add(track);
        }
    }

    /// <summary>A message that was published and not lost at its sender. The log holds the letter.</summary>
    /// <param name="key">With the nominal arrival.</param>
    /// <param name="letter">Of a channel that was added.</param>
    internal void Add(in DeliveryKey key, Letter letter)
    {
        Invariant.Require(key.Arrival >= Floor, "Nothing comes before what is final.");
        Invariant.Require(letter.Channel < _tracks.Count, "A message is of a channel of the run.");

        letter.Hold();
        PendingBytes += ArrivalQueue.BytesOf(letter.Length);
        _pending.Enqueue(letter, key);
    }

    /// <summary>Numbers what has become final. Follow with <see cref="Trim"/> when the new ones were read.</summary>
    /// <param name="floor">W: no later message will have an arrival below. Never less than before.</param>
    /// <returns>How many became final.</returns>
    internal int Seal(Tag floor)
    {
        Invariant.Require(floor >= Floor, "The floor of a run never falls.");

        long before = Next;
        Floor = floor;

        while (_pending.TryPeek(out Letter? letter, out DeliveryKey key) && key.Arrival < floor)
        {
            _pending.Dequeue();
            PendingBytes -= ArrivalQueue.BytesOf(letter.Length);
            Append(in key, letter);
        }

        return (int)(Next - before);
    }

    /// <summary>Lets go of what neither channels nor limits keep.</summary>
    internal void Trim()
    {
        foreach (ChannelTrack track in _touched)
        {
            track.IsTouched = false;

            while (track.Early > track.History.Count)
            {
                Drop(track, isCut: false);
            }

            while (track.EarlyBytes > track.MaxBytes)
            {
                Drop(track, isCut: true);
            }
        }

        _touched.Clear();

        // At the end of a run the floor says nothing about age.
        for (int i = 0; i < _aging.Count && !Floor.IsInfinite; i++)
        {
            DropAged(_aging[i]);
        }

        while (Bytes > _limits.Bytes || Count > _limits.Messages)
        {
            DropOldest();
        }

        _slots.Tidy();
        AssertInvariants();
    }

    /// <summary>
    /// What a channel keeps as of a tag stays, whatever comes later, until it is held for another one: somebody who joins
    /// there is still to come. The limits of the log hold all the same.
    /// </summary>
    /// <param name="channel">Of the run.</param>
    /// <param name="join">Top: nobody is to come.</param>
    internal void Hold(int channel, Tag join)
    {
        ChannelTrack track = _tracks[channel];

        if (!track.IsLimited || track.HeldFor == join)
        {
            return;
        }

        track.HeldFor = join;
        (track.Early, track.EarlyBytes) = (0, 0);

        for (long number = track.Count > 0 ? track.Oldest : 0; number > 0;)
        {
            ref readonly LogSlot slot = ref _slots[_slots.PlaceOf(number)];
            CountEarly(track, in slot, 1);
            number = slot.Next;
        }

        Touch(track);
    }

    /// <summary>What a channel keeps.</summary>
    internal ChannelTrack TrackOf(int channel) => _tracks[channel];

    /// <summary>The number of the last message kept of a channel; 0 if there is none.</summary>
    internal long NewestOf(int channel) => _tracks[channel].Count > 0 ? _tracks[channel].Newest : 0;

    /// <summary>The order of the run.</summary>
    internal int Compare(in DeliveryKey left, in DeliveryKey right)
        => _order is null ? left.CompareTo(right) : _order.Compare(left, right);

    /// <summary>Looks one message up.</summary>
    /// <returns>False if it is not kept, or not final yet.</returns>
    internal bool TryRead(long number, out SealedMessage message)
        => TryReadNext(number, out message) && message.Number == number;

    /// <summary>The first message kept that has this number or a later one.</summary>
    internal bool TryReadNext(long number, out SealedMessage message)
    {
        for (int place = _slots.PlaceOf(number); place < _slots.Count; place++)
        {
            ref readonly LogSlot slot = ref _slots[place];

            if (slot.Letter is not null)
            {
                long previous = slot.Previous >= _tracks[slot.Channel].Oldest ? slot.Previous : 0;
                message = new SealedMessage(slot.Number, slot.Key, slot.Letter, previous);
                return true;
            }
        }

        message = default;
        return false;
    }

    /// <summary>Where to read from to get every message kept that arrives at a tag or later.</summary>
    /// <param name="tag">Nominal arrival.</param>
    /// <param name="channels">The reader's, without repetition.</param>
    internal LogStart SeekTag(Tag tag, ReadOnlySpan<int> channels)
    {
        bool isTrimmed = false;

        foreach (int channel in channels)
        {
            isTrimmed |= _tracks[channel].Cut > 0 && _tracks[channel].CutArrival >= tag;
        }

        int place = _slots.PlaceOfArrival(tag);
        return isTrimmed
            ? new LogStart(FirstOf(channels), true)
            : new LogStart(place < _slots.Count ? _slots[place].Number : Next, false);
    }

    /// <summary>Where to read from to get every message kept from a number on.</summary>
    /// <param name="number">1 or more.</param>
    /// <param name="channels">The reader's, without repetition.</param>
    internal LogStart SeekNumber(long number, ReadOnlySpan<int> channels)
    {
        long first = FirstOf(channels);
        return new LogStart(Math.Max(number, first), number < first);
    }

    /// <summary>
    /// Where a joiner at <paramref name="join"/> reads from: messages of before it may still be on their way to it.
    /// </summary>
    /// <param name="join">The joiner's first tag.</param>
    /// <param name="longest">The largest latency of the reader's channels.</param>
    /// <param name="channels">The reader's, without repetition.</param>
    internal LogStart SeekBacklog(Tag join, Delay longest, ReadOnlySpan<int> channels)
    {
        long time = join.Time < long.MinValue + longest.Time ? long.MinValue : join.Time - longest.Time;
        return SeekTag(new Tag(time, 0), channels);
    }

    /// <summary>From this number on nothing is missing that the channels wanted kept: it answers Trimmed.</summary>
    internal long FirstOf(ReadOnlySpan<int> channels)
    {
        long cut = 0;

        foreach (int channel in channels)
        {
            cut = Math.Max(cut, _tracks[channel].Cut);
        }

        return cut + 1;
    }

    /// <summary>Lets go of everything, pending or kept. The log cannot be used afterwards.</summary>
    internal void Clear()
    {
        while (_pending.TryDequeue(out Letter? letter, out _))
        {
            letter.Release();
        }

        PendingBytes = 0;

        while (_slots.Count > 0)
        {
            Drop(_tracks[_slots[0].Channel], isCut: true);
        }
    }

    private static long BytesOf(Letter letter) => letter.Length + EntryBytes;

    private void Append(in DeliveryKey key, Letter letter)
    {
        ChannelTrack track = _tracks[letter.Channel];
        long number = Next++;

        LogSlot slot = new()
        {
            Key = key,
            Number = number,
            Previous = track.Count > 0 ? track.Newest : 0,
            Channel = letter.Channel,
            Letter = letter,
        };

        if (track.Count > 0)
        {
            _slots[_slots.PlaceOf(track.Newest)].Next = number;
        }
        else
        {
            track.Oldest = number;
        }

        _slots.Add(in slot);
        track.Newest = number;
        track.Count++;
        track.Bytes += BytesOf(letter);
        Bytes += BytesOf(letter);
        CountEarly(track, in slot, 1);
        Touch(track);
    }

    private void Touch(ChannelTrack track)
    {
        if (track.HasLimit && !track.IsTouched)
        {
            track.IsTouched = true;
            _touched.Add(track);
        }
    }

    private static void CountEarly(ChannelTrack track, ref readonly LogSlot slot, int sign)
    {
        if (slot.Key.Arrival <= track.HeldFor)
        {
            track.Early += sign;
            track.EarlyBytes += sign * BytesOf(slot.Letter!);
        }
    }

    private void DropAged(ChannelTrack track)
    {
        long now = Tag.Earlier(Floor, track.HeldFor).Time;
        long least = now < long.MinValue + track.MaxTicks ? long.MinValue : now - track.MaxTicks;

        while (track.Count > 0 && _slots[_slots.PlaceOf(track.Oldest)].Key.Arrival.Time < least)
        {
            Drop(track, isCut: true);
        }
    }

    /// <summary>
    /// The oldest message of the channels that keep all, or, if they have nothing left, of all: the last values of
    /// other channels are few and wanted.
    /// </summary>
    private void DropOldest()
    {
        for (int place = _slots.PlaceOf(_fullFrom); place < _slots.Count; place++)
        {
            ref readonly LogSlot slot = ref _slots[place];
            _fullFrom = slot.Number + 1;

            if (slot.Letter is not null && _tracks[slot.Channel].History.KeepsAll)
            {
                Drop(_tracks[slot.Channel], isCut: true);
                return;
            }
        }

        Drop(_tracks[_slots[0].Channel], isCut: true);
    }

    private void Drop(ChannelTrack track, bool isCut)
    {
        int place = _slots.PlaceOf(track.Oldest);
        LogSlot slot = _slots[place];
        Invariant.Require(
            slot.Number == track.Oldest && slot.Letter is not null, "The oldest message of a channel is there.");

        track.Oldest = slot.Next;
        track.Count--;
        track.Bytes -= BytesOf(slot.Letter);
        CountEarly(track, in slot, -1);
        Bytes -= BytesOf(slot.Letter);

        if (isCut)
        {
            track.Cut = slot.Number;
            track.CutArrival = slot.Key.Arrival;
            Complete = Math.Max(Complete, slot.Number + 1);
            Trimmed++;
        }

        slot.Letter.Release();
        _slots.Remove(place);
    }

    [Conditional("DEBUG")]
    private void AssertInvariants()
    {
        // A recount after each trimming would make long runs quadratic.
        const int MostRecounted = 256;

        if (_slots.Count > MostRecounted)
        {
            return;
        }

        long bytes = 0;
        int count = 0;

        for (int i = 0; i < _slots.Count; i++)
        {
            ref readonly LogSlot slot = ref _slots[i];
            Invariant.Require(slot.Number < Next && slot.Key.Arrival < Floor, "What is numbered is final.");
            bytes += slot.Letter is null ? 0 : BytesOf(slot.Letter);
            count += slot.Letter is null ? 0 : 1;
        }

        Invariant.Require(bytes == Bytes && count == Count, "The bytes are those of the messages kept.");
    }
}
