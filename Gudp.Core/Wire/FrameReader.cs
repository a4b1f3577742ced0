using System;

namespace Gudp.Core.Wire;

/// <summary>
/// Walks over Core's frames of one packet and stops where the payload layer's begin (W-3.2). After
/// <see cref="TryNext"/> returned false the packet is either malformed or, up to <see cref="Payload"/>, consumed.
/// </summary>
/// <remarks>
/// Walking changes nothing, so a packet can be walked twice: once to check all of it, then to take it.
/// </remarks>
internal ref struct FrameReader
{
    private readonly ReadOnlySpan<byte> _frames;
    private int _offset;

    /// <param name="frames">What lies between header and trailer.</param>
    internal FrameReader(ReadOnlySpan<byte> frames) => _frames = frames;

    /// <summary>The walk ended at a frame that breaks a rule. Nothing of the packet may be taken then.</summary>
    internal bool IsMalformed { get; private set; }

    /// <summary>Type of the frame that broke a rule; 0 if not even the type could be read.</summary>
    internal ulong MalformedType { get; private set; }

    /// <summary>The malformed frame has a type that Core does not know: UnknownFrame, not MalformedFrame.</summary>
    internal readonly bool IsUnknownType => IsMalformed && !Frame.IsKnown(MalformedType);

    /// <summary>Where the walk stands: the start of the next frame, of the malformed one or of the payload.</summary>
    internal readonly int Offset => _offset;

    /// <summary>The payload layer's frames; empty before the walk has ended, and if malformed.</summary>
    internal ReadOnlySpan<byte> Payload { get; private set; }

    internal bool TryNext(out Frame frame)
    {
        frame = default;
        ReadOnlySpan<byte> rest = _frames[_offset..];

        if (rest.IsEmpty || IsMalformed)
        {
            return false;
        }

        int typeBytes = FrameType.TryRead(rest, out ulong type);

        if (typeBytes == 0)
        {
            IsMalformed = true;
            return false;
        }

        if (type >= FrameType.FirstPayload)
        {
            Payload = rest;
            return false;
        }

        int bodyBytes = Frame.TryRead((byte)type, rest[typeBytes..], out frame);

        if (bodyBytes < 0)
        {
            IsMalformed = true;
            MalformedType = type;
            frame = default;
            return false;
        }

        _offset += typeBytes + bodyBytes;
        return true;
    }
}
