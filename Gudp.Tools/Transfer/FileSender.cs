// The sending side of a transfer. The peer's acks say what has arrived; the peer's answer says what it made of it. The
// sender ends well only after the answer.
//
// Always true:
//   - Confirmed never exceeds Sent, and Sent never the length that the head announced;
//   - the messages under way are in the order of the lane, so the first one is confirmed first.

using System.Diagnostics;
using System.Security.Cryptography;
using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tools.Output;

namespace Gudp.Tools.Transfer;

/// <summary>Sends one file to one peer. One thread.</summary>
internal sealed class FileSender : IDisposable
{
    // Nothing confirmed for so long although the connection lives: the receiver's program hangs, or its disk does.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly Peer _peer;
    private readonly Stream _file;
    private readonly long _length;
    private readonly Queue<(MessageId Id, int Bytes)> _underWay = new();
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _lastProgress = Stopwatch.GetTimestamp();

    /// <param name="peer">Open; stays the caller's.</param>
    /// <param name="file">Read from where it stands; stays the caller's.</param>
    /// <param name="length">Bytes to send.</param>
    internal FileSender(Peer peer, Stream file, long length)
    {
        _peer = peer;
        _file = file;
        _length = length;
    }

    internal long Sent { get; private set; }

    /// <summary>Bytes of the file that the peer is known to have received.</summary>
    internal long Confirmed { get; private set; }

    /// <summary>
    /// From the beginning to the acknowledgement of the last byte: without the receiver's look at the hash, its disk,
    /// and its answer. Null if it was refused before.
    /// </summary>
    internal TimeSpan? TransferTime { get; private set; }

    /// <summary>Sends everything and waits for the receiver's answer.</summary>
    /// <exception cref="CommandFailure">The receiver fell silent or ended the connection.</exception>
    internal (TransferOutcome Outcome, string Text) Run(string name, ProgressMeter meter, CancellationToken cancelled)
    {
        (TransferOutcome, string)? answer = SendControl(TransferMessage.Head(name, _length), meter, cancelled);

        while (answer is null && Sent < _length)
        {
            answer = SendData(meter, cancelled);
        }

        answer ??= SendControl(TransferMessage.End(_hash.GetHashAndReset()), meter, cancelled);

        while (answer is null && TransferTime is null)
        {
            answer = AwaitAcks(meter, cancelled);
        }

        while (answer is null)
        {
            answer = Await(meter, cancelled);
        }

        return answer.Value;
    }

    public void Dispose() => _hash.Dispose();

    private (TransferOutcome, string)? SendControl(
        byte[] message, ProgressMeter meter, CancellationToken cancelled)
    {
        while (true)
        {
            SendStatus status = _peer.TrySend(message);

            if (status == SendStatus.Accepted)
            {
                return null;
            }

            if (WaitForRoom(status, meter, cancelled) is { } answer)
            {
                return answer;
            }
        }
    }

    /// <returns>The receiver's answer if it came before all was sent; else null.</returns>
    private (TransferOutcome, string)? SendData(ProgressMeter meter, CancellationToken cancelled)
    {
        int bytes = (int)Math.Min(TransferMessage.DataBytes, _length - Sent);
        SendStatus status = _peer.TryClaim(1 + bytes, default, out MessageClaim claim);

        if (status != SendStatus.Accepted)
        {
            return WaitForRoom(status, meter, cancelled);
        }

        try
        {
            Fill(claim.Span, bytes);
        }
        catch
        {
            // Not by a using statement: that would dispose of a copy, which does not know of the commit.
            claim.Abandon();
            throw;
        }

        if (claim.Commit(out SendReceipt receipt) != SendStatus.Accepted)
        {
            // What was read is hashed and gone; only a connection that has ended refuses a claim of this size.
            throw Silence();
        }

        _underWay.Enqueue((receipt.Id, bytes));
        Sent += bytes;
        NoteProgress(meter);
        return TakeAnswer();
    }

    private void Fill(Span<byte> message, int bytes)
    {
        message[0] = (byte)TransferKind.Data;
        Span<byte> data = message[1..];

        try
        {
            _file.ReadExactly(data);
        }
        catch (EndOfStreamException)
        {
            throw new CommandFailure(
                ExitCode.CheckFailed,
                $"The file became shorter while it was sent; {bytes} bytes were expected at {Sent}.");
        }

        _hash.AppendData(data);
    }

    private (TransferOutcome, string)? WaitForRoom(SendStatus refusal, ProgressMeter meter, CancellationToken cancelled)
    {
        if (refusal is SendStatus.TooLarge or SendStatus.NotOpen)
        {
            throw new CommandFailure(
                ExitCode.NotConnected, "The peer does not take messages of this size; it is not 'gudp recv'.");
        }

        _peer.WaitToSend(Step);
        Watch(meter, cancelled);
        return TakeAnswer();
    }

    private (TransferOutcome, string)? AwaitAcks(ProgressMeter meter, CancellationToken cancelled)
    {
        if (_peer.Flush(Step))
        {
            TransferTime = Stopwatch.GetElapsedTime(_start);
        }

        Watch(meter, cancelled);
        return TransferTime is null ? TakeAnswer() : null;
    }

    private (TransferOutcome, string)? Await(ProgressMeter meter, CancellationToken cancelled)
    {
        ReceiveStatus status = _peer.Receive(Step, out ReceivedMessage message);

        if (status == ReceiveStatus.Received)
        {
            return ReadAnswer(message);
        }

        Watch(meter, cancelled);
        return status == ReceiveStatus.Closed ? throw Silence() : null;
    }

    private (TransferOutcome, string)? TakeAnswer()
        => _peer.TryReceive(out ReceivedMessage message) ? ReadAnswer(message)
            : _peer.Status.IsFinal ? throw Silence()
            : null;

    private static (TransferOutcome, string) ReadAnswer(ReceivedMessage message)
    {
        using (message)
        {
            return TransferMessage.TryReadAnswer(message.Span, out TransferOutcome outcome, out string text)
                ? (outcome, text)
                : throw new CommandFailure(ExitCode.NotConnected, "The peer does not answer like 'gudp recv'.");
        }
    }

    private void Watch(ProgressMeter meter, CancellationToken cancelled)
    {
        cancelled.ThrowIfCancellationRequested();
        NoteProgress(meter);

        if (Stopwatch.GetElapsedTime(_lastProgress) > Patience)
        {
            throw new CommandFailure(
                ExitCode.TimedOut,
                $"The receiver has done nothing for {Patience.TotalSeconds:0} s; {ConfirmedText()}.");
        }
    }

    private void NoteProgress(ProgressMeter meter)
    {
        long before = Confirmed;

        while (_underWay.TryPeek(out (MessageId Id, int Bytes) oldest)
            && _peer.StateOf(oldest.Id).Transfer == TransferState.Received)
        {
            Confirmed += oldest.Bytes;
            _underWay.Dequeue();
        }

        if (Confirmed != before)
        {
            _lastProgress = Stopwatch.GetTimestamp();
            meter.Report(Confirmed);
        }
    }

    private CommandFailure Silence()
    {
        CloseReason? reason = _peer.CloseReason;

        string what = reason?.Code switch
        {
            CloseCode.IdleTimeout => "The receiver does not answer any more",
            CloseCode.PeerLostState or CloseCode.PeerRestarted => "The receiver was started anew",
            _ => $"The receiver ended the connection ({reason})",
        };

        return new CommandFailure(ExitCode.TimedOut, $"{what}; {ConfirmedText()}.");
    }

    private string ConfirmedText() => $"it had received {Confirmed} of {_length} bytes";
}
