// A trace that goes to a file without ever holding the loop up. Events become text at once, in blocks; full blocks go
// to a thread that writes them. If it falls behind until no block is free, events are counted instead, and a record in
// the file says how many are missing where.
//
// Always true:
//   - a block belongs to one side: the leader's current one, waiting to be written, being written, or free;
//   - the leader waits for nothing but the short lock over the two queues.
using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;

namespace Gudp.Core.Diagnostics;

/// <summary>Writes a trace to a stream. <see cref="Record"/> by the leader only, the rest by any thread.</summary>
internal sealed class TraceFile : IPacketTrace, IDisposable
{
    internal const int BlockBytes = 64 * 1024;

    // So long a half full block waits at most while events come.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    private readonly Stream _file;
    private readonly long _mostBytes;
    private readonly object _gate = new();
    private readonly Queue<byte[]> _free = new();
    private readonly Queue<(byte[] Block, int Length)> _waiting = new();
    private readonly Thread _writer;
    private byte[]? _current;
    private int _length;
    private long _bytesTaken;
    private long _gap;                  // events missing since the last one that found room
    private long _eventsLost;
    private Instant _blockBegan;
    private Instant _lastAt;
    private bool _isComplete;           // under the gate
    private bool _isBroken;             // under the gate

    /// <param name="file">Owned from now on.</param>
    /// <param name="title">Stands in the first record.</param>
    /// <param name="bufferBytes">Memory for events that wait; at least two blocks.</param>
    /// <param name="mostBytes">Where the file ends.</param>
    internal TraceFile(Stream file, string title, int bufferBytes, long mostBytes)
    {
        _file = file;
        _mostBytes = mostBytes;

        for (int i = 0; i < Math.Max(2, bufferBytes / BlockBytes); i++)
        {
            _free.Enqueue(GC.AllocateUninitializedArray<byte>(BlockBytes));
        }

        _file.Write(TraceJson.Head(title));
        _writer = new Thread(WriteBlocks) { IsBackground = true, Name = $"{title}-trace" };
        _writer.Start();
    }

    /// <summary>Events that are not in the file: no block was free, the file was full, or the disk failed.</summary>
    internal long EventsLost => Volatile.Read(ref _eventsLost);

    /// <summary>A new file of its own name in a directory, which is made if it is not there.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    internal static TraceFile Create(in TraceConfig config, string name, DateTimeOffset now)
    {
        const int MostTries = 1_000;
        Directory.CreateDirectory(config.Directory);
        string safe = string.Concat(name.Split(Path.GetInvalidFileNameChars()));

        for (int i = 0; ; i++)
        {
            string file = FormattableString.Invariant(
                $"{safe}-{now:yyyyMMdd-HHmmss}-{Environment.ProcessId}{(i == 0 ? "" : "-" + i)}.sqlog");

            try
            {
                FileStream stream = new(
                    Path.Combine(config.Directory, file), FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1);
                return new TraceFile(stream, name, config.BufferBytes, config.FileBytes);
            }
            catch (IOException) when (i < MostTries && File.Exists(Path.Combine(config.Directory, file)))
            {
                // Another daemon of this process in the same second.
                continue;
            }
        }
    }

    public void Record(in TraceEvent happened)
    {
        _lastAt = happened.At;

        if (_bytesTaken >= _mostBytes || !TryReserve(happened.At))
        {
            _gap++;
            Volatile.Write(ref _eventsLost, _eventsLost + 1);
            return;
        }

        if (_gap > 0)
        {
            Take(TraceJson.WriteGap(_current.AsSpan(_length), happened.At, _gap));
            _gap = 0;
        }

        Take(TraceJson.Write(_current.AsSpan(_length), happened));

        if (happened.At - _blockBegan >= Patience)
        {
            HandOver();
        }
    }

    /// <summary>Writes what waits and closes the file. Nothing may be recorded any more.</summary>
    public void Dispose()
    {
        HandOver();

        lock (_gate)
        {
            if (_isComplete)
            {
                return;
            }

            _isComplete = true;
            Monitor.Pulse(_gate);
        }

        _writer.Join();

        try
        {
            if (_gap > 0 && !_isBroken)
            {
                Span<byte> room = stackalloc byte[TraceJson.MostEventBytes];
                _file.Write(room[..TraceJson.WriteGap(room, _lastAt, _gap)]);
            }

            _file.Dispose();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // A full disk: there is nobody left to tell, and the file says it by its missing end.
        }
    }

    private bool TryReserve(Instant now)
    {
        // Room for a record about a gap and for the event.
        if (_current is not null && BlockBytes - _length < 2 * TraceJson.MostEventBytes)
        {
            HandOver();
        }

        if (_current is not null)
        {
            return true;
        }

        lock (_gate)
        {
            if (_isBroken || !_free.TryDequeue(out _current))
            {
                return false;
            }
        }

        _length = 0;
        _blockBegan = now;
        return true;
    }

    private void Take(int bytes)
    {
        _length += bytes;
        _bytesTaken += bytes;
    }

    private void HandOver()
    {
        if (_current is null)
        {
            return;
        }

        lock (_gate)
        {
            _waiting.Enqueue((_current, _length));
            Monitor.Pulse(_gate);
        }

        _current = null;
    }

    private void WriteBlocks()
    {
        while (TryNext(out byte[] block, out int length))
        {
            bool isWritten = TryWrite(block.AsSpan(0, length));

            lock (_gate)
            {
                _isBroken |= !isWritten;
                _free.Enqueue(block);
            }
        }
    }

    private bool TryNext(out byte[] block, out int length)
    {
        lock (_gate)
        {
            while (_waiting.Count == 0 && !_isComplete)
            {
                Monitor.Wait(_gate);
            }

            bool isThere = _waiting.TryDequeue(out (byte[] Block, int Length) next);
            (block, length) = next;
            return isThere;
        }
    }

    private bool TryWrite(ReadOnlySpan<byte> text)
    {
        try
        {
            _file.Write(text);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // A trace must not end what it watches. Events are counted as lost from here on.
            return false;
        }
    }
}
