using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;

namespace Gudp.Core;

/// <summary>
/// Everything a daemon can be told. A value: change a copy with <c>with</c>. <c>default</c> is valid and is the
/// documented default; a connection still needs its protection named.
/// </summary>
/// <example><code>
/// GudpConfig config = GudpConfig.Parse("Connections.Security.Protection=Plain; Connections.IdleTimeout=5s");
/// </code></example>
public readonly record struct GudpConfig
{
    private const string DefaultName = "gudp";
    private const int MostNameCharacters = 40;
    private const int DefaultMaxConnections = 1_024;
    private const long DefaultMemoryBudgetBytes = 256L * 1024 * 1024;
    private const long LeastMemoryBudgetBytes = 1024 * 1024;
    private const long MostMemoryBudgetBytes = 1L << 40;
    private const int LeastProcessorsToSpin = 4;

    private static readonly ConfigTable<GudpConfig> Table = new ConfigTable<GudpConfig>()
        .Text(nameof(Name), c => c.Name, (c, v) => c with { Name = v }, MostNameCharacters, "it names the thread")
        .Choice(nameof(Waiting), c => c.Waiting, (c, v) => c with { Waiting = v }, "there are no others")
        .Flag(nameof(ForceSpin), c => c.ForceSpin, (c, v) => c with { ForceSpin = v })
        .Identifier(nameof(ApplicationId), c => c.ApplicationId, (c, v) => c with { ApplicationId = v })
        .Count(nameof(MaxConnections), c => c.MaxConnections, (c, v) => c with { MaxConnections = v }, (1, 1_000_000),
            "a daemon without connections does nothing, and one loop cannot drive more")
        .Bytes(nameof(MemoryBudgetBytes), c => c.MemoryBudgetBytes, (c, v) => c with { MemoryBudgetBytes = v },
            (LeastMemoryBudgetBytes, MostMemoryBudgetBytes), "less holds nothing, more no machine has")
        .Flag(nameof(Metrics), c => c.Metrics, (c, v) => c with { Metrics = v })
        .Include(nameof(Sockets), SocketConfig.Table, c => c.Sockets, (c, v) => c with { Sockets = v })
        .Include(nameof(Trace), TraceConfig.Table, c => c.Trace, (c, v) => c with { Trace = v })
        .Include(nameof(Budgets), TurnBudgets.Table, c => c.Budgets, (c, v) => c with { Budgets = v })
        .Include(nameof(Connections), ConnectionConfig.Table, c => c.Connections, (c, v) => c with { Connections = v })
        .WithPreset(nameof(Lan), static () => Lan)
        .WithPreset(nameof(Internet), static () => Internet)
        .WithPreset(nameof(Lossy), static () => Lossy)
        .WithPreset(nameof(Lockstep), static () => Lockstep)
        .WithPreset(nameof(Bulk), static () => Bulk)
        .Rule((c, errors) => c.CheckRelations(errors));

    private readonly string? _name;
    private readonly int? _maxConnections;
    private readonly long? _memoryBudgetBytes;

    /// <summary>For networks of one building: a shorter first round trip and a larger first window.</summary>
    public static GudpConfig Lan => new()
    {
        Connections = new()
        {
            Loss = new() { FirstRoundTrip = TimeSpan.FromMilliseconds(50) },
            Congestion = new() { InitialWindowPackets = 32 },
        },
    };

    /// <summary>For the wide-area network: the default.</summary>
    public static GudpConfig Internet => default;

    /// <summary>
    /// For paths that lose and reorder: patient with the peer, tolerant of reordering, content sent early again, and a
    /// controller that takes only a quarter of losses for congestion.
    /// </summary>
    /// <remarks>Beside flows that obey losses, such as TCP's, it takes more than its share.</remarks>
    public static GudpConfig Lossy => new()
    {
        Connections = new()
        {
            IdleTimeout = TimeSpan.FromSeconds(30),
            Loss = new() { PacketThreshold = 6, EagerResend = true },
            Congestion = new()
            {
                Algorithm = CongestionAlgorithm.Bbr,
                LossBoundPpm = 250_000,
                InitialWindowPackets = 32,
            },
        },
    };

    /// <summary>
    /// For simulations in step, where each small message is waited for: acks with the answer or a millisecond later,
    /// content sent early again.
    /// </summary>
    public static GudpConfig Lockstep => new()
    {
        Connections = new()
        {
            Loss = new()
            {
                FirstRoundTrip = TimeSpan.FromMilliseconds(50),
                MaxAckDelay = TimeSpan.FromMilliseconds(1),
                AskSameAcks = true,
                EagerResend = true,
            },
            Congestion = new() { InitialWindowPackets = 32 },
        },
    };

    /// <summary>For moving much: larger buffers, queues and windows, rarer acks.</summary>
    public static GudpConfig Bulk => new()
    {
        MemoryBudgetBytes = 1024L * 1024 * 1024,
        Sockets = new() { SendBufferBytes = 16 * 1024 * 1024, ReceiveBufferBytes = 16 * 1024 * 1024 },
        Connections = new()
        {
            Path = new() { MaxPacketsInFlight = 16_384 },
            Loss = new() { AckEveryPackets = 8 },
            Congestion = new() { InitialWindowPackets = 32 },
            Queues = new()
            {
                SendPackets = 8_192,
                SendBytes = 16 * 1024 * 1024,
                ReceivePackets = 8_192,
                ReceiveBytes = 16 * 1024 * 1024,
            },
        },
    };

    /// <summary>The names of all presets.</summary>
    public static IEnumerable<string> PresetNames => Table.PresetNames;

    /// <summary>All keys of the text form, with default and range.</summary>
    public static IEnumerable<ConfigKey> Keys => Table.Keys;

    /// <summary>The table behind the text form, for a layer whose config contains this one.</summary>
    public static ConfigTable<GudpConfig> KeyTable => Table;

    /// <summary>
    /// Names the loop's thread and the daemon in messages. Default "gudp"; 1 to 40 characters without ';'.
    /// </summary>
    public string Name
    {
        get => _name ?? DefaultName;
        init => _name = value == DefaultName ? null : value;
    }

    /// <summary>How the loop waits. Default Hybrid.</summary>
    /// <remarks>Spin needs four processors, or <see cref="ForceSpin"/>.</remarks>
    public WaitingPolicy Waiting { get; init; }

    /// <summary>Allows <see cref="WaitingPolicy.Spin"/> on fewer than four processors. Default false.</summary>
    public bool ForceSpin { get; init; }

    /// <summary>
    /// Whose packets these are: packets of another application are dropped unread. Default 0; any 64 bits, the same at
    /// both ends.
    /// </summary>
    public ulong ApplicationId { get; init; }

    /// <summary>Connections of the daemon at one time. Default 1,024 (G37); 1 to 1,000,000.</summary>
    /// <remarks>
    /// Beyond it connecting is refused and new peers are answered busy. Idle ones cost a few KB each.
    /// </remarks>
    public int MaxConnections
    {
        get => _maxConnections ?? DefaultMaxConnections;
        init => _maxConnections = value == DefaultMaxConnections ? null : value;
    }

    /// <summary>
    /// Memory of all queues of all connections together, at most. Default 256 MB; 1 MB to 1 TB, and at least what every
    /// connection needs to start.
    /// </summary>
    /// <remarks>
    /// Connections rent from it in steps as they need it; when it is used up, further steps are refused and counted.
    /// Nothing of it is taken before it is needed.
    /// </remarks>
    public long MemoryBudgetBytes
    {
        get => _memoryBudgetBytes ?? DefaultMemoryBudgetBytes;
        init => _memoryBudgetBytes = value == DefaultMemoryBudgetBytes ? null : value;
    }

    /// <summary>
    /// Publishes the daemon's counters as the meter "Gudp.Core" of <c>System.Diagnostics.Metrics</c>, from the daemon's
    /// start to its disposal. Default false (M11).
    /// </summary>
    /// <remarks>
    /// Read when a listener asks, never on the hot path; docs/METRICS.md has names and units.
    /// </remarks>
    public bool Metrics { get; init; }

    /// <summary>What is asked from the operating system for each socket.</summary>
    public SocketConfig Sockets { get; init; }

    /// <summary>Whether what happens to packets is written to a file.</summary>
    public TraceConfig Trace { get; init; }

    /// <summary>How much one turn does of each kind.</summary>
    public TurnBudgets Budgets { get; init; }

    /// <summary>What connections start with, unless opened with their own.</summary>
    public ConnectionConfig Connections { get; init; }

    /// <summary>A preset by its name, as the key <c>Preset</c> of the text form takes it.</summary>
    /// <param name="name">One of <see cref="PresetNames"/>; upper and lower case are the same.</param>
    /// <exception cref="GudpConfigException">There is none of that name; lists those there are.</exception>
    public static GudpConfig Preset(string name) => Table.FromPreset(name);

    /// <summary>
    /// Reads "Key=value; Key=value", one entry per ';' or line; a line that begins with '#' is a comment. What is not
    /// named keeps its default, or what "Preset=name" says. The result is valid.
    /// </summary>
    /// <exception cref="GudpConfigException">Lists every unknown key, unreadable value and broken rule.</exception>
    public static GudpConfig Parse(string text) => Table.Parse(text);

    /// <summary>As <see cref="Parse"/>, without an exception.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out GudpConfig config)
        => Table.TryParse(text, out config);

    /// <summary>Reads entries of key and value. What is not named keeps its default. The result is valid.</summary>
    /// <exception cref="GudpConfigException">Lists every unknown key, unreadable value and broken rule.</exception>
    public static GudpConfig FromDictionary(IReadOnlyDictionary<string, string> entries)
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
    public static GudpConfig FromConfiguration(
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

    private void CheckRelations(ConfigErrors errors)
    {
        QueueConfig queues = Connections.Queues;
        long needed = Config.Limits.FirstStepBytes(this) + queues.SendBytes + queues.ReceiveBytes;

        if (MemoryBudgetBytes < needed)
        {
            errors.Add(nameof(MemoryBudgetBytes), Table.ValueOf(this, nameof(MemoryBudgetBytes)),
                Config.ConfigText.WriteBytes(needed) + " or more",
                "MaxConnections must be able to start, and one of them to fill its queues");
        }

        if (Waiting == WaitingPolicy.Spin && !ForceSpin && Environment.ProcessorCount < LeastProcessorsToSpin)
        {
            errors.Add(nameof(Waiting), nameof(WaitingPolicy.Spin), "Hybrid or Block on fewer than four processors",
                "a spinning loop starves the threads it serves; ForceSpin=true insists");
        }
    }
}
