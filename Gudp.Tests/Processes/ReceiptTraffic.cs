using System.Buffers.Binary;
using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Tests.Processes;

/// <summary>What both processes know of each other: config, lanes and the content of every message.</summary>
internal static class ReceiptTraffic
{
    internal const int Messages = 10_000;

    /// <summary>Takes half of them; the other lanes are ordered.</summary>
    internal const int UnorderedLane = 3;

    /// <summary>So long a silence is the end, whether or not something is undelivered.</summary>
    internal static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Nothing waits longer, in either process.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    internal static readonly SendOptions AskBoth = new() { NotifyReceived = true, NotifyTaken = true };

    private const int NumberBytes = 4;
    private const int MostBytes = 200;

    private static readonly int[] Lanes = [1, UnorderedLane, 4, UnorderedLane];

    internal static MessagingConfig Config => new()
    {
        LaneRingBytes = 4 * 1024 * 1024,
        LanePlan = LanePlan.Default.With(UnorderedLane, new() { Mode = LaneMode.UnorderedReliable }),
        Core = new()
        {
            Connections = new()
            {
                Security = new() { Protection = Protection.Plain },
                IdleTimeout = IdleTimeout,
                UnfinishedTimeout = IdleTimeout,
                HeartbeatStart = TimeSpan.FromSeconds(0.5),
                HeartbeatInterval = TimeSpan.FromSeconds(0.5),
            },
        },
    };

    internal static int LaneOf(int number) => Lanes[number % Lanes.Length];

    internal static byte[] Write(int number)
    {
        byte[] message = new byte[LengthOf(number)];
        message.AsSpan().Fill((byte)number);
        BinaryPrimitives.WriteInt32BigEndian(message, number);
        return message;
    }

    /// <summary>The number of a message that is exactly as it was sent; -1 for any other.</summary>
    internal static int Read(int lane, ReadOnlySpan<byte> message)
    {
        int number = message.Length < NumberBytes ? -1 : BinaryPrimitives.ReadInt32BigEndian(message);
        bool isWhole = number is >= 0 and < Messages && lane == LaneOf(number) && message.Length == LengthOf(number)
            && message[NumberBytes..].IndexOfAnyExcept((byte)number) < 0;
        return isWhole ? number : -1;
    }

    /// <summary>Sends one message as soon as there is room, and fetches updates meanwhile.</summary>
    /// <returns>False once the connection is over.</returns>
    internal static bool TrySend(Peer peer, int number, Action fetchUpdates, out SendReceipt receipt)
    {
        byte[] message = Write(number);
        SendStatus status;

        while ((status = peer.TrySend(message, AskBoth with { Lane = LaneOf(number) }, out receipt))
            is not (SendStatus.Accepted or SendStatus.Closed))
        {
            fetchUpdates();
            peer.WaitToSend(TimeSpan.FromMilliseconds(10));
        }

        return status == SendStatus.Accepted;
    }

    private static int LengthOf(int number) => NumberBytes + (number * 31 % (MostBytes - NumberBytes));
}
