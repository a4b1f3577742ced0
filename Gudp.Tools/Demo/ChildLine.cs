using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gudp.Tools.Demo;

/// <summary>
/// What a process of the demo tells its parent: one line of JSON on its standard output, of which one part is set.
/// </summary>
internal sealed record ChildLine
{
    private static readonly JsonSerializerOptions Json = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    /// <summary>The server: its port. It listens.</summary>
    public int? Port { get; init; }

    /// <summary>A member: the step it has reached.</summary>
    public int? Step { get; init; }

    /// <summary>A member, at its end.</summary>
    public MemberReport? Member { get; init; }

    /// <summary>The server, at its end: the run digest (lock-time section 18).</summary>
    public string? RunDigest { get; init; }

    internal void Write(TextWriter output)
    {
        output.WriteLine(JsonSerializer.Serialize(this, Json));
        output.Flush();
    }

    /// <returns>Null if the line is not of this kind.</returns>
    internal static ChildLine? Read(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<ChildLine>(line, Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>What one member did and saw in one run.</summary>
internal sealed record MemberReport
{
    public required int Member { get; init; }

    public required int Steps { get; init; }

    public required long Grants { get; init; }

    /// <summary>Messages delivered to it.</summary>
    public required long Messages { get; init; }

    /// <summary>Time between asking and the grant, over all steps.</summary>
    public required TimeSpan Waited { get; init; }

    /// <summary>Of that, what the server held the request for, by the member it was held for.</summary>
    public required IReadOnlyDictionary<string, TimeSpan> WaitedFor { get; init; }

    public required TimeSpan Rtt { get; init; }

    public required long PacketsSent { get; init; }

    public required long PacketsLost { get; init; }

    public required long Retransmits { get; init; }

    /// <summary>Over everything delivered, as 16 hexadecimal digits (lock-time section 18).</summary>
    public required string Digest { get; init; }

    /// <summary>Members that were taken out of the run, as this one was told; null if none was.</summary>
    public IReadOnlyList<FlockDeparture>? Departures { get; init; }

    /// <summary>Over the histories of all members, as the server told this one at the end.</summary>
    public required string RunDigest { get; init; }

    /// <summary>Over the whole flock at the end.</summary>
    public required string Checksum { get; init; }
}
