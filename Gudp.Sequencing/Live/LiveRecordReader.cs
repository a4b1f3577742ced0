using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Live;

/// <summary>Reads the steps of a gate; docs/protocol/live.md.</summary>
internal sealed class LiveRecordReader
{
    // What fits a commit, and the texts of its channels.
    private const int MaxBlockBytes = 256 << 20;

    // A block's length may lie: memory is taken as the bytes come.
    private const int PieceBytes = 64 * 1024;

    private readonly Stream _stream;
    private byte[] _block = new byte[1024];
    private long _blocks;

    /// <exception cref="InvalidDataException">It does not begin as a record.</exception>
    internal LiveRecordReader(Stream stream)
    {
        _stream = stream;

        if (!TryReadBlock(out int length) || !_block.AsSpan(0, length).StartsWith(Magic))
        {
            throw Wrong("is no record of a gate");
        }

        FrameReader head = new(_block.AsSpan(0, length)[Magic.Length..]);
        Member = head.ReadText();

        if (!head.IsComplete)
        {
            throw Wrong("is no record of a gate");
        }
    }

    internal static ReadOnlySpan<byte> Magic => "gudp-live/1\0"u8;

    /// <summary>Whose steps they are.</summary>
    internal string Member { get; }

    /// <returns>False at the end, also a torn one.</returns>
    /// <exception cref="InvalidDataException">The block is not a step.</exception>
    internal bool TryRead(out Tag target, List<LiveInput> inputs)
    {
        inputs.Clear();
        target = default;

        if (!TryReadBlock(out int length))
        {
            return false;
        }

        FrameReader reader = new(_block.AsSpan(0, length));
        target = reader.ReadTag();
        ulong count = reader.ReadNumber();

        for (ulong i = 0; i < count && !reader.IsMalformed; i++)
        {
            Tag arrival = reader.ReadTag();
            string channel = reader.ReadText();
            inputs.Add(new LiveInput(channel, arrival, reader.ReadBlock().ToArray()));
        }

        return reader.IsComplete ? true : throw Wrong("is not a step");
    }

    private bool TryReadBlock(out int length)
    {
        Span<byte> head = stackalloc byte[sizeof(uint)];
        length = 0;

        if (_stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length)
        {
            return false;
        }

        uint announced = BinaryPrimitives.ReadUInt32BigEndian(head);

        if (announced > MaxBlockBytes)
        {
            throw Wrong($"has {announced} bytes, at most {MaxBlockBytes} are allowed");
        }

        _blocks++;

        while (length < announced)
        {
            int piece = Math.Min((int)announced - length, PieceBytes);

            if (_block.Length < length + piece)
            {
                Array.Resize(ref _block, Math.Max(length + piece, 2 * _block.Length));
            }

            int read = _stream.ReadAtLeast(_block.AsSpan(length, piece), piece, throwOnEndOfStream: false);
            length += read;

            if (read < piece)
            {
                return false;
            }
        }

        return true;
    }

    private InvalidDataException Wrong(string what) => new($"Block {_blocks} of the record {what}.");
}
