using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Sockets;

namespace Gudp.Core.Sockets;

/// <summary>
/// The operating system's UDP: by its own calls where they are known (Linux), else through the framework's
/// <see cref="Socket"/>, which works wherever .NET does.
/// </summary>
/// <remarks>
/// <c>Open</c>, <see cref="Wake"/> and the disposal of sockets may come from any thread; <see cref="Wait"/>
/// from one thread at a time. Through the framework a wait is rounded up to whole milliseconds, the finest it offers.
/// Always true: a socket is in the list exactly while it is open; the list changes under its lock only, and the array
/// that waits look at is made anew with each change.
/// </remarks>
public sealed class UdpNetwork : IDatagramNetwork, IReadySockets
{
    // Up to here asking each socket costs no more than asking which to ask.
    private const int FewSockets = 8;

    private readonly List<IWatchedSocket> _open = [];
    private readonly bool _isFrameworkOnly;
    private readonly ISocketWaiter _waiter;
    private readonly WakeSignal _wake;
    private volatile Socket[] _watched = [];
    private volatile ReadyList? _many;      // once there were many: what tells which of them to read
    private bool _hasNoList;
    private bool _isDisposed;

    /// <summary>Without sockets; tries once per program what the system can do.</summary>
    /// <param name="isFrameworkOnly">True: everything through the framework, whatever the system offers.</param>
    public UdpNetwork(bool isFrameworkOnly = false)
        : this(isFrameworkOnly ? new OffloadTrial(false, default, "As asked.") : OffloadTrial.OfThisSystem)
    {
    }

    /// <summary>On a system that can do that.</summary>
    internal UdpNetwork(OffloadTrial trial)
    {
        // The framework's bell needs a loopback; where that is down, its sockets are waited for by the system's call.
        _isFrameworkOnly = !trial.HasCalls;
        _waiter = trial.HasWait ? new PollWaiter() : new SelectWaiter();
        _wake = new WakeSignal(_waiter);
    }

    /// <summary>
    /// What this system does with runs of datagrams, tried over the loopback once per program. The first call takes
    /// milliseconds, half a second where the loopback loses.
    /// </summary>
    public static SystemOffload Offload
    {
        get
        {
            OffloadTrial trial = OffloadTrial.OfThisSystem;
            return new SystemOffload(trial.HasCalls, trial.Works.Send, trial.Works.Receive, trial.Finding);
        }
    }

    /// <inheritdoc/>
    public IDatagramSocket Open(PeerAddress local, int sendBufferBytes, int receiveBufferBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sendBufferBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(receiveBufferBytes);

        return Open(local, new SocketConfig
        {
            SendBufferBytes = sendBufferBytes,
            ReceiveBufferBytes = receiveBufferBytes,
            SendOffload = false,
            ReceiveOffload = false,
        });
    }

    /// <inheritdoc/>
    public IDatagramSocket Open(PeerAddress local, in SocketConfig config)
    {
        BoundSocket bound = new(local, config);

        return Watch(_isFrameworkOnly || config.FrameworkOnly
            ? new UdpSocket(bound, Forget)
            : new LinuxUdpSocket(bound, ChoiceOf(config), Forget));
    }

    /// <inheritdoc/>
    public bool Wait(TimeSpan limit)
    {
        if (!_wake.TrySleep())
        {
            return true;
        }

        bool isReadable = _waiter.Wait(_watched, limit);
        bool isWoken = _wake.Rise();
        return isReadable || isWoken;
    }

    /// <inheritdoc/>
    public void Wake() => _wake.Set();

    int IReadySockets.TakeReady(Span<object?> marks) => _many?.Take(marks) ?? -1;

    /// <summary>Closes every socket opened here and ends a running <see cref="Wait"/>. Any thread; once is enough.</summary>
    public void Dispose()
    {
        IWatchedSocket[] open;

        lock (_open)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            open = [.. _open];
        }

        // From now on each is asked, and says that it is closed.
        ReadyList? many = _many;
        _many = null;

        foreach (IWatchedSocket socket in open)
        {
            socket.Dispose();
        }

        _wake.Dispose();
        many?.Dispose();
    }

    private static OffloadChoice ChoiceOf(in SocketConfig config)
    {
        OffloadChoice works = OffloadTrial.OfThisSystem.Works;
        return new OffloadChoice(config.SendOffload && works.Send, config.ReceiveOffload && works.Receive);
    }

    private IWatchedSocket Watch(IWatchedSocket socket)
    {
        bool isListed = false;

        lock (_open)
        {
            if (!_isDisposed)
            {
                _open.Add(socket);
                Watch();
                isListed = true;
            }
        }

        if (!isListed)
        {
            socket.Dispose();
            throw new ObjectDisposedException(nameof(UdpNetwork));
        }

        // A wait that began before this socket existed does not watch it.
        Wake();
        return socket;
    }

    // Called before the system socket is closed: a wait that still holds it would delay the closing.
    private void Forget(IWatchedSocket socket)
    {
        lock (_open)
        {
            if (_open.Remove(socket))
            {
                _many?.Remove(socket);
                ListWatched();
            }
        }

        Wake();
    }

    // Under the lock. The last one is new.
    private void Watch()
    {
        if (_many is { } many)
        {
            if (!many.TryAdd(_open[^1]))
            {
                GiveUpList(many);
            }
        }
        else if (!_hasNoList && _open.Count > FewSockets && _waiter is PollWaiter waiter
            && ReadyList.TryMake() is { } made)
        {
            waiter.Many = made;
            _many = made;

            if (!_open.TrueForAll(made.TryAdd))
            {
                GiveUpList(made);
            }
        }

        ListWatched();
    }

    // The system has no room for one more in it: then each is asked, as it is where there are few.
    private void GiveUpList(ReadyList list)
    {
        _hasNoList = true;
        _many = null;
        ((PollWaiter)_waiter).Many = null;
        list.Dispose();
    }

    private void ListWatched()
    {
        if (_many is null)
        {
            _watched = [.. _open.Select(static open => open.Socket)];
        }
    }
}
