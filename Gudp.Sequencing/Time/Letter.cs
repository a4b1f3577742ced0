using System;
using System.Buffers;

namespace Gudp.Sequencing.Time;

/// <summary>
/// A published payload in pooled memory, shared by the inboxes of all its receivers and by the log. It starts with no
/// holder; who drops it last gives its memory back.
/// </summary>
internal sealed class Letter
{
    private readonly LetterPool? _pool;
    private byte[] _buffer;
    private int _length;
    private int _holders;

    internal Letter(int channel, ReadOnlySpan<byte> payload)
        : this(null, ArrayPool<byte>.Shared.Rent(payload.Length)) => Fill(channel, payload);

    /// <summary>For <see cref="LetterPool"/> only.</summary>
    internal Letter(LetterPool? pool, byte[] buffer)
    {
        _pool = pool;
        _buffer = buffer;
    }

    /// <summary>Index of the channel in the run.</summary>
    internal int Channel { get; private set; }

    internal ReadOnlySpan<byte> Payload => _buffer.AsSpan(0, _length);

    internal int Length => _length;

    /// <summary>What its memory takes, whatever is in it.</summary>
    internal int Capacity => _buffer.Length;

    internal void Hold() => _holders++;

    internal void Release()
    {
        Invariant.Require(_holders > 0, "A letter is released once by each that holds it.");

        if (--_holders > 0)
        {
            return;
        }

        if (_pool is not null)
        {
            _pool.OnReleased(this);
        }
        else
        {
            DropBuffer();
        }
    }

    /// <summary>Puts a payload into a letter that nobody holds.</summary>
    internal void Fill(int channel, ReadOnlySpan<byte> payload)
    {
        Invariant.Require(_holders == 0, "A letter that is held never changes.");

        Channel = channel;
        _length = payload.Length;
        payload.CopyTo(_buffer);
    }

    /// <summary>Takes memory from the system's pool; it had none.</summary>
    internal void Reserve(int bytes) => _buffer = ArrayPool<byte>.Shared.Rent(bytes);

    /// <summary>Gives its memory to the system's pool.</summary>
    internal void DropBuffer()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _length = 0;
    }
}
