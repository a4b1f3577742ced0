using System;
using Gudp.Core;

namespace Gudp.Messaging;

/// <summary>
/// A message was refused, and waiting would not help: thrown by <see cref="Peer.SendAsync"/>, and by
/// <see cref="MessageBuffer"/> where it cannot lend what an encoder asks for.
/// </summary>
public sealed class MessageRefusedException : Exception
{
    internal MessageRefusedException(SendStatus status, int bytes, int lane)
        : base($"A message of {bytes} bytes on lane {lane} was refused ({status}): {LimitOf(status)}.")
    {
        Status = status;
        Limit = LimitOf(status);
    }

    internal MessageRefusedException(SendStatus status, int bytes)
        : base($"A message of {bytes} bytes was refused while it was written ({status}): {LimitOf(status)}.")
    {
        Status = status;
        Limit = LimitOf(status);
    }

    /// <summary>
    /// Why: <see cref="SendStatus.Closed"/>, <see cref="SendStatus.TooLarge"/>, or <see cref="SendStatus.NotOpen"/> on a
    /// lane that the peer does not have; for a <see cref="MessageBuffer"/> <see cref="SendStatus.TooLarge"/> or
    /// <see cref="SendStatus.DaemonFull"/>.
    /// </summary>
    public SendStatus Status { get; }

    /// <summary>The limit or the state that refused it, and where it is set.</summary>
    public string Limit { get; }

    private static string LimitOf(SendStatus status) => status switch
    {
        SendStatus.TooLarge =>
            "longer than MessagingConfig.MaxMessageBytes of this end or of the peer, or than an unreliable message may be",
        SendStatus.NotOpen => "the peer's MessagingConfig.Lanes does not reach this lane",
        SendStatus.Closed => "the connection is final; Peer.CloseReason says why",
        SendStatus.DaemonFull => "MessagingConfig.EndpointMemoryBytes is used up",
        _ => "refused for now",
    };
}
