using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>P-4.1: how much may be offered beside what waits for its fate.</summary>
[TestFixture]
public sealed class EagerBudgetTests
{
    private const int PacketBytes = 1200;

    [Test]
    public void A_fresh_connection_may_repeat_three_packets()
    {
        EagerBudget budget = new();

        int repeated = Repeat(budget, atMost: 100);

        Assert.That(repeated, Is.EqualTo(3));
    }

    [Test]
    public void After_that_each_repetition_needs_four_packets_sent()
    {
        EagerBudget budget = new();
        Repeat(budget, atMost: 100);

        budget.OnSent(3 * PacketBytes);
        bool afterThree = budget.Allows(PacketBytes);
        budget.OnSent(PacketBytes);
        bool afterFour = budget.Allows(PacketBytes);

        Assert.That(afterThree, Is.False);
        Assert.That(afterFour, Is.True);
    }

    [Test]
    public void Over_a_long_run_repetitions_stay_at_a_quarter()
    {
        EagerBudget budget = new();
        int repeated = 0;

        for (int i = 0; i < 100_000; i++)
        {
            budget.OnSent(PacketBytes);
            repeated += Repeat(budget, atMost: 100);
        }

        Assert.That(repeated, Is.InRange(24_000, 25_003));
    }

    [Test]
    public void A_quiet_past_earns_a_burst_of_limited_size()
    {
        EagerBudget budget = new();

        budget.OnSent(int.MaxValue);
        budget.OnSent(0);

        for (int i = 0; i < 100; i++)
        {
            budget.OnSent(PacketBytes);
        }

        Assert.That(Repeat(budget, atMost: 1_000), Is.LessThanOrEqualTo((1 << 16) / PacketBytes));
    }

    // The path shrank: what is repeated was packed while packets were larger than they may be now.
    [Test]
    public void One_packet_of_before_a_smaller_size_may_exceed_the_share_and_the_next_ones_make_up_for_it()
    {
        const int FormerBytes = 4_000;
        const int GiftBytes = 3 * PacketBytes;
        EagerBudget budget = new();
        budget.OnOffered(PacketBytes);
        budget.OnOffered(PacketBytes);

        bool beforeIt = budget.Allows(PacketBytes);
        budget.OnOffered(FormerBytes);
        bool afterIt = budget.Allows(0);
        int offered = (2 * PacketBytes) + FormerBytes + PacketBytes;
        budget.OnSent((4 * (offered - GiftBytes)) - 1);
        bool almostMadeUp = budget.Allows(PacketBytes);
        budget.OnSent(1);
        bool madeUp = budget.Allows(PacketBytes);

        Assert.That(beforeIt, Is.True);
        Assert.That(afterIt, Is.False);
        Assert.That(almostMadeUp, Is.False);
        Assert.That(madeUp, Is.True);
    }

    private static int Repeat(EagerBudget budget, int atMost)
    {
        int repeated = 0;

        while (repeated < atMost && budget.Allows(PacketBytes))
        {
            budget.OnOffered(PacketBytes);
            repeated++;
        }

        return repeated;
    }
}
