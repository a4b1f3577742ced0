using System;
using System.Globalization;

namespace Gudp.Sequencing;

/// <summary>What a run keeps of a channel for those who join later (lock-time 6.1 and 10).</summary>
public readonly record struct ChannelHistory
{
    // 0 all, -1 none, else the count of the last ones.
    private const int NoneCode = -1;

    private readonly int _code;

    private ChannelHistory(int code) => _code = code;

    /// <summary>Every message, as long as the log has room. The default.</summary>
    public static ChannelHistory All => default;

    /// <summary>Nothing: a message is for those who are there.</summary>
    public static ChannelHistory None => new(NoneCode);

    /// <summary>Whether it keeps everything there is room for.</summary>
    public bool KeepsAll => _code == 0;

    /// <summary>Messages it keeps at most.</summary>
    public int Count => _code switch { 0 => int.MaxValue, NoneCode => 0, _ => _code };

    /// <summary>
    /// The last messages. They outlive what channels that keep all have in the log, so that a value that rarely
    /// changes is there for late joiners.
    /// </summary>
    /// <param name="count">1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is not positive.</exception>
    public static ChannelHistory Last(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return new ChannelHistory(count);
    }

    /// <summary>"all", "none" or "last 3".</summary>
    public override string ToString() => _code switch
    {
        0 => "all",
        NoneCode => "none",
        _ => string.Create(CultureInfo.InvariantCulture, $"last {_code}"),
    };
}
