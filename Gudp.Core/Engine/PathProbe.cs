// How large a datagram the path carries: DPLPMTUD of RFC 8899, clauses P-9.1 to P-9.4.
//
// A search keeps two bounds: what was carried (PacketBytes) and what was not (_refusedFrom). Each probe is a packet of
// its own that carries nothing, so losing it costs nothing: an acknowledgement raises the lower bound, three losses of
// one size lower the upper one. The most allowed is tried first, then the sizes real networks have, by halving over
// the list, then halving between the bounds until what could be gained is not worth a packet.
//
// Always true:
//   - 1200 <= PacketBytes <= the most allowed, and PacketBytes < _refusedFrom;
//   - at most one probe is on its way, and one is larger than PacketBytes;
//   - a deadline is set only while the search rests below the most allowed.

using System;
using Gudp.Core.Wire;

namespace Gudp.Core.Engine;

/// <summary>Searches the largest datagram of one path; see the comment on top. Pure: facts in, sizes out.</summary>
internal sealed class PathProbe
{
    /// <summary>So many losses of one size mean that the path does not carry it (RFC 8899 MAX_PROBES).</summary>
    internal const int MaxLossesOfOneSize = 3;

    /// <summary>Every path is taken to carry this (RFC 9000 section 14, RFC 8899 BASE_PLPMTU).</summary>
    internal const int LeastBytes = WireFormat.MinimumHelloBytes;

    private const int LeastGainBytes = 16;
    private const int LeastGainShare = 32;
    private const long NoProbe = -1;

    private readonly TimeSpan _raiseInterval;
    private int _startBytes;
    private int _mostBytes;
    private int _refusedFrom;       // the path does not carry this and more; one above the most while nothing failed
    private int _bestBytes;         // the largest that was in use on this path
    private int _probedBytes;       // the size being tried
    private int _losses;            // of that size
    private long _refusedBefore;    // packets below left before the system last refused a size
    private long _probeNumber = NoProbe;

    /// <param name="raiseInterval">How long a search that ended below the most rests before the next.</param>
    internal PathProbe(TimeSpan raiseInterval)
    {
        _raiseInterval = raiseInterval;
        _startBytes = LeastBytes;
        Start(LeastBytes, LeastBytes);
    }

    // What networks carry, less the headers of IP and UDP: tunnels and the least of IPv6, PPPoE, Ethernet, jumbo
    // frames and the loopback, over IPv4 and over IPv6.
    private static ReadOnlySpan<int> UsualBytes =>
        [1_232, 1_252, 1_352, 1_372, 1_444, 1_452, 1_464, 1_472, 8_952, 8_972, 65_488, 65_507];

    /// <summary>The largest datagram to send now.</summary>
    internal int PacketBytes { get; private set; }

    /// <summary>The size to probe now; 0 while a probe is on its way or the search rests.</summary>
    internal int WantedBytes => _probeNumber == NoProbe ? _probedBytes : 0;

    /// <summary>The probe on its way; -1 if there is none.</summary>
    internal PacketNumber OnItsWay => new(_probeNumber);

    /// <summary>True while packets are smaller than they were on this path (for the status word).</summary>
    internal bool IsReduced => PacketBytes < _bestBytes;

    /// <summary>When a rested search begins anew (RFC 8899 PMTU_RAISE_TIMER).</summary>
    internal Instant NextDeadline { get; private set; } = Instant.Never;

    /// <summary>The bounds have become known: begins with the first of them and searches up to the second.</summary>
    internal void Start(int startBytes, int mostBytes)
    {
        Invariant.Require(startBytes >= LeastBytes && mostBytes >= startBytes, "A search goes upwards from 1200.");
        _startBytes = startBytes;
        _mostBytes = mostBytes;
        Restart();
    }

    /// <summary>Another path: nothing is known of it.</summary>
    internal void Restart()
    {
        PacketBytes = _startBytes;
        _bestBytes = _startBytes;
        Search();
    }

    /// <summary>The wanted probe left in this packet.</summary>
    internal void OnSent(PacketNumber number)
    {
        Invariant.Require(WantedBytes > 0, "Only a wanted probe is sent.");
        _probeNumber = number.Value;
    }

    /// <summary>A probe arrived, in time or late.</summary>
    /// <returns>True if <see cref="PacketBytes"/> changed.</returns>
    internal bool OnAcked(PacketNumber number, int bytes, Instant now)
    {
        bool isCurrent = number.Value == _probeNumber;
        _probeNumber = isCurrent ? NoProbe : _probeNumber;

        // What left before the system refused its size says nothing of what it takes now.
        bool isOutdated = number.Value < _refusedBefore && bytes >= _refusedFrom;

        if (bytes <= PacketBytes || bytes > _mostBytes || isOutdated)
        {
            return false;
        }

        PacketBytes = bytes;
        _bestBytes = Math.Max(_bestBytes, bytes);
        _refusedFrom = Math.Max(_refusedFrom, bytes + 1);

        // A late one may have passed the size that is being tried; that probe then tells nothing new when it comes.
        if (isCurrent || _probedBytes <= bytes)
        {
            _probeNumber = NoProbe;
            Choose(now);
        }

        return true;
    }

    /// <summary>A probe was lost. Says nothing about congestion (RFC 8899 section 3).</summary>
    internal void OnLost(PacketNumber number, Instant now)
    {
        if (_probeNumber == NoProbe || number.Value != _probeNumber)
        {
            return;
        }

        _probeNumber = NoProbe;
        _losses++;

        if (_losses >= MaxLossesOfOneSize)
        {
            Refuse(_probedBytes, now);
        }
    }

    /// <summary>The socket does not take datagrams of this size (EMSGSIZE): as sure as three losses.</summary>
    /// <param name="bytes">The size.</param>
    /// <param name="next">The packet that comes next.</param>
    /// <param name="now">The turn's moment.</param>
    /// <returns>True if <see cref="PacketBytes"/> changed.</returns>
    internal bool OnTooLarge(int bytes, PacketNumber next, Instant now)
    {
        if (bytes <= LeastBytes || bytes >= _refusedFrom)
        {
            return false;
        }

        _refusedBefore = next.Value;

        bool isLower = bytes <= PacketBytes;

        if (isLower)
        {
            PacketBytes = LeastBytes;
        }

        if (isLower || bytes <= _probedBytes)
        {
            _probeNumber = NoProbe;
        }

        Refuse(bytes, now);
        return isLower;
    }

    /// <summary>
    /// Large packets vanish while small ones pass: back to what every path carries, and search again at once.
    /// </summary>
    /// <returns>True if <see cref="PacketBytes"/> changed.</returns>
    internal bool OnBlackHole()
    {
        bool isLower = PacketBytes > LeastBytes;
        PacketBytes = LeastBytes;

        // From the top once more: it may have been congestion after all, and then nothing is lost but three probes.
        Search();
        return isLower;
    }

    /// <summary>The rest is over: the path may have grown.</summary>
    internal void HandleTimeout(Instant now)
    {
        if (NextDeadline <= now)
        {
            Search();
        }
    }

    private void Search()
    {
        _refusedFrom = _mostBytes + 1;
        _probeNumber = NoProbe;
        NextDeadline = Instant.Never;
        _losses = 0;
        _probedBytes = PacketBytes < _mostBytes ? _mostBytes : 0;
    }

    private void Refuse(int bytes, Instant now)
    {
        _refusedFrom = Math.Min(_refusedFrom, bytes);

        if (_probeNumber == NoProbe)
        {
            Choose(now);
        }
    }

    /// <summary>Picks the next size between the bounds, or rests.</summary>
    private void Choose(Instant now)
    {
        Invariant.Require(PacketBytes < _refusedFrom, "What was carried is below what was refused.");
        _losses = 0;
        _probedBytes = NextUsual();

        if (_probedBytes > 0)
        {
            NextDeadline = Instant.Never;
            return;
        }

        int gap = _refusedFrom - PacketBytes;
        int gain = Math.Max(LeastGainBytes, PacketBytes / LeastGainShare);
        _probedBytes = gap > gain ? PacketBytes + (gap / 2) : 0;
        NextDeadline = _probedBytes == 0 && PacketBytes < _mostBytes ? now + _raiseInterval : Instant.Never;
    }

    private int NextUsual()
    {
        int first = 0;

        while (first < UsualBytes.Length && UsualBytes[first] <= PacketBytes)
        {
            first++;
        }

        int end = first;

        while (end < UsualBytes.Length && UsualBytes[end] < _refusedFrom)
        {
            end++;
        }

        return end > first ? UsualBytes[first + ((end - first) / 2)] : 0;
    }
}
