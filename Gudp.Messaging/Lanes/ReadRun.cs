namespace Gudp.Messaging.Lanes;

/// <summary>What one call has handed out, counted when it ends.</summary>
internal struct ReadRun
{
    internal int Messages { get; private set; }

    /// <summary>Of the messages, without their headers.</summary>
    internal long Bytes { get; private set; }

    internal void Count(int bytes)
    {
        Messages++;
        Bytes += bytes;
    }
}
