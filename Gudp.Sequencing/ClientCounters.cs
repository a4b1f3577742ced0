using System;
using System.Collections.Generic;
using Gudp.Core;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing;

/// <summary>
/// What a member, an operator or a reader of the log has counted at its own end. All only grow.
/// </summary>
public readonly record struct ClientCounters
{
    // Every counter has a row here; a test compares. Refusals have one per error.
    internal static readonly CounterTable<ClientCounters> Table = WithErrors(new CounterTable<ClientCounters>()
        .Count(nameof(FramesIgnored), "frames", static c => c.FramesIgnored)
        .Count(nameof(LogMessagesRepeated), "messages", static c => c.LogMessagesRepeated)
        .Count(nameof(LogHolesAsked), "holes", static c => c.LogHolesAsked));

    private readonly SequenceCounts _counts;

    internal ClientCounters(in SequenceCounts counts) => _counts = counts;

    /// <summary>Frames of another session, of an older question, or of a type that means nothing to this end.</summary>
    public long FramesIgnored => _counts[(int)ClientCount.FramesIgnored];

    /// <summary>Readers: messages of the log that came again and were dropped.</summary>
    public long LogMessagesRepeated => _counts[(int)ClientCount.LogMessagesRepeated];

    /// <summary>Readers: holes that were asked for.</summary>
    public long LogHolesAsked => _counts[(int)ClientCount.LogHolesAsked];

    /// <summary>Everything that was refused, whatever the error.</summary>
    public long RefusedTotal
    {
        get
        {
            long sum = 0;

            foreach (SequencingError error in Enum.GetValues<SequencingError>())
            {
                sum += Refused(error);
            }

            return sum;
        }
    }

    /// <summary>
    /// How often something ended or was refused with that error: a call of the application, what the server answered,
    /// what the server sent and this end does not accept, a lost connection.
    /// </summary>
    /// <param name="error">Zero for <see cref="SequencingError.None"/>.</param>
    public long Refused(SequencingError error) => error == SequencingError.None
        ? 0
        : _counts[(int)ClientCount.FirstRefused + SequenceCounts.PlaceOf(error)];

    /// <summary>
    /// Every counter by its name, each refusal as "Refused.BadFrame". A new dictionary, the caller's. Cold path.
    /// </summary>
    public Dictionary<string, long> ToDictionary() => Table.ToDictionary(this);

    /// <summary>One line per counter as "FramesIgnored 1 frames": name, value, unit. Cold path.</summary>
    public string ToText() => Table.ToText(this);

    private static CounterTable<ClientCounters> WithErrors(CounterTable<ClientCounters> table)
    {
        foreach (SequencingError error in Enum.GetValues<SequencingError>().AsSpan(1))
        {
            table.Count($"{nameof(Refused)}.{error}", "times", counters => counters.Refused(error));
        }

        return table;
    }
}
