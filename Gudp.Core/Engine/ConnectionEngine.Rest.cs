using System;

namespace Gudp.Core.Engine;

// What a connection grew to goes back when no content went or came for a while. One deadline, set by the first content after
// a rest and looked at again when it has come, so that a busy connection pays a store and a comparison per packet, and an
// idle one nothing. Who speaks more often than that keeps what it has: nothing is given back to be taken again at once.
internal sealed partial class ConnectionEngine
{
    private static readonly TimeSpan RestsAfter = TimeSpan.FromSeconds(5);

    private Instant _busyAt;

    private void NoteBusy(Instant now)
    {
        _busyAt = now;

        if (_timers.Of(TimerKind.Rest).IsNever)
        {
            _timers.Set(TimerKind.Rest, now + RestsAfter);
        }
    }

    private void HandleRestTimer(Instant now)
    {
        if (now - _busyAt < RestsAfter)
        {
            _timers.Set(TimerKind.Rest, _busyAt + RestsAfter);
            return;
        }

        _sent.Rest();
        _received.Rest();
        _payload.HandleRest(now);
    }
}
