using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Core.Sockets;
using Gudp.Core.Wire;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Scenarios;

/// <summary>T4: opening a connection while packets are lost.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class HandshakeLossTests
{
    private const int Bitmaps = 127;
    private const int Port = 7_000;

    // As long as a connection may take by default.
    private static readonly TimeSpan InTime = TimeSpan.FromSeconds(10);

    private static readonly LinkModel Path = new() { Delay = TimeSpan.FromMilliseconds(20) };

    // 16.5 % begin a burst of 1 to 3: so 30 % are lost.
    private static readonly LinkModel Bursty = Path with { BurstPpm = 165_000, BurstPackets = 3 };

    [Test]
    public void T4_Whichever_of_the_first_seven_packets_one_direction_loses_it_connects([Values] bool areTheClients)
    {
        int lost = 0;

        for (int bitmap = 1; bitmap <= Bitmaps; bitmap++)
        {
            using SimWorld world = new((ulong)bitmap);
            world.Network.DefaultLink = Path;
            DatagramFilter losing = LosingBy(bitmap, () => lost++);

            TimeSpan took = Connect(world, areTheClients ? losing : null, areTheClients ? null : losing);

            Assert.That(took, Is.LessThanOrEqualTo(InTime), $"bitmap {bitmap}");
        }

        Assert.That(lost, Is.GreaterThan(Bitmaps));
    }

    // A sample: each of the client's bitmaps with three of the server's.
    [Test]
    public void T4_Whichever_packets_both_directions_lose_it_connects()
    {
        int lost = 0;
        Prng draws = new(4);

        for (int pair = 0; pair < 3 * Bitmaps; pair++)
        {
            int there = 1 + (pair % Bitmaps);
            int back = (int)draws.NextBetween(1, Bitmaps);
            using SimWorld world = new((ulong)pair);
            world.Network.DefaultLink = Path;

            TimeSpan took = Connect(world, LosingBy(there, () => lost++), LosingBy(back, () => lost++));

            Assert.That(took, Is.LessThanOrEqualTo(InTime), $"bitmaps {there} and {back}");
        }

        Assert.That(lost, Is.GreaterThan(2 * 3 * Bitmaps));
    }

    [Test]
    public void T4_Bursts_that_lose_three_in_ten_do_not_prevent_a_connection()
    {
        long lost = 0;
        long sent = 0;

        for (ulong seed = 1; seed <= 50; seed++)
        {
            using SimWorld world = new(seed);
            world.Network.DefaultLink = Bursty;

            TimeSpan took = Connect(world, null, null);

            lost += world.Network.Faults.Lost;
            sent += world.Network.Faults.Sent;
            Assert.That(took, Is.LessThanOrEqualTo(InTime), $"seed {seed}");
        }

        Assert.That(lost, Is.EqualTo(sent * 3 / 10).Within(sent / 10));
    }

    /// <summary>Loses those of the first seven whose bit is set.</summary>
    private static DatagramFilter LosingBy(int bitmap, Action noteLost)
    {
        int left = bitmap;
        return _ =>
        {
            bool isLost = (left & 1) != 0;
            left >>= 1;

            if (isLost)
            {
                noteLost();
            }

            return !isLost;
        };
    }

    /// <summary>Until both ends have the connection; on the way no unproved address is sent more than came from it.</summary>
    private static TimeSpan Connect(SimWorld world, DatagramFilter? fromClient, DatagramFilter? fromServer)
    {
        SenderProof proof = new();
        Node server = world.AddNode(between: host => new Interceptor(host)
        {
            Receives = proof.NoteReceived,
            Sends = datagram =>
            {
                proof.NoteSent(datagram);
                return fromServer?.Invoke(datagram) ?? true;
            },
        });
        Node client = world.AddNode(between: host => new Interceptor(host) { Sends = fromClient });
        Endpoint listening = server.Open(Port);
        listening.Listen();
        Connection connection = client.Open(0).Connect(listening.LocalAddress);
        Connection? accepted = null;
        Instant start = world.Now;

        world.RunUntil(
            () => (accepted is not null || listening.TryAccept(out accepted)) && connection.Status.IsOpen,
            2 * InTime,
            "The connection");

        Assert.That(proof.IsProved, Is.True);
        return world.Now - start;
    }

    /// <summary>Counts at the server what came from the only client and what went there.</summary>
    private sealed class SenderProof
    {
        private long _received;
        private long _sent;

        /// <summary>The client has shown that it receives what is sent to its address.</summary>
        internal bool IsProved { get; private set; }

        internal bool NoteReceived(Span<byte> datagram)
        {
            _received += datagram.Length;
            IsProved |= LongHeader.TryParse(datagram, out LongHeader header) == DropReason.None
                && header.Type == LongPacketType.HelloPlus;
            return true;
        }

        internal void NoteSent(Span<byte> datagram)
        {
            _sent += datagram.Length;

            if (!IsProved)
            {
                Assert.That(_sent, Is.LessThanOrEqualTo(_received));
            }
        }
    }
}
