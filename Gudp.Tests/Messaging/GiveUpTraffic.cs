using System.Buffers.Binary;
using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>
/// One lane's messages over a path that loses, repeats and reorders; many are given up by time, attempts or
/// cancellation, claims are abandoned between them, and some are longer than the ring. Not reusable.
/// </summary>
internal sealed class GiveUpTraffic
{
    private const int Messages = 300;
    private const int Million = 1_000_000;

    private readonly SessionPair _pair;
    private readonly Prng _draws;
    private readonly List<SendReceipt> _sent = [];
    private readonly List<int> _read = [];
    private readonly Dictionary<MessageId, List<SendReceipt>> _updates = [];
    private readonly HashSet<int> _asksReceived = [];

    internal GiveUpTraffic(ulong seed)
    {
        PathModel rough = new()
        {
            LossPpm = 150_000,
            DuplicatePpm = 50_000,
            AckLossPpm = 100_000,
            MostDelaySteps = 6,
            PacketsPerStep = 4,
        };

        // Some rings stay as they start, others grow.
        MessagingConfig config = new()
        {
            LaneRingBytes = (64 * 1024) << (int)(seed % 3),
            MaxMessageBytes = 256 * 1024,
        };
        _pair = SessionPair.Opened(seed, rough, config);
        _draws = new Prng(seed).Split(11);
    }

    internal void Run()
    {
        using (_pair)
        {
            for (int step = 0; step < 30_000 && !(_sent.Count >= Messages && IsDecided()); step++)
            {
                Act();
                _pair.Step();
                Look();
            }

            _pair.RunUntilQuiet();
            Read(int.MaxValue);
            _pair.RunUntilQuiet();
            TakeUpdates();
            Look();
            Assert.That(_pair.Server.Violations, Is.Empty);
            Assert.That(_pair.Server.CloseReason, Is.Null);
            AssertCounts();
        }
    }

    internal void AssertTrue()
    {
        HashSet<int> read = [.. _read];
        Assert.That(_sent, Has.Count.EqualTo(Messages), "All were accepted.");
        Assert.That(_read, Is.Ordered.And.Unique);

        for (int i = 0; i < _sent.Count; i++)
        {
            SendReceipt end = _sent[i];
            Assert.That(
                end.Transfer,
                Is.AnyOf(TransferState.Received, TransferState.Expired, TransferState.Cancelled));
            Assert.That(end.Transfer != TransferState.Received || read.Contains(i), Is.True, $"{i} is gone.");
            List<SendReceipt> told = _updates.GetValueOrDefault(end.Id, []);
            int answers = told.Count(update => update.Take is TakeState.Taken or TakeState.Refused);
            Assert.That(answers, Is.LessThanOrEqualTo(1));
            int expected = (_asksReceived.Contains(i) ? 1 : 0) + (end.Id.AsksTaken ? 1 : 0);
            Assert.That(told, Has.Count.LessThanOrEqualTo(expected), $"{i} was told too often.");
            Assert.That(told.Count > 0, Is.EqualTo(expected > 0), $"{i} was asked for {expected} times.");

            // Whoever asked for one of the two facts need not hear of the other.
            bool toldTake = !end.Id.AsksTaken || told.Exists(update => update.Take == end.Take);
            bool toldTransfer = !_asksReceived.Contains(i) || told.Exists(update => update.Transfer == end.Transfer);
            Assert.That(toldTake && toldTransfer, Is.True, $"{i} ends as {end}, told {told.LastOrDefault()}.");
        }
    }

    private bool IsDecided() => _sent.All(receipt
        => receipt.Transfer is not (TransferState.Queued or TransferState.Sent) && receipt.Take != TakeState.Pending);

    private void Act()
    {
        for (int i = 0; i < 3 && _sent.Count < Messages; i++)
        {
            SendOne();
        }

        if (_sent.Count > 0 && _draws.NextChance(300_000))
        {
            _ = _pair.Client.Peer.TryCancel(_sent[(int)_draws.NextBelow(_sent.Count)].Id);
        }

        if (_draws.NextChance(200_000))
        {
            Read((int)_draws.NextBelow(30));
        }

        if (_draws.NextChance(100_000))
        {
            TakeUpdates();
        }
    }

    private void SendOne()
    {
        int bytes = 4 + (_draws.NextChance(20_000) ? (int)_draws.NextBelow(200_000) : (int)_draws.NextBelow(600));
        byte[] message = new byte[bytes];
        message.AsSpan().Fill((byte)_sent.Count);
        BinaryPrimitives.WriteInt32LittleEndian(message, _sent.Count);
        SendOptions options = new()
        {
            NotifyReceived = _draws.NextChance(Million / 2),
            NotifyTaken = _draws.NextChance(Million / 2),
            ReceiveTimeout = TimeSpan.FromMilliseconds(_draws.NextChance(Million / 3) ? _draws.NextBelow(80) : 0),
            TakeTimeout = TimeSpan.FromMilliseconds(_draws.NextChance(Million / 3) ? _draws.NextBelow(200) : 0),
            MaxAttempts = _draws.NextChance(Million / 5) ? (int)_draws.NextBelow(3) : 0,
        };
        SendStatus earlier = _draws.NextChance(200_000)
            ? _pair.Client.Peer.TryClaim(17, options, out MessageClaim abandoned)
            : Unclaimed(out abandoned);

        if (_pair.Client.Peer.TrySend(message, options, out SendReceipt receipt) == SendStatus.Accepted)
        {
            _ = options.NotifyReceived && _asksReceived.Add(_sent.Count);
            _sent.Add(receipt);
        }

        if (earlier == SendStatus.Accepted)
        {
            abandoned.Abandon();
        }
    }

    private static SendStatus Unclaimed(out MessageClaim claim)
    {
        claim = default;
        return SendStatus.LaneFull;
    }

    private void Read(int most)
    {
        while (most-- > 0 && _pair.Server.Peer.TryReceive(out ReceivedMessage message))
        {
            int number = BinaryPrimitives.ReadInt32LittleEndian(message.Span);
            Assert.That(message.Span[4..].IndexOfAnyExcept((byte)number), Is.EqualTo(-1), "Each message is whole.");
            _read.Add(number);

            if (_draws.NextChance(100_000))
            {
                message.Refuse();
            }

            message.Dispose();
        }
    }

    private void TakeUpdates()
    {
        ReceiptUpdate[] updates = new ReceiptUpdate[16];

        for (int count = 16; count == 16;)
        {
            count = _pair.Client.Peer.TakeUpdates(updates);

            foreach (ReceiptUpdate update in updates[..count])
            {
                if (!_updates.TryGetValue(update.Receipt.Id, out List<SendReceipt>? told))
                {
                    _updates[update.Receipt.Id] = told = [];
                }

                told.Add(update.Receipt);
            }
        }
    }

    private void Look()
    {
        for (int i = 0; i < _sent.Count; i++)
        {
            SendReceipt before = _sent[i];
            SendReceipt now = _pair.Client.Peer.StateOf(before.Id);
            bool wasOpen = before.Transfer is TransferState.Queued or TransferState.Sent;
            Assert.That(wasOpen || now.Transfer == before.Transfer, Is.True, $"{before} became {now}.");
            Assert.That(now.Transfer >= before.Transfer, Is.True, $"{before} became {now}.");
            Assert.That(now.Take == before.Take || before.Take == TakeState.Pending, Is.True, $"{before}, then {now}.");
            Assert.That(
                now.Take is not (TakeState.Taken or TakeState.Refused) || now.Transfer == TransferState.Received,
                Is.True);
            _sent[i] = now;
        }
    }

    private void AssertCounts()
    {
        MessageCounters counts = _pair.Client.Peer.ReadLane(1).Messages;
        Assert.That(counts.MessagesSent, Is.EqualTo(_sent.Count));
        Assert.That(counts.TransfersReceived, Is.EqualTo(_sent.Count(r => r.Transfer == TransferState.Received)));
        Assert.That(counts.TransfersExpired, Is.EqualTo(_sent.Count(r => r.Transfer == TransferState.Expired)));
        Assert.That(counts.TransfersCancelled, Is.EqualTo(_sent.Count(r => r.Transfer == TransferState.Cancelled)));
        Assert.That(counts.TransfersUnknown, Is.Zero);
        Assert.That(counts.TakesAsked, Is.EqualTo(_sent.Count(r => r.Id.AsksTaken)));
        Assert.That(counts.TakesTaken, Is.EqualTo(_sent.Count(r => r.Take == TakeState.Taken)));
        Assert.That(counts.TakesRefused, Is.EqualTo(_sent.Count(r => r.Take == TakeState.Refused)));
        Assert.That(counts.TakesExpired, Is.EqualTo(_sent.Count(r => r.Take == TakeState.Expired)));
    }
}
