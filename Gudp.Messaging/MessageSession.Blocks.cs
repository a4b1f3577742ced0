using System.Collections.Generic;
using System.Threading;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging;

/// <content>Who owns the peer's memory: the other side of what was lent and not returned.</content>
internal sealed partial class MessageSession
{
    private int _heldOut;
    private HashSet<long>? _claimsOut;      // made with the first claim in a block of its own
    private long _lastClaim;

    /// <summary>
    /// Owners of blocks, counted anew: lanes, messages that the application holds, claims in blocks of their own. Equal
    /// to <see cref="Memory.MessageMemory.Blocks"/> at all times; to be asked while no other thread is inside.
    /// </summary>
    internal int BlocksOwned
    {
        get
        {
            int blocks = Volatile.Read(ref _heldOut) + (Volatile.Read(ref _claimsOut)?.Count ?? 0);

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

    /// <summary>Any thread. The application holds messages of it.</summary>
    internal bool IsHeldFrom => Volatile.Read(ref _heldOut) != 0;

    /// <summary>Any thread. A claim is handed out; one in a block of its own gets a number, others have 0.</summary>
    internal long BeginClaim(in LaneClaim claim)
    {
        if (claim.Block is null)
        {
            return 0;
        }

        HashSet<long> claims = Volatile.Read(ref _claimsOut)
            ?? Interlocked.CompareExchange(ref _claimsOut, [], null) ?? _claimsOut;

        lock (claims)
        {
            claims.Add(++_lastClaim);
            return _lastClaim;
        }
    }

    /// <summary>
    /// Any thread. A claim is over. A copy of it must not give the block away again: another message may lie there.
    /// </summary>
    /// <returns>False if it was over already.</returns>
    internal bool TryEndClaim(long number)
    {
        if (number == 0)
        {
            return true;
        }

        HashSet<long> claims = Volatile.Read(ref _claimsOut)!;

        lock (claims)
        {
            return claims.Remove(number);
        }
    }
}
