using System;

namespace Gudp.Core.Engine;

// What users see of a connection while it works: the levels of the status word and the forecast of the queue (S-8), all
// published once per turn.
internal sealed partial class ConnectionEngine
{
    // A heartbeat, its first probe and the two probes after it: by then one of them should have been answered.
    private const int ProbesUntilSilent = 3;

    private readonly QueueForecast _forecast = new();
    private SendQueueLevel _sendQueueLevel;

    /// <summary>What was queued and in flight when the payload layer heard of the end; empty before.</summary>
    internal Leftover Leftover { get; private set; }

    /// <summary>
    /// S-8.5: when the peer counts as silent. It must have been quiet for long enough that it was asked, and what asked
    /// it must have been out for three probe time-outs.
    /// </summary>
    private Instant SilentAt
    {
        get
        {
            if (_sent.OpenPackets == 0)
            {
                return Instant.Never;
            }

            Instant quiet = Instant.Later(_alive.LastReceived + _alive.HeartbeatStart, _resumedAt);
            Instant asked = Instant.Later(quiet, _sent.Peek(_sent.OldestUnsettled).SentAt);
            return asked + new TimeSpan(ProbesUntilSilent * _loss.ProbeTimeout.Ticks);
        }
    }

    /// <summary>S-8.1: all levels of the turn in one guarded exchange, and none if nothing changed.</summary>
    private void PublishLevels(in SendBacklog backlog, Instant now)
    {
        Instant silentAt = SilentAt;
        bool isSilent = silentAt <= now;
        _timers.Set(TimerKind.Silence, isSilent ? Instant.Never : silentAt);
        _sendQueueLevel = SendQueueRule.Next(_sendQueueLevel, backlog.FilledPermille);
        _status.TrySetLevels(new WorkingLevels(
            Level, _sendQueueLevel, IsPathValidated, IsPacketSizeReduced, isSilent));
    }

    /// <summary>S-8.7. A queue's bytes get the headers of the packets they will leave in.</summary>
    private void PublishForecast(in SendBacklog backlog, Instant now)
    {
        TimeSpan roundTrip = _rtt.HasSample ? _rtt.Smoothed : _config.Loss.FirstRoundTrip;
        _forecast.OnTurnEnd(backlog.Bytes > 0, roundTrip, now);

        QueueFacts facts = new(
            (backlog.Bytes * PacketBytes / MaxFrameBytes) + PacketBytes,
            WindowBytes - _sent.BytesInFlight,
            _pacer.Allowance(now),
            IsPaced ? _pacer.BytesPerSecond : 0,
            Math.Max(1, WindowBytes * TimeSpan.TicksPerSecond / Math.Max(1, roundTrip.Ticks)));
        _counters.QueueDelay = _forecast.Delay(facts);
    }

    /// <summary>Before the layer forgets what it holds.</summary>
    private void NoteLeftover()
    {
        Leftover = new Leftover(_payload.BacklogAtEnd, _sent.BytesInFlight, _sent.OpenPackets);
        _counters.QueueDelay = TimeSpan.Zero;
    }
}

/// <summary>What an ended connection had not brought to its peer.</summary>
/// <param name="Queued">Accepted and never sent.</param>
/// <param name="BytesInFlight">Sent and not acknowledged, bytes of UDP payload.</param>
/// <param name="PacketsInFlight">Packets of them.</param>
internal readonly record struct Leftover(SendBacklog Queued, int BytesInFlight, int PacketsInFlight)
{
    internal bool IsEmpty => Queued.Bytes == 0 && Queued.Packets == 0 && PacketsInFlight == 0;
}
