using System;
using System.Buffers;
using System.IO;

namespace Gudp.Sequencing.Records;

/// <summary>How a file ends before its end.</summary>
internal readonly record struct RecordCut(long Position, string Reason);

/// <summary>
/// Reads the blocks of a record and tells what is only missing at the end from what is damaged (clause R-2). The file
/// is as long as it was when it was opened: what a writer adds later is not looked at.
/// </summary>
internal sealed class BlockReader : IDisposable
{
    private const int SearchBytes = 4096;

    private readonly Stream _stream;
    private readonly long _length;
    private readonly byte[] _head = new byte[RecordFormat.BlockHeadBytes];
    private byte[] _content = [];
    private long _position = -1;
    private int _contentLength;
    private long _next;

    internal BlockReader(Stream stream)
    {
        if (!stream.CanRead || !stream.CanSeek)
        {
            throw new ArgumentException("A record is read from a stream that can seek.", nameof(stream));
        }

        _stream = stream;
        _length = stream.Length;
    }

    internal static long FirstBlock => RecordFormat.Magic.Length;

    internal long Length => _length;

    public void Dispose() => _stream.Dispose();

    /// <exception cref="RunRecordException">It is no record, or of another version.</exception>
    internal void CheckMagic()
    {
        Span<byte> found = stackalloc byte[RecordFormat.Magic.Length];
        int bytes = (int)Math.Min(_length, found.Length);
        Fill(0, found[..bytes]);

        if (!RecordFormat.Magic.StartsWith(found[..bytes]))
        {
            bool isOtherVersion = bytes == found.Length && found[..^1].SequenceEqual(RecordFormat.Magic[..^1]);
            throw new RunRecordException(0, isOtherVersion
                ? $"A run record of version {found[^1]}; this program reads version {RecordFormat.Magic[^1]}"
                : "This is no run record: it does not begin with \"gudprec\"");
        }

        if (bytes < found.Length)
        {
            throw new RunRecordException(bytes, "The record was cut before it said anything");
        }
    }

    /// <summary>Reads the block at a position, unless it is the one that was read last.</summary>
    /// <param name="content">Valid until the next call.</param>
    /// <param name="next">Where the following block begins.</param>
    /// <param name="cut">Why there is none; null at the end of the file.</param>
    /// <exception cref="RunRecordException">It is damaged.</exception>
    internal bool TryRead(long position, out ReadOnlySpan<byte> content, out long next, out RecordCut? cut)
    {
        cut = null;

        if (position == _position)
        {
            content = _content.AsSpan(0, _contentLength);
            next = _next;
            return true;
        }

        content = default;
        next = position;
        long left = _length - position;

        if (left <= 0)
        {
            return false;
        }

        if (left < RecordFormat.BlockHeadBytes)
        {
            cut = new RecordCut(position, "the head of the last block is not whole");
            return false;
        }

        // What the buffer held is gone from here on, whatever comes of this block.
        _position = -1;
        Fill(position, _head);

        if (!RecordFormat.TryReadBlockHead(_head, position, out uint length, out ulong check))
        {
            return RefuseHead(position, out cut);
        }

        if (length is 0 or > RecordFormat.MaxBlockBytes)
        {
            throw new RunRecordException(
                position, $"A block of {length} bytes; it has 1 to {RecordFormat.MaxBlockBytes}");
        }

        if (left - RecordFormat.BlockHeadBytes < length)
        {
            cut = new RecordCut(position, "the last block is not whole");
            return false;
        }

        next = position + RecordFormat.BlockHeadBytes + length;
        return TryReadContent(position, next, check, out content, out cut);
    }

    private bool TryReadContent(
        long position, long next, ulong check, out ReadOnlySpan<byte> content, out RecordCut? cut)
    {
        int length = (int)(next - position) - RecordFormat.BlockHeadBytes;
        cut = null;
        content = default;

        if (_content.Length < length)
        {
            _content = new byte[Math.Max(length, RecordFormat.BlockBytes)];
        }

        Span<byte> read = _content.AsSpan(0, length);
        Fill(position + RecordFormat.BlockHeadBytes, read);

        if (RecordFormat.CheckOf(position, read) != check)
        {
            // the pages of a write may reach the disk in any order, so the last block may have holes.
            if (next == _length)
            {
                cut = new RecordCut(position, "the last block does not match its checksum");
                return false;
            }

            throw new RunRecordException(position, "A block in the middle is damaged: its checksum is another one");
        }

        content = read;
        (_position, _contentLength, _next) = (position, length, next);
        return true;
    }

    private bool RefuseHead(long position, out RecordCut? cut)
    {
        if (!IsZeroFrom(position))
        {
            throw new RunRecordException(position, "The head of a block is damaged: its checksum is another one");
        }

        cut = new RecordCut(position, "from there on the file holds zeros, which were never written");
        return false;
    }

    private bool IsZeroFrom(long position)
    {
        byte[] piece = ArrayPool<byte>.Shared.Rent(SearchBytes);

        try
        {
            for (long at = position; at < _length; at += SearchBytes)
            {
                Span<byte> read = piece.AsSpan(0, (int)Math.Min(SearchBytes, _length - at));
                Fill(at, read);

                if (read.ContainsAnyExcept((byte)0))
                {
                    return false;
                }
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private void Fill(long position, Span<byte> destination)
    {
        _stream.Position = position;

        if (_stream.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false) < destination.Length)
        {
            throw new RunRecordException(position, "The file became shorter while it was read");
        }
    }
}
