using System.Threading;

namespace Gudp.Messaging.Lanes;

/// <content>What it holds of the peer's memory, counted anew.</content>
internal sealed partial class OrderedSendLane
{
    /// <inheritdoc/>
    internal override int BlocksHeld
    {
        get
        {
            lock (_gate)
            {
                int blocks = (_ring is null ? 0 : 1) + (_retired is null ? 0 : 1) + (_batch is null ? 0 : 1);

                for (long i = Volatile.Read(ref _oldestLarge); i < _nextLarge; i++)
                {
                    blocks += LargeAt(i).IsFree ? 0 : 1;
                }

                return blocks;
            }
        }
    }
}
