using System.Reflection;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>
/// The rules of back-pressure (docs/TESTING.md, "Back-pressure"), as far as they concern messages; a test begins with the
/// number of its rule.
/// </summary>
[TestFixture]
public sealed partial class BackPressureTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static readonly MessagingConfig Small = new()
    {
        LaneRingBytes = 64 * 1024,
        DatagramQueueBytes = 128 * 1024,
        LanePlan = LanePlan.Default
            .With(3, new LaneOptions { Mode = LaneMode.UnorderedReliable })
            .With(4, new LaneOptions { Mode = LaneMode.SequencedUnreliable }),
    };

    [Test]
    public void R1_every_queue_has_a_name_limits_in_bytes_and_items_refusals_and_a_high_water_mark()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);

        foreach (int lane in (int[])[0, 1, 2, 3, 4])
        {
            FillLane(pair.Client.Peer, lane);
        }

        pair.Run(200);
        QueueCounters[] sending = pair.Client.Peer.ReadQueues();
        QueueCounters[] receiving = pair.Server.Peer.ReadQueues();

        Assert.That(sending.Select(queue => queue.Name), Is.Unique);
        Assert.That(sending.Concat(receiving).Where(queue => queue.Bytes > queue.LimitBytes), Is.Empty);
        Assert.That(sending.Concat(receiving).Where(queue => queue.Items > queue.LimitItems), Is.Empty);
        Assert.That(sending.Concat(receiving).Where(queue => queue.Bytes > queue.HighBytes), Is.Empty);
        Assert.That(
            sending.Where(queue => queue.Name.EndsWith(" send", StringComparison.Ordinal)),
            Has.Exactly(5).Items.And.All.Matches<QueueCounters>(
                queue => queue is { Refused: > 0, HighBytes: > 0, LimitBytes: > 0, LimitItems: > 0 }));
        Assert.That(
            receiving.Where(queue => queue.Name.EndsWith(" receive", StringComparison.Ordinal)),
            Has.Exactly(5).Items.And.All.Matches<QueueCounters>(
                queue => queue is { HighBytes: > 0, LimitBytes: > 0, LimitItems: > 0 }));
    }

    [TestCase(FullPolicy.DropOldest, MessageDrop.OldestOfFullLane)]
    [TestCase(FullPolicy.DropNewest, MessageDrop.NewestOfFullLane)]
    public void R2_a_full_lane_that_may_drop_accepts_all_and_counts_what_it_gave_up(
        FullPolicy policy, MessageDrop cause)
    {
        using SessionPair pair = SessionPair.Opened(config: With(2, LaneMode.Unreliable, policy));
        List<SendReceipt> sent = [];

        for (int i = 0; i < 300; i++)
        {
            SendStatus status = pair.Client.Peer.TrySend(
                new byte[1_000], SendOptions.Unreliable, out SendReceipt receipt);
            Assert.That(status, Is.EqualTo(SendStatus.Accepted));
            sent.Add(receipt);
        }

        MessageCounters counters = pair.Client.Peer.ReadLane(2).Messages;
        SendReceipt first = pair.Client.Peer.StateOf(sent[0].Id);
        SendReceipt last = pair.Client.Peer.StateOf(sent[^1].Id);
        TransferState given = TransferState.Expired;

        Assert.That(counters.Dropped(cause), Is.Positive.And.EqualTo(counters.TransfersExpired));
        Assert.That(first.Transfer == given, Is.EqualTo(policy == FullPolicy.DropOldest));
        Assert.That(last.Transfer == given, Is.EqualTo(policy == FullPolicy.DropNewest));
    }

    [TestCase(1, LaneMode.OrderedReliable)]
    [TestCase(3, LaneMode.UnorderedReliable)]
    [TestCase(2, LaneMode.Unreliable)]
    public void R2_a_full_lane_whose_rule_is_to_disconnect_does(int lane, LaneMode mode)
    {
        using SessionPair pair = SessionPair.Opened(config: With(lane, mode, FullPolicy.Disconnect));

        SendStatus last = FillLane(pair.Client.Peer, lane);

        Assert.That(last, Is.EqualTo(SendStatus.Closed));
        Assert.That(pair.Client.CloseReason!.Code, Is.EqualTo(CloseCode.SlowConsumer));
    }

    [TestCase("LanePlan=1:OrderedReliable/full=DropOldest")]
    [TestCase("LanePlan=3:UnorderedReliable/full=DropNewest")]
    [TestCase("LanePlan=3:SequencedReliable/full=DropOldest")]
    public void R3_a_reliable_lane_may_not_lose_what_it_accepted(string config)
        => Assert.That(() => MessagingConfig.Parse(config), Throws.TypeOf<GudpConfigException>());

    [Test]
    public void R4_memory_stays_within_its_limit_however_many_lanes_are_credited()
    {
        MessagingConfig tight = Small with
        {
            Lanes = 64,
            MaxMessageBytes = 64 * 1024,
            PeerMemoryBytes = 1024 * 1024,
            EndpointMemoryBytes = 1024 * 1024,
        };
        using SessionPair pair = SessionPair.Opened(config: tight);
        long most = 0;

        for (int round = 0; round < 200; round++)
        {
            pair.Client.Peer.TrySend(new byte[4_000], new SendOptions { Lane = round % 64 });
            pair.Step();
            most = Math.Max(most, pair.Server.Memory.UsedBytes);
        }

        Assert.That(most, Is.Positive.And.AtMost(tight.PeerMemoryBytes));
        Assert.That(pair.Server.Violations, Is.Empty);
    }

    [TestCase(1, 3)]
    [TestCase(3, 1)]
    public void R5_a_full_lane_holds_up_no_other_and_not_the_end(int full, int other)
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        FillLane(pair.Client.Peer, full);
        pair.Run(200);

        SendStatus status = pair.Client.Peer.TrySend(
            "through"u8, new SendOptions { Lane = other, NotifyReceived = true }, out SendReceipt receipt);
        pair.Run(50);
        pair.Client.Peer.Close();

        Assert.That(status, Is.EqualTo(SendStatus.Accepted));
        Assert.That(pair.Client.Peer.StateOf(receipt.Id).Transfer, Is.EqualTo(TransferState.Received));
        Assert.That(pair.Client.IsFinal, Is.True);
    }

    [TestCase(1)]
    [TestCase(3)]
    public void R6_a_slow_application_delays_what_is_taken_and_not_what_is_received(int lane)
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        SendOptions ask = new() { Lane = lane, NotifyTaken = true };

        pair.Client.Peer.TrySend(new byte[100], ask, out SendReceipt receipt);
        pair.Run(500);
        SendReceipt unread = pair.Client.Peer.StateOf(receipt.Id);
        Assert.That(pair.Server.Peer.TryReceive(out ReceivedMessage message), Is.True);
        pair.Run(500);
        SendReceipt held = pair.Client.Peer.StateOf(receipt.Id);
        message.Dispose();
        pair.Run(500);
        SendReceipt done = pair.Client.Peer.StateOf(receipt.Id);

        Assert.That((unread.Transfer, unread.Take), Is.EqualTo((TransferState.Received, TakeState.Pending)));
        Assert.That(held, Is.EqualTo(unread));
        Assert.That((done.Transfer, done.Take), Is.EqualTo((TransferState.Received, TakeState.Taken)));
    }

    [Test]
    public void R7_a_receiver_without_memory_leaves_packets_unacknowledged_and_closes_nothing()
    {
        MessagingConfig tight = Small with
        {
            MaxMessageBytes = 64 * 1024,
            PeerMemoryBytes = 512 * 1024,
            EndpointMemoryBytes = 512 * 1024,
        };
        using SessionPair pair = SessionPair.Opened(config: tight);
        MemoryHoard hoard = new(pair.Server.Memory);
        pair.Client.Peer.TrySend(new byte[100], default, out SendReceipt receipt);

        pair.Run(100);
        SendReceipt without = pair.Client.Peer.StateOf(receipt.Id);
        hoard.Return();
        pair.Run(100);

        Assert.That(without.Transfer, Is.EqualTo(TransferState.Sent));
        Assert.That(pair.Server.Refusals, Is.Positive);
        Assert.That(pair.Server.Violations, Is.Empty);
        Assert.That(pair.Client.Peer.StateOf(receipt.Id).Transfer, Is.EqualTo(TransferState.Received));
    }

    [Test]
    public void R8_a_refused_sender_learns_which_limit_it_was_and_it_is_counted()
    {
        using SessionPair pair = new(config: Small);
        SendStatus notOpen = pair.Client.Peer.TrySend(new byte[65 * 1024]);
        pair.Open(Small);
        SendStatus tooLarge = pair.Client.Peer.TrySend(new byte[17 * 1024 * 1024]);
        SendStatus full = FillLane(pair.Client.Peer, 1);
        UseUpCredit(pair, 1);
        SendStatus noCredit = FillLane(pair.Client.Peer, 1);
        SendStatus updatesFull = SendUntilRefused(
            pair.Client.Peer, [], new SendOptions { Lane = 5, NotifyReceived = true });
        MessageCounters counters = pair.Client.Peer.ReadCounters().Messages;

        Assert.That(
            new[] { notOpen, tooLarge, full, noCredit, updatesFull },
            Is.EqualTo(new[]
            {
                SendStatus.NotOpen, SendStatus.TooLarge, SendStatus.LaneFull, SendStatus.NoCredit,
                SendStatus.UpdatesFull,
            }));
        Assert.That(counters.SendsRefused(SendStatus.NotOpen), Is.EqualTo(1));
        Assert.That(counters.SendsRefused(SendStatus.TooLarge), Is.EqualTo(1));
        Assert.That(counters.SendsRefused(SendStatus.LaneFull), Is.EqualTo(3));
        Assert.That(counters.SendsRefused(SendStatus.NoCredit), Is.EqualTo(2));
        Assert.That(counters.SendsRefused(SendStatus.UpdatesFull), Is.EqualTo(1));
    }

    [Test]
    public void R8_used_up_memory_says_whose_it_is()
    {
        MessagingConfig peerLimit = Small with { MaxMessageBytes = 64 * 1024, PeerMemoryBytes = 512 * 1024 };
        MessagingConfig endpointLimit = peerLimit with { EndpointMemoryBytes = 512 * 1024 };
        using SessionPair ofPeer = SessionPair.Opened(config: peerLimit);
        using SessionPair ofEndpoint = SessionPair.Opened(config: endpointLimit);
        MemoryHoard ofOther = new(ofEndpoint.Client.Memory);
        MemoryHoard own = new(ofPeer.Client.Session.Memory);

        SendStatus peerFull = ofPeer.Client.Peer.TrySend([]);
        SendStatus daemonFull = ofEndpoint.Client.Peer.TrySend([]);
        own.Return();
        ofOther.Return();

        Assert.That(peerFull, Is.EqualTo(SendStatus.PeerFull));
        Assert.That(daemonFull, Is.EqualTo(SendStatus.DaemonFull));
    }

    [TestCase(1, SendStatus.LaneFull)]
    [TestCase(2, SendStatus.LaneFull)]
    [TestCase(3, SendStatus.LaneFull)]
    [TestCase(1, SendStatus.NoCredit)]
    [TestCase(3, SendStatus.NoCredit)]
    public void R9_after_any_number_of_refusals_a_sink_is_told_once_that_there_is_room(int lane, SendStatus cause)
    {
        RecordingSink sink = new();
        using SessionPair pair = SessionPair.Opened(config: Small, clientSink: sink);

        if (cause == SendStatus.NoCredit)
        {
            UseUpCredit(pair, lane);
            sink.Changes.Clear();
        }

        SendStatus refused = FillLane(pair.Client.Peer, lane);
        FillLane(pair.Client.Peer, lane);

        for (int step = 0; step < 300; step++)
        {
            ReadAll(pair.Server.Peer);
            pair.Step();
        }

        Assert.That(refused, Is.EqualTo(cause));
        Assert.That(sink.Changes.Count(change => change == PeerChange.Writable), Is.EqualTo(1));
    }

    [Test]
    public void R9_after_a_refusal_for_memory_a_sink_is_told_once()
    {
        RecordingSink sink = new();
        MessagingConfig tight = Small with { MaxMessageBytes = 64 * 1024, PeerMemoryBytes = 512 * 1024 };
        using SessionPair pair = SessionPair.Opened(config: tight, clientSink: sink);
        MemoryHoard hoard = new(pair.Client.Session.Memory);
        SendStatus refused = pair.Client.Peer.TrySend([]);
        hoard.Return();

        pair.Run(200);

        Assert.That(refused, Is.EqualTo(SendStatus.PeerFull));
        Assert.That(sink.Changes.Count(change => change == PeerChange.Writable), Is.EqualTo(1));
    }

    [Test]
    public void R9_after_a_refusal_before_the_handshake_a_sink_is_told_once()
    {
        RecordingSink sink = new();
        using SessionPair pair = new(config: Small, clientSink: sink);
        SendStatus refused = pair.Client.Peer.TrySend(new byte[65 * 1024]);

        pair.Open(Small);
        pair.Run(100);

        Assert.That(refused, Is.EqualTo(SendStatus.NotOpen));
        Assert.That(sink.Changes, Is.EqualTo(new[] { PeerChange.Opened, PeerChange.Writable }));
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public async Task R9_a_waiter_and_an_async_waiter_hear_of_room_and_not_before(int lane)
    {
        using SessionPair pair = SessionPair.Opened(config: Small);
        FillLane(pair.Client.Peer, lane);
        Task waiter = pair.Client.Peer.WaitToSendAsync().AsTask();
        bool early = pair.Client.Peer.WaitToSend(TimeSpan.Zero);
        bool earlyAsync = waiter.IsCompleted;

        for (int step = 0; step < 300; step++)
        {
            ReadAll(pair.Server.Peer);
            pair.Step();
        }

        await waiter.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That(early, Is.False);
        Assert.That(earlyAsync, Is.False);
        Assert.That(pair.Client.Peer.WaitToSend(TimeSpan.Zero), Is.True);
    }

    [Test]
    public void R12_one_application_that_never_reads_costs_the_others_less_than_a_twentieth()
    {
        TimeSpan alone = TimeOfOthers(withStalled: false);
        TimeSpan beside = TimeOfOthers(withStalled: true);

        Assert.That(beside.TotalSeconds, Is.AtMost(alone.TotalSeconds / 0.95));
    }

    [Test]
    [Category("Release")]
    public async Task R12_a_handler_that_blocks_a_thread_for_ever_holds_up_no_other_peer()
    {
        MessagingConfig config = new() { Core = SimWorld.Plain };
        await using Loopback loopback = await Loopback.OpenAsync(config);
        Peer other = loopback.Connect();
        Peer reader = (await loopback.Listener.AcceptAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30)))!;
        using ManualResetEventSlim isInside = new();
        using ManualResetEventSlim release = new();
        loopback.Client.TrySend("never taken"u8);
        Task blocked = Task.Run(() =>
        {
            BlockingHandler handler = new(isInside, release);

            while (loopback.Server.Poll(ref handler, 1) == 0)
            {
                loopback.Server.Connection.WaitForChange(StatusMask.None, default, TimeSpan.FromMilliseconds(1), out _);
            }
        });
        Assert.That(isInside.Wait(TimeSpan.FromSeconds(30)), Is.True);
        int received = 0;

        for (int sent = 0; sent < 2_000;)
        {
            Assert.That(other.WaitToSend(TimeSpan.FromSeconds(30)), Is.True);
            sent += other.TrySend(new byte[1_000]) == SendStatus.Accepted ? 1 : 0;
            received += ReadAll(reader);
        }

        while (received < 2_000
            && reader.Receive(TimeSpan.FromSeconds(10), out ReceivedMessage message) == ReceiveStatus.Received)
        {
            message.Dispose();
            received++;
        }

        bool wasBlocked = !blocked.IsCompleted;
        release.Set();
        await blocked;
        reader.Dispose();
        Assert.That(received, Is.EqualTo(2_000));
        Assert.That(wasBlocked, Is.True);
    }

    [Test]
    public void R14_heartbeats_prove_the_loop_and_counters_the_application()
    {
        using SimWorld world = new(seed: 14);
        MessagingConfig config = new() { Core = SimWorld.Plain };
        (MessageEndpoint listener, Peer client) = Connect(world, config);
        Peer? server = null;
        world.RunUntil(() => listener.TryAccept(out server), Patience);
        client.TrySend(new byte[100]);

        world.Run(TimeSpan.FromSeconds(30));

        Assert.That(server!.Connection.ReadCounters().HeartbeatsSent, Is.GreaterThan(10));
        Assert.That(client.Status.IsOpen, Is.True);
        Assert.That(server.ReadCounters().Messages.MessagesReceived, Is.Zero);
        Assert.That(server.SlowConsumer!.Who, Is.EqualTo(SlowParty.ThisApplication));
    }

    [Test]
    public void R18_whatever_waits_takes_a_time_or_a_token()
    {
        string[] verbs = ["Wait", "Receive", "Accept", "Flush", "Shutdown", "SendAsync", "Connect"];
        string[] without = [.. new[] { typeof(Peer), typeof(MessageEndpoint) }
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Where(method => verbs.Any(verb => method.Name.StartsWith(verb, StringComparison.Ordinal)))
            .Where(method => method.ReturnType != typeof(Peer) || method.Name != "Connect")
            .Where(method => !method.GetParameters().Any(parameter =>
                parameter.ParameterType == typeof(TimeSpan) || parameter.ParameterType == typeof(CancellationToken)))
            .Select(method => $"{method.DeclaringType!.Name}.{method.Name}")];

        Assert.That(without, Is.Empty);
    }

    [Test]
    public void R19_the_control_lane_has_credit_of_its_own()
    {
        using SessionPair pair = SessionPair.Opened(config: Small);

        for (int lane = 1; lane < Small.Lanes; lane++)
        {
            FillLane(pair.Client.Peer, lane);
        }

        pair.Run(300);
        pair.Client.Peer.TrySend(
            "stop"u8, new SendOptions { Lane = 0, NotifyReceived = true }, out SendReceipt receipt);
        pair.Run(50);

        Assert.That(pair.Client.Peer.StateOf(receipt.Id).Transfer, Is.EqualTo(TransferState.Received));
        Assert.That(pair.Server.Peer.TryReceive(out ReceivedMessage first), Is.True);
        Assert.That(first.Lane, Is.Zero);
        first.Dispose();
    }

    // Three clients send to one endpoint; of one the application may never read.
    private static TimeSpan TimeOfOthers(bool withStalled)
    {
        using SimWorld world = new(seed: 12);
        world.Network.DefaultLink = new() { Delay = TimeSpan.FromMilliseconds(5) };
        MessagingConfig config = new() { Core = SimWorld.Plain };
        Node right = world.AddNode();
        MessageEndpoint listener = new(right.Daemon, right.Host.Address.WithPort(7000), config);
        listener.Listen();
        List<Peer> clients = [];

        for (int i = 0; i < (withStalled ? 3 : 2); i++)
        {
            Node left = world.AddNode();
            clients.Add(new MessageEndpoint(left.Daemon, left.Host.Address.WithPort(0), config)
                .Connect(listener.LocalAddress));
        }

        List<Peer> servers = [];
        world.RunUntil(() => Accept(listener, servers) == clients.Count, Patience);
        Peer? stalled = withStalled
            ? servers.Find(server => server.RemoteAddress == clients[^1].Connection.LocalAddress)
            : null;
        Instant start = world.Now;
        int sent = 0;
        int received = 0;

        world.RunUntil(
            () =>
            {
                for (; sent < 2 * 400 && clients[sent % 2].TrySend(new byte[5_000]) == SendStatus.Accepted; sent++)
                {
                    // As much as there is room for.
                }

                if (withStalled)
                {
                    clients[^1].TrySend(new byte[5_000]);
                }

                received += servers.Where(server => server != stalled).Sum(ReadAll);
                return received >= 2 * 400;
            },
            Patience);

        return world.Now - start;
    }

    private sealed class BlockingHandler(ManualResetEventSlim isInside, ManualResetEventSlim release) : IMessageHandler
    {
        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
        {
            isInside.Set();
            release.Wait();
        }
    }

    private static int Accept(MessageEndpoint listener, List<Peer> servers)
    {
        while (listener.TryAccept(out Peer? server))
        {
            servers.Add(server!);
        }

        return servers.Count;
    }

    private static (MessageEndpoint Listener, Peer Client) Connect(SimWorld world, MessagingConfig config)
    {
        Node right = world.AddNode();
        Node left = world.AddNode();
        MessageEndpoint listener = new(right.Daemon, right.Host.Address.WithPort(7000), config);
        listener.Listen();
        MessageEndpoint caller = new(left.Daemon, left.Host.Address.WithPort(0), config);
        Peer client = caller.Connect(listener.LocalAddress);
        world.RunUntil(() => client.Status.IsOpen, Patience);
        return (listener, client);
    }

    private static MessagingConfig With(int lane, LaneMode mode, FullPolicy policy)
        => Small with { LanePlan = LanePlan.Default.With(lane, new LaneOptions { Mode = mode, WhenFull = policy }) };

    private static SendStatus FillLane(Peer peer, int lane)
        => SendUntilRefused(peer, new byte[1_000], new SendOptions { Lane = lane });

    private static SendStatus SendUntilRefused(Peer peer, byte[] message, SendOptions options)
    {
        for (int i = 0; i < 100_000; i++)
        {
            SendStatus status = peer.TrySend(message, options);

            if (status != SendStatus.Accepted)
            {
                return status;
            }
        }

        return SendStatus.Accepted;
    }

    // The first fills use the credit up, the last waits behind it.
    private static void UseUpCredit(SessionPair pair, int lane)
    {
        for (int round = 0; round < 10 && FillLane(pair.Client.Peer, lane) != SendStatus.NoCredit; round++)
        {
            pair.Run(100);
        }
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
}
