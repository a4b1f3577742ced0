// What was sent to one member and not delivered yet, in delivery order (lock-time 7.1).
//
// Two heaps with the same order: messages that can wake the member, and those on quiet subscriptions, which never
// shorten its Next. The head of the first is what the rule asks for; a batch is cut from both.
//
// Always true:
//   - no message in the queue arrives at or before the receiver's last grant;
//   - batches leave in key order, so every receiver sees a part of one total order;
//   - its bytes are the sum over the messages in it.

using System;
using System.Collections.Generic;

namespace Gudp.Sequencing.Time;

/// <summary>The place of a message in the one total order: unique, and independent of network and load.</summary>
internal readonly record struct DeliveryKey(Tag Arrival, Tag Sent, int Publisher, long SubSequence, byte Copy)
    : IComparable<DeliveryKey>
{
    public int CompareTo(DeliveryKey other)
    {
        int order = Arrival.CompareTo(other.Arrival);
        order = order != 0 ? order : Sent.CompareTo(other.Sent);
        order = order != 0 ? order : Publisher.CompareTo(other.Publisher);
        order = order != 0 ? order : SubSequence.CompareTo(other.SubSequence);
        return order != 0 ? order : Copy.CompareTo(other.Copy);
    }
}

/// <param name="order">The run's order of messages; null for that of the keys themselves.</param>
internal sealed class ArrivalQueue(IComparer<DeliveryKey>? order = null)
{
    // The entry in the heap; also more than the head of a delivery record, so that a batch is never longer on its way.
    private const int EntryBytes = 64;

    private readonly PriorityQueue<(Letter Letter, int Interest), DeliveryKey> _waking = new(order);
    private readonly PriorityQueue<(Letter Letter, int Interest), DeliveryKey> _quiet = new(order);
    private readonly List<(DeliveryKey Key, Letter Letter, int Interest)> _sorting = [];

    /// <summary>What the messages in it take, payloads and entries.</summary>
    internal long Bytes { get; private set; }

    internal int Count => _waking.Count + _quiet.Count;

    /// <summary>Arrival of the first message that can wake the member; top if there is none.</summary>
    internal Tag Head => _waking.TryPeek(out _, out DeliveryKey key) ? key.Arrival : Tag.Top;

    /// <summary>What a message takes in an inbox.</summary>
    internal static long BytesOf(int payload) => payload + EntryBytes;

    /// <param name="key">Where it stands in the order.</param>
    /// <param name="letter">Held until the message is taken and released, or the queue cleared.</param>
    /// <param name="interest">Its channel in the receiver's own numbering.</param>
    /// <param name="wakes">Whether it can end a Next.</param>
    internal void Add(in DeliveryKey key, Letter letter, int interest, bool wakes)
    {
        letter.Hold();
        Bytes += BytesOf(letter.Length);
        (wakes ? _waking : _quiet).Enqueue((letter, interest), key);
    }

    /// <summary>Takes the next message up to <paramref name="grant"/>. The caller releases the letter.</summary>
    internal bool TryTake(Tag grant, out DeliveryKey key, out Letter letter, out int interest)
    {
        bool isWaking = _waking.TryPeek(out _, out DeliveryKey waking);
        bool isQuiet = _quiet.TryPeek(out _, out DeliveryKey quiet);
        bool quietFirst = isQuiet && (!isWaking || Compare(in quiet, in waking) < 0);

        key = quietFirst ? quiet : waking;
        letter = null!;
        interest = 0;

        if ((!isWaking && !isQuiet) || key.Arrival > grant)
        {
            return false;
        }

        (letter, interest) = (quietFirst ? _quiet : _waking).Dequeue();
        Bytes -= BytesOf(letter.Length);
        Invariant.Require(Bytes >= 0, "An inbox gives out what was put into it.");
        return true;
    }

    /// <summary>
    /// Puts every message anew among those that wake or those that do not. Rare: after interests or roles were switched.
    /// </summary>
    /// <param name="wakes">By interest; empty if nothing wakes.</param>
    internal void Sort(ReadOnlySpan<bool> wakes)
    {
        CopyTo(_sorting);
        _waking.Clear();
        _quiet.Clear();

        foreach ((DeliveryKey key, Letter letter, int interest) in _sorting)
        {
            (interest < wakes.Length && wakes[interest] ? _waking : _quiet).Enqueue((letter, interest), key);
        }

        _sorting.Clear();
    }

    /// <summary>What is waiting, in no order. The letters stay the queue's.</summary>
    internal void CopyTo(List<(DeliveryKey Key, Letter Letter, int Interest)> destination)
    {
        foreach (((Letter letter, int interest), DeliveryKey key) in _waking.UnorderedItems)
        {
            destination.Add((key, letter, interest));
        }

        foreach (((Letter letter, int interest), DeliveryKey key) in _quiet.UnorderedItems)
        {
            destination.Add((key, letter, interest));
        }
    }

    /// <summary>The run's order.</summary>
    internal int Compare(in DeliveryKey left, in DeliveryKey right)
        => order is null ? left.CompareTo(right) : order.Compare(left, right);

    internal void Clear()
    {
        while (TryTake(Tag.Top, out _, out Letter letter, out _))
        {
            letter.Release();
        }
    }
}
