using System.Net.Sockets;
using Gudp.Core;
using Gudp.Core.Sockets;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>What every socket owes the loop, whatever carries its datagrams (T30).</summary>
[TestFixture(SocketWay.Framework)]
[TestFixture(SocketWay.Calls)]
[TestFixture(SocketWay.SendOffload)]
[TestFixture(SocketWay.ReceiveOffload)]
[TestFixture(SocketWay.Offload)]
[TestFixture(SocketWay.Simulated)]
[Category("Release")]
public sealed class DatagramSocketTests(SocketWay way)
{
    private const int LargestBytes = 65_507;

    private static readonly PeerAddress[] LoopbackAddresses =
        [PeerAddress.LoopbackIPv4(0), PeerAddress.LoopbackIPv6(0)];

    private bool JoinsReceived => way == SocketWay.Simulated
        || (way is SocketWay.ReceiveOffload or SocketWay.Offload && OffloadTrial.OfThisSystem.Works.Receive);

    [Test]
    public void T30_A_run_of_every_count_arrives_in_order_with_its_odd_last_datagram(
        [Range(1, 64)] int count, [Values(1, 77, 300)] int lastBytes)
    {
        const int DatagramBytes = 300;
        using SocketWays sockets = new(way);
        using IDatagramSocket sender = sockets.Open();
        using IDatagramSocket receiver = sockets.Open();
        byte[] run = Numbered(((count - 1) * DatagramBytes) + lastBytes);

        SendAll(sender, run, DatagramBytes, receiver.LocalAddress);
        List<byte[]> arrived = sockets.ReceiveAll(receiver, count);

        Assert.That(arrived.Select(datagram => datagram.Length).SkipLast(1), Is.All.EqualTo(DatagramBytes));
        Assert.That(arrived.SelectMany(static datagram => datagram), Is.EqualTo(run));
    }

    [TestCase(1)]
    [TestCase(64)]
    [TestCase(512)]
    [TestCase(1_024)]
    [TestCase(1_472)]
    [TestCase(9_000)]
    [TestCase(32_753)]
    [TestCase(32_754)]
    public void Sixty_four_datagrams_of_any_size_may_be_sent_at_once(int datagramBytes)
    {
        using SocketWays sockets = new(way);
        using IDatagramSocket sender = sockets.Open();
        using IDatagramSocket receiver = sockets.Open();
        byte[] run = Numbered(64 * datagramBytes);
        List<byte[]> arrived = [];

        // What is on its way at once fits the smallest of buffers that tests run with.
        for (int sent = 0; sent < 64; sent += 16)
        {
            ReadOnlySpan<byte> part = run.AsSpan(sent * datagramBytes, 16 * datagramBytes);
            SendAll(sender, part, datagramBytes, receiver.LocalAddress);
            arrived.AddRange(sockets.ReceiveAll(receiver, 16));
        }

        Assert.That(arrived.Select(static datagram => datagram.Length), Is.All.EqualTo(datagramBytes));
        Assert.That(arrived.SelectMany(static datagram => datagram).SequenceEqual(run), Is.True);
    }

    [Test]
    public void A_probe_of_another_size_between_two_runs_is_not_cut()
    {
        using SocketWays sockets = new(way);
        using IDatagramSocket sender = sockets.Open();
        using IDatagramSocket receiver = sockets.Open();
        byte[] run = Numbered(10 * 500);
        byte[] probe = Numbered(1_400);

        SendAll(sender, run, 500, receiver.LocalAddress);
        SendAll(sender, probe, probe.Length, receiver.LocalAddress);
        SendAll(sender, run, 500, receiver.LocalAddress);
        List<byte[]> arrived = sockets.ReceiveAll(receiver, 21);

        Assert.That(arrived[10], Is.EqualTo(probe));
        Assert.That(arrived.Count(static datagram => datagram.Length == 500), Is.EqualTo(20));
    }

    [Test]
    public void Runs_of_two_senders_are_not_mixed()
    {
        using SocketWays sockets = new(way);
        using IDatagramSocket left = sockets.Open();
        using IDatagramSocket right = sockets.Open();
        using IDatagramSocket receiver = sockets.Open();
        byte[] buffer = new byte[LargestBytes];
        Dictionary<int, int> bytesFrom = new() { [left.LocalAddress.Port] = 0, [right.LocalAddress.Port] = 0 };

        for (int i = 0; i < 10; i++)
        {
            SendAll(left, Numbered(900), 300, receiver.LocalAddress);
            SendAll(right, Numbered(600), 300, receiver.LocalAddress);
        }

        while (bytesFrom.Values.Sum() < 15_000)
        {
            SocketOutcome outcome = sockets.Receive(receiver, buffer, out int length, out _, out PeerAddress from);
            Assert.That(outcome, Is.EqualTo(SocketOutcome.Done));
            bytesFrom[from.Port] += length;
        }

        Assert.That(bytesFrom.Values, Is.EqualTo(new[] { 9_000, 6_000 }));
    }

    [Test]
    public void A_run_comes_in_one_piece_only_where_the_socket_says_so()
    {
        using SocketWays sockets = new(way);
        using IDatagramSocket sender = sockets.Open();
        using IDatagramSocket receiver = sockets.Open();
        byte[] buffer = new byte[LargestBytes];

        SendAll(sender, Numbered(1_000), 300, receiver.LocalAddress);
        sockets.Receive(receiver, buffer, out int length, out int datagramBytes, out _);

        Assert.That(receiver.Capabilities.JoinsReceived, Is.EqualTo(JoinsReceived));
        Assert.That(datagramBytes, Is.EqualTo(300));
        Assert.That(length, Is.EqualTo(JoinsReceived && sender.Capabilities.MaxSegments > 1 ? 1_000 : 300));
    }

    [Test]
    public void An_empty_datagram_is_one_and_hides_none()
    {
        using SocketWays sockets = new(way);
        using IDatagramSocket socket = sockets.Open();

        socket.TrySend([], 0, socket.LocalAddress);
        socket.TrySend([7], 1, socket.LocalAddress);
        List<byte[]> arrived = sockets.ReceiveAll(socket, 2);

        Assert.That(arrived.Select(static datagram => datagram.Length), Is.EqualTo(new[] { 0, 1 }));
    }

    [TestCase(LargestBytes, SocketOutcome.Done)]
    [TestCase(LargestBytes + 1, SocketOutcome.TooLarge)]
    public void The_longest_datagram_is_sent_and_a_longer_one_is_too_large(int bytes, SocketOutcome expected)
    {
        using SocketWays sockets = new(way);
        using IDatagramSocket socket = sockets.Open();

        SocketOutcome outcome = socket.TrySend(Numbered(bytes), bytes, socket.LocalAddress);

        Assert.That(outcome, Is.EqualTo(expected));
    }

    [Test]
    public void A_run_of_datagrams_too_large_is_too_large_and_no_fault_of_offload()
    {
        using SocketWays sockets = new(way);
        using IDatagramSocket socket = sockets.Open();
        int atOnce = Math.Min(2, socket.Capabilities.MaxSegments);

        SocketOutcome outcome = socket.TrySend(
            Numbered(atOnce * 65_600), 65_600, socket.LocalAddress);

        Assert.That(outcome, Is.EqualTo(SocketOutcome.TooLarge));
        Assert.That(socket.OffloadRefusals, Is.Zero);
    }

    [Test]
    public void A_datagram_longer_than_the_buffer_is_cut_or_dropped_and_the_next_is_whole()
    {
        using SocketWays sockets = new(way);
        using IDatagramSocket socket = sockets.Open();
        byte[] buffer = new byte[100];

        socket.TrySend(Numbered(500), 500, socket.LocalAddress);
        SocketOutcome cut = sockets.Receive(socket, buffer, out int cutLength, out int cutBytes, out _);
        socket.TrySend(Numbered(80), 80, socket.LocalAddress);
        SocketOutcome whole = sockets.Receive(socket, buffer, out int length, out _, out _);

        Assert.That(
            (cut, cutLength, cutBytes),
            Is.EqualTo((SocketOutcome.Done, 100, 100)).Or.EqualTo((SocketOutcome.TooLarge, 0, 0)));
        Assert.That((whole, length), Is.EqualTo((SocketOutcome.Done, 80)));
    }

    [Test]
    public void More_datagrams_at_once_than_the_socket_takes_are_a_mistake()
    {
        using SocketWays sockets = new(way);
        using IDatagramSocket socket = sockets.Open();
        int tooMany = socket.Capabilities.MaxSegments + 1;

        Assert.Throws<ArgumentOutOfRangeException>(
            () => socket.TrySend(new byte[tooMany * 10], 10, socket.LocalAddress));
    }

    [Test]
    public void Port_zero_is_unreachable()
    {
        using SocketWays sockets = new(way);
        using IDatagramSocket socket = sockets.Open();

        SocketOutcome outcome = socket.TrySend([1], 1, socket.LocalAddress.WithPort(0));

        Assert.That(outcome, Is.EqualTo(SocketOutcome.Unreachable));
    }

    [Test]
    public void Datagrams_to_nobody_end_neither_the_socket_nor_those_behind_them()
    {
        using SocketWays sockets = new(way);
        using IDatagramSocket socket = sockets.Open();
        IDatagramSocket gone = sockets.Open();
        gone.Dispose();

        for (int i = 0; i < 10; i++)
        {
            SendAll(socket, Numbered(600), 300, gone.LocalAddress);
        }

        socket.TrySend([2], 1, socket.LocalAddress);

        Assert.That(sockets.ReceiveAll(socket, 1)[0], Is.EqualTo(new byte[] { 2 }));
    }

    [Test]
    public void An_empty_socket_would_block()
    {
        using SocketWays sockets = new(way);
        using IDatagramSocket socket = sockets.Open();

        SocketOutcome outcome = socket.TryReceive(new byte[100], out int length, out int bytes, out _);

        Assert.That((outcome, length, bytes), Is.EqualTo((SocketOutcome.WouldBlock, 0, 0)));
    }

    [Test]
    public void A_disposed_socket_is_closed_and_its_port_is_free_again()
    {
        using SocketWays sockets = new(way);
        IDatagramSocket socket = sockets.Open();
        PeerAddress local = socket.LocalAddress;

        socket.Dispose();
        SocketOutcome received = socket.TryReceive(new byte[100], out _, out _, out _);
        SocketOutcome sent = socket.TrySend([1], 1, local);
        using IDatagramSocket next = sockets.Open(local);

        Assert.That((received, sent), Is.EqualTo((SocketOutcome.Closed, SocketOutcome.Closed)));
    }

    [Test]
    public void A_full_receive_buffer_loses_whole_datagrams_and_tells_the_sender_nothing()
    {
        using SocketWays sockets = new(way);
        using IDatagramSocket sender = sockets.Open();
        using IDatagramSocket receiver = sockets.Network.Open(sender.LocalAddress.WithPort(0), 0, 8_192);
        byte[] buffer = new byte[LargestBytes];

        for (int i = 0; i < 400; i++)
        {
            Assert.That(
                sender.TrySend(Numbered(1_000), 1_000, receiver.LocalAddress), Is.EqualTo(SocketOutcome.Done));
        }

        int arrived = 0;
        SocketOutcome outcome = sockets.Receive(receiver, buffer, out int length, out _, out _);

        while (outcome == SocketOutcome.Done)
        {
            Assert.That(length % 1_000, Is.Zero);
            arrived += length / 1_000;
            outcome = receiver.TryReceive(buffer, out length, out _, out _);
        }

        Assert.That(arrived, Is.InRange(1, 399));
    }

    [TestCaseSource(nameof(LoopbackAddresses))]
    public void T30_Runs_go_to_and_from_a_socket_of_both_families(PeerAddress peer)
    {
        if (way == SocketWay.Simulated || (!peer.IsIPv4 && !Socket.OSSupportsIPv6))
        {
            Assert.Ignore("There is no such address here.");
        }

        using SocketWays sockets = new(way);
        using IDatagramSocket dual = sockets.Open(PeerAddress.AnyIPv6(0));
        using IDatagramSocket single = sockets.Open(peer);
        byte[] run = Numbered(2_100);

        SendAll(dual, run, 500, single.LocalAddress);
        List<byte[]> there = sockets.ReceiveAll(single, 5);
        SendAll(single, run, 500, peer.WithPort(dual.LocalAddress.Port));
        List<byte[]> back = sockets.ReceiveAll(dual, 5);

        Assert.That(there.SelectMany(static datagram => datagram), Is.EqualTo(run));
        Assert.That(back.SelectMany(static datagram => datagram), Is.EqualTo(run));
    }

    [Test]
    public void Sending_and_receiving_runs_allocates_nothing_once_warm()
    {
        using SocketWays sockets = new(way);
        using IDatagramSocket socket = sockets.Open();
        byte[] run = Numbered(8 * 200);
        byte[] buffer = new byte[LargestBytes];
        Exchange(500);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Exchange(500);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(allocated, Is.Zero);

        void Exchange(int rounds)
        {
            for (int i = 0; i < rounds; i++)
            {
                SendAll(socket, run, 200, socket.LocalAddress);
                sockets.Receive(socket, buffer, out _, out _, out _);

                while (socket.TryReceive(buffer, out _, out _, out _) == SocketOutcome.Done)
                {
                }
            }
        }
    }

    // In as few calls as the socket says it takes, as the loop does.
    private static void SendAll(IDatagramSocket socket, ReadOnlySpan<byte> run, int datagramBytes, PeerAddress to)
    {
        int most = socket.Capabilities.MaxSegments * datagramBytes;

        while (!run.IsEmpty)
        {
            ReadOnlySpan<byte> part = run[..Math.Min(most, run.Length)];

            if (socket.TrySend(part, datagramBytes, to) != SocketOutcome.Done)
            {
                Assert.Fail("Not sent.");
            }

            run = run[part.Length..];
        }
    }

    private static byte[] Numbered(int bytes)
    {
        byte[] numbered = new byte[bytes];

        for (int i = 0; i < bytes; i++)
        {
            numbered[i] = (byte)(i + (i >> 8) + (i >> 16));
        }

        return numbered;
    }
}
