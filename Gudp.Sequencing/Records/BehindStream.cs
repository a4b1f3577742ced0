// Takes what a run record writes and lets another thread bring it to the disk, so that no grant ever waits for one.
//
// Always true:
//   - writes reach the target in their order, by one thread at a time;
//   - what waits is within the limit: a disk that is further behind ends the record, not the run;
//   - after a failure nothing more is written, and the next write says why.

using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Threading;

namespace Gudp.Sequencing.Records;

/// <param name="target">Closed with it.</param>
/// <param name="maxBehindBytes">Most that waits in memory.</param>
internal sealed class BehindStream(Stream target, long maxBehindBytes) : Stream, IThreadPoolWorkItem
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly Queue<(byte[] Buffer, int Length)> _waiting = new();
    private readonly ManualResetEventSlim _isIdle = new(true);
    private long _behind;
    private Exception? _failure;
    private bool _isClosed;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="IOException">An earlier write failed, or the disk is too far behind.</exception>
    public override void Write(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);

            if (_failure is not null)
            {
                throw new IOException($"The record cannot be written: {_failure.Message}", _failure);
            }

            if (_behind + bytes.Length > maxBehindBytes)
            {
                throw new IOException(
                    $"The disk is {_behind} bytes behind the run; more than {maxBehindBytes} are not held for it.");
            }

            byte[] buffer = ArrayPool<byte>.Shared.Rent(bytes.Length);
            bytes.CopyTo(buffer);
            _waiting.Enqueue((buffer, bytes.Length));
            _behind += bytes.Length;

            if (_isIdle.IsSet)
            {
                _isIdle.Reset();
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Asks for nothing: what was written is under way already.</summary>
    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    void IThreadPoolWorkItem.Execute()
    {
        while (TryPeek(out byte[] buffer, out int length))
        {
            try
            {
                target.Write(buffer, 0, length);

                if (TryFinish(buffer, length))
                {
                    target.Flush();
                }
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                Fail(failure);
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (!disposing || _isClosed)
        {
            return;
        }

        lock (_gate)
        {
            _isClosed = true;
        }

        // A disk that hangs must not hang whoever closes the server.
        bool isWritten = _isIdle.Wait(Patience);
        base.Dispose(disposing);

        if (!isWritten)
        {
            throw new IOException($"The disk has not taken the last {_behind} bytes within {Patience}.");
        }

        target.Dispose();

        if (_failure is not null)
        {
            throw new IOException($"The record could not be written: {_failure.Message}", _failure);
        }
    }

    private bool TryPeek(out byte[] buffer, out int length)
    {
        lock (_gate)
        {
            bool isThere = _waiting.TryPeek(out (byte[] Buffer, int Length) oldest);
            (buffer, length) = oldest;

            if (!isThere)
            {
                _isIdle.Set();
            }

            return isThere;
        }
    }

    /// <returns>Whether nothing waits behind it: the moment to flush.</returns>
    private bool TryFinish(byte[] buffer, int length)
    {
        lock (_gate)
        {
            _waiting.Dequeue();
            _behind -= length;
            ArrayPool<byte>.Shared.Return(buffer);
            return _waiting.Count == 0;
        }
    }

    private void Fail(Exception failure)
    {
        lock (_gate)
        {
            _failure ??= failure;

            while (_waiting.TryDequeue(out (byte[] Buffer, int Length) one))
            {
                ArrayPool<byte>.Shared.Return(one.Buffer);
            }

            _behind = 0;
        }
    }
}
