using System.Buffers;
using System.Buffers.Binary;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Lanes;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>
/// One lane in the least of memory: claims that stay open while their neighbours are given up, shares, messages beyond
/// the ring, attempts that count while everything seems overdue, a reader that sleeps, and perhaps an end in the middle.
/// Not reusable.
/// </summary>
internal sealed class GiveUpStorm
{
    private const int Million = 1_000_000;
    private const int Steps = 1_500;
    private const int MostClaims = 6;

    private static readonly MessagingConfig Least = new() { LaneRingBytes = 64 * 1024, MaxMessageBytes = 256 * 1024 };

    private readonly SessionPair _pair;
    private readonly Prng _draws;
    private readonly List<SendReceipt?> _sent = [];
    private readonly List<(int Number, long Open, LaneClaim Claim)> _claims = [];
    private readonly List<ReceivedMessage> _held = [];
    private readonly Dictionary<long, int> _told = [];
    private readonly List<int> _read = [];
    private int _asked;

    internal GiveUpStorm(ulong seed)
    {
        _draws = new Prng(seed).Split(23);
        PathModel path = new()
        {
            LossPpm = 200_000,
            DuplicatePpm = 100_000,
            AckLossPpm = 300_000,
            MostDelaySteps = 6,
            PacketsPerStep = 1 + (int)_draws.NextBelow(8),
            FrameBytes = 700 + (int)_draws.NextBelow(500),
            PatienceSteps = 3,
        };
        _pair = SessionPair.Opened(seed, path, Least);
    }

    private MessageSession Session => _pair.Client.Session;

    private Peer Peer => _pair.Client.Peer;

    internal void Run(bool endsEarly)
    {
        using (_pair)
        {
            for (int step = 0; step < Steps; step++)
            {
                Act(isAwake: step / 200 % 2 == 1);
                _pair.Step();
            }

            while (_claims.Count > 0)
            {
                EndClaim();
            }

            bool flows = endsEarly || _pair.RunUntil(IsOver);

            foreach (ReceivedMessage message in _held)
            {
                message.Dispose();
            }

            _ = endsEarly || _pair.RunUntilQuiet();
            bool canAccept = Peer.TrySend([1], default) == SendStatus.Accepted;
            _pair.End();
            TakeUpdates();

            Assert.That(flows && (endsEarly || canAccept), Is.True, $"{_pair.Client}; {_pair.Server}");
            Assert.That(_pair.Server.Violations.Concat(_pair.Client.Violations), Is.Empty);
            AssertEnds(canAccept ? 1 : 0, endsEarly);
        }
    }

    private bool IsOver()
    {
        Read(int.MaxValue);
        TakeUpdates();
        return Session.IsFlushed();
    }

    private void Act(bool isAwake)
    {
        switch (_draws.NextBelow(8))
        {
            case 0 when _claims.Count < MostClaims:
                Claim();
                break;
            case 1 when _claims.Count > 0:
                EndClaim();
                break;
            case 2 or 3:
                Cancel();
                break;
            case 4:
                SendShare();
                break;
            default:
                Send((int)_draws.NextBelow(_draws.NextChance(20_000) ? 200_000 : 700));
                break;
        }

        if (isAwake && _draws.NextChance(Million / 3))
        {
            Read((int)_draws.NextBelow(40));
            TakeUpdates();
        }
    }

    private void Send(int bytes)
    {
        SendOptions options = Options();
        byte[] message = new byte[4 + bytes];
        Fill(message);

        if (Peer.TrySend(message, options, out SendReceipt receipt) == SendStatus.Accepted)
        {
            Add(receipt);
        }
    }

    private void SendShare()
    {
        using MessageBuffer buffer = new(_pair.Client.Memory, Least.MaxMessageBytes);
        byte[] message = new byte[4 + (int)_draws.NextBelow(20_000)];
        Fill(message);
        buffer.Write(message);

        if (Peer.TrySend(buffer, Options(), out SendReceipt receipt) == SendStatus.Accepted)
        {
            Add(receipt);
        }
    }

    private void Claim()
    {
        int bytes = 4 + (int)_draws.NextBelow(2_000);

        if (Session.SendLaneOf(1).TryClaim(bytes, Options(), out LaneClaim claim) == SendStatus.Accepted)
        {
            Fill(claim.Room.Span);
            _claims.Add((_sent.Count, Session.BeginClaim(claim), claim));
            _sent.Add(null);
        }
    }

    // Any of the open ones, not the oldest first.
    private void EndClaim()
    {
        int index = (int)_draws.NextBelow(_claims.Count);
        (int number, long open, LaneClaim claim) = _claims[index];
        _claims.RemoveAt(index);
        Assert.That(Session.TryEndClaim(open), Is.True);

        if (_draws.NextChance(Million / 2))
        {
            Session.SendLaneOf(1).Abandon(claim);
        }
        else if (Session.SendLaneOf(1).Commit(claim, out MessageId id) == SendStatus.Accepted)
        {
            _sent[number] = MessageSession.FirstReceipt(id);
            _asked += id.AsksTaken ? 1 : 0;
        }
    }

    private void Cancel()
    {
        int newest = Math.Min(_sent.Count, 40);

        if (newest > 0 && _sent[^(1 + (int)_draws.NextBelow(newest))] is { } receipt)
        {
            bool cancelled = Peer.TryCancel(receipt.Id);
            TransferState now = Peer.StateOf(receipt.Id).Transfer;
            Assert.That(!cancelled || now == TransferState.Cancelled, Is.True);
        }
    }

    private void Read(int most)
    {
        while (most-- > 0 && _pair.Server.Peer.TryReceive(out ReceivedMessage message))
        {
            int number = BinaryPrimitives.ReadInt32LittleEndian(message.Span);
            Assert.That(message.Span[4..].IndexOfAnyExcept((byte)number), Is.EqualTo(-1), "Each message is whole.");
            Assert.That(_read.Count == 0 || number > _read[^1], Is.True, "In order, and once.");
            _read.Add(number);

            if (_draws.NextChance(50_000) && _held.Count < 4)
            {
                _held.Add(message);
                continue;
            }

            if (_draws.NextChance(100_000))
            {
                message.Refuse();
            }

            message.Dispose();
        }
    }

    private void TakeUpdates()
    {
        ReceiptUpdate[] updates = new ReceiptUpdate[8];

        for (int count = 8; count == 8;)
        {
            count = Peer.TakeUpdates(updates);

            foreach (ReceiptUpdate update in updates[..count])
            {
                long id = update.Receipt.Id.Value;
                _told[id] = _told.GetValueOrDefault(id) + 1;
            }
        }
    }

    private SendOptions Options() => new()
    {
        NotifyReceived = _draws.NextChance(Million / 2),
        NotifyTaken = _draws.NextChance(Million / 2),
        ReceiveTimeout = TimeSpan.FromMilliseconds(_draws.NextChance(Million / 3) ? _draws.NextBelow(60) : 0),
        TakeTimeout = TimeSpan.FromMilliseconds(_draws.NextChance(Million / 3) ? _draws.NextBelow(300) : 0),
        MaxAttempts = _draws.NextChance(Million / 2) ? 1 + (int)_draws.NextBelow(3) : 0,
    };

    private void Fill(Span<byte> message)
    {
        message.Fill((byte)_sent.Count);
        BinaryPrimitives.WriteInt32LittleEndian(message, _sent.Count);
    }

    private void Add(in SendReceipt receipt)
    {
        _sent.Add(receipt);
        _asked += receipt.Id.AsksTaken ? 1 : 0;
    }

    private void AssertEnds(int last, bool endsEarly)
    {
        SendReceipt[] ends = [.. _sent.OfType<SendReceipt>().Select(receipt => Peer.StateOf(receipt.Id))];
        MessageCounters counts = Peer.ReadLane(1).Messages;
        HashSet<int> read = [.. _read];

        Assert.That(ends, Has.Length.GreaterThan(100));
        Assert.That(counts.MessagesSent, Is.EqualTo(ends.Length + last));
        Assert.That(counts.TakesAsked, Is.EqualTo(_asked));
        Assert.That(counts.TransfersReceived, Is.EqualTo(ends.Count(end => end.Transfer == TransferState.Received)));
        Assert.That(counts.TransfersExpired, Is.EqualTo(ends.Count(end => end.Transfer == TransferState.Expired)));
        Assert.That(
            counts.TransfersReceived + counts.TransfersExpired + counts.TransfersCancelled + counts.TransfersUnknown,
            Is.EqualTo(counts.MessagesSent));
        Assert.That(
            counts.TakesTaken + counts.TakesRefused + counts.TakesExpired + counts.TakesUnknown, Is.EqualTo(_asked));
        Assert.That(counts.TakesTaken, Is.EqualTo(ends.Count(end => end.Take == TakeState.Taken)));
        Assert.That(counts.TakesRefused, Is.EqualTo(ends.Count(end => end.Take == TakeState.Refused)));
        Assert.That(counts.TakesExpired, Is.EqualTo(ends.Count(end => end.Take == TakeState.Expired)));
        Assert.That(_told.Values, Has.All.LessThanOrEqualTo(2));
        Assert.That(
            Enumerable.Range(0, _sent.Count).Where(i => _sent[i] is { } receipt && !endsEarly
                && Peer.StateOf(receipt.Id).Transfer == TransferState.Received && !read.Contains(i)),
            Is.Empty,
            "What was received was handed out.");
        Assert.That(_read.Where(i => _sent[i] is null), Is.Empty, "What was abandoned was not.");
    }
}
