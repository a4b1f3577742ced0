namespace Gudp.Messaging;

/// <summary>
/// How one message is sent. <c>default</c>: ordered and reliable on lane 1, nothing to be notified of.
/// </summary>
public readonly record struct SendOptions
{
    /// <summary>The lane of <c>default(SendOptions)</c>.</summary>
    public const int DefaultLane = 1;

    // The deviation is stored, because a struct's initialisers do not run for default(SendOptions).
    private readonly int _lanesAboveDefault;

    /// <summary>
    /// The ordered lane; messages of one lane arrive in order, lanes do not wait for each other. Default 1; 0 is the
    /// control lane, which goes before the others and has credit of its own; 2 belongs to unreliable messages; up to
    /// <see cref="MessagingConfig.Lanes"/> - 1. Without meaning for <see cref="Delivery.Unreliable"/>.
    /// </summary>
    public int Lane
    {
        get => _lanesAboveDefault + DefaultLane;
        init => _lanesAboveDefault = value - DefaultLane;
    }

    /// <summary>What is promised. Default <see cref="Delivery.OrderedReliable"/>.</summary>
    public Delivery Delivery { get; init; }

    /// <summary>
    /// An update when the peer's library has the whole message (M1). Only ordered messages; each asked update must be
    /// fetched with <see cref="Peer.TakeUpdates"/>, at most 4096 of a lane wait.
    /// </summary>
    public bool NotifyReceived { get; init; }

    /// <summary>An update when the peer's application took or refused the message (M2). As above.</summary>
    public bool NotifyTaken { get; init; }
}
