using System;
using System.Threading;
using System.Threading.Tasks;
using Gudp.Core.Config;
using Gudp.Core.Engine;
using Gudp.Core.Loop;
using Gudp.Core.Packets;

namespace Gudp.Core;

/// <summary>
/// One virtual connection over UDP: packets that keep their boundaries, a status any thread reads in one atomic
/// operation, counters. Any number of threads may use it at once.
/// </summary>
/// <remarks>
/// Packets arrive in any order; <see cref="PacketDelivery"/> says what else is promised for each. With
/// <see cref="ConnectionConfig.Payload"/> set, that layer has the connection for itself, and the sending and receiving
/// methods refuse.
/// </remarks>
public sealed partial class Connection : IDisposable, ILoopConnection
{
    private readonly EventLoop _loop;
    private readonly PacketMailbox? _mailbox;
    private readonly PayloadHost _host;
    private readonly StatusWord _status;
    private RemotePlace _remote;
    private RemoteIdentity? _identity;
    private long _touched;

    internal Connection(EventLoop loop, PeerAddress local, PeerAddress remote, SharedConfig config)
    {
        _loop = loop;
        _status = new StatusWord(loop.Turns);
        LocalAddress = local;
        _remote = new RemotePlace(remote);
        Config = config;
        _host = new PayloadHost(this);

        if (config.Whole.Payload is { } factory)
        {
            Payload = factory.Create(_host);
        }
        else
        {
            _mailbox = new PacketMailbox(this, config.Whole.Queues, loop.Memory, loop.FirstNumbers.Id);
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

    /// <summary>
    /// Who the peer says it is; <c>default</c> until the handshake has told. The same for every connection of one
    /// endpoint, and over restarts if the peer sets <see cref="ConnectionConfig.PeerId"/>. Any thread.
    /// </summary>
    public PeerId RemotePeerId => Volatile.Read(ref _identity)?.Peer ?? default;

    /// <summary>
    /// The peer's process: another number after a restart. 0 until the handshake has told. Any thread.
    /// </summary>
    public ulong RemoteInstance => Volatile.Read(ref _identity)?.Instance ?? 0;

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

    /// <summary>The layer on top: what <see cref="ConnectionConfig.Payload"/> made, or Core's own mailbox.</summary>
    public IPacketPayload Payload { get; }

    /// <summary>A copy of the counters. Any thread; the fields are not consistent among each other.</summary>
    public ConnectionCounters ReadCounters() => Counters.ReadSnapshot();

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
    /// (G9, G24). What was received can still be taken (G16). Any thread, any number of times.
    /// </summary>
    public void Close() => Close(CloseReason.ByApplication);

    /// <summary>As <see cref="Close()"/>, with a reason that the peer reads.</summary>
    public void Close(CloseReason reason) => Close(FinalReasons.ClosedLocally, reason);

    /// <summary>
    /// As <see cref="Close()"/>, and gives up what was received and not taken: an ended connection keeps that, and its
    /// share of <see cref="GudpConfig.MemoryBudgetBytes"/>, until it is taken or disposed. Any thread, any number of
    /// times.
    /// </summary>
    public void Dispose()
    {
        Close();
        _mailbox?.DiscardInbox();
    }

    SharedConfig IConnectionOwner.Config => Config;

    StatusWord IConnectionOwner.StatusWord => _status;

    ConnectionCounterSet IConnectionOwner.Counters => Counters;

    TimeSpan IConnectionOwner.StartsAfter => StartsAfter;

    PayloadParameters IConnectionOwner.Announced => AnnouncedBy(Config.Whole);

    ConnectionEngine? ILoopConnection.Engine => Engine;

    EndpointDriver? ILoopConnection.Driver => Driver;

    ILoopConnection? ILoopConnection.NextTouched { get; set; }

    internal SharedConfig Config { get; }

    internal ConnectionCounterSet Counters { get; } = new();

    private ConnectionEngine? Engine { get; set; }

    private EndpointDriver? Driver { get; set; }

    internal ConnectionRegister? Register { private get; init; }

    /// <summary>How long after it was asked for it begins to open.</summary>
    internal TimeSpan StartsAfter { private get; init; }

    void IConnectionOwner.ShowWindowRoom(int bytes) => _host.WindowRoomBytes = bytes;

    void IConnectionOwner.Publish(int maxFrameBytes, TimeSpan smoothedRtt) => _host.Publish(maxFrameBytes, smoothedRtt);

    void IConnectionOwner.HandleIdentified(PeerId peer, ulong instance)
        => Volatile.Write(ref _identity, new RemoteIdentity(peer, instance));

    void IConnectionOwner.HandleMoved(PeerAddress remote) => Volatile.Write(ref _remote, new RemotePlace(remote));

    bool IConnectionOwner.TakeProbeAsked()
    {
        bool wasAsked = _isProbeAsked;
        _isProbeAsked = false;
        return wasAsked;
    }

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

    internal bool IsTakenIn => _host.IsTakenIn;

    internal void Close(FinalReasons reasons, CloseReason reason)
    {
        if (_status.End(reasons, reason))
        {
            // Here and not by the leader alone: it may be busy, or a daemon in manual mode that is not driven.
            _mailbox?.EndInbox();

            if (Interlocked.Add(ref _touched, 1) == 1)
            {
                _loop.Touch(this);
            }

            _loop.Turns.OnPublished();
        }
    }

    internal ITurnWatch Watch => _loop.Turns;

    /// <summary>Any thread. True while the calling thread is inside a turn of the daemon.</summary>
    internal bool IsLedByCaller => _loop.IsLedByCaller;

    /// <summary>
    /// Any thread, after publishing a fact for the peer: it leaves with the next packet, or soon after.
    /// </summary>
    internal void Touch()
    {
        if (Interlocked.Add(ref _touched, 1) == 1)
        {
            _loop.Touch(this);
            _loop.Turns.OnTouched(leadsNow: false, isFullRun: false, isSend: false);
        }
    }

    /// <summary>Any thread, after publishing something to send, or the end.</summary>
    /// <param name="bytes">About how many; 0 or more.</param>
    internal void TouchToSend(int bytes)
    {
        // Counts what was published since the last turn, plus one for each touch. The addition is the fence between
        // publishing and looking whether a turn is to come.
        long after = Interlocked.Add(ref _touched, 1L + bytes);
        long before = after - 1 - bytes;

        if (before == 0)
        {
            _loop.Touch(this);
            _loop.Turns.OnTouched(IsQuiet, isFullRun: after >= Turns.FullRunBytes, isSend: true);
        }
        else if (before < Turns.FullRunBytes && after >= Turns.FullRunBytes)
        {
            _loop.Turns.OnTouched(leadsNow: false, isFullRun: true, isSend: true);
        }
    }

    // Nothing is under way whose ack would bring the next turn. Before the handshake is done a turn sends nothing.
    private bool IsQuiet
    {
        get
        {
            ConnectionStatus status = _status.Read();
            return status.IsFinal || (status.IsOpen && Volatile.Read(ref Counters.BytesInFlight) == 0);
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

    // An address is too long to be written in one piece; a reference is not.
    private sealed record RemotePlace(PeerAddress Address);

    private sealed record RemoteIdentity(PeerId Peer, ulong Instance);
}
