using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
public sealed class MessagingConfigTests
{
    [Test]
    public void The_default_is_valid_and_its_text_is_empty()
    {
        MessagingConfig config = default;

        config.Validate();

        Assert.That(config.ToString(), Is.Empty);
        Assert.That(config.LaneRingBytes, Is.EqualTo(1024 * 1024));
    }

    [Test]
    public void Text_reads_back_as_the_same_config()
    {
        MessagingConfig config = new()
        {
            MaxMessageBytes = 1024 * 1024,
            LaneRingBytes = 128 * 1024,
            Lanes = 5,
            PeerMemoryBytes = 32 * 1024 * 1024,
            Core = new() { Connections = new() { Security = new() { Protection = Protection.Plain } } },
        };

        string text = config.ToString();

        Assert.That(text, Does.Contain("Core.Connections.Security.Protection=Plain"));
        Assert.That(MessagingConfig.Parse(text), Is.EqualTo(config));
        Assert.That(MessagingConfig.FromDictionary(config.ToDictionary()), Is.EqualTo(config));
    }

    [TestCase("LaneRingBytes=100000", "power of two")]
    [TestCase("LaneRingBytes=32KB", "LaneRingBytes")]
    [TestCase("Lanes=2", "Lanes")]
    [TestCase("Lanes=65", "Lanes")]
    [TestCase("PeerMemoryBytes=8MB", "largest message")]
    [TestCase("EndpointMemoryBytes=32MB", "one peer")]
    [TestCase("LaneRingByte=1MB", "LaneRingBytes")]
    public void A_mistake_is_named(string text, string named)
    {
        GudpConfigException? mistake = Assert.Throws<GudpConfigException>(() => MessagingConfig.Parse(text));

        Assert.That(mistake!.Message, Does.Contain(named));
        Assert.That(MessagingConfig.TryParse(text, out _), Is.False);
    }
}
