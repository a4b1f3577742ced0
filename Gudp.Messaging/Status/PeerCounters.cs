using System.Collections.Generic;
using System.Globalization;

namespace Gudp.Messaging;

/// <summary>What a peer's messages did on all lanes, and what they hold. A copy; <see cref="Peer.ReadCounters"/>.</summary>
/// <param name="Messages">The sum over the lanes.</param>
/// <param name="Waiting">Messages accepted and not yet settled, of all lanes together.</param>
/// <param name="Unread">
/// Messages received and not yet handed out, of all lanes together; its items are those of the lanes that count them.
/// </param>
/// <param name="Memory">
/// What the peer's rings, queues and held messages take of <see cref="MessagingConfig.PeerMemoryBytes"/>; its items are
/// blocks. It refuses when the peer's or the endpoint's limit is met. A payload that several peers share counts whole at
/// each of them, and once at the endpoint: the sum over the peers may be more than the endpoint's.
/// </param>
public readonly record struct PeerCounters(
    MessageCounters Messages, QueueCounters Waiting, QueueCounters Unread, QueueCounters Memory)
{
    /// <summary>Times a slow consumer was found at 1, 3, 6 or 10 times <see cref="MessagingConfig.SlowConsumerLimit"/>.</summary>
    public long SlowStages { get; init; }

    /// <summary>
    /// Every counter by its name, those of the queues as "Memory.Bytes". A new dictionary, the caller's (M23). Cold path.
    /// </summary>
    public Dictionary<string, long> ToDictionary()
    {
        Dictionary<string, long> entries = Messages.ToDictionary();
        entries[nameof(SlowStages)] = SlowStages;
        QueueText.AddTo(entries, nameof(Waiting), Waiting);
        QueueText.AddTo(entries, nameof(Unread), Unread);
        QueueText.AddTo(entries, nameof(Memory), Memory);
        return entries;
    }

    /// <summary>One line per counter and per queue (M23). Cold path.</summary>
    public string ToText()
        => string.Join(
            '\n',
            Messages.ToText(),
            string.Create(CultureInfo.InvariantCulture, $"{nameof(SlowStages)} {SlowStages} times"),
            Waiting.ToText(), Unread.ToText(), Memory.ToText());
}
