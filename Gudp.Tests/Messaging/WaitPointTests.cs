using System;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class WaitPointTests
{
    [Test]
    public void What_is_left_of_a_millisecond_is_slept_through_and_not_spun_through()
    {
        TimeSpan rest = TimeSpan.FromTicks(1);

        int milliseconds = WaitPoint.NextMilliseconds(rest);

        Assert.That(milliseconds, Is.EqualTo(1));
    }

    [Test]
    public void Whole_milliseconds_are_waited_as_they_are()
    {
        TimeSpan twoMilliseconds = TimeSpan.FromMilliseconds(2);

        int milliseconds = WaitPoint.NextMilliseconds(twoMilliseconds);

        Assert.That(milliseconds, Is.EqualTo(2));
    }

    [TestCase(0)]
    [TestCase(-1)]
    public void A_time_that_is_over_is_not_waited_for(long ticks)
    {
        TimeSpan over = TimeSpan.FromTicks(ticks);

        int milliseconds = WaitPoint.NextMilliseconds(over);

        Assert.That(milliseconds, Is.Zero);
    }

    [Test]
    public void The_longest_time_is_waited_in_parts_that_the_system_takes()
    {
        int milliseconds = WaitPoint.NextMilliseconds(TimeSpan.MaxValue);

        Assert.That(TimeSpan.FromMilliseconds(milliseconds), Is.EqualTo(TimeSpan.FromHours(1)));
    }
}
