namespace Gudp.Messaging.Lanes;

/// <summary>What a lane's receiver allows its peer.</summary>
/// <param name="UnreliableBytes">What a lane of an unreliable mode keeps unread or incomplete at most.</param>
/// <param name="LargestMessage">A longer one ends the connection.</param>
internal readonly record struct ReceiveLimits(int UnreliableBytes, int LargestMessage);
