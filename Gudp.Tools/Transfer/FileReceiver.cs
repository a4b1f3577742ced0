// The receiving side of a transfer: what comes is checked against the order head, data, end. Whatever does not fit ends
// the transfer with an answer; what was stored so far vanishes.
//
// Always true:
//   - there is a file exactly between the head and the end;
//   - an answer is sent at most once, and nothing is taken after it.

using Gudp.Core;
using Gudp.Messaging;
using Gudp.Tools.Output;

namespace Gudp.Tools.Transfer;

/// <summary>How one transfer ended, for the receiver's user.</summary>
/// <param name="Code">What it means to the shell.</param>
/// <param name="Text">A line to show.</param>
internal sealed record TransferReport(ExitCode Code, string Text);

/// <summary>Receives one file from one peer. One thread.</summary>
internal sealed class FileReceiver
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(10);

    private readonly Peer _peer;
    private readonly string _directory;
    private readonly Func<bool> _mayBegin;

    /// <param name="peer">Open; stays the caller's.</param>
    /// <param name="directory">Where the file goes; exists.</param>
    /// <param name="mayBegin">Asked once, when the head has come; false refuses the file.</param>
    internal FileReceiver(Peer peer, string directory, Func<bool> mayBegin)
    {
        _peer = peer;
        _directory = directory;
        _mayBegin = mayBegin;
    }

    /// <summary>Takes what comes until the transfer has ended in one way or another.</summary>
    /// <returns>Null if the peer left without having begun.</returns>
    internal async Task<TransferReport?> RunAsync(Printer printer, CancellationToken cancelled)
    {
        if (!TryReceive(cancelled, out ReceivedMessage first))
        {
            return null;
        }

        string name;
        long length;

        using (first)
        {
            if (!TransferMessage.TryReadHead(first.Span, out name, out length))
            {
                return Refuse("What came is not a file; use 'gudp send'.");
            }
        }

        if (!FileName.TryReduce(name, out string safeName, out string problem))
        {
            return Refuse(problem);
        }

        if (!_mayBegin())
        {
            return Refuse("The receiver takes one file and has begun with another; it needs --keep for more.");
        }

        try
        {
            using IncomingFile file = new(_directory, safeName, length);
            return await printer.WithProgressAsync(
                safeName, length, ProgressUnit.Bytes, meter => Task.Run(() => TakeData(file, meter, cancelled)))
                .ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Refuse($"'{safeName}' cannot be written: {failure.Message}");
        }
    }

    private TransferReport TakeData(IncomingFile file, ProgressMeter meter, CancellationToken cancelled)
    {
        while (TryReceive(cancelled, out ReceivedMessage message))
        {
            using (message)
            {
                ReadOnlySpan<byte> bytes = message.Span;

                if (TransferMessage.IsData(bytes) && bytes.Length - 1 <= file.Length - file.Received)
                {
                    file.Write(bytes[1..]);
                    meter.Report(file.Received);
                }
                else if (TransferMessage.IsEnd(bytes))
                {
                    return Store(file, bytes[1..]);
                }
                else
                {
                    return Refuse("More came than was announced, or something else than data.");
                }
            }
        }

        return new TransferReport(
            ExitCode.TimedOut,
            $"The sender is gone ({_peer.CloseReason}); "
            + $"{file.Received} of {file.Length} bytes had come and were dropped.");
    }

    private TransferReport Store(IncomingFile file, ReadOnlySpan<byte> hash)
    {
        if (!file.TryStore(hash, out string path))
        {
            Answer(TransferOutcome.Mismatch, "The SHA-256 differs.");
            return new TransferReport(
                ExitCode.CheckFailed,
                $"What came from {_peer.RemoteAddress} differs from what was sent; it was dropped.");
        }

        Answer(TransferOutcome.Stored, Path.GetFileName(path));
        return new TransferReport(
            ExitCode.Fine,
            $"{path}: {file.Length} bytes from {_peer.RemoteAddress}, SHA-256 {Convert.ToHexStringLower(hash)}");
    }

    private TransferReport Refuse(string why)
    {
        Answer(TransferOutcome.Refused, why);
        return new TransferReport(ExitCode.CheckFailed, $"A file from {_peer.RemoteAddress} was refused: {why}");
    }

    private void Answer(TransferOutcome outcome, string text)
    {
        // Nothing else was sent to this peer, so there is room for one small message; a refusal means it is gone.
        if (_peer.TrySend(TransferMessage.Answer(outcome, text)) == SendStatus.Accepted)
        {
            _peer.Flush(AnswerPatience);
        }
    }

    /// <returns>False if the peer is gone.</returns>
    private bool TryReceive(CancellationToken cancelled, out ReceivedMessage message)
    {
        while (true)
        {
            switch (_peer.Receive(Step, out message))
            {
                case ReceiveStatus.Received:
                    return true;
                case ReceiveStatus.Closed:
                    return false;
            }

            cancelled.ThrowIfCancellationRequested();
        }
    }
}
