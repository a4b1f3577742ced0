using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Live;

/// <summary>Writes the steps of a gate; docs/protocol/live.md.</summary>
internal sealed class LiveRecordWriter
{
    private readonly Stream _stream;
    private bool _isTorn;
    private readonly FrameWriter _step = new();

    internal LiveRecordWriter(Stream stream, string member)
    {
        _stream = stream;
        _step.WriteBytes(LiveRecordReader.Magic);
        _step.WriteText(member);
        WriteBlock();
    }

    /// <exception cref="IOException">Also if an earlier step is not whole: what comes behind it would not be read.</exception>
    internal void Write(Tag target, List<LiveInput> inputs)
    {
        if (_isTorn)
        {
            throw new IOException("The record of the gate ended with a step that could not be written.");
        }

        _step.WriteTag(target);
        _step.WriteNumber((ulong)inputs.Count);

        foreach (LiveInput input in inputs)
        {
            _step.WriteTag(input.Arrival);
            _step.WriteText(input.Channel);
            _step.WriteBlock(input.Payload.Span);
        }

        WriteBlock();
    }

    private void WriteBlock()
    {
        Span<byte> length = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(length, (uint)_step.Length);
        _isTorn = true;
        _stream.Write(length);
        _stream.Write(_step.Written);
        _step.Clear();
        _isTorn = false;
    }
}
