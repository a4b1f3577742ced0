using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
public sealed class ConfigPresetTests
{
    [Test]
    public void Every_preset_has_its_name()
    {
        Assert.That(GudpConfig.PresetNames, Is.EqualTo(new[] { "Lan", "Internet", "Lossy", "Lockstep", "Bulk" }));
        Assert.That(GudpConfig.Preset("Lan"), Is.EqualTo(GudpConfig.Lan));
        Assert.That(GudpConfig.Preset("internet"), Is.EqualTo(GudpConfig.Internet));
        Assert.That(GudpConfig.Preset("LOSSY"), Is.EqualTo(GudpConfig.Lossy));
        Assert.That(GudpConfig.Preset("Lockstep"), Is.EqualTo(GudpConfig.Lockstep));
        Assert.That(GudpConfig.Preset("Bulk"), Is.EqualTo(GudpConfig.Bulk));
    }

    [TestCase("Preset=Lockstep; Connections.IdleTimeout=20s")]
    [TestCase("Connections.IdleTimeout=20s; preset=lockstep")]
    [TestCase("# a comment; with a separator\nPreset = Lockstep\n\n  # another\nConnections.IdleTimeout = 20s\n")]
    public void The_text_starts_from_a_preset_wherever_it_stands(string text)
    {
        GudpConfig config = GudpConfig.Parse(text);

        Assert.That(config, Is.EqualTo(GudpConfig.Lockstep with
        {
            Connections = GudpConfig.Lockstep.Connections with { IdleTimeout = TimeSpan.FromSeconds(20) },
        }));
    }

    [TestCase("Preset=Lossi", "Preset is 'Lossi'; write one of Lan, Internet, Lossy, Lockstep, Bulk.")]
    [TestCase("Preset=", "Preset is ''; write one of Lan, Internet, Lossy, Lockstep, Bulk.")]
    [TestCase("Presets=Lan", "Presets is not a key of GudpConfig; did you mean Preset?.")]
    [TestCase("Preset=Lan; Preset=Lan", "Preset is given twice; give it once.")]
    public void A_preset_that_is_none_is_refused_and_the_others_are_named(string text, string problem)
    {
        GudpConfigException? refused = Assert.Throws<GudpConfigException>(() => GudpConfig.Parse(text));

        Assert.That(refused!.Problems, Is.EqualTo(new[] { problem }));
    }

    [Test]
    public void A_preset_asked_for_by_a_wrong_name_is_refused()
        => Assert.That(
            Assert.Throws<GudpConfigException>(() => GudpConfig.Preset("Wan"))!.Message, Does.Contain("Lan, Internet"));

    [Test]
    public void Messaging_has_the_same_presets_for_all_of_it_and_for_its_core()
    {
        MessagingConfig whole = MessagingConfig.Parse("Lanes=4; Preset=Bulk");
        MessagingConfig part = MessagingConfig.Parse("Lanes=4; Core.Preset=Bulk; Core.Name=left");

        Assert.That(MessagingConfig.PresetNames, Is.EqualTo(GudpConfig.PresetNames));
        Assert.That(whole.Core, Is.EqualTo(GudpConfig.Bulk));
        Assert.That(whole.Lanes, Is.EqualTo(4));
        Assert.That(part.Core, Is.EqualTo(GudpConfig.Bulk with { Name = "left" }));
        Assert.That(part.LaneRingBytes, Is.EqualTo(default(MessagingConfig).LaneRingBytes));

        foreach (string name in MessagingConfig.PresetNames)
        {
            Assert.DoesNotThrow(MessagingConfig.Preset(name).Validate, name);
        }
    }

    [Test]
    public void Messagings_presets_for_long_paths_have_large_rings_and_room_for_all_lanes()
    {
        MessagingConfig[] large = [MessagingConfig.Lossy, MessagingConfig.Bulk];
        MessagingConfig[] usual = [MessagingConfig.Lan, MessagingConfig.Internet, MessagingConfig.Lockstep];

        foreach (MessagingConfig config in large)
        {
            long lanes = 2L * config.Lanes * config.LaneRingBytes;
            long others = 2L * (config.DatagramQueueBytes + config.MaxMessageBytes);

            Assert.That(config.LaneRingBytes, Is.EqualTo(4 * 1024 * 1024));
            Assert.That(config.PeerMemoryBytes, Is.GreaterThanOrEqualTo(lanes + others));
            Assert.That(
                config.EndpointMemoryBytes / config.PeerMemoryBytes,
                Is.EqualTo(default(MessagingConfig).EndpointMemoryBytes / default(MessagingConfig).PeerMemoryBytes));
        }

        foreach (MessagingConfig config in usual)
        {
            Assert.That(config, Is.EqualTo(default(MessagingConfig) with { Core = config.Core }));
        }
    }

    [Test]
    public void A_preset_of_the_whole_comes_before_that_of_a_part()
        => Assert.That(
            MessagingConfig.Parse("Core.Preset=Lan; Preset=Bulk"),
            Is.EqualTo(MessagingConfig.Preset("Bulk") with { Core = GudpConfig.Lan }));

    [TestCase("a\nb")]
    [TestCase(" a")]
    [TestCase("a ")]
    [TestCase("a;b")]
    public void A_name_that_its_text_would_lose_is_refused(string name)
        => Assert.Throws<GudpConfigException>(new GudpConfig { Name = name }.Validate);

    [TestCase("Connections.IdleTimeout", "Connections.IdleTimeout")]
    [TestCase("connections:idletimeout", "Connections.IdleTimeout")]
    [TestCase("IdleTimeout", "Connections.IdleTimeout")]
    [TestCase("Loss.PacketThreshold", "Connections.Loss.PacketThreshold")]
    public void A_key_is_found_by_its_last_parts(string asked, string key)
        => Assert.That(GudpConfig.KeyTable.Find(asked).Key, Is.EqualTo(key));

    [Test]
    public void A_key_that_is_none_is_refused_with_the_nearest()
        => Assert.That(
            Assert.Throws<GudpConfigException>(() => GudpConfig.KeyTable.Find("IdelTimeout"))!.Problems.Single(),
            Is.EqualTo("IdelTimeout is not a key of GudpConfig; did you mean Connections.IdleTimeout?."));
}
