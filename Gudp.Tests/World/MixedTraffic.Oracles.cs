using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.World;

// The sending end's knowledge, held against the truth: I6 and I7, and at the end the exact accounting.
internal sealed partial class MixedTraffic
{
    // A turn later than the deadline, and the one that first sees the message.
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(3);

    /// <summary>
    /// Nothing can happen any more, and all was read: every message has exactly one end, every promise of its lane was
    /// kept, and everything asked for was told once.
    /// </summary>
    /// <param name="total">Gets how they ended.</param>
    /// <param name="receiverLives">False: it was killed, and what it had received it may never have read.</param>
    internal void AssertEnded(MixedAccount total, bool receiverLives = true)
    {
        TakeUpdates();
        MixedAccount account = new();

        foreach (LaneMessage sent in _all)
        {
            Look(sent, Sender.StateOf(sent.Id));
            Require(LaneMessage.IsEnd(sent.Receipt.Transfer), "I6, its transfer has no end", sent);
            Require(LaneMessage.IsEnd(sent.Receipt.Take), "I6, its take has no end", sent);
            Require(sent.IsSettled, "I6, an update that was asked for never came", sent);
            Require(!(receiverLives && MustStillArrive(sent)), "I1/I2/I4, it never arrived", sent);
            account.Add(sent);
        }

        account.AssertExact(_name);
        total.Add(account);
        Array.ForEach(_lanes, AssertCounted);
    }

    /// <summary>The library's own counters say the same as the receipts, lane by lane.</summary>
    private void AssertCounted(LaneRecord lane)
    {
        MixedAccount account = new();
        lane.Sent.ForEach(account.Add);
        MessageCounters counted = Sender.ReadLane(lane.Number).Messages;

        bool endsAgree = counted.TransfersReceived == account[TransferState.Received]
            && counted.TransfersExpired == account[TransferState.Expired]
            && counted.TransfersCancelled == account[TransferState.Cancelled]
            && counted.TransfersUnknown == account[TransferState.Unknown]
            && counted.TakesAsked == account.AskedTaken
            && counted.TakesTaken == account[TakeState.Taken]
            && counted.TakesRefused == account[TakeState.Refused]
            && counted.TakesExpired == account[TakeState.Expired]
            && counted.TakesUnknown == account[TakeState.Unknown];

        if (counted.MessagesSent != account.Accepted || !endsAgree)
        {
            Assert.Fail($"{_name}: {lane} ended as {account}, and was counted as {counted}.");
        }
    }

    private static bool MustArrive(LaneRecord lane, LaneMessage sent) => sent.Mode switch
    {
        // Given up by its own sender's wish, or it must come.
        LaneMode.OrderedReliable or LaneMode.UnorderedReliable
            => sent.Receipt.Transfer is not (TransferState.Expired or TransferState.Cancelled or TransferState.Unknown),

        // The last one, and what was received before a newer one came.
        LaneMode.SequencedReliable => (sent == lane.Sent[^1] && !LaneMessage.IsEnd(sent.Receipt.Transfer))
            || (sent.Receipt.Transfer == TransferState.Received && sent.Index > lane.LastArrived),
        _ => false,
    };

    private bool MustStillArrive(LaneMessage sent) => !sent.HasArrived && MustArrive(_lanes[sent.Options.Lane], sent);

    private bool HasAllThatMustArrive() => !_all.Exists(MustStillArrive);

    private void TakeUpdates()
    {
        int count;

        do
        {
            count = Sender.TakeUpdates(_updates);

            for (int i = 0; i < count; i++)
            {
                Note(_updates[i].Receipt);
            }
        }
        while (count == _updates.Length);
    }

    /// <summary>An update must tell something that was asked for and is new; two facts may come as one.</summary>
    private void Note(SendReceipt update)
    {
        if (!_lanes[update.Id.Lane].ById.TryGetValue(update.Id.Value, out LaneMessage? sent))
        {
            Assert.Fail($"{_name}: an update for a message never sent: {update}.");
        }

        // An update is the receipt after its change; a later change may be known here already.
        bool isOvertaken = LaneMessage.IsEnd(sent!.Receipt.Transfer) && !LaneMessage.IsEnd(update.Transfer);
        Look(sent, isOvertaken ? update with { Transfer = sent.Receipt.Transfer } : update);
        bool tellsTransfer = sent.Options.NotifyReceived && !sent.WasToldTransfer
            && LaneMessage.IsEnd(update.Transfer);
        bool tellsTake = sent.Options.NotifyTaken && !sent.WasToldTake && LaneMessage.IsEnd(update.Take);
        Require(tellsTransfer || tellsTake, $"an update not asked for, or told twice: {update}", sent);
        sent.WasToldTransfer |= tellsTransfer;
        sent.WasToldTake |= tellsTake;
    }

    /// <summary>Some of those that are open at each moment, in turn: all are asked in the course of time.</summary>
    private void LookAtStates()
    {
        for (int i = 0; i < StatesPerMoment + (_open.Count / 16) && _open.Count > 0; i++)
        {
            int index = _nextState++ % _open.Count;
            LaneMessage sent = _open[index];
            Look(sent, Sender.StateOf(sent.Id));

            if (sent.IsSettled && !MustStillArrive(sent))
            {
                _open[index] = _open[^1];
                _open.RemoveAt(_open.Count - 1);
            }
        }
    }

    /// <summary>What the library says of a message, held against what it said before and what is true.</summary>
    private void Look(LaneMessage sent, SendReceipt receipt)
    {
        SendReceipt before = sent.Receipt;
        bool isForward = receipt.Transfer == before.Transfer
            || (before.Transfer == TransferState.Queued && receipt.Transfer == TransferState.Sent)
            || (!LaneMessage.IsEnd(before.Transfer) && LaneMessage.IsEnd(receipt.Transfer));
        Require(isForward, $"I6, its transfer went back to {receipt}", sent);
        bool isTakeForward = receipt.Take == before.Take || before.Take == TakeState.Pending;
        Require(isTakeForward, $"I6, its take went back to {receipt}", sent);
        Require(IsTransferTrue(sent, receipt.Transfer), $"I6/I7, the transfer is not so: {receipt}", sent);
        Require(IsTakeTrue(sent, receipt), $"I6/I7, the take is not so: {receipt}", sent);
        LookAtClock(sent, receipt);
        sent.Receipt = receipt;
    }

    /// <summary>Time-outs end what they should, not before their time and to a turn.</summary>
    private void LookAtClock(LaneMessage sent, SendReceipt receipt)
    {
        if (Now is not { } now || sent.SentAt is not { } sentAt || HasConnectionEnded)
        {
            return;
        }

        TimeSpan age = now - sentAt;
        TimeSpan receive = sent.Options.ReceiveTimeout;
        bool endedByTime = receipt.Transfer == TransferState.Expired && sent.Receipt.Transfer != TransferState.Expired
            && sent.Options.MaxAttempts == 0 && sent.Mode <= LaneMode.SequencedReliable && !IsSuperseded(sent);
        Require(!endedByTime || age >= receive - Slack, $"it expired after {age}", sent);

        // An ordered lane may wait: for earlier messages, and for room for another skip (D-10.2, D-10.5).
        bool mustHaveEnded = receive > TimeSpan.Zero && age > receive + Slack && sent.Mode != LaneMode.OrderedReliable;
        Require(!mustHaveEnded || LaneMessage.IsEnd(receipt.Transfer), $"it is still open after {age}", sent);
        TimeSpan take = sent.Options.TakeTimeout;
        bool mustBeTold = take > TimeSpan.Zero && age > take + Slack;
        Require(!mustBeTold || LaneMessage.IsEnd(receipt.Take), $"its take is still open after {age}", sent);
    }

    /// <summary>
    /// Nothing is under way and all was read: nothing is left in any queue, and both ends have counted the same.
    /// </summary>
    internal bool IsEmpty()
        => Array.TrueForAll(_lanes, lane => IsEmptyQueue(Sender.ReadLane(lane.Number).SendQueue)
            && IsEmptyQueue(Receiver!.ReadLane(lane.Number).ReceiveQueue))
            && Sender.Session.CreditedBytes.Sent == Receiver!.Session.CreditedBytes.Received
            && Receiver!.Session.CreditedBytes.Received == Receiver!.Session.CreditedBytes.Read;

    /// <summary>What is left, for the message of a failure.</summary>
    internal string Remains
        => $"{_name}: counted {Sender.Session.CreditedBytes} there and {Receiver!.Session.CreditedBytes} here; "
            + string.Join("; ", _lanes.Select(lane => $"{lane}: {Sender.ReadLane(lane.Number).SendQueue}, "
                + $"{Receiver!.ReadLane(lane.Number).ReceiveQueue}"));

    private static bool IsEmptyQueue(in QueueCounters queue) => queue.Items == 0 && queue.Bytes == 0;

    private bool IsTransferTrue(LaneMessage sent, TransferState state) => state switch
    {
        TransferState.Queued or TransferState.Sent => true,
        TransferState.Received => true,
        TransferState.Unknown => HasConnectionEnded,
        TransferState.Cancelled => sent.WasCancelled || (HasConnectionEnded && !sent.HasArrived),
        TransferState.Expired => sent.MayBeGivenUp || sent.Mode >= LaneMode.SequencedUnreliable || IsSuperseded(sent),
        _ => false,
    };

    private bool IsSuperseded(LaneMessage sent)
        => sent.Mode == LaneMode.SequencedReliable && _lanes[sent.Options.Lane].Sent.Count > sent.Index + 1;

    private bool IsTakeTrue(LaneMessage sent, SendReceipt receipt) => receipt.Take switch
    {
        TakeState.NotAsked => !sent.Options.NotifyTaken,
        TakeState.Pending => sent.Options.NotifyTaken
            && receipt.Transfer is TransferState.Queued or TransferState.Sent or TransferState.Received,
        TakeState.Taken => sent.IsTaken && receipt.Transfer == TransferState.Received,

        // Refused by the application, or thrown away unseen where the mode allows it.
        TakeState.Refused => (sent.IsRefused || (!sent.HasArrived && sent.Mode >= LaneMode.SequencedReliable))
            && receipt.Transfer == TransferState.Received,
        TakeState.Expired => sent.Options.TakeTimeout > TimeSpan.Zero
            || receipt.Transfer is TransferState.Expired or TransferState.Cancelled,
        TakeState.Unknown => HasConnectionEnded,
        _ => false,
    };

    private void Require(bool holds, string what, LaneMessage sent)
    {
        if (!holds)
        {
            Assert.Fail($"{_name}: {what}: {sent}.");
        }
    }
}
