using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using Gudp.Core;
using Gudp.Messaging.Lanes;

namespace Gudp.Messaging;

/// <summary>
/// How an endpoint for messages behaves, with Core's config inside. A value: change a copy with <c>with</c>.
/// <c>default</c> is the documented default; a connection still needs its protection named.
/// </summary>
/// <example><code>
/// MessagingConfig config = MessagingConfig.Parse("LaneRingBytes=4MB; Core.Connections.Security.Protection=Plain");
/// </code></example>
public readonly record struct MessagingConfig
{
    private const int LeastRingBytes = 64 * 1024;
    private const int MostRingBytes = 64 * 1024 * 1024;
    private const int MostMessageBytes = 1024 * 1024 * 1024;
    private const int LeastDatagramQueueBytes = 128 * 1024;
    private const int LeastUnreliableBytes = 1024;
    private const int MostUnreliableBytes = 64 * 1024;
    private const int MostPlanCharacters = 32 * 1024;
    private const int LeastLanes = 3;
    private const long MostMemoryBytes = 1L << 40;

    private const int DefaultMaxMessageBytes = 16 * 1024 * 1024;
    private const int DefaultLaneRingBytes = 1024 * 1024;
    private const int LargeRingBytes = 4 * 1024 * 1024;
    private const long LargePeerMemoryBytes = 256 * 1024 * 1024;
    private const long LargeEndpointMemoryBytes = 4L * 1024 * 1024 * 1024;
    private const int DefaultLanes = 16;
    private const int DefaultDatagramQueueBytes = 256 * 1024;
    private const long DefaultPeerMemoryBytes = 64 * 1024 * 1024;
    private const long DefaultEndpointMemoryBytes = 1024L * 1024 * 1024;
    private const int DefaultMaxKnownPeers = 4_096;

    private static readonly TimeSpan DefaultSlowConsumerLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DefaultReconnectDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan DefaultMaxReconnectDelay = TimeSpan.FromSeconds(10);

    private static readonly ConfigTable<MessagingConfig> Table = new ConfigTable<MessagingConfig>()
        .Bytes(nameof(MaxMessageBytes), c => c.MaxMessageBytes, (c, v) => c with { MaxMessageBytes = v },
            (LeastRingBytes, MostMessageBytes), "every end takes 64KB, and larger objects are sent in parts")
        .Count(nameof(Lanes), c => c.Lanes, (c, v) => c with { Lanes = v },
            (LeastLanes, Wire.LaneFrameReader.MostLanes),
            "there are a control lane, a default lane and one for unreliable messages; more than 256 the wire refuses")
        .Bytes(nameof(LaneRingBytes), c => c.LaneRingBytes, (c, v) => c with { LaneRingBytes = v },
            (LeastRingBytes, MostRingBytes), "less starves a lane, more no path needs")
        .Bytes(nameof(DatagramQueueBytes), c => c.DatagramQueueBytes, (c, v) => c with { DatagramQueueBytes = v },
            (LeastDatagramQueueBytes, MostRingBytes), "several of the longest must fit")
        .Bytes(nameof(MaxUnreliableBytes), c => c.MaxUnreliableBytes, (c, v) => c with { MaxUnreliableBytes = v },
            (LeastUnreliableBytes, MostUnreliableBytes), "one lost part loses all of an unreliable message")
        .OptionalText(nameof(LanePlan), c => c.LanePlan.ToString(), (c, v) => c with { LanePlan = LanePlan.Read(v) },
            MostPlanCharacters, "see LanePlan")
        .Bytes(nameof(PeerMemoryBytes), c => c.PeerMemoryBytes, (c, v) => c with { PeerMemoryBytes = v },
            (LeastRingBytes, MostMemoryBytes), "a lane needs a ring")
        .Bytes(nameof(EndpointMemoryBytes), c => c.EndpointMemoryBytes, (c, v) => c with { EndpointMemoryBytes = v },
            (LeastRingBytes, MostMemoryBytes), "a lane needs a ring")
        .Count(nameof(MaxKnownPeers), c => c.MaxKnownPeers, (c, v) => c with { MaxKnownPeers = v },
            (1, 1_000_000), "somebody must be known, and each costs memory")
        .Duration(nameof(SlowConsumerLimit), c => c.SlowConsumerLimit, (c, v) => c with { SlowConsumerLimit = v },
            (TimeSpan.Zero, TimeSpan.FromHours(1)), "0s looks for none, and what is slower than hours nobody waits for")
        .Choice(nameof(WhenSlow), c => c.WhenSlow, (c, v) => c with { WhenSlow = v }, "there are no others")
        .Duration(nameof(ReconnectDelay), c => c.ReconnectDelay, (c, v) => c with { ReconnectDelay = v },
            (TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1)), "shorter floods a peer that has just come back")
        .Duration(nameof(MaxReconnectDelay), c => c.MaxReconnectDelay, (c, v) => c with { MaxReconnectDelay = v },
            (TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(24)), "longer is as good as never")
        .Include(nameof(Core), GudpConfig.KeyTable, c => c.Core, (c, v) => c with { Core = v })
        .WithPreset(nameof(Lan), static () => Lan)
        .WithPreset(nameof(Internet), static () => Internet)
        .WithPreset(nameof(Lossy), static () => Lossy)
        .WithPreset(nameof(Lockstep), static () => Lockstep)
        .WithPreset(nameof(Bulk), static () => Bulk)
        .Rule((c, errors) => c.CheckRelations(errors));

    // Only deviations are stored: a struct's initialisers do not run for default(MessagingConfig).
    private readonly int? _maxMessageBytes;
    private readonly int? _laneRingBytes;
    private readonly int? _lanes;
    private readonly int? _datagramQueueBytes;
    private readonly int? _maxUnreliableBytes;
    private readonly LanePlan? _lanePlan;
    private readonly long? _peerMemoryBytes;
    private readonly long? _endpointMemoryBytes;
    private readonly int? _maxKnownPeers;
    private readonly TimeSpan? _slowConsumerLimit;
    private readonly TimeSpan? _reconnectDelay;
    private readonly TimeSpan? _maxReconnectDelay;

    /// <summary><see cref="GudpConfig.Lan"/> with this layer's defaults.</summary>
    public static MessagingConfig Lan => new() { Core = GudpConfig.Lan };

    /// <summary>The default.</summary>
    public static MessagingConfig Internet => new() { Core = GudpConfig.Internet };

    /// <summary>
    /// <see cref="GudpConfig.Lossy"/> with rings of 4 MB, since a byte that is lost holds its ring for two round trips
    /// and more; four times the memory for a peer (256 MB) and for the endpoint (4 GB), so that all its lanes fit.
    /// </summary>
    public static MessagingConfig Lossy => WithLargeRings(GudpConfig.Lossy);

    /// <summary><see cref="GudpConfig.Lockstep"/> with this layer's defaults.</summary>
    public static MessagingConfig Lockstep => new() { Core = GudpConfig.Lockstep };

    /// <summary><see cref="GudpConfig.Bulk"/> with rings and memory as <see cref="Lossy"/>.</summary>
    public static MessagingConfig Bulk => WithLargeRings(GudpConfig.Bulk);

    /// <summary>The names of all presets, those of Core.</summary>
    public static IEnumerable<string> PresetNames => Table.PresetNames;

    /// <summary>All keys of the text form, with default and range.</summary>
    public static IEnumerable<ConfigKey> Keys => Table.Keys;

    /// <summary>The table behind the text form, for a layer whose config contains this one.</summary>
    public static ConfigTable<MessagingConfig> KeyTable => Table;

    /// <summary>The config of the daemon and its connections.</summary>
    public GudpConfig Core { get; init; }

    /// <summary>The largest message, in both directions. Default 16 MB; 64 KB to 1 GB (M21).</summary>
    /// <remarks>A larger one is refused with TooLarge. One that comes from a peer ends the connection.</remarks>
    public int MaxMessageBytes
    {
        get => _maxMessageBytes ?? DefaultMaxMessageBytes;
        init => _maxMessageBytes = value == DefaultMaxMessageBytes ? null : value;
    }

    /// <summary>
    /// Lanes in each direction: 0 control, 1 the default lane, 2 unreliable messages, the rest ordered lanes for the
    /// application. Default 16; 3 to 256.
    /// </summary>
    /// <remarks>A lane that is not used costs nothing.</remarks>
    public int Lanes
    {
        get => _lanes ?? DefaultLanes;
        init => _lanes = value == DefaultLanes ? null : value;
    }

    /// <summary>
    /// What an ordered lane may have under way in each direction: its memory, and the credit a peer gets for it. Default
    /// 1 MB; a power of two, 64 KB to 64 MB.
    /// </summary>
    /// <remarks>
    /// At least bandwidth times round trip. Each direction starts with 64 KB when it is first used and grows up to this
    /// with what goes through, as long as <see cref="PeerMemoryBytes"/> leaves enough for the other lanes; it keeps what it
    /// has got until the connection ends. Messages above a quarter of it take a block of their own and one copy more.
    /// </remarks>
    public int LaneRingBytes
    {
        get => _laneRingBytes ?? DefaultLaneRingBytes;
        init => _laneRingBytes = value == DefaultLaneRingBytes ? null : value;
    }

    /// <summary>
    /// Memory for unreliable messages of a peer that wait, in each direction, rented on first use. Default 256 KB; a
    /// power of two, 128 KB to 64 MB.
    /// </summary>
    /// <remarks>
    /// Full when sending: refused with LaneFull. Full when receiving: the newest are dropped and counted.
    /// </remarks>
    public int DatagramQueueBytes
    {
        get => _datagramQueueBytes ?? DefaultDatagramQueueBytes;
        init => _datagramQueueBytes = value == DefaultDatagramQueueBytes ? null : value;
    }

    /// <summary>
    /// The largest message this end sends on a lane of mode 3 or 4. Default 64 KB; 1 KB to 64 KB (M21). A larger one is
    /// refused with TooLarge.
    /// </summary>
    /// <remarks>What does not fit a packet goes in parts, and is lost if one of them is.</remarks>
    public int MaxUnreliableBytes
    {
        get => _maxUnreliableBytes ?? MostUnreliableBytes;
        init => _maxUnreliableBytes = value == MostUnreliableBytes ? null : value;
    }

    /// <summary>
    /// How this end sends on its lanes. Default <see cref="LanePlan.Default"/>: lane 2 unreliable, the others ordered
    /// reliable.
    /// </summary>
    public LanePlan LanePlan
    {
        get => _lanePlan ?? LanePlan.Default;
        init => _lanePlan = value is null || value.Equals(LanePlan.Default) ? null : value;
    }

    /// <summary>
    /// Most memory one peer may cause, both directions, messages the application holds included. Default 64 MB; at
    /// least two rings, two queues and two largest messages, and a largest message with two rings and a quarter ring for
    /// each lane, or a third more than these without the lanes. 128 KB for each lane and two largest messages let every
    /// lane begin whatever the others do; what is beyond lets rings grow.
    /// </summary>
    /// <remarks>
    /// Up to half of it only takes what is received, so that two ends full of what they send can go on. Used up: sends are
    /// refused with PeerFull, and arriving messages wait unacknowledged. Of the rest a lane takes no more for messages
    /// beside its ring, one message apart, than it leaves to the others beside what lets each begin; then it is full.
    /// </remarks>
    public long PeerMemoryBytes
    {
        get => _peerMemoryBytes ?? DefaultPeerMemoryBytes;
        init => _peerMemoryBytes = value == DefaultPeerMemoryBytes ? null : value;
    }

    /// <summary>
    /// Most memory all peers of an endpoint may cause together. Default 1 GB; at least that of one peer.
    /// </summary>
    /// <remarks>Used up: as above, with DaemonFull. Nothing of it is taken before it is needed.</remarks>
    public long EndpointMemoryBytes
    {
        get => _endpointMemoryBytes ?? DefaultEndpointMemoryBytes;
        init => _endpointMemoryBytes = value == DefaultEndpointMemoryBytes ? null : value;
    }

    /// <summary>
    /// Most peers an endpoint knows: connected, pinned, blocked, or gone with messages that were not read. Default 4,096;
    /// 1 to 1,000,000 (M6-M9).
    /// </summary>
    /// <remarks>
    /// Full: who opens is closed with Busy and counted, connecting throws. About 1 KB each, beside what its connection
    /// takes.
    /// </remarks>
    public int MaxKnownPeers
    {
        get => _maxKnownPeers ?? DefaultMaxKnownPeers;
        init => _maxKnownPeers = value == DefaultMaxKnownPeers ? null : value;
    }

    /// <summary>
    /// How long a message may wait for its application, or a lane for the peer's credit, before the application counts
    /// as slow: told at 1, 3, 6 and 10 times it. Default 1 s; 0 s (nobody is ever slow) to 1 h (R11).
    /// </summary>
    /// <remarks>Below 10 ms it costs a noticeable part of a processor while anything waits.</remarks>
    public TimeSpan SlowConsumerLimit
    {
        get => _slowConsumerLimit ?? DefaultSlowConsumerLimit;
        init => _slowConsumerLimit = value == DefaultSlowConsumerLimit ? null : value;
    }

    /// <summary>What is done about a slow consumer at ten times the limit. Default None (R11).</summary>
    public SlowPolicy WhenSlow { get; init; }

    /// <summary>
    /// How long a pinned peer is left alone after its connection ended, a quarter more or less; twice as long after each
    /// attempt that failed. Default 100 ms; 10 ms to 1 h (M6, R16).
    /// </summary>
    /// <remarks>Shorter comes back sooner from a short outage.</remarks>
    public TimeSpan ReconnectDelay
    {
        get => _reconnectDelay ?? DefaultReconnectDelay;
        init => _reconnectDelay = value == DefaultReconnectDelay ? null : value;
    }

    /// <summary>
    /// The longest of these delays; a connection that held for so long makes the next delay the first again. Default
    /// 10 s; 10 ms to 24 h, at least <see cref="ReconnectDelay"/> (M6, R16).
    /// </summary>
    /// <remarks>Bounds how long a peer that is back may wait to be found, beside the handshake.</remarks>
    public TimeSpan MaxReconnectDelay
    {
        get => _maxReconnectDelay ?? DefaultMaxReconnectDelay;
        init => _maxReconnectDelay = value == DefaultMaxReconnectDelay ? null : value;
    }

    /// <summary>
    /// Credit for all reliable lanes but the control lane together: a ring more than a quarter of all rings there can be,
    /// so that messages half arrived on every ordered lane can never use up what one of them needs to complete; and a
    /// largest message, because a message lane starts one only when all of it is allowed.
    /// </summary>
    internal long ConnectionCreditBytes
        => (Math.Min((long)Lanes * LaneRingBytes, PeerMemoryBytes) / 4) + (2L * LaneRingBytes) + MaxMessageBytes;

    /// <summary>
    /// So much of a peer's memory only takes what is received: all that its credit allows, in blocks of up to twice the
    /// length; but no more than half.
    /// </summary>
    internal long ToReceiveBytes => Math.Min(2 * ConnectionCreditBytes, PeerMemoryBytes / 2);

    /// <summary>So much of each direction no ring takes to grow: the first rings of all lanes, and a largest message.</summary>
    internal long ToBeginBytes => FirstRingsBytes + MaxMessageBytes;

    /// <summary>The first rings of all lanes in one direction.</summary>
    internal long FirstRingsBytes => (long)Lanes * LaneRing.FirstBytes;

    /// <summary>A preset by its name, as the key <c>Preset</c> of the text form takes it.</summary>
    /// <param name="name">One of <see cref="PresetNames"/>; upper and lower case are the same.</param>
    /// <exception cref="GudpConfigException">There is none of that name; lists those there are.</exception>
    public static MessagingConfig Preset(string name) => Table.FromPreset(name);

    /// <summary>
    /// Reads "Key=value; Key=value", one entry per ';' or line; a line that begins with '#' is a comment. What is not
    /// named keeps its default, or what "Preset=name" says. The result is valid.
    /// </summary>
    /// <exception cref="GudpConfigException">Lists every unknown key, unreadable value and broken rule.</exception>
    public static MessagingConfig Parse(string text) => Table.Parse(text);

    /// <summary>As <see cref="Parse"/>, without an exception.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out MessagingConfig config)
        => Table.TryParse(text, out config);

    /// <summary>Reads entries of key and value. What is not named keeps its default. The result is valid.</summary>
    /// <exception cref="GudpConfigException">Lists every unknown key, unreadable value and broken rule.</exception>
    public static MessagingConfig FromDictionary(IReadOnlyDictionary<string, string> entries)
        => Table.FromDictionary(entries);

    /// <summary>
    /// Reads what a configuration's <c>AsEnumerable</c> gives: keys such as "Connections:IdleTimeout", and rows without
    /// a value for sections. Same keys, same errors as <see cref="Parse"/>; the result is valid.
    /// </summary>
    /// <param name="pairs">
    /// For example <c>configuration.GetSection("Gudp").AsEnumerable(makePathsRelative: true)</c>.
    /// </param>
    /// <param name="section">Only keys below it are read; empty, the default: every key is ours.</param>
    /// <exception cref="GudpConfigException">Lists every unknown key, unreadable value and broken rule.</exception>
    public static MessagingConfig FromConfiguration(
        IEnumerable<KeyValuePair<string, string?>> pairs, string section = "")
        => Table.FromConfiguration(pairs, section);

    /// <summary>Every key with its value, also the defaults; a new dictionary, the caller's.</summary>
    public Dictionary<string, string> ToDictionary() => Table.ToDictionary(this);

    /// <summary>
    /// Every key with its value, also the defaults, as <c>AddInMemoryCollection</c> of a configuration takes them.
    /// </summary>
    /// <param name="section">In front of every key, such as "Gudp"; empty, the default, for none.</param>
    public IEnumerable<KeyValuePair<string, string?>> ToConfiguration(string section = "")
        => Table.ToConfiguration(this, section);

    /// <summary>Checks every value and relation. A protection that is not named is found only when opening.</summary>
    /// <exception cref="GudpConfigException">Lists every problem.</exception>
    public void Validate() => Table.Validate(this);

    /// <summary>What differs from the default, in the form <see cref="Parse"/> reads; empty for the default.</summary>
    public override string ToString() => Table.ToText(this);

    private static MessagingConfig WithLargeRings(in GudpConfig core) => new()
    {
        Core = core,
        LaneRingBytes = LargeRingBytes,
        PeerMemoryBytes = LargePeerMemoryBytes,
        EndpointMemoryBytes = LargeEndpointMemoryBytes,
    };

    // The least PeerMemoryBytes that covers ConnectionCreditBytes, which counts no more rings than it pays for: three
    // quarters of it must cover the rest.
    private long LeastMemoryForCredit
    {
        get
        {
            long rest = (2L * LaneRingBytes) + MaxMessageBytes;
            return rest + Math.Min((long)Lanes * LaneRingBytes / 4, (rest + 2) / 3);
        }
    }

    private void CheckRelations(ConfigErrors errors)
    {
        CheckPowerOfTwo(errors, nameof(LaneRingBytes), LaneRingBytes);
        CheckPowerOfTwo(errors, nameof(DatagramQueueBytes), DatagramQueueBytes);
        LanePlan.Check(errors, Lanes);
        long needed = Math.Max(
            2L * ((long)LaneRingBytes + DatagramQueueBytes + MaxMessageBytes), LeastMemoryForCredit);

        if (PeerMemoryBytes < needed)
        {
            errors.Add(
                nameof(PeerMemoryBytes),
                PeerMemoryBytes.ToString(CultureInfo.InvariantCulture),
                $"{needed} or more",
                "one lane, the unreliable messages and a largest message must fit in each direction, and all the credit "
                    + "that a peer is given");
        }

        if (MaxReconnectDelay < ReconnectDelay)
        {
            errors.Add(
                nameof(MaxReconnectDelay),
                Table.ValueOf(this, nameof(MaxReconnectDelay)),
                $"{Table.ValueOf(this, nameof(ReconnectDelay))} or more",
                "delays grow from ReconnectDelay");
        }

        if (EndpointMemoryBytes < PeerMemoryBytes)
        {
            errors.Add(
                nameof(EndpointMemoryBytes),
                EndpointMemoryBytes.ToString(CultureInfo.InvariantCulture),
                $"{PeerMemoryBytes} or more",
                "one peer must be able to use its PeerMemoryBytes");
        }
    }

    private static void CheckPowerOfTwo(ConfigErrors errors, string name, int bytes)
    {
        if (!BitOperations.IsPow2(bytes))
        {
            errors.Add(
                name, bytes.ToString(CultureInfo.InvariantCulture), "a power of two", "positions are found by masking");
        }
    }
}
