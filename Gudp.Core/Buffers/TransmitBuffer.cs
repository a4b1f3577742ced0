using System;

namespace Gudp.Core.Buffers;

/// <summary>
/// What the leader builds the datagrams of a turn into, back to back, so that one call may send several.
/// </summary>
internal sealed class TransmitBuffer
{
    private const int SizeBytes = 64 * 1024;

    // Pinned: the system reads from it directly, and moving it would cost more than it saves.
    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(SizeBytes, pinned: true);

    internal int Capacity => _bytes.Length;

    internal Span<byte> Span => _bytes;
}
