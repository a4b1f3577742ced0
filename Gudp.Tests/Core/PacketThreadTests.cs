using System.Collections.Concurrent;
using Gudp.Core;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Core;

/// <summary>Core's packet modes with user threads beside the daemons' own. Bounded waits, no sleeps.</summary>
[TestFixture]
public sealed class PacketThreadTests
{
    private const int Threads = 4;
    private const int PacketsPerThread = 1_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly PacketOptions Told = new() { Delivery = PacketDelivery.Reliable, NotifyReceived = true };

    // On a busy machine the flush may take its time.
    private static GudpConfig Patient => SimWorld.Plain with
    {
        Connections = SimWorld.Plain.Connections with
        {
            LingerTimeout = Patience,
            IdleTimeout = Patience,
            HandshakeTimeout = Patience,
        },
    };

    [Test]
    public void Threads_that_send_cancel_take_and_read_at_once_see_each_packet_once()
    {
        using Daemon serverDaemon = new(Patient);
        using Daemon clientDaemon = new(Patient);
        serverDaemon.Start();
        clientDaemon.Start();
        Endpoint server = serverDaemon.Open(PeerAddress.LoopbackIPv4(0));
        server.Listen();
        Connection client = clientDaemon.Open(PeerAddress.LoopbackIPv4(0)).Connect(server.LocalAddress);
        Connection accepted = server.Accept(Patience)!;
        ConcurrentDictionary<int, int> received = new();
        ConcurrentDictionary<PacketTicket, PacketOutcome> outcomes = new();
        ConcurrentBag<PacketTicket> cancelled = [];
        int twice = 0;

        Thread[] readers = Start(2, _ => Interlocked.Add(ref twice, Read(accepted, received)));
        Thread[] takers = Start(2, _ => Interlocked.Add(ref twice, Take(client, outcomes)));
        Thread[] senders = Start(Threads, index => Send(client, index, cancelled));
        Join(senders);
        client.Close();
        Join(takers);
        Join(readers);

        Assert.That(twice, Is.Zero, "Something came twice.");
        Assert.That(outcomes, Has.Count.EqualTo(Threads * PacketsPerThread), "Each ticket has an outcome.");
        Assert.That(outcomes.Values.Count(outcome => outcome == PacketOutcome.Cancelled), Is.EqualTo(cancelled.Count));
        Assert.That(
            received.Count, Is.InRange((Threads * PacketsPerThread) - cancelled.Count, Threads * PacketsPerThread));
    }

    private static Thread[] Start(int count, Action<int> run)
    {
        Thread[] threads = new Thread[count];

        for (int i = 0; i < count; i++)
        {
            int index = i;
            threads[i] = new Thread(() => run(index));
            threads[i].Start();
        }

        return threads;
    }

    private static void Join(Thread[] threads)
    {
        foreach (Thread thread in threads)
        {
            Assert.That(thread.Join(Patience), Is.True, "A thread does not come to its end.");
        }
    }

    private static void Send(Connection client, int index, ConcurrentBag<PacketTicket> cancelled)
    {
        for (int i = 0; i < PacketsPerThread; i++)
        {
            byte[] packet = BitConverter.GetBytes((index * PacketsPerThread) + i);
            PacketTicket ticket;

            while (client.TrySend(packet, Told, out ticket) != SendStatus.Accepted)
            {
                Thread.Yield();
            }

            if (i % 10 == 0 && client.TryCancel(ticket))
            {
                cancelled.Add(ticket);
            }
        }
    }

    private static int Read(Connection accepted, ConcurrentDictionary<int, int> received)
    {
        byte[] packet = new byte[16];
        int twice = 0;

        while (accepted.Receive(packet, Patience, out _) == ReceiveStatus.Received)
        {
            twice += received.TryAdd(BitConverter.ToInt32(packet), 0) ? 0 : 1;
        }

        return twice;
    }

    private static int Take(Connection client, ConcurrentDictionary<PacketTicket, PacketOutcome> outcomes)
    {
        PacketUpdate[] updates = new PacketUpdate[16];
        int twice = 0;

        while (client.WaitForUpdates(Patience) || !client.Status.IsFinal)
        {
            int taken = client.TakeUpdates(updates);

            foreach (PacketUpdate update in updates.AsSpan(0, taken))
            {
                twice += outcomes.TryAdd(update.Ticket, update.Outcome) ? 0 : 1;
            }
        }

        return twice;
    }
}
