using Gudp.Core.Congestion;
using NUnit.Framework;

namespace Gudp.Tests.Core;

// P-5.6
[TestFixture]
public sealed class ChanceLossTests
{
    private const int PacketBytes = 1200;
    private const int BlockBytes = 256 * PacketBytes;
    private const int Million = 1_000_000;

    [Test]
    public void Nothing_seen_is_nothing_lost()
    {
        ChanceLoss chance = new();

        Assert.That(chance.Ppm(Million), Is.Zero);
    }

    [Test]
    public void The_first_packets_give_a_share_at_once()
    {
        ChanceLoss chance = new();

        chance.OnReport(acked: 3 * PacketBytes, lost: PacketBytes, PacketBytes);

        Assert.That(chance.Ppm(Million), Is.EqualTo(250_000));
    }

    [Test]
    public void A_block_with_more_losses_than_the_one_before_changes_nothing()
    {
        ChanceLoss chance = new();
        AddBlock(chance, lostPercent: 10);

        AddBlock(chance, lostPercent: 30);

        Assert.That(chance.Ppm(Million), Is.EqualTo(100_000));
    }

    [Test]
    public void Two_blocks_with_more_losses_show_that_the_path_has_changed()
    {
        ChanceLoss chance = new();
        AddBlock(chance, lostPercent: 10);

        AddBlock(chance, lostPercent: 30);
        AddBlock(chance, lostPercent: 20);

        Assert.That(chance.Ppm(Million), Is.EqualTo(200_000));
    }

    [Test]
    public void One_block_with_fewer_losses_is_enough()
    {
        ChanceLoss chance = new();
        AddBlock(chance, lostPercent: 20);
        AddBlock(chance, lostPercent: 20);

        AddBlock(chance, lostPercent: 0);

        Assert.That(chance.Ppm(Million), Is.Zero);
    }

    [Test]
    public void The_share_is_never_more_than_asked_for()
    {
        ChanceLoss chance = new();

        AddBlock(chance, lostPercent: 90);

        Assert.That(chance.Ppm(most: 20_000), Is.EqualTo(20_000));
    }

    private static void AddBlock(ChanceLoss chance, int lostPercent)
    {
        int lost = BlockBytes * lostPercent / 100;
        chance.OnReport(BlockBytes - lost, lost, PacketBytes);
    }
}
