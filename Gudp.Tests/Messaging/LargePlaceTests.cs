using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Memory;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>
/// Messages beside an ordered lane's ring have places in parts, of which the oldest is used again once it was left.
/// </summary>
[TestFixture]
public sealed class LargePlaceTests
{
    // Above what is copied into the ring; the smaller, the more of them are under way.
    private const int Bytes = 300;

    private const int Places = 4_096;

    // All places hold a message before the ring is full.
    private static readonly MessagingConfig Wide = new() { LaneRingBytes = 4 * 1024 * 1024 };

    [Test]
    public void Places_filled_to_the_last_left_in_part_and_filled_again_keep_their_order([Range(1, 5)] int seed)
    {
        Prng draws = new((ulong)seed);
        using SessionPair pair = SessionPair.Opened((ulong)seed, config: Wide);
        int first = SendUntilFull(pair, 0);
        int sent = first;
        int read = 0;

        for (int round = 0; round < 12; round++)
        {
            // Few steps leave most places filled, many none.
            for (int step = 1 << (int)draws.NextBelow(9); step > 0; step--)
            {
                pair.StepUnaudited();
                read = ReadInOrder(pair.Server.Peer, read);
            }

            int most = draws.NextChance(500_000) ? Places : (int)draws.NextBelow(300);
            sent = SendUntilFull(pair, sent, most);
        }

        bool done = pair.RunUntil(() => (read = ReadInOrder(pair.Server.Peer, read)) == sent);
        pair.RunUntilQuiet();

        Assert.That(first, Is.EqualTo(Places));
        Assert.That(sent, Is.GreaterThan(2 * Places));
        Assert.That(done, Is.True, $"{read} of {sent}");
    }

    // The leader reads places, without the lock, while the writer moves the part it left.
    [Test]
    public void Places_are_read_right_while_another_thread_fills_them_again()
    {
        const int count = 40_000;
        using SessionPair pair = SessionPair.Opened(path: new PathModel { PacketsPerStep = 64 }, config: Wide);
        int read = 0;
        Thread writer = new(() =>
        {
            for (int sent = 0; sent < count && !pair.Client.Session.HasEnded;)
            {
                sent = SendUntilFull(pair, sent, Math.Min(100, count - sent));
            }
        });

        writer.Start();

        while (read < count && pair.Steps < 2_000_000)
        {
            pair.StepUnaudited();
            read = ReadInOrder(pair.Server.Peer, read);
        }

        writer.Join();

        Assert.That(read, Is.EqualTo(count));
    }

    private static int SendUntilFull(SessionPair pair, int number, int most = int.MaxValue)
    {
        for (; most > 0; most--)
        {
            SendStatus status = pair.Client.Session.Memory.TryRentShared(Bytes, out SharedBlock? block);
            Assert.That(status, Is.EqualTo(SendStatus.Accepted));
            block!.Span.Fill((byte)number);
            BitConverter.TryWriteBytes(block.Span, number);
            status = pair.Client.Session.TrySend(block, default, out _);
            block.Release();

            if (status != SendStatus.Accepted)
            {
                break;
            }

            number++;
        }

        return number;
    }

    private static int ReadInOrder(Peer peer, int next)
    {
        while (peer.TryReceive(out ReceivedMessage message))
        {
            Assert.That(BitConverter.ToInt32(message.Span), Is.EqualTo(next));
            Assert.That(message.Span[sizeof(int)..].IndexOfAnyExcept((byte)next), Is.EqualTo(-1));
            message.Dispose();
            next++;
        }

        return next;
    }
}
