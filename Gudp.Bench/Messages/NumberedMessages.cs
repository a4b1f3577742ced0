using System.Buffers.Binary;
using Gudp.Messaging;

namespace Gudp.Bench.Messages;

/// <summary>
/// Messages that carry their number at both ends, and the check that those of one lane arrive as its mode promises.
/// </summary>
/// <remarks>Always true: a number that was not sent, came twice, or came too late for the mode, is a fault.</remarks>
internal sealed class NumberedMessages
{
    internal const int LeastBytes = 2 * sizeof(long);

    // Of so many numbers the last arrivals are remembered; no path here holds more under way.
    private const int Remembered = 1 << 16;

    private readonly long[] _seen = new long[Remembered];
    private readonly LaneMode _mode;
    private readonly int _bytes;
    private long _sum;

    internal NumberedMessages(LaneMode mode, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, LeastBytes);
        _mode = mode;
        _bytes = bytes;
        Array.Fill(_seen, -1);
    }

    /// <summary>How many arrived.</summary>
    internal long Arrived { get; private set; }

    /// <summary>The highest number that arrived; -1: none.</summary>
    internal long Newest { get; private set; } = -1;

    /// <summary>The first thing that was wrong; null while nothing is.</summary>
    internal string? Fault { get; private set; }

    internal static void Write(Span<byte> message, long number)
    {
        BinaryPrimitives.WriteInt64BigEndian(message, number);
        BinaryPrimitives.WriteInt64BigEndian(message[^sizeof(long)..], number);
    }

    internal void Take(ReadOnlySpan<byte> message)
    {
        long number = message.Length == _bytes ? BinaryPrimitives.ReadInt64BigEndian(message) : -1;

        if (number < 0 || BinaryPrimitives.ReadInt64BigEndian(message[^sizeof(long)..]) != number)
        {
            Fail("A message was damaged");
            return;
        }

        ref long seen = ref _seen[number % Remembered];

        if (seen == number)
        {
            Fail("A message came twice");
        }
        else if (_mode == LaneMode.OrderedReliable ? number != Newest + 1 : IsLate(number))
        {
            Fail("A message came out of order");
        }

        seen = number;
        Newest = Math.Max(Newest, number);
        _sum += number;
        Arrived++;
    }

    /// <summary>Whether everything is here that has to be, when <paramref name="sent"/> were sent.</summary>
    internal bool IsComplete(long sent) => _mode switch
    {
        LaneMode.OrderedReliable or LaneMode.UnorderedReliable => Arrived == sent && _sum == sent * (sent - 1) / 2,
        LaneMode.SequencedReliable => Newest == sent - 1,
        _ => Arrived <= sent && Newest < sent,
    };

    private bool IsLate(long number) => StreamCells.IsSequenced(_mode) && number < Newest;

    private void Fail(string what) => Fault ??= $"{what}: {_mode}, after {Arrived} of them";
}
