using System.Globalization;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tests.Tools;
using NUnit.Framework;

namespace Gudp.Tests.Processes;

// Goal: whoever is left when a process is killed in the middle of 10,000 receipts is told the truth: nothing is reported
// taken that the application had not taken, and everything else ends as unknown within the idle time-out.
// Method: real processes and sockets; the one that is killed writes down, before the next step, what it took or was told.

/// <summary>kill -9 of a real receiver and of a real sender.</summary>
[TestFixture]
[Category("Release")]
[NonParallelizable]
public sealed class KilledProcessTests
{
    private const int SentBeforeTheKill = 7_500;
    private const int TakenBeforeTheKill = 1_000;

    // What is above the time-out is for a busy machine.
    private static readonly TimeSpan LongestEnd = ReceiptTraffic.IdleTimeout + TimeSpan.FromSeconds(5);

    private string _directory = string.Empty;

    private string Journal => Path.Combine(_directory, "journal");

    [SetUp]
    public void MakeDirectory() => _directory = Directory.CreateTempSubdirectory("gudp-test-").FullName;

    [TearDown]
    public void RemoveDirectory() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task A_killed_receiver_leaves_no_receipt_that_lies_and_none_without_an_end()
    {
        using ToolProcess receiver = ToolProcess.StartOf(typeof(ChildProgram), ChildProgram.Receiver, Journal);
        int port = int.Parse(await receiver.PortAsync(), CultureInfo.InvariantCulture);
        using Ending sender = new(ReceiptTraffic.Config);
        Peer peer = sender.Endpoint.Connect(PeerAddress.LoopbackIPv4(port));
        Assert.That(peer.WaitUntilOpen(ReceiptTraffic.Patience), Is.True);
        List<SendReceipt> sent = [];
        HashSet<(int Lane, long Id)> told = [];
        ReceiptUpdate[] updates = new ReceiptUpdate[64];

        for (int number = 0; number < ReceiptTraffic.Messages; number++)
        {
            if (number == SentBeforeTheKill)
            {
                FetchUntil(() => told.Count >= TakenBeforeTheKill);
                receiver.Kill();
            }

            Assert.That(ReceiptTraffic.TrySend(peer, number, Fetch, out SendReceipt receipt), Is.True);
            sent.Add(receipt);
        }

        bool ended = FetchUntil(() => sent.TrueForAll(receipt => HasEnded(peer.StateOf(receipt.Id))), LongestEnd);

        HashSet<int> taken = [.. ReceiptJournal.Read(Journal)];
        SendReceipt[] ends = [.. sent.Select(receipt => peer.StateOf(receipt.Id))];
        int[] reported = [.. Enumerable.Range(0, ends.Length).Where(number => ends[number].Take == TakeState.Taken)];
        Assert.That(ended, Is.True, () => $"Without an end: {ends.FirstOrDefault(end => !HasEnded(end))}.");
        Assert.That(taken, Does.Not.Contain(-1), "What the receiver got was what had been sent.");
        Assert.That(reported.Where(number => !taken.Contains(number)), Is.Empty, "Reported taken, and was not.");
        Assert.That(reported, Has.Length.GreaterThanOrEqualTo(TakenBeforeTheKill));
        Assert.That(ends.Count(end => end.Take == TakeState.Unknown), Is.EqualTo(ends.Length - reported.Length));
        Assert.That(
            ends.Select(end => end.Transfer),
            Does.Contain(TransferState.Unknown).Or.Contain(TransferState.Cancelled),
            "It was killed in the middle.");

        bool FetchUntil(Func<bool> holds, TimeSpan? limit = null)
            => SpinWait.SpinUntil(
                () =>
                {
                    Fetch();
                    return holds();
                },
                limit ?? ReceiptTraffic.Patience);

        void Fetch()
        {
            foreach (ReceiptUpdate update in updates.AsSpan(0, peer.TakeUpdates(updates)))
            {
                if (update.Receipt.Take == TakeState.Taken)
                {
                    told.Add((update.Receipt.Id.Lane, update.Receipt.Id.Value));
                }
            }
        }
    }

    [Test]
    public void A_killed_sender_was_told_of_nothing_that_was_not_taken_and_its_receiver_ends_in_time()
    {
        using Ending receiver = new(ReceiptTraffic.Config);
        receiver.Endpoint.Listen();
        using ToolProcess sender = ToolProcess.StartOf(
            typeof(ChildProgram),
            ChildProgram.Sender,
            receiver.Endpoint.LocalAddress.Port.ToString(CultureInfo.InvariantCulture),
            Journal);
        Peer peer = receiver.Endpoint.Accept(ReceiptTraffic.Patience)!;
        Assert.That(peer, Is.Not.Null);
        Dictionary<int, int> last = [];
        HashSet<int> taken = [];
        ReceiveStatus status;

        while ((status = peer.Receive(LongestEnd, out ReceivedMessage message)) == ReceiveStatus.Received)
        {
            int number = ReceiptTraffic.Read(message.Lane, message.Span);
            bool isInOrder = message.Lane == ReceiptTraffic.UnorderedLane
                || number > last.GetValueOrDefault(message.Lane, -1);
            Assert.That(number >= 0 && isInOrder && taken.Add(number), Is.True, "In order, once, unaltered.");
            last[message.Lane] = number;
            message.Dispose();

            // Killed when the first of its notes are there and more are under way.
            if (taken.Count == ReceiptTraffic.Messages / 2)
            {
                SpinWait.SpinUntil(() => new FileInfo(Journal).Length > 0, ReceiptTraffic.Patience);
                sender.Kill();
            }
        }

        Assert.That(status, Is.EqualTo(ReceiveStatus.Closed), "The receiver hears of the end within the idle time-out.");
        Assert.That(taken.Count, Is.GreaterThanOrEqualTo(ReceiptTraffic.Messages / 2));
        Assert.That(ReceiptJournal.Read(Journal).Where(number => !taken.Contains(number)), Is.Empty);
    }

    private static bool HasEnded(SendReceipt receipt)
        => receipt.Take != TakeState.Pending && receipt.Transfer is not (TransferState.Queued or TransferState.Sent);

    /// <summary>The end that lives on, in this process.</summary>
    private sealed class Ending : IDisposable
    {
        private readonly Daemon _daemon;

        internal Ending(MessagingConfig config)
        {
            _daemon = new Daemon(config.Core);
            Endpoint = new MessageEndpoint(_daemon, PeerAddress.LoopbackIPv4(0), config);
            _daemon.Start();
        }

        internal MessageEndpoint Endpoint { get; }

        public void Dispose()
        {
            Endpoint.Dispose();
            _daemon.Dispose();
            Assert.That(_daemon.Fault, Is.Null);
            Assert.That(Endpoint.Memory.UsedBytes, Is.Zero, "Memory is back to what it was.");
        }
    }
}
