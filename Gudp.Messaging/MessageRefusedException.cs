using System;
using Gudp.Core;

namespace Gudp.Messaging;

/// <summary>A message was not queued, and waiting would not change that. Thrown only by the asynchronous sends.</summary>
public sealed class MessageRefusedException : Exception
{
    internal MessageRefusedException(SendStatus status, int bytes, int lane)
        : base($"A message of {bytes} bytes on lane {lane} was refused ({status}): {LimitOf(status)}.")
    {
        Status = status;
        Limit = LimitOf(status);
    }

    /// <summary>
    /// Why: <see cref="SendStatus.Closed"/>, <see cref="SendStatus.TooLarge"/>, or <see cref="SendStatus.NotOpen"/> on a
    /// lane that the peer does not have.
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
        _ => "refused for now",
    };
}
