using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Lanes;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>R17, D-13.4: what had no end when a peer was shut down, and how every message is counted once.</summary>
[TestFixture]
public sealed class DrainTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly MessagingConfig Plain = new() { Core = SimWorld.Plain };

    private static readonly MessagingConfig AllModes = new()
    {
        LanePlan = LanePlan.Default
            .With(3, new LaneOptions { Mode = LaneMode.UnorderedReliable })
            .With(4, new LaneOptions { Mode = LaneMode.SequencedReliable })
            .With(5, new LaneOptions { Mode = LaneMode.SequencedUnreliable }),
    };

    [TestCase(1)]
    [TestCase(3)]
    public void R17_what_was_never_sent_what_may_have_arrived_and_what_was_not_taken_are_told_apart(int lane)
    {
        using SessionPair pair = SessionPair.Opened(config: AllModes);
        SendOptions ask = new() { Lane = lane, NotifyTaken = true };
        pair.Client.Peer.TrySend(new byte[100], ask);
        OpenTraffic unsent = pair.Client.Session.ReadOpen();

        pair.Step();
        OpenTraffic sent = pair.Client.Session.ReadOpen();
        pair.RunUntilQuiet();
        OpenTraffic received = pair.Client.Session.ReadOpen();
        Assert.That(pair.Server.Peer.TryReceive(out ReceivedMessage message), Is.True);
        message.Dispose();
        pair.RunUntilQuiet();
        OpenTraffic taken = pair.Client.Session.ReadOpen();

        Assert.That((unsent.UntransmittedMessages, unsent.UnconfirmedMessages), Is.EqualTo((1, 0)));
        Assert.That(unsent.UntransmittedBytes, Is.InRange(100, 108));
        Assert.That((sent.UntransmittedMessages, sent.UnconfirmedMessages), Is.EqualTo((0, 1)));
        Assert.That(sent.UnconfirmedBytes, Is.InRange(100, 108));
        Assert.That((received.UnconfirmedMessages, received.UntakenMessages), Is.EqualTo((0, 1)));
        Assert.That(taken.IsEmpty, Is.True);
    }

    [Test]
    public void R17_a_shutdown_without_patience_says_what_is_left_and_lets_nothing_more_in()
    {
        using SimWorld world = new(seed: 1);
        Node right = world.AddNode();
        Node left = world.AddNode();
        MessageEndpoint listener = new(right.Daemon, right.Host.Address.WithPort(7000), Plain);
        listener.Listen();
        MessageEndpoint caller = new(left.Daemon, left.Host.Address.WithPort(0), Plain);
        Peer client = caller.Connect(listener.LocalAddress);
        world.RunUntil(() => client.Status.IsOpen, Patience);

        for (int i = 0; i < 10; i++)
        {
            client.TrySend(new byte[1000], new SendOptions { NotifyReceived = true });
        }

        MessageDrainReport report = client.Shutdown(TimeSpan.Zero);
        SendStatus late = client.TrySend("late"u8);

        PeerDrain drain = report.Peers.Single();
        Assert.That(report.IsComplete, Is.False);
        Assert.That(drain.UntransmittedMessages, Is.EqualTo(10));
        Assert.That(drain.UntransmittedBytes, Is.EqualTo(10 * 1002));
        Assert.That(drain.Open, Has.Count.EqualTo(10));
        Assert.That(drain.Remote, Is.EqualTo(listener.LocalAddress));
        Assert.That(report.ToString(), Does.EndWith(
            "10 messages (10020 B) not sent, 0 (0 B) not known to be received, 0 not known to be taken"));
        Assert.That(late, Is.EqualTo(SendStatus.Closed));
    }

    [TestCase(0)]
    [TestCase(1_000)]
    public void R17_the_report_of_a_daemon_counts_the_messages_that_never_went_out(int length)
    {
        using SimWorld world = new(seed: 4);
        Node node = world.AddNode();
        MessagingConfig config = Plain with { LanePlan = AllModes.LanePlan };
        MessageEndpoint caller = new(node.Daemon, node.Host.Address.WithPort(0), config);
        Peer client = caller.Connect(node.Host.Address.WithPort(9));

        foreach (int lane in (int[])[1, 1, 2, 3])
        {
            client.TrySend(new byte[length], new SendOptions { Lane = lane });
        }

        DrainReport report = node.Daemon.Shutdown(TimeSpan.Zero);
        node.IsStopped = true;

        Assert.That(report.Undelivered.Single().QueuedPackets, Is.EqualTo(4));
        Assert.That(report.Undelivered.Single().QueuedBytes, Is.InRange(4 * length, 4 * (length + 4)));
    }

    [Test]
    public void R17_the_receipts_of_a_drain_are_bounded()
    {
        using SimWorld world = new(seed: 2);
        Node node = world.AddNode();
        MessageEndpoint caller = new(node.Daemon, node.Host.Address.WithPort(0), Plain);
        Peer client = caller.Connect(node.Host.Address.WithPort(9));

        for (int i = 0; i < 1_000; i++)
        {
            client.TrySend([], new SendOptions { NotifyReceived = true });
        }

        MessageDrainReport report = caller.Shutdown(TimeSpan.Zero);

        Assert.That(report.Peers.Single().UntransmittedMessages, Is.EqualTo(1_000));
        Assert.That(report.Peers.Single().Open, Has.Count.EqualTo(PeerDrain.MostOpen));
    }

    [Test]
    public void R17_a_connection_that_ends_by_itself_is_reported_with_what_it_had_left_and_with_its_reason()
    {
        using PeerStar star = new(clients: 1, Plain with { LanePlan = AllModes.LanePlan });
        Peer client = star.Clients[0];
        star.CutOff(0);

        foreach (int lane in (int[])[1, 3])
        {
            client.TrySend(new byte[1_000], new SendOptions { Lane = lane, NotifyReceived = true });
            client.TrySend(new byte[1_000], new SendOptions { Lane = lane });
        }

        MessageSession session = client.Session;
        star.World.RunUntil(() => session.HasEnded, TimeSpan.FromMinutes(5));

        MessageDrainReport first = client.Shutdown(TimeSpan.Zero);
        MessageDrainReport second = client.Shutdown(Timeout.InfiniteTimeSpan);

        PeerDrain drain = first.Peers.Single();
        Assert.That(drain.CloseReason!.Code, Is.EqualTo(CloseCode.IdleTimeout));
        Assert.That(drain.UnconfirmedMessages + drain.UntransmittedMessages, Is.EqualTo(4));
        Assert.That(drain.UnconfirmedBytes + drain.UntransmittedBytes, Is.InRange(4_000, 4_016));
        Assert.That(first.ToString(), Does.Contain("ended: IdleTimeout"));
        Assert.That(second.ToString(), Is.EqualTo(first.ToString()));
    }

    [Test]
    public void R17_what_this_end_closed_itself_has_no_close_reason_in_the_report()
    {
        using PeerStar star = new(clients: 1, Plain);
        Peer client = star.Clients[0];
        client.TrySend(new byte[1_000], new SendOptions { NotifyTaken = true });

        MessageDrainReport first = client.Shutdown(TimeSpan.Zero);
        star.World.Run(TimeSpan.FromSeconds(1));
        MessageDrainReport second = client.Shutdown(TimeSpan.Zero);

        PeerDrain again = second.Peers.Single();
        Assert.That(first.Peers.Single().CloseReason, Is.Null);
        Assert.That(again.CloseReason, Is.Null);
        Assert.That(again.UntransmittedMessages + again.UnconfirmedMessages + again.UntakenMessages, Is.EqualTo(1));
    }

    [TestCase(1, 100)]
    [TestCase(3, 100)]
    [TestCase(1, 500_000)]
    public void R17_a_claim_that_is_open_when_the_shutdown_begins_is_not_sent_any_more(int lane, int length)
    {
        using SessionPair pair = SessionPair.Opened(config: AllModes);
        pair.Client.Peer.TryClaim(length, new SendOptions { Lane = lane }, out MessageClaim claim);

        pair.Client.Session.BeginShutdown();
        SendStatus committed = claim.Commit();

        Assert.That(committed, Is.EqualTo(SendStatus.Closed));
        Assert.That(pair.Client.Session.IsFlushed(), Is.True);
        Assert.That(pair.Client.Session.ReadOpen().IsEmpty, Is.True);
    }

    [Test]
    public void R17_a_sink_cannot_wait_for_the_turn_it_runs_in()
    {
        using SimWorld world = new(seed: 3);
        Node right = world.AddNode();
        Node left = world.AddNode();
        EndingSink sink = new();
        MessageEndpoint listener = new(right.Daemon, right.Host.Address.WithPort(7000), Plain, sink);
        listener.Listen();
        MessageEndpoint caller = new(left.Daemon, left.Host.Address.WithPort(0), Plain);
        Peer client = caller.Connect(listener.LocalAddress);
        client.TrySend("end"u8);

        world.RunUntil(() => sink.Thrown is not null, Patience);

        Assert.That(sink.Thrown, Is.TypeOf<InvalidOperationException>());
        Assert.That(sink.Looked!.IsComplete, Is.True);
    }

    // Two threads on one lane, a third on another.
    [Test]
    public void R17_what_is_reported_is_what_was_accepted_while_other_threads_send([Range(1, 10)] int round)
    {
        using PeerStar star = new(clients: 1, Plain with { LanePlan = AllModes.LanePlan }, seed: (ulong)round);
        Peer client = star.Clients[0];
        using CountdownEvent isSending = new(3);
        Task<int>[] senders = [.. new[] { 1, 3, 4 }.Select(lane => Task.Run(() =>
        {
            int accepted = 0;
            SendOptions options = new() { Lane = lane == 4 ? 1 : lane };

            SendStatus status = client.TrySend([], options);
            isSending.Signal();

            for (; status != SendStatus.Closed; status = client.TrySend([], options))
            {
                accepted += status == SendStatus.Accepted ? 1 : 0;
            }

            return accepted;
        }))];
        Assert.That(isSending.Wait(Patience), Is.True);

        MessageDrainReport report = client.Shutdown(TimeSpan.Zero);
        Task.WaitAll(senders, Patience);

        Assert.That(report.Peers.Single().UntransmittedMessages, Is.EqualTo(senders.Sum(sender => sender.Result)));
    }

    [Test]
    [Category("Release")]
    public async Task R17_a_shutdown_waits_for_what_is_asked_and_is_complete_when_it_is_taken()
    {
        await using Loopback loopback = await Loopback.OpenAsync(Plain);
        loopback.Client.TrySend(new byte[1_000_000], new SendOptions { NotifyTaken = true });
        Task<MessageDrainReport> shutdown = Task.Run(() => loopback.Client.Shutdown(Patience));

        Assert.That(loopback.Server.Receive(Patience, out ReceivedMessage message), Is.EqualTo(ReceiveStatus.Received));
        message.Dispose();

        Assert.That((await shutdown).IsComplete, Is.True);
        Assert.That(loopback.Client.Status.IsFinal, Is.True);
    }

    [Test]
    [Category("Release")]
    public async Task R17_a_shutdown_whose_time_is_over_names_what_was_not_taken()
    {
        await using Loopback loopback = await Loopback.OpenAsync(Plain);
        loopback.Client.TrySend(new byte[100], new SendOptions { NotifyTaken = true });

        MessageDrainReport report = loopback.Caller.Shutdown(TimeSpan.FromMilliseconds(300));

        Assert.That(report.Peers.Single().UntakenMessages, Is.EqualTo(1));
        Assert.That(report.Peers.Single().Open.Single().Take, Is.EqualTo(TakeState.Pending));
    }

    [Test]
    public void Every_accepted_message_of_every_mode_is_counted_under_exactly_one_end([Range(1, 5)] int seed)
    {
        PathModel rough = new() { LossPpm = 100_000, DuplicatePpm = 50_000, AckLossPpm = 50_000, MostDelaySteps = 5 };
        using SessionPair pair = SessionPair.Opened((ulong)seed, rough, AllModes);
        Prng draws = new Prng((ulong)seed).Split(3);
        List<MessageId> cancellable = [];

        for (int step = 0; step < 400; step++)
        {
            SendOptions options = new()
            {
                Lane = (int)draws.NextBelow(6),
                NotifyTaken = draws.NextChance(300_000),
                ReceiveTimeout = draws.NextChance(200_000) ? TimeSpan.FromMilliseconds(5) : TimeSpan.Zero,
            };
            byte[] message = new byte[(int)draws.NextBelow(6_000)];

            if (pair.Client.Peer.TrySend(message, options, out SendReceipt receipt) == SendStatus.Accepted)
            {
                cancellable.Add(receipt.Id);
            }

            if (cancellable.Count > 0 && draws.NextChance(100_000))
            {
                pair.Client.Peer.TryCancel(cancellable[^1]);
            }

            Serve(pair);
            pair.Step();
        }

        // Some seeds end in the middle, others when all is quiet.
        if (seed % 2 == 0)
        {
            for (int i = 0; i < 2_000; i++)
            {
                Serve(pair);
                pair.Step();
            }
        }

        pair.End();
        Fetch(pair);
        MessageCounters counters = pair.Client.Peer.ReadCounters().Messages;
        long ends = counters.TransfersReceived + counters.TransfersExpired + counters.TransfersCancelled
            + counters.TransfersUnknown;
        long takes = counters.TakesTaken + counters.TakesRefused + counters.TakesExpired + counters.TakesUnknown;

        Assert.That(counters.MessagesSent, Is.GreaterThan(100));
        Assert.That(ends, Is.EqualTo(counters.MessagesSent), counters.ToText());
        Assert.That(counters.TakesAsked, Is.Positive);
        Assert.That(takes, Is.EqualTo(counters.TakesAsked), counters.ToText());
    }

    private static void Serve(SessionPair pair)
    {
        while (pair.Server.Peer.TryReceive(out ReceivedMessage message))
        {
            message.Dispose();
        }

        Fetch(pair);
    }

    private static void Fetch(SessionPair pair)
    {
        ReceiptUpdate[] updates = new ReceiptUpdate[64];

        while (pair.Client.Peer.TakeUpdates(updates) == updates.Length)
        {
            // Only fetched.
        }
    }

    private sealed class EndingSink : IMessageSink
    {
        internal Exception? Thrown { get; private set; }

        internal MessageDrainReport? Looked { get; private set; }

        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now)
        {
            try
            {
                from.Shutdown(Patience);
            }
            catch (InvalidOperationException thrown)
            {
                Thrown = thrown;
            }

            Looked = from.Shutdown(TimeSpan.Zero);
        }

        public void HandlePeer(Peer peer, PeerChange change, Instant now)
        {
        }

        public void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now)
        {
        }
    }
}
