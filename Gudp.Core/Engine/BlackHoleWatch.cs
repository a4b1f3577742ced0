// Tells a path that has shrunk from one that is congested (RFC 8899 section 4.3, P-9.3).
//
// Congestion takes packets of every size, a shrunken path those above some size, all of them and always. So a burst of
// losses is suspicious if every packet in it was larger than what each path carries, and it clears when a packet of
// such a size is acknowledged. Three suspicious bursts in a row are believed. What is lost of one flight counts once,
// however many acknowledgements bring the news.
//
// A peer without room refuses packets that bring content, large ones above all, and that looks the same (P-8.8). So each
// suspicion asks for a proof: a packet of the size without content, which nobody refuses.
//
// Always true: a burst is counted only if all of it left after the burst before was noticed.

using System;

namespace Gudp.Core.Engine;

/// <summary>Notices that a path no longer carries packets of the size in use; see the comment on top.</summary>
internal sealed class BlackHoleWatch
{
    /// <summary>So many bursts of large packets alone, and none of them arrived between.</summary>
    internal const int BurstsToBelieve = 3;

    private int _bursts;
    private int _leastLostBytes = int.MaxValue;
    private Instant _countedAt = new(long.MinValue);
    private int _burstBytes = int.MaxValue;     // the smallest of the burst being told; max: none
    private bool _hasSmall;

    /// <summary>True while large packets were lost and none arrived since: small ones should be tried beside.</summary>
    internal bool IsSuspicious => _bursts > 0;

    /// <summary>True once per suspicious burst: send a packet of the size in use that has no content.</summary>
    internal bool WantsProof { get; private set; }

    internal void OnProofSent() => WantsProof = false;

    /// <summary>A packet that was no probe of the size is lost.</summary>
    internal void OnLost(int bytes, Instant sentAt)
    {
        if (bytes <= PathProbe.LeastBytes)
        {
            _hasSmall = true;
        }
        else if (sentAt > _countedAt)
        {
            _burstBytes = Math.Min(_burstBytes, bytes);
        }
    }

    /// <summary>A packet arrived.</summary>
    internal void OnAcked(int bytes)
    {
        if (bytes >= _leastLostBytes)
        {
            Restart();
        }
    }

    /// <summary>All losses that one event showed were told.</summary>
    /// <returns>True if the path is believed to have shrunk; the watch then begins anew.</returns>
    internal bool EndBurst(Instant now)
    {
        bool isSuspicious = _burstBytes != int.MaxValue && !_hasSmall;
        int bytes = _burstBytes;
        _burstBytes = int.MaxValue;
        _hasSmall = false;

        if (!isSuspicious)
        {
            return false;
        }

        _bursts++;
        _leastLostBytes = Math.Min(_leastLostBytes, bytes);
        _countedAt = now;

        if (_bursts < BurstsToBelieve)
        {
            WantsProof = true;
            return false;
        }

        Restart();
        return true;
    }

    /// <summary>Another path, or proof that this one carries what was lost.</summary>
    internal void Restart()
    {
        _bursts = 0;
        WantsProof = false;
        _leastLostBytes = int.MaxValue;
    }
}
