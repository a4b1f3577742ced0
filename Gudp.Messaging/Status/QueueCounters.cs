using System.Globalization;

namespace Gudp.Messaging;

/// <summary>
/// One place where something waits, and its limits (R1). Read while the queue goes on, so the numbers need not match
/// each other exactly.
/// </summary>
/// <param name="Name">Which, unique within the peer: "lane 1 send", "lane 1 receive", "lane 1 updates", "memory".</param>
/// <param name="LimitBytes">The most bytes it holds; beyond them whatever comes is refused, by the queue's rule.</param>
/// <param name="LimitItems">The most entries it holds; where bytes are the only limit, as many as those allow.</param>
/// <param name="Bytes">Bytes in it now.</param>
/// <param name="Items">Entries in it now; 0 where they are not counted: what an ordered lane received.</param>
/// <param name="HighBytes">The most bytes that were in it.</param>
/// <param name="HighItems">The most entries that were in it; of a sum, the sum of these.</param>
/// <param name="Refused">How often it had no room.</param>
public readonly record struct QueueCounters(
    string Name,
    long LimitBytes,
    long LimitItems,
    long Bytes,
    long Items,
    long HighBytes,
    long HighItems,
    long Refused)
{
    /// <summary>The sum with another queue, under this one's name; limits add up, too.</summary>
    internal QueueCounters Plus(in QueueCounters other) => new(
        Name,
        LimitBytes + other.LimitBytes,
        LimitItems + other.LimitItems,
        Bytes + other.Bytes,
        Items + other.Items,
        HighBytes + other.HighBytes,
        HighItems + other.HighItems,
        Refused + other.Refused);

    /// <summary>One line: "lane 1 send: 512 of 1048576 B (most 4096), 3 of 1048576 items (most 7), refused 0".</summary>
    public string ToText() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name}: {Bytes} of {LimitBytes} B (most {HighBytes}), {Items} of {LimitItems} items (most {HighItems}), "
            + $"refused {Refused}");
}
