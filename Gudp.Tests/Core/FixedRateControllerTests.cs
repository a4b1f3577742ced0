using Gudp.Core;
using Gudp.Core.Congestion;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class FixedRateControllerTests : CongestionContractTests
{
    private const long Rate = 2_500_000;

    [Test]
    public void The_rate_is_the_one_it_was_given_whatever_is_lost()
    {
        CongestionFlow flow = Flow(packets: 10);

        flow.LoseOne(persistent: true);

        Assert.That(flow.Controller.PacingBytesPerSecond, Is.EqualTo(Rate));
    }

    [Test]
    public void The_window_holds_four_round_trips_of_the_rate()
    {
        CongestionFlow flow = Flow(packets: 10);

        flow.RunRounds(1);

        Assert.That(flow.Window, Is.EqualTo(Rate * 4 / 10));
    }

    private protected override ICongestionController Create(int packetBytes, int initialPackets)
        => new FixedRateController(
            packetBytes,
            new CongestionConfig { InitialWindowPackets = initialPackets, FixedBytesPerSecond = Rate });
}
