using Gudp.Core;
using Gudp.Core.Congestion;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class TwoModeControllerTests : CongestionContractTests
{
    [Test]
    public void It_begins_in_bad_with_ten_packets_a_second()
        => Assert.That(Create(PacketBytes, 10).PacingBytesPerSecond, Is.EqualTo(10 * PacketBytes));

    [Test]
    public void Four_seconds_of_short_round_trips_lead_to_thirty_packets_a_second()
    {
        CongestionFlow flow = Flow(packets: 10);

        flow.RunFor(TimeSpan.FromSeconds(4));
        long before = flow.Controller.PacingBytesPerSecond;
        flow.RunFor(TimeSpan.FromSeconds(0.5));

        Assert.That(before, Is.EqualTo(10 * PacketBytes));
        Assert.That(flow.Controller.PacingBytesPerSecond, Is.EqualTo(30 * PacketBytes));
    }

    [Test]
    public void Long_round_trips_lead_back_to_bad_and_losses_do_not()
    {
        CongestionFlow flow = Flow(packets: 10);
        flow.RunFor(TimeSpan.FromSeconds(5));
        flow.LoseOne();
        long afterLoss = flow.Controller.PacingBytesPerSecond;

        flow.RoundTrip = TimeSpan.FromMilliseconds(300);
        flow.RunFor(TimeSpan.FromSeconds(5));

        Assert.That(afterLoss, Is.EqualTo(30 * PacketBytes));
        Assert.That(flow.Controller.PacingBytesPerSecond, Is.EqualTo(10 * PacketBytes));
    }

    [Test]
    public void Packets_are_what_is_counted() => Assert.That(Create(PacketBytes, 10).CountsPackets, Is.True);

    private protected override ICongestionController Create(int packetBytes, int initialPackets)
        => new TwoModeController(packetBytes, new CongestionConfig { InitialWindowPackets = initialPackets });
}
