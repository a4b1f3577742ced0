using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>What one lane may take of the credit that all lanes share.</summary>
[TestFixture]
public sealed class LaneShareTests
{
    private const int FirstStalled = 3;
    private const int Live = 1;
    private const int Other = 12;
    private const int MostBytes = 30 * 1024 * 1024;

    private static readonly PathModel Wide = new() { PacketsPerStep = 256 };

    [Test]
    public void R5_H81_lanes_that_nobody_reads_stop_no_other(
        [Values(LaneMode.OrderedReliable, LaneMode.UnorderedReliable)] LaneMode live,
        [Values(32, 10_000, 300_000)] int bytes,
        [Values(1, 5)] int stalled)
    {
        using SessionPair pair = SessionPair.Opened(path: Wide, config: Config(live));
        int arrived = 0;

        Stall(pair, bytes, stalled, () =>
        {
            pair.RunUntilQuiet();

            for (int i = 0; i < 200; i++)
            {
                _ = pair.Client.Peer.TrySend(new byte[bytes], new SendOptions { Lane = Live });
                pair.Run(4);
                arrived += ReadAll(pair);
            }
        });

        Assert.That(arrived, Is.GreaterThan(150));
        Assert.That(pair.Server.CloseReason, Is.Null);
    }

    [Test]
    public void R5_long_messages_of_several_read_lanes_go_on_beside_one_that_nobody_reads()
    {
        using SessionPair pair = SessionPair.Opened(path: Wide, config: Config(LaneMode.UnorderedReliable));
        int arrived = 0;

        Stall(pair, bytes: 300_000, stalled: 1, () =>
        {
            pair.RunUntilQuiet();

            for (int i = 0; i < 200; i++)
            {
                _ = pair.Client.Peer.TrySend(new byte[300_000], new SendOptions { Lane = Live });
                _ = pair.Client.Peer.TrySend(new byte[300_000], new SendOptions { Lane = Other });
                pair.Run(4);
                arrived += ReadAll(pair);
            }
        });

        Assert.That(arrived, Is.GreaterThan(300));
    }

    // D-8.9
    [Test]
    public void A_long_message_is_not_starved_by_lanes_that_take_all_credit([Values(1, 2, 3)] int others)
    {
        using SessionPair pair = SessionPair.Opened(path: Wide, config: Config(LaneMode.UnorderedReliable));
        byte[] flood = new byte[20_000];
        SendReceipt longest = default;

        // Whoever reads is slower than the path, so that the credit is always in use.
        bool isReceived = pair.RunUntil(
            () =>
            {
                for (int lane = Other; lane < Other + others; lane++)
                {
                    while (pair.Client.Peer.TrySend(flood, new SendOptions { Lane = lane }) == SendStatus.Accepted)
                    {
                    }
                }

                if (pair.Steps == 400)
                {
                    pair.Client.Peer.TrySend(
                        new byte[12_000_000], new SendOptions { Lane = Live, NotifyReceived = true }, out longest);
                }

                _ = ReadAll(pair, most: 8);
                return pair.Steps > 400
                    && pair.Client.Peer.StateOf(longest.Id).Transfer == TransferState.Received;
            },
            mostSteps: 4_000);

        Assert.That(isReceived, Is.True);
    }

    // D-8.9
    [Test]
    public void What_waits_for_credit_that_never_comes_does_not_stop_the_others()
    {
        using SessionPair pair = SessionPair.Opened(path: Wide, config: Config(LaneMode.UnorderedReliable));
        int arrived = 0;

        Stall(pair, bytes: 300_000, stalled: 1, () =>
        {
            pair.RunUntilQuiet();
            pair.Client.Peer.TrySend(new byte[12_000_000], new SendOptions { Lane = Live });

            for (int i = 0; i < 200; i++)
            {
                _ = pair.Client.Peer.TrySend(new byte[30_000], new SendOptions { Lane = Other });
                _ = pair.Client.Peer.TrySend(new byte[30_000], new SendOptions { Lane = Other + 1 });
                pair.Run(4);
                arrived += ReadAll(pair);
            }
        });

        Assert.That(arrived, Is.GreaterThan(390));
    }

    // D-8.9
    [Test]
    public void A_long_message_that_is_cancelled_leaves_the_kept_credit_to_the_others()
    {
        using SessionPair pair = SessionPair.Opened(path: Wide, config: Config(LaneMode.UnorderedReliable));
        bool isCancelled = false;

        Stall(pair, bytes: 300_000, stalled: 1, () =>
        {
            pair.RunUntilQuiet();
            pair.Client.Peer.TrySend(new byte[12_000_000], new SendOptions { Lane = Live }, out SendReceipt waiting);
            pair.Run(4);
            pair.Client.Peer.TrySend(new byte[2_000_000], new SendOptions { Lane = Other });
            pair.Run(20);
            int before = ReadAll(pair);
            isCancelled = pair.Client.Peer.TryCancel(waiting.Id);
            bool isThere = pair.RunUntil(() => ReadAll(pair) == 1, mostSteps: 100);

            Assert.That(before, Is.Zero, "Its length was kept for the first.");
            Assert.That(isThere, Is.True);
        });

        Assert.That(isCancelled, Is.True);
    }

    // D-9.5
    [Test]
    public void Small_messages_have_all_their_credit_after_the_first_is_read()
    {
        using SessionPair pair = SessionPair.Opened(config: Config(LaneMode.UnorderedReliable));
        int sent = 0;

        pair.RunUntil(
            () =>
            {
                while (pair.Client.Peer.TrySend(new byte[32], new SendOptions { Lane = Live }) == SendStatus.Accepted)
                {
                    sent++;
                }

                return ReadAll(pair) > 0;
            },
            mostSteps: 50);
        pair.Client.BlockedFrames.Clear();
        int read = 0;

        for (int i = 0; i < 100; i++)
        {
            while (pair.Client.Peer.TrySend(new byte[32], new SendOptions { Lane = Live }) == SendStatus.Accepted)
            {
                sent++;
            }

            pair.Step();
            read += ReadAll(pair);
        }

        Assert.That(pair.Client.BlockedFrames, Has.Count.LessThanOrEqualTo(1));
        Assert.That(read, Is.GreaterThan(32 * 20 * 90), "The path is full.");
    }

    // D-3.7
    [Test]
    public void R5_lanes_that_are_stalled_leave_memory_to_the_others(
        [Values(LaneMode.OrderedReliable, LaneMode.UnorderedReliable)] LaneMode mode,
        [Values(20_000, 300_000, 3_000_000)] int bytes,
        [Values(1, 6)] int stalled)
    {
        using SessionPair pair = SessionPair.Opened(path: Wide, config: Default(mode));
        byte[] large = new byte[bytes];
        HashSet<SendStatus> refused = [];

        // Nobody reads, so that what was accepted stays.
        for (int round = 0; round < 100; round++)
        {
            for (int lane = FirstStalled; lane < FirstStalled + stalled; lane++)
            {
                refused.Add(Fill(pair, lane, large));
            }

            pair.Run(2);
        }

        int[] others = [Live, Other, SendOptions.UnreliableLane];
        SendStatus[] small = [.. others.Select(lane => TrySend(pair, lane, new byte[100]))];
        SendStatus longer = TrySend(pair, Live, new byte[1_000_000]);

        Assert.That(refused, Is.SubsetOf(new[] { SendStatus.LaneFull, SendStatus.NoCredit }));
        Assert.That(small, Is.All.EqualTo(SendStatus.Accepted));
        Assert.That(longer, Is.EqualTo(SendStatus.Accepted));
    }

    // D-3.7
    [Test]
    public void R9_a_stalled_lane_hears_once_that_it_may_hold_more(
        [Values(LaneMode.OrderedReliable, LaneMode.UnorderedReliable)] LaneMode mode)
    {
        RecordingSink sink = new();
        using SessionPair pair = SessionPair.Opened(path: Wide, config: Default(mode), clientSink: sink);
        byte[] large = new byte[300_000];
        pair.Server.RefusesAll = true;
        _ = Fill(pair, FirstStalled, large);
        pair.Run(20);
        SendStatus[] refused = [.. Enumerable.Range(0, 3).Select(_ => TrySend(pair, FirstStalled, large))];
        TrySend(pair, Live, [1]);
        pair.Run(20);
        int early = Writables(sink);

        pair.Server.RefusesAll = false;
        pair.Run(100);
        SendStatus after = TrySend(pair, FirstStalled, large);

        Assert.That(refused, Is.All.EqualTo(SendStatus.LaneFull).Or.All.EqualTo(SendStatus.NoCredit));
        Assert.That(early, Is.Zero);
        Assert.That(Writables(sink), Is.EqualTo(1));
        Assert.That(after, Is.EqualTo(SendStatus.Accepted));
    }

    private static int Writables(RecordingSink sink) => sink.Changes.Count(change => change == PeerChange.Writable);

    private static SendStatus Fill(SessionPair pair, int lane, byte[] message)
    {
        SendStatus status = SendStatus.Accepted;

        while (status == SendStatus.Accepted)
        {
            status = TrySend(pair, lane, message);
        }

        return status;
    }

    private static SendStatus TrySend(SessionPair pair, int lane, byte[] message)
        => pair.Client.Peer.TrySend(message, new SendOptions { Lane = lane });

    private static MessagingConfig Default(LaneMode stalled)
    {
        LanePlan plan = LanePlan.Default.With(Other, new LaneOptions { Mode = LaneMode.UnorderedReliable });

        for (int lane = FirstStalled; lane < Other; lane++)
        {
            plan = plan.With(lane, new LaneOptions { Mode = stalled });
        }

        return new MessagingConfig { LanePlan = plan };
    }

    private static MessagingConfig Config(LaneMode live)
    {
        LanePlan plan = LanePlan.Default.With(Live, new LaneOptions { Mode = live });

        for (int lane = FirstStalled; lane < 16; lane++)
        {
            plan = plan.With(lane, new LaneOptions { Mode = LaneMode.UnorderedReliable });
        }

        return new MessagingConfig { LanePlan = plan, PeerMemoryBytes = 256L * 1024 * 1024 };
    }

    // Somebody is at the first message of each lane, and does not come back before the action is done.
    private static void Stall(SessionPair pair, int bytes, int stalled, Action meanwhile)
    {
        int queued = 0;

        for (int lane = FirstStalled; lane < FirstStalled + stalled; lane++)
        {
            for (int i = 0; i < 6_000 && queued < MostBytes * (lane - FirstStalled + 1) / stalled; i++)
            {
                bool isTaken = pair.Client.Peer.TrySend(new byte[bytes], new SendOptions { Lane = lane })
                    == SendStatus.Accepted;
                queued += isTaken ? bytes : 0;
                pair.Run(isTaken ? 0 : 1);
                i += isTaken ? 0 : 1_000;
            }
        }

        pair.RunUntil(() => pair.Server.Session.HasUnread, mostSteps: 1_000);
        Enter(pair, stalled, meanwhile);
    }

    private static void Enter(SessionPair pair, int lanes, Action meanwhile)
    {
        if (lanes == 0)
        {
            meanwhile();
            return;
        }

        bool isIn = false;
        pair.RunUntil(
            () =>
            {
                StuckHandler handler = new(() =>
                {
                    isIn = true;
                    Enter(pair, lanes - 1, meanwhile);
                });
                _ = pair.Server.Peer.Poll(ref handler, 1);
                return isIn;
            },
            mostSteps: 2_000);
        Assert.That(isIn, Is.True, "Something of each lane arrives.");
    }

    private static int ReadAll(SessionPair pair, int most = int.MaxValue)
    {
        int count = 0;

        for (; count < most && pair.Server.Peer.TryReceive(out ReceivedMessage message); count++)
        {
            message.Dispose();
        }

        return count;
    }

    private readonly struct StuckHandler(Action meanwhile) : IMessageHandler
    {
        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message) => meanwhile();
    }
}
