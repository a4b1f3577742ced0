using Gudp.Core;
using Gudp.Core.Sockets;
using NUnit.Framework;

namespace Gudp.Tests.Core;

// Real sockets on the loopback, so many that the network asks the system which of them to read.
[TestFixture, Category("Release"), Platform("Linux")]
public sealed class ReadySocketsTests
{
    private const int Many = 40;

    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(10);

    private readonly object?[] _marks = new object?[Many];

    [Test]
    public void Few_sockets_are_asked_one_by_one()
    {
        using var network = new UdpNetwork();
        using IDatagramSocket socket = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);

        int ready = ((IReadySockets)network).TakeReady(_marks);

        Assert.That(ready, Is.EqualTo(-1));
    }

    [Test]
    public void Of_many_sockets_those_with_something_to_read_are_told_until_they_are_read()
    {
        using var network = new UdpNetwork();
        IDatagramSocket[] sockets = OpenMany(network);

        int before = ((IReadySockets)network).TakeReady(_marks);
        sockets[0].TrySend([1], 1, sockets[7].LocalAddress);
        sockets[0].TrySend([2], 1, sockets[31].LocalAddress);
        Assert.That(network.Wait(Generous), Is.True);
        object?[] first = Ready(network);
        object?[] again = Ready(network);
        sockets[7].TryReceive(new byte[64], out _, out _, out _);
        object?[] last = Ready(network);

        Assert.Multiple(() =>
        {
            Assert.That(before, Is.Zero);
            Assert.That(first, Is.EquivalentTo(new object[] { 7, 31 }));
            Assert.That(again, Is.EquivalentTo(new object[] { 7, 31 }));
            Assert.That(last, Is.EquivalentTo(new object[] { 31 }));
        });
    }

    // A limit of the system, or a socket that was closed behind the network's back.
    [Test]
    public void Sockets_of_which_the_system_watches_no_more_are_asked_one_by_one_and_all_are_open()
    {
        using var network = new UdpNetwork();
        IDatagramSocket[] few = [.. Enumerable.Range(0, 8).Select(_ => network.Open(PeerAddress.LoopbackIPv4(0), 0, 0))];
        ((IWatchedSocket)few[3]).Socket.Dispose();

        IDatagramSocket last = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        int ready = ((IReadySockets)network).TakeReady(_marks);
        few[0].TrySend([5], 1, last.LocalAddress);
        byte[] buffer = new byte[64];
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        SocketOutcome outcome = SocketOutcome.WouldBlock;

        while (outcome == SocketOutcome.WouldBlock && System.Diagnostics.Stopwatch.GetElapsedTime(start) < Generous)
        {
            network.Wait(Generous);
            outcome = last.TryReceive(buffer, out _, out _, out _);
        }

        Assert.That((ready, outcome), Is.EqualTo((-1, SocketOutcome.Done)));
        Assert.That(() => few[3].Dispose(), Throws.Nothing);
    }

    [Test]
    public void A_list_that_was_disposed_says_so_and_takes_none()
    {
        using var network = new UdpNetwork();
        using IDatagramSocket socket = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        ReadyList list = ReadyList.TryMake()!;

        list.Dispose();

        Assert.That(list.Take(_marks), Is.EqualTo(-1));
        Assert.That(list.TryAdd((IWatchedSocket)socket), Is.False);
        Assert.That(() => list.Remove((IWatchedSocket)socket), Throws.Nothing);
    }

    [Test]
    public void A_closed_socket_is_told_no_more_and_its_place_serves_another()
    {
        using var network = new UdpNetwork();
        IDatagramSocket[] sockets = OpenMany(network);
        sockets[0].TrySend([1], 1, sockets[5].LocalAddress);
        Assert.That(network.Wait(Generous), Is.True);

        sockets[5].Dispose();
        object?[] closed = Ready(network);
        using IDatagramSocket another = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        ((IWatchedSocket)another).Mark = "another";
        sockets[0].TrySend([1], 1, another.LocalAddress);
        Assert.That(network.Wait(Generous), Is.True);

        Assert.Multiple(() =>
        {
            Assert.That(closed, Is.Empty);
            Assert.That(Ready(network), Is.EqualTo(new object[] { "another" }));
        });
    }

    [Test]
    public void After_the_network_has_ended_each_socket_is_asked_and_says_so()
    {
        var network = new UdpNetwork();
        IDatagramSocket[] sockets = OpenMany(network);

        network.Dispose();

        Assert.Multiple(() =>
        {
            Assert.That(((IReadySockets)network).TakeReady(_marks), Is.EqualTo(-1));
            Assert.That(
                sockets[3].TryReceive(new byte[64], out _, out _, out _), Is.EqualTo(SocketOutcome.Closed));
        });
    }

    [Test]
    public void A_daemon_with_many_endpoints_serves_each_of_them()
    {
        using var daemon = new Daemon(Plain);
        daemon.Start();
        using Endpoint server = daemon.Open(PeerAddress.LoopbackIPv4(0));
        server.Listen();

        Connection[] dialled =
        [
            .. Enumerable.Range(0, Many).Select(_ => daemon.Open(PeerAddress.LoopbackIPv4(0)).Connect(server.LocalAddress)),
        ];
        bool[] opened = [.. dialled.Select(connection => connection.WaitUntilOpen(Generous))];

        Assert.That(opened, Is.All.True);
    }

    private static GudpConfig Plain => new()
    {
        Connections = new() { Security = new() { Protection = Protection.Plain } },
    };

    private static IDatagramSocket[] OpenMany(UdpNetwork network)
    {
        IDatagramSocket[] sockets =
        [
            .. Enumerable.Range(0, Many).Select(_ => network.Open(PeerAddress.LoopbackIPv4(0), 0, 0)),
        ];

        for (int i = 0; i < sockets.Length; i++)
        {
            ((IWatchedSocket)sockets[i]).Mark = i;
        }

        // The wake that each opening left.
        network.Wait(TimeSpan.Zero);
        return sockets;
    }

    private object?[] Ready(UdpNetwork network) => _marks[..((IReadySockets)network).TakeReady(_marks)];
}
