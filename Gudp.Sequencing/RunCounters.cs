using System;
using System.Collections.Generic;
using Gudp.Core;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing;

/// <summary>
/// What a server has counted since its run began. All only grow, but <see cref="LogMessages"/> and
/// <see cref="LogBytes"/>. No grant depends on one, and two executions of a run need not agree in them.
/// </summary>
public readonly record struct RunCounters
{
    // Every counter has a row here; a test compares. Refusals have one per error.
    internal static readonly CounterTable<RunCounters> Table = WithErrors(new CounterTable<RunCounters>()
        .Count(nameof(MessagesPublished), "messages", static c => c.MessagesPublished)
        .Count(nameof(MessagesDelivered), "messages", static c => c.MessagesDelivered)
        .Count(nameof(MessagesDropped), "messages", static c => c.MessagesDropped)
        .Count(nameof(MessagesLostBySender), "messages", static c => c.MessagesLostBySender)
        .Count(nameof(MessagesLostByReceiver), "messages", static c => c.MessagesLostByReceiver)
        .Count(nameof(MessagesDuplicated), "messages", static c => c.MessagesDuplicated)
        .Count(nameof(Ties), "ties", static c => c.Ties)
        .Count(nameof(StepsRepeated), "steps", static c => c.StepsRepeated)
        .Count(nameof(SessionsResumed), "sessions", static c => c.SessionsResumed)
        .Count(nameof(AdmissionsRefused), "admissions", static c => c.AdmissionsRefused)
        .Count(nameof(ObserversDropped), "observers", static c => c.ObserversDropped)
        .Count(nameof(PeeksAnswered), "peeks", static c => c.PeeksAnswered)
        .Count(nameof(OperatorRequests), "requests", static c => c.OperatorRequests)
        .Count(nameof(LogSealed), "messages", static c => c.LogSealed)
        .Count(nameof(LogTrimmed), "messages", static c => c.LogTrimmed)
        .Level(nameof(LogMessages), "messages", static c => c.LogMessages)
        .Level(nameof(LogBytes), "bytes", static c => c.LogBytes)
        .Count(nameof(LogMessagesSent), "messages", static c => c.LogMessagesSent)
        .Count(nameof(LogQuestionsTrimmed), "questions", static c => c.LogQuestionsTrimmed)
        .Count(nameof(FramesIgnored), "frames", static c => c.FramesIgnored)
        .Count(nameof(LinksGivenUp), "links", static c => c.LinksGivenUp)
        .Count(nameof(MessagesIgnored), "messages", static c => c.MessagesIgnored));

    private readonly SequenceCounts _counts;

    internal RunCounters(in SequenceCounts counts) => _counts = counts;

    /// <summary>Errors that a server can answer with; the others are local to an end.</summary>
    internal static SequencingError[] Errors { get; } = Array.FindAll(
        Enum.GetValues<SequencingError>(),
        static error => error is not (SequencingError.None or SequencingError.ConnectionLost));

    internal SequenceCounts Counts => _counts;

    /// <summary>Messages that members published; news of the system channel included.</summary>
    public long MessagesPublished => this[RunCount.MessagesPublished];

    /// <summary>Messages handed to members and observers, one for each of them.</summary>
    public long MessagesDelivered => this[RunCount.MessagesDelivered];

    /// <summary>
    /// Messages that a receiver did not want at its grant: its <see cref="BufferPolicy"/>, an interest switched off, or
    /// no role to receive.
    /// </summary>
    public long MessagesDropped => this[RunCount.MessagesDropped];

    /// <summary>Messages that the simulated network of their channel lost for everybody.</summary>
    public long MessagesLostBySender => this[RunCount.MessagesLostBySender];

    /// <summary>Messages that it lost on the way to one receiver.</summary>
    public long MessagesLostByReceiver => this[RunCount.MessagesLostByReceiver];

    /// <summary>Second copies that it gave to one receiver.</summary>
    public long MessagesDuplicated => this[RunCount.MessagesDuplicated];

    /// <summary>How often nothing but the rule for ties decided an order, over all receivers.</summary>
    public long Ties => this[RunCount.Ties];

    /// <summary>Commits that came a second time and were dropped, as after a lost connection.</summary>
    public long StepsRepeated => this[RunCount.StepsRepeated];

    /// <summary>Sessions that went on over another connection.</summary>
    public long SessionsResumed => this[RunCount.SessionsResumed];

    /// <summary>Admissions of sponsors that came to nothing: the name was in use, or the run was full.</summary>
    public long AdmissionsRefused => this[RunCount.AdmissionsRefused];

    /// <summary>Observers that did not ask, and were dropped with a full inbox.</summary>
    public long ObserversDropped => this[RunCount.ObserversDropped];

    /// <summary>Looks into an inbox that were answered.</summary>
    public long PeeksAnswered => this[RunCount.PeeksAnswered];

    /// <summary>Calls of operators that were answered: barriers, steps, stops, starts, questions.</summary>
    public long OperatorRequests => this[RunCount.OperatorRequests];

    /// <summary>Messages of the sealed log, kept or not.</summary>
    public long LogSealed => this[RunCount.LogSealed];

    /// <summary>Of them: gone because a limit of the log or of a channel's retention was reached.</summary>
    public long LogTrimmed => this[RunCount.LogTrimmed];

    /// <summary>Of them: kept now. A level.</summary>
    public long LogMessages => this[RunCount.LogMessages];

    /// <summary>Bytes of those kept, 192 for each included. A level.</summary>
    public long LogBytes => this[RunCount.LogBytes];

    /// <summary>Messages sent to readers of the log.</summary>
    public long LogMessagesSent => this[RunCount.LogMessagesSent];

    /// <summary>Questions of readers for what was trimmed already.</summary>
    public long LogQuestionsTrimmed => this[RunCount.LogQuestionsTrimmed];

    /// <summary>Frames of a type that means nothing to a server of this version.</summary>
    public long FramesIgnored => this[RunCount.FramesIgnored];

    /// <summary>Connections closed by the server: they did not read, or could not be served.</summary>
    public long LinksGivenUp => this[RunCount.LinksGivenUp];

    /// <summary>Messages that still came over such a connection.</summary>
    public long MessagesIgnored => this[RunCount.MessagesIgnored];

    /// <summary>Frames that were refused, whatever the error.</summary>
    public long RefusedTotal
    {
        get
        {
            long sum = 0;

            foreach (SequencingError error in Errors)
            {
                sum += Refused(error);
            }

            return sum;
        }
    }

    private long this[RunCount count] => _counts[(int)count];

    /// <summary>Frames that were refused with that error: hellos, commits, questions.</summary>
    /// <param name="error">Zero for those that no server answers with.</param>
    public long Refused(SequencingError error)
        => error is SequencingError.None || (int)error >= SequenceCounts.LocalError
            ? 0
            : _counts[(int)RunCount.FirstRefused + (int)error];

    /// <summary>
    /// Every counter by its name, each refusal as "Refused.BadFrame". A new dictionary, the caller's. Cold path.
    /// </summary>
    public Dictionary<string, long> ToDictionary() => Table.ToDictionary(this);

    /// <summary>One line per counter as "Ties 12 ties": name, value, unit. Cold path.</summary>
    public string ToText() => Table.ToText(this);

    private static CounterTable<RunCounters> WithErrors(CounterTable<RunCounters> table)
    {
        foreach (SequencingError error in Enum.GetValues<SequencingError>())
        {
            if (error is not (SequencingError.None or SequencingError.ConnectionLost))
            {
                table.Count($"{nameof(Refused)}.{error}", "frames", counters => counters.Refused(error));
            }
        }

        return table;
    }
}
