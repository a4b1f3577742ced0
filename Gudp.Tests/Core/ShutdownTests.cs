using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>The end of a daemon, and what it reports.</summary>
[TestFixture]
public sealed class ShutdownTests
{
    private static readonly TimeSpan JoinTimeout = TimeSpan.FromSeconds(20);

    [Test]
    public void A_daemon_whose_connections_are_done_reports_nothing()
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair();
        pair.Client.TrySend("all of it"u8);
        world.Run(TimeSpan.FromSeconds(1));

        DrainReport report = pair.Left.Daemon.Shutdown(TimeSpan.FromSeconds(5));
        pair.Left.IsStopped = true;

        Assert.That(report.IsComplete, Is.True, report.ToString());
        Assert.That(report.ToString(), Is.EqualTo("Everything was delivered."));
    }

    [Test]
    public void In_manual_mode_what_nobody_drove_out_is_reported()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(10) };
        Pair pair = world.AddConnectedPair();
        world.Run(TimeSpan.FromSeconds(1));

        for (int i = 0; i < 100; i++)
        {
            pair.Client.TrySend(new byte[1_000]);
        }

        DrainReport report = pair.Left.Daemon.Shutdown(TimeSpan.FromSeconds(5));
        pair.Left.IsStopped = true;

        UndeliveredTraffic left = report.Undelivered.Single();
        Assert.That(left.Cause, Is.EqualTo(UndeliveredCause.NotDriven));
        Assert.That(left.Reasons, Is.EqualTo(FinalReasons.ClosedLocally));
        Assert.That(left.Remote, Is.EqualTo(pair.Client.RemoteAddress));
        Assert.That(left.UnackedPackets, Is.GreaterThan(0));
        Assert.That(left.QueuedPackets + left.UnackedPackets, Is.EqualTo(100));
        Assert.That(left.QueuedBytes, Is.EqualTo(left.QueuedPackets * 1_000L));
        Assert.That(report.ToString(), Does.Contain(left.Remote.ToString()).And.Contain("NotDriven"));
    }

    [Test]
    public void What_a_connection_never_opened_had_to_say_is_reported()
    {
        using SimWorld world = new(1);
        Node node = world.AddNode();
        Connection connection = node.Open(0).Connect(PeerAddress.FromIPv4(0x0A63_0009, 7000));
        connection.TrySend("in vain"u8);

        DrainReport report = node.Daemon.Shutdown(TimeSpan.Zero);
        node.IsStopped = true;

        UndeliveredTraffic left = report.Undelivered.Single();
        Assert.That(left.Cause, Is.EqualTo(UndeliveredCause.NeverOpened));
        Assert.That((left.QueuedPackets, left.UnackedPackets), Is.EqualTo((1, 0)));
    }

    [Test]
    public void A_second_shutdown_gives_the_first_one_s_report()
    {
        using SimWorld world = new(1);
        Pair pair = world.AddConnectedPair();
        pair.Client.TrySend("in vain"u8);

        DrainReport first = pair.Left.Daemon.Shutdown(TimeSpan.Zero);
        DrainReport second = pair.Left.Daemon.Shutdown(TimeSpan.Zero);
        pair.Left.Daemon.Dispose();
        pair.Left.IsStopped = true;

        Assert.That(second, Is.SameAs(first));
    }

    // One thread is in the middle of a turn, held there by a layer; another ends the daemon.
    [Test]
    public void Disposing_a_manual_daemon_waits_for_the_turn_of_another_thread()
    {
        using ManualResetEventSlim inTurn = new();
        using ManualResetEventSlim goOn = new();
        using SimWorld world = new(1);
        Node node = world.AddNode();
        HoldingFactory factory = new(inTurn, goOn);
        node.IsStopped = true;
        node.Open(0, SimWorld.Plain.Connections with { Payload = factory })
            .Connect(PeerAddress.FromIPv4(0x0A63_0009, 7000));
        factory.IsHolding = true;
        Exception? ofPump = null;
        Exception? ofEnd = null;
        Thread pump = Start(() => ofPump = Catch(() => node.Daemon.ProcessIO()));
        bool isHeld = inTurn.Wait(JoinTimeout);

        Thread ending = Start(() => ofEnd = Catch(node.Daemon.Dispose));
        factory.IsHolding = false;
        goOn.Set();

        Assert.That(isHeld, Is.True);
        Assert.That(pump.Join(JoinTimeout) && ending.Join(JoinTimeout), Is.True);
        Assert.That(ofPump, Is.Null.Or.TypeOf<ObjectDisposedException>());
        Assert.That(ofEnd, Is.Null);
        Assert.That(node.Daemon.Fault, Is.Null);
    }

    [Test]
    public void A_daemon_is_not_ended_from_inside_its_own_turn()
    {
        using SimWorld world = new(1);
        Node node = world.AddNode();
        EndingFactory factory = new(node.Daemon);
        node.IsStopped = true;
        node.Open(0, SimWorld.Plain.Connections with { Payload = factory })
            .Connect(PeerAddress.FromIPv4(0x0A63_0009, 7000));

        node.Daemon.ProcessIO();

        Assert.That(factory.Thrown, Is.TypeOf<InvalidOperationException>());
        Assert.That(() => node.Daemon.ProcessIO(), Throws.Nothing);
    }

    private static Exception? Catch(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception thrown)
        {
            return thrown;
        }
    }

    private static Thread Start(Action body)
    {
        Thread thread = new(() => body()) { IsBackground = true };
        thread.Start();
        return thread;
    }

    /// <summary>A layer that is asked once a turn and says nothing.</summary>
    private abstract class AskedPayload : IPacketPayload
    {
        public bool HasUnfinished => false;

        public bool HasDataToSend => false;

        public Instant NextDeadline => Instant.Never;

        public SendBacklog Backlog
        {
            get
            {
                HandleAsked();
                return default;
            }
        }

        public void HandleOpened(in PayloadParameters peer, Instant now)
        {
        }

        public int WriteFrames(PacketNumber packet, Span<byte> destination, Instant now) => 0;

        public PayloadVerdict HandleFrames(PacketNumber packet, ReadOnlySpan<byte> frames, Instant now)
            => PayloadVerdict.Held;

        public void HandleAcked(PacketNumber packet, Instant now)
        {
        }

        public void HandleLost(PacketNumber packet, Instant now)
        {
        }

        public void HandleOverdue(PacketNumber packet, Instant now)
        {
        }

        public void HandleTimeout(Instant now)
        {
        }

        public void HandleTurnEnd(Instant now)
        {
        }

        public void HandleStatus(ConnectionStatus status, CloseReason? reason, Instant now)
        {
        }

        protected abstract void HandleAsked();
    }

    private sealed class HoldingFactory(ManualResetEventSlim inTurn, ManualResetEventSlim goOn)
        : IPacketPayloadFactory
    {
        private volatile bool _isHolding;

        public PayloadParameters Parameters => new() { Protocol = 0, Version = 1 };

        internal bool IsHolding
        {
            get => _isHolding;
            set => _isHolding = value;
        }

        public IPacketPayload Create(PayloadHost host) => new Holding(this);

        private void Hold()
        {
            if (IsHolding)
            {
                inTurn.Set();
                goOn.Wait(JoinTimeout);
            }
        }

        private sealed class Holding(HoldingFactory factory) : AskedPayload
        {
            protected override void HandleAsked() => factory.Hold();
        }
    }

    private sealed class EndingFactory(Daemon daemon) : IPacketPayloadFactory
    {
        public PayloadParameters Parameters => new() { Protocol = 0, Version = 1 };

        internal Exception? Thrown { get; private set; }

        public IPacketPayload Create(PayloadHost host) => new Ending(this);

        private void End() => Thrown ??= Catch(daemon.Dispose);

        private sealed class Ending(EndingFactory factory) : AskedPayload
        {
            protected override void HandleAsked() => factory.End();
        }
    }
}
