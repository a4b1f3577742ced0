using System;
using System.Threading;

namespace Gudp.Messaging;

/// <summary>
/// How one message is sent. <c>default</c>: on lane 1, which is ordered and reliable unless the config says otherwise;
/// nothing to be told of, never given up.
/// </summary>
public readonly record struct SendOptions
{
    /// <summary>The lane of <c>default(SendOptions)</c>.</summary>
    public const int DefaultLane = 1;

    /// <summary>The lane that is unreliable unless the config says otherwise.</summary>
    public const int UnreliableLane = 2;

    // The deviation is stored, because a struct's initialisers do not run for default(SendOptions).
    private readonly int _lanesAboveDefault;
    private readonly TimeSpan _receiveTimeout;
    private readonly TimeSpan _takeTimeout;
    private readonly byte _maxAttempts;

    /// <summary>On lane 2, with nothing to be told of.</summary>
    public static SendOptions Unreliable => new() { Lane = UnreliableLane };

    /// <summary>
    /// The lane, whose mode says what is promised (<see cref="LaneMode"/>). Lanes do not wait for each other. Default 1;
    /// 0 is the control lane, which goes before the others and has credit of its own; up to
    /// <see cref="MessagingConfig.Lanes"/> - 1.
    /// </summary>
    public int Lane
    {
        get => _lanesAboveDefault + DefaultLane;
        init => _lanesAboveDefault = value - DefaultLane;
    }

    /// <summary>
    /// An update when the peer's library has the whole message (M1). Each asked update must be fetched with
    /// <see cref="Peer.TakeUpdates"/>, at most 4096 of a lane wait.
    /// </summary>
    public bool NotifyReceived { get; init; }

    /// <summary>An update when the peer's application took or refused the message (M2). As above.</summary>
    public bool NotifyTaken { get; init; }

    /// <summary>
    /// Time to live: after it a message that the peer's library is not known to have is given up, no part of it is
    /// transmitted again, and its transfer is <see cref="TransferState.Expired"/> (M4). Zero, the default: never.
    /// Counted from the turn after the send, also while the peer is still dialled; exact to a turn.
    /// <see cref="Timeout.InfiniteTimeSpan"/> is never, too.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Any other negative time.</exception>
    public TimeSpan ReceiveTimeout
    {
        get => _receiveTimeout;
        init => _receiveTimeout = Checked(value);
    }

    /// <summary>
    /// With <see cref="NotifyTaken"/>: how long to wait for the peer's application; after it the take state is
    /// <see cref="TakeState.Expired"/> (M4). The message itself is not called back. Zero, the default, and
    /// <see cref="Timeout.InfiniteTimeSpan"/>: for ever. Counted as above.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Any other negative time.</exception>
    public TimeSpan TakeTimeout
    {
        get => _takeTimeout;
        init => _takeTimeout = Checked(value);
    }

    /// <summary>
    /// Most transmissions of any part of the message; when that many were lost it is given up as above. 0, the default:
    /// as many as it takes, on the unreliable modes one. At most 255.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Below 0 or above 255.</exception>
    public int MaxAttempts
    {
        get => _maxAttempts;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, byte.MaxValue);
            _maxAttempts = (byte)value;
        }
    }

    private static TimeSpan Checked(TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
        {
            return TimeSpan.Zero;
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(timeout, TimeSpan.Zero);
        return timeout;
    }
}
