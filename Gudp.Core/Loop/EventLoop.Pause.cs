using System;
using Gudp.Core.Engine;

namespace Gudp.Core.Loop;

// A debugger, a suspended machine or a long collection stops this process without its knowing. The next turn sees it by
// its deadlines alone, which it comes to far too late; so the same moments give the same run, in the simulator too.
internal sealed partial class EventLoop
{
    /// <summary>A turn later than this after its earliest deadline has been kept from running (S-9.1).</summary>
    internal static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(200);

    /// <summary>A turn that takes longer keeps all connections waiting for one of them.</summary>
    internal static readonly TimeSpan LongTurn = TimeSpan.FromMilliseconds(100);

    // More than the largest socket buffers hold; a flood that refills them as fast as they are read must not hold the
    // turn for ever.
    private const int DrainDatagrams = 65_536;

    /// <summary>S-9.2: before any timer is judged, grace for the peers and everything read that waits.</summary>
    /// <returns>Datagrams received; 0 if this turn is on time.</returns>
    private int RecoverFromOwnPause(Instant now)
    {
        if (_deadlines.Next.IsNever || now <= _deadlines.Next + LeastPause)
        {
            return 0;
        }

        _counters.OwnPauses++;

        foreach (EndpointDriver endpoint in _endpoints)
        {
            foreach (ConnectionEngine connection in endpoint.Engine.Connections)
            {
                connection.HandleOwnPause(now);
            }
        }

        int received = 0;

        while (received < DrainDatagrams)
        {
            int taken = ReceiveDatagrams(now);
            received += taken;

            if (taken < _budgets.ReceiveDatagrams)
            {
                break;
            }
        }

        return received;
    }

    /// <summary>Who leads says when the turn was over.</summary>
    internal void NoteTurnEnd(Instant now)
    {
        if (now - _lastTurn > LongTurn)
        {
            _counters.LongTurns++;
        }
    }
}
