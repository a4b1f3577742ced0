namespace Gudp.Messaging.Lanes;

/// <content>What it holds of the peer's memory, counted anew.</content>
internal sealed partial class MessageSendLane
{
    /// <inheritdoc/>
    internal override int BlocksHeld
    {
        get
        {
            lock (_gate)
            {
                int blocks = _spare.Count;

                for (long id = _oldest; id < _next; id++)
                {
                    Payload payload = At(id).Payload;
                    blocks += payload.Shared is not null || payload.Bytes is { Length: > 0 } ? 1 : 0;
                }

                return blocks;
            }
        }
    }
}
