using System;
using System.Collections.Generic;
using Gudp.Core.Engine;
using Gudp.Core.Sockets;

namespace Gudp.Core.Loop;

/// <summary>
/// The end of a daemon: commands still run, then every connection flushes and says goodbye, and what is left is written
/// down. The calling thread leads; nobody else may.
/// </summary>
internal sealed class LastTurns
{
    // Once nothing is waited for any more, turns without an end would be a bug.
    private const int TurnsWithoutWaiting = 10_000;

    private readonly EventLoop _loop;
    private readonly IDatagramNetwork _network;
    private readonly LoopClock _clock;
    private readonly List<ConnectionEngine> _connections = [];
    private bool _isCutShort;

    internal LastTurns(EventLoop loop, IDatagramNetwork network, LoopClock clock)
    {
        _loop = loop;
        _network = network;
        _clock = clock;
    }

    /// <summary>Runs the last turns, at most until the limit has passed.</summary>
    /// <param name="limit">How long to wait for acknowledgements; zero only says goodbye.</param>
    internal void Run(TimeSpan limit)
    {
        Instant start = _clock.Now;
        Instant giveUpAt = start + limit;

        // Commands first: what was asked for before the end still counts.
        _loop.Turn(start);
        NoteConnections();
        _loop.CloseAll(CloseReason.ByApplication, giveUpAt, start);

        for (int left = TurnsWithoutWaiting; left > 0 && _loop.HasUnsaidGoodbyes();)
        {
            Instant now = _clock.Now;

            if (now >= giveUpAt)
            {
                _isCutShort = true;
                _loop.SayGoodbyes(now);
                left--;
            }

            if (_loop.Turn(now) == 0 && now < giveUpAt)
            {
                Instant next = Instant.Earlier(_loop.NextDeadline(now), giveUpAt);
                _network.Wait(next > now ? next - now : TimeSpan.Zero);
            }
        }
    }

    /// <summary>After the last turn, or in place of it: who is there now is reported on.</summary>
    internal void NoteConnections()
    {
        if (_connections.Count == 0)
        {
            _loop.AddConnectionsTo(_connections);
        }
    }

    /// <summary>Once every connection has ended.</summary>
    /// <param name="isDriven">False in manual mode: nobody drives the daemon while it ends.</param>
    internal DrainReport Report(bool isDriven)
    {
        List<UndeliveredTraffic> undelivered = [];

        foreach (ConnectionEngine connection in _connections)
        {
            Leftover left = connection.Leftover;

            if (!left.IsEmpty)
            {
                undelivered.Add(new UndeliveredTraffic(
                    connection.RemoteAddress,
                    left.Queued.Bytes,
                    left.Queued.Packets,
                    left.BytesInFlight,
                    left.PacketsInFlight,
                    CauseOf(connection.Owner.StatusWord.Read(), isDriven),
                    connection.Owner.StatusWord.Read().Reasons));
            }
        }

        return undelivered.Count == 0 ? DrainReport.Nothing : new DrainReport(undelivered);
    }

    private UndeliveredCause CauseOf(ConnectionStatus status, bool isDriven)
    {
        if (!status.WasOpen)
        {
            return UndeliveredCause.NeverOpened;
        }

        bool isCutByUs = _isCutShort && status.Reasons == FinalReasons.ClosedLocally;
        return !isCutByUs ? UndeliveredCause.ConnectionEnded
            : isDriven ? UndeliveredCause.DeadlineReached
            : UndeliveredCause.NotDriven;
    }
}
