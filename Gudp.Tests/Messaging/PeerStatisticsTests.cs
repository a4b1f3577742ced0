using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>What is counted for peers and endpoints, over connections (M11, M23), and endpoints of several ports.</summary>
[TestFixture]
public sealed class PeerStatisticsTests
{
    [Test]
    public void M11_A_peer_counts_over_all_its_connections()
    {
        using PeerWorld world = new(seed: 1);
        Place client = world.Add();
        Place server = world.Add();
        Peer peer = client.Endpoint.Pin(server.Address);
        Peer accepted = world.Accept(server);
        world.RunUntil(() => peer.IsActive, "The connection");

        for (int i = 0; i < 3; i++)
        {
            peer.TrySend("12345"u8);
            world.Run(seconds: 0.5);
            _ = PeerWorld.ReadAll(accepted);
            accepted.Close();
            world.RunUntil(() => !peer.IsActive, "The end");
            accepted = world.Accept(server);
            world.RunUntil(() => peer.IsActive, "The next");
        }

        PeerStatistics statistics = peer.ReadStatistics();
        PeerCounters present = peer.ReadCounters();

        Assert.That(statistics.Sessions, Is.EqualTo(4));
        Assert.That(statistics.Messages.Messages.MessagesSent, Is.EqualTo(3));
        Assert.That(statistics.Messages.Messages.BytesSent, Is.EqualTo(15));
        Assert.That(statistics.Packets.DatagramsSent, Is.GreaterThan(peer.Connection.ReadCounters().DatagramsSent));
        Assert.That(present.Messages.MessagesSent, Is.Zero, "Those of the present connection.");
    }

    [Test]
    public void M11_The_endpoint_is_the_sum_of_its_peers_also_of_those_gone_and_the_list_of_those_named()
    {
        using PeerWorld world = new(seed: 2);
        Place center = world.Add();
        Place one = world.Add();
        Place two = world.Add();
        (Peer first, Peer atOne) = world.Connect(center, one);
        (Peer second, _) = world.Connect(center, two);
        first.TrySend("1"u8);
        second.TrySend("22"u8);
        world.Run(seconds: 1);
        PeerStatistics both = center.Endpoint.ReadStatistics(PeerFilter.Active);

        atOne.Dispose();
        world.Run(seconds: 5);
        PeerStatistics active = center.Endpoint.ReadStatistics(PeerFilter.Active);
        PeerStatistics overall = center.Endpoint.ReadStatistics();

        Assert.That(both.Messages.Messages.BytesSent, Is.EqualTo(3));
        Assert.That(both.Sessions, Is.EqualTo(2));
        Assert.That(active.Messages.Messages.BytesSent, Is.EqualTo(2));
        Assert.That(overall.Messages.Messages.BytesSent, Is.EqualTo(3));
        Assert.That(overall.Sessions, Is.EqualTo(2));
        Assert.That(
            overall.Packets.DatagramsSent,
            Is.EqualTo(first.ReadStatistics().Packets.DatagramsSent + second.ReadStatistics().Packets.DatagramsSent));
        Assert.That(
            overall.Packets.BytesSent, Is.EqualTo(center.Node.Daemon.ReadCounters().BytesSent), "All that left.");
    }

    [Test]
    public void M23_Statistics_have_a_dictionary_and_a_text()
    {
        using PeerWorld world = new(seed: 3);
        Place client = world.Add();
        Place server = world.Add();
        (Peer peer, _) = world.Connect(client, server);
        peer.TrySend("123"u8);
        world.Run(seconds: 1);

        PeerStatistics statistics = peer.ReadStatistics();
        Dictionary<string, long> entries = statistics.ToDictionary();

        Assert.That(entries["Sessions"], Is.EqualTo(1));
        Assert.That(entries["Packets.BytesSent"], Is.EqualTo(statistics.Packets.BytesSent).And.Positive);
        Assert.That(entries["Messages.MessagesSent"], Is.EqualTo(1));
        Assert.That(statistics.ToText(), Does.Contain("MessagesSent 1 messages").And.Contain("Sessions 1 sessions"));
    }

    [Test]
    public void Adding_connections_forgets_no_counter()
    {
        using PeerWorld world = new(seed: 4);
        Place client = world.Add();
        Place server = world.Add();
        (Peer peer, Peer accepted) = world.Connect(client, server);
        peer.TrySend(new byte[100_000]);
        world.Run(seconds: 1);
        ConnectionCounters one = peer.Connection.ReadCounters();
        ConnectionCounters other = accepted.Connection.ReadCounters();

        Dictionary<string, long> sum = one.Plus(other).ToDictionary();

        Assert.Multiple(() =>
        {
            foreach ((string name, long value) in one.ToDictionary())
            {
                long expected = name.EndsWith("Rtt", StringComparison.Ordinal)
                    ? Math.Max(value, other.ToDictionary()[name])
                    : value + other.ToDictionary()[name];
                Assert.That(sum[name], Is.EqualTo(expected), name);
            }
        });
    }

    [Test]
    public void M37_An_endpoint_of_two_ports_is_one_peer_with_one_queue_to_accept_from()
    {
        using PeerWorld world = new(seed: 5);
        Place server = world.Add();
        PeerAddress second = server.Endpoint.AddAddress(server.Node.Host.Address.WithPort(7_001));
        Place one = world.Add();
        Place two = world.Add();

        Peer atFirst = one.Endpoint.Connect(server.Address);
        Peer atSecond = two.Endpoint.Connect(second);
        world.RunUntil(() => atFirst.IsActive && atSecond.IsActive, "Both");
        Peer[] accepted = [world.Accept(server), world.Accept(server)];
        atSecond.TrySend("over the second"u8);
        string received = world.Await(accepted.Single(peer => peer.Id == two.Endpoint.Id));

        Assert.That(server.Endpoint.LocalAddresses, Is.EqualTo(new[] { server.Address, second }));
        Assert.That(atFirst.Id, Is.EqualTo(atSecond.Id));
        Assert.That(received, Is.EqualTo("over the second"));
        Assert.That(
            accepted.Select(peer => peer.Connection.LocalAddress),
            Is.EquivalentTo(new[] { server.Address, second }));
    }

    [Test]
    public void M37_A_peer_that_comes_back_over_another_port_is_the_same_and_has_one_connection()
    {
        using PeerWorld world = new(seed: 6);
        Place server = world.Add();
        PeerAddress second = server.Endpoint.AddAddress(server.Node.Host.Address.WithPort(7_001));
        Place client = world.Add();
        (Peer dialled, Peer accepted) = world.Connect(client, server);
        dialled.TrySend("1"u8);
        world.Run(seconds: 1);

        Peer again = client.Endpoint.Connect(second);
        again.TrySend("2"u8);
        world.Run(seconds: 1);

        Assert.That(again.Id, Is.EqualTo(dialled.Id));
        Assert.That(PeerWorld.ReadAll(accepted), Is.EqualTo(new[] { "1", "2" }));
        Assert.That(accepted.Connection.LocalAddress, Is.EqualTo(second));
        Assert.That(client.Endpoint.CountPeers(PeerFilter.Known), Is.EqualTo(1));
        Assert.That(server.Endpoint.CountPeers(PeerFilter.Active), Is.EqualTo(1));
        world.Run(seconds: 5);
        Assert.That(server.Node.Daemon.ReadConnections(), Has.Length.EqualTo(1));
    }
}
