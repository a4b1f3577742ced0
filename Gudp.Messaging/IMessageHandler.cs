using System;

namespace Gudp.Messaging;

/// <summary>Takes messages in place, on the thread that calls <see cref="Peer.Poll"/>.</summary>
public interface IMessageHandler
{
    /// <summary>
    /// The next message. It counts as taken when this method returns; if it throws, the message stays.
    /// </summary>
    /// <param name="from">Who sent it.</param>
    /// <param name="lane">The lane it came on.</param>
    /// <param name="message">Valid until the method returns.</param>
    void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message);
}
