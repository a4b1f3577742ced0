using Gudp.Bench.Load;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

/// <summary>The check behind every measured rate: it must find what a system does not allow, and nothing else.</summary>
[TestFixture]
public sealed class ArrivalsTests
{
    [TestCase(LaneMode.OrderedReliable, new long[] { 0, 1, 2 }, ExpectedResult = 0)]
    [TestCase(LaneMode.OrderedReliable, new long[] { 0, 2, 1 }, ExpectedResult = 2)]
    [TestCase(LaneMode.OrderedReliable, new long[] { 0, 1, 1 }, ExpectedResult = 1)]
    [TestCase(LaneMode.OrderedReliable, new long[] { 1, 2, 3 }, ExpectedResult = 1)]
    [TestCase(LaneMode.UnorderedReliable, new long[] { 2, 0, 1 }, ExpectedResult = 0)]
    [TestCase(LaneMode.UnorderedReliable, new long[] { 2, 0, 2 }, ExpectedResult = 1)]
    [TestCase(LaneMode.SequencedReliable, new long[] { 0, 2 }, ExpectedResult = 0)]
    [TestCase(LaneMode.SequencedReliable, new long[] { 2, 0 }, ExpectedResult = 1)]
    [TestCase(LaneMode.SequencedUnreliable, new long[] { 1, 1 }, ExpectedResult = 1)]
    [TestCase(LaneMode.Unreliable, new long[] { 2, 0 }, ExpectedResult = 0)]
    [TestCase(LaneMode.Unreliable, new long[] { 0, 0 }, ExpectedResult = 1)]
    [TestCase(LaneMode.Unreliable, new long[] { -1 }, ExpectedResult = 1)]
    public long What_a_mode_does_not_allow_is_counted(LaneMode mode, long[] numbers)
    {
        Arrivals arrivals = new(Cell(LoadSystems.Gudp, mode));

        foreach (long number in numbers)
        {
            arrivals.Take(number);
        }

        return arrivals.Errors;
    }

    [TestCase(LoadSystems.Gudp, LaneMode.OrderedReliable, ExpectedResult = 1)]
    [TestCase(LoadSystems.Gudp, LaneMode.UnorderedReliable, ExpectedResult = 1)]
    [TestCase(LoadSystems.Gudp, LaneMode.SequencedReliable, ExpectedResult = 0)]
    [TestCase(LoadSystems.Gudp, LaneMode.Unreliable, ExpectedResult = 0)]
    [TestCase(LoadSystems.RawUdp, LaneMode.OrderedReliable, ExpectedResult = 0)]
    [TestCase(LoadSystems.Tcp, LaneMode.OrderedReliable, ExpectedResult = 1)]
    [TestCase(LoadSystems.Enet, LaneMode.OrderedReliable, ExpectedResult = 1)]
    [TestCase(LoadSystems.ZeroMq, LaneMode.OrderedReliable, ExpectedResult = 1)]
    public long A_missing_message_is_an_error_where_none_may_be(string system, LaneMode mode)
    {
        Arrivals arrivals = new(Cell(system, mode));
        arrivals.Take(0);

        arrivals.End(sent: 2);

        Assert.That((arrivals.Lost, arrivals.HasEnded), Is.EqualTo((1L, true)));
        return arrivals.Errors;
    }

    [Test]
    public void Only_the_first_end_counts()
    {
        Arrivals arrivals = new(Cell(LoadSystems.RawUdp, LaneMode.OrderedReliable));
        arrivals.Take(0);

        arrivals.End(sent: 5);
        arrivals.End(sent: 9);

        Assert.That(arrivals.Lost, Is.EqualTo(4));
    }

    [Test]
    public void The_first_fault_is_told_with_what_was_due()
    {
        Arrivals arrivals = new(Cell(LoadSystems.Gudp, LaneMode.OrderedReliable));

        arrivals.Take(0);
        arrivals.Take(7);
        arrivals.Take(3);

        Assert.That(arrivals.Fault, Is.EqualTo("7 came when 1 was due"));
    }

    // Bare datagrams promise nothing, and a relay doubles some.
    [TestCase("", 1)]
    [TestCase("bad", 0)]
    public void Bare_datagrams_come_twice_only_through_a_relay(string impairment, long errors)
    {
        Arrivals arrivals = new(Cell(LoadSystems.RawUdp, LaneMode.OrderedReliable) with { Impairment = impairment });

        arrivals.Take(4);
        arrivals.Take(4);

        Assert.That(arrivals.Errors, Is.EqualTo(errors));
    }

    private static LoadCell Cell(string system, LaneMode mode)
        => new(system, LoadWork.OneWay, 64, 1) { Gudp = new GudpChoices { Mode = mode } };
}
