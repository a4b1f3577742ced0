using System.Collections.Generic;

namespace Gudp.Core.Loop;

// Timers of the layers above, one for an endpoint at most: they belong to no connection, and outlast each of them.
internal sealed partial class EventLoop
{
    private readonly List<IPayloadTimer> _timers = [];

    private Instant NextTimer()
    {
        Instant next = Instant.Never;

        foreach (IPayloadTimer timer in _timers)
        {
            next = Instant.Earlier(next, timer.NextDeadline);
        }

        return next;
    }

    private void KeepTimer(EndpointDriver endpoint)
    {
        if (endpoint.Timer is { } timer)
        {
            _timers.Add(timer);
        }
    }

    private void DropTimer(EndpointDriver endpoint)
    {
        if (endpoint.Timer is { } timer)
        {
            _timers.Remove(timer);
        }
    }

    private int FireTimers(Instant now)
    {
        int fired = 0;

        for (int i = 0; i < _timers.Count; i++)
        {
            if (_timers[i].NextDeadline <= now)
            {
                _timers[i].HandleTimeout(now);
                fired++;
            }
        }

        return fired;
    }
}
