using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Lanes;
using NUnit.Framework;
using static Gudp.Tests.Messaging.HandFrames;

namespace Gudp.Tests.Messaging;

/// <summary>Which ids were seen, and what hangs on it: repeats, late messages, answers.</summary>
[TestFixture]
public sealed class RecentIdsTests
{
    private const byte Asked = 1;
    private const int Lane = 3;

    [Test]
    public void It_knows_what_a_set_of_all_ids_knows_within_its_window([Range(1, 8)] int seed)
    {
        Prng draws = new((ulong)seed);
        RecentIds ids = new();
        HashSet<long> model = [];
        long top = -1;

        for (int i = 0; i < 3_000; i++)
        {
            long jump = draws.NextBelow(seed % 2 == 0 ? 40u : 9_000u);
            long id = Math.Max(0, draws.NextChance(300_000) ? top + jump : top - jump);
            ids.Add(id);
            model.Add(id);
            top = Math.Max(top, id);
            long from = Math.Max(0, top - draws.NextBelow(20_000));
            long to = from + draws.NextBelow(300);
            long first = Math.Max(from, Math.Min(to, top - RecentIds.Window + 1));

            while (first < to && model.Contains(first))
            {
                first++;
            }

            bool isSeen = from <= top - RecentIds.Window || model.Contains(from);
            Assert.That(ids.Contains(from), Is.EqualTo(isSeen), $"{from} of {top}");
            Assert.That(ids.FirstUnseen(from, to), Is.EqualTo(first), $"{from} to {to} of {top}");
        }
    }

    // Goal: no message its sender asks about comes too late to be answered; that would fill the sender's lane for good.
    [Test]
    public void D_9_6_A_late_unreliable_message_is_taken_and_answered_as_long_as_its_sender_may_ask()
    {
        using HandPeer peer = new();
        const long newest = 20_000;
        const long oldest = newest - RecentIds.Window + 1;
        peer.Take(Open(Lane, 4), Message(Lane, newest, Asked, [1]));

        peer.Take(Message(Lane, oldest, Asked, [2]), Message(Lane, oldest - 1, Asked, [3]));
        peer.Take(Message(Lane, oldest, Asked, [4]));
        List<byte[]> read = peer.Read();
        List<string> answers = peer.Written();

        Assert.That(read, Is.EqualTo(new[] { new byte[] { 1 }, [2] }));
        Assert.That(answers, Has.Member($"MessagesTaken 3 {newest}-{newest} {oldest}-{oldest}"));
    }

    // Goal: a packet full of answers costs no more than the messages there are.
    [Test]
    public void D_6_3_A_message_is_looked_at_once_however_often_it_is_named()
    {
        const int sent = 4_000;
        using HandPeer hand = new();
        SendOptions options = SendOptions.Unreliable with { NotifyTaken = true };
        MessageSendLane lane = (MessageSendLane)hand.Session.SendLaneOf(options.Lane);
        SendReceipt receipt = default;

        for (int i = 0; i < sent; i++)
        {
            hand.Peer.TrySend([1], options, out receipt);
        }

        // The first is never answered, so that none of them is forgotten.
        _ = hand.Written();
        byte[] all = Numbers(0x28, options.Lane, sent - 1, 0, sent - 2);
        hand.Take([.. Enumerable.Repeat(all, 100)]);
        hand.Take([.. Enumerable.Repeat(all, 100)]);

        Assert.That(lane.AnswersLookedAt, Is.EqualTo(sent - 1));
        Assert.That(hand.Peer.StateOf(receipt.Id).Take, Is.EqualTo(TakeState.Taken));
    }
}
