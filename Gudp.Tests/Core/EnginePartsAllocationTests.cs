using Gudp.Core;
using Gudp.Core.Congestion;
using Gudp.Core.Engine;
using Gudp.Core.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture, Category("Release")]
public sealed class EnginePartsAllocationTests
{
    private const int PacketBytes = 1200;

    [Test]
    public void A_warm_flow_with_losses_allocates_nothing()
    {
        Flow flow = new();
        flow.Run(rounds: 5_000);

        long before = GC.GetAllocatedBytesForCurrentThread();
        flow.Run(rounds: 1_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(allocated, Is.Zero);
        Assert.That(flow.Lost, Is.GreaterThan(0));
    }

    /// <summary>
    /// All parts as an engine uses them; the receiving side acknowledges each burst but its third packet.
    /// </summary>
    private sealed class Flow
    {
        private const int BurstPackets = 8;

        private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(20);

        private readonly SentPacketRing _ring = new(256, 256);
        private readonly RttEstimator _rtt = new(RttEstimator.DefaultFirstRoundTrip);
        private readonly ReceiveWindow _window = new();
        private readonly TimerTable _timers = new();
        private readonly DeliveryRateEstimator _deliveries = new();
        private readonly EagerBudget _eager = new();
        private readonly CubicController _controller = new(PacketBytes, CongestionWindow.DefaultInitialPackets);
        private readonly Pacer _pacer = new(PacketBytes, 4 << 20, TimeSpan.FromMilliseconds(1));
        private readonly LossDetector _detector;
        private Instant _now = new(1);

        internal Flow()
            => _detector = new LossDetector(_ring, _rtt, new LossRules(3, RoundTrip, TimeSpan.FromMilliseconds(1)));

        internal int Lost { get; private set; }

        internal void Run(int rounds)
        {
            for (int round = 0; round < rounds; round++)
            {
                Send();
                _now += RoundTrip;
                Acknowledge();
                _timers.Set(TimerKind.Loss, _detector.Deadline);
                _timers.Set(TimerKind.Eager, _detector.OverdueDeadline);
                _timers.TryExpire(_now, out _);
            }
        }

        private void Send()
        {
            for (int i = 0; i < BurstPackets; i++)
            {
                DeliveryMark mark = _deliveries.OnSent(PacketBytes, _ring.BytesInFlight, _now);
                PacketNumber number = _ring.Add(new SentPacket
                {
                    SentAt = _now,
                    Bytes = PacketBytes,
                    IsAckEliciting = true,
                    HasPayload = true,
                    Mark = mark,
                });

                _pacer.OnSent(PacketBytes, _now);
                _controller.OnSent(PacketBytes, mark, _now);
                _eager.OnSent(PacketBytes);

                if (i != 2 && _window.Check(number) == WindowVerdict.New)
                {
                    _window.Add(number, _now, isAckEliciting: true);
                }
            }
        }

        private void Acknowledge()
        {
            _rtt.AddSample(RoundTrip, TimeSpan.Zero);
            RttSample rtt = _rtt.Sample;

            foreach (AckRange range in _window.Ranges)
            {
                PacketNumber from = new(range.Smallest);

                while (_ring.TryNextUnacked(from, new PacketNumber(range.Largest), out PacketNumber number))
                {
                    if (_ring.TrySettle(number, out SentPacket packet))
                    {
                        _deliveries.OnAcked(packet.Bytes, packet.SentAt, packet.Mark, _now);
                        _controller.OnAcked(
                            new AckedPacket(packet.Bytes, packet.SentAt, packet.ApplicationLimited, rtt), _now);
                    }

                    from = new PacketNumber(number.Value + 1);
                }
            }

            _detector.OnAckReceived(_now);

            while (_detector.TryNextLost(_now, out SentPacket lost, out bool isPersistent))
            {
                _deliveries.OnLost(lost.Bytes);
                _controller.OnLost(
                    new LostPacket(lost.Bytes, lost.SentAt, isPersistent, lost.Mark, _deliveries.Lost), _now);
                Lost++;
            }

            _controller.OnAckEnd(_deliveries.TakeReport(rtt, _ring.BytesInFlight, _now), _now);
            _pacer.OnWindowChanged(_controller.WindowBytes, rtt, _now);
            _window.OnAckWritten();
            _window.ForgetBelow(_window.Largest);
        }
    }
}
