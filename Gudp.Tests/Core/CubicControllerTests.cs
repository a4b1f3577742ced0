using Gudp.Core;
using Gudp.Core.Congestion;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class CubicControllerTests : LossBasedContractTests
{
    // K for a window of 100 packets reduced to 70: the cube root of 30 / 0.4 seconds.
    private static readonly TimeSpan ClimbFromSeventyToHundred = TimeSpan.FromSeconds(4.217);

    [Test]
    public void The_window_is_back_at_the_former_top_after_the_time_the_rfc_gives()
    {
        CongestionFlow flow = Flow(packets: 100);
        flow.LoseOne();

        flow.RunFor(ClimbFromSeventyToHundred);

        Assert.That(flow.Window / (double)PacketBytes, Is.EqualTo(100).Within(0.5));
    }

    [Test]
    public void Near_the_former_top_the_window_hardly_moves_and_then_grows_ever_faster()
    {
        CongestionFlow flow = Flow(packets: 100);
        flow.LoseOne();
        flow.RunFor(ClimbFromSeventyToHundred - TimeSpan.FromSeconds(1));
        int before = flow.Window;

        flow.RunFor(TimeSpan.FromSeconds(2));
        int around = flow.Window;
        flow.RunFor(TimeSpan.FromSeconds(2));

        Assert.That((around - before) / (double)PacketBytes, Is.EqualTo(0.8).Within(0.4));
        Assert.That((flow.Window - around) / (double)PacketBytes, Is.GreaterThan(8));
    }

    [Test]
    public void A_flow_that_lost_before_its_last_top_aims_lower()
    {
        TimeSpan longRoundTrip = TimeSpan.FromMilliseconds(500);
        CongestionFlow flow = new(Create(PacketBytes, 100), longRoundTrip);
        flow.LoseOne();
        flow.LoseOne();

        // 49 packets now, and a top of 70 x 0.85 = 59.5 instead of 70: the cube root of 10.5 / 0.4 seconds away.
        flow.RunFor(TimeSpan.FromSeconds(3));

        Assert.That(flow.Window / (double)PacketBytes, Is.EqualTo(59.5).Within(0.5));
    }

    [Test]
    public void On_a_short_path_the_window_grows_as_renos_would()
    {
        CongestionFlow flow = new(Create(PacketBytes, 100), TimeSpan.FromMilliseconds(1));
        flow.LoseOne();

        flow.RunRounds(20);

        // 3 x 0.3 / 1.7 packets in a round trip.
        Assert.That(flow.Window / (double)PacketBytes, Is.EqualTo(70 + (20 * 0.53)).Within(0.5));
    }

    [Test]
    public void In_a_round_trip_the_window_grows_by_half_at_most()
    {
        CongestionFlow flow = Flow(packets: 10);
        flow.LoseOne();
        flow.RunRounds(1);

        // A path so slow that the cubic would leap.
        flow.Advance(TimeSpan.FromSeconds(100));
        int before = flow.Window;
        flow.RunRounds(1);

        Assert.That(flow.Window, Is.EqualTo(before * 1.5).Within(0.15 * before));
    }

    [Test]
    public void Time_in_which_the_window_was_not_filled_does_not_count_as_growth()
    {
        CongestionFlow idle = Flow(packets: 100);
        idle.LoseOne();
        idle.RunRounds(2);
        int before = idle.Window;

        idle.Advance(TimeSpan.FromSeconds(60));
        idle.Acknowledge(PacketBytes, idle.Now, applicationLimited: true);
        idle.RunRounds(1);

        Assert.That((idle.Window - before) / (double)PacketBytes, Is.LessThan(4));
    }

    [Test]
    public void A_round_trip_that_grows_by_an_eighth_slows_the_start_and_five_rounds_later_ends_it()
    {
        CongestionFlow flow = Flow(packets: 10);
        flow.RunRounds(3);
        flow.RoundTrip = TimeSpan.FromMilliseconds(112.5);

        List<double> growth = GrowthOfRounds(flow, rounds: 8);

        // Eight samples into the first slower round the caution begins.
        Assert.That(growth[0], Is.InRange(1.25, 1.4));
        Assert.That(growth.Skip(1).Take(4), Has.All.EqualTo(1.25).Within(0.01));
        Assert.That(growth.Skip(6), Has.All.LessThan(1.1));
    }

    [Test]
    public void A_round_trip_that_grows_by_less_changes_nothing()
    {
        CongestionFlow flow = Flow(packets: 10);
        flow.RunRounds(3);
        flow.RoundTrip = TimeSpan.FromMilliseconds(112.4);

        Assert.That(GrowthOfRounds(flow, rounds: 5), Has.All.EqualTo(2).Within(0.01));
    }

    [Test]
    public void A_round_trip_that_shrinks_again_lets_slow_start_go_on()
    {
        CongestionFlow flow = Flow(packets: 10);
        flow.RunRounds(3);
        flow.RoundTrip = TimeSpan.FromMilliseconds(120);
        flow.RunRounds(2);
        flow.RoundTrip = OneRoundTrip;
        flow.RunRounds(1);

        Assert.That(GrowthOfRounds(flow, rounds: 3), Has.All.EqualTo(2).Within(0.01));
    }

    private protected override double KeptShare => 0.7;

    private protected override ICongestionController Create(int packetBytes, int initialPackets)
        => new CubicController(packetBytes, initialPackets);

    private static List<double> GrowthOfRounds(CongestionFlow flow, int rounds)
    {
        List<double> growth = [];

        for (int i = 0; i < rounds; i++)
        {
            double before = flow.Window;
            flow.RunRounds(1);
            growth.Add(flow.Window / before);
        }

        return growth;
    }
}
