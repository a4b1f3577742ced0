using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Channels;

[TestFixture]
public sealed class ChannelDrawsTests
{
    private static readonly ulong Receiver = Digest.ChannelKey("r");
    private static readonly MessageIdentity Message = new(Digest.ChannelKey("p"), 1, Digest.ChannelKey("o"));

    [TestCase(1, 0x282ad68c5f3d10bfUL)]
    [TestCase(2, 0xbe59a92b00d00ea3UL)]
    [TestCase(3, 0xae172e5f695c2395UL)]
    public void A_draw_has_the_values_of_lock_time_section_18(int purpose, ulong expected)
    {
        //
        ulong draw = ChannelDraws.Draw(42, in Message, Receiver, 0, (DrawPurpose)purpose);

        Assert.That(draw, Is.EqualTo(expected));
    }

    [Test]
    public void A_draw_for_all_receivers_has_the_value_of_lock_time_section_18()
    {
        ulong draw = ChannelDraws.Draw(42, in Message, ChannelDraws.AllReceivers, 0, DrawPurpose.SenderLoss);

        Assert.That(draw, Is.EqualTo(0x22dab910f695ae99));
    }

    [Test]
    public void Every_part_of_the_key_changes_the_draw()
    {
        MessageIdentity[] messages =
        [
            Message, Message with { Publisher = 1 }, Message with { SubSequence = 2 }, Message with { Channel = 1 },
        ];
        HashSet<ulong> draws = [.. messages.Select(message =>
            ChannelDraws.Draw(42, in message, Receiver, 0, DrawPurpose.Latency))];

        draws.Add(ChannelDraws.Draw(43, in Message, Receiver, 0, DrawPurpose.Latency));
        draws.Add(ChannelDraws.Draw(42, in Message, Receiver + 1, 0, DrawPurpose.Latency));
        draws.Add(ChannelDraws.Draw(42, in Message, Receiver, 1, DrawPurpose.Latency));
        draws.Add(ChannelDraws.Draw(42, in Message, Receiver, 0, DrawPurpose.Duplicate));

        Assert.That(draws, Has.Count.EqualTo(8));
    }

    [TestCase(0UL, 10UL, 0UL)]
    [TestCase(ulong.MaxValue, 10UL, 9UL)]
    [TestCase(1UL << 63, 10UL, 5UL)]
    [TestCase(ulong.MaxValue, 1UL, 0UL)]
    [TestCase(ulong.MaxValue, (1UL << 60) + 1, 1UL << 60)]
    public void A_draw_below_a_count_is_the_high_half_of_the_product(ulong draw, ulong count, ulong expected)
        => Assert.That(ChannelDraws.Below(draw, count), Is.EqualTo(expected));

    [Test]
    public void Chances_of_nothing_and_of_everything_are_certain([Values(0UL, 1UL << 63, ulong.MaxValue)] ulong draw)
    {
        Assert.That(ChannelDraws.Happens(draw, 0), Is.False);
        Assert.That(ChannelDraws.Happens(draw, ChannelDraws.Million), Is.True);
    }
}
