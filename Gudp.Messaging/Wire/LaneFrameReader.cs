using System;
using Gudp.Core;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging.Wire;

/// <summary>
/// Forward-only reader over the frames of one packet. After <see cref="TryNext"/> returned false, ask
/// <see cref="IsMalformed"/>: a packet is consumed to its last byte or is malformed, there is no third outcome.
/// </summary>
internal ref struct LaneFrameReader
{
    /// <summary>
    /// Lane numbers beyond this are malformed wherever they stand; the agreed number of lanes is lower.
    /// </summary>
    internal const int MostLanes = LaneSet.MostLanes;

    private ReadOnlySpan<byte> _rest;

    internal LaneFrameReader(ReadOnlySpan<byte> frames) => _rest = frames;

    internal bool IsMalformed { get; private set; }

    /// <summary>Whether what is malformed is a type that neither is known nor may be passed over.</summary>
    internal bool IsUnknownType { get; private set; }

    /// <summary>Frames passed over because their type leaves that open.</summary>
    internal int Skipped { get; private set; }

    internal bool TryNext(out LaneFrame frame)
    {
        while (!_rest.IsEmpty && !IsMalformed)
        {
            if (!TryNumber(out long type))
            {
                break;
            }

            if (type is >= (long)FrameType.FirstSkippable and <= (long)FrameType.LastSkippable)
            {
                Skipped += TryContent(out _) ? 1 : 0;
                continue;
            }

            if (TryBody(type, out frame))
            {
                return true;
            }

            IsMalformed = true;
        }

        frame = default;
        return false;
    }

    private bool TryBody(long type, out LaneFrame frame)
    {
        frame = default;

        return type switch
        {
            (long)FrameType.LaneOpen => TryLaneOpen(out frame),
            (long)FrameType.LaneData => TryLaneData(out frame),
            (long)FrameType.ConnectionCredit => TryConnectionCredit(out frame),
            (long)FrameType.LaneCredit
                or (long)FrameType.LaneBlocked
                or (long)FrameType.LaneTaken
                or (long)FrameType.LaneSettled => TryLaneOffset((FrameType)type, out frame),
            (long)FrameType.Message => TryMessage(out frame),
            (long)FrameType.Fragment => TryFragment(out frame),
            (long)FrameType.LaneSkip => TryLaneSkip(out frame),
            (long)FrameType.MessagesTaken
                or (long)FrameType.MessagesRefused => TryIdRanges((FrameType)type, out frame),
            _ => IsUnknown(),
        };
    }

    private bool IsUnknown()
    {
        IsUnknownType = true;
        return false;
    }

    private bool TryLaneOpen(out LaneFrame frame)
    {
        frame = default;

        // Mode, priority, weight.
        if (!TryLane(out int lane) || _rest.Length < 3)
        {
            return false;
        }

        frame = new LaneFrame { Type = FrameType.LaneOpen, Lane = lane, Code = _rest[0] };
        _rest = _rest[3..];
        return true;
    }

    private bool TryLaneData(out LaneFrame frame)
    {
        frame = default;

        if (!TryLane(out int lane) || !TryNumber(out long offset) || !TryContent(out ReadOnlySpan<byte> content))
        {
            return false;
        }

        // 62 bits and the length of a packet: the sum fits.
        frame = new LaneFrame
        {
            Type = FrameType.LaneData,
            Lane = lane,
            Offset = offset,
            End = offset + content.Length,
            Content = content,
        };
        return true;
    }

    private bool TryConnectionCredit(out LaneFrame frame)
    {
        bool whole = TryNumber(out long limit);
        frame = new LaneFrame { Type = FrameType.ConnectionCredit, Offset = limit };
        return whole;
    }

    private bool TryLaneOffset(FrameType type, out LaneFrame frame)
    {
        frame = default;

        if (!TryLane(out int lane) || !TryNumber(out long offset))
        {
            return false;
        }

        frame = new LaneFrame { Type = type, Lane = lane, Offset = offset };
        return true;
    }

    private bool TryMessage(out LaneFrame frame)
    {
        frame = default;

        if (!TryLane(out int lane) || !TryNumber(out long id) || !TryFlags(out byte flags)
            || !TryContent(out ReadOnlySpan<byte> content))
        {
            return false;
        }

        frame = new LaneFrame
        {
            Type = FrameType.Message,
            Lane = lane,
            Offset = id,
            Code = flags,
            Total = content.Length,
            Content = content,
        };
        return true;
    }

    private bool TryFragment(out LaneFrame frame)
    {
        frame = default;

        if (!TryLane(out int lane) || !TryNumber(out long id) || !TryFlags(out byte flags)
            || !TryNumber(out long total) || !TryNumber(out long offset)
            || !TryContent(out ReadOnlySpan<byte> content))
        {
            return false;
        }

        // D-9.2; 62 bits and the length of a packet: the sum fits.
        if (content.IsEmpty || offset + content.Length > total)
        {
            return false;
        }

        frame = new LaneFrame
        {
            Type = FrameType.Fragment,
            Lane = lane,
            Offset = id,
            Code = flags,
            Start = offset,
            Total = total,
            Content = content,
        };
        return true;
    }

    private bool TryLaneSkip(out LaneFrame frame)
    {
        frame = default;

        if (!TryLane(out int lane) || !TryNumber(out long from) || !TryNumber(out long to)
            || !TryNumber(out long charged) || to <= from)
        {
            return false;
        }

        frame = new LaneFrame
        {
            Type = FrameType.LaneSkip,
            Lane = lane,
            Offset = from,
            End = to,
            Total = charged,
        };
        return true;
    }

    private bool TryIdRanges(FrameType type, out LaneFrame frame)
    {
        frame = default;

        if (!TryLane(out int lane))
        {
            return false;
        }

        ReadOnlySpan<byte> body = _rest;

        if (!IdRangeReader.TryMeasure(body, out int bodyBytes, out long largest))
        {
            return false;
        }

        frame = new LaneFrame { Type = type, Lane = lane, Offset = largest, Content = body[..bodyBytes] };
        _rest = body[bodyBytes..];
        return true;
    }

    private bool TryLane(out int lane)
    {
        bool known = TryNumber(out long value) && value < MostLanes;
        lane = known ? (int)value : 0;
        return known;
    }

    private bool TryFlags(out byte flags)
    {
        flags = 0;

        if (_rest.IsEmpty || _rest[0] > 1)
        {
            return false;
        }

        flags = _rest[0];
        _rest = _rest[1..];
        return true;
    }

    private bool TryContent(out ReadOnlySpan<byte> content)
    {
        content = default;

        if (!TryNumber(out long length))
        {
            return false;
        }

        if (length > _rest.Length)
        {
            IsMalformed = true;
            return false;
        }

        content = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return true;
    }

    private bool TryNumber(out long value)
    {
        int bytes = VarInt.TryRead(_rest, out ulong read);
        value = (long)read;
        _rest = _rest[bytes..];
        IsMalformed |= bytes == 0;
        return bytes != 0;
    }
}
