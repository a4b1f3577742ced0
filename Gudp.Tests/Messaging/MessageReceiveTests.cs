using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Lanes;
using NUnit.Framework;
using static Gudp.Tests.Messaging.HandFrames;

namespace Gudp.Tests.Messaging;

/// <summary>What a receiver of message lanes does with frames written by hand.</summary>
[TestFixture]
public sealed class MessageReceiveTests
{
    private const byte Asks = 1;

    private static readonly MessagingConfig Small = new()
    {
        LaneRingBytes = 64 * 1024,
        Lanes = 8,
        MaxMessageBytes = 1024 * 1024,
        PeerMemoryBytes = 8 * 1024 * 1024,
    };

    [Test]
    public void A_message_is_handed_out_with_its_lane_and_mode([Values(1, 2, 3, 4)] int mode)
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(5, (byte)mode), Message(5, 0, 0, [1, 2, 3]));

        bool received = peer.Peer.TryReceive(out ReceivedMessage message);

        Assert.That(received, Is.True);
        Assert.That(message.Span.ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(message.Lane, Is.EqualTo(5));
        Assert.That(message.Mode, Is.EqualTo((LaneMode)mode));
        Assert.That(message.IsReliable, Is.EqualTo(mode <= 2));
        message.Dispose();
    }

    // D-9.3
    [Test]
    public void Fragments_in_any_order_and_repeated_make_one_message([Range(1, 10)] int seed)
    {
        Prng draws = new((ulong)seed);
        byte mode = (byte)draws.NextBetween(1, 4);
        byte[] whole = LaneTests.Pattern(20_000 + (int)draws.NextBelow(40_000), (ulong)seed);
        List<byte[]> fragments = [];

        for (int at = 0; at < whole.Length;)
        {
            int length = Math.Min((int)draws.NextBetween(1, 1_000), whole.Length - at);
            fragments.Add(Fragment(3, 7, 0, (whole.Length, at), whole[at..(at + length)]));

            // What goes again may be divided otherwise.
            int overlap = (int)draws.NextBelow(at + 1);
            fragments.Add(Fragment(3, 7, 0, (whole.Length, overlap), whole[overlap..Math.Min(at + length, overlap + 900)]));
            at += length;
        }

        using HandPeer peer = new(Small);
        peer.Take(Open(3, mode));

        foreach (byte[] fragment in fragments.OrderBy(_ => draws.NextUInt64()).ToArray())
        {
            peer.Take(fragment);
        }

        List<byte[]> read = peer.Read();

        Assert.That(read, Has.Count.EqualTo(1));
        Assert.That(read[0].AsSpan().SequenceEqual(whole), Is.True);
    }

    // D-9.5, D-9.6
    [Test]
    public void A_message_that_comes_again_is_ignored([Values(1, 2, 3, 4)] int mode, [Values] bool isRead)
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, (byte)mode), Message(3, 0, Asks, [1]));
        int before = isRead ? peer.Read().Count : 0;

        peer.Take(Message(3, 0, Asks, [1]));
        peer.Take(Message(3, 0, Asks, [1]), Message(3, 0, Asks, [1]));

        Assert.That(before + peer.Read().Count, Is.EqualTo(1));
        Assert.That(peer.Written().Count(text => text.Contains("Messages")), Is.EqualTo(1));
    }

    // D-9.7
    [TestCase(2, new[] { 0, 3, 1, 2, 4 }, new[] { 4 })]
    [TestCase(3, new[] { 0, 3, 1, 2 }, new[] { 3 })]
    public void A_sequenced_lane_keeps_the_newest_waiting(int mode, int[] arriving, int[] expected)
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, (byte)mode));

        foreach (int id in arriving)
        {
            peer.Take(Message(3, id, 0, [(byte)id]));
        }

        int[] read = [.. peer.Read().Select(content => (int)content[0])];

        Assert.That(read, Is.EqualTo(expected));
        Assert.That(peer.Drops(3, MessageDrop.Outdated), Is.EqualTo(arriving.Length - 1));
    }

    // D-9.7
    [Test]
    public void A_sequenced_lane_never_hands_out_an_older_message_later([Values(2, 3)] int mode)
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, (byte)mode), Message(3, 5, 0, [5]));
        int first = peer.Read().Count;

        peer.Take(Message(3, 4, Asks, [4]));
        peer.Take(Fragment(3, 3, Asks, (2, 0), [3]), Fragment(3, 3, Asks, (2, 1), [3]));

        Assert.That(first, Is.EqualTo(1));
        Assert.That(peer.Read(), Is.Empty);
        Assert.That(peer.Written(), Has.Member("MessagesRefused 3 3-4"), "Thrown away unseen, and told.");
    }

    [Test]
    public void What_is_incomplete_goes_when_a_newer_message_of_its_sequenced_lane_is_whole([Values(2, 3)] int mode)
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, (byte)mode), Fragment(3, 0, Asks, (50_000, 0), new byte[900]));
        long before = peer.End.Memory.Blocks;

        peer.Take(Message(3, 1, 0, [1]));
        int read = peer.Read().Count;

        Assert.That(before, Is.EqualTo(1));
        Assert.That(peer.End.Memory.Blocks, Is.Zero);
        Assert.That(read, Is.EqualTo(1));
        Assert.That(peer.Written(), Has.Member("MessagesRefused 3 0-0"));
    }

    // M2, M44, D-9.8
    [Test]
    public void Taken_messages_are_told_in_ranges_in_one_frame()
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, 1));

        foreach (int id in new[] { 0, 1, 2, 5, 6, 9 })
        {
            peer.Take(Message(3, id, Asks, [1]));
        }

        peer.Read();

        Assert.That(peer.Written(), Has.Member("MessagesTaken 3 9-9 5-6 0-2"));
    }

    [Test]
    public void A_message_is_taken_when_it_is_disposed_and_not_when_it_is_handed_out()
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, 1), Message(3, 0, Asks, [1]), Message(3, 1, 0, [2]));
        peer.Peer.TryReceive(out ReceivedMessage asked);
        peer.Peer.TryReceive(out ReceivedMessage unasked);
        unasked.Dispose();
        List<string> before = peer.Written();

        asked.Dispose();

        Assert.That(before.Where(text => text.StartsWith("MessagesTaken", StringComparison.Ordinal)), Is.Empty);
        Assert.That(peer.Written(), Has.Member("MessagesTaken 3 0-0"));
    }

    [Test]
    public void A_refused_message_is_told_and_not_taken()
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, 4), Message(3, 0, Asks, [1]), Message(3, 1, Asks, [2]));
        peer.Peer.TryReceive(out ReceivedMessage first);
        peer.Peer.TryReceive(out ReceivedMessage second);

        first.Refuse();
        second.Dispose();

        Assert.That(peer.Written(), Is.EqualTo(new[] { "MessagesRefused 3 0-0", "MessagesTaken 3 1-1" }));
    }

    // M45, D-9.8
    [Test]
    public void An_answer_goes_again_until_its_packet_is_acknowledged()
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, 1), Message(3, 0, Asks, [1]), Message(3, 1, Asks, [1]));
        peer.Peer.TryReceive(out ReceivedMessage refused);
        refused.Refuse();
        peer.Read();
        int told = Answers(peer.Written(out List<PacketNumber> first));

        peer.Session.HandleLost(first[0], peer.Now);
        int toldAgain = Answers(peer.Written(out List<PacketNumber> second));
        peer.Session.HandleAcked(second[0], peer.Now);

        Assert.That((told, toldAgain), Is.EqualTo((2, 2)));
        Assert.That(Answers(peer.Written()), Is.Zero);
    }

    // M33, M46
    [Test]
    public void What_the_sender_has_settled_is_not_told_again()
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, 1), Message(3, 0, Asks, [1]), Message(3, 1, Asks, [1]), Message(3, 2, Asks, [1]));
        peer.Read();
        peer.Written(out List<PacketNumber> packets);

        peer.Take(Settled(3, 2));
        peer.Session.HandleLost(packets[0], peer.Now);

        Assert.That(peer.Written(), Has.Member("MessagesTaken 3 2-2"));
    }

    // M46
    [Test]
    public void No_more_asked_messages_are_handed_out_than_can_be_answered()
    {
        using HandPeer peer = new(Small with { LaneRingBytes = 1024 * 1024 });
        List<ReceivedMessage> held = [];
        peer.Take(Open(3, 1));

        for (int id = 0; id < AnswerBook.MostOpen + 5; id++)
        {
            peer.Take(Message(3, id, Asks, [1]));

            // The first one that is read raises the credit.
            if (id == 0 && peer.Peer.TryReceive(out ReceivedMessage first))
            {
                held.Add(first);
                peer.Written();
            }
        }

        while (peer.Peer.TryReceive(out ReceivedMessage message))
        {
            held.Add(message);
        }

        int atTheLimit = held.Count;
        held.ForEach(message => message.Dispose());
        peer.Written();
        int after = peer.Read().Count;

        Assert.That(atTheLimit, Is.EqualTo(AnswerBook.MostOpen));
        Assert.That(after, Is.EqualTo(5));
    }

    // D-9.3
    [Test]
    public void An_unreliable_message_that_stays_incomplete_is_dropped_by_its_age([Values(3, 4)] int mode)
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, (byte)mode), Fragment(3, 0, Asks, (2_000, 0), new byte[900]));
        Instant due = peer.Session.NextDeadline;
        peer.Session.HandleTimeout(due + TimeSpan.FromTicks(-1));
        long early = peer.End.Memory.Blocks;

        peer.Session.HandleTimeout(due);
        peer.Take(Fragment(3, 0, Asks, (2_000, 900), new byte[1_100]));

        Assert.That(due - peer.Now, Is.EqualTo(MessageReceiveLane.MostPartialAge));
        Assert.That(early, Is.EqualTo(1));
        Assert.That(peer.End.Memory.Blocks, Is.Zero);
        Assert.That(peer.Session.NextDeadline, Is.EqualTo(Instant.Never));
        Assert.That(peer.Drops(3, MessageDrop.Incomplete), Is.EqualTo(1));
        Assert.That(peer.Written(), Has.Member("MessagesRefused 3 0-0"));
    }

    [Test]
    public void A_reliable_message_may_stay_incomplete()
    {
        using HandPeer peer = new(Small);

        peer.Take(Open(3, 1), Fragment(3, 0, 0, (2, 0), [1]));
        Instant deadline = peer.Session.NextDeadline;
        peer.Now += TimeSpan.FromHours(1);
        peer.Take(Fragment(3, 0, 0, (2, 1), [2]));

        Assert.That(deadline, Is.EqualTo(Instant.Never));
        Assert.That(peer.Read().Single(), Is.EqualTo(new byte[] { 1, 2 }));
    }

    // D-9.10
    [Test]
    public void A_skip_gives_up_what_is_incomplete_and_leaves_what_is_whole([Values(1, 2)] int mode)
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, (byte)mode), Fragment(3, 0, Asks, (50_000, 0), new byte[900]), Message(3, 2, 0, [2]));

        peer.Take(Skip(3, 0, 1, 50_000), Skip(3, 1, 2, 700), Skip(3, 2, 3, 1), Skip(3, 3, 9));
        peer.Take(Fragment(3, 0, Asks, (50_000, 900), new byte[900]), Message(3, 1, 0, [1]), Message(3, 8, 0, [8]));

        Assert.That(peer.Read().Single(), Is.EqualTo(new byte[] { 2 }));
        Assert.That(peer.End.Memory.Blocks, Is.Zero);
    }

    // D-9.9
    [Test]
    public void A_blocked_peers_messages_are_dropped_counted_and_refused([Values(0, 1, 2, 3, 4)] int mode)
    {
        using HandPeer peer = new(Small);
        int lane = mode + 3;
        peer.Take(Open(lane, (byte)mode), mode == 0 ? Data(lane, 0, [3, 1]) : Message(lane, 0, Asks, [1]));

        peer.Session.SetBlocked(true);
        peer.Take(mode == 0 ? Data(lane, 2, [3, 1]) : Message(lane, 1, Asks, [1]));
        List<byte[]> read = peer.Read();

        Assert.That(read, Is.Empty);
        Assert.That(
            peer.Drops(lane, MessageDrop.Blocked) + peer.Drops(lane, MessageDrop.Outdated), Is.EqualTo(2));
        Assert.That(peer.Written().Single(text => text.StartsWith("MessagesRefused", StringComparison.Ordinal)),
            Is.EqualTo(mode == 0 ? $"MessagesRefused {lane} 4-4 2-2" : $"MessagesRefused {lane} 0-1"));
    }

    [Test]
    public void Lanes_are_read_in_turn_and_the_control_lane_first()
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(5, 1), Message(5, 0, 0, [5]), Message(5, 1, 0, [5]));
        peer.Take(Open(6, 4), Message(6, 0, 0, [6]), Message(6, 1, 0, [6]));
        peer.Take(Open(0, 0), Data(0, 0, [2, 0, 2, 0]));

        int[] read = [.. peer.Read().Select(content => (int)content[0])];

        Assert.That(read, Is.EqualTo(new[] { 0, 0, 5, 6, 5, 6 }));
    }

    [Test]
    public void A_handler_that_throws_has_not_taken_the_message([Values(1, 2, 3, 4)] int mode)
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, (byte)mode), Message(3, 0, Asks, [1]));
        ThrowingHandler handler = default;

        Assert.Throws<NotSupportedException>(() => peer.Peer.Poll(ref handler, 1));
        List<string> before = peer.Written();
        int read = peer.Read().Count;

        Assert.That(before, Is.Empty);
        Assert.That(read, Is.EqualTo(1));
        Assert.That(peer.Written(), Has.Member("MessagesTaken 3 0-0"));
    }

    [Test]
    public void Messages_stay_readable_after_the_end_and_go_back_when_read([Values(1, 2, 3, 4)] int mode)
    {
        using HandPeer peer = new(Small);
        peer.Take(Open(3, (byte)mode), Message(3, 0, Asks, [1]), Fragment(3, 1, 0, (50, 0), [1]));

        peer.EndConnection();
        bool received = peer.Peer.TryReceive(out ReceivedMessage message);
        bool readable = received && message.Span[0] == 1;
        message.Dispose();

        Assert.That(readable, Is.True);
        Assert.That(peer.End.Memory.Blocks, Is.Zero);
    }

    private static int Answers(List<string> written)
        => written.Count(text => text.StartsWith("Messages", StringComparison.Ordinal));

    private struct ThrowingHandler : IMessageHandler
    {
        public readonly void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
            => throw new NotSupportedException("As a test asks.");
    }
}
