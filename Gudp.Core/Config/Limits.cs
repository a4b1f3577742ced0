using System;
using System.Numerics;
using Gudp.Core.Engine;

namespace Gudp.Core.Config;

/// <summary>What the code really uses, computed once from the config. Nothing grows beyond it.</summary>
internal readonly record struct Limits
{
    /// <summary>What a queue rents first; the smallest block of the pool.</summary>
    internal const int QueueStepBytes = 4 * 1024;

    /// <summary>What the datagrams of a turn are built into; the largest UDP payload and super-packet fit.</summary>
    internal const int TransmitBytes = 64 * 1024;

    private const int QueuesPerConnection = 2;
    private const int SentSlotBytes = 96;
    private const int CommandBytes = 64;
    private const int CommandsPerConnection = 4;
    private const int LeastCommands = 1_024;

    /// <summary>Slots of the ring of sent packets; a power of two.</summary>
    internal int SentSlots { get; private init; }

    /// <summary>Commands that may wait for the loop.</summary>
    internal int CommandSlots { get; private init; }

    /// <summary>What the pool may hold, rented and free together.</summary>
    internal long PoolBytes { get; private init; }

    /// <summary>What a connection takes apart from the pool.</summary>
    internal long FixedBytesPerConnection { get; private init; }

    /// <summary>
    /// The daemon's memory when everything is full, apart from small objects and the kernel's buffers.
    /// </summary>
    internal long WorstCaseBytes { get; private init; }

    internal static Limits From(GudpConfig config)
    {
        // A ring half empty: one late packet holds the oldest slot, and the others need not stop for it at once.
        int wantedSlots = Math.Max(2 * config.Connections.Path.MaxPacketsInFlight, SentPacketRing.MinSlots);
        uint sentSlots = BitOperations.RoundUpToPowerOf2((uint)wantedSlots);
        int commands = LeastCommands + (CommandsPerConnection * config.MaxConnections);
        long perConnection = sentSlots * (long)SentSlotBytes;

        long worst = checked(perConnection * config.MaxConnections);
        worst += config.MemoryBudgetBytes;              // queues of all connections
        worst += (long)commands * CommandBytes;         // requests of user threads
        worst += 2 * TransmitBytes;                     // datagrams being built, datagrams being read

        return new Limits
        {
            SentSlots = (int)sentSlots,
            CommandSlots = commands,
            PoolBytes = config.MemoryBudgetBytes,
            FixedBytesPerConnection = perConnection,
            WorstCaseBytes = worst,
        };
    }

    /// <summary>What all connections together need before they can move their first packet.</summary>
    internal static long FirstStepBytes(GudpConfig config)
        => (long)config.MaxConnections * QueuesPerConnection * QueueStepBytes;
}
