using System.Collections.Generic;
using System.Globalization;
using Gudp.Core;
using Gudp.Messaging.Status;

namespace Gudp.Messaging;

/// <summary>
/// What was counted for one peer over all its connections, for several peers, or for an endpoint (M11). A copy.
/// </summary>
/// <param name="Packets">
/// The sum of what its connections counted; levels and round trips are of those that live, of round trips the longest.
/// </param>
/// <param name="Messages">The sum of what its sessions counted; queues are of those that live.</param>
public readonly record struct PeerStatistics(ConnectionCounters Packets, PeerCounters Messages)
{
    /// <summary>Sessions counted here, live and ended, also those that never opened.</summary>
    public long Sessions { get; init; }

    /// <summary>
    /// Every counter by its name as "Packets.BytesSent", "Messages.MessagesSent", "Messages.Memory.Bytes"; spans of time in
    /// microseconds. A new dictionary, the caller's (M23). Cold path.
    /// </summary>
    public Dictionary<string, long> ToDictionary()
    {
        Dictionary<string, long> entries = new() { [nameof(Sessions)] = Sessions };
        AddTo(entries, nameof(Packets), Packets.ToDictionary());
        AddTo(entries, nameof(Messages), Messages.ToDictionary());
        return entries;
    }

    /// <summary>One line per counter and per queue: name, value, unit (M23). Cold path.</summary>
    public string ToText() => string.Join(
        '\n',
        string.Create(CultureInfo.InvariantCulture, $"{nameof(Sessions)} {Sessions} sessions"),
        Packets.ToText(),
        Messages.ToText());

    /// <summary>Of one session and its connection, as they stand.</summary>
    internal static PeerStatistics Of(MessageSession session)
    {
        ConnectionCounters packets = session.Connection.ReadCounters();
        return new PeerStatistics(session.HasEnded ? packets.WithoutLevels() : packets, session.ReadCounters())
        {
            Sessions = 1,
        };
    }

    /// <summary>These and those of another session or peer.</summary>
    internal PeerStatistics Plus(in PeerStatistics other) => new(
        Packets.Plus(other.Packets), Plus(Messages, other.Messages))
    {
        Sessions = Sessions + other.Sessions,
    };

    /// <summary>What stays of a session that is forgotten: what it counted, and no queue.</summary>
    internal PeerStatistics WithoutLevels() => this with
    {
        Packets = Packets.WithoutLevels(),
        Messages = new PeerCounters(Messages.Messages, NoQueue("waiting"), NoQueue("unread"), NoQueue("memory"))
        {
            SlowStages = Messages.SlowStages,
        },
    };

    private static PeerCounters Plus(in PeerCounters one, in PeerCounters other)
    {
        MessageCounts counts = one.Messages.Counts;
        counts.Add(other.Messages.Counts);
        return new PeerCounters(
            new MessageCounters(counts),
            one.Waiting.Plus(other.Waiting),
            one.Unread.Plus(other.Unread),
            one.Memory.Plus(other.Memory))
        {
            SlowStages = one.SlowStages + other.SlowStages,
        };
    }

    private static QueueCounters NoQueue(string name) => new(name, 0, 0, 0, 0, 0, 0, 0);

    private static void AddTo(Dictionary<string, long> entries, string name, Dictionary<string, long> part)
    {
        foreach ((string key, long value) in part)
        {
            entries.Add($"{name}.{key}", value);
        }
    }

    /// <summary>Nothing counted.</summary>
    internal static PeerStatistics None { get; } = default(PeerStatistics).WithoutLevels();
}
