using System;
using System.Collections.Generic;

namespace Gudp.Sequencing;

/// <summary>What happens to the run when the connection to a member is lost (lock-time 8.4).</summary>
public enum CrashPolicy
{
    /// <summary>Default. What the member promised still holds, so the run waits at its bound.</summary>
    Stall,

    /// <summary>It is removed; its last complete commit counts. The run is marked as influenced from outside.</summary>
    Resign,

    /// <summary>The run ends for everybody.</summary>
    Abort,
}

/// <summary>One member of the roster: what it may do in the run. Fixed before the run starts.</summary>
/// <remarks>A member's own program joins with <see cref="MemberOptions"/>, which are a declaration too.</remarks>
public class MemberDeclaration
{
    private readonly bool? _sends;
    private readonly bool? _receives;
    private readonly Delay? _lookahead;

    /// <summary>Makes a declaration that neither sends nor receives; its properties say the rest.</summary>
    /// <param name="name">1 to 255 bytes of UTF-8, unique in the roster.</param>
    public MemberDeclaration(string name) => Name = name;

    /// <summary>The same, its lists shared.</summary>
    private protected MemberDeclaration(MemberDeclaration other)
    {
        ArgumentNullException.ThrowIfNull(other);
        Name = other.Name;
        _sends = other._sends;
        _receives = other._receives;
        _lookahead = other._lookahead;
        Publish = other.Publish;
        Subscribe = other.Subscribe;
        SubscribeQuietly = other.SubscribeQuietly;
        Policies = other.Policies;
        MayStop = other.MayStop;
        MaySponsor = other.MaySponsor;
        Join = other.Join;
        MayPeek = other.MayPeek;
        CrashPolicy = other.CrashPolicy;
        InboxLimit = other.InboxLimit;
        Paced = other.Paced;
    }

    /// <summary>The member's name; its place in the sorted roster is its ordinal.</summary>
    public string Name { get; }

    /// <summary>Whether it publishes and so holds others back. Default: if it names a channel to publish to.</summary>
    public bool Sends
    {
        get => _sends ?? Publish.Count > 0;
        init => _sends = value;
    }

    /// <summary>Whether messages are delivered to it. Default: if it subscribes to a channel.</summary>
    public bool Receives
    {
        get => _receives ?? (Subscribe.Count > 0 || SubscribeQuietly.Count > 0);
        init => _receives = value;
    }

    /// <summary>
    /// Least distance from a grant to what the member publishes on it. Default one round, which is always safe and
    /// makes members that react to each other take turns; real look-ahead is what lets them run in parallel.
    /// </summary>
    public Delay Lookahead
    {
        get => _lookahead ?? Delay.OneRound;
        init => _lookahead = value;
    }

    /// <summary>Channels it may publish to.</summary>
    public IList<string> Publish { get; init; } = [];

    /// <summary>Channels delivered to it; their messages end a Next.</summary>
    public IList<string> Subscribe { get; init; } = [];

    /// <summary>Channels delivered to it that never end a Next: their messages wait for the next grant.</summary>
    public IList<string> SubscribeQuietly { get; init; } = [];

    /// <summary>
    /// What of a batch its subscriptions keep, by channel (lock-time 6.3). A channel that is not named has the policy of
    /// its declaration, <see cref="ChannelDeclaration.Policy"/>. Default empty.
    /// </summary>
    public IDictionary<string, BufferPolicy> Policies { get; init; } = new Dictionary<string, BufferPolicy>();

    /// <summary>
    /// Whether it may end the run for everybody at a tag of its choice. Needs <see cref="Sends"/>; it then holds every
    /// other member, receivers or not, below the earliest stop it could still ask for. Default no.
    /// </summary>
    public bool MayStop { get; init; }

    /// <summary>
    /// Whether it may admit members that are not in the roster (lock-time 8.2). Needs <see cref="Sends"/>; it then holds
    /// every receiver below the earliest join it could still ask for. Default no.
    /// </summary>
    public bool MaySponsor { get; init; }

    /// <summary>
    /// The tag at which it joins the run, its first grant: (0,0), the default, or any later one. Until it connects it
    /// counts as standing there: the run comes as far as that allows and then waits for it, or goes on without it if its
    /// <see cref="CrashPolicy"/> is Resign (lock-time 8.2).
    /// </summary>
    public Tag Join { get; init; }

    /// <summary>
    /// Whether it may look at what is waiting for it before that is granted (<see cref="SequenceClient.Peek"/>). What it
    /// sees depends on the moment, so such a member is not deterministic, and a run with one need not repeat. Default no.
    /// </summary>
    public bool MayPeek { get; init; }

    /// <summary>What happens if its connection is lost; members do not see it. Default Stall.</summary>
    public CrashPolicy CrashPolicy { get; init; }

    /// <summary>
    /// How much may wait for it before those who feed it must wait; members do not see it. Default null:
    /// <see cref="SequencingConfig.InboxLimit"/>.
    /// </summary>
    public InboxLimit? InboxLimit { get; init; }

    /// <summary>Whether <see cref="SequencingConfig.Pace"/> holds for its grants; members do not see it. Default yes.</summary>
    public bool Paced { get; init; } = true;
}

/// <summary>The configuration of a run: a closed roster and its channels (lock-time 8.1).</summary>
/// <remarks>Read when a server is made from it; later changes have no effect on that server.</remarks>
public sealed class SequencingConfig
{
    /// <summary>Limit of <see cref="MaxPayloadBytes"/>: one message below must hold a payload and its frame.</summary>
    internal const int LargestPayloadBytes = 15 << 20;

    /// <summary>All members. The run starts when each of them has joined.</summary>
    public IList<MemberDeclaration> Roster { get; init; } = [];

    /// <summary>Channels that need more than the defaults.</summary>
    public IList<ChannelDeclaration> Channels { get; init; } = [];

    /// <summary>Tells runs apart, so that a member of yesterday's run cannot join today's. Default empty.</summary>
    public UInt128 RunId { get; init; }

    /// <summary>
    /// Where the run ends for everybody: no grant is above it, the grant at it is final (lock-time section 12). After
    /// <see cref="Tag.Zero"/> and below <see cref="Tag.Infinity"/>. Default null: members end it by resigning.
    /// </summary>
    public Tag? StopTag { get; init; }

    /// <summary>The largest round of an arrival. Default 10,000 (lock-time section 11); 1 to 1,000,000,000.</summary>
    public uint MaxRounds { get; init; } = 10_000;

    /// <summary>The largest payload. Default 1 MiB; 1 byte to 15 MiB.</summary>
    public int MaxPayloadBytes { get; init; } = 1 << 20;

    /// <summary>
    /// Most bytes of messages that wait for one member, 64 for each message included. Default 256 MiB;
    /// <see cref="MaxPayloadBytes"/> + 64 KiB to 1 TiB.
    /// </summary>
    /// <remarks>
    /// A commit that would exceed it is refused with <see cref="SequencingError.InboxLimit"/>, and changes nothing. The
    /// server also closes the connection of a member that leaves more than this of what it was sent unread.
    /// </remarks>
    public long MaxInboxBytes { get; init; } = 256L << 20;

    /// <summary>
    /// What losses, duplicates and latencies of the channels are drawn from (lock-time section 17): another seed is
    /// another network. Default 0. Members do not see it.
    /// </summary>
    public ulong Seed { get; init; }

    /// <summary>
    /// If given, messages that arrive at the same tag are reshuffled between their publishers, for each seed in another
    /// way and always the same, to find out whether the run depends on their order (lock-time 7.1). Default null: the
    /// order of send tags and ordinals. Members do not see it.
    /// </summary>
    public ulong? TieSeed { get; init; }

    /// <summary>
    /// Most bytes of messages the log keeps for late joiners and observers, 192 for each message included. Default
    /// 64 MiB; 0 to 1 TiB. What is not final yet is not counted.
    /// </summary>
    public long LogBytes { get; init; } = 64L << 20;

    /// <summary>
    /// Most messages the log keeps. Default 1,000,000; 0 to 100,000,000. A log that is full gives up the oldest messages
    /// of channels that keep all first, and then the oldest of any (<see cref="ChannelHistory"/>).
    /// </summary>
    public int LogMessages { get; init; } = 1_000_000;

    /// <summary>
    /// Most bytes of snapshots that are kept for late joiners, 512 for each included; the oldest go first. Default
    /// 64 MiB; 0 to 1 TiB. One snapshot has at most <see cref="MaxPayloadBytes"/> (lock-time section 10).
    /// </summary>
    public long SnapshotBytes { get; init; } = 64L << 20;

    /// <summary>
    /// How much may wait for a member that names no limit of its own. Default 65,536 messages or 64 MiB; the smaller it
    /// is, the closer senders stay to slow receivers (lock-time section 15).
    /// </summary>
    public InboxLimit InboxLimit { get; init; } = new(65_536, 64L << 20);

    /// <summary>
    /// How long a member may wait before the run says who blocks it; said again at 3, 6 and 10 times. Default 1 s;
    /// 1 ms to 1 h (lock-time section 14). Costs nothing until a wait is that long.
    /// </summary>
    public TimeSpan HealthLimit { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Who may look at the run, hold, step and stop it. Default programs on the server's machine.</summary>
    public OperatorAccess Operators { get; init; } = OperatorAccess.Loopback;

    /// <summary>
    /// Most observers at a time (<see cref="MemberOptions.Observes"/>): they read what they subscribe to, and nothing of the
    /// run depends on them. Each has an inbox of at most <see cref="MaxInboxBytes"/>. Default 16; 0 (none) to 4,096.
    /// </summary>
    public int MaxObservers { get; init; } = 16;

    /// <summary>
    /// Whether members that are not in the roster may come in at the smallest tag at which nobody's past can change. That
    /// depends on how far the others are just then, so it is recorded and marks the run as influenced from outside. A
    /// lost one is taken out. Default no.
    /// </summary>
    public bool AdmitsEarliest { get; init; }

    /// <summary>
    /// True, an open run: it starts when an operator says so (<see cref="SequenceOperator.StartAsync"/>), with whoever is
    /// there then. Default false: it starts when everybody is there.
    /// </summary>
    public bool StartsOnCommand { get; init; }

    /// <summary>
    /// How fast logical time may run against the wall: a grant at time t is not given before the start and
    /// t * <see cref="TickLength"/> / Pace. 1 is real time, 10 ten times as fast. Default 0: as fast as possible. 0, or
    /// 0.000,001 to 1,000,000 (lock-time section 13).
    /// </summary>
    public double Pace { get; init; }

    /// <summary>Wall time of one tick at pace 1. Default 1 ms; 100 ns to 1 day. Of no meaning without a pace.</summary>
    public TimeSpan TickLength { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>What a paced run does with grants that come late. Default: it catches up.</summary>
    public LatePolicy WhenLate { get; init; }

    /// <summary>
    /// Hash over everything members can see of the run. Members that are given it in
    /// <see cref="MemberOptions.ConfigHash"/> refuse a server with another configuration, and the other way round.
    /// </summary>
    /// <exception cref="Gudp.Core.GudpConfigException">
    /// The configuration breaks a rule; all mistakes are listed.
    /// </exception>
    public ulong ComputeHash() => new Config.RunLayout(this).ConfigHash;

    /// <summary>
    /// Hash over the rest: seeds, ties, crash policies, limits, pacing, history. Two runs with equal hashes of both kinds
    /// and members that are functions of their grants are equal, unless something came from outside.
    /// </summary>
    /// <exception cref="Gudp.Core.GudpConfigException">
    /// The configuration breaks a rule; all mistakes are listed.
    /// </exception>
    public ulong ComputeSettingsHash() => new Config.RunLayout(this).SettingsHash;
}
