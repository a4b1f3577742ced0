using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Bench.Messages;

/// <summary>An application that takes messages in place on a thread of its own, and sleeps meanwhile.</summary>
internal sealed class StreamReceiver : IMessageHandler
{
    private const int Budget = 1_024;

    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan HeldWait = TimeSpan.FromMilliseconds(1);

    private readonly Peer _peer;
    private readonly NumberedMessages _numbers;
    private readonly Thread _thread;
    private long _arrived;
    private long _newest = -1;
    private bool _isHeld;
    private bool _stopped;

    internal StreamReceiver(Peer peer, StreamCell cell)
    {
        _peer = peer;
        _numbers = new NumberedMessages(cell.Mode, cell.Bytes);
        _thread = new Thread(Run) { IsBackground = true, Name = "stream receiver" };
    }

    /// <summary>Any thread.</summary>
    internal long Arrived => Volatile.Read(ref _arrived);

    /// <summary>The highest number that arrived. Any thread.</summary>
    internal long Newest => Volatile.Read(ref _newest);

    internal void Start() => _thread.Start();

    /// <summary>Takes nothing until <see cref="GoOn"/>: what arrives waits.</summary>
    internal void Hold() => Volatile.Write(ref _isHeld, true);

    internal void GoOn() => Volatile.Write(ref _isHeld, false);

    /// <summary>The thread has ended; what arrived may be judged.</summary>
    internal NumberedMessages Stop()
    {
        Volatile.Write(ref _stopped, true);
        _thread.Join();
        return _numbers;
    }

    public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message)
    {
        _numbers.Take(message);
        Volatile.Write(ref _arrived, _numbers.Arrived);
        Volatile.Write(ref _newest, _numbers.Newest);
    }

    private void Run()
    {
        StreamReceiver self = this;

        while (!Volatile.Read(ref _stopped))
        {
            if (Volatile.Read(ref _isHeld))
            {
                Thread.Sleep(HeldWait);
            }
            else if (_peer.Poll(ref self, Budget) == 0
                && _peer.Receive(LongestWait, out ReceivedMessage message) == ReceiveStatus.Received)
            {
                HandleMessage(_peer, message.Lane, message.Span);
                message.Dispose();
            }
        }
    }
}
