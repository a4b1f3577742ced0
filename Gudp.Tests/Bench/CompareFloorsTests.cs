using Gudp.Bench.Compare;
using Gudp.Bench.Load;
using Gudp.Bench.Transport;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

/// <summary>The judge, before made-up reports: what is just met, just missed, and not there.</summary>
[TestFixture]
public sealed class CompareFloorsTests
{
    // The table of the design: stream sizes with what of ENet's and of TCP's figure is the least.
    [TestCase(32, 6, 0.8)]
    [TestCase(256, 6, 0.7)]
    [TestCase(1_024, 8, 0.6)]
    [TestCase(16 * 1_024, 8, 0.6)]
    [TestCase(1_024 * 1_024, 8, 0.9)]
    public void A_stream_is_held_against_ENet_and_TCP(int bytes, double ofEnet, double ofTcp)
    {
        CompareRow enet = Rate(CompareCells.Stream(LoadSystems.Enet, bytes), 1_000);
        CompareRow tcp = Rate(CompareCells.Stream(LoadSystems.TcpCoalesced, bytes), 1_000);
        string work = FormattableString.Invariant($"stream of {bytes} B");

        FloorRow[] met = Judge(enet, tcp, Rate(CompareCells.Stream(LoadSystems.Gudp, bytes), 1_000 * ofEnet));
        FloorRow[] missed = Judge(enet, tcp, Rate(CompareCells.Stream(LoadSystems.Gudp, bytes), (1_000 * ofTcp) - 1));

        Assert.That(Find(met, $"{work}, over ENet"), Is.EqualTo((true, ofEnet)));
        Assert.That(Find(missed, $"{work}, over coalesced TCP").Passed, Is.False);
        Assert.That(missed.Single(floor => floor.Work == $"{work}, over coalesced TCP").Bound, Is.EqualTo(ofTcp));
    }

    [TestCase(false, "no offload")]
    [TestCase(true, "framework's socket")]
    public void Without_offload_the_payload_is_held_against_that_of_the_same_socket(bool isFrameworkOnly, string name)
    {
        CompareRow bare = Rate(CompareCells.BareStream(LoadSystems.RawUdp, 1_472, isFrameworkOnly), 1_000);
        CompareRow other = Rate(CompareCells.BareStream(LoadSystems.RawUdp, 1_472, !isFrameworkOnly), 1e9);
        LoadCell gudp = CompareCells.BareStream(LoadSystems.Gudp, 1_024, isFrameworkOnly);
        double met = 0.85 * 1_000 * 1_472 / 1_024;

        (bool Passed, double Value) just = Find(Judge(bare, other, Rate(gudp, met)), $"{name}, 1024 B, bytes over bare UDP");
        (bool Passed, double Value) less = Find(
            Judge(bare, other, Rate(gudp, met - 2)), $"{name}, 1024 B, bytes over bare UDP");

        Assert.That((just.Passed, less.Passed), Is.EqualTo((true, false)));
    }

    [TestCase(32, 0.12, true)]
    [TestCase(32, 0.1201, false)]
    public void The_processor_time_of_a_small_message_is_that_of_both_sides(int bytes, double microseconds, bool passes)
    {
        CompareRow row = Rate(CompareCells.Stream(LoadSystems.Gudp, bytes), 1) with { CpuUsPerMessage = One(microseconds) };

        Assert.That(Find(Judge(row), "CPU of both sides, us for 32 B"), Is.EqualTo((passes, microseconds)));
    }

    // 0.8 s for 10^9 bytes are 13.1072 us for 16 KB.
    [TestCase(13.10, true)]
    [TestCase(13.12, false)]
    public void The_processor_time_of_a_gigabyte_is_told_in_seconds(double microseconds, bool passes)
    {
        CompareRow row = Rate(CompareCells.Stream(LoadSystems.Gudp, 16 * 1_024), 1) with
        {
            CpuUsPerMessage = One(microseconds),
        };

        (bool passed, double value) = Find(Judge(row), "CPU of both sides, s/GB at 16 KB");

        Assert.That(passed, Is.EqualTo(passes));
        Assert.That(value, Is.EqualTo(0.8).Within(0.01));
    }

    [TestCase(0.0004, true)]
    [TestCase(1, false)]
    public void A_message_allocates_nothing(double bytes, bool passes)
    {
        CompareRow row = Rate(CompareCells.Stream(LoadSystems.Gudp, 256), 1) with { AllocBytesPerMessage = One(bytes) };

        Assert.That(Find(Judge(row), "bytes allocated for a message of 256 B").Passed, Is.EqualTo(passes));
    }

    [TestCase("poll", "round trip, caller polls, over bare UDP", LoadSystems.RawUdp, 1.5)]
    [TestCase("block", "round trip, blocking, over bare UDP", LoadSystems.RawUdp, 1.1)]
    [TestCase("block", "round trip, blocking, over ENet", LoadSystems.Enet, 1)]
    public void A_round_trip_is_held_against_those_that_wait_in_the_same_way(
        string waiting, string work, string other, double bound)
    {
        LoadWaiting way = waiting == "poll" ? LoadWaiting.Poll : LoadWaiting.Block;
        CompareRow theirs = Trip(CompareCells.Ask(other, way), 10);

        FloorRow[] met = Judge(theirs, Trip(CompareCells.Ask(LoadSystems.Gudp, way), 10 * bound));
        FloorRow[] missed = Judge(theirs, Trip(CompareCells.Ask(LoadSystems.Gudp, way), (10 * bound) + 0.1));

        Assert.That(Find(met, work), Is.EqualTo((true, bound)));
        Assert.That(Find(missed, work).Passed, Is.False);
    }

    [TestCase(450, true)]
    [TestCase(449, false)]
    public void A_thousand_connections_are_held_against_ZeroMQ(double rate, bool passes)
    {
        FloorRow[] floors = Judge(
            Rate(CompareCells.Crowd(LoadSystems.ZeroMq, 1_000), 1_000), Rate(CompareCells.Crowd(LoadSystems.Gudp, 1_000), rate));

        Assert.That(Find(floors, "1,000 connections to one, over ZeroMQ").Passed, Is.EqualTo(passes));
    }

    [Test]
    public void A_missing_peer_is_a_missed_floor_and_says_so()
    {
        FloorRow[] floors = Judge(Rate(CompareCells.Stream(LoadSystems.Gudp, 32), 1e9));

        Assert.That(Find(floors, "stream of 32 B, over ENet"), Is.EqualTo((false, -1.0)));
    }

    [Test]
    public void What_was_not_measured_is_missed()
    {
        IEnumerable<FloorRow> floors = Judge().Where(floor => floor.Id != "control");

        Assert.That(floors.Select(floor => floor.Id).Distinct(), Is.EqualTo(
            new[] { "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P11" }));
        Assert.That(floors.Select(floor => floor.Passed), Is.All.False);
    }

    // A peer that fails its own promise is not a peer to be compared with.
    [Test]
    public void An_error_of_any_system_is_missed()
    {
        FloorRow[] floors = Judge(Rate(CompareCells.Stream(LoadSystems.Enet, 32), 1) with { Errors = 1 });

        Assert.That(floors.Single(floor => floor.Id == "control").Passed, Is.False);
    }

    private static FloorRow[] Judge(params CompareRow[] rows) => [.. CompareFloors.Judge(new CompareReport { Rows = rows })];

    private static (bool Passed, double Value) Find(IEnumerable<FloorRow> floors, string work)
    {
        FloorRow floor = floors.Single(row => row.Work == work);
        return (floor.Passed, floor.Value);
    }

    private static CompareRow Rate(LoadCell cell, double perSecond) => CompareRow.Of(cell, [new LoadSample
    {
        MessagesPerSecond = perSecond,
        MegabytesPerSecond = perSecond * cell.Bytes / 1e6,
        Spans = new LatencyHistogram(),
        ProcessorMicroseconds = 1e9,
        AllocatedBytes = 1e9,
    }]);

    private static CompareRow Trip(LoadCell cell, double microseconds)
        => Rate(cell, 1) with { RttUsP50 = One(microseconds) };

    private static Rounds One(double value) => new(value, value, value);
}
