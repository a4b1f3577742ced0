using Gudp.Messaging.Memory;
using Gudp.Messaging.Status;

namespace Gudp.Messaging.Lanes;

/// <summary>What a sending lane shares with the rest of its session.</summary>
/// <param name="Memory">Lends blocks.</param>
/// <param name="Peer">What the peer allows.</param>
/// <param name="Tally">Counts the lane's messages.</param>
internal readonly record struct SendLedgers(MessageMemory Memory, PeerTerms Peer, MessageTally Tally);
