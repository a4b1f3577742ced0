using Gudp.Core;
using Gudp.Core.Sockets;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Own pauses and the end of a daemon with a thread of its own, over the system's UDP.</summary>
[TestFixture, Category("Release")]
public sealed class DaemonPauseTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    // The clock of one daemon jumps, as if its process had stood still; the other's goes on.
    [Test]
    public void A_daemon_with_a_thread_forgives_its_peers_a_pause_of_its_own()
    {
        JumpingTime time = new();
        using Daemon serverDaemon = new(SimWorld.Plain);
        using Daemon clientDaemon = new(
            SimWorld.Plain, new UdpNetwork(), time, new SeededSecrets(new Prng(1)), new Prng(2));
        serverDaemon.Start();
        clientDaemon.Start();
        Connection client = Connect(serverDaemon, clientDaemon, out Connection accepted);
        byte[] buffer = new byte[10];

        time.Jump(TimeSpan.FromSeconds(30));
        client.TrySend("awake"u8);
        ReceiveStatus received = accepted.Receive(buffer, Patience, out _);

        Assert.That(received, Is.EqualTo(ReceiveStatus.Received));
        Assert.That(client.Status.IsOpen, Is.True, client.CloseReason?.ToString());
        Assert.That(clientDaemon.ReadCounters().OwnPauses, Is.GreaterThan(0));
    }

    [Test]
    public void A_shutdown_waits_for_what_was_queued_and_then_has_nothing_to_report()
    {
        using Daemon serverDaemon = new(SimWorld.Plain);
        using Daemon clientDaemon = new(SimWorld.Plain);
        serverDaemon.Start();
        clientDaemon.Start();
        Connection client = Connect(serverDaemon, clientDaemon, out _);

        for (int i = 0; i < 500; i++)
        {
            client.TrySend(new byte[1_000]);
        }

        DrainReport report = clientDaemon.Shutdown(Timeout.InfiniteTimeSpan);

        Assert.That(report.IsComplete, Is.True, report.ToString());
    }

    [Test]
    public void A_shutdown_whose_deadline_comes_first_says_what_is_left()
    {
        using Daemon serverDaemon = new(SimWorld.Plain);
        Daemon clientDaemon = new(SimWorld.Plain);
        serverDaemon.Start();
        clientDaemon.Start();
        Connection client = Connect(serverDaemon, clientDaemon, out Connection accepted);

        // Gone without a word: nobody acknowledges any more.
        serverDaemon.Dispose();
        bool isGone = client.WaitForChange(StatusMask.None, client.Status, Patience, out _);
        Connection lost = clientDaemon.Open(PeerAddress.LoopbackIPv4(0)).Connect(accepted.LocalAddress);
        lost.TrySend("in vain"u8);
        DrainReport report = clientDaemon.Shutdown(TimeSpan.FromMilliseconds(50));

        Assert.That(isGone, Is.True);
        Assert.That(report.Undelivered.Single().Cause, Is.EqualTo(UndeliveredCause.NeverOpened));
    }

    private static Connection Connect(Daemon serverDaemon, Daemon clientDaemon, out Connection accepted)
    {
        Endpoint server = serverDaemon.Open(PeerAddress.LoopbackIPv4(0));
        server.Listen();
        Connection client = clientDaemon.Open(PeerAddress.LoopbackIPv4(0)).Connect(server.LocalAddress);
        accepted = server.Accept(Patience)!;
        Assert.That(client.WaitUntilOpen(Patience), Is.True, client.CloseReason?.ToString());
        return client;
    }

    /// <summary>The system's clock, plus what it was told to jump.</summary>
    private sealed class JumpingTime : TimeProvider
    {
        private long _jumped;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp()
            => System.GetElapsedTime(0).Ticks + Volatile.Read(ref _jumped);

        internal void Jump(TimeSpan span) => Interlocked.Add(ref _jumped, span.Ticks);
    }
}
