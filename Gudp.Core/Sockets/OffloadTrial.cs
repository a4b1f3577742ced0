using System;
using System.Diagnostics;
using System.Net.Sockets;
using System.Threading;

namespace Gudp.Core.Sockets;

/// <summary>What a system does with runs of datagrams.</summary>
/// <param name="HasCalls">Its own calls are used; else those of the framework.</param>
/// <param name="Sends">It takes several datagrams in one call (UDP_SEGMENT).</param>
/// <param name="Receives">It gives several datagrams in one call (UDP_GRO).</param>
/// <param name="Finding">The same in a sentence, with the reason if something is missing.</param>
public readonly record struct SystemOffload(bool HasCalls, bool Sends, bool Receives, string Finding);

/// <summary>Which way runs of datagrams go to and come from the system in one call.</summary>
/// <param name="Send">UDP_SEGMENT.</param>
/// <param name="Receive">UDP_GRO.</param>
internal readonly record struct OffloadChoice(bool Send, bool Receive);

/// <summary>
/// What this system's own calls turned out to do: a run of datagrams of which the last is shorter is sent over the
/// loopback and has to arrive byte for byte, in one piece or cut where it should be.
/// </summary>
/// <param name="HasCalls">The calls exist and work; else the framework's are used.</param>
/// <param name="Works">What the run showed.</param>
/// <param name="Finding">In words, for people.</param>
internal sealed record OffloadTrial(bool HasCalls, OffloadChoice Works, string Finding)
{
    private const int DatagramBytes = 600;
    private const int RunBytes = (3 * DatagramBytes) + 77;

    // Delivery over the loopback takes microseconds; a busy machine may put it off. Paid once, where it fails.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private static readonly Lazy<OffloadTrial> Done = new(Run, LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>Its wait works, which needs no network: one whose loopback is down has sockets all the same.</summary>
    internal bool HasWait { get; init; }

    /// <summary>Made when first asked for; later changes show at each socket by themselves.</summary>
    internal static OffloadTrial OfThisSystem => Done.Value;

    /// <param name="open">Opens a socket of the system's calls there.</param>
    internal static OffloadTrial Run(Func<PeerAddress, IWatchedSocket> open)
    {
        try
        {
            return CanWait()
                ? OverLoopback(open) with { HasWait = true }
                : new OffloadTrial(false, default, "The system's wait does not do what it says.");
        }
        catch (SocketException refusal)
        {
            return new OffloadTrial(false, default, $"The system's wait is refused: {refusal.Message}");
        }
        catch (Exception missing) when (missing is DllNotFoundException or EntryPointNotFoundException)
        {
            return new OffloadTrial(false, default, $"The system's calls were not found: {missing.Message}");
        }
    }

    private static OffloadTrial Run() => OperatingSystem.IsLinux()
        ? Run(Open)
        : new OffloadTrial(false, default, "Not Linux: one datagram a call, through the framework.");

    private static OffloadTrial OverLoopback(Func<PeerAddress, IWatchedSocket> open)
    {
        string reason = "";

        // A machine may have either.
        foreach (PeerAddress local in (ReadOnlySpan<PeerAddress>)[PeerAddress.LoopbackIPv4(0), PeerAddress.LoopbackIPv6(0)])
        {
            try
            {
                using IWatchedSocket sender = open(local);
                using IWatchedSocket receiver = open(local);
                return Judge(sender, receiver);
            }
            catch (SocketException refusal)
            {
                reason = refusal.Message;
            }
        }

        return new OffloadTrial(false, default, $"No trial over the loopback: {reason}");
    }

    // A call that a sandbox refuses looks like one that was ended by a signal: the loop would never sleep.
    private static bool CanWait()
    {
        using PollWaiter waiter = new();
        bool isCalm = !waiter.Wait([], TimeSpan.Zero);
        waiter.Ring();
        bool isRung = waiter.Wait([], Patience);
        return isCalm && isRung && !waiter.Wait([], TimeSpan.Zero);
    }

    private static LinuxUdpSocket Open(PeerAddress local)
        => new(new BoundSocket(local, default), new OffloadChoice(Send: true, Receive: true), static _ => { });

    /// <summary>What a run from one to the other says.</summary>
    internal static OffloadTrial Judge(IWatchedSocket sender, IWatchedSocket receiver)
    {
        byte[] run = new byte[RunBytes];

        for (int i = 0; i < run.Length; i++)
        {
            run[i] = (byte)(i * 7);
        }

        SocketOutcome outcome = sender.TrySend(run, DatagramBytes, receiver.LocalAddress);

        if (outcome != SocketOutcome.Done)
        {
            return new OffloadTrial(false, default, $"Nothing could be sent over the loopback: {outcome}.");
        }

        bool isCut = sender.OffloadRefusals == 0;

        if (!TryCollect(receiver, sender.LocalAddress, run, out bool isJoined))
        {
            return new OffloadTrial(false, default, "What was sent over the loopback did not arrive as it was.");
        }

        // Without a run on its way there is nothing to join: then receiving is tried by the traffic itself.
        bool joins = isCut ? isJoined : receiver.Capabilities.JoinsReceived;
        return new OffloadTrial(true, new OffloadChoice(isCut, joins), (isCut, joins) switch
        {
            (true, true) => "Runs of datagrams are sent and received in one call.",
            (true, false) => "Runs are sent in one call; they arrive one by one.",
            (false, true) => "The system refuses to send runs; it may join what arrives.",
            _ => "One datagram a call, both ways.",
        });
    }

    private static bool TryCollect(IWatchedSocket receiver, PeerAddress sender, byte[] run, out bool isJoined)
    {
        byte[] buffer = new byte[RunSender.MostBytes];
        long start = Stopwatch.GetTimestamp();
        int position = 0;
        isJoined = false;

        while (position < run.Length && Stopwatch.GetElapsedTime(start) < Patience)
        {
            SocketOutcome outcome = receiver.TryReceive(
                buffer, out int length, out int datagramBytes, out PeerAddress from);

            if (outcome == SocketOutcome.WouldBlock)
            {
                receiver.Socket.Poll(Patience, SelectMode.SelectRead);
                continue;
            }

            // What was meant for the one who had this port before.
            if (outcome == SocketOutcome.Done && from != sender)
            {
                continue;
            }

            int expected = Math.Min(DatagramBytes, run.Length - position);

            if (outcome != SocketOutcome.Done || datagramBytes != expected || length > run.Length - position
                || !buffer.AsSpan(0, length).SequenceEqual(run.AsSpan(position, length)))
            {
                return false;
            }

            isJoined |= length > datagramBytes;
            position += length;
        }

        return position == run.Length;
    }
}
