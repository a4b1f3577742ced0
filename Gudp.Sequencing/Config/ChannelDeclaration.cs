using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Log;

namespace Gudp.Sequencing;

/// <summary>
/// A channel of the run: what happens to its messages on their way, and what is kept of them (lock-time 6.1 and 17).
/// Channels that no declaration names have the defaults.
/// </summary>
/// <remarks>
/// Losses, duplicates and latencies are drawn from <see cref="SequencingConfig.Seed"/> and each message's identity: the
/// same run has the same network every time, and one member more changes nobody else's.
/// </remarks>
/// <param name="name">1 to 255 bytes of UTF-8.</param>
public sealed class ChannelDeclaration(string name)
{
    private readonly LatencyModel? _latency;
    private readonly Delay? _minimumLatency;

    /// <summary>The name members publish and subscribe under.</summary>
    public string Name { get; } = name;

    /// <summary>
    /// Logical time every message needs: it arrives this much after the tag its publisher named, or later. Default
    /// <see cref="LatencyModel.Minimum"/> of <see cref="Latency"/>. More of it lets receivers run further ahead of the
    /// senders.
    /// </summary>
    /// <remarks>Given alone it is the latency of all messages; beside <see cref="Latency"/> it must agree.</remarks>
    public Delay MinimumLatency
    {
        get => _minimumLatency ?? _latency?.Minimum ?? Delay.None;
        init => _minimumLatency = value;
    }

    /// <summary>
    /// Logical time messages need, the same for all receivers of a message. Default the constant
    /// <see cref="MinimumLatency"/>.
    /// </summary>
    public LatencyModel Latency
    {
        get => _latency ?? LatencyModel.Constant(MinimumLatency);
        init => _latency = value;
    }

    /// <summary>
    /// Whether each receiver of a message has a latency of its own. Subscribers then have no common order; each one's
    /// is still the same every time. Default no.
    /// </summary>
    public bool Scatter { get; init; }

    /// <summary>Messages that nobody gets, in parts per million. Default 0; to 1,000,000.</summary>
    public int SenderLossPpm { get; init; }

    /// <summary>Messages that one receiver does not get, in parts per million. Default 0; to 1,000,000.</summary>
    public int ReceiverLossPpm { get; init; }

    /// <summary>Messages that every receiver gets twice, in parts per million. Default 0; to 1,000,000.</summary>
    public int SenderDuplicatePpm { get; init; }

    /// <summary>
    /// Messages that one receiver gets twice, in parts per million. Default 0; to 1,000,000. The second one has a
    /// latency of its own, and may be lost on its own.
    /// </summary>
    public int ReceiverDuplicatePpm { get; init; }

    /// <summary>What of a batch those keep who subscribe without a policy of their own. Default all.</summary>
    public BufferPolicy Policy { get; init; }

    /// <summary>What the log keeps for late joiners. Default all that there is room for.</summary>
    public ChannelHistory History { get; init; }

    /// <summary>
    /// Most bytes the log keeps of it, 192 for each message included. Default null: only
    /// <see cref="SequencingConfig.LogBytes"/> counts; 0 to 1 TiB.
    /// </summary>
    public long? HistoryBytes { get; init; }

    /// <summary>
    /// How many ticks behind the run what the log keeps may be. Default null: as far as there is room; 0 to 2^60.
    /// </summary>
    public long? HistoryTicks { get; init; }

    internal bool HasLatencyModel => _latency is not null;

    internal ChannelModel Compile(ulong key) => new(
        key, Latency,
        new ChannelChances(SenderLossPpm, ReceiverLossPpm, SenderDuplicatePpm, ReceiverDuplicatePpm), Scatter);

    internal Retention CompileRetention()
        => new(History, HistoryBytes ?? long.MaxValue, HistoryTicks ?? long.MaxValue);
}
