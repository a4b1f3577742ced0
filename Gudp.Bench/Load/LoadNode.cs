using System.Diagnostics;
using Gudp.Tools.Demo;

namespace Gudp.Bench.Load;

// One thread does it all, the same way for every system: take what is there, send what may be sent, look at the clock.
//
// Always true: a window is measured whole, by this process's own clock, and begins a warm-up after its first message.

/// <summary>One process of a cell.</summary>
internal sealed class LoadNode : ILoadInbox
{
    /// <summary>The first argument of such a process.</summary>
    internal const string Name = "load-node";

    private const int BatchBytes = 64 * 1024;

    // Of the arrivals whose span is looked at when nothing is scheduled: a clock costs as much as a small message.
    private const int Sampled = 64;

    // A bare datagram may be lost, the one that says the end too.
    private const int EndRepeats = 20;

    // What is under way when the sender's window ends still counts at the receiver, whose window ends later.
    private static readonly TimeSpan Tail = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(20);

    // What is due so soon is waited for awake: the waits of some systems are whole milliseconds.
    private static readonly TimeSpan FinestWait = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromMilliseconds(500);

    private readonly NodePlan _plan;
    private readonly LoadCell _cell;
    private readonly ILoadTransport _transport;
    private readonly LoadWindow _window;
    private readonly LatencyHistogram _spans = new();
    private readonly Dictionary<int, Arrivals> _arrivals = [];
    private readonly List<LinkSender> _senders = [];
    private readonly byte[] _message;
    private readonly int _batch;
    private int _nextSender;
    private int _lastSender = -1;
    private Arrivals? _lastArrivals;
    private long _arrived;
    private long _sent;
    private long _damaged;
    private bool _isRefused;

    /// <param name="plan">What it does.</param>
    /// <param name="transport">Over this; whoever opened it disposes it.</param>
    internal LoadNode(NodePlan plan, ILoadTransport transport)
    {
        _plan = plan;
        _cell = plan.Cell;
        _transport = transport;
        _window = new LoadWindow(plan.Timing, transport.ReadTraffic);
        _message = new byte[_cell.Bytes];
        _batch = Math.Clamp(BatchBytes / _cell.Bytes, 1, _transport.MostBatch);
    }

    /// <summary>Runs a plan until the parent is gone.</summary>
    internal static int Run(string json)
    {
        NodePlan plan = NodePlan.Parse(json);

        if (plan.Processor >= 0 && (OperatingSystem.IsLinux() || OperatingSystem.IsWindows()))
        {
            Process.GetCurrentProcess().ProcessorAffinity = 1 << plan.Processor;
        }

        using CancellationTokenSource alone = new();
        ChildProcess.CancelWithParent(alone);
        using ILoadTransport transport = LoadSystems.Open(plan);
        LoadNode node = new(plan, transport);
        new NodeLine { Port = transport.Port }.Write(Console.Out);
        node.Connect(alone.Token);
        NodeResult result = node.Measure(alone.Token);
        new NodeLine { Result = result }.Write(Console.Out);

        // The other ends may still need an answer.
        while (!alone.IsCancellationRequested)
        {
            node.Step(Stopwatch.GetTimestamp());
            transport.Wait(LongestWait, isRefused: false);
        }

        return 0;
    }

    public void Take(int link, ReadOnlySpan<byte> message)
    {
        if (message.Length != _cell.Bytes || !LoadMessage.TryRead(message, out LoadMessage read))
        {
            _damaged++;
            return;
        }

        switch (read.Kind)
        {
            case LoadKind.Request:
                Answer(link, message, read);
                break;
            case LoadKind.Response:
                _senders[link].IsOpen = true;
                _arrived++;
                _spans.Record(read.DueAt, Stopwatch.GetTimestamp());
                break;
            case LoadKind.End:
                ArrivalsOf(link, read.Sender).End(read.Number);
                break;
            default:
                ArrivalsOf(link, read.Sender).Take(read.Number);
                _arrived++;
                Sample(read);
                break;
        }
    }

    private void Connect(CancellationToken alone)
    {
        for (int i = 0; i < _plan.Ports.Length * _plan.LinksEach; i++)
        {
            int link = _transport.Connect(_plan.Ports[i / _plan.LinksEach], _plan.FirstSender + i);

            if (_plan.Sends)
            {
                AddSender(link);
            }
        }

        while (!_transport.AreOpen() && !alone.IsCancellationRequested)
        {
            // Driven by the question.
        }
    }

    private NodeResult Measure(CancellationToken alone)
    {
        long now = Stopwatch.GetTimestamp();
        long begun = now;

        while (!alone.IsCancellationRequested && !IsDone(now, begun))
        {
            if (!Step(now))
            {
                Rest(now);
            }

            now = Stopwatch.GetTimestamp();

            if (_sent + _arrived > 0 && _window.Look(now, _sent, _arrived))
            {
                _spans.Clear();
            }
        }

        return Result(_window.HasEnded && AreAllHere);
    }

    private void Rest(long now)
    {
        bool isPaced = _cell.Rate > 0 && _senders.Count > 0 && !_window.IsOver(now, Tail);

        if (isPaced ? UntilDue(now) > FinestWait : _cell.Waiting == LoadWaiting.Block)
        {
            _transport.Wait(isPaced ? UntilDue(now) - FinestWait : LongestWait, _isRefused);
        }
        else if (_cell.Waiting == LoadWaiting.Block)
        {
            // A system with threads of its own needs the processor more.
            Thread.Yield();
        }
    }

    private bool AreAllHere => _arrivals.Values.Count(arrivals => arrivals.HasEnded) >= _plan.ExpectedEnds
        && _senders.TrueForAll(sender => sender.HasEnded);

    private bool IsDone(long now, long begun)
        => (_window.HasEnded && AreAllHere)
        || Stopwatch.GetElapsedTime(begun, now) > _plan.Timing.WarmUp + _plan.Timing.Span + _plan.Timing.Patience;

    // True: there was something to do.
    private bool Step(long now)
    {
        int taken = _transport.Poll(this);
        int sent = _senders.Count == 0 ? 0 : Send(now);

        if (sent > 0)
        {
            _transport.Flush();
        }

        return taken + sent > 0;
    }

    private int Send(long now)
    {
        bool isOver = _window.IsOver(now, Tail);
        int sent = 0;
        _isRefused = false;

        for (int i = 0; i < _senders.Count && !_isRefused && sent < _batch; i++)
        {
            LinkSender sender = _senders[_nextSender];
            _nextSender = _nextSender + 1 == _senders.Count ? 0 : _nextSender + 1;
            sent += isOver ? End(sender, now) : SendOn(sender, now);
        }

        return sent;
    }

    private int SendOn(LinkSender sender, long now)
    {
        // However many links there are, each sends in its turn what a single one would: as independent senders do.
        Outbox outbox = new(this, sender, now, _cell.Burst > 0 ? _cell.Burst : _batch);
        _isRefused = !_transport.TrySendAll(sender.Link, ref outbox);
        _sent += outbox.Sent;
        return outbox.Sent;
    }

    private int End(LinkSender sender, long now)
    {
        if (sender.HasEnded || !sender.MayEnd(now))
        {
            return 0;
        }

        new LoadMessage(LoadKind.End, sender.Number, sender.Sent, now).Write(_message);
        bool isSent = _cell.Work == LoadWork.RequestResponse || _transport.TrySend(sender.Link, _message);
        sender.OnEnd(now, isSent, _cell.EndsSurely ? 1 : EndRepeats);
        return isSent ? 1 : 0;
    }

    private void Answer(int link, ReadOnlySpan<byte> message, in LoadMessage request)
    {
        message.CopyTo(_message);
        (request with { Kind = LoadKind.Response }).Write(_message);
        _arrived++;

        if (!_transport.TrySend(link, _message))
        {
            // Nobody here asks so much at once that an answer has no room.
            _damaged++;
        }

        _transport.Flush();
    }

    private void Sample(in LoadMessage message)
    {
        if (_cell.Rate > 0 || _arrived % Sampled == 0)
        {
            _spans.Record(message.DueAt, Stopwatch.GetTimestamp());
        }
    }

    private Arrivals ArrivalsOf(int link, int sender)
    {
        if (sender == _lastSender)
        {
            return _lastArrivals!;
        }

        if (!_arrivals.TryGetValue(sender, out Arrivals? arrivals))
        {
            _arrivals[sender] = arrivals = new Arrivals(_cell);

            // What was opened here is sent over already.
            if (_plan.SendsBack && link >= _plan.Ports.Length * _plan.LinksEach)
            {
                AddSender(link);
            }
        }

        (_lastSender, _lastArrivals) = (sender, arrivals);
        return arrivals;
    }

    private void AddSender(int link)
        => _senders.Add(new LinkSender(link, _plan.FirstSender + _senders.Count, _cell.Rate, AnswerPatience));

    private TimeSpan UntilDue(long now)
    {
        TimeSpan least = LongestWait;

        foreach (LinkSender sender in _senders)
        {
            TimeSpan due = sender.UntilDue(now);
            least = due < least ? due : least;
        }

        return least;
    }

    internal NodeResult Result(bool isWhole)
    {
        string? fault = _arrivals.Values.Select(arrivals => arrivals.Fault).FirstOrDefault(fault => fault is not null);
        fault ??= _damaged > 0 ? "A message was damaged" : isWhole ? null : "It did not end in time";
        return _window.Result(new NodeResult
        {
            Errors = _damaged + _arrivals.Values.Sum(arrivals => arrivals.Errors) + (isWhole ? 0 : 1),
            Lost = _arrivals.Values.Sum(arrivals => arrivals.Lost),
            AllSent = _sent,
            Fault = fault,
            Spans = _spans.ToPairs(),
            MostSpan = _spans.MostMicroseconds,
        });
    }

    /// <summary>What a sender has to send now.</summary>
    private struct Outbox(LoadNode node, LinkSender sender, long now, int most) : ILoadOutbox
    {
        private readonly bool _asks = node._cell.Work == LoadWork.RequestResponse;

        internal int Sent { get; private set; }

        public readonly bool TryNext(out ReadOnlySpan<byte> message)
        {
            message = node._message;

            if (Sent == most || !sender.MaySend(now, _asks))
            {
                return false;
            }

            // A question without a rate is due when it leaves: not before the look that found the answer to the last one.
            long due = _asks && node._cell.Rate == 0 ? Stopwatch.GetTimestamp() : sender.DueAt(now);
            LoadKind kind = _asks ? LoadKind.Request : LoadKind.Data;
            new LoadMessage(kind, sender.Number, sender.Sent, due).Write(node._message);
            return true;
        }

        public void OnSent()
        {
            sender.OnSent(now);
            Sent++;
        }
    }
}
