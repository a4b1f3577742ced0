using System.Diagnostics;
using System.Net.Sockets;
using Gudp.Core;
using Gudp.Core.Sockets;
using NUnit.Framework;

namespace Gudp.Tests.Core;

// Real sockets on the loopback: each test waits for what it expects, at most for a generous time.
[TestFixture(false)]
[TestFixture(true)]
[Category("Release")]
public sealed class UdpNetworkTests(bool isFrameworkOnly)
{
    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(10);

    private readonly byte[] _buffer = new byte[65_535];

    private static IEnumerable<TestCaseData> Families()
    {
        yield return new TestCaseData(PeerAddress.LoopbackIPv4(0), PeerAddress.LoopbackIPv4(0), "v4 to v4");
        yield return new TestCaseData(PeerAddress.LoopbackIPv6(0), PeerAddress.LoopbackIPv6(0), "v6 to v6");
        yield return new TestCaseData(PeerAddress.LoopbackIPv4(0), PeerAddress.AnyIPv6(0), "v4 to dual");
        yield return new TestCaseData(PeerAddress.LoopbackIPv6(0), PeerAddress.AnyIPv6(0), "v6 to dual");
        yield return new TestCaseData(PeerAddress.AnyIPv6(0), PeerAddress.LoopbackIPv4(0), "dual to v4");
    }

    [TestCaseSource(nameof(Families))]
    public void A_datagram_arrives_with_its_sender_and_can_be_answered(PeerAddress from, PeerAddress to, string names)
    {
        RequireIPv6(from, to);
        using var network = new UdpNetwork(isFrameworkOnly);
        using IDatagramSocket sender = network.Open(from, 0, 0);
        using IDatagramSocket receiver = network.Open(to, 0, 0);

        SocketOutcome sent = sender.TrySend([1, 2, 3], 3, Reachable(receiver, over: from.IsAny ? to : from));
        byte[] received = Receive(network, receiver, out PeerAddress origin);
        SocketOutcome answered = receiver.TrySend([4], 1, origin);
        byte[] answer = Receive(network, sender, out _);

        Assert.Multiple(() =>
        {
            Assert.That(sent, Is.EqualTo(SocketOutcome.Done), names);
            Assert.That(received, Is.EqualTo(new byte[] { 1, 2, 3 }), names);
            Assert.That(origin.Port, Is.EqualTo(sender.LocalAddress.Port), names);
            Assert.That(answered, Is.EqualTo(SocketOutcome.Done), names);
            Assert.That(answer, Is.EqualTo(new byte[] { 4 }), names);
        });
    }

    [Test]
    public void An_empty_socket_would_block_without_an_exception()
    {
        using var network = new UdpNetwork(isFrameworkOnly);
        using IDatagramSocket socket = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);

        SocketOutcome outcome = socket.TryReceive(_buffer, out int length, out _, out _);

        Assert.That((outcome, length), Is.EqualTo((SocketOutcome.WouldBlock, 0)));
    }

    [Test]
    public void An_empty_datagram_does_not_hide_the_one_behind_it()
    {
        using var network = new UdpNetwork(isFrameworkOnly);
        using IDatagramSocket socket = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);

        socket.TrySend([], 0, socket.LocalAddress);
        socket.TrySend([7], 1, socket.LocalAddress);
        byte[] first = Receive(network, socket, out _);
        byte[] second = Receive(network, socket, out _);

        Assert.That((first.Length, second.Length), Is.EqualTo((0, 1)));
    }

    [Test]
    public void A_port_in_use_is_refused_with_the_systems_reason()
    {
        using var network = new UdpNetwork(isFrameworkOnly);
        using IDatagramSocket socket = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);

        SocketException refusal = Assert.Throws<SocketException>(() => network.Open(socket.LocalAddress, 0, 0))!;

        Assert.That(refusal.SocketErrorCode, Is.EqualTo(SocketError.AddressAlreadyInUse));
    }

    [TestCase(65_507, SocketOutcome.Done)]
    [TestCase(65_508, SocketOutcome.TooLarge)]
    public void The_longest_datagram_is_sent_and_a_longer_one_is_too_large(int bytes, SocketOutcome expected)
    {
        using var network = new UdpNetwork(isFrameworkOnly);
        using IDatagramSocket socket = network.Open(PeerAddress.LoopbackIPv4(0), 1 << 20, 1 << 20);

        SocketOutcome outcome = socket.TrySend(new byte[bytes], bytes, socket.LocalAddress);

        Assert.That(outcome, Is.EqualTo(expected));
    }

    [Test]
    public void What_no_socket_of_this_family_can_reach_is_unreachable()
    {
        using var network = new UdpNetwork(isFrameworkOnly);
        using IDatagramSocket socket = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);

        SocketOutcome otherFamily = socket.TrySend([1], 1, PeerAddress.LoopbackIPv6(9));
        SocketOutcome portZero = socket.TrySend([1], 1, PeerAddress.LoopbackIPv4(0));

        Assert.That((otherFamily, portZero), Is.EqualTo((SocketOutcome.Unreachable, SocketOutcome.Unreachable)));
    }

    [Test]
    public void A_disposed_socket_is_closed_and_its_port_is_free_again()
    {
        using var network = new UdpNetwork(isFrameworkOnly);
        IDatagramSocket socket = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);

        socket.Dispose();
        SocketOutcome received = socket.TryReceive(_buffer, out _, out _, out _);
        SocketOutcome sent = socket.TrySend([1], 1, PeerAddress.LoopbackIPv4(9));
        using IDatagramSocket next = network.Open(socket.LocalAddress, 0, 0);

        Assert.That((received, sent), Is.EqualTo((SocketOutcome.Closed, SocketOutcome.Closed)));
    }

    [Test]
    public void Sending_to_nobody_does_not_end_the_socket()
    {
        using var network = new UdpNetwork(isFrameworkOnly);
        using IDatagramSocket socket = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        IDatagramSocket gone = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        gone.Dispose();

        socket.TrySend([1], 1, gone.LocalAddress);
        socket.TryReceive(_buffer, out _, out _, out _);
        socket.TrySend([2], 1, socket.LocalAddress);

        Assert.That(Receive(network, socket, out _), Is.EqualTo(new byte[] { 2 }));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Linux_sends_datagrams_whole_or_not_at_all(bool isDual)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("Elsewhere the system decides.");
        }

        using UdpNetwork network = new(isFrameworkOnly);
        using IDatagramSocket socket = network.Open(
            isDual ? PeerAddress.AnyIPv6(0) : PeerAddress.LoopbackIPv4(0), 0, 0);

        Assert.That(socket.Capabilities.DoNotFragment, Is.True);
    }

    [Test]
    public void Granted_buffers_are_read_back()
    {
        using var network = new UdpNetwork(isFrameworkOnly);

        using IDatagramSocket socket = network.Open(PeerAddress.LoopbackIPv4(0), 100_000, 100_000);

        Assert.That(socket.Capabilities.ReceiveBufferBytes, Is.GreaterThanOrEqualTo(100_000));
    }

    [Test]
    public void A_wake_before_the_wait_ends_it_at_once()
    {
        using var network = new UdpNetwork(isFrameworkOnly);

        network.Wake();
        long start = Stopwatch.GetTimestamp();
        bool isWoken = network.Wait(Generous);

        Assert.That(isWoken, Is.True);
        Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(Generous / 2));
    }

    [Test]
    public void A_wake_from_another_thread_ends_each_of_many_waits()
    {
        using var network = new UdpNetwork(isFrameworkOnly);
        using var turn = new SemaphoreSlim(0);
        const int Rounds = 500;
        var waker = new Thread(() =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                turn.Wait();
                network.Wake();
            }
        });
        waker.Start();

        int woken = 0;
        long start = Stopwatch.GetTimestamp();

        for (int i = 0; i < Rounds; i++)
        {
            turn.Release();
            woken += network.Wait(Generous) ? 1 : 0;
        }

        waker.Join();
        Assert.That(woken, Is.EqualTo(Rounds));
        Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(Generous));
    }

    [Test]
    public void A_wait_without_events_ends_false_and_not_too_early()
    {
        using var network = new UdpNetwork(isFrameworkOnly);
        using IDatagramSocket socket = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        while (network.Wait(TimeSpan.Zero))
        {
        }

        long start = Stopwatch.GetTimestamp();
        bool isWoken = network.Wait(TimeSpan.FromMicroseconds(1_500));

        Assert.That(isWoken, Is.False);
        Assert.That(Stopwatch.GetElapsedTime(start), Is.GreaterThanOrEqualTo(TimeSpan.FromMicroseconds(1_500)));
    }

    [Test]
    public void Linux_waits_without_a_tick()
    {
        if (isFrameworkOnly || !OffloadTrial.OfThisSystem.HasCalls)
        {
            Assert.Ignore("The framework waits in whole milliseconds.");
        }

        using UdpNetwork network = new();
        while (network.Wait(TimeSpan.Zero))
        {
        }

        TimeSpan shortest = Generous;

        // One of many, on a machine that may be busy.
        for (int i = 0; i < 500; i++)
        {
            long start = Stopwatch.GetTimestamp();
            network.Wait(TimeSpan.FromMicroseconds(100));
            TimeSpan waited = Stopwatch.GetElapsedTime(start);
            shortest = waited < shortest ? waited : shortest;
        }

        Assert.That(shortest, Is.InRange(TimeSpan.FromMicroseconds(100), TimeSpan.FromMicroseconds(700)));
    }

    [Test]
    public void Sockets_opened_and_closed_while_another_thread_waits_are_watched_and_let_go()
    {
        using UdpNetwork network = new(isFrameworkOnly);
        using CancellationTokenSource over = new();
        int wakes = 0;
        Thread waiter = new(() =>
        {
            while (!over.IsCancellationRequested)
            {
                wakes += network.Wait(Generous) ? 1 : 0;
            }
        });
        waiter.Start();

        for (int i = 0; i < 200; i++)
        {
            using IDatagramSocket first = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
            using IDatagramSocket second = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
            first.TrySend([1], 1, second.LocalAddress);
        }

        over.Cancel();
        network.Wake();
        Assert.That(waiter.Join(Generous), Is.True);
        Assert.That(wakes, Is.Positive);
    }

    [Test]
    public void A_socket_disposed_while_it_is_waited_for_ends_the_wait()
    {
        using var network = new UdpNetwork(isFrameworkOnly);
        IDatagramSocket socket = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        while (network.Wait(TimeSpan.Zero))
        {
        }

        var closer = new Thread(socket.Dispose);
        closer.Start();
        bool isWoken = network.Wait(Generous);
        bool isClosed = closer.Join(Generous);

        Assert.That((isWoken, isClosed), Is.EqualTo((true, true)));
    }

    [Test]
    public void Waiting_sending_and_receiving_allocates_nothing_once_warm()
    {
        using var network = new UdpNetwork(isFrameworkOnly);
        using IDatagramSocket socket = network.Open(PeerAddress.AnyIPv6(0), 1 << 20, 1 << 20);
        PeerAddress self = PeerAddress.LoopbackIPv4(socket.LocalAddress.Port);
        Exchange(network, socket, self, 2_000);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Exchange(network, socket, self, 1_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(allocated, Is.Zero);
    }

    private void Exchange(UdpNetwork network, IDatagramSocket socket, PeerAddress to, int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            socket.TrySend(_buffer.AsSpan(0, 100), 100, to);
            network.Wait(Generous);

            while (socket.TryReceive(_buffer, out _, out _, out _) == SocketOutcome.Done)
            {
            }

            network.Wake();
            network.Wait(Generous);
        }
    }

    private byte[] Receive(UdpNetwork network, IDatagramSocket socket, out PeerAddress from)
    {
        long start = Stopwatch.GetTimestamp();

        while (Stopwatch.GetElapsedTime(start) < Generous)
        {
            if (socket.TryReceive(_buffer, out int length, out _, out from) == SocketOutcome.Done)
            {
                return _buffer[..length];
            }

            network.Wait(Generous);
        }

        from = default;
        Assert.Fail("Nothing arrived.");
        return [];
    }

    // An any address is listened at, not sent to.
    private static PeerAddress Reachable(IDatagramSocket socket, PeerAddress over)
        => socket.LocalAddress.IsAny ? over.WithPort(socket.LocalAddress.Port) : socket.LocalAddress;

    private static void RequireIPv6(PeerAddress first, PeerAddress second)
    {
        if ((!first.IsIPv4 || !second.IsIPv4) && !Socket.OSSupportsIPv6)
        {
            Assert.Ignore("This machine has no IPv6.");
        }
    }
}
