using System.Buffers.Binary;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;

namespace Gudp.Tests.World;

/// <summary>Something in a world that is not a daemon.</summary>
internal interface IWorldActor
{
    /// <summary>When it wants to run even if nothing arrives.</summary>
    Instant NextDeadline { get; }

    /// <summary>Does all it can at this moment.</summary>
    /// <returns>False if there was nothing to do.</returns>
    bool Run(Instant now);
}

// A greedy TCP flow as far as congestion goes: CUBIC with its Reno-friendly part (RFC 9438), slow start until a loss,
// an ack per packet, three later acks for a loss, one reduction per round trip, a time-out (RFC 6298). A repeated
// segment counts like a new one, as its sender always has one to send, so nothing has to be remembered of contents.

/// <summary>What others in the network do: a flow of TCP CUBIC from one host to another. Both ends of it.</summary>
internal sealed class ReferenceFlow : IWorldActor
{
    private const int DatagramBytes = 1_452;
    private const int NumberBytes = 8;
    private const int ReorderingThreshold = 3;
    private const double Beta = 0.7;        // RFC 9438 section 4.6
    private const double Scale = 0.4;       // its C, packets per second cubed
    private const double FirstWindow = 10;

    private static readonly TimeSpan LeastTimeout = TimeSpan.FromMilliseconds(200);

    private readonly IDatagramSocket _left;
    private readonly IDatagramSocket _right;
    private readonly List<Instant> _sentAt = [];
    private readonly List<bool> _isSettled = [];
    private readonly byte[] _datagram = new byte[DatagramBytes];
    private Instant _epoch = Instant.Never;
    private double _window = FirstWindow;
    private double _threshold = double.MaxValue;
    private double _largestWindow;
    private double _friendlyWindow;
    private TimeSpan _smoothed = TimeSpan.FromSeconds(1);
    private int _oldest;
    private int _largestAcked = -1;
    private int _recoveryEnd = -1;
    private int _inFlight;

    internal ReferenceFlow(SimulatedHost from, SimulatedHost to, int port, Instant start)
    {
        _left = from.Open(from.Address.WithPort(port), 0, int.MaxValue);
        _right = to.Open(to.Address.WithPort(port), 0, int.MaxValue);
        NextDeadline = start;
    }

    public Instant NextDeadline { get; private set; }

    /// <summary>At the receiving end.</summary>
    internal long ReceivedBytes { get; private set; }

    public bool Run(Instant now)
    {
        bool isBusy = Answer() | ReadAcks(now);

        if (NextDeadline <= now)
        {
            TimeOut(now);
            isBusy = true;
        }

        // Nothing before the start, when the first time-out comes.
        while (_sentAt.Count > 0 && _inFlight < Math.Floor(_window))
        {
            Send(now);
            isBusy = true;
        }

        return isBusy;
    }

    private bool Answer()
    {
        bool isBusy = false;

        while (_right.TryReceive(_datagram, out int length, out _, out _) == SocketOutcome.Done)
        {
            ReceivedBytes += length;
            _right.TrySend(_datagram.AsSpan(0, NumberBytes), NumberBytes, _left.LocalAddress);
            isBusy = true;
        }

        return isBusy;
    }

    private bool ReadAcks(Instant now)
    {
        bool isBusy = false;

        while (_left.TryReceive(_datagram, out _, out _, out _) == SocketOutcome.Done)
        {
            HandleAck((int)BinaryPrimitives.ReadInt64BigEndian(_datagram), now);
            isBusy = true;
        }

        return isBusy;
    }

    private void Send(Instant now)
    {
        BinaryPrimitives.WriteInt64BigEndian(_datagram, _sentAt.Count);
        _sentAt.Add(now);
        _isSettled.Add(false);
        _inFlight++;
        _left.TrySend(_datagram, DatagramBytes, _right.LocalAddress);
    }

    private void HandleAck(int number, Instant now)
    {
        if (_isSettled[number])
        {
            return;
        }

        bool isFirst = _largestAcked < 0;
        TimeSpan sample = now - _sentAt[number];
        _smoothed = isFirst ? sample : (0.875 * _smoothed) + (0.125 * sample);
        Settle(number);
        _largestAcked = Math.Max(_largestAcked, number);
        NextDeadline = now + Timeout;

        if (number > _recoveryEnd)
        {
            Grow(now);
        }

        for (; _oldest <= _largestAcked - ReorderingThreshold; _oldest++)
        {
            if (!_isSettled[_oldest])
            {
                Settle(_oldest);
                Reduce(_oldest);
            }
        }
    }

    private TimeSpan Timeout => 2 * _smoothed > LeastTimeout ? 2 * _smoothed : LeastTimeout;

    private void Settle(int number)
    {
        _isSettled[number] = true;
        _inFlight--;
    }

    private void Grow(Instant now)
    {
        if (_window < _threshold)
        {
            _window++;
            return;
        }

        if (_epoch.IsNever)
        {
            _epoch = now;
            _friendlyWindow = _window;
            _largestWindow = Math.Max(_largestWindow, _window);
        }

        // RFC 9438 sections 4.2 and 4.3.
        double origin = Math.Cbrt((_largestWindow - (_largestWindow * Beta)) / Scale);
        double time = (now - _epoch + _smoothed).TotalSeconds - origin;
        double target = (Scale * time * time * time) + _largestWindow;
        _friendlyWindow += 3 * (1 - Beta) / (1 + Beta) / _window;
        double cubic = _window + (Math.Max(0, Math.Min(target, 1.5 * _window) - _window) / _window);
        _window = Math.Max(cubic, _friendlyWindow);
    }

    private void Reduce(int lost)
    {
        if (lost <= _recoveryEnd)
        {
            return;
        }

        _recoveryEnd = _sentAt.Count - 1;
        _largestWindow = _window < _largestWindow ? _window * (1 + Beta) / 2 : _window;
        _window = Math.Max(2, _window * Beta);
        _threshold = _window;
        _epoch = Instant.Never;
    }

    private void TimeOut(Instant now)
    {
        if (_inFlight > 0)
        {
            for (; _oldest < _sentAt.Count; _oldest++)
            {
                if (!_isSettled[_oldest])
                {
                    Settle(_oldest);
                    Reduce(_oldest);
                }
            }

            _window = 1;
        }

        if (_sentAt.Count == 0)
        {
            Send(now);
        }

        NextDeadline = now + Timeout;
    }
}
