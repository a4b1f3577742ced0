using System;
using System.Buffers.Binary;
using System.Text;
using Gudp.Core;

namespace Gudp.Sequencing.Wire;

/// <summary>
/// Forward-only reader of untrusted bytes. A read past the end or of a wrong value gives a default and sets
/// <see cref="IsMalformed"/> for good, so a caller reads a whole layout and asks once.
/// </summary>
internal ref struct FrameReader(ReadOnlySpan<byte> source)
{
    /// <summary>Names and reasons; nothing longer is worth a string (clause ).</summary>
    internal const int MaxTextBytes = 1024;

    private static readonly UTF8Encoding Strict = new(false, true);

    private ReadOnlySpan<byte> _rest = source;

    internal bool IsMalformed { get; private set; }

    internal readonly int Remaining => _rest.Length;

    internal readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>Whether everything was read, and nothing wrong.</summary>
    internal readonly bool IsComplete => !IsMalformed && _rest.IsEmpty;

    internal byte ReadByte()
    {
        ReadOnlySpan<byte> taken = Take(1);
        return taken.IsEmpty ? (byte)0 : taken[0];
    }

    internal ulong ReadNumber()
    {
        int bytes = VarInt.TryRead(_rest, out ulong value);

        if (bytes == 0)
        {
            Fail();
            return 0;
        }

        _rest = _rest[bytes..];
        return value;
    }

    /// <summary>A number that must not be above <paramref name="most"/>.</summary>
    internal ulong ReadNumber(ulong most)
    {
        ulong value = ReadNumber();

        if (value > most)
        {
            Fail();
            return 0;
        }

        return value;
    }

    internal int ReadInt32() => (int)ReadNumber(int.MaxValue);

    internal ulong ReadUInt64()
    {
        ReadOnlySpan<byte> taken = Take(8);
        return taken.IsEmpty ? 0 : BinaryPrimitives.ReadUInt64BigEndian(taken);
    }

    internal ReadOnlySpan<byte> ReadBytes(int count) => Take(count);

    internal ReadOnlySpan<byte> ReadBlock() => Take((int)ReadNumber(int.MaxValue));

    internal ReadOnlySpan<byte> ReadRest() => Take(_rest.Length);

    internal string ReadText(int maxBytes = MaxTextBytes)
    {
        ReadOnlySpan<byte> text = ReadBlock();

        if (text.Length > maxBytes || !IsUtf8(text))
        {
            Fail();
            return "";
        }

        return Strict.GetString(text);
    }

    internal Tag ReadTag()
    {
        long time = (long)ReadUInt64();
        return new Tag(time, (uint)ReadNumber(uint.MaxValue));
    }

    internal Delay ReadDelay()
    {
        long ticks = (long)ReadNumber();
        return Delay.Of(ticks, (uint)ReadNumber(uint.MaxValue));
    }

    /// <summary>The tag that far after <paramref name="start"/>; clause .</summary>
    internal Tag ReadDistance(Tag start)
    {
        ulong ticks = ReadNumber();
        ulong round = ReadNumber(uint.MaxValue);
        ulong time = unchecked((ulong)start.Time + ticks);
        round += ticks == 0 ? start.Round : 0;

        // No honest writer's bytes wrap or reach infinity, which is never written as a distance.
        if ((long)time < start.Time || (long)time > Tag.MaxTime || round > uint.MaxValue)
        {
            Fail();
            return start;
        }

        return new Tag((long)time, (uint)round);
    }

    /// <summary>The tag that far before <paramref name="end"/>; clause .</summary>
    internal Tag ReadDistanceBack(Tag end)
    {
        ulong ticks = ReadNumber();
        ulong round = ReadNumber(uint.MaxValue);
        long time = unchecked((long)((ulong)end.Time - ticks));

        if (time > end.Time || (ticks == 0 && round > end.Round))
        {
            Fail();
            return end;
        }

        return new Tag(time, ticks > 0 ? (uint)round : end.Round - (uint)round);
    }

    internal void Fail()
    {
        IsMalformed = true;
        _rest = default;
    }

    private static bool IsUtf8(ReadOnlySpan<byte> text) => System.Text.Unicode.Utf8.IsValid(text);

    private ReadOnlySpan<byte> Take(int bytes)
    {
        if (bytes > _rest.Length)
        {
            Fail();
            return default;
        }

        ReadOnlySpan<byte> taken = _rest[..bytes];
        _rest = _rest[bytes..];
        return taken;
    }
}
