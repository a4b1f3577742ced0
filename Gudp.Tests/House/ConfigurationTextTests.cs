using Gudp.Sequencing;
using Gudp.Sequencing.Records;
using NUnit.Framework;

namespace Gudp.Tests.House;

/// <summary>
/// A key that is added to the configuration of a run and not to its text in the run record would differ unseen: write it
/// in Records/ConfigurationText.
/// </summary>
[TestFixture]
public sealed class ConfigurationTextTests
{
    [Test]
    public void A_table_of_latencies_is_in_it_whole()
    {
        (long Ticks, int Weight)[][] tables = [[(1, 1), (5, 1), (9, 1)], [(1, 1), (5, 2), (9, 1)], [(1, 1), (6, 1), (9, 1)]];

        IEnumerable<string> texts = tables.Select(rows => ConfigurationText.Of(
            new() { Roster = [new("a")], Channels = [new("c") { Latency = LatencyModel.Table(rows) }] }));

        Assert.That(texts, Is.Unique);
        Assert.That(texts, Is.All.Contain("latency = table of 3 rows, 1 to 9 ticks, hash "));
    }

    [TestCase(typeof(SequencingConfig), "", "Roster Channels")]
    [TestCase(typeof(MemberDeclaration), "member \"a\" ", "Name Publish Subscribe SubscribeQuietly")]
    [TestCase(typeof(ChannelDeclaration), "channel \"c\" ", "Name")]
    public void The_text_of_a_configuration_has_a_line_for_every_key(Type type, string prefix, string others)
    {
        SequencingConfig config = new() { Roster = [new("a")], Channels = [new("c")] };

        IEnumerable<string> keys = type.GetProperties().Select(property => property.Name)
            .Except(others.Split(' '))
            .Select(name => prefix + Spaced(name));
        IEnumerable<string> written = ConfigurationLines.Of(ConfigurationText.Of(config))
            .Select(line => line.Split(" = ")[0]);

        Assert.That(keys, Is.Not.Empty.And.SubsetOf(written));

        static string Spaced(string name)
            => string.Concat(name.Select(c => char.IsUpper(c) ? $" {char.ToLowerInvariant(c)}" : $"{c}")).Trim();
    }
}
