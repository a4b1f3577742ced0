using System.Buffers.Binary;
using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;

namespace Gudp.Bench.Transport;

// A TCP-like flow over simulated sockets: greedy sender, receiver that acknowledges every packet. Each transmission has
// a number of its own that the ack echoes, which stands for SACK, timestamps and RACK together: three later ones
// acknowledged, and it counts as lost (RFC 6675, RFC 8985 without reordering). Not paced: sent as acks come.

/// <summary>The sending end.</summary>
/// <remarks>
/// Always true: _inFlight counts the transmissions from _oldest on that are neither acknowledged nor lost.
/// </remarks>
internal sealed class ReferenceTcpSender : IWorldActor
{
    /// <summary>A UDP payload that fills an Ethernet packet as TCP does, less IPv6's larger header.</summary>
    internal const int DatagramBytes = 1_452;

    private const int NumberBytes = 8;
    private const int ReorderingThreshold = 3;
    private const int MostInFlight = 1 << 16;

    // RFC 6298: first 1 s, doubled each time; Linux' least one.
    private static readonly TimeSpan FirstTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeastTimeout = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan MostTimeout = TimeSpan.FromSeconds(60);

    private readonly IDatagramSocket _socket;
    private readonly PeerAddress _to;
    private readonly ReferenceWindow _window;
    private readonly Transmission[] _sent = new Transmission[MostInFlight];
    private readonly Queue<long> _lost = new();
    private readonly byte[] _datagram = new byte[DatagramBytes];
    private readonly byte[] _ack = new byte[NumberBytes];
    private readonly Instant _start;
    private long _nextSegment;
    private long _next;
    private long _oldest;
    private long _largestAcked = -1;
    private long _roundEnd = -1;
    private int _inFlight;
    private TimeSpan _smoothed;
    private TimeSpan _variation;
    private TimeSpan _timeout = FirstTimeout;

    internal ReferenceTcpSender(SimulatedHost host, PeerAddress to, ReferenceRule rule, Instant start)
    {
        _socket = host.Open(host.Address.WithPort(0), 0, int.MaxValue);
        _to = to;
        _window = new ReferenceWindow(rule);
        _start = start;
        NextDeadline = start;
    }

    public Instant NextDeadline { get; private set; }

    internal double WindowPackets => _window.Packets;

    public bool Run(Instant now)
    {
        if (now < _start)
        {
            return false;
        }

        bool isBusy = false;

        while (_socket.TryReceive(_ack, out int length, out _, out _) == SocketOutcome.Done)
        {
            isBusy = true;

            if (length == NumberBytes)
            {
                HandleAck(BinaryPrimitives.ReadInt64BigEndian(_ack), now);
            }
        }

        if (now >= NextDeadline && _inFlight > 0)
        {
            HandleTimeout(now);
        }

        while (_inFlight < Math.Floor(_window.Packets) && _next - _oldest < MostInFlight)
        {
            Send(now);
            isBusy = true;
        }

        return isBusy;
    }

    private void Send(Instant now)
    {
        long segment = _lost.TryDequeue(out long again) ? again : _nextSegment++;
        BinaryPrimitives.WriteInt64BigEndian(_datagram, segment);
        BinaryPrimitives.WriteInt64BigEndian(_datagram.AsSpan(NumberBytes), _next);
        _sent[_next % MostInFlight] = new Transmission(segment, now, Fate.Open);
        _next++;

        if (_inFlight++ == 0)
        {
            NextDeadline = now + _timeout;
        }

        _socket.TrySend(_datagram, DatagramBytes, _to);
    }

    private void HandleAck(long number, Instant now)
    {
        if (number < _oldest || number >= _next)
        {
            return;
        }

        ref Transmission sent = ref _sent[number % MostInFlight];

        if (sent.Fate != Fate.Open)
        {
            return;
        }

        sent.Fate = Fate.Acked;
        _inFlight--;
        _largestAcked = Math.Max(_largestAcked, number);
        UpdateTimeout(now - sent.SentAt);
        NextDeadline = now + _timeout;
        bool isLimitedByWindow = _inFlight + 1 >= Math.Floor(_window.Packets);

        if (number > _roundEnd && isLimitedByWindow)
        {
            _window.OnAcked(_smoothed, now);
        }

        DetectLoss();
    }

    private void DetectLoss()
    {
        for (long number = _oldest; number + ReorderingThreshold <= _largestAcked; number++)
        {
            ref Transmission sent = ref _sent[number % MostInFlight];

            if (sent.Fate == Fate.Open)
            {
                Lose(ref sent);

                // What was sent before the reduction says nothing about the reduced window.
                if (number > _roundEnd)
                {
                    _window.OnLoss();
                    _roundEnd = _next - 1;
                }
            }
        }

        while (_oldest < _next && _sent[_oldest % MostInFlight].Fate != Fate.Open)
        {
            _oldest++;
        }
    }

    private void HandleTimeout(Instant now)
    {
        _window.OnTimeout(_inFlight);

        for (; _oldest < _next; _oldest++)
        {
            ref Transmission sent = ref _sent[_oldest % MostInFlight];

            if (sent.Fate == Fate.Open)
            {
                Lose(ref sent);
            }
        }

        _roundEnd = _next - 1;
        _timeout = _timeout * 2 < MostTimeout ? _timeout * 2 : MostTimeout;
        NextDeadline = now + _timeout;
    }

    private void Lose(ref Transmission sent)
    {
        sent.Fate = Fate.Lost;
        _inFlight--;
        _lost.Enqueue(sent.Segment);
    }

    // RFC 6298 section 2.
    private void UpdateTimeout(TimeSpan sample)
    {
        if (_smoothed == TimeSpan.Zero)
        {
            _smoothed = sample;
            _variation = sample / 2;
        }
        else
        {
            _variation = (0.75 * _variation) + (0.25 * (_smoothed - sample).Duration());
            _smoothed = (0.875 * _smoothed) + (0.125 * sample);
        }

        TimeSpan timeout = _smoothed + (4 * _variation);
        _timeout = timeout > LeastTimeout ? timeout : LeastTimeout;
    }

    private enum Fate : byte
    {
        Open,
        Acked,
        Lost,
    }

    private record struct Transmission(long Segment, Instant SentAt, Fate Fate);
}

/// <summary>The receiving end: acknowledges every packet at once, counts what is new.</summary>
internal sealed class ReferenceTcpReceiver : IWorldActor
{
    private const int NumberBytes = 8;

    private readonly IDatagramSocket _socket;
    private readonly HashSet<long> _ahead = [];
    private readonly byte[] _datagram = new byte[ReferenceTcpSender.DatagramBytes];
    private long _complete;

    internal ReferenceTcpReceiver(SimulatedHost host, int port)
        => _socket = host.Open(host.Address.WithPort(port), 0, int.MaxValue);

    public Instant NextDeadline => Instant.Never;

    internal PeerAddress Address => _socket.LocalAddress;

    /// <summary>Bytes of segments that came for the first time.</summary>
    internal long ReceivedBytes => (_complete + _ahead.Count) * (ReferenceTcpSender.DatagramBytes - (2 * NumberBytes));

    public bool Run(Instant now)
    {
        bool isBusy = false;

        while (_socket.TryReceive(_datagram, out int length, out _, out PeerAddress from) == SocketOutcome.Done)
        {
            isBusy = true;

            if (length == ReferenceTcpSender.DatagramBytes)
            {
                Note(BinaryPrimitives.ReadInt64BigEndian(_datagram));
                _socket.TrySend(_datagram.AsSpan(NumberBytes, NumberBytes), NumberBytes, from);
            }
        }

        return isBusy;
    }

    private void Note(long segment)
    {
        if (segment >= _complete)
        {
            _ahead.Add(segment);
        }

        while (_ahead.Remove(_complete))
        {
            _complete++;
        }
    }
}
