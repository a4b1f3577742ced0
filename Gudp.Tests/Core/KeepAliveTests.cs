using Gudp.Core;
using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>When heartbeats leave and when a silent peer is given up (P-6).</summary>
[TestFixture]
public sealed class KeepAliveTests
{
    private static readonly Instant Start = new(TimeSpan.TicksPerSecond);

    private static readonly ConnectionConfig Config = new()
    {
        IdleTimeout = Seconds(10),
        HeartbeatStart = Seconds(2),
        HeartbeatInterval = Seconds(1),
    };

    // P-6.1
    [Test]
    public void The_first_heartbeat_goes_after_the_start_and_the_next_ones_after_the_interval()
    {
        KeepAlive alive = Opened(Config);
        Instant first = alive.HeartbeatDeadline;

        alive.OnHeartbeat(first);
        alive.OnSent(hasPayload: false, first);

        Assert.That(first, Is.EqualTo(Start + Seconds(2)));
        Assert.That(alive.HeartbeatDeadline, Is.EqualTo(Start + Seconds(3)));
    }

    [Test]
    public void Silence_of_the_peer_brings_heartbeats_although_we_acknowledge()
    {
        KeepAlive alive = Opened(Config);

        alive.OnSent(hasPayload: false, Start + Seconds(1.5));

        Assert.That(alive.HeartbeatDeadline, Is.EqualTo(Start + Seconds(2)));
    }

    [Test]
    public void No_heartbeat_goes_while_payload_asks_the_peer_for_an_answer()
    {
        KeepAlive alive = Opened(Config);

        alive.OnSent(hasPayload: true, Start + Seconds(1.5));

        Assert.That(alive.HeartbeatDeadline, Is.EqualTo(Start + Seconds(3.5)));
    }

    [TestCase(3, 1)]
    [TestCase(6, 2)]
    [TestCase(60, 3)]
    public void Three_heartbeats_fit_into_the_peers_time_out(double peerIdle, double expected)
    {
        KeepAlive alive = new(Config with { HeartbeatStart = Seconds(3), HeartbeatInterval = Seconds(3) });

        alive.OnOpened(Seconds(peerIdle), Start);

        Assert.That(alive.HeartbeatDeadline, Is.EqualTo(Start + Seconds(expected)));
    }

    [TestCase(0, false, 10, ExpectedResult = false, TestName = "Nothing to deliver: the idle time-out ends it")]
    [TestCase(0, true, 10, ExpectedResult = true, TestName = "Something to deliver: it waits on")]
    [TestCase(0, true, 19.9, ExpectedResult = true, TestName = "Up to twice the idle time-out")]
    [TestCase(0, true, 20, ExpectedResult = false, TestName = "And no longer")]
    [TestCase(60, true, 59.9, ExpectedResult = true, TestName = "A longer patience can be configured")]
    [TestCase(60, true, 60, ExpectedResult = false, TestName = "A longer patience ends too")]
    [TestCase(5, true, 10, ExpectedResult = false, TestName = "One below the idle time-out extends nothing")]
    public bool Waiting_on(double unfinishedTimeout, bool hasUnfinished, double silence)
    {
        KeepAlive alive = Opened(Config with { UnfinishedTimeout = Seconds(unfinishedTimeout) });

        return alive.ShouldWaitOn(hasUnfinished, Start + Seconds(silence), out _);
    }

    [TestCase(10, 11)]
    [TestCase(19.5, 20)]
    public void It_asks_again_at_the_next_heartbeat_and_at_the_hard_end(double silence, double expected)
    {
        KeepAlive alive = Opened(Config);

        alive.ShouldWaitOn(hasUnfinished: true, Start + Seconds(silence), out Instant askAgain);

        Assert.That(askAgain, Is.EqualTo(Start + Seconds(expected)));
    }

    private static KeepAlive Opened(in ConnectionConfig config)
    {
        KeepAlive alive = new(config);
        alive.OnOpened(peerIdleTimeout: Seconds(60), Start);
        return alive;
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
