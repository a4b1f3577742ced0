using System;
using System.Collections.Generic;
using Gudp.Sequencing.Records;

namespace Gudp.Sequencing;

/// <summary>
/// Checks a history, of Gudp or of any other system, against the rules of causal order, and lists every violation
/// (requirement B36).
/// </summary>
/// <remarks>
/// <code>
/// HistoryEvent[] history =
/// [
///     HistoryEvent.Point("p", 0), HistoryEvent.Publish("p", 1, "light", at: 7),
///     HistoryEvent.Receive("r", "p", 1, "light", arrival: 7), HistoryEvent.Point("r", 10),
/// ];
/// foreach (HistoryViolation violation in HistoryChecker.Check(history))
/// {
///     Console.WriteLine(violation);
/// }
/// </code>
/// </remarks>
public static class HistoryChecker
{
    /// <summary>Checks a history.</summary>
    /// <param name="events">
    /// Of all members. Those of one member stand in the order in which they happened to it; how the members' events are
    /// mixed does not matter, so one member's may follow another's.
    /// </param>
    /// <param name="rules">What is asked besides what always holds; null for the defaults.</param>
    /// <returns>All violations, in the order of the events; empty if the history is right.</returns>
    /// <exception cref="ArgumentException">An event has no member: it was not made by one of the methods.</exception>
    public static IReadOnlyList<HistoryViolation> Check(
        IReadOnlyList<HistoryEvent> events, HistoryRules? rules = null)
    {
        ArgumentNullException.ThrowIfNull(events);

        for (int i = 0; i < events.Count; i++)
        {
            if (events[i].Member is null || events[i].Publisher is null || events[i].Channel is null)
            {
                throw new ArgumentException($"Event {i} has no member, publisher or channel.", nameof(events));
            }
        }

        return new HistoryCheck(events, rules ?? new HistoryRules()).Run();
    }
}
