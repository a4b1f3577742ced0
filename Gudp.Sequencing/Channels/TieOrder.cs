using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Channels;

/// <summary>
/// The order of messages with the same arrival (lock-time 7.1): fixed, or reshuffled between publishers by a seed, to
/// find out whether a run depends on it. Each publisher's own order stays.
/// </summary>
internal sealed class TieOrder : IComparer<DeliveryKey>
{
    private const int KeyBytes = 17;

    private readonly ulong _seed;

    private TieOrder(ulong seed) => _seed = seed;

    /// <summary>What a queue takes as its order.</summary>
    /// <param name="seed">Null for the fixed order.</param>
    /// <returns>Null for the order of the keys themselves, which queues compare fastest.</returns>
    internal static IComparer<DeliveryKey>? Of(ulong? seed) => seed is ulong value ? new TieOrder(value) : null;

    public int Compare(DeliveryKey x, DeliveryKey y)
    {
        int order = x.Arrival.CompareTo(y.Arrival);

        if (order == 0 && x.Publisher != y.Publisher)
        {
            order = Draw(x.Arrival, x.Publisher).CompareTo(Draw(y.Arrival, y.Publisher));
            return order != 0 ? order : x.Publisher.CompareTo(y.Publisher);
        }

        // Of one publisher: send tag, sub-sequence, copy, as in the fixed order.
        return x.CompareTo(y);
    }

    /// <summary>The publisher's place among those with the same arrival; clause .</summary>
    internal ulong Draw(Tag arrival, int publisher)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        BinaryPrimitives.WriteInt64LittleEndian(key, arrival.Time);
        BinaryPrimitives.WriteUInt32LittleEndian(key[8..], arrival.Round);
        BinaryPrimitives.WriteInt32LittleEndian(key[12..], publisher);
        key[16] = (byte)DrawPurpose.Tie;
        return XxHash64.Hash(_seed, key);
    }
}
