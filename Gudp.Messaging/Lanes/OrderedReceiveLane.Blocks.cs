namespace Gudp.Messaging.Lanes;

/// <content>What it holds of the peer's memory, counted anew.</content>
internal sealed partial class OrderedReceiveLane
{
    /// <inheritdoc/>
    internal override int BlocksHeld
        => (_ring is null ? 0 : 1) + (_spare is null ? 0 : 1) + (_largeBlock is null ? 0 : 1);
}
