using Gudp.Core;
using Gudp.Core.Engine;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>The search for the size of a path (P-9.1 to P-9.4), without packets: sizes in, sizes out.</summary>
[TestFixture]
public sealed class PathProbeTests
{
    private static readonly TimeSpan Raise = TimeSpan.FromSeconds(600);
    private static readonly Instant Start = new(1_000_000);

    private long _number;

    [Test]
    public void The_most_allowed_is_tried_first_and_one_probe_is_enough_where_it_passes()
    {
        PathProbe probe = Begun(most: 65_507);

        int wanted = probe.WantedBytes;
        int probes = Search(probe, carries: 65_507);

        Assert.That(wanted, Is.EqualTo(65_507));
        Assert.That(probes, Is.EqualTo(1));
        Assert.That(probe.PacketBytes, Is.EqualTo(65_507));
        Assert.That(probe.NextDeadline, Is.EqualTo(Instant.Never));
    }

    [TestCase(1_452, 1_472, 1_452)]
    [TestCase(1_452, 1_372, 1_372)]
    [TestCase(1_452, 1_252, 1_252)]
    [TestCase(1_452, 1_200, 1_200)]
    [TestCase(9_000, 8_972, 8_972)]
    [TestCase(65_507, 1_472, 1_472)]
    [TestCase(65_507, 65_488, 65_488)]
    [TestCase(65_507, 1_200, 1_200)]
    public void It_ends_at_what_networks_have(int most, int carries, int found)
    {
        PathProbe probe = Begun(most);

        int probes = Search(probe, carries);

        Assert.That(probe.PacketBytes, Is.EqualTo(found));
        Assert.That(probes, Is.LessThanOrEqualTo(40));
    }

    [Test]
    public void It_comes_within_a_part_in_sixteen_of_any_size([Values(1_452, 9_000, 65_507)] int most)
    {
        for (int carries = 1_200; carries <= most; carries += 37)
        {
            PathProbe probe = Begun(most);

            Search(probe, carries);

            Assert.That(probe.PacketBytes, Is.InRange(carries - Math.Max(16, carries / 16), carries));
        }
    }

    [Test]
    public void Three_losses_of_one_size_end_its_trial_and_two_do_not()
    {
        PathProbe probe = Begun(most: 1_452);

        Lose(probe);
        Lose(probe);
        int afterTwo = probe.WantedBytes;
        Lose(probe);

        Assert.That(afterTwo, Is.EqualTo(1_452));
        Assert.That(probe.WantedBytes, Is.InRange(1_201, 1_451));
    }

    [Test]
    public void A_size_is_wanted_by_one_probe_at_a_time()
    {
        PathProbe probe = Begun(most: 1_452);

        probe.OnSent(Next());

        Assert.That(probe.WantedBytes, Is.Zero);
    }

    [Test]
    public void A_search_that_ended_low_begins_anew_when_it_has_rested()
    {
        PathProbe probe = Begun(most: 1_452);
        Search(probe, carries: 1_372);

        probe.HandleTimeout(Start + (Raise - TimeSpan.FromSeconds(1)));
        int before = probe.WantedBytes;
        probe.HandleTimeout(Start + Raise);
        Search(probe, carries: 1_452);

        Assert.That(before, Is.Zero);
        Assert.That(probe.PacketBytes, Is.EqualTo(1_452));
    }

    [Test]
    public void A_black_hole_leads_back_to_1200_and_to_another_search()
    {
        PathProbe probe = Begun(most: 1_452);
        Search(probe, carries: 1_452);

        bool isLower = probe.OnBlackHole();
        int size = probe.PacketBytes;
        bool isReduced = probe.IsReduced;
        Search(probe, carries: 1_252);

        Assert.That(isLower, Is.True);
        Assert.That(size, Is.EqualTo(1_200));
        Assert.That(isReduced, Is.True);
        Assert.That(probe.PacketBytes, Is.EqualTo(1_252));
        Assert.That(probe.IsReduced, Is.True, "It was larger on this path.");
    }

    [Test]
    public void A_size_the_socket_refuses_is_refused_at_once()
    {
        PathProbe probe = Begun(most: 65_507);
        probe.OnSent(Next());

        bool isLower = probe.OnTooLarge(65_507, new PacketNumber(100), Start);
        int next = probe.WantedBytes;

        Assert.That(isLower, Is.False);
        Assert.That(next, Is.InRange(1_201, 65_506));
        Assert.That(probe.PacketBytes, Is.EqualTo(1_200));
    }

    [Test]
    public void A_size_in_use_that_the_socket_refuses_is_given_up_at_once()
    {
        PathProbe probe = Begun(most: 1_452);
        Search(probe, carries: 1_452);

        bool isLower = probe.OnTooLarge(1_452, new PacketNumber(100), Start);

        Assert.That(isLower, Is.True);
        Assert.That(probe.PacketBytes, Is.EqualTo(1_200));
        Assert.That(probe.WantedBytes, Is.InRange(1_201, 1_451));
    }

    // The proof of a black hole, acknowledged after the interface had become narrower (path sizes, seed 16).
    [Test]
    public void What_left_before_the_size_was_refused_does_not_bring_it_back()
    {
        PathProbe probe = Begun(most: 1_452);
        Search(probe, carries: 1_452);
        probe.OnTooLarge(1_452, new PacketNumber(1_000), Start);

        bool changedByOld = probe.OnAcked(new PacketNumber(999), 1_452, Start);
        bool changedByNew = probe.OnAcked(new PacketNumber(1_000), 1_452, Start);

        Assert.That(changedByOld, Is.False);
        Assert.That(changedByNew, Is.True);
    }

    [Test]
    public void What_every_path_carries_is_never_given_up()
    {
        PathProbe probe = Begun(most: 1_452);

        Assert.That(probe.OnTooLarge(1_200, new PacketNumber(100), Start), Is.False);
        Assert.That(probe.OnBlackHole(), Is.False);
        Assert.That(probe.PacketBytes, Is.EqualTo(1_200));
    }

    [Test]
    public void A_probe_that_was_only_late_counts_all_the_same()
    {
        PathProbe probe = Begun(most: 1_452);
        PacketNumber late = Next();
        probe.OnSent(late);
        probe.OnLost(late, Start);
        probe.OnSent(Next());

        bool isHigher = probe.OnAcked(late, 1_452, Start);

        Assert.That(isHigher, Is.True);
        Assert.That(probe.PacketBytes, Is.EqualTo(1_452));
        Assert.That(probe.WantedBytes, Is.Zero);
    }

    [Test]
    public void Any_order_of_facts_keeps_the_size_within_its_bounds([Range(1, 20)] int seed)
    {
        Prng draws = new((ulong)seed);
        int most = (int)draws.NextBetween(1_200, 65_507);
        PathProbe probe = Begun(most);
        Instant now = Start;

        for (int i = 0; i < 2_000; i++)
        {
            now += TimeSpan.FromSeconds(draws.NextBelow(200));

            switch (draws.NextBelow(7))
            {
                case 0 when probe.WantedBytes > 0:
                    probe.OnSent(Next());
                    break;
                case 1:
                    probe.OnAcked(new PacketNumber(draws.NextBetween(0, _number)), (int)draws.NextBelow(70_000), now);
                    break;
                case 2:
                    probe.OnLost(probe.OnItsWay, now);
                    break;
                case 3:
                    probe.OnTooLarge((int)draws.NextBelow(70_000), new PacketNumber(draws.NextBetween(0, _number)), now);
                    break;
                case 4 when draws.NextChance(100_000):
                    probe.OnBlackHole();
                    break;
                default:
                    probe.HandleTimeout(now);
                    break;
            }

            Assert.That(probe.PacketBytes, Is.InRange(1_200, most));
            Assert.That(probe.WantedBytes == 0 || probe.WantedBytes > probe.PacketBytes, Is.True);
            Assert.That(probe.WantedBytes, Is.LessThanOrEqualTo(most));
        }
    }

    private static PathProbe Begun(int most)
    {
        PathProbe probe = new(Raise);
        probe.Start(1_200, most);
        return probe;
    }

    private PacketNumber Next() => new(_number++);

    private void Lose(PathProbe probe)
    {
        PacketNumber number = Next();
        probe.OnSent(number);
        probe.OnLost(number, Start);
    }

    /// <summary>Runs a search over a path that carries so much.</summary>
    /// <returns>How many probes it took.</returns>
    private int Search(PathProbe probe, int carries)
    {
        int probes = 0;

        for (; probe.WantedBytes is int bytes and > 0 && probes < 1_000; probes++)
        {
            PacketNumber number = Next();
            probe.OnSent(number);

            if (bytes <= carries)
            {
                probe.OnAcked(number, bytes, Start);
            }
            else
            {
                probe.OnLost(number, Start);
            }
        }

        return probes;
    }
}
