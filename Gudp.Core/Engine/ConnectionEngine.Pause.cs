using System;

namespace Gudp.Core.Engine;

// After a long stop of our own the peer's answers may still lie in the socket, or may have been lost because we did not
// read, or the peer stood still as well (S-9.5: if it gave us up meanwhile, nothing can be done). So nothing that ran
// out meanwhile is held against it: it gets the time it would have had to answer (S-9.2).
//
// Always true (S-9.4): what was put off once is judged the next time, however late that is. A daemon that is always
// late, such as one driven a few times a second, would otherwise never find anybody dead.
internal sealed partial class ConnectionEngine
{
    // The verdict "dead" cannot be taken back: a lost heartbeat and a lost probe must have their time too.
    private const int ProbesBeforeVerdict = 3;

    private Instant _resumedAt;
    private Instant _idlePutOffTo = Instant.Never;
    private Instant _closePutOffTo = Instant.Never;

    /// <summary>This process stood still until now. Before any datagram or timer of the turn is looked at.</summary>
    internal void HandleOwnPause(Instant now)
    {
        if (_state is ConnectionState.Idle or ConnectionState.Ended)
        {
            return;
        }

        TimeSpan grace = _loss.ProbeTimeout;
        _resumedAt = now;
        PutOff(TimerKind.Idle, now, now + (ProbesBeforeVerdict * grace), ref _idlePutOffTo);

        if (_state == ConnectionState.Flushing)
        {
            PutOff(TimerKind.Close, now, now + (ProbesBeforeVerdict * grace), ref _closePutOffTo);
        }

        Instant loss = _timers.Of(TimerKind.Loss);

        if (loss > now || loss != _loss.NotBefore)
        {
            _loss.NotBefore = now + grace;
            _timers.Set(TimerKind.Loss, Instant.Later(loss, _loss.NotBefore));
        }
    }

    /// <summary>S-9.3: an answer to what left before the pause has waited for us, so it measures nothing.</summary>
    private bool MeasuresRoundTrip(in SentPacket packet) => packet.SentAt >= _resumedAt;

    private void PutOff(TimerKind kind, Instant now, Instant until, ref Instant putOffTo)
    {
        Instant deadline = _timers.Of(kind);

        if (deadline <= now && deadline != putOffTo)
        {
            _timers.Set(kind, until);
            putOffTo = until;
        }
    }
}
