using System;

namespace Gudp.Core.Congestion;

/// <summary>
/// The share of packets that the path loses whatever is sent: the smallest share of the last blocks of packets. The
/// smallest, since what a full queue drops comes and goes with the queue, and must not be taken for chance: a sender that
/// sent more to make up for that would keep the queue full (P-5.6). Integers only.
/// </summary>
internal sealed class ChanceLoss
{
    // Of so many packets a fifth lost is measured to 2.5 in a hundred; at 64 kB/s they take six seconds.
    private const int PacketsPerBlock = 256;
    private const int Million = 1_000_000;
    private const int Unknown = Million;

    private long _delivered;
    private long _lost;
    private int _lastBlock = Unknown;
    private int _blockBefore = Unknown;

    /// <summary>Per million; 0 while nothing is known.</summary>
    /// <param name="most">Not more than this.</param>
    internal int Ppm(int most)
    {
        int known = Math.Min(_lastBlock, _blockBefore);
        return Math.Min(known == Unknown ? Share() : known, most);
    }

    /// <summary>Takes the bytes of one report in.</summary>
    internal void OnReport(int acked, int lost, int packetBytes)
    {
        _delivered += acked;
        _lost += lost;

        if (_delivered + _lost >= (long)PacketsPerBlock * packetBytes)
        {
            _blockBefore = _lastBlock;
            _lastBlock = Share();
            _delivered = 0;
            _lost = 0;
        }
    }

    private int Share()
    {
        long all = _delivered + _lost;
        return all == 0 ? 0 : (int)((Int128)_lost * Million / all);
    }
}
