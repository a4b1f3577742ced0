using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Tests.World;

/// <summary>One message of mixed traffic: what was asked for, what its receipt said last, what became of it.</summary>
internal sealed class LaneMessage(int index, int length, LaneMode mode, SendOptions options, SendReceipt first)
{
    /// <summary>Its place among the messages accepted on its lane.</summary>
    internal int Index => index;

    internal int Length => length;

    internal LaneMode Mode => mode;

    internal SendOptions Options => options;

    internal MessageId Id { get; } = first.Id;

    /// <summary>When it was accepted, where that is known to a turn.</summary>
    internal Instant? SentAt { get; init; }

    /// <summary>What its receipt said when it was looked at last.</summary>
    internal SendReceipt Receipt { get; set; } = first;

    /// <summary>The application at the other end was handed it.</summary>
    internal bool HasArrived { get; set; }

    /// <summary>That application is done with it. Set before it says so.</summary>
    internal bool IsTaken { get; set; }

    /// <summary>That application would not have it. Set before it says so.</summary>
    internal bool IsRefused { get; set; }

    /// <summary>The sender cancelled it, and was told so.</summary>
    internal bool WasCancelled { get; set; }

    internal bool WasToldTransfer { get; set; }

    internal bool WasToldTake { get; set; }

    /// <summary>Too short to carry a number.</summary>
    internal bool IsTiny => length < LaneContent.NumberBytes;

    /// <summary>Something its sender asked for may end it before it is received.</summary>
    internal bool MayBeGivenUp
        => options.ReceiveTimeout > TimeSpan.Zero || options.MaxAttempts > 0 || WasCancelled;

    /// <summary>Nothing about it can change any more, and all that was asked for was told.</summary>
    internal bool IsSettled
        => IsEnd(Receipt.Transfer) && IsEnd(Receipt.Take)
            && (!options.NotifyReceived || WasToldTransfer) && (!options.NotifyTaken || WasToldTake);

    internal static bool IsEnd(TransferState state) => state is not (TransferState.Queued or TransferState.Sent);

    internal static bool IsEnd(TakeState state) => state != TakeState.Pending;

    public override string ToString()
        => $"message {index} of lane {options.Lane} ({mode}, {length} bytes, {Receipt.Transfer}/{Receipt.Take}, asked "
            + $"{(options.NotifyReceived ? "r" : "")}{(options.NotifyTaken ? "t" : "")}, told "
            + $"{(WasToldTransfer ? "r" : "")}{(WasToldTake ? "t" : "")}, "
            + $"time-outs {options.ReceiveTimeout.TotalMilliseconds:0}/{options.TakeTimeout.TotalMilliseconds:0} ms, "
            + $"attempts {options.MaxAttempts}, cancelled {WasCancelled}, arrived {HasArrived}, taken {IsTaken}, "
            + $"refused {IsRefused}, id {Id.Incarnation}/{Id.Value})";
}
