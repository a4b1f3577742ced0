using System;
using System.Collections.Generic;
using Gudp.Core;
using Gudp.Core.Sockets;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Which sockets a turn asks where the caller drives the daemon without a pause.</summary>
[TestFixture]
public sealed class PumpLookTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMicroseconds(1);

    [Test]
    public void A_single_datagram_is_not_followed_by_a_question_for_another()
    {
        using var pump = new Pump(sockets: 1);
        pump.Spin(20);
        pump.Sockets[0].Waiting = 1;
        pump.Sockets[0].Asked = 0;

        pump.Turn(Step);

        Assert.That((pump.Sockets[0].Waiting, pump.Sockets[0].Asked), Is.EqualTo((0, 1)));
        Assert.That(pump.Daemon.UntilNextDeadline, Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void What_comes_behind_it_is_read_whole_by_the_next_turn_and_those_after_it()
    {
        using var pump = new Pump(sockets: 1);
        pump.Spin(20);
        pump.Sockets[0].Waiting = 5;

        pump.Turn(Step);
        int afterFirst = pump.Sockets[0].Waiting;
        pump.Turn(Step);
        int afterSecond = pump.Sockets[0].Waiting;
        pump.Sockets[0].Waiting = 5;
        pump.Turn(Step);

        Assert.That((afterFirst, afterSecond, pump.Sockets[0].Waiting), Is.EqualTo((4, 0, 0)));
    }

    [Test]
    public void A_turn_now_and_then_reads_all()
    {
        using var pump = new Pump(sockets: 1);
        pump.Spin(20);
        pump.Sockets[0].Waiting = 5;

        pump.Turn(TimeSpan.FromMilliseconds(5));

        Assert.That(pump.Sockets[0].Waiting, Is.Zero);
    }

    [Test]
    public void A_quiet_socket_beside_a_busy_one_is_asked_less_often_and_never_left_out_for_long()
    {
        using var pump = new Pump(sockets: 2);
        pump.Spin(2_000);
        pump.Sockets[1].Asked = 0;
        int mostSince = 0;
        int since = 0;

        for (int i = 0; i < 400; i++)
        {
            int before = pump.Sockets[1].Asked;
            pump.Sockets[0].Waiting = 1;
            pump.Turn(Step);
            since = pump.Sockets[1].Asked > before ? 0 : since + 1;
            mostSince = Math.Max(mostSince, since);
        }

        Assert.That(pump.Sockets[1].Asked, Is.InRange(100, 110));
        Assert.That(mostSince, Is.EqualTo(3));
    }

    [Test]
    public void A_clock_that_stands_still_keeps_no_socket_from_being_asked()
    {
        using var pump = new Pump(sockets: 2);
        pump.Spin(2_000);
        pump.Sockets[0].Waiting = 1;
        pump.Turn(Step);
        pump.Sockets[1].Waiting = 1;

        for (int i = 0; i < 4; i++)
        {
            pump.Turn(TimeSpan.Zero);
        }

        Assert.That(pump.Sockets[1].Waiting, Is.Zero);
    }

    [Test]
    public void Quiet_sockets_among_themselves_are_asked_at_every_turn()
    {
        using var pump = new Pump(sockets: 2);
        pump.Spin(2_000);
        pump.Sockets[1].Asked = 0;

        pump.Spin(50);

        Assert.That(pump.Sockets[1].Asked, Is.EqualTo(50));
    }

    [Test]
    public void What_was_just_said_does_not_wait_for_a_socket_that_was_just_asked()
    {
        using var pump = new Pump(sockets: 1);
        pump.Spin(20);
        pump.Endpoints[0].Connect(PeerAddress.LoopbackIPv4(9));
        pump.Sockets[0].Asked = 0;

        pump.Turn(Step);
        (int Asked, int Sent) first = (pump.Sockets[0].Asked, pump.Sockets[0].Sent);
        pump.Endpoints[0].Connect(PeerAddress.LoopbackIPv4(10));
        pump.Turn(Step);

        Assert.That(first, Is.EqualTo((0, 1)));
        Assert.That((pump.Sockets[0].Asked, pump.Sockets[0].Sent), Is.EqualTo((1, 2)));
    }

    [Test]
    public void While_runs_come_all_is_read_at_every_turn()
    {
        using var pump = new Pump(sockets: 1);
        pump.Spin(20);
        pump.Sockets[0].Joined = 3;
        pump.Sockets[0].Waiting = 1;
        pump.Spin(5);
        pump.Sockets[0].Joined = 1;
        pump.Sockets[0].Waiting = 5;

        pump.Turn(Step);
        int inTheStream = pump.Sockets[0].Waiting;
        pump.Spin(2_000);
        pump.Sockets[0].Waiting = 5;
        pump.Turn(Step);

        Assert.That((inTheStream, pump.Sockets[0].Waiting), Is.EqualTo((0, 4)));
    }

    private sealed class Pump : IDisposable
    {
        private readonly StepClock _clock = new();
        private readonly ScriptedNetwork _network = new();

        internal Pump(int sockets)
        {
            Daemon = new Daemon(
                SimWorld.Plain, _network, _clock, SystemSecrets.Instance, new Prng(1));

            for (int i = 0; i < sockets; i++)
            {
                Endpoints.Add(Daemon.Open(PeerAddress.LoopbackIPv4(1 + i)));
            }
        }

        internal Daemon Daemon { get; }

        internal List<Endpoint> Endpoints { get; } = [];

        internal List<ScriptedSocket> Sockets => _network.Sockets;

        public void Dispose() => Daemon.Dispose();

        internal void Spin(int turns)
        {
            for (int i = 0; i < turns; i++)
            {
                Turn(Step);
            }
        }

        internal void Turn(TimeSpan after)
        {
            _clock.Ticks += after.Ticks;
            Daemon.ProcessIO();
        }
    }

    private sealed class StepClock : TimeProvider
    {
        internal long Ticks { get; set; } = TimeSpan.TicksPerHour;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Ticks;
    }

    private sealed class ScriptedNetwork : IDatagramNetwork, IReadySockets
    {
        internal List<ScriptedSocket> Sockets { get; } = [];

        public IDatagramSocket Open(PeerAddress local, int sendBufferBytes, int receiveBufferBytes)
        {
            Sockets.Add(new ScriptedSocket(local));
            return Sockets[^1];
        }

        public bool Wait(TimeSpan limit) => true;

        public void Wake()
        {
            // Nobody waits.
        }

        public void Dispose()
        {
            // Nothing is open.
        }

        int IReadySockets.TakeReady(Span<object?> marks) => -1;
    }

    private sealed class ScriptedSocket(PeerAddress local) : IDatagramSocket
    {
        public PeerAddress LocalAddress => local;

        public DatagramCapabilities Capabilities => new(1 << 20, 1 << 20, 1, true);

        /// <summary>Datagrams that nobody has read.</summary>
        internal int Waiting { get; set; }

        internal int Asked { get; set; }

        /// <summary>So many come at a time.</summary>
        internal int Joined { get; set; } = 1;

        internal int Sent { get; private set; }

        public SocketOutcome TryReceive(Span<byte> buffer, out int length, out int datagramBytes, out PeerAddress from)
        {
            Asked++;
            (length, datagramBytes, from) = (0, 0, PeerAddress.LoopbackIPv4(7));

            if (Waiting == 0)
            {
                return SocketOutcome.WouldBlock;
            }

            Waiting--;
            datagramBytes = 40;
            length = Joined * datagramBytes;
            buffer[..length].Fill(0xEE);
            return SocketOutcome.Done;
        }

        public SocketOutcome TrySend(ReadOnlySpan<byte> datagrams, int datagramBytes, PeerAddress to)
        {
            Sent++;
            return SocketOutcome.Done;
        }

        public void Dispose()
        {
            // Nothing to give back.
        }
    }
}
