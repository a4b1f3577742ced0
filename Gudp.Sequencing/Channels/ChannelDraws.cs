// The dice of the simulated network (lock-time 17). A draw is a hash of what it is for, so it depends neither on the
// order in which draws are made nor on who else receives: one member more or less changes nobody's network.

using System;
using System.Buffers.Binary;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Channels;

/// <summary>What a draw decides; part of its key.</summary>
internal enum DrawPurpose : byte
{
    SenderLoss = 1,
    ReceiverLoss = 2,
    Latency = 3,
    Duplicate = 4,
    Tie = 5,
}

/// <summary>A message as draws know it: hashes of the names of its publisher and its channel, and its count.</summary>
internal readonly record struct MessageIdentity(ulong Publisher, long SubSequence, ulong Channel);

internal static class ChannelDraws
{
    /// <summary>The receiver of a draw that holds for all of them.</summary>
    internal const ulong AllReceivers = ulong.MaxValue;

    /// <summary>Parts in which chances are given.</summary>
    internal const int Million = 1_000_000;

    private const int KeyBytes = 34;

    /// <summary>The keyed draw; clause .</summary>
    internal static ulong Draw(
        ulong seed, in MessageIdentity message, ulong receiver, byte copy, DrawPurpose purpose)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(key, message.Publisher);
        BinaryPrimitives.WriteInt64LittleEndian(key[8..], message.SubSequence);
        BinaryPrimitives.WriteUInt64LittleEndian(key[16..], receiver);
        BinaryPrimitives.WriteUInt64LittleEndian(key[24..], message.Channel);
        key[32] = copy;
        key[33] = (byte)purpose;
        return XxHash64.Hash(seed, key);
    }

    /// <summary>A draw as one of the numbers below <paramref name="count"/>.</summary>
    internal static ulong Below(ulong draw, ulong count) => Math.BigMul(draw, count, out _);

    /// <summary>Whether a chance in parts per million has come true.</summary>
    internal static bool Happens(ulong draw, int partsPerMillion) => Below(draw, Million) < (ulong)partsPerMillion;
}
