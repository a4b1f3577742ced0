using System;
using System.Collections.Generic;
using Gudp.Core;
using Gudp.Messaging.Status;

namespace Gudp.Messaging;

/// <summary>
/// What a lane, a peer or an endpoint did with messages so far. All only grow. Read while work goes on, so they need
/// not match each other exactly; when all is settled
/// <c>MessagesSent == TransfersReceived + TransfersExpired + TransfersCancelled + TransfersUnknown</c> and
/// <c>TakesAsked == TakesTaken + TakesRefused + TakesExpired + TakesUnknown</c>.
/// </summary>
public readonly record struct MessageCounters
{
    // Every counter has a row here; a test compares. Refusals and drops have one per cause.
    internal static readonly CounterTable<MessageCounters> Table = WithCauses(new CounterTable<MessageCounters>()
        .Count(nameof(MessagesSent), "messages", static c => c.MessagesSent)
        .Count(nameof(BytesSent), "bytes", static c => c.BytesSent)
        .Count(nameof(TransfersReceived), "messages", static c => c.TransfersReceived)
        .Count(nameof(TransfersExpired), "messages", static c => c.TransfersExpired)
        .Count(nameof(TransfersCancelled), "messages", static c => c.TransfersCancelled)
        .Count(nameof(TransfersUnknown), "messages", static c => c.TransfersUnknown)
        .Count(nameof(TakesAsked), "messages", static c => c.TakesAsked)
        .Count(nameof(TakesTaken), "messages", static c => c.TakesTaken)
        .Count(nameof(TakesRefused), "messages", static c => c.TakesRefused)
        .Count(nameof(TakesExpired), "messages", static c => c.TakesExpired)
        .Count(nameof(TakesUnknown), "messages", static c => c.TakesUnknown)
        .Count(nameof(RepeatsWritten), "pieces", static c => c.RepeatsWritten)
        .Count(nameof(RepeatsDropped), "pieces", static c => c.RepeatsDropped)
        .Count(nameof(MessagesReceived), "messages", static c => c.MessagesReceived)
        .Count(nameof(BytesReceived), "bytes", static c => c.BytesReceived)
        .Count(nameof(MessagesRefused), "messages", static c => c.MessagesRefused));

    private readonly MessageCounts _counts;

    internal MessageCounters(in MessageCounts counts) => _counts = counts;

    internal MessageCounts Counts => _counts;

    /// <summary>Messages that were accepted to be sent.</summary>
    public long MessagesSent => _counts[(int)MessageCount.MessagesSent];

    /// <summary>Bytes of them, without headers.</summary>
    public long BytesSent => _counts[(int)MessageCount.BytesSent];

    /// <summary>Of the messages sent: known to be at the peer (<see cref="TransferState.Received"/>).</summary>
    public long TransfersReceived => _counts[(int)MessageCount.TransfersReceived];

    /// <summary>Of the messages sent: given up (<see cref="TransferState.Expired"/>).</summary>
    public long TransfersExpired => _counts[(int)MessageCount.TransfersExpired];

    /// <summary>Of the messages sent: given up before they went out (<see cref="TransferState.Cancelled"/>).</summary>
    public long TransfersCancelled => _counts[(int)MessageCount.TransfersCancelled];

    /// <summary>Of the messages sent: in flight when the connection ended (<see cref="TransferState.Unknown"/>).</summary>
    public long TransfersUnknown => _counts[(int)MessageCount.TransfersUnknown];

    /// <summary>Messages sent with <see cref="SendOptions.NotifyTaken"/>.</summary>
    public long TakesAsked => _counts[(int)MessageCount.TakesAsked];

    /// <summary>Of these: taken by the peer's application.</summary>
    public long TakesTaken => _counts[(int)MessageCount.TakesTaken];

    /// <summary>Of these: refused by the peer's application, or thrown away unseen by its library.</summary>
    public long TakesRefused => _counts[(int)MessageCount.TakesRefused];

    /// <summary>Of these: not taken in time, or given up.</summary>
    public long TakesExpired => _counts[(int)MessageCount.TakesExpired];

    /// <summary>Of these: not known when the connection ended, or too long ago.</summary>
    public long TakesUnknown => _counts[(int)MessageCount.TakesUnknown];

    /// <summary>
    /// Small messages, or what several of an ordered lane lay in, that went out again before anything was known to be
    /// lost (<see cref="LaneOptions.Repeats"/>).
    /// </summary>
    public long RepeatsWritten => _counts[(int)MessageCount.RepeatsWritten];

    /// <summary>Such that did not go again, because the congestion window had no room for them (D-11.3).</summary>
    public long RepeatsDropped => _counts[(int)MessageCount.RepeatsDropped];

    /// <summary>Messages handed to this end's application.</summary>
    public long MessagesReceived => _counts[(int)MessageCount.MessagesReceived];

    /// <summary>Bytes of them.</summary>
    public long BytesReceived => _counts[(int)MessageCount.BytesReceived];

    /// <summary>Of the messages handed to this end's application: those it refused.</summary>
    public long MessagesRefused => _counts[(int)MessageCount.MessagesRefused];

    /// <summary>Sends that were refused, whatever the limit.</summary>
    public long SendsRefusedTotal
    {
        get
        {
            long sum = 0;

            foreach (SendStatus status in Refusals)
            {
                sum += SendsRefused(status);
            }

            return sum;
        }
    }

    /// <summary>Messages thrown away, whatever the cause.</summary>
    public long DroppedTotal
    {
        get
        {
            long sum = 0;

            foreach (MessageDrop cause in Drops)
            {
                sum += Dropped(cause);
            }

            return sum;
        }
    }

    /// <summary>Sends that were refused with that status (R8); zero for <see cref="SendStatus.Accepted"/>.</summary>
    public long SendsRefused(SendStatus status) => _counts[(int)MessageCount.FirstSendRefused + (int)status];

    /// <summary>Messages thrown away for that cause; zero for <see cref="MessageDrop.None"/>.</summary>
    public long Dropped(MessageDrop cause) => _counts[(int)MessageCount.FirstDrop + (int)cause];

    /// <summary>
    /// Every counter by its name, each refusal as "SendsRefused.LaneFull" and each drop as "Dropped.NoRoom". A new
    /// dictionary, the caller's (M23). Cold path.
    /// </summary>
    public Dictionary<string, long> ToDictionary() => Table.ToDictionary(this);

    /// <summary>One line per counter as "BytesSent 120000 bytes": name, value, unit (M23). Cold path.</summary>
    public string ToText() => Table.ToText(this);

    internal static SendStatus[] Refusals { get; } = Enum.GetValues<SendStatus>()[1..];

    internal static MessageDrop[] Drops { get; } = Enum.GetValues<MessageDrop>()[1..];

    private static CounterTable<MessageCounters> WithCauses(CounterTable<MessageCounters> table)
    {
        foreach (SendStatus status in Enum.GetValues<SendStatus>().AsSpan(1))
        {
            table.Count($"{nameof(SendsRefused)}.{status}", "sends", counters => counters.SendsRefused(status));
        }

        foreach (MessageDrop cause in Enum.GetValues<MessageDrop>().AsSpan(1))
        {
            table.Count($"{nameof(Dropped)}.{cause}", "messages", counters => counters.Dropped(cause));
        }

        return table;
    }
}
