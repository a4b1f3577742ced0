namespace Gudp.Messaging.Lanes;

/// <content>What it holds of the peer's memory, counted anew.</content>
internal sealed partial class MessageReceiveLane
{
    /// <inheritdoc/>
    internal override int BlocksHeld
    {
        get
        {
            int blocks = _spare.Count + _done.Count + _partialCount + (_hasInHand && _inHand.Block.Length > 0 ? 1 : 0);

            for (int i = 0; i < _stagedCount; i++)
            {
                blocks += _staged[i].Block is null ? 0 : 1;
            }

            lock (_queueGate)
            {
                return blocks + (int)WaitingCount;
            }
        }
    }
}
