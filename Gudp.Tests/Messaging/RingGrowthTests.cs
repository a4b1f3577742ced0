using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Lanes;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>Rings of ordered lanes start small and grow with what goes through (D-3.1, R4).</summary>
[TestFixture]
public sealed class RingGrowthTests
{
    private const int First = 64 * 1024;
    private const int Megabyte = 1024 * 1024;

    // A window far beyond a small ring, and a round trip that is worth one.
    private static readonly PathModel Fast = new() { PacketsPerStep = 64, MostDelaySteps = 1 };

    [Test]
    public void R4_A_lane_that_is_used_a_little_keeps_its_first_ring_for_ever()
    {
        using SessionPair pair = SessionPair.Opened();
        byte[] message = new byte[100];

        for (int i = 0; i < 3_000; i++)
        {
            pair.Client.Peer.TrySend(message);
            pair.Step();
            ReadAll(pair.Server.Peer);
        }

        Assert.That(pair.Client.Memory.UsedBytes, Is.EqualTo(First));
        Assert.That(pair.Server.Memory.UsedBytes, Is.EqualTo(First + (First / 4)), "The ring and its spare.");
    }

    [Test]
    public void A_lane_grows_under_load_at_both_ends_and_never_beyond_its_limit()
    {
        MessagingConfig config = new() { LaneRingBytes = 256 * 1024 };
        using SessionPair pair = SessionPair.Opened(path: Fast, config: config);

        int count = Transfer(pair, lane: 1, 10_000, messageBytes: 1_000);

        Assert.That(count, Is.EqualTo(10_000));
        Assert.That(pair.Client.Memory.UsedBytes, Is.EqualTo(256 * 1024));
        Assert.That(pair.Server.Memory.UsedBytes, Is.InRange(256 * 1024, 256 * 1024 * 5 / 4), "A ring and its spare.");
    }

    [Test]
    public void A_lane_nobody_reads_fills_no_more_than_its_limit()
    {
        MessagingConfig config = new() { LaneRingBytes = 256 * 1024 };
        using SessionPair pair = SessionPair.Opened(path: Fast, config: config);
        byte[] message = new byte[1_000];

        for (int i = 0; i < 600; i++)
        {
            while (pair.Client.Peer.TrySend(message) == SendStatus.Accepted)
            {
                // Until it is full.
            }

            pair.Step();
        }

        long used = pair.Server.Memory.UsedBytes;
        pair.Client.RefusesAll = true;
        int here = ReadAll(pair.Server.Peer);

        Assert.That(used, Is.EqualTo(256 * 1024));
        Assert.That(here, Is.InRange(255, 261));
    }

    // Without growth they need 32 MB of the 64 that a peer may cause.
    [Test]
    public void R4_Two_hundred_and_fifty_six_lanes_in_both_directions_deliver_with_the_default_memory()
    {
        MessagingConfig config = new() { Lanes = 256 };
        using SessionPair pair = SessionPair.Opened(path: Fast with { PacketsPerStep = 256 }, config: config);
        List<int> lanes = [.. Enumerable.Range(0, 256).Where(lane => lane != 2)];
        Dictionary<int, int> atServer = [];
        Dictionary<int, int> atClient = [];

        // The first ones are filled, so that their rings take what they get.
        for (int round = 0; round < 40; round++)
        {
            foreach (int lane in lanes)
            {
                int burst = lane < 64 ? 40 : 1;

                for (int i = 0; i < burst; i++)
                {
                    _ = pair.Client.Peer.TrySend(new byte[4_000], new SendOptions { Lane = lane });
                    _ = pair.Server.Peer.TrySend(new byte[4_000], new SendOptions { Lane = lane });
                }
            }

            pair.Run(2);
            Count(pair.Server.Peer, atServer);
            Count(pair.Client.Peer, atClient);
        }

        foreach (int lane in lanes)
        {
            Assert.That(
                pair.Client.Peer.TrySend(new byte[15_000], new SendOptions { Lane = lane }),
                Is.EqualTo(SendStatus.Accepted).Or.EqualTo(SendStatus.LaneFull).Or.EqualTo(SendStatus.NoCredit));
        }

        pair.RunUntil(() =>
        {
            Count(pair.Server.Peer, atServer);
            Count(pair.Client.Peer, atClient);
            return pair.Client.IsQuiet && pair.Server.IsQuiet;
        });

        Assert.That(atServer.Keys, Is.EquivalentTo(lanes));
        Assert.That(atClient.Keys, Is.EquivalentTo(lanes));
        Assert.That(pair.Client.Violations, Is.Empty);
        Assert.That(pair.Server.Memory.UsedBytes, Is.LessThan(config.PeerMemoryBytes));
    }

    [Test]
    public void A_ring_does_not_grow_while_a_reader_polls_in_place_and_grows_afterwards()
    {
        using SessionPair pair = SessionPair.Opened(path: Fast);
        Fill(pair, 1_000);
        pair.Run(3);
        FillingReader reader = new(pair);

        int read = pair.Server.Peer.Poll(ref reader, 1);
        long inside = reader.UsedBytes;
        int rest = Transfer(pair, lane: 1, 3_000, messageBytes: 1_000);

        Assert.That(read, Is.EqualTo(1));
        Assert.That(reader.WasWhole, Is.True, "The span in the reader's hands stays what it was.");
        Assert.That(inside, Is.LessThan(Megabyte));
        Assert.That(rest, Is.GreaterThanOrEqualTo(3_000));
        Assert.That(pair.Server.Memory.UsedBytes, Is.GreaterThan(inside));
    }

    [Test]
    public void Claims_that_are_open_while_the_ring_grows_arrive_as_they_were_written()
    {
        using SessionPair pair = SessionPair.Opened(path: Fast);
        byte[] content = LaneTests.Pattern(10_000, 7);
        pair.Client.Peer.TryClaim(content.Length, default, out MessageClaim first);
        pair.Client.Peer.TryClaim(content.Length, default, out MessageClaim abandoned);
        content.AsSpan(0, 5_000).CopyTo(first.Span);

        int behind = Fill(pair, 1_000);
        content.AsSpan(5_000).CopyTo(first.Span[5_000..]);
        abandoned.Abandon();
        SendStatus committed = first.Commit();
        List<byte[]> read = ReadUntilQuiet(pair);

        Assert.That(behind, Is.InRange(100, 1_100), "The ring grew once beneath the claims.");
        Assert.That(committed, Is.EqualTo(SendStatus.Accepted));
        Assert.That(read[0], Is.EqualTo(content));
        Assert.That(read, Has.Count.EqualTo(behind + 1));
    }

    [Test]
    public void A_message_longer_than_the_first_ring_arrives_without_a_reader_if_the_limit_holds_it()
    {
        using SessionPair pair = SessionPair.Opened();
        byte[] message = LaneTests.Pattern(200_000, 3);

        pair.Client.Peer.TrySend(message, new SendOptions { NotifyReceived = true }, out SendReceipt receipt);
        bool quiet = pair.RunUntilQuiet();
        TransferState state = pair.Client.Peer.StateOf(receipt.Id).Transfer;
        List<byte[]> read = ReadUntilQuiet(pair);

        Assert.That(quiet, Is.True);
        Assert.That(state, Is.EqualTo(TransferState.Received));
        Assert.That(read, Is.EqualTo(new[] { message }));
    }

    [Test]
    public void Without_memory_to_grow_all_lengths_still_arrive()
    {
        MessagingConfig config = new()
        {
            Lanes = 8,
            LaneRingBytes = 512 * 1024,
            MaxMessageBytes = 256 * 1024,
            PeerMemoryBytes = 8 * Megabyte,
        };
        using SessionPair pair = SessionPair.Opened(path: Fast, config: config);
        List<int> lengths = [];
        List<int> read = [];

        // So much is taken that no ring may grow.
        Assert.That(pair.Client.Session.Memory.TryRentToSend(2 * Megabyte, out byte[] clients), Is.EqualTo(SendStatus.Accepted));
        Assert.That(pair.Server.Session.Memory.TryRentToReceive(2 * Megabyte, out byte[] servers), Is.EqualTo(SendStatus.Accepted));

        for (int i = 0; i < 200; i++)
        {
            int length = 1 + (i * 7_919 % 200_000);

            while (pair.Client.Peer.TrySend(new byte[length]) != SendStatus.Accepted)
            {
                StepAndRead(pair, read);
            }

            lengths.Add(length);
        }

        for (int i = 0; i < 20_000 && read.Count < lengths.Count; i++)
        {
            StepAndRead(pair, read);
        }

        pair.Client.Session.Memory.ReturnSent(clients);
        pair.Server.Session.Memory.ReturnReceived(servers);

        Assert.That(read, Is.EqualTo(lengths));
    }

    // D-10.5: an abandoned claim for whose skip there is no place would stop the lane for good.
    [Test]
    public void A_lane_of_many_skips_goes_on_also_if_memory_to_grow_comes_late([Values] bool late)
    {
        using SessionPair pair = SessionPair.Opened(path: Fast);
        byte[] taken = [];
        int sent = 0;
        int read = 0;

        if (late)
        {
            SendStatus status = pair.Server.Session.Memory.TryRentToReceive(32 * Megabyte, out taken);
            Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        }

        for (int i = 0; i < 6_000; i++)
        {
            if (i == 5_000 && late)
            {
                pair.Server.Session.Memory.ReturnReceived(taken);
            }

            SendStatus claimed = pair.Client.Peer.TryClaim(3, default, out MessageClaim abandoned);
            sent += pair.Client.Peer.TrySend([1]) == SendStatus.Accepted ? 1 : 0;

            if (claimed == SendStatus.Accepted)
            {
                abandoned.Abandon();
            }

            pair.StepUnaudited();
            read += ReadAll(pair.Server.Peer);
        }

        bool done = pair.RunUntil(() => (read += ReadAll(pair.Server.Peer)) == sent, mostSteps: 2_000);

        Assert.That(done, Is.True, $"{read} of {sent}");
        Assert.That(pair.Server.Violations, Is.Empty);
    }

    // Small and large messages, claims, cancellations and shares over a bad path, while rings grow and wrap.
    [Test]
    public void Everything_arrives_in_order_whatever_happens_while_rings_grow([Range(1, 40)] int seed)
    {
        Prng draws = new((ulong)seed);
        MessagingConfig config = new()
        {
            Lanes = 4,
            LaneRingBytes = First << (int)draws.NextBelow(4),
            MaxMessageBytes = 1024 * 1024,
            PeerMemoryBytes = 16 * Megabyte,
        };
        PathModel path = new()
        {
            LossPpm = 20_000,
            DuplicatePpm = 10_000,
            AckLossPpm = 20_000,
            MostDelaySteps = 6,
            PacketsPerStep = 1 << (int)(2 + draws.NextBelow(6)),
        };
        using SessionPair pair = SessionPair.Opened((ulong)seed, path, config);
        Queue<(int Length, byte Fill)> expected = [];

        for (int i = 0; i < 400; i++)
        {
            SendSome(pair, draws, expected);
            pair.Step();

            if (draws.NextChance(700_000))
            {
                AssertInOrder(pair.Server.Peer, expected);
            }
        }

        bool done = pair.RunUntil(() =>
        {
            AssertInOrder(pair.Server.Peer, expected);
            return expected.Count == 0 && pair.Client.IsQuiet && pair.Server.IsQuiet;
        });

        Assert.That(done, Is.True, pair.Client.ToString());
        Assert.That(pair.Server.Violations, Is.Empty);
    }

    [Test]
    public void Several_threads_send_while_the_ring_grows()
    {
        using SessionPair pair = SessionPair.Opened(path: Fast);
        const int Each = 4_000;
        Thread[] writers =
            [.. Enumerable.Range(0, 3).Select(writer => new Thread(() => SendNumbered(pair, writer, Each)))];
        int[] next = new int[writers.Length];
        int read = 0;

        foreach (Thread writer in writers)
        {
            writer.Start();
        }

        while (read < Each * writers.Length && pair.Steps < 2_000_000)
        {
            // The audit of a step wants no other thread inside, so the turns go without it.
            pair.StepUnaudited();

            while (pair.Server.Peer.TryReceive(out ReceivedMessage message))
            {
                int number = BitConverter.ToInt32(message.Span[1..]);
                Assert.That(number, Is.EqualTo(next[message.Span[0]]++));
                Assert.That(message.Span[5..].IndexOfAnyExcept((byte)number), Is.EqualTo(-1));
                message.Dispose();
                read++;
            }
        }

        Array.ForEach(writers, writer => writer.Join());

        Assert.That(read, Is.EqualTo(Each * writers.Length));
        Assert.That(pair.Client.Memory.UsedBytes, Is.GreaterThan(First));
    }

    // A claim, and messages behind it that make the ring grow; then the claim ends.
    private static void SendSome(SessionPair pair, Prng draws, Queue<(int Length, byte Fill)> expected)
    {
        // Short enough to stand in the stream where they are made.
        int length = 1 + (int)draws.NextBelow(16_000);
        bool claims = pair.Client.Peer.TryClaim(length, default, out MessageClaim first) == SendStatus.Accepted;
        bool abandons = claims && draws.NextChance(300_000);

        if (claims && !abandons)
        {
            expected.Enqueue((length, 1));
        }

        for (int i = (int)draws.NextBelow(30); i > 0; i--)
        {
            int most = draws.NextChance(50_000) ? 150_000 : 3_000;
            byte[] message = new byte[1 + draws.NextBelow(most)];
            message.AsSpan().Fill((byte)message.Length);

            if (pair.Client.Peer.TrySend(message) == SendStatus.Accepted)
            {
                expected.Enqueue((message.Length, (byte)message.Length));
            }
        }

        if (!claims)
        {
            return;
        }

        first.Span.Fill(1);

        if (abandons)
        {
            first.Abandon();
        }
        else
        {
            Assert.That(first.Commit(), Is.EqualTo(SendStatus.Accepted));
        }
    }

    private static void AssertInOrder(Peer peer, Queue<(int Length, byte Fill)> expected)
    {
        while (peer.TryReceive(out ReceivedMessage message))
        {
            (int length, byte fill) = expected.Dequeue();

            if (message.Span.Length != length || message.Span.IndexOfAnyExcept(fill) >= 0)
            {
                Assert.Fail($"Expected {length} bytes of {fill}, not {message.Span.Length} of {message.Span[0]}.");
            }

            message.Dispose();
        }
    }

    private static void SendNumbered(SessionPair pair, int writer, int count)
    {
        for (int i = 0; i < count; i++)
        {
            byte[] message = new byte[5 + (i % 700)];
            message[0] = (byte)writer;
            BitConverter.TryWriteBytes(message.AsSpan(1), i);
            message.AsSpan(5).Fill((byte)i);
            bool claims = i % 3 == 0;

            while (!(claims ? TryClaimed(pair, message) : pair.Client.Peer.TrySend(message) == SendStatus.Accepted))
            {
                Thread.Yield();
            }
        }
    }

    private static bool TryClaimed(SessionPair pair, byte[] message)
    {
        if (pair.Client.Peer.TryClaim(message.Length, default, out MessageClaim claim) != SendStatus.Accepted)
        {
            return false;
        }

        message.CopyTo(claim.Span);
        return claim.Commit() == SendStatus.Accepted;
    }

    private static int Transfer(SessionPair pair, int lane, int count, int messageBytes)
    {
        byte[] message = new byte[messageBytes];
        int sent = 0;
        int read = 0;

        pair.RunUntil(() =>
        {
            while (sent < count
                && pair.Client.Peer.TrySend(message, new SendOptions { Lane = lane }) == SendStatus.Accepted)
            {
                sent++;
            }

            read += ReadAll(pair.Server.Peer);
            return read >= count;
        });
        pair.RunUntilQuiet();
        return read + ReadAll(pair.Server.Peer);
    }

    private static int Fill(SessionPair pair, int messageBytes)
    {
        int sent = 0;

        while (pair.Client.Peer.TrySend(new byte[messageBytes]) == SendStatus.Accepted)
        {
            sent++;
        }

        return sent;
    }

    // The test itself holds memory, so there is no audit.
    private static void StepAndRead(SessionPair pair, List<int> lengths)
    {
        pair.StepUnaudited();

        while (pair.Server.Peer.TryReceive(out ReceivedMessage message))
        {
            lengths.Add(message.Span.Length);
            message.Dispose();
        }
    }

    private static List<byte[]> ReadUntilQuiet(SessionPair pair)
    {
        List<byte[]> read = [];

        pair.RunUntil(() =>
        {
            while (pair.Server.Peer.TryReceive(out ReceivedMessage message))
            {
                read.Add(message.Span.ToArray());
                message.Dispose();
            }

            return pair.Client.IsQuiet && pair.Server.IsQuiet;
        });
        return read;
    }

    private static int ReadAll(Peer peer)
    {
        int count = 0;

        for (; peer.TryReceive(out ReceivedMessage message); count++)
        {
            message.Dispose();
        }

        return count;
    }

    private static void Count(Peer peer, Dictionary<int, int> lanes)
    {
        while (peer.TryReceive(out ReceivedMessage message))
        {
            lanes[message.Lane] = lanes.GetValueOrDefault(message.Lane) + 1;
            message.Dispose();
        }
    }

    // Lets the lane fill up while it stands in the first message.
    private struct FillingReader(SessionPair pair) : IMessageHandler
    {
        internal long UsedBytes { get; private set; }

        internal bool WasWhole { get; private set; }

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
        {
            byte[] before = message.ToArray();

            for (int i = 0; i < 50; i++)
            {
                _ = Fill(pair, 1_000);
                pair.StepUnaudited();
            }

            UsedBytes = pair.Server.Memory.UsedBytes;
            WasWhole = message.SequenceEqual(before);
        }
    }
}
