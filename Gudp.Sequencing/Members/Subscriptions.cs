// What of its declared interests a member has switched on (lock-time 5.3). Switching changes neither who can send to
// whom nor what waits in the inbox, only what wakes the member and what is kept when a batch is cut.
//
// Always true: an interest that is off keeps nothing and wakes nobody.

using System;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Members;

internal sealed class Subscriptions
{
    private readonly Interest[] _interests;
    private readonly bool[] _wakes;

    internal Subscriptions(Interest[] interests)
    {
        _interests = interests;
        _wakes = Array.ConvertAll(interests, interest => interest.Bits.HasFlag(InterestBits.Wake));
        Filter = new BatchFilter(Array.ConvertAll(interests, interest => interest.Policy));
    }

    /// <summary>Whether a message can end a Next, by interest, for a member that receives.</summary>
    internal ReadOnlySpan<bool> Wakes => _wakes;

    /// <summary>What is kept of a batch.</summary>
    internal BatchFilter Filter { get; }

    /// <summary>The inbox was not sorted since the last switch.</summary>
    internal bool IsStale { get; set; }

    internal void Switch(int interest, bool isOn)
    {
        Filter[interest] = isOn ? _interests[interest].Policy : BufferPolicy.None;
        // A bit test: HasFlag makes garbage until its caller is compiled with optimisation.
        _wakes[interest] = isOn && (_interests[interest].Bits & InterestBits.Wake) != 0;
        IsStale = true;
    }
}
