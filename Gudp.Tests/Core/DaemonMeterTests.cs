using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Gudp.Core;
using Gudp.Tests.House;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

[TestFixture]
[NonParallelizable]
public sealed partial class DaemonMeterTests
{
    [Test]
    public void The_meter_shows_what_the_snapshots_say()
    {
        using SimWorld world = new(seed: 1);
        Pair pair = world.AddConnectedPair(Shown("shown"));
        Assert.That(pair.Client.TrySend(new byte[500]), Is.EqualTo(SendStatus.Accepted));
        world.Run(TimeSpan.FromSeconds(3));

        Dictionary<string, double> read = Read("shown");

        DaemonCounters left = pair.Left.Daemon.ReadCounters();
        DaemonCounters right = pair.Right.Daemon.ReadCounters();
        ConnectionCounters client = pair.Client.ReadCounters();
        ConnectionCounters server = pair.Server.ReadCounters();
        Assert.That(read["gudp.daemon.bytes_sent"], Is.EqualTo(left.BytesSent + right.BytesSent).And.Positive);
        Assert.That(read["gudp.connections.live"], Is.EqualTo(2));
        Assert.That(
            read["gudp.connections.packets_acked"],
            Is.EqualTo(client.PacketsAcked + server.PacketsAcked).And.Positive);
        Assert.That(read["gudp.connections.window_bytes"], Is.EqualTo(client.WindowBytes + server.WindowBytes));
        Assert.That(read["gudp.connections.smoothed_rtt"], Is.Positive.And.LessThan(1));
    }

    [Test]
    public void What_an_ended_connection_counted_stays_in_the_sums()
    {
        using SimWorld world = new(seed: 2);
        Pair pair = world.AddConnectedPair(Shown("ended"));
        pair.Client.TrySend(new byte[500]);
        world.Run(TimeSpan.FromSeconds(2));
        pair.Client.Close();
        world.Run(TimeSpan.FromSeconds(20));

        Dictionary<string, double> read = Read("ended");

        Assert.That(pair.Left.Daemon.ReadConnections(), Is.Empty);
        Assert.That(read["gudp.connections.live"], Is.Zero);
        Assert.That(read["gudp.connections.bytes_sent"], Is.EqualTo(
            pair.Client.ReadCounters().BytesSent + pair.Server.ReadCounters().BytesSent).And.Positive);
        Assert.That(read["gudp.connections.window_bytes"], Is.Zero);
    }

    [Test]
    public void A_daemon_lists_its_live_connections()
    {
        using SimWorld world = new(seed: 3);

        Pair pair = world.AddConnectedPair();

        Assert.That(pair.Left.Daemon.ReadConnections(), Is.EqualTo(new[] { pair.Client }));
        Assert.That(pair.Right.Daemon.ReadConnections(), Is.EqualTo(new[] { pair.Server }));
    }

    [Test]
    public void A_drop_is_shown_under_its_reason()
    {
        using SimWorld world = new(seed: 4);
        Pair pair = world.AddConnectedPair(Shown("drops"));
        List<string> reasons = [];

        Listen("drops", (instrument, tags, _) =>
        {
            if (instrument == "gudp.daemon.datagrams_dropped")
            {
                reasons.Add((string)tags["gudp.drop.reason"]!);
            }
        });

        Assert.That(reasons.Distinct().Count(), Is.EqualTo(Enum.GetValues<DropReason>().Length - 1));
        Assert.That(reasons, Has.Member("bad_checksum"));
        Assert.That(pair.Client.Status.IsOpen, Is.True);
    }

    [Test]
    public void A_daemon_shows_nothing_unless_asked_to()
    {
        using SimWorld world = new(seed: 5);
        world.AddConnectedPair(SimWorld.Plain with { Name = "silent" });

        Assert.That(Read("silent"), Is.Empty);
    }

    [Test]
    public void A_disposed_daemon_is_shown_no_more()
    {
        using SimWorld world = new(seed: 6);
        Pair pair = world.AddConnectedPair(Shown("disposed"));
        Assert.That(Read("disposed"), Is.Not.Empty);

        pair.Left.Daemon.Dispose();
        pair.Right.Daemon.Dispose();

        Assert.That(Read("disposed"), Is.Empty);
    }

    [Test]
    public void The_page_names_every_instrument_with_its_kind_and_unit()
    {
        using SimWorld world = new(seed: 7);
        world.AddNode(Shown("page"));
        HashSet<string> shown = [];

        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == "Gudp.Core")
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

    /// <summary>The sum of each instrument's measurements for the daemons of that name.</summary>
    private static Dictionary<string, double> Read(string daemonName)
    {
        Dictionary<string, double> read = [];
        Listen(daemonName, (name, _, value) => read[name] = read.GetValueOrDefault(name) + value);
        return read;
    }

    private static void Listen(string daemonName, Action<string, Dictionary<string, object?>, double> take)
    {
        using MeterListener listener = new()
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Gudp.Core")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };

        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.Start();
        listener.RecordObservableInstruments();

        void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            Dictionary<string, object?> byName = new(tags.ToArray());

            if ((string?)byName["gudp.daemon.name"] == daemonName)
            {
                take(instrument.Name, byName, value);
            }
        }
    }

    [GeneratedRegex(@"^\| `gudp\.(daemon|connections)\..*\|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
