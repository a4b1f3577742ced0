using Gudp.Messaging.Status;

namespace Gudp.Messaging.Lanes;

/// <summary>Where a lane of messages counts what it receives.</summary>
/// <param name="Window">The connection's credit.</param>
/// <param name="Tally">The lane's counters.</param>
internal readonly record struct ReceiveLedgers(ReceiveWindow Window, MessageTally Tally);
