using System.Buffers.Binary;
using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.World;

// One direction of one connection: an application that sends drawn messages, one that reads them in one of three ways,
// and what both know of every message. Only this class sees both ends, so here the receipts meet the truth.

/// <summary>Messages from one peer to another, and the oracles over them.</summary>
internal sealed class MessageFlow(string name, Peer sender, Prng draws, MessagePlan plan) : IMessageHandler
{
    private const int MostHeld = 4;
    private const int NumberBytes = 4;
    private const int StatesPerMoment = 4;

    private readonly Dictionary<int, LaneRecord> _lanes = [];
    private readonly List<SentMessage> _all = [];
    private readonly List<byte[]> _unreliable = [];
    private readonly HashSet<int> _unreliableReceived = [];
    private readonly List<(ReceivedMessage Message, SentMessage Sent)> _held = [];
    private readonly ReceiptUpdate[] _updates = new ReceiptUpdate[32];
    private readonly long _manner = draws.NextBelow(3);
    private byte[]? _refused;
    private SendOptions _refusedOptions;
    private int _nextState;
    private int _planned;

    /// <summary>The sending node.</summary>
    internal int From { get; init; }

    /// <summary>The receiving node.</summary>
    internal int To { get; init; }

    internal Peer Sender => sender;

    /// <summary>The other end, once it was accepted.</summary>
    internal Peer? Receiver { get; set; }

    internal bool IsReaderPaused { get; set; }

    internal int UnreliableReceived => _unreliableReceived.Count;

    internal int Refusals { get; private set; }

    /// <summary>All was sent and read, and the sender knows it.</summary>
    internal bool IsFinished => _planned == plan.Messages && _refused is null && _held.Count == 0
        && _all.TrueForAll(message => message.IsSettled);

    /// <summary>What is still missing, for the message of a failure.</summary>
    internal string Standing
        => $"{name}: planned {_planned}/{plan.Messages}, waiting {_refused?.Length ?? -1}, held {_held.Count}, unsettled "
            + string.Join("; ", _all.Where(message => !message.IsSettled).Take(5))
            + $", sender {sender.Status}, receiver {Receiver?.Status.ToString() ?? "not accepted"}, "
            + $"{sender.Connection.ReadCounters()}, {Receiver?.Connection.ReadCounters()}";

    internal bool IsBetween(int left, int right) => (From == left && To == right) || (From == right && To == left);

    internal void Send()
    {
        for (long i = draws.NextBelow(4); i > 0; i--)
        {
            SendOne();
        }

        TakeUpdates();
        CheckStates();
    }

    internal void Read()
    {
        if (Receiver is null || IsReaderPaused)
        {
            return;
        }

        if (_manner == 0)
        {
            MessageFlow self = this;
            Receiver.Poll(ref self, budget: (int)draws.NextBetween(1, 20));
            return;
        }

        for (int i = 0; i < 8 && Receiver.TryReceive(out ReceivedMessage message); i++)
        {
            SentMessage? sent = NoteReceived(message.Lane, message.Span);

            if (sent is null)
            {
                message.Dispose();
            }
            else
            {
                _held.Add((message, sent));
            }
        }

        while (_held.Count > (_manner == 1 ? 0 : MostHeld) || (_held.Count > 0 && draws.NextChance(100_000)))
        {
            Settle((int)draws.NextBelow(_held.Count));
        }
    }

    public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
    {
        SentMessage? sent = NoteReceived(lane, message);

        if (sent is not null)
        {
            sent.IsTaken = true;
        }
    }

    internal void AssertAlive()
    {
        Oracles.AssertAlive(sender.Connection, $"{name}, sender");

        if (Receiver is not null)
        {
            Oracles.AssertAlive(Receiver.Connection, $"{name}, receiver");
        }
    }

    /// <summary>Some more messages, which a close right after cuts off anywhere.</summary>
    internal void SendLast(int messages)
    {
        plan = plan with { Messages = plan.Messages + messages };

        for (int i = 0; i < messages; i++)
        {
            SendOne();
        }
    }

    /// <summary>The connection is over and all was read: every receipt has ended, and none of them lies.</summary>
    internal void AssertReceiptsEnded()
    {
        foreach (SentMessage sent in _all)
        {
            SendReceipt receipt = sender.StateOf(sent.Receipt.Id);
            bool isTransferTrue = receipt.Transfer switch
            {
                TransferState.Received or TransferState.Unknown => true,
                TransferState.Cancelled => !sent.HasArrived,
                _ => false,
            };
            bool isTakeTrue = receipt.Take switch
            {
                TakeState.NotAsked => !sent.Options.NotifyTaken,
                TakeState.Taken => sent.IsTaken,
                TakeState.Refused => sent.IsRefused,
                TakeState.Unknown => true,
                _ => false,
            };

            if (!isTransferTrue || !isTakeTrue)
            {
                Assert.Fail($"{name}: after the end {receipt} of {sent}.");
            }
        }
    }

    private void SendOne()
    {
        if (_refused is null)
        {
            if (_planned == plan.Messages)
            {
                return;
            }

            _planned++;

            if (draws.NextChance(250_000))
            {
                SendUnreliable();
                return;
            }

            _refusedOptions = new SendOptions
            {
                Lane = draws.NextBelow(4) switch { 0 => 0, 1 => 3, _ => SendOptions.DefaultLane },
                NotifyReceived = draws.NextChance(300_000),
                NotifyTaken = draws.NextChance(500_000),
            };
            _refused = new byte[plan.NextLength(_planned, draws)];
            new Prng((ulong)_all.Count).FillInto(_refused);
        }

        SendStatus status = draws.NextChance(300_000)
            ? SendByClaim(_refused, _refusedOptions, out SendReceipt receipt)
            : sender.TrySend(_refused, _refusedOptions, out receipt);

        if (status == SendStatus.Accepted)
        {
            LaneRecord lane = LaneOf(_refusedOptions.Lane);
            SentMessage sent = new(receipt, _refusedOptions, lane.Sent.Count, _refused);
            lane.Sent.Add(sent);
            _all.Add(sent);
            _refused = null;
            return;
        }

        Refusals++;
        bool mayComeLater = status is SendStatus.LaneFull or SendStatus.NoCredit or SendStatus.PeerFull
            || (status == SendStatus.NotOpen && !sender.Status.IsOpen);

        if (!mayComeLater)
        {
            Assert.Fail($"{name}: a message of {_refused.Length} bytes was refused: {status}.");
        }
    }

    private SendStatus SendByClaim(byte[] message, SendOptions options, out SendReceipt receipt)
    {
        receipt = default;
        SendStatus status = sender.TryClaim(message.Length, options, out MessageClaim claim);

        if (status != SendStatus.Accepted)
        {
            return status;
        }

        message.CopyTo(claim.Span);
        return claim.Commit(out receipt);
    }

    private void SendUnreliable()
    {
        byte[] message = new byte[draws.NextBetween(NumberBytes, 1_000)];
        new Prng((ulong)_unreliable.Count).FillInto(message);
        BinaryPrimitives.WriteInt32BigEndian(message, _unreliable.Count);

        if (sender.TrySend(message, new SendOptions { Lane = SendOptions.UnreliableLane }) == SendStatus.Accepted)
        {
            _unreliable.Add(message);
        }
    }

    /// <returns>The reliable message it is; null for an unreliable one.</returns>
    private SentMessage? NoteReceived(int lane, ReadOnlySpan<byte> message)
    {
        if (lane == 2)
        {
            NoteUnreliable(message);
            return null;
        }

        LaneRecord record = LaneOf(lane);
        int index = record.Received++;

        if (index >= record.Sent.Count || !message.SequenceEqual(record.Sent[index].Bytes))
        {
            Assert.Fail($"{name}: message {index} of lane {lane}, {message.Length} bytes, is not what was sent.");
        }

        record.Sent[index].HasArrived = true;
        return record.Sent[index];
    }

    private void NoteUnreliable(ReadOnlySpan<byte> message)
    {
        int number = message.Length < NumberBytes ? -1 : BinaryPrimitives.ReadInt32BigEndian(message);

        if (number < 0 || number >= _unreliable.Count || !message.SequenceEqual(_unreliable[number]))
        {
            Assert.Fail($"{name}: an unreliable message of {message.Length} bytes that was never sent.");
        }

        if (!_unreliableReceived.Add(number))
        {
            Assert.Fail($"{name}: unreliable message {number} arrived twice.");
        }
    }

    private void Settle(int index)
    {
        (ReceivedMessage message, SentMessage sent) = _held[index];
        _held.RemoveAt(index);

        // Said before it is done: whoever is told must find it true.
        if (_manner == 2 && draws.NextChance(200_000))
        {
            sent.IsRefused = true;
            message.Refuse();
        }
        else
        {
            sent.IsTaken = true;
            message.Dispose();
        }
    }

    private void TakeUpdates()
    {
        int count;

        do
        {
            count = sender.TakeUpdates(_updates);

            for (int i = 0; i < count; i++)
            {
                SendReceipt receipt = _updates[i].Receipt;
                SentMessage? sent = LaneOf(receipt.Id.Lane).Sent.Find(message => message.Receipt.Id.Value == receipt.Id.Value);

                if (sent is null)
                {
                    Assert.Fail($"{name}: an update for a message never sent: {receipt}.");
                }

                Check(sent!, receipt);
                sent!.Note(receipt, name);
            }
        }
        while (count == _updates.Length);
    }

    /// <summary>Some of the messages at each moment, in turn: all are asked in the course of time.</summary>
    private void CheckStates()
    {
        for (int i = 0; i < StatesPerMoment && _all.Count > 0; i++)
        {
            SentMessage sent = _all[_nextState++ % _all.Count];

            if (!sent.IsSettled)
            {
                Check(sent, sender.StateOf(sent.Receipt.Id));
            }
        }
    }

    private void Check(SentMessage sent, SendReceipt receipt)
    {
        bool onlyForward = receipt.Transfer >= sent.Receipt.Transfer && receipt.Take >= sent.Receipt.Take
            && (receipt.Transfer is TransferState.Queued or TransferState.Sent or TransferState.Received);
        bool receivedFirst = receipt.Take is TakeState.NotAsked or TakeState.Pending
            || receipt.Transfer == TransferState.Received;
        bool isTrue = receipt.Take switch
        {
            TakeState.NotAsked => !sent.Options.NotifyTaken,
            TakeState.Pending => sent.Options.NotifyTaken,
            TakeState.Taken => sent.IsTaken,
            TakeState.Refused => sent.IsRefused,
            _ => false,
        };

        if (!onlyForward || !receivedFirst || !isTrue)
        {
            Assert.Fail($"{name}: receipt {receipt} of {sent}.");
        }

        sent.Receipt = receipt;
    }

    private LaneRecord LaneOf(int lane)
    {
        if (!_lanes.TryGetValue(lane, out LaneRecord? record))
        {
            record = new LaneRecord();
            _lanes.Add(lane, record);
        }

        return record;
    }

    private sealed class LaneRecord
    {
        internal List<SentMessage> Sent { get; } = [];

        internal int Received { get; set; }
    }
}

/// <summary>What one message flow sends.</summary>
/// <param name="Messages">How many.</param>
/// <param name="LargeBytes">Length of the one large message among them; 0: none.</param>
internal sealed record MessagePlan(int Messages, int LargeBytes)
{
    private const int LargeIndex = 3;

    /// <summary>Mostly short, some empty, few of many packets.</summary>
    internal int NextLength(int index, Prng draws)
    {
        if (index >= LargeIndex && LargeBytes > 0 && !_largeWasGiven)
        {
            _largeWasGiven = true;
            return LargeBytes;
        }

        return draws.NextBelow(20) switch
        {
            < 2 => 0,
            < 13 => (int)draws.NextBelow(100),
            < 18 => (int)draws.NextBelow(3_000),
            _ => (int)draws.NextBelow(30_000),
        };
    }

    private bool _largeWasGiven;
}

/// <summary>One reliable message: what was sent, what its receipt said last, what became of it at the other end.</summary>
internal sealed class SentMessage(SendReceipt receipt, SendOptions options, int index, byte[] bytes)
{
    private bool _toldReceived;
    private bool _toldTaken;

    internal SendReceipt Receipt { get; set; } = receipt;

    internal SendOptions Options => options;

    internal byte[] Bytes => bytes;

    internal bool HasArrived { get; set; }

    internal bool IsTaken { get; set; }

    internal bool IsRefused { get; set; }

    /// <summary>It arrived, the sender's receipt has ended, and every update asked for has come.</summary>
    internal bool IsSettled => HasArrived && Receipt.Transfer == TransferState.Received
        && (Receipt.Take is TakeState.NotAsked or TakeState.Taken or TakeState.Refused)
        && (!options.NotifyReceived || _toldReceived) && (!options.NotifyTaken || _toldTaken);

    /// <summary>An update came. It must tell something that was asked for and is new; two facts may come as one.</summary>
    internal void Note(SendReceipt update, string name)
    {
        bool tellsReceived = options.NotifyReceived && !_toldReceived;
        bool tellsTaken = options.NotifyTaken && !_toldTaken
            && (update.Take is TakeState.Taken or TakeState.Refused);

        if (!tellsReceived && !tellsTaken)
        {
            Assert.Fail($"{name}: update {update} of {this} was not asked for or came twice.");
        }

        _toldReceived |= tellsReceived;
        _toldTaken |= tellsTaken;
    }

    public override string ToString()
        => $"message {index} ({bytes.Length} bytes, {Receipt.Transfer}/{Receipt.Take}, asked "
            + $"{(options.NotifyReceived ? "r" : "")}{(options.NotifyTaken ? "t" : "")}, told "
            + $"{(_toldReceived ? "r" : "")}{(_toldTaken ? "t" : "")}, arrived {HasArrived}, taken {IsTaken}, refused {IsRefused})";
}
