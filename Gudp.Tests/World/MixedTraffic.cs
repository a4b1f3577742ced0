using Gudp.Core;
using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.World;

// One direction between two peers, on all lanes and in all modes at once: an application that sends drawn messages with
// drawn wishes, one that reads them in one of several manners, and what both know of every message. Only this class
// sees both ends, so here the receipts meet the truth. The oracles are those of the design, I1 to I7.
//
// Everything is drawn from one generator; the driver (a pair of sessions, a simulated world) only decides when.

/// <summary>Messages of all modes from one peer to another, and the oracles over them.</summary>
internal sealed partial class MixedTraffic : IMessageHandler
{
    private const int MostHeld = 6;
    private const int StatesPerMoment = 6;

    private readonly string _name;
    private readonly Prng _draws;
    private readonly MixedPlan _plan;
    private readonly LaneRecord[] _lanes;
    private readonly List<LaneMessage> _all = [];
    private readonly List<LaneMessage> _open = [];
    private readonly List<(ReceivedMessage Message, LaneMessage Sent)> _held = [];
    private readonly ReceiptUpdate[] _updates = new ReceiptUpdate[32];
    private readonly byte[] _buffer;
    private int _planned;
    private int _mostPlanned;
    private int _nextState;
    private int _pausedMoments;

    internal MixedTraffic(string name, Peer sender, Prng draws, MixedPlan plan)
    {
        _name = name;
        Sender = sender;
        _draws = draws;
        _plan = plan;
        _mostPlanned = plan.Messages;
        _lanes = [.. plan.Lanes.Select((options, number) => new LaneRecord(number, options.Mode))];
        _buffer = new byte[Math.Max(plan.MostBytes, plan.LargeBytes) + 1];
    }

    internal Peer Sender { get; }

    /// <summary>The other end's view of the sender, once it is known there.</summary>
    internal Peer? Receiver { get; set; }

    /// <summary>The application at the other end reads nothing, beside the pauses of the plan.</summary>
    internal bool IsReaderPaused { get; set; }

    /// <summary>From now on the reader makes no pauses of its own and throws nothing.</summary>
    internal bool IsHealed { get; set; }

    /// <summary>The connection is over: what is still open may end as unknown.</summary>
    internal bool HasConnectionEnded { get; set; }

    /// <summary>
    /// The time of the turn that follows, for who holds time-outs against the clock; null where turns may be late.
    /// </summary>
    internal Instant? Now { get; set; }

    internal int Sent => _all.Count;

    internal int Arrived { get; private set; }

    internal int Refusals { get; private set; }

    internal IReadOnlyList<LaneMessage> Messages => _all;

    /// <summary>All was sent, and everything about every message is known, and told where asked.</summary>
    internal bool IsFinished
        => _planned == _mostPlanned && _held.Count == 0 && Array.TrueForAll(_lanes, lane => lane.Waiting is null)
            && _open.TrueForAll(message => message.IsSettled) && HasAllThatMustArrive();

    /// <summary>What is still missing, for the message of a failure.</summary>
    internal string Standing
        => $"{_name}: planned {_planned}/{_mostPlanned}, accepted {_all.Count}, arrived {Arrived}, "
            + $"refused {Refusals}, held {_held.Count}, "
            + $"waiting {string.Join(", ", _lanes.Where(lane => lane.Waiting is not null))}; missing: "
            + string.Join("; ", _all.Where(message => !message.IsSettled || MustStillArrive(message)).Take(5));

    /// <summary>One moment of the sending application.</summary>
    internal void Send()
    {
        bool isBurst = _draws.NextChance(_plan.BurstPpm);

        for (long i = _draws.NextBelow((isBurst ? _plan.MostBurst : _plan.MostPerMoment) + 1); i > 0; i--)
        {
            SendOne(_lanes[_draws.NextBelow(_lanes.Length)]);
        }

        if (_open.Count > 0 && _draws.NextChance(_plan.CancelPpm))
        {
            Cancel(_open[(int)_draws.NextBelow(_open.Count)]);
        }

        TakeUpdates();
        LookAtStates();
    }

    /// <summary>Some more messages, which an end right after cuts off anywhere.</summary>
    internal void SendLast(int messages)
    {
        _mostPlanned += messages;

        for (int i = 0; i < messages; i++)
        {
            SendOne(_lanes[_draws.NextBelow(_lanes.Length)]);
        }

        Stop();
    }

    /// <summary>Nothing more is sent.</summary>
    internal void Stop()
    {
        Array.ForEach(_lanes, lane => lane.Waiting = null);
        _mostPlanned = _planned;
    }

    private void SendOne(LaneRecord lane)
    {
        if (lane.Waiting is null)
        {
            if (_planned >= _mostPlanned)
            {
                return;
            }

            _planned++;
            lane.Waiting = Draw(lane);
        }

        (int length, SendOptions options) = lane.Waiting.Value;
        Span<byte> message = _buffer.AsSpan(0, length);
        LaneContent.Write(lane.Number, lane.Sent.Count, message);
        bool isClaimed = lane.Mode == LaneMode.OrderedReliable && _draws.NextChance(_plan.ClaimPpm);
        SendStatus status = isClaimed
            ? SendByClaim(message, options, out SendReceipt receipt)
            : Sender.TrySend(message, options, out receipt);

        if (status == SendStatus.Accepted)
        {
            lane.Waiting = null;
            NoteAccepted(lane, length, options, receipt);
            return;
        }

        Refusals++;
        AssertMayBeRefused(lane, status, length);

        // Who sends unreliably does not wait.
        if (lane.Mode is LaneMode.SequencedUnreliable or LaneMode.Unreliable || status == SendStatus.Closed)
        {
            lane.Waiting = null;
        }
    }

    private (int Length, SendOptions Options) Draw(LaneRecord lane)
    {
        int length = DrawLength(lane);

        // A tiny message is known by its place alone, so nothing may end it early.
        bool mayEnd = length >= LaneContent.NumberBytes;
        SendOptions options = new()
        {
            Lane = lane.Number,
            NotifyReceived = _draws.NextChance(_plan.AskReceivedPpm),
            NotifyTaken = _draws.NextChance(_plan.AskTakenPpm),
            ReceiveTimeout = DrawTimeout(mayEnd),
            TakeTimeout = DrawTimeout(mayEnd),
            MaxAttempts = _draws.NextChance(_plan.AttemptsPpm) && mayEnd ? (int)_draws.NextBetween(1, 4) : 0,
        };

        return (length, options);
    }

    private int DrawLength(LaneRecord lane)
    {
        if (_draws.NextChance(_plan.LargePpm) && lane.Mode <= LaneMode.SequencedReliable)
        {
            return _plan.LargeBytes;
        }

        int length = _draws.NextBelow(20) switch
        {
            < 2 => (int)_draws.NextBelow(LaneContent.NumberBytes),
            < 12 => (int)_draws.NextBelow(100),
            < 18 => (int)_draws.NextBelow(Math.Min(3_000, _plan.MostBytes) + 1),
            _ => (int)_draws.NextBelow(_plan.MostBytes + 1),
        };

        // Elsewhere than in order a tiny one is told from others only while it is the only one.
        bool mayBeTiny = lane.Mode == LaneMode.OrderedReliable || lane.Tiny is null or { HasArrived: true };
        return mayBeTiny ? length : Math.Max(length, LaneContent.NumberBytes);
    }

    private TimeSpan DrawTimeout(bool mayEnd)
    {
        bool isWanted = _draws.NextChance(_plan.TimeoutPpm) && mayEnd;
        long ticks = _draws.NextBetween(TimeSpan.TicksPerMillisecond, _plan.MostTimeout.Ticks);
        return isWanted ? TimeSpan.FromTicks(ticks) : TimeSpan.Zero;
    }

    private SendStatus SendByClaim(ReadOnlySpan<byte> message, SendOptions options, out SendReceipt receipt)
    {
        receipt = default;

        // An earlier claim, given up with the next message behind it, must leave no trace.
        bool isPreceded = _draws.NextChance(250_000);
        MessageClaim abandoned = default;
        isPreceded = isPreceded && Sender.TryClaim(17, options, out abandoned) == SendStatus.Accepted;
        SendStatus status = Sender.TryClaim(message.Length, options, out MessageClaim claim);

        if (status == SendStatus.Accepted)
        {
            message.CopyTo(claim.Span);
            status = claim.Commit(out receipt);
        }

        if (isPreceded)
        {
            abandoned.Abandon();
        }

        return status;
    }

    private void NoteAccepted(LaneRecord lane, int length, SendOptions options, SendReceipt receipt)
    {
        LaneMessage sent = new(lane.Sent.Count, length, lane.Mode, options, receipt) { SentAt = Now };
        Require(receipt.Id.Lane == lane.Number, "A receipt names another lane", sent);
        Require(lane.ById.TryAdd(receipt.Id.Value, sent), "Two messages have one id", sent);
        lane.Tiny = sent.IsTiny ? sent : lane.Tiny;
        lane.Sent.Add(sent);

        _all.Add(sent);
        _open.Add(sent);
    }

    private void AssertMayBeRefused(LaneRecord lane, SendStatus status, int length)
    {
        bool mayComeLater = status is SendStatus.LaneFull or SendStatus.NoCredit or SendStatus.PeerFull
            or SendStatus.DaemonFull
            || (status == SendStatus.Closed && HasConnectionEnded)
            || (status == SendStatus.NotOpen && Receiver is null);

        if (!mayComeLater)
        {
            Assert.Fail($"{_name}: a message of {length} bytes on {lane} was refused: {status}.");
        }
    }

    // A cancellation that is accepted is the message's end at once; one that is not changes nothing.
    private void Cancel(LaneMessage sent)
    {
        SendReceipt before = Sender.StateOf(sent.Id);

        if (sent.IsTiny)
        {
            return;
        }

        bool isCancelled = Sender.TryCancel(sent.Id);
        sent.WasCancelled |= isCancelled;
        SendReceipt after = Sender.StateOf(sent.Id);
        Look(sent, after);
        bool isTrue = isCancelled ? after.Transfer == TransferState.Cancelled : after == before;
        Require(isTrue, $"cancelled ({isCancelled}) at {before}, it is {after}", sent);
    }

    /// <summary>One lane: what was sent on it, and how far its reader is.</summary>
    private sealed class LaneRecord(int number, LaneMode mode)
    {
        internal int Number => number;

        internal LaneMode Mode => mode;

        internal List<LaneMessage> Sent { get; } = [];

        internal Dictionary<long, LaneMessage> ById { get; } = [];

        /// <summary>The message that came last; -1 before the first.</summary>
        internal int LastArrived { get; set; } = -1;

        /// <summary>Refused at its first try, and tried again; null if there is none.</summary>
        internal (int Length, SendOptions Options)? Waiting { get; set; }

        /// <summary>The last one that is too short to carry a number.</summary>
        internal LaneMessage? Tiny { get; set; }

        public override string ToString() => $"lane {number} ({mode}, {Sent.Count} sent, last arrived {LastArrived})";
    }
}
