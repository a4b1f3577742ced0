using Gudp.Core;
using Gudp.Messaging;

namespace Gudp.Bench.Messages;

/// <summary>An application that sends all it may from a thread of its own, and fetches what it asked for.</summary>
internal sealed class StreamSender
{
    private const int UpdateBatch = 256;

    // Updates have no signal that a blocked thread could wait for; a full ring has.
    private static readonly TimeSpan RefusedWait = TimeSpan.FromMilliseconds(1);

    private readonly Peer _peer;
    private readonly byte[] _message;
    private readonly SendOptions _options;
    private readonly bool _asks;
    private readonly ReceiptUpdate[] _updates = new ReceiptUpdate[UpdateBatch];
    private readonly Thread _thread;
    private long _sent;
    private long _told;
    private bool _isHeld;
    private bool _stopped;

    internal StreamSender(Peer peer, StreamCell cell)
    {
        _peer = peer;
        _message = new byte[cell.Bytes];
        _asks = cell.Receipts != AskedReceipts.Off;
        _options = new SendOptions
        {
            Lane = StreamCells.LaneOf(number: 0, lanes: 1),
            NotifyReceived = cell.Receipts == AskedReceipts.Received,
            NotifyTaken = cell.Receipts == AskedReceipts.Taken,
        };
        _thread = new Thread(Run) { IsBackground = true, Name = "stream sender" };
    }

    /// <summary>Accepted so far. Any thread.</summary>
    internal long Sent => Volatile.Read(ref _sent);

    /// <summary>Updates fetched so far. Any thread.</summary>
    internal long Told => Volatile.Read(ref _told);

    /// <summary>Every update that was asked for is here. Any thread.</summary>
    internal bool IsToldAll => !_asks || Told == Sent;

    internal void Start() => _thread.Start();

    /// <summary>Fetches no updates until <see cref="GoOn"/>: they wait, and then nothing is accepted any more.</summary>
    internal void HoldUpdates() => Volatile.Write(ref _isHeld, true);

    internal void GoOn() => Volatile.Write(ref _isHeld, false);

    /// <summary>Sends nothing more; updates are still fetched.</summary>
    internal void Stop() => Volatile.Write(ref _stopped, true);

    /// <summary>After the last update, or when they will not come any more.</summary>
    internal void Join(TimeSpan patience) => _thread.Join(patience);

    private void Run()
    {
        while (!Volatile.Read(ref _stopped))
        {
            NumberedMessages.Write(_message, _sent);
            SendStatus status = _peer.TrySend(_message, _options);

            if (status == SendStatus.Accepted)
            {
                Volatile.Write(ref _sent, _sent + 1);
            }

            if (status == SendStatus.Closed || !GoOn(status))
            {
                return;
            }
        }

        while (!IsToldAll && !_peer.Status.IsFinal)
        {
            if (TakeUpdates() == 0)
            {
                Thread.Sleep(RefusedWait);
            }
        }
    }

    // False: this cell cannot be measured.
    private bool GoOn(SendStatus status)
    {
        bool isRefused = status != SendStatus.Accepted;

        if (_asks && (isRefused || _sent % UpdateBatch == 0) && TakeUpdates() > 0)
        {
            return true;
        }

        if (isRefused)
        {
            _peer.WaitToSend(RefusedWait);
        }

        return status is not (SendStatus.TooLarge or SendStatus.NotOpen);
    }

    private int TakeUpdates()
    {
        int taken = 0;
        int count;

        if (Volatile.Read(ref _isHeld))
        {
            return taken;
        }

        do
        {
            count = _peer.TakeUpdates(_updates);
            taken += count;
        }
        while (count == UpdateBatch);

        Volatile.Write(ref _told, _told + taken);
        return taken;
    }
}
