using System;
using Gudp.Core.Engine;
using Gudp.Core.Sockets;

namespace Gudp.Core.Loop;

// The second step of a turn: what has arrived is taken and told to its connection.
//
// To ask a socket that holds nothing is most of what an idle turn costs. Whoever pumps a daemon without
// a pause is back at the next turn before that, so three questions wait for it then:
//   - the one that would only learn that a single datagram was the last. The next turn asks, and if there was another
//     one it reads all, as do the turns behind it for as long as there are several in each;
//   - the one before something that a user has just said is sent, if the turn before has asked;
//   - most of those at a socket that has long been quiet while another is busy.
// Each is bounded by time and by number, so that a clock that stands still keeps nobody from being asked. None of it
// where a thread of the daemon's own leads, in a pump that is driven now and then, after a pause, or while a stream is
// on, in which most questions bring something.
internal sealed partial class EventLoop
{
    private const int MostLeftOut = 3;
    private static readonly TimeSpan JustAsked = TimeSpan.FromMicroseconds(5);
    private static readonly TimeSpan AskedLately = TimeSpan.FromMicroseconds(10);
    private static readonly TimeSpan BusyFor = TimeSpan.FromMicroseconds(100);
    private static readonly TimeSpan QuietFrom = TimeSpan.FromMilliseconds(1);

    private bool _isPumpedFast;
    private bool _hasNews;
    private bool _mayHoldMore;      // a socket may hold something that the last turn did not ask for
    private bool _isLeftOut;
    private Instant _askedAt;
    private Instant _heardAt;
    private Instant _streamUntil;   // moved on by each run of datagrams that comes or leaves

    /// <summary>
    /// The caller of <see cref="Daemon.ProcessIO"/> drives the loop. False where the sockets are not the system's,
    /// so that simulated ones are asked at each turn. Leader.
    /// </summary>
    internal bool IsPumped
    {
        get;
        set => field = value && _readySockets is not null;
    }

    private bool LeavesOutAll(Instant now)
    {
        _mayHoldMore = false;

        if (_isPumpedFast && _hasNews && !_isLeftOut && now - _askedAt < JustAsked)
        {
            _isLeftOut = true;
            _mayHoldMore = true;
            return true;
        }

        _isLeftOut = false;
        _askedAt = now;
        return false;
    }

    private bool LeavesOut(EndpointDriver endpoint, Instant now)
    {
        bool leavesOut = _isPumpedFast && endpoint.TimesLeftOut < MostLeftOut && now - _heardAt < BusyFor
            && now - endpoint.HeardAt > QuietFrom && now - endpoint.AskedAt < AskedLately;

        if (leavesOut)
        {
            endpoint.TimesLeftOut++;
            return true;
        }

        endpoint.TimesLeftOut = 0;
        endpoint.AskedAt = now;
        return false;
    }

    private int ReceiveDatagrams(Instant now)
    {
        int received = 0;

        if (LeavesOutAll(now))
        {
            return 0;
        }

        if (_readySockets?.TakeReady(_readable) is { } ready and >= 0)
        {
            return ReceiveFromReady(ready, now);
        }

        // The first endpoint asked rotates, so that a flood at one does not starve the others.
        for (int i = 0; i < _endpoints.Count && received < _budgets.ReceiveDatagrams; i++)
        {
            EndpointDriver endpoint = _endpoints[(_firstEndpoint + i) % _endpoints.Count];
            received += LeavesOut(endpoint, now) ? 0 : ReceiveFrom(endpoint, _budgets.ReceiveDatagrams - received, now);
        }

        _firstEndpoint = _endpoints.Count == 0 ? 0 : (_firstEndpoint + 1) % _endpoints.Count;
        return received;
    }

    // Each in its turn: who is not read empty, or not reached, is told again behind the others.
    private int ReceiveFromReady(int ready, Instant now)
    {
        int received = 0;

        while (ready > 0)
        {
            int before = received;

            for (int i = 0; i < ready && received < _budgets.ReceiveDatagrams; i++)
            {
                EndpointDriver endpoint = (EndpointDriver)_readable[i]!;
                received += endpoint.IsKept ? ReceiveFrom(endpoint, _budgets.ReceiveDatagrams - received, now) : 0;
            }

            bool mayBeMore = ready == _readable.Length && received > before && received < _budgets.ReceiveDatagrams;
            ready = mayBeMore ? _readySockets!.TakeReady(_readable) : 0;
        }

        return received;
    }

    private int ReceiveFrom(EndpointDriver endpoint, int budget, Instant now)
    {
        int received = 0;
        bool stopsEarly = _isPumpedFast && !endpoint.HoldsMany;
        endpoint.HoldsMany = false;

        while (received < budget)
        {
            SocketOutcome outcome = endpoint.Socket.TryReceive(
                _receive, out int length, out int datagramBytes, out PeerAddress from);

            if (outcome == SocketOutcome.WouldBlock)
            {
                break;
            }

            if (outcome == SocketOutcome.Closed)
            {
                FailEndpoint(endpoint, now);
                break;
            }

            received++;
            NoteHeard(endpoint, now);

            if (outcome != SocketOutcome.Done)
            {
                // News about a datagram sent earlier; the next one may be fine (H62).
                _counters.SocketNotices++;
                continue;
            }

            if (length > datagramBytes)
            {
                int datagrams = (length + datagramBytes - 1) / datagramBytes;
                _counters.CountRunReceived(datagrams);
                _streamUntil = now + QuietFrom;

                // The budget is of datagrams: the last call may go beyond it, as the run is taken already.
                received += datagrams - 1;
            }

            int offset = 0;

            do
            {
                int bytes = Math.Min(datagramBytes, length - offset);
                TakeDatagram(endpoint, _receive.AsSpan(offset, bytes), from, now);
                offset += bytes;
            }
            while (offset < length);

            if (stopsEarly && length == datagramBytes)
            {
                endpoint.HoldsMany = true;
                _mayHoldMore = true;
                return received;
            }
        }

        endpoint.HoldsMany = received > 1;
        return received;
    }

    private void TakeDatagram(EndpointDriver endpoint, Span<byte> datagram, PeerAddress from, Instant now)
    {
        DropReason dropped = endpoint.Engine.HandleDatagram(datagram, from, now, out ConnectionEngine? connection);
        _counters.CountReceived(datagram.Length, dropped);
        TraceDrop(endpoint.Engine.Trace, dropped, datagram.Length, connection, now);

        if (connection is not null)
        {
            MarkReady(connection);
        }

        while (endpoint.Engine.TryNextDisturbed(out ConnectionEngine? disturbed))
        {
            MarkReady(disturbed!);
        }
    }

    private static void TraceDrop(
        IPacketTrace? trace, DropReason dropped, int bytes, ConnectionEngine? connection, Instant now)
    {
        if (trace is not null && dropped != DropReason.None)
        {
            trace.Record(new TraceEvent
            {
                Kind = TraceEventKind.PacketDropped,
                At = now,
                ConnectionId = connection?.LocalId ?? 0,
                Bytes = bytes,
                Drop = dropped,
            });
        }
    }

    // Only who heard something may have to answer a stranger.
    private void NoteHeard(EndpointDriver endpoint, Instant now)
    {
        endpoint.HeardAt = now;
        _heardAt = now;

        if (!endpoint.HasHeard)
        {
            endpoint.HasHeard = true;
            _heard.Add(endpoint);
        }
    }
}
