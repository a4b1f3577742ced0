using System.Text.Json;

namespace Gudp.Bench.Memory;

/// <summary>What a process of the memory measurement has to do; it is given to it as JSON.</summary>
internal sealed record MemoryPlan
{
    /// <summary>Connections of Core alone.</summary>
    internal const string Core = "core";

    /// <summary>Connections as a user of messages holds them: peer, session and engine.</summary>
    internal const string Messages = "messages";

    /// <summary>As <see cref="Messages"/>, and each has carried messages both ways.</summary>
    internal const string Used = "used";

    internal static readonly string[] Layers = [Core, Messages, Used];

    public required string Layer { get; init; }

    public required int Connections { get; init; }

    /// <summary>Where the server listens; 0: this is the server.</summary>
    public int Port { get; init; }

    internal bool IsServer => Port == 0;

    internal static MemoryPlan Parse(string json) => JsonSerializer.Deserialize<MemoryPlan>(json)!;

    internal string ToJson() => JsonSerializer.Serialize(this);
}

/// <summary>What a process tells: first the port it listens at, in the end what it measured.</summary>
internal sealed record MemoryLine
{
    public int Port { get; init; }

    public MemorySample? Sample { get; init; }
}

/// <summary>What one end holds for each of its connections.</summary>
internal sealed record MemorySample
{
    public double ManagedBytes { get; init; }

    /// <summary>The process's pages in memory, over those before the first connection.</summary>
    public double ResidentBytes { get; init; }

    /// <summary>Processor time for each connection and second in which nothing happens but heartbeats.</summary>
    public double IdleMicroseconds { get; init; }

    /// <summary>Reached from the daemon and the endpoints; without the bytes nobody refers to any more.</summary>
    public double ReachedBytes { get; init; }

    public IReadOnlyList<HeapRow> Heap { get; init; } = [];
}

/// <summary>What objects of one type take for each connection.</summary>
internal sealed record HeapRow(string Type, double Objects, double Bytes);
