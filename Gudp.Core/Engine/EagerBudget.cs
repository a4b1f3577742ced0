namespace Gudp.Core.Engine;

/// <summary>
/// Keeps content that is offered again without proof of loss under a quarter of what is sent, so that eager resend can
/// never be what clogs a path. Old traffic counts for less and less.
/// </summary>
/// <remarks>
/// Always true: four times the eager bytes do not exceed the sent bytes, in which a small gift is included so that a
/// fresh connection has the benefit for its first packets; but for one packet of before the packet size was reduced,
/// which the following ones make up for.
/// </remarks>
internal sealed class EagerBudget
{
    private const int Share = 4;

    // Three packets of 1,200 bytes may be repeated before a quarter of anything is known.
    private const long GiftBytes = Share * 3 * 1200;

    // Beyond this both sums are halved: a burst of an hour ago earns nothing now.
    private const long MemoryBytes = 1 << 18;

    private long _sentBytes = GiftBytes;
    private long _eagerBytes;

    /// <summary>True if a packet of this length may be repeated now.</summary>
    internal bool Allows(int bytes) => Share * (_eagerBytes + bytes) <= _sentBytes;

    /// <summary>A packet went out, whatever is in it.</summary>
    internal void OnSent(int bytes)
    {
        _sentBytes += bytes;

        if (_sentBytes > MemoryBytes)
        {
            _sentBytes /= 2;
            _eagerBytes /= 2;
        }
    }

    /// <summary>
    /// Content of a packet of this length was offered again; only if <see cref="Allows"/> says so for a packet of the
    /// present size.
    /// </summary>
    internal void OnOffered(int bytes)
    {
        Invariant.Require(Allows(0), "Eager resend must stay under its share.");
        _eagerBytes += bytes;
    }
}
