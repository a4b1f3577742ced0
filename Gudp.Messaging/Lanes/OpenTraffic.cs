namespace Gudp.Messaging.Lanes;

/// <summary>Messages of one or more lanes that have no end yet, summed up (D-13.4).</summary>
internal struct OpenTraffic
{
    /// <summary>Accepted, and not wholly transmitted.</summary>
    internal long UntransmittedMessages;
    internal long UntransmittedBytes;

    /// <summary>Transmitted, and not known to be received.</summary>
    internal long UnconfirmedMessages;
    internal long UnconfirmedBytes;

    /// <summary>Received, and asked, and not known to be taken or refused.</summary>
    internal long UntakenMessages;

    internal void Add(in OpenTraffic other)
    {
        UntransmittedMessages += other.UntransmittedMessages;
        UntransmittedBytes += other.UntransmittedBytes;
        UnconfirmedMessages += other.UnconfirmedMessages;
        UnconfirmedBytes += other.UnconfirmedBytes;
        UntakenMessages += other.UntakenMessages;
    }

    internal readonly bool IsEmpty => UntransmittedMessages + UnconfirmedMessages + UntakenMessages == 0
        && UntransmittedBytes + UnconfirmedBytes == 0;
}
