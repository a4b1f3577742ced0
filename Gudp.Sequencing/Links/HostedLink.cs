// A member's way to a server in the same process. Nothing is queued: what the member says goes into the server's engine
// in the same call, what the server says goes into the member's engine in the host's turn, and what is left to receive
// is only the news that something came.
//
// Always true:
//   - one thread, that of the host; only a cancellation may come from elsewhere;
//   - at most one wait, which ends once: by news, by the end of the link, or by its cancellation.

using System;
using System.Threading;
using System.Threading.Tasks;
using System.Threading.Tasks.Sources;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Sequencing.Engine;

namespace Gudp.Sequencing.Links;

internal sealed class HostedLink(SequenceHost host, long number, MemberEngine engine) : IMemberLink, IValueTaskSource<bool>
{
    // A continuation runs in the host's turn, on its thread: that is what makes it deterministic.
    private ManualResetValueTaskSourceCore<bool> _wait = new() { RunContinuationsAsynchronously = false };
    private CancellationTokenRegistration _cancellation;
    private int _isWaiting;
    private bool _hasNews;

    internal long Number { get; } = number;

    internal MemberEngine Engine { get; } = engine;

    /// <summary>Whether the member's code waits here, and not elsewhere.</summary>
    internal bool IsWaiting => Volatile.Read(ref _isWaiting) != 0;

    /// <summary>Something came for a member that the host has not looked at since.</summary>
    internal bool IsReady { get; set; }

    internal bool HasNews => _hasNews || IsClosed;

    public bool IsClosed { get; private set; }

    public CloseReason? CloseReason { get; private set; }

    public int Incarnation => 0;

    public bool IsPinned => false;

    public void Pin()
    {
    }

    public void Unpin()
    {
    }

    public SendStatus TrySend(ReadOnlySpan<byte> message)
    {
        if (IsClosed)
        {
            return SendStatus.Closed;
        }

        host.Take(this, message);
        return SendStatus.Accepted;
    }

    public bool WaitToSend(TimeSpan timeout) => true;

    public ValueTask WaitToSendAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public bool TryReceive(MemberEngine into)
    {
        bool had = _hasNews;
        _hasNews = false;
        return had;
    }

    public ReceiveStatus Receive(MemberEngine into, TimeSpan timeout)
    {
        bool isInTime = HasNews || host.TurnUntilNews(this, timeout);

        return TryReceive(into) ? ReceiveStatus.Received
            : isInTime ? ReceiveStatus.Closed
            : ReceiveStatus.TimedOut;
    }

    public ValueTask<bool> ReceiveAsync(MemberEngine into, CancellationToken cancellationToken)
    {
        if (HasNews)
        {
            return new ValueTask<bool>(TryReceive(into));
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<bool>(cancellationToken);
        }

        Invariant.Require(_isWaiting == 0, "A member waits once at a time.");
        _wait.Reset();
        Volatile.Write(ref _isWaiting, 1);

        if (cancellationToken.CanBeCanceled)
        {
            _cancellation = cancellationToken.UnsafeRegister(
                static (state, token) => ((HostedLink)state!).Cancel(token), this);
        }

        return new ValueTask<bool>(this, _wait.Version);
    }

    public bool Flush(TimeSpan timeout) => !IsClosed;

    public void Dispose()
    {
        if (!IsClosed)
        {
            Close(Gudp.Core.CloseReason.ByApplication);
            host.Lose(this);
        }
    }

    /// <summary>Takes one message of the server.</summary>
    internal void Deliver(ReadOnlySpan<byte> message)
    {
        Engine.HandleMessage(message);
        _hasNews = true;
    }

    /// <summary>Nothing more goes either way.</summary>
    internal void Close(CloseReason reason)
    {
        IsClosed = true;
        CloseReason = reason;
    }

    /// <summary>The member's code goes on, inside this call, until it waits again.</summary>
    /// <returns>False if it does not wait, or for nothing that came.</returns>
    internal bool Wake()
    {
        if (!HasNews || Interlocked.Exchange(ref _isWaiting, 0) == 0)
        {
            return false;
        }

        _cancellation.Unregister();
        _wait.SetResult(TryReceive(Engine));
        return true;
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _wait.OnCompleted(continuation, state, token, flags);

    private void Cancel(CancellationToken token)
    {
        if (Interlocked.Exchange(ref _isWaiting, 0) != 0)
        {
            _wait.SetException(new OperationCanceledException(token));
        }
    }
}
