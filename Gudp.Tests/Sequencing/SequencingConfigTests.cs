using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

[TestFixture]
public sealed class SequencingConfigTests
{
    [Test]
    public void All_mistakes_are_told_at_once_with_path_value_rule_and_reason()
    {
        SequencingConfig config = new()
        {
            Roster =
            [
                new MemberDeclaration("a") { Publish = ["x", ""] },
                new MemberDeclaration("a") { Lookahead = Delay.None, CrashPolicy = (CrashPolicy)9 },
                new MemberDeclaration(null!),
            ],
            Channels = [new ChannelDeclaration(new string('c', 256))],
            MaxRounds = 0,
            MaxPayloadBytes = 1 << 30,
            MaxInboxBytes = 5,
        };

        GudpConfigException? mistakes = Assert.Throws<GudpConfigException>(() => config.ComputeHash());

        Assert.That(mistakes!.Problems.Select(problem => problem.Split(' ')[0]), Is.EqualTo(new[]
        {
            "MaxRounds", "MaxPayloadBytes", "MaxInboxBytes", "Roster[0].Publish[1]", "Roster[1].Name",
            "Roster[1].Lookahead", "Roster[1].CrashPolicy", "Roster[2].Name", "Channels[0].Name",
        }));
        Assert.That(mistakes.Problems[1], Is.EqualTo(
            "MaxPayloadBytes is 1073741824; allowed is 1 to 15728640: a payload travels in one message."));
    }

    [Test]
    public void A_server_whose_messages_do_not_fit_the_layer_below_is_not_made()
    {
        using SimWorld world = new(1);
        Node node = world.AddNode();
        SequencingConfig config = new() { Roster = [new MemberDeclaration("a")] };
        MessagingConfig small = new() { Core = SimWorld.Plain, MaxMessageBytes = 1 << 20 };

        GudpConfigException? mistake = Assert.Throws<GudpConfigException>(
            () => new SequenceServer(node.Daemon, node.Host.Address.WithPort(7000), config, small));

        Assert.That(mistake!.Problems, Has.One.StartsWith("MaxMessageBytes is 1048576; allowed is "));
    }
}
