namespace Gudp.Core;

/// <summary>
/// How full a connection's send queue is, as a coarse working level of the status word (S-8.3). Each level is worse
/// than the one before it. A level is left further down than it was entered, so that one packet does not make it
/// flicker.
/// </summary>
public enum SendQueueLevel : byte
{
    /// <summary>Below half of its limits; after a higher level, below a quarter.</summary>
    Clear = 0,

    /// <summary>Half of a limit is used; after Full, less than three quarters.</summary>
    Busy = 1,

    /// <summary>Seven eighths of a limit are used: sends are, or soon will be, refused.</summary>
    Full = 2,
}

/// <summary>The one place that turns a share of the limits into a level (S-8.3).</summary>
internal static class SendQueueRule
{
    internal const int WholePermille = 1000;

    private const int BusyFrom = 500;
    private const int FullFrom = 875;
    private const int FullUntil = 750;
    private const int BusyUntil = 250;

    /// <param name="before">The level so far.</param>
    /// <param name="filledPermille">The share of the limit that is nearest, 0 to 1000.</param>
    internal static SendQueueLevel Next(SendQueueLevel before, int filledPermille) => filledPermille switch
    {
        >= FullFrom => SendQueueLevel.Full,
        >= FullUntil when before == SendQueueLevel.Full => SendQueueLevel.Full,
        >= BusyFrom => SendQueueLevel.Busy,
        >= BusyUntil when before != SendQueueLevel.Clear => SendQueueLevel.Busy,
        _ => SendQueueLevel.Clear,
    };
}
