using Gudp.Core.Congestion;

namespace Gudp.Core.Engine;

/// <summary>What became of a packet number.</summary>
internal enum PacketFate : byte
{
    /// <summary>In flight: neither acknowledged nor declared lost.</summary>
    Open = 0,

    /// <summary>Acknowledged, in time or late.</summary>
    Acked,

    /// <summary>Declared lost. It may still be acknowledged late, which shows that the declaration was wrong.</summary>
    Lost,

    /// <summary>Asked for no acknowledgement: it counted as settled when it left.</summary>
    Unwatched,

    /// <summary>Left out on purpose: whoever acknowledges this number did not receive it.</summary>
    Skipped,
}

/// <summary>What is remembered about a packet from leaving until its slot is used again.</summary>
internal record struct SentPacket
{
    public SentPacket()
    {
    }

    /// <summary>Its number; given by the ring.</summary>
    internal long Number { readonly get; set; }

    /// <summary>When it was handed to the socket.</summary>
    internal Instant SentAt { readonly get; init; }

    /// <summary>
    /// The largest number its Ack frame covered, -1 if it carried none: when it arrives, the peer knows these
    /// acknowledgements and they need not be repeated (RFC 9000 section 13.2.4).
    /// </summary>
    internal long LargestAckedInIt { readonly get; init; } = -1;

    /// <summary>Length of the datagram.</summary>
    internal int Bytes { readonly get; init; }

    /// <summary>What congestion control counts of it.</summary>
    internal readonly int CountedBytes => IsSizeProbe ? 0 : Bytes;

    /// <summary>The peer must acknowledge it.</summary>
    internal bool IsAckEliciting { readonly get; init; }

    /// <summary>It carries frames of the layer above, which hears its fate once.</summary>
    internal bool HasPayload { readonly get; init; }

    /// <summary>
    /// It only asks whether the path carries its size (P-9.2, P-5.7): neither in flight nor acked nor lost for the
    /// congestion controller.
    /// </summary>
    internal bool IsSizeProbe { readonly get; init; }

    /// <summary>Its content was offered once more without waiting for its fate.</summary>
    internal bool IsOverdueOffered { readonly get; set; }

    /// <summary>When it left, the window was larger than what there was to send.</summary>
    internal bool ApplicationLimited { readonly get; init; }

    /// <summary>What tells a delivery rate when it is acknowledged.</summary>
    internal DeliveryMark Mark { readonly get; init; }

    /// <summary>Given by the ring.</summary>
    internal PacketFate Fate { readonly get; set; }
}
