using System;
using Gudp.Core.Engine;
using Gudp.Core.Sockets;
using Gudp.Core.Wire;

namespace Gudp.Core.Loop;

// The fourth step of a turn: whoever is ready says what it has to say, each its share, and its turn ends.
internal sealed partial class EventLoop
{
    // Whoever drives the loop so often does nothing else: what waits for the next turn waits for hardly anything.
    private const int QuickTurnsInARow = 8;
    private static readonly TimeSpan QuickTurn = TimeSpan.FromMicroseconds(100);

    private int TransmitDatagrams(Instant now)
    {
        int sent = 0;
        _isSocketFull = false;

        foreach (EndpointDriver endpoint in _heard)
        {
            endpoint.HasHeard = false;
            sent += endpoint.IsKept ? SendReplies(endpoint) : 0;
        }

        _heard.Clear();

        // Each ready connection gets its share, then goes to the back; what is left waits for the next turn.
        int resting = 0;
        int share = Math.Max(_transmit.Capacity / ReceiveBufferBytes, _budgets.TransmitDatagrams / 4);

        for (int i = _ready.Count; i > 0 && sent < _budgets.TransmitDatagrams && !_isSocketFull; i--)
        {
            ConnectionEngine connection = _ready.Dequeue();
            int budget = Math.Min(share, _budgets.TransmitDatagrams - sent);
            sent += SendFrom(connection, budget, now, out bool hasSaidAll);

            resting += _isResting ? 1 : 0;

            // Who was cut short, by the share, the turn's budget or a full socket, has no deadline to come back by.
            connection.IsReady = !hasSaidAll;

            if (!hasSaidAll)
            {
                _ready.Enqueue(connection);
            }

            EndTurn(connection, now);
        }

        _restAt = resting > 0 && resting == _ready.Count ? now + Turns.TailDelay : Instant.Never;
        return sent;
    }

    private int SendReplies(EndpointDriver endpoint)
    {
        int sent = 0;

        while (endpoint.Engine.TryNextReply(_transmit.Span, out int bytes, out PeerAddress to))
        {
            Send(endpoint, _transmit.Span[..bytes], bytes, to);
            sent++;
        }

        return sent;
    }

    /// <summary>Builds a connection's datagrams back to back and sends runs of equal ones in one call.</summary>
    private int SendFrom(ConnectionEngine connection, int budget, Instant now, out bool hasSaidAll)
    {
        int segments = DriverOf(connection).Socket.Capabilities.MaxSegments;
        Span<byte> buffer = _transmit.Span;
        int sent = 0;
        int length = 0;
        int size = 0;
        PeerAddress to = connection.RemoteAddress;
        hasSaidAll = false;
        _isResting = false;

        while (sent < budget && !_isSocketFull)
        {
            int bytes = connection.PollTransmit(buffer[length..], now, out PeerAddress target);

            if (bytes == 0)
            {
                hasSaidAll = true;
                break;
            }

            sent++;

            if (length > 0 && (bytes > size || target != to))
            {
                // A larger one cannot follow smaller ones in a run, nor one to somebody else.
                SendRun(connection, buffer[..length], size, to, now);
                buffer.Slice(length, bytes).CopyTo(buffer);
                length = 0;
            }

            size = length == 0 ? bytes : size;
            to = target;
            length += bytes;

            // The next one must have the room of the largest, or it would be cut, or not be said at all. Nothing goes
            // with a probe of the path's size, which the system may refuse.
            bool isFull = length >= segments * size
                || length + connection.LargestDatagramBytes > WireFormat.MaxDatagramBytes;

            if (isFull || bytes < size || bytes > connection.PacketBytes)
            {
                int runBytes = length;
                SendRun(connection, buffer[..length], size, to, now);
                length = 0;

                if (isFull && bytes == size && MayRestWait(connection, (budget - sent) * size, runBytes))
                {
                    _isResting = true;
                    break;
                }
            }
        }

        if (length > 0)
        {
            SendRun(connection, buffer[..length], size, to, now);
        }

        return sent;
    }

    // Behind a full run a short one costs as much as a full one later. Who sends so much has more to send by the next
    // turn, which follows soon; a caller that drives the loop now and then must not wait for that, nor does anything
    // twice, as whatever waits goes first then.
    private bool MayRestWait(ConnectionEngine connection, int budgetBytes, int runBytes)
    {
        int packetBytes = connection.PacketBytes;

        if (_quickTurns < QuickTurnsInARow || runBytes <= packetBytes)
        {
            return false;
        }

        long rest = connection.WaitingBytes;
        return rest > 0 && Math.Min(rest, budgetBytes) < runBytes - packetBytes;
    }

    private void SendRun(
        ConnectionEngine connection, ReadOnlySpan<byte> datagrams, int datagramBytes, PeerAddress to, Instant now)
    {
        if (Send(DriverOf(connection), datagrams, datagramBytes, to) == SocketOutcome.TooLarge)
        {
            connection.HandleTooLarge(Math.Min(datagramBytes, datagrams.Length), now);
        }
    }

    private SocketOutcome Send(EndpointDriver endpoint, ReadOnlySpan<byte> datagrams, int datagramBytes, PeerAddress to)
    {
        SocketOutcome outcome = endpoint.Socket.TrySend(datagrams, datagramBytes, to);
        _counters.CountSent(datagrams.Length, (datagrams.Length + datagramBytes - 1) / datagramBytes);

        if (datagrams.Length > datagramBytes)
        {
            _streamUntil = _lastTurn + QuietFrom;
            long refusals = endpoint.Socket.OffloadRefusals;
            _counters.OffloadFallbacks += refusals - endpoint.RefusalsCounted;
            endpoint.RefusalsCounted = refusals;
        }

        switch (outcome)
        {
            case SocketOutcome.Done:
                break;
            case SocketOutcome.WouldBlock:
                // P-5.4. Counts as sent: loss recovery brings the content again (house section 6).
                _counters.SendBlocked++;
                _isSocketFull = true;
                break;
            default:
                _counters.SocketNotices++;
                break;
        }

        return outcome;
    }

    private void EndTurn(ConnectionEngine connection, Instant now)
    {
        connection.HandleTurnEnd(now);

        if (connection.State == ConnectionState.Ended)
        {
            Forget(connection);
            return;
        }

        _deadlines.Set(connection, connection.NextDeadline);

        // The end of the turn may have started the goodbyes, and a sink may have sent answers.
        if (connection.HasSomethingNow(now))
        {
            MarkReady(connection);
        }
    }
}
