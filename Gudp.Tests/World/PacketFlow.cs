using System.Buffers.Binary;
using Gudp.Core;
using NUnit.Framework;

namespace Gudp.Tests.World;

/// <summary>What a <see cref="PacketFlow"/> sends.</summary>
internal sealed record PacketPlan
{
    /// <summary>So many in all, or until <see cref="PacketFlow.Stop"/>.</summary>
    internal int Packets { get; init; } = 60;

    /// <summary>Sizes are drawn up to this, small ones more often; never beyond what the path takes.</summary>
    internal int MostBytes { get; init; } = 1_100;

    /// <summary>Several at once, so that a short queue at the other end can overflow.</summary>
    internal int MostBurst { get; init; } = 6;

    /// <summary>Chance of a burst in each step.</summary>
    internal int BurstPpm { get; init; } = 200_000;

    /// <summary>Time-outs are drawn up to this.</summary>
    internal TimeSpan MostTimeout { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>
/// Packets of all modes from one end of a connection of Core to the other, and what is promised for each: reliable ones
/// arrive once, the others at most once, and each ticket has one outcome that fits.
/// </summary>
internal sealed class PacketFlow(string name, Connection sender, Prng draws, PacketPlan plan)
{
    private const int NumberBytes = 4;
    private const int Million = 1_000_000;

    private readonly List<SentPacket> _sent = [];
    private readonly Dictionary<PacketTicket, int> _byTicket = [];
    private readonly List<int> _cancellable = [];
    private readonly byte[] _buffer = new byte[65_536];
    private readonly byte[] _expected = new byte[65_536];
    private readonly PacketUpdate[] _updates = new PacketUpdate[64];
    private bool _isStopped;
    private int _open;      // promised to arrive or to have an outcome, and did or has not yet

    /// <summary>The other end, once it was accepted.</summary>
    internal Connection? Receiver { get; set; }

    internal Connection Sender => sender;

    internal bool IsReaderPaused { get; set; }

    internal int Received { get; private set; }

    internal int Sent => _sent.Count;

    internal int Refusals { get; private set; }

    /// <summary>All was sent, what must arrive has arrived, and what must be told was told.</summary>
    internal bool IsFinished => (_isStopped || _sent.Count >= plan.Packets) && _open == 0;

    internal string Standing => $"{name}: {_sent.Count} sent, {Received} received, {_open} open";

    internal void Stop() => _isStopped = true;

    internal int Outcomes(PacketOutcome outcome) => _sent.Count(packet => packet.Outcome == outcome);

    internal void Advance()
    {
        if (sender.Status.IsOpen && !_isStopped && _sent.Count < plan.Packets && draws.NextChance(plan.BurstPpm))
        {
            for (long i = draws.NextBetween(0, plan.MostBurst); i > 0 && TrySend(); i--)
            {
            }
        }

        if (_cancellable.Count > 0 && draws.NextChance(Million / 2))
        {
            Cancel();
        }

        TakeUpdates();

        if (!IsReaderPaused)
        {
            Read();
        }
    }

    internal void AssertAlive()
    {
        Oracles.AssertAlive(sender, $"{name}, sender");

        if (Receiver is not null)
        {
            Oracles.AssertAlive(Receiver, $"{name}, receiver");
        }
    }

    /// <summary>Once finished: the sums of each mode.</summary>
    internal void AssertKept()
    {
        SentPacket[] notify = [.. _sent.Where(packet => packet.Options.Delivery == PacketDelivery.Notify)];
        int arrived = notify.Count(packet => packet.HasArrived);
        int told = notify.Count(packet => packet.Outcome == PacketOutcome.Received);
        long unread = Receiver!.ReadCounters().UserPacketsUnread;

        Assert.That(notify.Count(packet => packet.Outcome is null), Is.Zero, $"{name}: each notify packet has its fate.");
        Assert.That(
            notify.Count(packet => packet.Outcome == PacketOutcome.Received && !packet.HasArrived),
            Is.LessThanOrEqualTo(unread), $"{name}: {told} told of, {arrived} arrived, {unread} not read.");
        Assert.That(
            _sent.Count(packet => packet.IsPromised && !packet.HasArrived), Is.Zero,
            $"{name}: reliable packets without time-out or cancel arrive.");
        Assert.That(
            _sent.Count(packet => packet.Options.Delivery == PacketDelivery.Reliable
                && packet.Outcome == PacketOutcome.Received && !packet.HasArrived),
            Is.Zero, $"{name}: what is told as received was received.");
    }

    /// <summary>After the end of the connection: nothing is left untold.</summary>
    internal void AssertEnded()
    {
        TakeUpdates();

        foreach (SentPacket packet in _sent)
        {
            bool maySayNothing = packet.Options is { Delivery: PacketDelivery.Reliable, NotifyReceived: false };

            if (packet.Ticket.Value != 0 && packet.Outcome is null && !(maySayNothing && packet.HasArrived))
            {
                Assert.Fail($"{name}: a packet sent with {packet.Options} has no outcome.");
            }
        }
    }

    private PacketOptions DrawnOptions()
    {
        PacketOptions reliable = new()
        {
            Delivery = PacketDelivery.Reliable,
            NotifyReceived = draws.NextChance(Million / 2),
        };

        return draws.NextBelow(6) switch
        {
            0 => default,
            1 => new PacketOptions { Delivery = PacketDelivery.Notify },
            2 => reliable with { Timeout = new TimeSpan(1 + draws.NextBelow(plan.MostTimeout.Ticks)) },
            _ => reliable,
        };
    }

    private bool TrySend()
    {
        int number = _sent.Count;
        int most = Math.Min(plan.MostBytes, sender.MaxPacketBytes);
        int length = (int)draws.NextBelow(Math.Min(most, 2 << (int)draws.NextBelow(16)) + 1);
        PacketOptions options = DrawnOptions();
        bool isClaimed = draws.NextChance(Million / 4);

        // A packet too short to carry its number could not be told from others.
        length = Math.Max(length, NumberBytes);
        SendStatus status = isClaimed ? SendClaimed(number, length, options, out PacketTicket ticket)
            : sender.TrySend(Content(number, length), options, out ticket);

        if (status != SendStatus.Accepted)
        {
            Refusals++;
            Assert.That(status, Is.AnyOf(SendStatus.PeerFull, SendStatus.UpdatesFull, SendStatus.DaemonFull));
            return false;
        }

        SentPacket sent = new(length, options, ticket);
        _sent.Add(sent);
        _open += sent.IsWaitedFor ? 1 : 0;

        if (ticket.Value != 0)
        {
            Assert.That(_byTicket.TryAdd(ticket, number), Is.True, $"{name}: a ticket was given twice.");

            if (draws.NextChance(Million / 16))
            {
                _cancellable.Add(number);
            }
        }

        return true;
    }

    private SendStatus SendClaimed(int number, int length, in PacketOptions options, out PacketTicket ticket)
    {
        ticket = default;
        SendStatus status = sender.TryClaim(length, options, out PacketClaim claim);

        if (status != SendStatus.Accepted)
        {
            return status;
        }

        if (draws.NextChance(Million / 4))
        {
            claim.Abandon();
            status = sender.TryClaim(length, options, out claim);
        }

        Content(number, length).CopyTo(claim.Span);
        return claim.Commit(out ticket);
    }

    private Span<byte> Content(int number, int length)
    {
        Span<byte> packet = _expected.AsSpan(0, length);
        new Prng((ulong)number).FillInto(packet);
        BinaryPrimitives.WriteInt32BigEndian(packet, number);
        return packet;
    }

    private void Cancel()
    {
        int index = (int)draws.NextBelow(_cancellable.Count);
        SentPacket packet = _sent[_cancellable[index]];
        _cancellable.RemoveAt(index);
        packet.IsCancelled = sender.TryCancel(packet.Ticket);

        if (packet.IsCancelled && sender.TryCancel(packet.Ticket))
        {
            Assert.Fail($"{name}: one packet was cancelled twice.");
        }
    }

    private void TakeUpdates()
    {
        int taken;

        do
        {
            taken = sender.TakeUpdates(_updates);

            foreach (PacketUpdate update in _updates.AsSpan(0, taken))
            {
                SentPacket packet = _sent[_byTicket[update.Ticket]];

                if (packet.Outcome is not null || !Fits(packet, update.Outcome))
                {
                    Assert.Fail($"{name}: {packet.Options} was told {packet.Outcome} and now {update.Outcome}.");
                }

                bool wasWaitedFor = packet.IsWaitedFor;
                packet.Outcome = update.Outcome;
                _open -= wasWaitedFor && !packet.IsWaitedFor ? 1 : 0;
            }
        }
        while (taken == _updates.Length);
    }

    private bool Fits(SentPacket packet, PacketOutcome outcome) => outcome switch
    {
        PacketOutcome.Received => packet.Options.Delivery == PacketDelivery.Notify || packet.Options.NotifyReceived,
        PacketOutcome.Lost => packet.Options.Delivery == PacketDelivery.Notify,
        PacketOutcome.TimedOut => packet.Options.Timeout > TimeSpan.Zero,
        PacketOutcome.Cancelled => packet.IsCancelled,
        _ => sender.Status.IsFinal,
    };

    private void Read()
    {
        while (Receiver is not null && Receiver.TryReceive(_buffer, out int length) == ReceiveStatus.Received)
        {
            int number = length < NumberBytes ? -1 : BinaryPrimitives.ReadInt32BigEndian(_buffer);

            if (number < 0 || number >= _sent.Count || length != _sent[number].Length
                || !_buffer.AsSpan(0, length).SequenceEqual(Content(number, length)))
            {
                Assert.Fail($"{name}: a packet of {length} bytes that was never sent.");
            }

            SentPacket packet = _sent[number];

            if (packet.HasArrived)
            {
                Assert.Fail($"{name}: packet {number} arrived twice.");
            }

            bool wasWaitedFor = packet.IsWaitedFor;
            packet.HasArrived = true;
            _open -= wasWaitedFor && !packet.IsWaitedFor ? 1 : 0;
            Received++;
        }
    }

    private sealed class SentPacket(int length, PacketOptions options, PacketTicket ticket)
    {
        internal int Length { get; } = length;

        internal PacketOptions Options { get; } = options;

        internal PacketTicket Ticket { get; } = ticket;

        internal bool HasArrived { get; set; }

        internal bool IsCancelled { get; set; }

        internal PacketOutcome? Outcome { get; set; }

        /// <summary>It must arrive.</summary>
        internal bool IsPromised
            => Options.Delivery == PacketDelivery.Reliable && Options.Timeout == TimeSpan.Zero && !IsCancelled;

        /// <summary>Something has still to happen.</summary>
        internal bool IsWaitedFor => Options.Delivery switch
        {
            PacketDelivery.Unreliable => false,
            PacketDelivery.Notify => Outcome is null,
            _ when Outcome is PacketOutcome.TimedOut or PacketOutcome.Cancelled => false,
            _ => !HasArrived || (Options.NotifyReceived && Outcome is null),
        };
    }
}
