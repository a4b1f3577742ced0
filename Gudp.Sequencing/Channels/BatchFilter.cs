// Which messages of a batch a member keeps: one function of the batch and the policies of its interests, used by the
// server and by the member's library, so that both count and hash the same (lock-time 6.3).
//
// Always true: between two calls no count is left over, so a call depends on nothing but its arguments.

using System;

namespace Gudp.Sequencing.Channels;

internal sealed class BatchFilter
{
    private readonly BufferPolicy[] _policies;
    private readonly int[] _counts;
    private int _selective;

    /// <param name="policies">One for each interest of the member.</param>
    internal BatchFilter(ReadOnlySpan<BufferPolicy> policies)
    {
        _policies = policies.ToArray();
        _counts = new int[policies.Length];

        foreach (BufferPolicy policy in policies)
        {
            _selective += policy.KeepsAll ? 0 : 1;
        }
    }

    /// <summary>Whether every batch is kept whole; nobody needs to ask then.</summary>
    internal bool KeepsAll => _selective == 0;

    /// <summary>The policy of an interest; one that is switched off has <see cref="BufferPolicy.None"/>.</summary>
    internal BufferPolicy this[int interest]
    {
        get => _policies[interest];

        set
        {
            _selective += (value.KeepsAll ? 0 : 1) - (_policies[interest].KeepsAll ? 0 : 1);
            _policies[interest] = value;
        }
    }

    /// <summary>Marks what is kept of a whole batch.</summary>
    /// <param name="interests">The interest each message came for, in the order of delivery.</param>
    /// <param name="kept">As long as <paramref name="interests"/>; overwritten.</param>
    /// <returns>How many are kept.</returns>
    internal int Mark(ReadOnlySpan<int> interests, Span<bool> kept)
    {
        Invariant.Require(kept.Length == interests.Length, "Every message is kept or dropped.");

        int count = 0;

        for (int i = 0; i < interests.Length; i++)
        {
            BufferPolicy policy = _policies[interests[i]];
            kept[i] = policy.KeepsAll || (!policy.IsNewest && _counts[interests[i]]++ < policy.Count);
            count += kept[i] ? 1 : 0;
        }

        for (int i = interests.Length - 1; i >= 0; i--)
        {
            BufferPolicy policy = _policies[interests[i]];

            if (policy.IsNewest && _counts[interests[i]]++ < policy.Count)
            {
                kept[i] = true;
                count++;
            }
        }

        foreach (int interest in interests)
        {
            _counts[interest] = 0;
        }

        return count;
    }
}
