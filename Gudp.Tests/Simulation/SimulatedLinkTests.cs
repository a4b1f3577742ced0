using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

/// <summary>What one direction does by its clock: outages, clogs and rates that change.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class SimulatedLinkTests
{
    private static readonly TimeSpan OneSecond = TimeSpan.FromSeconds(1);

    // One byte a tick in the fast time, one in ten ticks in the slow one: 60 fast ticks, then 40 slow ones.
    private static readonly LinkModel Changing = new()
    {
        RateBytesPerSecond = 10_000_000,
        SlowRateBytesPerSecond = 1_000_000,
        SlowEvery = TimeSpan.FromTicks(100),
        SlowFor = TimeSpan.FromTicks(40),
        QueueBytes = 1_000_000,
    };

    private readonly SimulatedLink _link = new(new LinkDraws(seed: 1, direction: 1), new LinkQueue());

    [TestCase(0, true)]
    [TestCase(4_999, true)]
    [TestCase(5_000, false)]
    [TestCase(6_999, false)]
    [TestCase(7_000, true)]
    [TestCase(12_000, false)]
    public void An_outage_is_the_last_part_of_every_period(int milliseconds, bool passes)
    {
        var model = new LinkModel { OutageEvery = 7 * OneSecond, OutageFor = 2 * OneSecond };
        var now = new Instant(TimeSpan.FromMilliseconds(milliseconds).Ticks);

        LinkVerdict verdict = _link.Send(model, 100, now, out _);

        Assert.That(verdict, Is.EqualTo(passes ? LinkVerdict.Passed : LinkVerdict.Out));
    }

    [Test]
    public void A_clog_holds_everything_and_lets_it_go_at_once_and_in_order()
    {
        LinkModel clogging = new() { ClogPpm = 1_000_000, ClogFor = OneSecond };
        LinkModel open = clogging with { ClogPpm = 0 };
        Instant release = default(Instant) + OneSecond;

        _link.Send(clogging, 100, default, out LinkTransit first);
        _link.Send(open, 100, new Instant(release.Ticks - 1), out LinkTransit last);
        _link.Send(open, 100, release, out LinkTransit after);

        Assert.That((first.Leaves, last.Leaves, after.Leaves), Is.EqualTo((release, release, release)));
        Assert.That((first.IsHeld, last.IsHeld, after.IsHeld), Is.EqualTo((true, true, false)));
    }

    [Test]
    public void A_clog_does_not_begin_within_another_or_nothing_would_ever_pass()
    {
        LinkModel clogging = new() { ClogPpm = 1_000_000, ClogFor = OneSecond };

        _link.Send(clogging, 100, default, out _);
        _link.Send(clogging, 100, default(Instant) + (0.5 * OneSecond), out LinkTransit within);

        Assert.That(within.Leaves, Is.EqualTo(default(Instant) + OneSecond));
    }

    [TestCase(0, 60, 60)]
    [TestCase(0, 61, 70)]
    [TestCase(0, 64, 100)]
    [TestCase(0, 65, 101)]
    [TestCase(0, 640, 1_000)]
    [TestCase(0, 645, 1_005)]
    [TestCase(80, 1, 90)]
    [TestCase(80, 2, 100)]
    [TestCase(80, 62, 160)]
    public void A_rate_that_changes_carries_each_byte_at_the_rate_of_its_moment(int at, int bytes, int leaves)
    {
        _link.Send(Changing, bytes, new Instant(at), out LinkTransit transit);

        Assert.That(transit.Leaves.Ticks, Is.EqualTo(leaves));
    }

    [Test]
    public void What_waits_drains_at_the_rate_of_each_moment()
    {
        LinkModel narrow = Changing with { QueueBytes = 200 };
        _link.Send(narrow, 200, default, out _);

        // By tick 130: 60 fast, 4 slow and 30 fast bytes are gone, so there is room for 94 and not for 95.
        LinkVerdict tooMany = _link.Send(narrow, 95, new Instant(130), out _);
        LinkVerdict room = _link.Send(narrow, 94, new Instant(130), out LinkTransit transit);

        Assert.That((tooMany, room), Is.EqualTo((LinkVerdict.QueueFull, LinkVerdict.Passed)));

        // 200 bytes: 30 until tick 160, 4 until 200, 64 until 300, 64 until 400, and 38 more.
        Assert.That(transit.Leaves.Ticks, Is.EqualTo(438));
    }

    [Test]
    public void A_faster_link_does_not_let_the_later_overtake()
    {
        LinkModel slow = new() { RateBytesPerSecond = 1_000 };
        _link.Send(slow, 1_000, default, out LinkTransit early);

        _link.Send(slow with { RateBytesPerSecond = 1_000_000 }, 1, new Instant(1), out LinkTransit late);

        Assert.That(early.Leaves, Is.EqualTo(default(Instant) + OneSecond));
        Assert.That(late.Leaves, Is.EqualTo(early.Leaves));
    }

    [Test]
    public void Only_what_comes_while_the_other_rate_holds_counts_as_slowed()
    {
        _link.Send(Changing, 1, new Instant(59), out LinkTransit fast);
        _link.Send(Changing, 1, new Instant(60), out LinkTransit slow);
        _link.Send(Changing with { RateBytesPerSecond = 0 }, 1, new Instant(60), out LinkTransit unlimited);

        Assert.That((fast.IsSlowed, slow.IsSlowed, unlimited.IsSlowed), Is.EqualTo((false, true, false)));
    }

    [Test]
    public void Links_with_one_bottleneck_wait_for_each_other_and_others_do_not([Values] bool isShared)
    {
        LinkModel model = new() { RateBytesPerSecond = 1_000, QueueBytes = 1_500 };
        SimulatedNetwork network = new(seed: 1) { DefaultLink = model, HasOneBottleneck = isShared };
        SimulatedHost first = network.AddHost();
        SimulatedHost second = network.AddHost();
        SimulatedHost target = network.AddHost();
        using IDatagramSocket one = first.Open(first.Address.WithPort(1), 0, 0);
        using IDatagramSocket two = second.Open(second.Address.WithPort(1), 0, 0);
        byte[] datagram = new byte[1_000];

        one.TrySend(datagram, datagram.Length, target.Address.WithPort(1));
        TimeSpan otherWaits = network.QueueDelayOf(second, target);
        two.TrySend(datagram, datagram.Length, target.Address.WithPort(1));

        Assert.That(otherWaits, Is.EqualTo(isShared ? OneSecond : TimeSpan.Zero));
        Assert.That(network.Faults.QueueDropped, Is.EqualTo(isShared ? 1 : 0));
    }
}
