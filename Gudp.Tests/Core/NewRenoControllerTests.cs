using Gudp.Core.Congestion;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class NewRenoControllerTests : LossBasedContractTests
{
    [Test]
    public void Congestion_avoidance_grows_by_one_packet_in_a_round_trip()
    {
        CongestionFlow flow = Flow(packets: 100);
        flow.LoseOne();

        flow.RunRounds(10);

        Assert.That(flow.Window, Is.EqualTo(60 * PacketBytes).Within(PacketBytes));
    }

    private protected override double KeptShare => 0.5;

    private protected override ICongestionController Create(int packetBytes, int initialPackets)
        => new NewRenoController(packetBytes, initialPackets);
}
