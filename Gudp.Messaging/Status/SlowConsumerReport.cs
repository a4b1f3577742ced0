using System;
using System.Globalization;

namespace Gudp.Messaging;

/// <summary>Whose application is slow.</summary>
public enum SlowParty
{
    /// <summary>This end's: it does not read what has arrived.</summary>
    ThisApplication,

    /// <summary>The peer's: it does not read, so there is no credit for what is to be sent.</summary>
    PeerApplication,
}

/// <summary>What is done about a slow consumer at ten times the limit (R11).</summary>
public enum SlowPolicy
{
    /// <summary>Nothing but what every stage does: it is counted and told.</summary>
    None,

    /// <summary>The connection ends with <see cref="Core.CloseCode.SlowConsumer"/>.</summary>
    Disconnect,
}

/// <summary>Who holds up the messages of a peer, where, and for how long (D-13.3).</summary>
/// <param name="Who">Whose application does not read.</param>
/// <param name="Lane">The lane on which it was found; there may be others.</param>
/// <param name="Stage">1, 3, 6 or 10: how many times <see cref="MessagingConfig.SlowConsumerLimit"/> it has lasted.</param>
/// <param name="Waited">How long the oldest message has waited at least.</param>
/// <param name="Bytes">How much waits on that lane.</param>
public sealed record SlowConsumerReport(SlowParty Who, int Lane, int Stage, TimeSpan Waited, long Bytes)
{
    /// <summary>
    /// A line for people: "lane 3: this application has not read for 3.0 s; 12000 bytes wait". Cold path.
    /// </summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"lane {Lane}: {(Who == SlowParty.ThisApplication ? "this application" : "the peer's application")} has not read "
            + $"for {Waited.TotalSeconds:0.0} s; {Bytes} bytes wait");
}
