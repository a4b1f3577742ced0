using System.Collections.Generic;
using System.Globalization;

namespace Gudp.Messaging;

/// <summary>What one lane of a peer did, in both directions, and what waits in it. A copy; <see cref="Peer.ReadLane"/>.</summary>
/// <param name="Lane">Its number.</param>
/// <param name="Mode">How this end sends on it; the peer may send in another mode.</param>
/// <param name="Messages">What was sent and received on it.</param>
/// <param name="SendQueue">Messages accepted and not yet settled.</param>
/// <param name="ReceiveQueue">Messages received, whole or in part, and not yet handed out.</param>
/// <param name="Updates">Messages of which updates are asked for and not yet fetched, or that have a limit.</param>
public readonly record struct LaneCounters(
    int Lane,
    LaneMode Mode,
    MessageCounters Messages,
    QueueCounters SendQueue,
    QueueCounters ReceiveQueue,
    QueueCounters Updates)
{
    /// <summary>
    /// Every counter by its name, those of the queues as "SendQueue.Bytes". A new dictionary, the caller's (M23). Cold
    /// path.
    /// </summary>
    public Dictionary<string, long> ToDictionary()
    {
        Dictionary<string, long> entries = Messages.ToDictionary();
        QueueText.AddTo(entries, nameof(SendQueue), SendQueue);
        QueueText.AddTo(entries, nameof(ReceiveQueue), ReceiveQueue);
        QueueText.AddTo(entries, nameof(Updates), Updates);
        return entries;
    }

    /// <summary>"lane 1 OrderedReliable", then one line per counter and per queue (M23). Cold path.</summary>
    public string ToText() => string.Join(
        '\n',
        string.Create(CultureInfo.InvariantCulture, $"lane {Lane} {Mode}"),
        Messages.ToText(),
        SendQueue.ToText(),
        ReceiveQueue.ToText(),
        Updates.ToText());
}

/// <summary>Queues as entries of a dictionary.</summary>
internal static class QueueText
{
    internal static void AddTo(Dictionary<string, long> entries, string name, in QueueCounters queue)
    {
        entries[name + "." + nameof(queue.LimitBytes)] = queue.LimitBytes;
        entries[name + "." + nameof(queue.LimitItems)] = queue.LimitItems;
        entries[name + "." + nameof(queue.Bytes)] = queue.Bytes;
        entries[name + "." + nameof(queue.Items)] = queue.Items;
        entries[name + "." + nameof(queue.HighBytes)] = queue.HighBytes;
        entries[name + "." + nameof(queue.HighItems)] = queue.HighItems;
        entries[name + "." + nameof(queue.Refused)] = queue.Refused;
    }
}
