using System;
using System.Runtime.Intrinsics;
using Gudp.Core;

namespace Gudp.Messaging.Lanes;

/// <summary>Messages of one sender on their way into an ordered lane, as they will stand in its stream.</summary>
/// <remarks>
/// The thread whose batch is open; between batches nobody's, under the lane's lock. Always true: used &lt;= promised
/// &lt;= the block, and the lane keeps as much room free as is promised, so what stands here is accepted.
/// </remarks>
internal sealed class BatchRoom(byte[] block)
{
    /// <summary>
    /// So much is handed over at once: some hundred small messages, and little enough to stay near the processor.
    /// </summary>
    internal const int MostBytes = 16 * 1024;

    private int _promised;

    internal byte[] Block => block;

    /// <summary>Names the batch that is open: what is left of an older one has another number. Even: none is.</summary>
    internal long Number { get; private set; }

    internal bool IsOpen => (Number & 1) != 0;

    /// <summary>Bytes of the lane's room that are kept for what comes here.</summary>
    internal int Promised => _promised;

    /// <summary>Bytes that stand here, headers included.</summary>
    internal int Used { get; private set; }

    internal int Messages { get; private set; }

    internal ReadOnlySpan<byte> Content => block.AsSpan(0, Used);

    /// <summary>Bytes of the messages without their headers.</summary>
    internal int MessageBytes { get; private set; }

    /// <summary>Bytes that were handed over beside this room, and that the leader was not told of.</summary>
    internal int UntoldBytes { get; set; }

    internal void Open() => Number++;

    internal void Close() => Number++;

    /// <summary>Empty, with room for so many bytes.</summary>
    internal void Promise(int bytes)
    {
        _promised = bytes;
        Used = 0;
        Messages = 0;
        MessageBytes = 0;
    }

    /// <summary>Copies a message in, behind its header.</summary>
    /// <returns>False: it has no room.</returns>
    internal bool TryAdd(ReadOnlySpan<byte> message)
    {
        // Compared without a sum: a message may be as long as it likes.
        if (message.Length > _promised - Used - VarInt.MaxBytes)
        {
            return false;
        }

        Span<byte> room = block.AsSpan(Used);
        int header = VarInt.Write(room, (ulong)message.Length * 2);
        Copy(message, room[header..]);
        Used += header + message.Length;
        MessageBytes += message.Length;
        Messages++;
        return true;
    }

    // Most are short, and then the way into the general copy costs more than the copy: two steps that overlap cover all
    // lengths up to twice a step's.
    private static void Copy(ReadOnlySpan<byte> message, Span<byte> room)
    {
        const int step = 32;

        if (message.Length is >= step and <= 2 * step)
        {
            Vector256<byte> last = Vector256.Create(message[^step..]);
            Vector256.Create(message).CopyTo(room);
            last.CopyTo(room[(message.Length - step)..]);
        }
        else
        {
            message.CopyTo(room);
        }
    }
}
