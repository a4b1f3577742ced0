using System.Buffers;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Memory;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>
/// A message to many lies once in memory: one block, charged once to the endpoint and once to each peer that holds it,
/// and given back when the last of them is done, whichever way that is (M5, M26).
/// </summary>
[TestFixture]
public sealed class SharedSendTests
{
    private const int Clients = 4;
    private const int Bytes = 100_000;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan AWhile = TimeSpan.FromSeconds(2);

    // Lane 3 and on: one of each mode.
    private static readonly MessagingConfig Plain = new()
    {
        Core = SimWorld.Plain,
        LanePlan = Enum.GetValues<LaneMode>().Aggregate(
            LanePlan.Default, (plan, mode) => plan.With(LaneOf(mode), new LaneOptions { Mode = mode })),
    };

    /// <summary>Ways in which the last target may be done with a message.</summary>
    public enum Ending
    {
        Received,
        Cancelled,
        Expired,
        Closed,
    }

    [Test]
    public void M26_Many_targets_cost_one_block_until_all_have_it(
        [Values] LaneMode mode, [Values(300, 5_000, 60_000)] int bytes)
    {
        using PeerStar star = WarmStar();
        Usage before = new(star);
        byte[] message = LaneTests.Pattern(bytes, 4);
        SendOptions options = new() { Lane = LaneOf(mode) };

        star.Hub.TrySend(star.Accepted.ToArray(), message, options, new SendResult[Clients]);
        Usage queued = new(star);
        star.World.Run(AWhile);
        Usage settled = new(star);
        byte[][] received = [.. star.Clients.SelectMany(PeerStar.TakeFrom)];

        Assert.That(queued.Blocks - before.Blocks, Is.EqualTo(1), "However many targets, one block.");
        Assert.That(queued.Bytes - before.Bytes, Is.EqualTo(RentedFor(bytes)));
        Assert.That(queued.Shares.Zip(before.Shares, (now, then) => now - then), Is.All.EqualTo(1));
        Assert.That(settled, Is.EqualTo(before), "It is back, from everybody, once.");
        Assert.That(received, Is.All.EqualTo(message));
        Assert.That(received, Has.Length.EqualTo(Clients));
    }

    [Test]
    public void M26_A_message_written_in_place_is_not_copied_to_be_sent()
    {
        using PeerStar star = WarmStar();
        Usage before = new(star);

        using (MessageBuffer buffer = new(star.Hub))
        {
            buffer.Write(LaneTests.Pattern(Bytes, 4));
            Usage written = new(star);
            star.Hub.TrySend(star.Accepted.ToArray(), buffer, new SendOptions { Lane = 3 }, new SendResult[Clients]);
            Usage queued = new(star);

            Assert.That(written.Blocks - before.Blocks, Is.EqualTo(1));
            Assert.That(queued.Bytes, Is.EqualTo(written.Bytes), "Sending it took no memory of the endpoint.");
        }

        star.World.Run(AWhile);

        Assert.That(new Usage(star), Is.EqualTo(before));
    }

    // Goal: the block goes back when the last target is done, not before and not twice, whatever its end is.
    [Test]
    public void M26_The_block_goes_back_when_the_last_target_is_done(
        [Values(LaneMode.OrderedReliable, LaneMode.UnorderedReliable)] LaneMode mode, [Values] Ending ending)
    {
        using PeerStar star = WarmStar();
        Usage before = new(star);
        SendResult[] results = new SendResult[Clients];
        Peer last = star.Accepted[^1];
        star.CutOff(star.Clients.Count - 1);

        star.Hub.TrySend(
            star.Accepted.ToArray(), LaneTests.Pattern(Bytes, 4), OptionsFor(mode, ending), results);
        star.World.Run(AWhile);
        Usage withOne = new(star);
        End(star, last, results[^1].Receipt.Id, ending);
        bool isBack = RunUntil(star, () => new Usage(star).Blocks < withOne.Blocks);

        Assert.That(withOne.Blocks - before.Blocks, Is.EqualTo(1), "One target is left, and the block with it.");
        Assert.That(withOne.Shares[..^1], Is.EqualTo(before.Shares[..^1]));
        Assert.That(isBack, Is.True);
        Assert.That(new Usage(star).Shares[^1], Is.LessThan(withOne.Shares[^1]));
    }

    [Test]
    public void A_peer_without_room_for_its_share_refuses_alone()
    {
        const int Kilobyte = 1024;
        MessagingConfig narrow = Plain with
        {
            LaneRingBytes = 64 * Kilobyte,
            DatagramQueueBytes = 128 * Kilobyte,
            MaxMessageBytes = 64 * Kilobyte,
            PeerMemoryBytes = 512 * Kilobyte,
        };
        using PeerStar star = new(clients: 2, narrow);
        Peer full = star.Accepted[0];

        for (int lane = 3; full.TrySend(new byte[60 * Kilobyte], new SendOptions { Lane = lane }) != SendStatus.PeerFull;)
        {
            lane = lane == 15 ? 3 : lane + 1;
        }

        SendResult[] results = new SendResult[2];
        int accepted = star.Hub.TrySend(
            star.Accepted.ToArray(), new byte[60 * Kilobyte], new SendOptions { Lane = 1 }, results);

        Assert.That(accepted, Is.EqualTo(1));
        Assert.That(results[0].Status, Is.EqualTo(SendStatus.PeerFull));
        Assert.That(results[1].Status, Is.EqualTo(SendStatus.Accepted));
    }

    private static int RentedFor(int bytes)
    {
        byte[] block = ArrayPool<byte>.Shared.Rent(bytes);
        ArrayPool<byte>.Shared.Return(block);
        return block.Length;
    }

    private static int LaneOf(LaneMode mode) => 3 + (int)mode;

    private static SendOptions OptionsFor(LaneMode mode, Ending ending) => new()
    {
        Lane = LaneOf(mode),
        ReceiveTimeout = ending == Ending.Expired ? TimeSpan.FromSeconds(10) : TimeSpan.Zero,
    };

    private static void End(PeerStar star, Peer last, MessageId id, Ending ending)
    {
        switch (ending)
        {
            case Ending.Received:
                star.Restore(star.Clients.Count - 1);
                break;
            case Ending.Cancelled:
                Assert.That(last.Session.TryCancel(id), Is.True);
                break;
            case Ending.Closed:
                last.Dispose();
                break;
            default:
                // Its time passes by itself.
                break;
        }
    }

    private static bool RunUntil(PeerStar star, Func<bool> holds)
    {
        star.World.RunUntil(holds, Limit);
        return holds();
    }

    // Lanes have their rings by now, on both sides, and nothing is under way.
    private static PeerStar WarmStar()
    {
        PeerStar star = new(Clients, Plain);

        foreach (LaneMode mode in Enum.GetValues<LaneMode>())
        {
            SendOptions options = new() { Lane = LaneOf(mode) };
            star.Hub.TrySend(star.Accepted.ToArray(), "warm"u8, options, new SendResult[Clients]);
        }

        star.World.Run(AWhile);

        foreach (Peer client in star.Clients)
        {
            Assert.That(PeerStar.TakeFrom(client), Has.Count.EqualTo(Enum.GetValues<LaneMode>().Length));
        }

        star.World.Run(AWhile);
        return star;
    }

    /// <summary>What of the hub's memory is lent, to the endpoint and to each peer.</summary>
    private sealed record Usage
    {
        internal Usage(PeerStar star)
        {
            Blocks = star.Hub.Memory.Blocks;
            Bytes = star.Hub.Memory.UsedBytes;
            Shares = [.. star.Accepted.Select(peer => peer.Session.Memory.Blocks)];
        }

        internal long Blocks { get; }

        internal long Bytes { get; }

        internal long[] Shares { get; }

        public bool Equals(Usage? other) => other is not null
            && Blocks == other.Blocks && Bytes == other.Bytes && Shares.SequenceEqual(other.Shares);

        public override int GetHashCode() => HashCode.Combine(Blocks, Bytes);

        public override string ToString() => $"{Blocks} blocks, {Bytes} bytes, shares {string.Join(", ", Shares)}";
    }
}
