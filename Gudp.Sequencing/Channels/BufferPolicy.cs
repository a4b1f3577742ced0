using System;
using System.Globalization;

namespace Gudp.Sequencing;

/// <summary>
/// Which messages of a batch a subscription keeps (lock-time 6.3). It never changes when a grant comes: what it drops
/// was waited for all the same.
/// </summary>
/// <remarks>Applied per channel, in the order of delivery, to the messages of one grant.</remarks>
public readonly record struct BufferPolicy
{
    /// <summary>The largest count of <see cref="Newest"/> and <see cref="Oldest"/>: 2^30 - 1.</summary>
    public const int MaxCount = (1 << 30) - 1;

    // Clause Q-10.5: 0 all, 1 none, 2n the newest n, 2n + 1 the oldest n.
    private const uint NoneNumber = 1;

    private readonly uint _number;

    private BufferPolicy(uint number) => _number = number;

    /// <summary>Every message. The default.</summary>
    public static BufferPolicy All => default;

    /// <summary>No message; its grants are the same as with <see cref="All"/>.</summary>
    public static BufferPolicy None => new(NoneNumber);

    /// <summary>The last message of each batch: <see cref="Newest"/> of 1.</summary>
    public static BufferPolicy Latest => Newest(1);

    /// <summary>Whether it keeps everything.</summary>
    public bool KeepsAll => _number == 0;

    /// <summary>Messages of a batch it keeps at most.</summary>
    public int Count => _number == 0 ? int.MaxValue : (int)(_number / 2);

    /// <summary>Whether those it keeps are the last ones and not the first.</summary>
    internal bool IsNewest => _number > 0 && _number % 2 == 0;

    /// <summary>It on the wire and in the canonical encoding; clause Q-10.5.</summary>
    internal ulong Number => _number;

    /// <summary>The last messages of each batch.</summary>
    /// <param name="count">1 to <see cref="MaxCount"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is outside.</exception>
    public static BufferPolicy Newest(int count) => new(2 * CheckCount(count));

    /// <summary>The first messages of each batch.</summary>
    /// <param name="count">1 to <see cref="MaxCount"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is outside.</exception>
    public static BufferPolicy Oldest(int count) => new((2 * CheckCount(count)) + 1);

    /// <summary>"all", "none", "newest 3" or "oldest 3".</summary>
    public override string ToString() => _number switch
    {
        0 => "all",
        NoneNumber => "none",
        _ => string.Create(CultureInfo.InvariantCulture, $"{(IsNewest ? "newest" : "oldest")} {Count}"),
    };

    /// <returns>False if it is no policy's number.</returns>
    internal static bool TryOf(ulong number, out BufferPolicy policy)
    {
        bool isOne = number <= (2UL * MaxCount) + 1;
        policy = isOne ? new BufferPolicy((uint)number) : default;
        return isOne;
    }

    private static uint CheckCount(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MaxCount);
        return (uint)count;
    }
}
