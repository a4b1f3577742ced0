using Gudp.Bench.Transport;
using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Bench.Load.Transports;

/// <summary>
/// Gudp as a user holds it: the caller drives the daemon and takes messages in place, or the daemon has a thread and the
/// caller sleeps in its calls.
/// </summary>
/// <remarks>An endpoint has one connection to each peer, so every link that is opened here has an endpoint.</remarks>
internal sealed class GudpTransport : ILoadTransport
{
    private const int Batch = 512;

    // A look ends by itself when nothing is left: about what one look at the socket brings.
    private const int MostPolled = 8_192;

    private static readonly TimeSpan OpenPatience = TimeSpan.FromSeconds(20);

    private readonly MessagingConfig _config;
    private readonly SendOptions _options;
    private readonly bool _hasThread;
    private readonly Daemon _daemon;
    private readonly MessageEndpoint _listening;
    private readonly List<MessageEndpoint> _dialing = [];
    private readonly List<Peer> _links = [];
    private readonly ReceiptUpdate[] _updates = new ReceiptUpdate[Batch];
    private readonly bool _asks;
    private ReceivedMessage _waited;
    private Peer? _waitedFrom;
    private Peer? _lastFrom;
    private int _lastLink;
    private int _refused;

    internal GudpTransport(LoadCell cell)
    {
        _config = ConfigOf(cell);
        _hasThread = cell.Waiting == LoadWaiting.Block;
        _asks = cell.Gudp.NotifyReceived || cell.Gudp.NotifyTaken;
        _options = new SendOptions
        {
            NotifyReceived = cell.Gudp.NotifyReceived,
            NotifyTaken = cell.Gudp.NotifyTaken,
        };
        _daemon = new Daemon(_config.Core);

        if (_hasThread)
        {
            _daemon.Start();
        }

        _listening = new MessageEndpoint(_daemon, PeerAddress.LoopbackIPv4(0), _config);
        _listening.Listen();
    }

    public int Port => _listening.LocalAddress.Port;

    public int Connect(int port, int sender)
    {
        MessageEndpoint endpoint = new(_daemon, PeerAddress.LoopbackIPv4(0), _config);
        _dialing.Add(endpoint);
        return Add(endpoint.Connect(PeerAddress.LoopbackIPv4(port)));
    }

    public bool AreOpen()
    {
        if (!_hasThread)
        {
            _daemon.ProcessIO();
            return _links.TrueForAll(link => link.Status.IsOpen);
        }

        return _links.TrueForAll(link => link.WaitUntilOpen(OpenPatience));
    }

    public bool TrySend(int link, ReadOnlySpan<byte> message)
    {
        if (_links[link].TrySend(message, _options) == SendStatus.Accepted)
        {
            return true;
        }

        _refused = link;
        return false;
    }

    public bool TrySendAll<TOutbox>(int link, ref TOutbox outbox)
        where TOutbox : struct, ILoadOutbox
    {
        using SendBatch batch = _links[link].BeginBatch(_options);

        while (outbox.TryNext(out ReadOnlySpan<byte> message))
        {
            if (batch.TrySend(message) != SendStatus.Accepted)
            {
                _refused = link;
                return false;
            }

            outbox.OnSent();
        }

        return true;
    }

    public void Flush()
    {
        // What was sent leaves with the next turn, which is the next look's or the daemon's.
    }

    public int Poll(ILoadInbox inbox)
    {
        int count = TakeWaited(inbox);

        if (!_hasThread)
        {
            _daemon.ProcessIO();
        }

        Handler handler = new(this, inbox);
        count += _listening.Poll(ref handler, MostPolled);

        foreach (MessageEndpoint endpoint in _dialing)
        {
            count += endpoint.Poll(ref handler, MostPolled);
        }

        TakeUpdates();
        return count;
    }

    public void Wait(TimeSpan atMost, bool isRefused)
    {
        if (!_hasThread)
        {
            // Whoever drives the daemon cannot sleep in it.
            Thread.Yield();
        }
        else if (isRefused)
        {
            _links[_refused].WaitToSend(atMost);
        }
        else if (_waitedFrom is null)
        {
            MessageEndpoint endpoint = _dialing.Count == 1 ? _dialing[0] : _listening;
            endpoint.Receive(atMost, out _waitedFrom, out _waited);
        }
    }

    public LoadTraffic ReadTraffic()
    {
        LoadTraffic traffic = new(0, 0, 0, 0, -1);

        foreach (Peer link in _links)
        {
            ConnectionCounters counters = link.Connection.ReadCounters();
            traffic = traffic.With(new LoadTraffic(
                counters.DatagramsSent, counters.BytesSent, counters.PacketsLost, counters.Retransmits, -1));
        }

        return traffic;
    }

    public void Dispose()
    {
        _dialing.ForEach(endpoint => endpoint.Dispose());
        _listening.Dispose();
        _daemon.Shutdown(TimeSpan.Zero);
        _daemon.Dispose();
    }

    private static MessagingConfig ConfigOf(LoadCell cell)
    {
        GudpConfig core = Presets.Plain(default);
        MessagingConfig config = new()
        {
            Core = core with
            {
                MaxConnections = Math.Max(core.MaxConnections, 2 * cell.Peers),
                Sockets = new()
                {
                    SendOffload = cell.HasOffload,
                    ReceiveOffload = cell.HasOffload,
                    FrameworkOnly = cell.IsFrameworkOnly,
                },
            },
        };
        LaneOptions lane = config.LanePlan[SendOptions.DefaultLane] with { Mode = cell.Gudp.Mode };
        return config with { LanePlan = config.LanePlan.With(SendOptions.DefaultLane, lane) };
    }

    private int TakeWaited(ILoadInbox inbox)
    {
        if (_waitedFrom is null)
        {
            return 0;
        }

        inbox.Take(LinkOf(_waitedFrom), _waited.Span);
        _waited.Dispose();
        _waitedFrom = null;
        return 1;
    }

    private void TakeUpdates()
    {
        if (!_asks)
        {
            return;
        }

        foreach (Peer link in _links)
        {
            while (link.TakeUpdates(_updates) == Batch)
            {
                // They are counted by the library; here they only have to go.
            }
        }
    }

    private int LinkOf(Peer peer)
    {
        if (peer != _lastFrom)
        {
            _lastLink = peer.Tag is LinkNumber number ? number.Value : Add(peer);
            _lastFrom = peer;
        }

        return _lastLink;
    }

    private int Add(Peer peer)
    {
        peer.Tag = new LinkNumber(_links.Count);
        _links.Add(peer);
        return _links.Count - 1;
    }

    // A value and not the transport itself, so that the call is compiled for it.
    private readonly struct Handler(GudpTransport transport, ILoadInbox inbox) : IMessageHandler
    {
        public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
            => inbox.Take(transport.LinkOf(from), message);
    }

    private sealed record LinkNumber(int Value);
}
