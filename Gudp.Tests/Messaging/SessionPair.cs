using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Memory;
using Gudp.Messaging.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>What the path between two sessions does, in parts per million and steps.</summary>
internal sealed record PathModel
{
    internal int LossPpm { get; init; }

    internal int DuplicatePpm { get; init; }

    /// <summary>Of acknowledgements alone: content arrives, the sender thinks it lost.</summary>
    internal int AckLossPpm { get; init; }

    internal int MostDelaySteps { get; init; } = 1;

    internal int PacketsPerStep { get; init; } = 32;

    internal int FrameBytes { get; init; } = 1100;

    /// <summary>After so many steps a packet is overdue, after twice as many it is lost.</summary>
    internal int PatienceSteps { get; init; } = 8;
}

/// <summary>
/// Two message sessions and between them what Core does: packets with numbers, a path that loses, delays and repeats
/// them, and for each packet exactly one fate. One seed decides everything.
/// </summary>
internal sealed class SessionPair : IDisposable
{
    private readonly Prng _draws;
    private readonly byte[] _buffer;

    internal SessionPair(
        ulong seed = 1,
        PathModel? path = null,
        MessagingConfig config = default,
        IMessageSink? clientSink = null,
        IMessageSink? serverSink = null)
    {
        Path = path ?? new PathModel();
        _draws = new Prng(seed);
        _buffer = new byte[Path.FrameBytes];
        Client = new SessionEnd(Path.FrameBytes, config, clientSink);
        Server = new SessionEnd(Path.FrameBytes, config, serverSink);
    }

    internal SessionEnd Client { get; }

    internal SessionEnd Server { get; }

    /// <summary>May change at any time; packets as long as at first stay the longest.</summary>
    internal PathModel Path { get; set; }

    internal long Steps { get; private set; }

    internal Instant Now => new(Steps * TimeSpan.TicksPerMillisecond);

    internal static SessionPair Opened(
        ulong seed = 1,
        PathModel? path = null,
        MessagingConfig config = default,
        IMessageSink? clientSink = null,
        IMessageSink? serverSink = null)
    {
        SessionPair pair = new(seed, path, config, clientSink, serverSink);
        pair.Open(config);
        return pair;
    }

    internal void Open(MessagingConfig config)
    {
        Client.Session.HandleOpened(MessageSession.ParametersOf(config), Now);
        Server.Session.HandleOpened(MessageSession.ParametersOf(config), Now);
        Client.Session.HandleTurnEnd(Now);
        Server.Session.HandleTurnEnd(Now);
    }

    /// <summary>One turn of both ends.</summary>
    internal void Step()
    {
        StepUnaudited();
        MemoryAudit.Check(Client.Session);
        MemoryAudit.Check(Server.Session);
    }

    /// <summary>The same while other threads, or a reader, are inside.</summary>
    internal void StepUnaudited()
    {
        Steps++;
        Turn(Client, Server);
        Turn(Server, Client);
    }

    internal void Run(int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            Step();
        }
    }

    /// <summary>Steps until the condition holds.</summary>
    internal bool RunUntil(Func<bool> holds, int mostSteps = 20_000)
    {
        for (int i = 0; i < mostSteps; i++)
        {
            if (holds())
            {
                return true;
            }

            Step();
        }

        return holds();
    }

    internal bool RunUntilQuiet(int mostSteps = 20_000)
        => RunUntil(() => Client.IsQuiet && Server.IsQuiet, mostSteps);

    internal void End()
    {
        Client.End(Now);
        Server.End(Now);
    }

    /// <summary>Ends both and proves that every block of memory came back.</summary>
    public void Dispose()
    {
        Client.Session.Peer.Dispose();
        Server.Session.Peer.Dispose();

        if (!Client.Session.HasEnded)
        {
            End();
        }

        Assert.That(Client.Memory.Blocks, Is.Zero, "The client's sessions must return what they rented.");
        Assert.That(Server.Memory.Blocks, Is.Zero, "The server's sessions must return what they rented.");
        Assert.That(Client.Memory.UsedBytes + Server.Memory.UsedBytes, Is.Zero);
    }

    private void Turn(SessionEnd end, SessionEnd other)
    {
        end.Receive(Steps, Now, other, acked => !_draws.NextChance(Path.AckLossPpm), Delay);
        end.FireDeadlines(Steps, Now, Path.PatienceSteps);

        if (end.Session.NextDeadline <= Now)
        {
            end.Session.HandleTimeout(Now);
        }

        int empty = 0;

        for (int i = 0; i < Path.PacketsPerStep + empty && end.Session.HasDataToSend; i++)
        {
            PacketNumber number = end.NextNumber();
            int bytes = end.Session.WriteFrames(number, _buffer.AsSpan(0, end.MaxFrameBytes), Now);

            if (bytes == 0 && !end.Session.HasDataToSend)
            {
                // What waited to go out again had arrived meanwhile; only looking at it could tell.
                break;
            }

            // What was there a moment ago may have been cancelled, and something else sent, by another thread.
            if (bytes == 0 && ++empty < 16)
            {
                continue;
            }

            if (bytes == 0)
            {
                Assert.Fail("A session that has something to send writes something into a whole packet.");
            }

            end.AddInFlight(number, Steps);
            end.NoteBlocked(_buffer.AsSpan(0, bytes));

            if (!_draws.NextChance(Path.LossPpm))
            {
                other.Arriving.Enqueue(new Datagram(number, _buffer[..bytes]), Steps + Delay());
            }

            if (_draws.NextChance(Path.DuplicatePpm))
            {
                other.Arriving.Enqueue(new Datagram(number, _buffer[..bytes]), Steps + Delay());
            }
        }

        end.Session.HandleTurnEnd(Now);
    }

    private long Delay() => 1 + (Path.MostDelaySteps > 1 ? _draws.NextBelow(Path.MostDelaySteps) : 0);
}

internal sealed record Datagram(PacketNumber Number, byte[] Frames);

/// <summary>One session and what its connection would keep for it.</summary>
internal sealed class SessionEnd : ISessionHost
{
    private readonly SortedDictionary<long, (long SentAt, bool Overdue)> _inFlight = [];
    private readonly HashSet<long> _held = [];
    private readonly PriorityQueue<PacketNumber, long> _acks = new();
    private long _nextNumber;

    internal SessionEnd(int frameBytes, MessagingConfig config, IMessageSink? sink)
    {
        MaxFrameBytes = frameBytes;
        Memory = new MessageMemory(
            config.EndpointMemoryBytes,
            toReceiveBytes: config.ToReceiveBytes,
            toBeginBytes: config.EndpointMemoryBytes / 4);
        Session = new MessageSession(this, config, Memory, sink);
    }

    internal MessageSession Session { get; }

    internal Peer Peer => Session.Peer;

    internal MessageMemory Memory { get; }

    internal PriorityQueue<Datagram, long> Arriving { get; } = new();

    internal int Wakes { get; private set; }

    internal long Retransmits { get; private set; }

    internal long Refusals { get; private set; }

    internal CloseReason? CloseReason { get; private set; }

    /// <summary>Packets whose verdict was neither Held nor Refused.</summary>
    internal List<PayloadVerdict> Violations { get; } = [];

    /// <summary>Each LaneBlocked this end wrote: lane and limit.</summary>
    internal List<(int Lane, long Limit)> BlockedFrames { get; } = [];

    /// <summary>Each LaneSettled this end wrote: lane and id.</summary>
    internal List<(int Lane, long Id)> SettledFrames { get; } = [];

    /// <summary>While set, this end's session is not asked; packets count as refused.</summary>
    internal bool RefusesAll { get; set; }

    public int MaxFrameBytes { get; set; }

    public int WindowRoomBytes { get; set; } = int.MaxValue;

    public TimeSpan SmoothedRtt { get; set; }

    internal bool IsQuiet => !Session.HasDataToSend && _inFlight.Count == 0 && Arriving.Count == 0;

    public void Wake() => Wakes++;

    public bool IsFinal => CloseReason is not null;

    public Connection Connection => throw new NotSupportedException("A session pair has no connection.");

    public void Close(CloseReason reason) => CloseReason ??= reason;

    public void AcceptForSink()
    {
    }

    public void CountRetransmit(int pieces) => Retransmits += pieces;

    public override string ToString()
        => $"sends {Session.HasDataToSend}, {_inFlight.Count} in flight, {Arriving.Count} arriving, {Refusals} refused, "
            + $"memory {Memory.UsedBytes}";

    internal PacketNumber NextNumber() => new(_nextNumber++);

    internal void AddInFlight(PacketNumber number, long step) => _inFlight.Add(number.Value, (step, false));

    internal void NoteBlocked(ReadOnlySpan<byte> frames)
    {
        LaneFrameReader reader = new(frames);

        while (reader.TryNext(out LaneFrame frame))
        {
            if (frame.Type == FrameType.LaneBlocked)
            {
                BlockedFrames.Add((frame.Lane, frame.Offset));
            }
            else if (frame.Type == FrameType.LaneSettled)
            {
                SettledFrames.Add((frame.Lane, frame.Offset));
            }
        }
    }

    internal void End(Instant now)
    {
        ConnectionStatus status = default;
        Session.HandleStatus(status, new CloseReason(CloseCode.None, ""), now);
    }

    internal void Receive(long step, Instant now, SessionEnd sender, Func<bool, bool> isAckKept, Func<long> delay)
    {
        while (_acks.TryPeek(out _, out long due) && due <= step)
        {
            PacketNumber acked = _acks.Dequeue();

            if (_inFlight.Remove(acked.Value))
            {
                Session.HandleAcked(acked, now);
                Session.HandleAckEnd(now);
            }
        }

        while (Arriving.TryPeek(out _, out long due) && due <= step)
        {
            Datagram datagram = Arriving.Dequeue();

            if (_held.Contains(datagram.Number.Value))
            {
                continue;
            }

            PayloadVerdict verdict = RefusesAll
                ? PayloadVerdict.Refused
                : Session.HandleFrames(datagram.Number, datagram.Frames, now);

            if (verdict == PayloadVerdict.Held)
            {
                _held.Add(datagram.Number.Value);

                if (isAckKept(true))
                {
                    sender._acks.Enqueue(datagram.Number, step + delay());
                }
            }
            else if (verdict == PayloadVerdict.Refused)
            {
                Refusals++;
            }
            else
            {
                Violations.Add(verdict);
            }
        }
    }

    internal void FireDeadlines(long step, Instant now, int patience)
    {
        foreach ((long number, (long sentAt, bool overdue)) in _inFlight.ToArray())
        {
            if (step - sentAt >= 2 * patience)
            {
                _inFlight.Remove(number);
                Session.HandleLost(new PacketNumber(number), now);
            }
            else if (step - sentAt >= patience && !overdue)
            {
                _inFlight[number] = (sentAt, true);
                Session.HandleOverdue(new PacketNumber(number), now);
            }
        }
    }
}
