// Where an application writes a message that is then sent as it lies: to one peer or to many, without another copy.
//
// Always true:
//   - it owns its block once, from the first byte asked for until it is cleared while others hold it, or disposed;
//   - what was sent does not change: from the first send on nothing is written until it is cleared;
//   - a block that anybody else still holds is left to them, and the next message gets another one.

using System;
using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Threading;
using Gudp.Core;
using Gudp.Messaging.Diagnostics;
using Gudp.Messaging.Memory;

namespace Gudp.Messaging;

/// <summary>
/// One message being written, in memory that the lanes which send it hold by reference (M26): encoders write into it,
/// then it is sent to any number of peers.
/// </summary>
/// <remarks>
/// <para>
/// Its memory is rented from the endpoint (MessagingConfig.EndpointMemoryBytes) and goes back when it is disposed and
/// the last peer it was sent to has settled, given up or ended. Once sent it is sealed; <see cref="Clear"/> begins the
/// next message.
/// </para>
/// <para>One thread writes, clears and disposes; once written, any thread may send it, but not beside those.</para>
/// </remarks>
/// <example><code>
/// using MessageBuffer buffer = new(endpoint);
/// using Utf8JsonWriter json = new(buffer);
/// JsonSerializer.Serialize(json, state);
/// endpoint.TrySend(peers, buffer, default, results);
/// </code></example>
public sealed class MessageBuffer : IBufferWriter<byte>, IDisposable
{
    private const int LeastBytes = 256;

    private readonly Lock _sealing = new();
    private readonly MessageMemory _memory;
    private readonly int _largestMessage;
    private SharedBlock? _block;
    private int _written;
    private int _isSealed;
    private bool _isDisposed;

    /// <summary>An empty buffer; memory is rented with the first byte.</summary>
    /// <param name="endpoint">Whose memory it uses; peers of other endpoints may be sent to all the same.</param>
    public MessageBuffer(MessageEndpoint endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        _memory = endpoint.Memory;
        _largestMessage = endpoint.LargestMessageBytes;
    }

    internal MessageBuffer(MessageMemory memory, int largestMessage)
    {
        _memory = memory;
        _largestMessage = largestMessage;
    }

    /// <summary>Bytes written so far.</summary>
    public int WrittenBytes => _written;

    /// <summary>What was written; valid until the buffer is cleared or disposed, and while nothing more is written.</summary>
    public ReadOnlySpan<byte> WrittenSpan => _block is { } block ? block.Bytes.AsSpan(0, _written) : default;

    /// <summary>Whether it was sent, so that nothing more is written until <see cref="Clear"/>.</summary>
    public bool IsSealed => Volatile.Read(ref _isSealed) != 0;

    /// <summary>Makes room, so that writing so much afterwards cannot fail.</summary>
    /// <param name="bytes">How many more bytes will be written; 0 or more.</param>
    /// <returns>
    /// <see cref="SendStatus.Accepted"/>; <see cref="SendStatus.TooLarge"/>: the message would be longer than
    /// MessagingConfig.MaxMessageBytes; <see cref="SendStatus.DaemonFull"/>: no memory within
    /// MessagingConfig.EndpointMemoryBytes. After a refusal the buffer is as it was.
    /// </returns>
    /// <exception cref="InvalidOperationException">It was sent and not cleared.</exception>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public SendStatus TryReserve(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ThrowIfNotWritable();
        int left = (_block?.Bytes.Length ?? 0) - _written;

        return bytes > _largestMessage - _written ? SendStatus.TooLarge
            : bytes <= left && _block is not null ? SendStatus.Accepted
            : TryGrow(_written + bytes);
    }

    /// <summary>Room to write to; then <see cref="Advance"/> says how much was written.</summary>
    /// <param name="sizeHint">Least bytes; 0 for any number above 0.</param>
    /// <exception cref="MessageRefusedException">
    /// Too large or no memory, see <see cref="TryReserve"/>, which refuses without an exception.
    /// </exception>
    /// <exception cref="InvalidOperationException">It was sent and not cleared.</exception>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        int least = Math.Max(1, sizeHint);
        SendStatus status = TryReserve(least);

        if (status != SendStatus.Accepted)
        {
            ThrowRefused(status, least);
        }

        return _block!.Bytes.AsMemory(_written);
    }

    /// <inheritdoc cref="GetMemory"/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Says how many bytes were written to what was lent last.</summary>
    /// <param name="count">0 to the length of that memory.</param>
    /// <exception cref="InvalidOperationException">It was sent and not cleared.</exception>
    /// <exception cref="MessageRefusedException">More than MessagingConfig.MaxMessageBytes.</exception>
    public void Advance(int count)
    {
        ThrowIfNotWritable();
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, (_block?.Bytes.Length ?? 0) - _written);

        if (count > _largestMessage - _written)
        {
            ThrowRefused(SendStatus.TooLarge, count);
        }

        _written += count;
    }

    /// <summary>Begins the next message. What was sent is not touched.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public void Clear()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);

        if (_block is { } block && (IsSealed && block.Owners > 1))
        {
            _block = null;
            block.Release();
        }

        _written = 0;
        Volatile.Write(ref _isSealed, 0);
    }

    /// <summary>Gives its share of the memory back. What was sent still goes out. Again it does nothing.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _written = 0;

        if (_block is { } block)
        {
            _block = null;
            block.Release();
        }
    }

    /// <summary>The block to send from; sealed before anybody shares it.</summary>
    /// <returns>Accepted; or DaemonFull: there is no memory even for an empty message.</returns>
    internal SendStatus TrySeal(out SharedBlock? block)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);

        // Several threads may send it for the first time.
        lock (_sealing)
        {
            if (!IsSealed)
            {
                SendStatus rented = _block is null ? TryGrow(LeastBytes) : SendStatus.Accepted;

                if (rented != SendStatus.Accepted)
                {
                    block = null;
                    return rented;
                }

                _block!.SetLength(_written);
                Volatile.Write(ref _isSealed, 1);
            }

            block = _block;
            return SendStatus.Accepted;
        }
    }

    private SendStatus TryGrow(int bytes)
    {
        int doubled = (int)Math.Min(_largestMessage, 2L * (_block?.Bytes.Length ?? 0));
        SendStatus status = _memory.TryRentShared(
            Math.Max(Math.Max(LeastBytes, bytes), doubled), out SharedBlock? grown);

        if (status != SendStatus.Accepted)
        {
            return status;
        }

        if (_block is { } block)
        {
            Invariant.Require(block.Owners == 1, "What others hold is not written to.");
            block.Bytes.AsSpan(0, _written).CopyTo(grown!.Bytes);
            block.Release();
        }

        _block = grown;
        return SendStatus.Accepted;
    }

    private void ThrowIfNotWritable()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);

        if (IsSealed)
        {
            throw new InvalidOperationException("The message was sent; Clear begins the next one.");
        }
    }

    [DoesNotReturn]
    private void ThrowRefused(SendStatus status, int more)
        => throw new MessageRefusedException(status, _written + more);
}
