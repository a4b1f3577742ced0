using System.Net.Sockets;
using Gudp.Core;
using Gudp.Core.Sockets;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Traffic class and interface binding on the system's own sockets, on loopback.</summary>
[TestFixture, Category("Release"), Platform("Linux")]
public sealed class SocketOptionTests
{
    private const int ExpeditedForwarding = 46;

    // IP_TOS and IPV6_TCLASS of Linux, as the socket itself reports them.
    private static readonly (int Level, int Option) TypeOfService = (0, 1);
    private static readonly (int Level, int Option) TrafficClassV6 = (41, 67);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Test]
    public void The_traffic_class_stands_in_the_upper_six_bits_of_both_families()
    {
        using UdpNetwork network = new();
        SocketConfig config = new() { TrafficClass = ExpeditedForwarding };

        using IDatagramSocket ipv4 = network.Open(PeerAddress.LoopbackIPv4(0), config);
        using IDatagramSocket dual = network.Open(PeerAddress.AnyIPv6(0), config);

        Assert.That(ReadOption(ipv4, TypeOfService), Is.EqualTo(ExpeditedForwarding << 2));
        Assert.That(ReadOption(dual, TypeOfService), Is.EqualTo(ExpeditedForwarding << 2));
        Assert.That(ReadOption(dual, TrafficClassV6), Is.EqualTo(ExpeditedForwarding << 2));
    }

    [Test]
    public void Daemons_bound_to_the_loopback_interface_reach_each_other_there()
    {
        GudpConfig config = SimWorld.Plain with { Sockets = new() { Interface = "lo", TrafficClass = 1 } };
        using Daemon serverDaemon = new(config);
        using Daemon clientDaemon = new(config);
        serverDaemon.Start();
        clientDaemon.Start();
        Endpoint server = serverDaemon.Open(PeerAddress.AnyIPv4(0));
        server.Listen();

        Connection client = clientDaemon.Open(PeerAddress.AnyIPv4(0))
            .Connect(PeerAddress.LoopbackIPv4(server.LocalAddress.Port));

        Assert.That(client.WaitUntilOpen(Patience), Is.True, client.CloseReason?.ToString());
    }

    [TestCase("nowhere0")]
    [TestCase("a-name-longer-than-any-interface-has")]
    public void An_interface_that_does_not_exist_is_refused_by_name_of_its_key(string name)
    {
        using Daemon daemon = new(SimWorld.Plain with { Sockets = new() { Interface = name } });

        SocketException refusal = Assert.Throws<SocketException>(() => daemon.Open(PeerAddress.LoopbackIPv4(0)))!;

        Assert.That(refusal.Message, Does.Contain("Sockets.Interface").And.Contain(name).And.Contain("'any'"));
    }

    private static int ReadOption(IDatagramSocket socket, (int Level, int Option) which)
    {
        byte[] value = new byte[sizeof(int)];
        ((IWatchedSocket)socket).Socket.GetRawSocketOption(which.Level, which.Option, value);
        return BitConverter.ToInt32(value);
    }
}
