// Messages with a number go out one after the other; three facts become known of each: its transfer ends, its take ends,
// and its answer comes. All are measured on the daemon's thread, as soon as the library knows.

using System.Buffers.Binary;
using System.Diagnostics;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tools.Output;

namespace Gudp.Tools.Watching;

/// <summary>Measures the way of messages to a <c>gudp pong</c> and back; the sink of its endpoint.</summary>
/// <remarks>The command's thread sends, the daemon's tells; they meet under one lock.</remarks>
internal sealed class MessagePing : IMessageSink, IDisposable
{
    /// <summary>Each message begins with its number.</summary>
    internal const int LeastBytes = sizeof(long);

    private readonly object _gate = new();
    private readonly List<Sent> _sent = [];
    private readonly Dictionary<MessageId, Sent> _byId = [];
    private readonly ManualResetEventSlim _allKnown = new();
    private int _firstOfRound;
    private int _openFacts;
    private bool _isWaiting;

    [Flags]
    private enum Facts
    {
        None = 0,
        Transfer = 1,
        Take = 2,
        Answer = 4,
    }

    internal Percentiles Received { get; private set; } = new();

    internal Percentiles Taken { get; private set; } = new();

    internal Percentiles Answered { get; private set; } = new();

    public void Dispose() => _allKnown.Dispose();

    /// <summary>Forgets what was measured, for another lane or size; what comes late is not counted.</summary>
    internal void Begin()
    {
        lock (_gate)
        {
            Received = new Percentiles();
            Taken = new Percentiles();
            Answered = new Percentiles();
            _byId.Clear();
            _allKnown.Reset();
            _firstOfRound = _sent.Count;
            _openFacts = 0;
            _isWaiting = false;
        }
    }

    internal SendStatus Send(Peer peer, Span<byte> message, int lane)
    {
        lock (_gate)
        {
            BinaryPrimitives.WriteInt64LittleEndian(message, _sent.Count);
            SendOptions options = new() { Lane = lane, NotifyReceived = true, NotifyTaken = true };
            Sent sent = new(Stopwatch.GetTimestamp());
            SendStatus status = peer.TrySend(message, options, out SendReceipt receipt);

            if (status == SendStatus.Accepted)
            {
                _sent.Add(sent);
                _byId[receipt.Id] = sent;
                _openFacts += 3;
            }

            return status;
        }
    }

    /// <summary>After the last message: waits until all is known of every message.</summary>
    internal bool WaitForAll(TimeSpan patience, CancellationToken cancelled)
    {
        lock (_gate)
        {
            _isWaiting = true;
            SignalIfDone();
        }

        return _allKnown.Wait(patience, cancelled);
    }

    public void HandleMessage(Peer from, int lane, ReadOnlySpan<byte> message, Instant now)
    {
        lock (_gate)
        {
            if (message.Length >= LeastBytes
                && BinaryPrimitives.ReadInt64LittleEndian(message) is var number
                && number >= _firstOfRound && number < _sent.Count)
            {
                Note(_sent[(int)number], Facts.Answer, Answered, counts: true);
            }
        }
    }

    public void HandlePeer(Peer peer, PeerChange change, Instant now)
    {
        if (change == PeerChange.Closed)
        {
            _allKnown.Set();
        }
    }

    public void HandleReceipt(Peer peer, ReceiptUpdate update, Instant now)
    {
        (_, TransferState transfer, TakeState take) = update.Receipt;

        lock (_gate)
        {
            if (!_byId.TryGetValue(update.Receipt.Id, out Sent? sent))
            {
                return;
            }

            if (transfer is not (TransferState.Queued or TransferState.Sent))
            {
                Note(sent, Facts.Transfer, Received, transfer == TransferState.Received);
            }

            if (take != TakeState.Pending)
            {
                Note(sent, Facts.Take, Taken, take == TakeState.Taken);
            }
        }
    }

    private void Note(Sent sent, Facts fact, Percentiles spans, bool counts)
    {
        if ((sent.Known & fact) != 0)
        {
            return;
        }

        sent.Known |= fact;
        _openFacts--;

        if (counts)
        {
            spans.Add(Stopwatch.GetElapsedTime(sent.At));
        }

        SignalIfDone();
    }

    private void SignalIfDone()
    {
        if (_isWaiting && _openFacts == 0)
        {
            _allKnown.Set();
        }
    }

    private sealed class Sent(long at)
    {
        internal long At { get; } = at;

        internal Facts Known { get; set; }
    }
}
