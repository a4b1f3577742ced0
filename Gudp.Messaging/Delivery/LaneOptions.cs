namespace Gudp.Messaging;

/// <summary>How one lane carries what this end sends on it. <c>default</c>: ordered reliable, middle priority.</summary>
public readonly record struct LaneOptions
{
    /// <summary>The weight of <c>default(LaneOptions)</c>.</summary>
    public const int DefaultWeight = 1;

    private readonly int _weightAboveDefault;

    /// <summary>What is promised about the lane's messages.</summary>
    public LaneMode Mode { get; init; }

    /// <summary>
    /// Lanes of a higher priority go first: a lower one sends only what the higher ones leave. -128 to 127, default 0.
    /// </summary>
    public int Priority { get; init; }

    /// <summary>
    /// Among lanes of one priority that all have something to send, each gets bytes in proportion to its weight. 1 to
    /// 255, default 1.
    /// </summary>
    public int Weight
    {
        get => _weightAboveDefault + DefaultWeight;
        init => _weightAboveDefault = value - DefaultWeight;
    }

    /// <summary>
    /// How often a message of at most a quarter of a packet is sent again, each time in a later packet, before anything
    /// is known lost: lower latency under loss for more bytes. 0 to 3, default 0.
    /// </summary>
    /// <remarks>
    /// A repeat rides in the packet of a next message if those come every 22 ms or more often, else in one of its own
    /// after 5 ms; it goes behind new content and is dropped while the congestion window has no room for it. Each one
    /// costs the message's bytes once more. At 60 messages a second one repeat is enough up to 2 % loss (99 % there a
    /// tick later than the path's time at most), two up to 10 %; above that, retransmissions decide. D-11.3.
    /// </remarks>
    public int Repeats { get; init; }

    /// <summary>What happens to a message for which the lane has no room.</summary>
    public FullPolicy WhenFull { get; init; }
}

/// <summary>What a full lane does with one more message (security rules R2 and R3).</summary>
public enum FullPolicy : byte
{
    /// <summary>The send is refused, and says which limit was met. The only one that loses nothing.</summary>
    Refuse = 0,

    /// <summary>The oldest waiting message that was never transmitted is given up. Unreliable modes only.</summary>
    DropOldest = 1,

    /// <summary>The new message is accepted and given up at once. Unreliable modes only.</summary>
    DropNewest = 2,

    /// <summary>The peer is too slow: the connection ends.</summary>
    Disconnect = 3,
}
