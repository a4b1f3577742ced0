namespace Gudp.Core;

/// <summary>
/// A connection's status as it was at the moment of reading. <c>default</c> is a connection that just began.
/// </summary>
public readonly record struct ConnectionStatus
{
    private readonly uint _word;

    internal ConnectionStatus(uint word) => _word = word;

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

    /// <summary>True once the peer has proven to receive at its address.</summary>
    public bool PathValidated => (_word & StatusWord.PathValidatedBit) != 0;

    /// <summary>True while a heartbeat of the peer is overdue.</summary>
    public bool PeerSilent => (_word & StatusWord.PeerSilentBit) != 0;

    /// <summary>How full the send queue is: 0 below a quarter, to 3 from three quarters on.</summary>
    public int SendQueueLevel => (int)((_word & StatusWord.SendQueueMask) >> StatusWord.SendQueueShift);

    /// <summary>As "Connecting", "Open, Busy" or "Ended: ClosedByPeer". Cold path: allocates.</summary>
    public override string ToString()
        => IsFinal ? $"Ended: {Reasons}" : IsOpen ? $"Open, {Congestion}" : "Connecting";
}
