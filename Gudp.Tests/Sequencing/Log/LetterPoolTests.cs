using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Log;

[TestFixture]
public sealed class LetterPoolTests
{
    [TestCase(0, 64)]
    [TestCase(64, 64)]
    [TestCase(65, 128)]
    [TestCase(65_536, 65_536)]
    public void A_letter_comes_back_with_its_memory(int bytes, int kept)
    {
        LetterPool pool = new(1 << 20);
        Letter first = Use(pool, new byte[bytes]);
        long idle = pool.IdleBytes;

        Letter second = pool.Take(7, new byte[bytes]);

        Assert.That((idle, pool.IdleBytes), Is.EqualTo(((long)kept, 0L)));
        Assert.That(second, Is.SameAs(first));
        Assert.That((second.Channel, second.Length), Is.EqualTo((7, bytes)));
    }

    [Test]
    public void What_is_too_large_or_too_much_keeps_no_memory()
    {
        LetterPool pool = new(100);
        Letter large = Use(pool, new byte[65_537]);

        Letter small = pool.Take(0, "a"u8);
        Letter another = pool.Take(0, "b"u8);
        small.Hold();
        another.Hold();
        small.Release();
        another.Release();

        Assert.That(small, Is.SameAs(large));
        Assert.That(pool.IdleBytes, Is.EqualTo(64));
    }

    [Test]
    public void Letters_in_use_never_share_memory()
    {
        LetterPool pool = new(1 << 20);
        Random random = new(5);
        List<(Letter Letter, byte Mark)> held = [];

        for (int i = 0; i < 2_000; i++)
        {
            byte[] payload = [.. Enumerable.Repeat((byte)i, random.Next(300))];
            Letter letter = pool.Take(i, payload);
            letter.Hold();
            held.Add((letter, (byte)i));

            if (held.Count > 20)
            {
                (Letter old, byte mark) = held[random.Next(held.Count)];
                Assert.That(old.Payload.ToArray(), Is.All.EqualTo(mark));
                held.Remove((old, mark));
                old.Release();
            }
        }

        Assert.That(pool.IdleBytes, Is.Positive);
    }

    [Test]
    public void A_letter_nobody_holds_cannot_be_released_again()
    {
        Letter letter = Use(new LetterPool(1 << 20), "x"u8);

        Assert.That(letter.Release, Throws.Exception.With.Message.Contains("released once"));
    }

    private static Letter Use(LetterPool pool, ReadOnlySpan<byte> payload)
    {
        Letter letter = pool.Take(0, payload);
        letter.Hold();
        letter.Release();
        return letter;
    }
}
