using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tests.House;
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
    [TestCase("Lanes=257", "Lanes")]
    [TestCase("PeerMemoryBytes=8MB", "largest message")]
    [TestCase("EndpointMemoryBytes=32MB", "one peer")]
    [TestCase("LaneRingByte=1MB", "LaneRingBytes")]
    [TestCase("MaxUnreliableBytes=65KB", "MaxUnreliableBytes")]
    [TestCase("LanePlan=3:Fast", "UnorderedReliable")]
    [TestCase("LanePlan=Unreliable", "lane:Mode")]
    [TestCase("LanePlan=256:Unreliable", "0 to 255")]
    [TestCase("LanePlan=3:Unreliable/wait=4", "/weight=n")]
    [TestCase("LanePlan=0:Unreliable", "control lane")]
    [TestCase("LanePlan=0:OrderedReliable/weight=2", "control lane")]
    [TestCase("LanePlan=16:Unreliable", "a lane below 16")]
    [TestCase("LanePlan=3:Unreliable/priority=128", "-128 to 127")]
    [TestCase("LanePlan=3:Unreliable/weight=0", "1 to 255")]
    [TestCase("LanePlan=3:Unreliable/repeats=4", "0 to 3")]
    [TestCase("LanePlan=3:UnorderedReliable/full=DropOldest", "full=Refuse")]
    public void A_mistake_is_named(string text, string named)
    {
        GudpConfigException? mistake = Assert.Throws<GudpConfigException>(() => MessagingConfig.Parse(text));

        Assert.That(mistake!.Message, Does.Contain(named));
        Assert.That(MessagingConfig.TryParse(text, out _), Is.False);
    }

    [Test]
    public void A_lane_plan_reads_back_as_the_same_plan()
    {
        LanePlan plan = LanePlan.Default
            .With(2, default)
            .With(3, new LaneOptions { Mode = LaneMode.UnorderedReliable, Priority = -2, Weight = 4 })
            .With(5, new LaneOptions { Mode = LaneMode.Unreliable, Repeats = 1, WhenFull = FullPolicy.DropOldest })
            .With(6, new LaneOptions { Mode = LaneMode.Unreliable, Repeats = 1, WhenFull = FullPolicy.DropOldest });
        MessagingConfig config = new() { LanePlan = plan };

        string text = config.ToString();

        Assert.That(text, Is.EqualTo(
            "LanePlan=2:OrderedReliable,3:UnorderedReliable/priority=-2/weight=4,"
            + "5-6:Unreliable/repeats=1/full=DropOldest"));
        Assert.That(MessagingConfig.Parse(text), Is.EqualTo(config));
        Assert.That(LanePlan.Parse(plan.ToString()), Is.EqualTo(plan));
        Assert.That(plan, Is.Not.EqualTo(LanePlan.Default));
        Assert.That(plan[3].Weight, Is.EqualTo(4));
        Assert.That(plan.With(1, default), Is.EqualTo(plan));
    }

    [Test]
    public void A_lane_plan_that_cannot_be_read_names_its_entry()
    {
        FormatException? mistake = Assert.Throws<FormatException>(() => LanePlan.Parse("1:OrderedReliable,2:Fast"));

        Assert.That(mistake!.Message, Does.Contain("2:Fast").And.Contain("SequencedUnreliable"));
    }

    [Test]
    public void The_tuning_page_names_every_key_of_messages_with_its_default_and_range()
    {
        string page = File.ReadAllText(Repository.PathOf("docs/TUNING.md"));

        foreach (ConfigKey key in MessagingConfig.Keys.Where(key => !key.Key.StartsWith("Core.", StringComparison.Ordinal)))
        {
            Assert.That(page, Does.Contain($"| `{key.Key}` | {key.Kind} | {key.Default} | {key.Range} |"));
        }
    }
}
