using Gudp.Messaging;
using NUnit.Framework;

namespace Gudp.Tests.World;

// The reading end. What it is handed is held against what was sent: I1 to I5.
internal sealed partial class MixedTraffic
{
    private const int MostAtOnce = 20;

    /// <summary>One moment of the receiving application.</summary>
    internal void Read()
    {
        if (Receiver is null || IsReaderPaused || IsPausedByPlan() || !(IsHealed || _draws.NextChance(_plan.ReadPpm)))
        {
            return;
        }

        if (_plan.Manner == ReadManner.Poll)
        {
            Poll();
            return;
        }

        for (int i = 0; i < MostAtOnce && Receiver.TryReceive(out ReceivedMessage message); i++)
        {
            _held.Add((message, NoteArrived(message.Lane, message.Span)));
        }

        int most = _plan.Manner == ReadManner.Hold ? MostHeld : 0;

        while (_held.Count > most || (_held.Count > 0 && (IsHealed || _draws.NextChance(100_000))))
        {
            Settle((int)_draws.NextBelow(_held.Count));
        }
    }

    /// <summary>Reads whatever there is, in the manner of the plan.</summary>
    internal void ReadAll()
    {
        IsReaderPaused = false;
        IsHealed = true;

        for (int before = -1; before != Arrived;)
        {
            before = Arrived;
            Read();
        }
    }

    /// <summary>The reader gives back what it still holds.</summary>
    internal void Forget()
    {
        _held.ForEach(held => held.Message.Dispose());
        _held.Clear();
    }

    public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
    {
        if (!IsHealed && _draws.NextChance(_plan.ThrowPpm))
        {
            throw new NotTakenException();
        }

        NoteArrived(lane, message).IsTaken = true;
    }

    private bool IsPausedByPlan()
    {
        if (IsHealed)
        {
            return false;
        }

        if (_pausedMoments > 0)
        {
            _pausedMoments--;
            return true;
        }

        if (_draws.NextChance(_plan.PausePpm))
        {
            _pausedMoments = (int)_draws.NextBelow(_plan.MostPausedMoments);
        }

        return false;
    }

    private void Poll()
    {
        MixedTraffic self = this;

        try
        {
            Receiver!.Poll(ref self, budget: (int)_draws.NextBetween(1, MostAtOnce));
        }
        catch (NotTakenException)
        {
            // The message stays, and is handed out again after a while: time to be told of it too soon.
            _pausedMoments = (int)_draws.NextBelow(_plan.MostPausedMoments);
        }
    }

    private void Settle(int index)
    {
        (ReceivedMessage message, LaneMessage sent) = _held[index];
        _held.RemoveAt(index);

        // Said before it is done: whoever is told must find it true.
        if (_plan.Manner == ReadManner.Hold && _draws.NextChance(_plan.RefusePpm))
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

    private LaneMessage NoteArrived(int number, ReadOnlySpan<byte> message)
    {
        if ((uint)number >= (uint)_lanes.Length)
        {
            Assert.Fail($"{_name}: a message came on lane {number}, on which nothing was sent.");
        }

        LaneRecord lane = _lanes[number];
        LaneMessage sent = Identify(lane, message);

        if (!LaneContent.Is(number, sent.Index, sent.Length, message))
        {
            Assert.Fail($"{_name}: I5, what came as {sent} has {message.Length} bytes or other content.");
        }

        Require(!sent.HasArrived, "I2/I3, it came twice", sent);
        bool wasUnsent = sent.Receipt.Transfer == TransferState.Cancelled && !sent.WasCancelled;
        Require(!wasUnsent, "it came, though the connection ended before all of it was transmitted", sent);

        if (sent.Mode is LaneMode.OrderedReliable or LaneMode.SequencedReliable or LaneMode.SequencedUnreliable)
        {
            Require(sent.Index > lane.LastArrived, $"I1/I4, it came after message {lane.LastArrived}", sent);
        }

        for (int i = lane.LastArrived + 1; i < sent.Index && sent.Mode == LaneMode.OrderedReliable; i++)
        {
            Require(lane.Sent[i].MayBeGivenUp, $"I1, message {sent.Index} came before it", lane.Sent[i]);
        }

        lane.LastArrived = sent.Index;
        sent.HasArrived = true;
        Arrived++;
        return sent;
    }

    private LaneMessage Identify(LaneRecord lane, ReadOnlySpan<byte> message)
    {
        LaneMessage? sent;

        if (message.Length >= LaneContent.NumberBytes)
        {
            int number = LaneContent.NumberOf(message);
            sent = number < lane.Sent.Count ? lane.Sent[number] : null;
        }
        else if (lane.Mode == LaneMode.OrderedReliable)
        {
            sent = NextThatMustCome(lane);
        }
        else
        {
            sent = lane.Tiny;
        }

        if (sent is null)
        {
            Assert.Fail($"{_name}: I5, {message.Length} bytes came on {lane} that were never sent.");
        }

        return sent!;
    }

    // Those before it may have been given up.
    private static LaneMessage? NextThatMustCome(LaneRecord lane)
    {
        for (int i = lane.LastArrived + 1; i < lane.Sent.Count; i++)
        {
            if (!lane.Sent[i].MayBeGivenUp)
            {
                return lane.Sent[i];
            }
        }

        return null;
    }

    /// <summary>A handler that will not take a message now.</summary>
    private sealed class NotTakenException : Exception;
}
