using System;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Lanes;
using Gudp.Messaging.Status;

namespace Gudp.Messaging;

/// <content>Slow consumers: whether what arrived is read, and what is to be sent gets credit (D-13.3).</content>
internal sealed partial class MessageSession
{
    private const int LastStage = 10;

    private readonly SlowWatch _reading;
    private readonly SlowWatch _sending;
    private SlowConsumerReport? _slowReader;
    private SlowConsumerReport? _slowPeer;
    private long _slowStages;
    private bool _hasWritten;

    /// <summary>Any thread. Who is slow; null if nobody is, or was when one last looked.</summary>
    internal SlowConsumerReport? SlowConsumer
        => HasEnded ? null : Volatile.Read(ref _slowReader) ?? Volatile.Read(ref _slowPeer);

    private Instant NextSlowLook => Instant.Earlier(_reading.NextLook, _sending.NextLook);

    // Before the turn's flags are taken back. Begins to watch; looking itself is up to deadlines.
    private void WatchConsumers(Instant now)
    {
        if (_reading.IsOff)
        {
            return;
        }

        // What a sink is handed is read at once.
        if (_hasArrived && _sink is null && !_reading.IsRunning)
        {
            MarkUnread();
            _reading.Restart(now);
        }

        if (_hasWritten && !_sending.IsRunning)
        {
            MarkHeld();
            _sending.Restart(now);
        }

        _hasWritten = false;
    }

    private void LookAtConsumers(Instant now)
    {
        if (now >= _reading.NextLook)
        {
            LookAtReader(now);
        }

        if (now >= _sending.NextLook)
        {
            LookAtPeer(now);
        }
    }

    private void LookAtReader(Instant now)
    {
        for (int number = _receiveLanesInUse.Next(0); number >= 0; number = _receiveLanesInUse.Next(number + 1))
        {
            ReceiveLane lane = _receiveLanes[number]!;

            if (!_reading.IsPast(number, lane.ReadPosition) && lane.IsMessageWaiting())
            {
                TellIfSlow(_reading, SlowParty.ThisApplication, number, lane.UnreadBytes, now);
                return;
            }
        }

        Volatile.Write(ref _slowReader, null);

        if (!HasUnreadNow())
        {
            _reading.Stop();
            return;
        }

        MarkUnread();
        _reading.Restart(now);
    }

    private void LookAtPeer(Instant now)
    {
        for (int number = _sendLanesInUse.Next(0); number >= 0; number = _sendLanesInUse.Next(number + 1))
        {
            SendLane lane = SendLaneAt(number);

            if (IsHeld(lane) && !_sending.IsPast(number, lane.Progress))
            {
                TellIfSlow(_sending, SlowParty.PeerApplication, number, lane.WaitingBytes, now);
                return;
            }
        }

        Volatile.Write(ref _slowPeer, null);

        if (IsFlushed())
        {
            _sending.Stop();
            return;
        }

        MarkHeld();
        _sending.Restart(now);
    }

    private void TellIfSlow(SlowWatch watch, SlowParty who, int lane, long bytes, Instant now)
    {
        if (!watch.Escalate(now))
        {
            return;
        }

        SlowConsumerReport report = new(who, lane, watch.Stage, watch.WaitedAt(now), bytes);
        Volatile.Write(ref who == SlowParty.ThisApplication ? ref _slowReader : ref _slowPeer, report);
        Volatile.Write(ref _slowStages, _slowStages + 1);
        SignalChange();
        _sink?.HandlePeer(Peer, PeerChange.Slow, now);

        if (watch.Stage == LastStage && _config.WhenSlow == SlowPolicy.Disconnect)
        {
            Close(new CloseReason(CloseCode.SlowConsumer, report.ToString()));
        }
    }

    private bool HasUnreadNow()
    {
        bool unread = false;

        for (int lane = _receiveLanesInUse.Next(0); lane >= 0 && !unread; lane = _receiveLanesInUse.Next(lane + 1))
        {
            unread = _receiveLanes[lane]!.HasUnread;
        }

        return unread;
    }

    private void MarkUnread()
    {
        for (int lane = _receiveLanesInUse.Next(0); lane >= 0; lane = _receiveLanesInUse.Next(lane + 1))
        {
            _reading.Mark(lane, _receiveLanes[lane]!.ArrivedPosition);
        }
    }

    private bool IsHeld(SendLane lane) => lane.IsHeldByPeer || _schedule.IsHeldByConnection(lane.Number);

    // A lane that is not held now has not waited for credit since now.
    private void MarkHeld()
    {
        for (int number = _sendLanesInUse.Next(0); number >= 0; number = _sendLanesInUse.Next(number + 1))
        {
            SendLane lane = SendLaneAt(number);
            _sending.Mark(number, IsHeld(lane) ? lane.Progress + 1 : 0);
        }
    }
}
