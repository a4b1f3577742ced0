using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Simulation;

// Scenario T18: what the sender is told of each message, under loss and without a reader.

/// <summary>Receipts of messages in a simulated network.</summary>
[TestFixture]
public sealed class ReceiptScenarioTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    // T18: 20 % loss, a hundred messages of 500 bytes, unreliable and reliable.
    [TestCase(LaneMode.Unreliable)]
    [TestCase(LaneMode.UnorderedReliable)]
    public void T18_Received_and_lost_are_what_was_sent_and_taken_comes_after_the_reader_took_it(LaneMode mode)
    {
        using SimWorld world = new(18);
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(30), LossPpm = 200_000 };
        using PeerPair pair = PeerPair.In(world, ConfigOf(mode));
        SendOptions options = new() { Lane = 3, NotifyReceived = true, NotifyTaken = true };
        Dictionary<long, SendReceipt> told = [];
        List<SendReceipt> sent = [];

        for (int i = 0; i < 100; i++)
        {
            byte[] message = NumberedMessages.Make(i, 500);
            SendStatus status = pair.Client.TrySend(message, options, out SendReceipt receipt);
            Assert.That(status, Is.EqualTo(SendStatus.Accepted));
            sent.Add(receipt);
            world.Run(Tick);
        }

        world.Run(TimeSpan.FromSeconds(5));
        bool anyTakenUnread = Updates(pair.Client, told).Any(update => update.Take == TakeState.Taken);
        int read = 0;

        // More than the lane's first credit of ids: the rest comes once these are read.
        for (int i = 0; i < 2; i++)
        {
            read += NumberedMessages.ReadAll(pair.Server).Count;
            world.Run(TimeSpan.FromSeconds(5));
        }

        Updates(pair.Client, told);

        SendReceipt[] ends = [.. sent.Select(receipt => pair.Client.StateOf(receipt.Id))];
        int received = ends.Count(end => end.Transfer == TransferState.Received);
        int lost = ends.Count(end => end.Transfer == TransferState.Expired);
        TestContext.Out.WriteLine($"{received} received, {lost} lost, {read} read.");
        Assert.That(anyTakenUnread, Is.False, "Nobody had read anything.");
        Assert.That(received + lost, Is.EqualTo(100));
        Assert.That(lost, mode == LaneMode.Unreliable ? Is.Positive : Is.Zero);
        Assert.That(ends.Count(end => end.Take == TakeState.Taken), Is.EqualTo(received));
        Assert.That(read, Is.GreaterThanOrEqualTo(received), "A packet may arrive whose acknowledgements are lost.");
        Assert.That(sent.Select(receipt => told[receipt.Id.Value]), Is.EqualTo(ends));
    }

    // T18: the receive time-out while nothing arrives, the take time-out while nobody reads.
    [TestCase(LaneMode.OrderedReliable)]
    [TestCase(LaneMode.UnorderedReliable)]
    public void T18_Each_stages_time_out_fires_once(LaneMode mode)
    {
        using SimWorld world = new(18);
        LinkModel link = new() { Delay = TimeSpan.FromMilliseconds(30) };
        world.Network.DefaultLink = link;
        using PeerPair pair = PeerPair.In(world, ConfigOf(mode));
        SendOptions untilReceived = new()
        {
            Lane = 3,
            NotifyReceived = true,
            NotifyTaken = true,
            ReceiveTimeout = TimeSpan.FromSeconds(1),
        };
        SendOptions untilTaken = untilReceived with
        {
            ReceiveTimeout = TimeSpan.Zero,
            TakeTimeout = TimeSpan.FromSeconds(1),
        };
        List<SendReceipt> updates = [];

        pair.Client.TrySend([1], untilTaken, out SendReceipt unread);
        Collect(TimeSpan.FromSeconds(0.5));
        Collect(TimeSpan.FromSeconds(3));
        SetCut(true);
        pair.Client.TrySend([2], untilReceived, out SendReceipt lost);
        Collect(TimeSpan.FromSeconds(3));
        SetCut(false);
        Collect(TimeSpan.FromSeconds(5));
        int read = NumberedMessages.ReadAll(pair.Server).Count;
        Collect(TimeSpan.FromSeconds(1));

        SendReceipt[] expected =
        [
            unread with { Transfer = TransferState.Received },
            unread with { Transfer = TransferState.Received, Take = TakeState.Expired },
            lost with { Transfer = TransferState.Expired, Take = TakeState.Expired },
        ];
        Assert.That(updates, Is.EqualTo(expected));
        Assert.That(read, Is.EqualTo(1), "What was given up is passed over.");

        void Collect(TimeSpan span)
        {
            world.Run(span);
            updates.AddRange(Updates(pair.Client, []));
        }

        void SetCut(bool isCut)
        {
            foreach (Node from in world.Nodes)
            {
                Node to = world.Nodes.Single(node => node != from);
                world.Network.SetLink(from.Host, to.Host, link with { Cut = isCut });
            }
        }
    }

    private static MessagingConfig ConfigOf(LaneMode mode) => new()
    {
        Core = SimWorld.Plain,
        LanePlan = LanePlan.Default.With(3, new LaneOptions { Mode = mode }),
    };

    /// <returns>The new updates; the last one of each message is kept too.</returns>
    private static List<SendReceipt> Updates(Peer sender, Dictionary<long, SendReceipt> told)
    {
        List<SendReceipt> fresh = [];
        ReceiptUpdate[] updates = new ReceiptUpdate[16];

        for (int count; (count = sender.TakeUpdates(updates)) > 0;)
        {
            foreach (ReceiptUpdate update in updates.AsSpan(0, count))
            {
                told[update.Receipt.Id.Value] = update.Receipt;
                fresh.Add(update.Receipt);
            }
        }

        return fresh;
    }
}
