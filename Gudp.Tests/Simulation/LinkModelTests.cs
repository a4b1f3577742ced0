using Gudp.Core;
using Gudp.Core.Simulation;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

[TestFixture]
public sealed class LinkModelTests
{
    private const int Packets = 20_000;
    private const int TenPercent = 100_000;

    private static readonly LinkModel AllFaults = new()
    {
        Delay = TimeSpan.FromMilliseconds(20),
        Jitter = TimeSpan.FromMilliseconds(5),
        LossPpm = TenPercent,
        BurstPpm = TenPercent / 10,
        DuplicatePpm = TenPercent,
        DuplicateBy = TimeSpan.FromSeconds(1),
        ReorderPpm = TenPercent,
        CorruptPpm = TenPercent,
    };

    private static readonly LinkDraws Draws = new(seed: 1, direction: 2);

    private static IEnumerable<TestCaseData> Chances()
    {
        yield return Chance("loss", new LinkModel { LossPpm = TenPercent }, fate => fate.IsLost);
        yield return Chance("duplicate", new LinkModel { DuplicatePpm = TenPercent }, fate => fate.IsDuplicated);
        yield return Chance("reorder", new LinkModel { ReorderPpm = TenPercent }, fate => fate.IsReordered);
        yield return Chance("corrupt", new LinkModel { CorruptPpm = TenPercent }, fate => fate.IsCorrupted);
    }

    private static TestCaseData Chance(string fault, LinkModel model, Func<PacketFate, bool> happened)
        => new TestCaseData(model, happened).SetArgDisplayNames(fault);

    [TestCaseSource(nameof(Chances))]
    public void A_fault_happens_as_often_as_asked(LinkModel model, Func<PacketFate, bool> happened)
    {
        int hits = Fates(Draws, model).Count(happened);

        // Ten standard deviations of the binomial distribution are 424.
        Assert.That(hits, Is.EqualTo(Packets / 10).Within(424));
    }

    [TestCaseSource(nameof(Chances))]
    public void A_fault_does_not_happen_unless_asked(LinkModel model, Func<PacketFate, bool> happened)
    {
        Assert.That(model, Is.Not.EqualTo(LinkModel.Perfect));

        Assert.That(Fates(Draws, LinkModel.Perfect).Any(happened), Is.False);
    }

    [Test]
    public void A_perfect_link_does_nothing_at_all()
        => Assert.That(Fates(Draws, LinkModel.Perfect), Is.All.EqualTo(default(PacketFate)));

    [Test]
    public void A_certain_loss_spares_nobody()
    {
        var model = new LinkModel { LossPpm = 1_000_000 };

        Assert.That(Fates(Draws, model).All(fate => fate.IsLost), Is.True);
    }

    [Test]
    public void Jitter_stays_within_its_bounds_and_uses_them()
    {
        var model = new LinkModel { Delay = TimeSpan.FromTicks(1_000), Jitter = TimeSpan.FromTicks(9) };

        long[] delays = [.. Fates(Draws, model).Select(fate => fate.Delay.Ticks)];

        Assert.That(delays.Distinct().Order(), Is.EqualTo(Enumerable.Range(1_000, 10)));
    }

    [Test]
    public void A_held_back_datagram_is_held_exactly_so_long()
    {
        var model = new LinkModel
        {
            Delay = TimeSpan.FromTicks(100),
            ReorderPpm = TenPercent,
            ReorderBy = TimeSpan.FromTicks(7),
        };

        Assert.That(
            Fates(Draws, model),
            Is.All.Matches<PacketFate>(fate => fate.Delay.Ticks == (fate.IsReordered ? 107 : 100)));
    }

    [Test]
    public void Bursts_take_neighbours_up_to_their_length()
    {
        var model = new LinkModel { BurstPpm = 1_000, BurstPackets = 5 };

        List<int> runs = LossRuns(Fates(Draws, model));

        Assert.That(runs, Has.Some.EqualTo(5).And.Some.EqualTo(1));
        Assert.That(runs.Average(), Is.EqualTo(3).Within(1));
    }

    [TestCase("jitter")]
    [TestCase("burst")]
    [TestCase("duplicate")]
    [TestCase("reorder")]
    [TestCase("corrupt")]
    public void Switching_one_fault_off_moves_no_other(string off)
    {
        LinkModel fewer = off switch
        {
            "jitter" => AllFaults with { Jitter = TimeSpan.Zero },
            "burst" => AllFaults with { BurstPpm = 0 },
            "duplicate" => AllFaults with { DuplicatePpm = 0 },
            "reorder" => AllFaults with { ReorderPpm = 0 },
            _ => AllFaults with { CorruptPpm = 0 },
        };

        for (int packet = 0; packet < Packets / 10; packet++)
        {
            PacketFate all = Draws.Decide(AllFaults, packet);
            PacketFate some = Draws.Decide(fewer, packet);

            // A lost datagram has no other fate, so only the burst changes who is seen at all.
            if (all.IsLost)
            {
                Assert.That(off == "burst" || some.IsLost, Is.True);
                continue;
            }

            Assert.That(some.IsLost, Is.False);
            Assert.That(some.IsDuplicated, Is.EqualTo(off != "duplicate" && all.IsDuplicated));
            Assert.That(some.IsReordered, Is.EqualTo(off != "reorder" && all.IsReordered));
            Assert.That(some.IsCorrupted, Is.EqualTo(off != "corrupt" && all.IsCorrupted));
        }
    }

    [Test]
    public void A_higher_chance_hits_the_same_and_more()
    {
        var rare = new LinkModel { LossPpm = TenPercent };
        var often = new LinkModel { LossPpm = 3 * TenPercent };

        Assert.That(
            Enumerable.Range(0, Packets).Where(packet => Draws.Decide(rare, packet).IsLost),
            Is.SubsetOf(Enumerable.Range(0, Packets).Where(packet => Draws.Decide(often, packet).IsLost)));
    }

    [TestCase(2UL, 2UL)]
    [TestCase(1UL, 3UL)]
    public void Another_seed_or_direction_hits_others(ulong seed, ulong direction)
        => Assert.That(Fates(new LinkDraws(seed, direction), AllFaults), Is.Not.EqualTo(Fates(Draws, AllFaults)));

    // A change of the hash changes every kept seed; these numbers make that visible.
    [Test]
    public void The_draws_are_the_same_on_every_platform_and_in_every_version()
    {
        var model = new LinkModel { LossPpm = 200_000 };

        int[] lost = [.. Enumerable.Range(0, 40).Where(packet => new LinkDraws(1, 0).Decide(model, packet).IsLost)];

        Assert.That(lost, Is.EqualTo(new[] { 3, 6, 13, 18, 19, 20, 22, 25, 32, 38 }));
    }

    [Test]
    public void Damage_always_shows([Values(1, 2, 3, 17, 1200)] int bytes)
    {
        byte[] original = new byte[bytes];
        byte[] damaged = new byte[bytes];

        for (int packet = 0; packet < 2_000; packet++)
        {
            damaged.AsSpan().Clear();

            int length = Draws.Corrupt(packet, damaged);

            Assert.That(length, Is.InRange(0, bytes));
            Assert.That(length < bytes || !damaged.AsSpan().SequenceEqual(original), Is.True);
        }
    }

    [Test]
    public void A_clog_begins_as_often_as_asked_and_whatever_else_happens()
    {
        var model = new LinkModel { ClogPpm = TenPercent };

        bool[] alone = [.. Enumerable.Range(0, Packets).Select(packet => Draws.BeginsClog(model, packet))];
        bool[] among = [.. Enumerable.Range(0, Packets)
            .Select(packet => Draws.BeginsClog(AllFaults with { ClogPpm = TenPercent }, packet))];

        Assert.That(alone.Count(begins => begins), Is.EqualTo(Packets / 10).Within(424));
        Assert.That(among, Is.EqualTo(alone));
        Assert.That(Draws.BeginsClog(LinkModel.Perfect, 0), Is.False);
    }

    [Test]
    public void Damage_does_not_touch_an_empty_datagram()
        => Assert.That(Draws.Corrupt(0, []), Is.Zero);

    [Test]
    public void Every_drawn_model_is_valid_and_takes_the_same_number_of_draws()
    {
        for (ulong seed = 0; seed < 500; seed++)
        {
            var draws = new Prng(seed);
            var counted = new Prng(seed);

            LinkModel.Drawn(draws).Validate();
            const int DrawsOfAModel = 31;

            for (int i = 0; i < DrawsOfAModel; i++)
            {
                counted.NextUInt64();
            }

            Assert.That(draws.NextUInt64(), Is.EqualTo(counted.NextUInt64()), $"seed {seed}");
        }
    }

    private static IEnumerable<TestCaseData> InvalidModels()
    {
        yield return new TestCaseData(new LinkModel { LossPpm = 1_000_001 }, nameof(LinkModel.LossPpm));
        yield return new TestCaseData(new LinkModel { LossPpm = -1 }, nameof(LinkModel.LossPpm));
        yield return new TestCaseData(new LinkModel { Delay = TimeSpan.FromTicks(-1) }, nameof(LinkModel.Delay));
        yield return new TestCaseData(new LinkModel { BurstPackets = 0 }, nameof(LinkModel.BurstPackets));
        yield return new TestCaseData(new LinkModel { BurstPackets = 65 }, nameof(LinkModel.BurstPackets));
        yield return new TestCaseData(new LinkModel { LargestBytes = 65_508 }, nameof(LinkModel.LargestBytes));
        yield return new TestCaseData(new LinkModel { OutageFor = TimeSpan.FromTicks(1) }, nameof(LinkModel.OutageEvery));
        yield return new TestCaseData(new LinkModel { SlowFor = TimeSpan.FromTicks(1) }, nameof(LinkModel.SlowEvery));
        yield return new TestCaseData(new LinkModel { SlowRateBytesPerSecond = -1 }, nameof(LinkModel.SlowRateBytesPerSecond));
        yield return new TestCaseData(new LinkModel { ClogPpm = 1_000_001 }, nameof(LinkModel.ClogPpm));
        yield return new TestCaseData(new LinkModel { ClogFor = TimeSpan.FromTicks(-1) }, nameof(LinkModel.ClogFor));
    }

    [TestCaseSource(nameof(InvalidModels))]
    public void A_value_out_of_range_is_refused_by_name(LinkModel model, string property)
    {
        ArgumentOutOfRangeException refusal = Assert.Throws<ArgumentOutOfRangeException>(model.Validate)!;

        Assert.That(refusal.ParamName, Is.EqualTo(property));
    }

    private static PacketFate[] Fates(LinkDraws draws, LinkModel model)
        => [.. Enumerable.Range(0, Packets).Select(packet => draws.Decide(model, packet))];

    private static List<int> LossRuns(PacketFate[] fates)
    {
        var runs = new List<int>();
        int run = 0;

        foreach (PacketFate fate in fates)
        {
            if (fate.IsLost)
            {
                run++;
            }
            else if (run > 0)
            {
                runs.Add(run);
                run = 0;
            }
        }

        return runs;
    }
}
