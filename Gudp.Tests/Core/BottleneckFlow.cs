using Gudp.Core;
using Gudp.Core.Congestion;

namespace Gudp.Tests.Core;

// A controller with its pacer and its delivery rates over one bottleneck: packets leave when window and pacer let them,
// wait in the bottleneck's queue, and are acknowledged one by one. A packet that the queue or chance dropped is noticed
// when its acknowledgement would have come. Time goes in steps of a tenth of a millisecond.

/// <summary>A sender that always has something to send, and the path it sends through.</summary>
internal sealed class BottleneckFlow
{
    private const int PacketBytes = 1200;

    private const int StepsPerSecond = 10_000;

    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1) / StepsPerSecond;

    private readonly ICongestionController _controller;
    private readonly DeliveryRateEstimator _deliveries = new();
    private readonly Pacer _pacer = new(PacketBytes, 16 << 20, TimeSpan.FromMilliseconds(1));
    private readonly Prng _draws = new(1);
    private readonly Queue<Packet> _underWay = new();
    private readonly TimeSpan _roundTrip;
    private readonly int _queueBytes;
    private Instant _busyUntil;
    private TimeSpan _shortest = TimeSpan.MaxValue;
    private long _offered;
    private int _inFlight;

    internal BottleneckFlow(ICongestionController controller, TimeSpan roundTrip, long bytesPerSecond, int queueBytes)
    {
        _controller = controller;
        _roundTrip = roundTrip;
        _queueBytes = queueBytes;
        BytesPerSecond = bytesPerSecond;
    }

    internal long BytesPerSecond { get; set; }

    internal int LossPpm { get; set; }

    internal Instant Now { get; private set; } = new(TimeSpan.TicksPerSecond);

    internal long Delivered => _deliveries.Delivered;

    internal long Sent { get; private set; }

    /// <summary>What the application has to send; 0: always more than fits.</summary>
    internal long OfferedBytesPerSecond { get; set; }

    /// <summary>The longest a packet waited in the queue since this was last set to zero.</summary>
    internal TimeSpan LongestWait { get; set; }

    /// <summary>Called after every step.</summary>
    internal Action? Watch { get; set; }

    /// <returns>Bytes per second delivered meanwhile.</returns>
    internal double Run(TimeSpan span)
    {
        long before = Delivered;

        for (Instant end = Now + span; Now < end;)
        {
            Now += Step;
            _offered = OfferedBytesPerSecond == 0 ? long.MaxValue : _offered + (OfferedBytesPerSecond / StepsPerSecond);
            Receive();
            Send();
            Watch?.Invoke();
        }

        return (Delivered - before) / span.TotalSeconds;
    }

    private void Send()
    {
        while (_offered >= PacketBytes
            && _inFlight + PacketBytes <= _controller.WindowBytes
            && _pacer.Allowance(Now) >= PacketBytes)
        {
            _offered -= PacketBytes;

            if (_offered < PacketBytes && _inFlight + PacketBytes < _controller.WindowBytes)
            {
                _deliveries.OnApplicationLimited(_inFlight + PacketBytes);
            }

            DeliveryMark mark = _deliveries.OnSent(PacketBytes, _inFlight, Now);
            _inFlight += PacketBytes;
            Sent += PacketBytes;
            _controller.OnSent(PacketBytes, mark, Now);
            _pacer.OnSent(PacketBytes, Now);

            TimeSpan wait = Instant.Later(_busyUntil, Now) - Now;
            bool isDropped = wait.TotalSeconds * BytesPerSecond > _queueBytes;

            if (!isDropped)
            {
                _busyUntil = Now + wait + TimeSpan.FromSeconds(PacketBytes / (double)BytesPerSecond);
                LongestWait = wait > LongestWait ? wait : LongestWait;
            }

            bool isLost = isDropped || _draws.NextChance(LossPpm);
            _underWay.Enqueue(new Packet(Now, Instant.Later(_busyUntil, Now) + _roundTrip, isLost, mark));
        }
    }

    private void Receive()
    {
        while (_underWay.TryPeek(out Packet packet) && packet.KnownAt <= Now)
        {
            _underWay.Dequeue();
            _inFlight -= PacketBytes;
            TimeSpan latest = packet.KnownAt - packet.SentAt;
            _shortest = latest < _shortest ? latest : _shortest;
            RttSample rtt = new(latest, latest, _shortest, IsMeasured: true);

            if (packet.IsLost)
            {
                _deliveries.OnLost(PacketBytes);
                _controller.OnLost(
                    new LostPacket(PacketBytes, packet.SentAt, IsPersistent: false, packet.Mark, _deliveries.Lost), Now);
            }
            else
            {
                _deliveries.OnAcked(PacketBytes, packet.SentAt, packet.Mark, Now);
                _controller.OnAcked(new AckedPacket(PacketBytes, packet.SentAt, packet.Mark.IsApplicationLimited, rtt), Now);
            }

            _controller.OnAckEnd(_deliveries.TakeReport(rtt, _inFlight, Now), Now);

            if (_controller.PacingBytesPerSecond > 0)
            {
                _pacer.SetRate(_controller.PacingBytesPerSecond, Now);
            }
            else
            {
                _pacer.OnWindowChanged(_controller.WindowBytes, rtt, Now);
            }
        }
    }

    private readonly record struct Packet(Instant SentAt, Instant KnownAt, bool IsLost, DeliveryMark Mark);
}
