using System.Text.Json;

namespace Gudp.Tools.Watching;

/// <summary>One peer of an observed process, as its status port tells it.</summary>
internal sealed record PeerRow
{
    internal required string Remote { get; init; }

    internal required string Local { get; init; }

    internal required string Status { get; init; }

    /// <summary>Why it is slow; empty if it is not.</summary>
    internal required string Slow { get; init; }

    internal required TimeSpan RoundTrip { get; init; }

    internal required long PacketsAcked { get; init; }

    internal required long PacketsLost { get; init; }

    internal required long BytesSent { get; init; }

    internal required long BytesReceived { get; init; }

    internal required long MessagesSent { get; init; }

    internal required long MessagesReceived { get; init; }

    internal required long WaitingBytes { get; init; }

    internal required long UnreadBytes { get; init; }

    internal required long MemoryBytes { get; init; }

    /// <summary>The same connection in another look.</summary>
    internal string Key => Local + " " + Remote;

    /// <summary>Reads one entry; what is missing counts as zero, since versions differ.</summary>
    internal static PeerRow Read(JsonElement entry) => new()
    {
        Remote = Text(entry, "remote"),
        Local = Text(entry, "local"),
        Status = Text(entry, "status"),
        Slow = Text(entry, "slow"),
        RoundTrip = TimeSpan.FromMicroseconds(Number(entry, "rttMicroseconds")),
        PacketsAcked = Number(entry, "packetsAcked"),
        PacketsLost = Number(entry, "packetsLost"),
        BytesSent = Number(entry, "bytesSent"),
        BytesReceived = Number(entry, "bytesReceived"),
        MessagesSent = Number(entry, "messagesSent"),
        MessagesReceived = Number(entry, "messagesReceived"),
        WaitingBytes = Number(entry, "waitingBytes"),
        UnreadBytes = Number(entry, "unreadBytes"),
        MemoryBytes = Number(entry, "memoryBytes"),
    };

    private static string Text(JsonElement entry, string name)
        => entry.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : "";

    // Of what a peer claims: nothing that a span of time or a rate could not hold.
    private static long Number(JsonElement entry, string name)
        => entry.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetInt64(out long number)
            ? Math.Clamp(number, 0, 1L << 50)
            : 0;
}
