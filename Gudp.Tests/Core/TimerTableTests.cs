using Gudp.Core;
using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class TimerTableTests
{
    [Test]
    public void An_empty_table_never_fires()
    {
        TimerTable timers = new();

        Assert.That(timers.Next.IsNever, Is.True);
        Assert.That(timers.TryExpire(new Instant(long.MaxValue - 1), out _), Is.False);
        Assert.That(timers.TryExpire(Instant.Never, out _), Is.False);
    }

    [Test]
    public void The_soonest_fires_first_whatever_was_set_first()
    {
        TimerTable timers = new();
        timers.Set(TimerKind.Idle, new Instant(30));
        timers.Set(TimerKind.Heartbeat, new Instant(10));
        timers.Set(TimerKind.Loss, new Instant(20));

        TimerKind[] fired = ExpireAll(timers, new Instant(30));

        Assert.That(fired, Is.EqualTo(new[] { TimerKind.Heartbeat, TimerKind.Loss, TimerKind.Idle }));
        Assert.That(timers.Next.IsNever, Is.True);
    }

    [Test]
    public void A_deadline_fires_at_its_moment_and_not_one_tick_before()
    {
        TimerTable timers = new();
        timers.Set(TimerKind.Ack, new Instant(10));

        bool before = timers.TryExpire(new Instant(9), out _);
        bool at = timers.TryExpire(new Instant(10), out TimerKind kind);

        Assert.That(before, Is.False);
        Assert.That(at, Is.True);
        Assert.That(kind, Is.EqualTo(TimerKind.Ack));
    }

    [Test]
    public void All_up_to_now_fire_and_the_rest_stay()
    {
        TimerTable timers = new();
        timers.Set(TimerKind.Ack, new Instant(10));
        timers.Set(TimerKind.Pace, new Instant(11));
        timers.Set(TimerKind.Loss, new Instant(12));

        TimerKind[] fired = ExpireAll(timers, new Instant(11));

        Assert.That(fired, Is.EqualTo(new[] { TimerKind.Ack, TimerKind.Pace }));
        Assert.That(timers.Next, Is.EqualTo(new Instant(12)));
    }

    [Test]
    public void A_cleared_deadline_does_not_fire()
    {
        TimerTable timers = new();
        timers.Set(TimerKind.Ack, new Instant(10));
        timers.Set(TimerKind.Eager, new Instant(20));

        timers.Clear(TimerKind.Ack);

        Assert.That(timers.Next, Is.EqualTo(new Instant(20)));
        Assert.That(ExpireAll(timers, new Instant(100)), Is.EqualTo(new[] { TimerKind.Eager }));
    }

    [Test]
    public void A_kind_set_twice_fires_once_at_the_later_setting()
    {
        TimerTable timers = new();
        timers.Set(TimerKind.Loss, new Instant(10));
        timers.Set(TimerKind.Loss, new Instant(20));

        Assert.That(ExpireAll(timers, new Instant(19)), Is.Empty);
        Assert.That(ExpireAll(timers, new Instant(20)), Is.EqualTo(new[] { TimerKind.Loss }));
    }

    [Test]
    public void Setting_never_clears()
    {
        TimerTable timers = new();
        timers.Set(TimerKind.Loss, new Instant(10));

        timers.Set(TimerKind.Loss, Instant.Never);

        Assert.That(timers.Next.IsNever, Is.True);
    }

    [Test]
    public void Of_two_at_the_same_moment_the_end_of_the_connection_comes_first()
    {
        TimerTable timers = new();
        timers.Set(TimerKind.Heartbeat, new Instant(10));
        timers.Set(TimerKind.Idle, new Instant(10));

        Assert.That(ExpireAll(timers, new Instant(10)), Is.EqualTo(new[] { TimerKind.Idle, TimerKind.Heartbeat }));
    }

    [Test]
    public void Every_kind_has_its_own_deadline()
    {
        TimerTable timers = new();
        TimerKind[] kinds = Enum.GetValues<TimerKind>();

        foreach (TimerKind kind in kinds)
        {
            timers.Set(kind, new Instant(100 - (int)kind));
        }

        Assert.That(timers.Of(TimerKind.Pace), Is.EqualTo(new Instant(100 - (int)TimerKind.Pace)));
        Assert.That(ExpireAll(timers, new Instant(100)), Is.EqualTo(kinds.Reverse()));
    }

    private static TimerKind[] ExpireAll(TimerTable timers, Instant now)
    {
        List<TimerKind> fired = [];

        while (timers.TryExpire(now, out TimerKind kind))
        {
            fired.Add(kind);
        }

        return [.. fired];
    }
}
