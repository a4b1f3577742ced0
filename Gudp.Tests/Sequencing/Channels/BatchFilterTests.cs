using Gudp.Sequencing;
using Gudp.Sequencing.Channels;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Channels;

[TestFixture]
public sealed class BatchFilterTests
{
    [Test]
    public void Each_policy_keeps_what_it_says()
    {
        int[] batch = [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4];
        BatchFilter filter = new(
        [
            BufferPolicy.All, BufferPolicy.None, BufferPolicy.Latest, BufferPolicy.Newest(2), BufferPolicy.Oldest(2),
        ]);
        bool[] kept = new bool[batch.Length];

        int count = filter.Mark(batch, kept);

        int[] places = [.. Enumerable.Range(0, batch.Length).Where(i => kept[i])];
        Assert.That(places, Is.EqualTo(new[] { 0, 4, 5, 8, 9, 10, 12, 13 }));
        Assert.That(count, Is.EqualTo(8));
    }

    [Test]
    public void What_a_call_keeps_depends_on_its_batch_alone()
    {
        int[] batch = [0, 1, 0, 1, 0, 1];
        BatchFilter filter = new([BufferPolicy.Newest(2), BufferPolicy.Oldest(2)]);
        bool[] first = new bool[batch.Length];
        bool[] second = new bool[batch.Length];

        filter.Mark(batch, first);
        filter.Mark(batch, second);

        Assert.That(second, Is.EqualTo(first));
        Assert.That(first, Is.EqualTo(new[] { false, true, true, true, true, false }));
    }

    [Test]
    public void An_interest_switched_off_keeps_nothing_and_switched_on_again_what_it_did()
    {
        BatchFilter filter = new([BufferPolicy.All, BufferPolicy.All]);
        bool[] kept = new bool[3];
        bool wasIdle = filter.KeepsAll;

        filter[1] = BufferPolicy.None;
        int off = filter.Mark([0, 1, 1], kept);
        bool isIdle = filter.KeepsAll;
        filter[1] = BufferPolicy.All;

        Assert.That((wasIdle, isIdle, filter.KeepsAll), Is.EqualTo((true, false, true)));
        Assert.That((off, filter.Mark([0, 1, 1], kept)), Is.EqualTo((1, 3)));
    }

    [Test]
    public void It_keeps_the_same_as_a_naive_filter([Range(1, 60)] int seed)
    {
        Random random = new(seed);
        BufferPolicy[] policies = [.. Enumerable.Range(0, random.Next(1, 9)).Select(_ => DrawPolicy(random))];
        BatchFilter filter = new(policies);

        for (int round = 0; round < 20; round++)
        {
            int[] batch = [.. Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(policies.Length))];
            bool[] kept = [.. batch.Select(_ => random.Next(2) == 0)];
            bool[] expected = KeepNaively(batch, policies);

            int count = filter.Mark(batch, kept);

            Assert.That(kept, Is.EqualTo(expected));
            Assert.That(count, Is.EqualTo(expected.Count(isKept => isKept)));
            Assert.That(policies.All(policy => policy.KeepsAll), Is.EqualTo(filter.KeepsAll));
        }
    }

    [Test]
    public void The_number_of_a_policy_stands_for_it_and_for_no_other()
    {
        //
        BufferPolicy[] policies =
        [
            BufferPolicy.All, BufferPolicy.None, BufferPolicy.Latest, BufferPolicy.Oldest(1), BufferPolicy.Newest(2),
            BufferPolicy.Newest(BufferPolicy.MaxCount), BufferPolicy.Oldest(BufferPolicy.MaxCount),
        ];

        Assert.That(policies[..5].Select(policy => policy.Number), Is.EqualTo(new ulong[] { 0, 1, 2, 3, 4 }));

        foreach (BufferPolicy policy in policies)
        {
            Assert.That(BufferPolicy.TryOf(policy.Number, out BufferPolicy read), Is.True);
            Assert.That(read, Is.EqualTo(policy));
            Assert.That(read.ToString(), Is.EqualTo(policy.ToString()));
        }

        Assert.That(BufferPolicy.TryOf(policies[^1].Number + 1, out _), Is.False);
        Assert.That(BufferPolicy.TryOf(ulong.MaxValue, out _), Is.False);
        Assert.That(policies, Is.Unique);
    }

    [Test]
    public void A_policy_that_counts_to_nothing_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => BufferPolicy.Newest(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => BufferPolicy.Oldest(BufferPolicy.MaxCount + 1));
        Assert.That(BufferPolicy.Newest(1), Is.EqualTo(BufferPolicy.Latest));
        Assert.That(default(BufferPolicy), Is.EqualTo(BufferPolicy.All));
    }

    private static BufferPolicy DrawPolicy(Random random) => random.Next(5) switch
    {
        0 => BufferPolicy.None,
        1 => BufferPolicy.Latest,
        2 => BufferPolicy.Newest(random.Next(1, 6)),
        3 => BufferPolicy.Oldest(random.Next(1, 6)),
        _ => BufferPolicy.All,
    };

    private static bool[] KeepNaively(int[] batch, BufferPolicy[] policies)
    {
        bool[] kept = new bool[batch.Length];

        for (int interest = 0; interest < policies.Length; interest++)
        {
            string[] words = policies[interest].ToString().Split(' ');
            int[] places = [.. Enumerable.Range(0, batch.Length).Where(i => batch[i] == interest)];
            int[] chosen = words[0] switch
            {
                "all" => places,
                "none" => [],
                "newest" => [.. places.TakeLast(int.Parse(words[1]))],
                _ => [.. places.Take(int.Parse(words[1]))],
            };

            foreach (int place in chosen)
            {
                kept[place] = true;
            }
        }

        return kept;
    }
}
