using System.Text;

namespace Gudp.Core;

/// <summary>
/// A connection's status as it was at the moment of reading (S-8). <c>default</c> is a connection that just began.
/// </summary>
public readonly record struct ConnectionStatus
{
    private readonly uint _word;

    internal ConnectionStatus(uint word) => _word = word;

    /// <summary>All of it as one number.</summary>
    internal uint Word => _word;

    /// <summary>True once the connection has ended; then it stays so for ever (G12).</summary>
    public bool IsFinal => _word >= StatusWord.LowestFinalBit;

    /// <summary>Why it ended; None while it has not.</summary>
    public FinalReasons Reasons => (FinalReasons)(_word & StatusWord.FinalMask);

    /// <summary>True while packets can be exchanged: the handshake is done and the connection has not ended.</summary>
    public bool IsOpen => !IsFinal && WasOpen;

    /// <summary>
    /// True once the handshake was done, also after the end: tells a lost connection from one never made.
    /// </summary>
    public bool WasOpen => (_word & StatusWord.OpenBit) != 0;

    /// <summary>How well the path carries what is sent; after the end, the last level.</summary>
    public CongestionLevel Congestion => (CongestionLevel)(_word & StatusWord.CongestionMask);

    /// <summary>
    /// How full the send queue is, this side's own limits taken (<c>Connections.Queues</c>, or those of the layer on
    /// top); after the end, the last level.
    /// </summary>
    public SendQueueLevel SendQueueLevel
        => (SendQueueLevel)((_word & StatusWord.SendQueueMask) >> StatusWord.SendQueueShift);

    /// <summary>True once the peer has proven to receive at the address packets go to; false while that is tested
    /// anew.</summary>
    public bool IsPathValidated => (_word & StatusWord.PathValidatedBit) != 0;

    /// <summary>True while packets are smaller than they once were on this path: it carries less than it did.</summary>
    public bool IsPacketSizeReduced => (_word & StatusWord.PacketSizeReducedBit) != 0;

    /// <summary>
    /// True while the peer is silent although it was asked to say something: the first sign of a dead or cut peer,
    /// long before <c>Connections.IdleTimeout</c>. Cleared by the next valid packet.
    /// </summary>
    public bool IsPeerSilent => (_word & StatusWord.PeerSilentBit) != 0;

    /// <summary>
    /// As "Connecting", "Open, Busy, SendQueueFull, PeerSilent" or "Ended: ClosedByPeer". Cold path: allocates.
    /// </summary>
    public override string ToString()
    {
        if (IsFinal)
        {
            return $"Ended: {Reasons}";
        }

        StringBuilder text = new(IsOpen ? $"Open, {Congestion}" : "Connecting");

        if (SendQueueLevel != SendQueueLevel.Clear)
        {
            text.Append(", SendQueue").Append(SendQueueLevel);
        }

        if (IsOpen && !IsPathValidated)
        {
            text.Append(", PathUnvalidated");
        }

        if (IsPacketSizeReduced)
        {
            text.Append(", PacketSizeReduced");
        }

        if (IsPeerSilent)
        {
            text.Append(", PeerSilent");
        }

        return text.ToString();
    }

    /// <summary>True if this and the other differ in one of the levels named, or in the reasons of the end.</summary>
    internal bool DiffersFrom(ConnectionStatus other, StatusMask mask)
        => ((_word ^ other._word) & (StatusWord.FinalMask | (uint)mask)) != 0;
}
