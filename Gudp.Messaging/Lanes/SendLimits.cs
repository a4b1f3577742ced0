namespace Gudp.Messaging.Lanes;

/// <summary>What bounds a sending lane at this end.</summary>
/// <param name="RingBytes">Bytes of messages that wait or are in flight; a power of two.</param>
/// <param name="LargestMessage">Bytes of one message.</param>
internal readonly record struct SendLimits(int RingBytes, int LargestMessage);
