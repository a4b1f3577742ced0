using System.Threading;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging;

/// <content>Who owns the peer's memory: the other side of what was lent and not returned.</content>
internal sealed partial class MessageSession
{
    private int _heldOut;
    private int _claimsOut;

    /// <summary>
    /// Owners of blocks, counted anew: lanes, messages that the application holds, claims in blocks of their own. Equal
    /// to <see cref="Memory.MessageMemory.Blocks"/> at all times; to be asked while no other thread is inside.
    /// </summary>
    internal int BlocksOwned
    {
        get
        {
            int blocks = Volatile.Read(ref _heldOut) + Volatile.Read(ref _claimsOut);

            foreach (SendLane? lane in _sendLanes)
            {
                blocks += lane?.BlocksHeld ?? 0;
            }

            foreach (ReceiveLane? lane in _receiveLanes)
            {
                blocks += lane?.BlocksHeld ?? 0;
            }

            return blocks;
        }
    }

    /// <summary>Any thread. A claim was handed out, or is over.</summary>
    internal void NoteClaim(in LaneClaim claim, bool isOver)
    {
        if (claim.Block is not null)
        {
            Interlocked.Add(ref _claimsOut, isOver ? -1 : 1);
        }
    }
}
