using System;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core.Engine;
using Gudp.Core.Loop;

namespace Gudp.Core;

/// <summary>
/// One virtual connection over UDP: packets that keep their boundaries, a status any thread reads in one atomic
/// operation, counters. Any number of threads may use it at once.
/// </summary>
/// <remarks>
/// Packets sent here are unreliable: they arrive once or not at all, in any order. With
/// <see cref="ConnectionConfig.Payload"/> set, that layer has the connection for itself and
/// <see cref="TrySend"/> and the receiving methods refuse.
/// </remarks>
public sealed class Connection : IDisposable, ILoopConnection
{
    private readonly EventLoop _loop;
    private readonly PacketMailbox? _mailbox;
    private readonly PayloadHost _host;
    private readonly StatusWord _status = new();
    private RemotePlace _remote;
    private int _touched;

    internal Connection(EventLoop loop, PeerAddress local, PeerAddress remote, in ConnectionConfig config)
    {
        _loop = loop;
        LocalAddress = local;
        _remote = new RemotePlace(remote);
        Config = config;
        _host = new PayloadHost(this);

        if (config.Payload is { } factory)
        {
            Payload = factory.Create(_host);
        }
        else
        {
            _mailbox = new PacketMailbox(config.Queues, loop.Memory);
            Payload = _mailbox;
        }
    }

    /// <summary>The address and port packets leave from.</summary>
    public PeerAddress LocalAddress { get; }

    /// <summary>
    /// The peer's address and port; another one once the peer has proved to be there, if
    /// <see cref="PathConfig.AllowAddressChange"/> is on. Any thread.
    /// </summary>
    public PeerAddress RemoteAddress => Volatile.Read(ref _remote).Address;

    /// <summary>How the connection stands: one atomic read, never blocks. Any thread.</summary>
    public ConnectionStatus Status => _status.Read();

    /// <summary>
    /// How long a packet handed over now would wait before it leaves this host, as it looked at the end of the last
    /// turn: what is queued, by the rate that window and pacer allow. One atomic read. Any thread (S-8.7).
    /// </summary>
    /// <remarks>Zero before the handshake is done and after the end. Time on the network is not counted.</remarks>
    public TimeSpan PredictedQueueDelay => Counters.QueueDelay;

    /// <summary>Why it ended; null while it has not. Set before the status turns final. Any thread.</summary>
    public CloseReason? CloseReason => _status.Reason;

    /// <summary>The largest packet <see cref="TrySend"/> takes now, bytes. Grows or shrinks with the path.</summary>
    public int MaxPacketBytes => PacketBytesIn(_host.MaxFrameBytes);

    /// <summary>The layer on top: what <see cref="ConnectionConfig.Payload"/> made, or Core's own mailbox.</summary>
    public IPacketPayload Payload { get; }

    /// <summary>A copy of the counters. Any thread; the fields are not consistent among each other.</summary>
    public ConnectionCounters ReadCounters() => Counters.ReadSnapshot();

    /// <summary>
    /// Queues one unreliable packet. Never blocks, never throws for a full or closed connection. Any thread.
    /// </summary>
    /// <param name="packet">Copied before the method returns; 0 bytes up to <see cref="MaxPacketBytes"/>.</param>
    /// <returns>
    /// <see cref="SendStatus.Accepted"/>; <see cref="SendStatus.TooLarge"/>: beyond <see cref="MaxPacketBytes"/>;
    /// <see cref="SendStatus.PeerFull"/>: <c>Connections.Queues.SendBytes</c> or <c>SendPackets</c> is used up, try
    /// again after a while; <see cref="SendStatus.DaemonFull"/>: <c>MemoryBudgetBytes</c> is used up;
    /// <see cref="SendStatus.NotOpen"/>: a message layer owns the connection; <see cref="SendStatus.Closed"/>:
    /// <see cref="CloseReason"/> tells why.
    /// </returns>
    public SendStatus TrySend(ReadOnlySpan<byte> packet)
    {
        if (_mailbox is null)
        {
            return SendStatus.NotOpen;
        }

        if (packet.Length > MaxPacketBytes)
        {
            return SendStatus.TooLarge;
        }

        if (_status.Read().IsFinal)
        {
            return SendStatus.Closed;
        }

        SendStatus posted = _mailbox.TryPost(packet);

        if (posted == SendStatus.Accepted)
        {
            Touch();
        }

        return posted;
    }

    /// <summary>Takes the next received packet if there is one. Never blocks. Any thread.</summary>
    /// <param name="destination">Receives the packet.</param>
    /// <param name="length">Its bytes; with <see cref="ReceiveStatus.BufferTooSmall"/> the bytes it needs.</param>
    /// <returns>
    /// Received; Empty; BufferTooSmall: the packet stays for a larger buffer (G18); Closed: everything received was
    /// taken and nothing more will come (G16).
    /// </returns>
    public ReceiveStatus TryReceive(Span<byte> destination, out int length)
    {
        length = 0;
        return _mailbox is null ? ReceiveStatus.Empty : _mailbox.Inbox.TryTake(destination, out length);
    }

    /// <summary>
    /// As <see cref="TryReceive"/>, and waits for a packet. Any number of threads may wait at once (G8).
    /// </summary>
    /// <param name="destination">Receives the packet.</param>
    /// <param name="timeout">How long to wait; <see cref="Timeout.InfiniteTimeSpan"/> waits for the packet or the
    /// end.</param>
    /// <param name="length">Its bytes.</param>
    /// <returns>As <see cref="TryReceive"/>; TimedOut instead of Empty.</returns>
    /// <remarks>In manual mode another thread must call <see cref="Daemon.ProcessIO"/> meanwhile.</remarks>
    public ReceiveStatus Receive(Span<byte> destination, TimeSpan timeout, out int length)
    {
        length = 0;
        return _mailbox is null ? ReceiveStatus.Empty : _mailbox.Inbox.Take(destination, timeout, out length);
    }

    /// <summary>Waits until the handshake is done or has failed. Any thread.</summary>
    /// <param name="timeout">How long, of any length; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <returns>True if the connection is open; false if it ended, or the time did.</returns>
    /// <remarks>In manual mode another thread must call <see cref="Daemon.ProcessIO"/> meanwhile.</remarks>
    public bool WaitUntilOpen(TimeSpan timeout)
        => _status.WaitForChange(StatusMask.Open, default, timeout, out ConnectionStatus now) && now.IsOpen;

    /// <summary>
    /// Waits until the status is another than it was, in what <paramref name="mask"/> names, or the connection has
    /// ended. Any thread, any number of them at once (S-8.6).
    /// </summary>
    /// <param name="mask">What counts; <see cref="StatusMask.None"/> waits for the end alone.</param>
    /// <param name="since">The status last seen. A change since then is not missed: it is returned at once.</param>
    /// <param name="timeout">How long, of any length; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="now">The status when the wait was over, whatever ended it.</param>
    /// <returns>True: it differs or is final. False: the time passed first.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The mask has bits of no <see cref="StatusMask"/>.</exception>
    /// <remarks>
    /// A level that changed and changed back between two looks may go unseen. In manual mode another thread must call
    /// <see cref="Daemon.ProcessIO"/> meanwhile.
    /// </remarks>
    public bool WaitForChange(StatusMask mask, ConnectionStatus since, TimeSpan timeout, out ConnectionStatus now)
    {
        RequireKnown(mask);
        return _status.WaitForChange(mask, since, timeout, out now);
    }

    /// <summary>As <see cref="WaitForChange"/>, without blocking a thread.</summary>
    /// <param name="mask">What counts; <see cref="StatusMask.None"/> waits for the end alone.</param>
    /// <param name="since">The status last seen.</param>
    /// <param name="cancellation">Ends the waiting with an <see cref="OperationCanceledException"/>.</param>
    /// <returns>The status that differs from <paramref name="since"/> or is final.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The mask has bits of no <see cref="StatusMask"/>.</exception>
    public ValueTask<ConnectionStatus> WaitForChangeAsync(
        StatusMask mask, ConnectionStatus since, CancellationToken cancellation = default)
    {
        RequireKnown(mask);
        return _status.WaitForChangeAsync(mask, since, cancellation);
    }

    /// <summary>
    /// Ends the connection: final for every user at once; what was queued is still sent, then the peer is told
    /// (G9, G24). Any thread, any number of times.
    /// </summary>
    public void Close() => Close(CloseReason.ByApplication);

    /// <summary>As <see cref="Close()"/>, with a reason that the peer reads.</summary>
    public void Close(CloseReason reason) => Close(FinalReasons.ClosedLocally, reason);

    /// <summary>The same as <see cref="Close()"/>.</summary>
    public void Dispose() => Close();

    ConnectionConfig IConnectionOwner.Config => Config;

    StatusWord IConnectionOwner.StatusWord => _status;

    ConnectionCounterSet IConnectionOwner.Counters => Counters;

    PayloadParameters IConnectionOwner.Announced => AnnouncedBy(Config);

    ConnectionEngine? ILoopConnection.Engine => Engine;

    EndpointDriver? ILoopConnection.Driver => Driver;

    ILoopConnection? ILoopConnection.NextTouched { get; set; }

    internal ConnectionConfig Config { get; }

    internal ConnectionCounterSet Counters { get; } = new();

    private ConnectionEngine? Engine { get; set; }

    private EndpointDriver? Driver { get; set; }

    internal ConnectionRegister? Register { private get; init; }

    void IConnectionOwner.Publish(int maxFrameBytes, TimeSpan smoothedRtt) => _host.Publish(maxFrameBytes, smoothedRtt);

    void IConnectionOwner.HandleMoved(PeerAddress remote) => Volatile.Write(ref _remote, new RemotePlace(remote));

    void ILoopConnection.Attach(ConnectionEngine engine, EndpointDriver driver)
    {
        Engine = engine;
        Driver = driver;
    }

    void ILoopConnection.HandleForgotten() => Register?.Remove(this);

    // A full fence: whatever a user published before a touch that found the flag still set is seen by the leader.
    void ILoopConnection.ClearTouched() => Interlocked.Exchange(ref _touched, 0);

    void ILoopConnection.EndUnconnected(FinalReasons reasons, CloseReason reason, Instant now)
    {
        _status.End(reasons, reason);
        Register?.Remove(this);
        Payload.HandleStatus(_status.Read(), _status.Reason, now);
    }

    internal void Close(FinalReasons reasons, CloseReason reason)
    {
        if (_status.End(reasons, reason))
        {
            // Here and not by the leader alone: it may be busy, or a daemon in manual mode that is not driven.
            _mailbox?.Inbox.End();
            Touch();
        }
    }

    /// <summary>Any thread, after publishing: the leader will look at this connection in its next turn.</summary>
    internal void Touch()
    {
        if (Interlocked.Exchange(ref _touched, 1) == 0)
        {
            _loop.Touch(this);
        }
    }

    private static void RequireKnown(StatusMask mask)
    {
        if ((mask & ~StatusMask.All) != 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(mask), mask, "Name levels of StatusMask; the end is waited for in every case.");
        }
    }

    internal static PayloadParameters AnnouncedBy(in ConnectionConfig config)
        => config.Payload?.Parameters ?? PacketMailbox.Parameters;

    internal static int PacketBytesIn(int frameBytes) => frameBytes - Wire.UserPacketFrame.Overhead(frameBytes);

    // An address is too long to be written in one piece; a reference is not.
    private sealed record RemotePlace(PeerAddress Address);
}
