using System.Diagnostics;
using System.Net.Sockets;
using Gudp.Core;
using Gudp.Core.Sockets;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>What the look at the system says where the system is not as it should be.</summary>
[TestFixture, Category("Release"), Platform("Linux")]
public sealed class OffloadTrialTests
{
    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(10);

    // A port that is given anew may still be somebody's answer's.
    [Test]
    public void Datagrams_of_strangers_say_nothing_of_the_system()
    {
        using UdpNetwork network = new();
        using IDatagramSocket stranger = network.Open(PeerAddress.LoopbackIPv4(0), 0, 0);
        using LinuxUdpSocket sender = Open(PeerAddress.LoopbackIPv4(0));
        using LinuxUdpSocket receiver = Open(PeerAddress.LoopbackIPv4(0));
        stranger.TrySend([1, 2, 3], 3, receiver.LocalAddress);
        stranger.TrySend(new byte[600], 600, receiver.LocalAddress);

        OffloadTrial trial = OffloadTrial.Judge(sender, receiver);

        Assert.That(trial.HasCalls, Is.EqualTo(OffloadTrial.OfThisSystem.HasCalls), trial.Finding);
        Assert.That(trial.Works, Is.EqualTo(OffloadTrial.OfThisSystem.Works));
    }

    [Test]
    public void A_machine_without_IPv4_is_tried_over_IPv6()
    {
        if (!Socket.OSSupportsIPv6)
        {
            Assert.Ignore("There is no IPv6 here.");
        }

        OffloadTrial trial = OffloadTrial.Run(local => local.IsIPv4
            ? throw new SocketException((int)SocketError.AddressNotAvailable)
            : Open(local));

        Assert.That(trial.Works, Is.EqualTo(OffloadTrial.OfThisSystem.Works), trial.Finding);
    }

    [Test]
    public void A_machine_without_a_loopback_has_no_offload_and_waits_and_carries_datagrams_all_the_same()
    {
        OffloadTrial trial = OffloadTrial.Run(_ => throw new SocketException((int)SocketError.AddressNotAvailable));

        Assert.That((trial.HasCalls, trial.HasWait), Is.EqualTo((false, true)), trial.Finding);
        Assert.That(trial.Finding, Does.StartWith("No trial over the loopback: "));
        using UdpNetwork network = new(trial);
        using IDatagramSocket socket = network.Open(PeerAddress.LoopbackIPv4(0), default(SocketConfig));
        Assert.That(socket, Is.InstanceOf<UdpSocket>());
        socket.TrySend([7], 1, socket.LocalAddress);
        Assert.That(Receive(network, socket), Is.EqualTo(1));
        network.Wake();
        Assert.That(network.Wait(Generous), Is.True);
    }

    [Test]
    public void A_run_whose_sizes_were_cut_off_is_dropped_and_never_taken_for_one_datagram()
    {
        if (OffloadTrial.OfThisSystem.Works is not { Send: true, Receive: true })
        {
            Assert.Ignore(OffloadTrial.OfThisSystem.Finding);
        }

        // SO_TIMESTAMPING, of received datagrams, by the system: 64 bytes of control information for each.
        const int SocketLevel = 1;
        const int Timestamping = 37;
        const int ReceivedBySystem = (1 << 3) | (1 << 4);
        using LinuxUdpSocket sender = Open(PeerAddress.LoopbackIPv4(0));
        using LinuxUdpSocket receiver = Open(PeerAddress.LoopbackIPv4(0));
        receiver.Socket.SetRawSocketOption(SocketLevel, Timestamping, BitConverter.GetBytes(ReceivedBySystem));
        byte[] buffer = new byte[65_535];

        sender.TrySend(new byte[1_000], 300, receiver.LocalAddress);
        receiver.Socket.Poll(Generous, SelectMode.SelectRead);
        SocketOutcome run = receiver.TryReceive(buffer, out int length, out int datagramBytes, out _);
        sender.TrySend([9], 1, receiver.LocalAddress);
        receiver.Socket.Poll(Generous, SelectMode.SelectRead);
        SocketOutcome single = receiver.TryReceive(buffer, out int singleLength, out _, out _);

        Assert.That(
            (run, length, datagramBytes),
            Is.EqualTo((SocketOutcome.TooLarge, 0, 0)).Or.EqualTo((SocketOutcome.Done, 1_000, 300)));
        Assert.That((single, singleLength), Is.EqualTo((SocketOutcome.Done, 1)));
    }

    private static LinuxUdpSocket Open(PeerAddress local)
        => new(new BoundSocket(local, default), new OffloadChoice(Send: true, Receive: true), static _ => { });

    private static int Receive(UdpNetwork network, IDatagramSocket socket)
    {
        byte[] buffer = new byte[64];
        long start = Stopwatch.GetTimestamp();

        while (Stopwatch.GetElapsedTime(start) < Generous)
        {
            if (socket.TryReceive(buffer, out int length, out _, out _) == SocketOutcome.Done)
            {
                return length;
            }

            network.Wait(Generous);
        }

        return -1;
    }
}
