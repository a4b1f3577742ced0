using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Log;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Channels;

[TestFixture]
public sealed class ChannelDeclarationTests
{
    [Test]
    public void A_minimum_alone_is_the_latency_of_all_messages_and_a_model_says_its_minimum()
    {
        ChannelDeclaration constant = new("c") { MinimumLatency = Delay.Of(3, 1) };
        ChannelDeclaration drawn = new("d") { Latency = LatencyModel.Uniform(4, 9) };

        Assert.That(constant.Latency, Is.EqualTo(LatencyModel.Constant(Delay.Of(3, 1))));
        Assert.That(drawn.MinimumLatency, Is.EqualTo(Delay.Ticks(4)));
        Assert.That(new ChannelDeclaration("e").Latency, Is.EqualTo(LatencyModel.None));
        Assert.That(MistakesOf(constant, drawn), Is.Empty);
    }

    [Test]
    public void A_channel_without_options_is_plain_and_keeps_all()
    {
        ChannelDeclaration channel = new("c") { MinimumLatency = Delay.Ticks(3) };

        Assert.That(channel.Compile(5).IsPlain, Is.True);
        Assert.That(channel.CompileRetention(), Is.EqualTo(Retention.Default));
    }

    [Test]
    public void Every_option_reaches_the_model_and_the_log()
    {
        ChannelDeclaration channel = new("c")
        {
            Latency = LatencyModel.Uniform(4, 9),
            Scatter = true,
            SenderLossPpm = 1,
            ReceiverLossPpm = 2,
            SenderDuplicatePpm = 3,
            ReceiverDuplicatePpm = 4,
            History = ChannelHistory.Last(7),
            HistoryBytes = 8,
            HistoryTicks = 9,
        };

        ChannelModel model = channel.Compile(5);

        Assert.That((model.Key, model.Latency, model.Scatters), Is.EqualTo((5UL, channel.Latency, true)));
        Assert.That(model.Chances, Is.EqualTo(new ChannelChances(1, 2, 3, 4)));
        Assert.That(channel.CompileRetention(), Is.EqualTo(new Retention(ChannelHistory.Last(7), 8, 9)));
    }

    [Test]
    public void All_mistakes_of_a_channel_are_told_at_once()
    {
        ChannelDeclaration wrong = new("a")
        {
            MinimumLatency = Delay.Ticks(5),
            Latency = LatencyModel.Uniform(4, 9),
            SenderLossPpm = -1,
            ReceiverLossPpm = 1_000_001,
            SenderDuplicatePpm = -1,
            ReceiverDuplicatePpm = 1_000_001,
            HistoryBytes = -1,
            HistoryTicks = -1,
        };
        ChannelDeclaration late = new("b") { MinimumLatency = Delay.Ticks(long.MaxValue) };
        ChannelDeclaration rounds = new("c") { Latency = LatencyModel.Constant(Delay.Rounds(20_000)) };

        string[] mistakes = MistakesOf(wrong, late, rounds);

        Assert.That(mistakes.Select(mistake => mistake.Split(' ')[0]), Is.EqualTo(new[]
        {
            "Channels[0].MinimumLatency", "Channels[0].SenderLossPpm", "Channels[0].ReceiverLossPpm",
            "Channels[0].SenderDuplicatePpm", "Channels[0].ReceiverDuplicatePpm", "Channels[0].HistoryBytes",
            "Channels[0].HistoryTicks", "Channels[1].MinimumLatency", "Channels[2].MinimumLatency",
        }));
        Assert.That(mistakes[0], Is.EqualTo(
            "Channels[0].MinimumLatency is 5 ticks; allowed is 4 ticks, or nothing: Latency says the least one already."));
    }

    [Test]
    public void The_limits_of_the_log_are_checked()
    {
        SequencingConfig config = new() { Roster = [new MemberDeclaration("m")], LogBytes = -1, LogMessages = -1 };

        GudpConfigException? mistakes = Assert.Throws<GudpConfigException>(() => config.ComputeHash());

        Assert.That(
            mistakes!.Problems.Select(problem => problem.Split(' ')[0]), Is.EqualTo(new[] { "LogBytes", "LogMessages" }));
    }

    private static string[] MistakesOf(params ChannelDeclaration[] channels)
    {
        SequencingConfig config = new() { Roster = [new MemberDeclaration("m")], Channels = channels };

        try
        {
            config.ComputeHash();
            return [];
        }
        catch (GudpConfigException mistakes)
        {
            return [.. mistakes.Problems];
        }
    }
}
