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

    [Test]
    public void A_block_of_more_than_a_megabyte_is_not_kept()
    {
        BlockShelf shelf = new(1 << 30);

        shelf.Put(shelf.Take((1 << 20) + 1));

        Assert.That(shelf.KeptBytes, Is.Zero);
    }
}
