using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using Gudp.Messaging.Lanes;

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

        foreach (MessageSession session in sessions)
        {
            session.BeginShutdown();
        }

        foreach (MessageSession session in sessions)
        {
            OpenTraffic open = WaitFor(session, deadline, start);

            if (session.ReadDrain(open) is { } drain)
            {
                left.Add(drain);
            }

            session.EndShutdown(isOver: !open.IsEmpty);
        }

        return new MessageDrainReport(left);
    }

    // What is open at the end of the session shall be known, so it is read before the end is looked at.
    private static OpenTraffic WaitFor(MessageSession session, TimeSpan deadline, long start)
    {
        while (true)
        {
            long seen = session.Changes.Version;
            OpenTraffic open = session.ReadOpen();

            if (session.HasEnded || (open.IsEmpty && session.IsFlushed()))
            {
                return open;
            }

            TimeSpan rest = deadline == Timeout.InfiniteTimeSpan ? Step : deadline - Stopwatch.GetElapsedTime(start);

            if (rest <= TimeSpan.Zero)
            {
                return open;
            }

            session.Changes.WaitPast(seen, rest < Step ? rest : Step);
        }
    }
}
