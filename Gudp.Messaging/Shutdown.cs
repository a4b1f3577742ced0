using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;

namespace Gudp.Messaging;

/// <summary>Ends some sessions by one deadline and says what was left (D-13.4). The caller's thread waits.</summary>
internal static class Shutdown
{
    // What is taken at the peer becomes known in a turn, which signals; this is for what does not signal.
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    internal static MessageDrainReport Run(IReadOnlyList<MessageSession> sessions, TimeSpan deadline)
    {
        long start = Stopwatch.GetTimestamp();
        List<PeerDrain> left = [];
        ThrowIfInTurn(sessions, deadline);

        foreach (MessageSession session in sessions)
        {
            session.BeginShutdown();
        }

        foreach (MessageSession session in sessions)
        {
            bool isDone = WaitFor(session, deadline, start);

            if (session.ReadDrain() is { } drain)
            {
                left.Add(drain);
            }

            session.EndShutdown(isOver: !isDone);
        }

        return new MessageDrainReport(left);
    }

    private static void ThrowIfInTurn(IReadOnlyList<MessageSession> sessions, TimeSpan deadline)
    {
        bool waits = deadline > TimeSpan.Zero || deadline == Timeout.InfiniteTimeSpan;

        foreach (MessageSession session in sessions)
        {
            if (waits && session.IsLedByCaller)
            {
                throw new InvalidOperationException(
                    "A shutdown with a deadline cannot be asked for from inside the turn that it would wait for, which is "
                    + "where sinks run; do it on another thread, or with a deadline of zero.");
            }
        }
    }

    // False: the time was over first.
    private static bool WaitFor(MessageSession session, TimeSpan deadline, long start)
    {
        while (true)
        {
            long seen = session.Changes.Version;

            if (session.IsShutDown)
            {
                return true;
            }

            TimeSpan rest = deadline == Timeout.InfiniteTimeSpan ? Step : deadline - Stopwatch.GetElapsedTime(start);

            if (rest <= TimeSpan.Zero)
            {
                return false;
            }

            session.Changes.WaitPast(seen, rest < Step ? rest : Step);
        }
    }
}
