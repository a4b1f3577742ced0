using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>What is left behind a full run of datagrams (P-5.4).</summary>
[TestFixture]
public sealed class RunRestTests
{
    private const int Segments = 16;
    private const int Packets = 20;

    [Test]
    public void It_waits_for_the_next_turn_while_turns_follow_each_other_at_once()
    {
        using SimWorld world = new(seed: 31, new SocketModel { MaxSegments = Segments });
        (Daemon daemon, Connection client) = Opened(world);
        Turn(daemon, 10);
        Send(client);

        long first = SentIn(daemon);
        TimeSpan until = daemon.UntilNextDeadline;
        long second = SentIn(daemon);

        Assert.That((first, second), Is.EqualTo((Segments, Packets - Segments)));
        Assert.That(until, Is.EqualTo(TimeSpan.FromMicroseconds(200)));
    }

    [Test]
    public void It_leaves_at_once_where_the_caller_runs_a_turn_now_and_then()
    {
        using SimWorld world = new(seed: 32, new SocketModel { MaxSegments = Segments });
        (Daemon daemon, Connection client) = Opened(world);
        Turn(daemon, 10);
        world.Run(TimeSpan.FromMilliseconds(5));
        Send(client);

        long first = SentIn(daemon);

        Assert.That(first, Is.EqualTo(Packets));
    }

    [Test]
    public void A_run_that_is_not_full_waits_for_nothing()
    {
        using SimWorld world = new(seed: 33, new SocketModel { MaxSegments = 64 });
        (Daemon daemon, Connection client) = Opened(world);
        Turn(daemon, 10);
        Send(client);

        long first = SentIn(daemon);

        Assert.That(first, Is.EqualTo(Packets));
    }

    private static (Daemon Daemon, Connection Client) Opened(SimWorld world)
    {
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(10) };
        Pair pair = world.AddConnectedPair(SimWorld.Plain with
        {
            Connections = SimWorld.Plain.Connections with
            {
                Congestion = new() { InitialWindowPackets = 100, Pacing = false },
                Path = new() { MaxPacketBytes = 1_200 },
            },
        });
        world.Run(TimeSpan.FromSeconds(1));
        return (pair.Left.Daemon, pair.Client);
    }

    private static void Send(Connection client)
    {
        for (int i = 0; i < Packets; i++)
        {
            Assert.That(client.TrySend(new byte[1_000], PacketDelivery.Unreliable), Is.EqualTo(SendStatus.Accepted));
        }
    }

    private static void Turn(Daemon daemon, int times)
    {
        for (int i = 0; i < times; i++)
        {
            daemon.ProcessIO();
        }
    }

    private static long SentIn(Daemon daemon)
    {
        long before = daemon.ReadCounters().DatagramsSent;
        daemon.ProcessIO();
        return daemon.ReadCounters().DatagramsSent - before;
    }
}
