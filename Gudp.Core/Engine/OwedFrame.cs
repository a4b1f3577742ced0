namespace Gudp.Core.Engine;

/// <summary>
/// A frame of Core's own that must arrive: owed until it is written into a packet, owed again if that one is lost, and
/// settled when one is acknowledged.
/// </summary>
internal struct OwedFrame
{
    // One above the number, so that the default means: in no packet.
    private long _sentIn;
    private bool _isWanted;

    /// <summary>True if the next packet should carry it.</summary>
    internal readonly bool IsOwed => _isWanted && _sentIn == 0 && !IsSettled;

    /// <summary>True once the peer has it.</summary>
    internal bool IsSettled { get; private set; }

    internal void Owe() => _isWanted = true;

    internal void OnWritten(PacketNumber packet) => _sentIn = packet.Value + 1;

    /// <returns>True if it was this packet that settled it.</returns>
    internal bool OnAcked(long packet)
    {
        bool settles = _sentIn == packet + 1 && !IsSettled;
        IsSettled |= settles;
        return settles;
    }

    internal void OnLost(long packet)
    {
        if (_sentIn == packet + 1)
        {
            _sentIn = 0;
        }
    }

    /// <summary>A probe goes out and may as well carry it once more.</summary>
    internal void OnProbe() => _sentIn = 0;
}
