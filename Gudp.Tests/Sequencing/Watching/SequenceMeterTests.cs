using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Tests.House;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Watching;

/// <summary>What a server shows on the meter, see docs/METRICS.md.</summary>
[TestFixture]
[NonParallelizable]
public sealed partial class SequenceMeterTests
{
    [Test]
    public void The_meter_shows_who_waited_for_whom_until_the_server_is_disposed()
    {
        const string Name = "watched-run";
        MessagingConfig messaging = new() { Core = SimWorld.Plain with { Metrics = true, Name = Name } };
        using SimWorld world = new(1);
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(5) };
        Node home = world.AddNode();
        SequencingConfig config = new()
        {
            Roster = [new MemberDeclaration("a") { Publish = ["x"] }, new MemberDeclaration("b") { Subscribe = ["x"] }],
        };
        SequenceServer server = new(home.Daemon, home.Host.Address.WithPort(7000), config, messaging);
        SequenceClient a = Begin(world, server, MemberOptions.From(config, "a"));
        SequenceClient b = Begin(world, server, MemberOptions.From(config, "b"));
        bool first = false;
        bool second = false;
        world.RunUntil(() => (first |= a.TryTakeGrant(out _)) & (second |= b.TryTakeGrant(out _)), TimeSpan.FromMinutes(1));

        b.RequestTo(5);
        b.TryTakeGrant(out _);
        world.Run(TimeSpan.FromSeconds(3));
        a.RequestTo(9);
        world.RunUntil(() => a.TryTakeGrant(out _) | b.TryTakeGrant(out _), TimeSpan.FromMinutes(1));
        Dictionary<string, double> shown = Read(Name);
        server.Dispose();

        Assert.That(shown["gudp.grant.blocked b a Running"], Is.InRange(2.9, 3.1));
        Assert.That(shown["gudp.grant.server_time b"], Is.InRange(2.9, 3.1));
        Assert.That(shown["gudp.grant.user_time a"], Is.InRange(2.9, 3.1));
        Assert.That(shown["gudp.grant.count a"], Is.EqualTo(1));
        Assert.That(shown["gudp.grant.late a"], Is.Zero);
        Assert.That(shown["gudp.run.messages_published"], Is.Zero);
        Assert.That(shown["gudp.run.refused bad_frame"], Is.Zero);
        Assert.That(Read(Name), Is.Empty);
    }

    [Test]
    public void The_page_names_every_instrument_with_its_kind_and_unit()
    {
        using SimWorld world = new(1);
        Node home = world.AddNode();
        MessagingConfig messaging = new() { Core = SimWorld.Plain with { Metrics = true, Name = "page" } };
        SequencingConfig config = new() { Roster = [new MemberDeclaration("a")] };
        using SequenceServer server = new(home.Daemon, home.Host.Address.WithPort(7000), config, messaging);
        HashSet<string> shown = [];

        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == SequenceMeter.MeterName)
                {
                    string kind = instrument.GetType().Name.Split('`')[0]["Observable".Length..];
                    shown.Add($"| `{instrument.Name}` | {kind} | {instrument.Unit} |");
                }
            },
        };
        listener.Start();

        string page = File.ReadAllText(Repository.PathOf("docs", "METRICS.md"));
        Assert.That(shown, Is.Not.Empty);
        Assert.That(Row().Matches(page).Select(match => match.Value), Is.EquivalentTo(shown));
    }

    [GeneratedRegex(@"^\| `gudp\.(grant|run)\.[a-z_]+` \|.*\|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    private static SequenceClient Begin(SimWorld world, SequenceServer server, MemberOptions options)
    {
        Node node = world.AddNode();
        MessageEndpoint endpoint = new(node.Daemon, node.Host.Address, new MessagingConfig { Core = SimWorld.Plain });
        return SequenceClient.Begin(endpoint, server.LocalAddress, options);
    }

    private static Dictionary<string, double> Read(string daemon)
    {
        Dictionary<string, double> read = [];
        using MeterListener listener = new()
        {
            InstrumentPublished = static (instrument, self) =>
            {
                if (instrument.Meter.Name == SequenceMeter.MeterName)
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            if (Equals(tags[0].Value, daemon))
            {
                read[string.Join(' ', tags.ToArray()[1..].Select(tag => tag.Value).Prepend(instrument.Name))] = value;
            }
        });
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (Equals(tags[0].Value, daemon))
            {
                read[string.Join(' ', tags.ToArray()[1..].Select(tag => tag.Value).Prepend(instrument.Name))] = value;
            }
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return read;
    }
}
