using Gudp.Messaging.Memory;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class BlockShelfTests
{
    [TestCase(1)]
    [TestCase(64)]
    [TestCase(65)]
    [TestCase(1_000)]
    [TestCase(1_024 * 1_024)]
    [TestCase(3_000_000)]
    public void A_block_has_at_least_the_bytes_asked_for(int bytes)
        => Assert.That(new BlockShelf(1 << 20).Take(bytes), Has.Length.InRange(bytes, Math.Max(64, 2 * bytes)));

    [Test]
    public void What_was_put_back_is_taken_again_by_whoever_fits_it()
    {
        BlockShelf shelf = new(1 << 20);
        byte[] block = shelf.Take(1_000);

        shelf.Put(block);

        Assert.That(shelf.KeptBytes, Is.EqualTo(1_024));
        Assert.That(shelf.Take(513), Is.SameAs(block));
        Assert.That(shelf.KeptBytes, Is.Zero);
    }

    [Test]
    public void No_more_is_kept_than_was_said()
    {
        BlockShelf shelf = new(3_000);
        byte[][] blocks = [shelf.Take(1_024), shelf.Take(1_024), shelf.Take(1_024)];

        Array.ForEach(blocks, shelf.Put);

        Assert.That(shelf.KeptBytes, Is.EqualTo(2_048));
    }

    // How many are lent at a time reaches a new high ever more seldom, but again and again.
    [Test]
    public void Who_finds_none_makes_as_many_more_as_there_are()
    {
        BlockShelf shelf = new(1 << 20);
        List<long> kept = [];

        for (int i = 0; i < 8; i++)
        {
            shelf.Take(1_000);
            kept.Add(shelf.KeptBytes / 1_024);
        }

        Assert.That(kept, Is.EqualTo(new[] { 0, 1, 0, 3, 2, 1, 0, 7 }));
    }

    [Test]
    public void What_is_made_ahead_is_a_quarter_of_a_megabyte_at_most_and_within_what_is_kept()
    {
        BlockShelf wide = new(1 << 30);
        BlockShelf narrow = new(3_000);
        long mostAhead = 0;
        long mostAheadNarrow = 0;

        for (int i = 0; i < 2_000; i++)
        {
            wide.Take(1_024);
            narrow.Take(1_024);
            mostAhead = Math.Max(mostAhead, wide.KeptBytes);
            mostAheadNarrow = Math.Max(mostAheadNarrow, narrow.KeptBytes);
        }

        Assert.That(mostAhead, Is.EqualTo(256 * 1_024));
        Assert.That(mostAheadNarrow, Is.EqualTo(2_048));
    }

    [Test]
    public void Putting_back_as_many_as_were_taken_allocates_nothing()
    {
        BlockShelf shelf = new(1 << 20);
        byte[][] blocks = [.. Enumerable.Range(0, 1_000).Select(_ => shelf.Take(64))];

        long before = GC.GetAllocatedBytesForCurrentThread();

        foreach (byte[] block in blocks)
        {
            shelf.Put(block);
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(allocated, Is.Zero);
    }

    [Test]
    public void A_block_of_more_than_a_megabyte_is_not_kept()
    {
        BlockShelf shelf = new(1 << 30);

        shelf.Put(shelf.Take((1 << 20) + 1));

        Assert.That(shelf.KeptBytes, Is.Zero);
    }

    [Test]
    public void Of_several_blocks_put_back_at_once_as_many_are_kept_as_fit()
    {
        BlockShelf shelf = new(3_000);
        byte[][] blocks = new byte[4][];
        shelf.Take(1_000, blocks);

        shelf.Put(blocks);

        Assert.That(shelf.KeptBytes, Is.EqualTo(2_048));
    }

    [Test]
    public void Several_blocks_taken_at_once_are_first_those_put_back()
    {
        BlockShelf shelf = new(1 << 20);
        byte[] former = shelf.Take(1_000);
        shelf.Put(former);
        byte[][] blocks = new byte[3][];

        shelf.Take(1_000, blocks);

        Assert.That(blocks, Has.All.Length.EqualTo(1_024));
        Assert.That(blocks[0], Is.SameAs(former));
        Assert.That(shelf.KeptBytes, Is.Zero);
    }
}
