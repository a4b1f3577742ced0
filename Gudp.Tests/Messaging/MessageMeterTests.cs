using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tests.House;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

[TestFixture]
[NonParallelizable]
public sealed partial class MessageMeterTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    [Test]
    public void The_meter_shows_what_the_endpoints_count_and_keeps_it_when_peers_end()
    {
        using SimWorld world = new(seed: 1);
        (MessageEndpoint caller, Peer client) = Connect(world, "shown");
        client.TrySend(new byte[500]);
        client.TrySend(new byte[17 * 1024 * 1024]);
        world.Run(TimeSpan.FromSeconds(2));
        Dictionary<string, double> live = Read("shown");

        client.Close();
        world.Run(TimeSpan.FromSeconds(20));
        Dictionary<string, double> ended = Read("shown");

        Assert.That(live["gudp.messages.messages_sent"], Is.EqualTo(1));
        Assert.That(live["gudp.messages.bytes_sent"], Is.EqualTo(500));
        Assert.That(live["gudp.messages.sends_refused/too_large"], Is.EqualTo(1));
        Assert.That(live["gudp.messages.peers_connected"], Is.EqualTo(2));
        Assert.That(ended["gudp.messages.messages_sent"], Is.EqualTo(1));
        Assert.That(ended["gudp.messages.peers_connected"], Is.Zero);
        Assert.That(caller.ReadCounters().Messages.MessagesSent, Is.EqualTo(1));
    }

    [Test]
    public void An_endpoint_shows_nothing_unless_asked_to_or_when_it_is_disposed()
    {
        using SimWorld world = new(seed: 2);
        Node node = world.AddNode();
        MessagingConfig silent = new() { Core = SimWorld.Plain with { Name = "silent" } };
        MessageEndpoint quiet = new(node.Daemon, node.Host.Address.WithPort(7000), silent);
        MessageEndpoint shown = new(
            node.Daemon, node.Host.Address.WithPort(7001), new() { Core = Shown("disposed") });
        Assert.That(Read("disposed"), Is.Not.Empty);

        shown.Dispose();
        quiet.Listen();

        Assert.That(Read("disposed"), Is.Empty);
        Assert.That(Read("silent"), Is.Empty);
    }

    [Test]
    public void An_endpoint_whose_address_is_taken_shows_nothing()
    {
        using SimWorld world = new(seed: 4);
        Node node = world.AddNode();
        MessagingConfig config = new() { Core = Shown("taken") };
        PeerAddress local = node.Host.Address.WithPort(7000);
        MessageEndpoint first = new(node.Daemon, local, config);

        Assert.That(() => new MessageEndpoint(node.Daemon, local, config), Throws.Exception);
        first.Dispose();

        Assert.That(Read("taken"), Is.Empty);
    }

    [Test]
    public void The_page_names_every_instrument_with_its_kind_and_unit()
    {
        using SimWorld world = new(seed: 3);
        Connect(world, "page");
        HashSet<string> shown = [];

        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == "Gudp.Messaging")
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

    private static GudpConfig Shown(string name) => SimWorld.Plain with { Name = name, Metrics = true };

    private static (MessageEndpoint Caller, Peer Client) Connect(SimWorld world, string name)
    {
        MessagingConfig config = new() { Core = Shown(name) };
        Node right = world.AddNode();
        Node left = world.AddNode();
        MessageEndpoint listener = new(right.Daemon, right.Host.Address.WithPort(7000), config);
        listener.Listen();
        MessageEndpoint caller = new(left.Daemon, left.Host.Address.WithPort(0), config);
        Peer client = caller.Connect(listener.LocalAddress);
        world.RunUntil(() => client.Status.IsOpen, Limit);
        return (caller, client);
    }

    /// <summary>The sum of each instrument's measurements for that daemon, per tag where there is one.</summary>
    private static Dictionary<string, double> Read(string daemonName)
    {
        Dictionary<string, double> read = [];

        using MeterListener listener = new()
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Gudp.Messaging")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };

        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            Dictionary<string, object?> byName = new(tags.ToArray());

            if ((string?)byName["gudp.daemon.name"] == daemonName)
            {
                object? kind = byName.GetValueOrDefault("gudp.refusal.limit") ?? byName.GetValueOrDefault("gudp.drop.cause");
                string name = kind is null ? instrument.Name : $"{instrument.Name}/{kind}";
                read[name] = read.GetValueOrDefault(name) + value;
            }
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return read;
    }

    [GeneratedRegex(@"^\| `gudp\.messages\..*\|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
