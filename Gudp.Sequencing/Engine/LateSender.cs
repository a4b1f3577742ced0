// Where a member that becomes a sender late may first be heard (lock-time 5.3, clause ): not below the run's floor,
// because what lies there is final, and above all that those it reaches have been granted, because nothing may arrive
// there any more. Reaching goes on through members that receive and send: what wakes one of them makes it speak.

using System;
using System.Collections.Generic;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Engine;

internal static class LateSender
{
    /// <summary>The smallest F that is safe for the member now.</summary>
    internal static Tag Earliest(RunState run, int sender)
    {
        Tag earliest = run.Floor;

        foreach (Member observer in run.Members.Observers)
        {
            earliest = Tag.Later(earliest, run.Members.StateOf(observer).Now + Delay.OneRound);
        }

        Reach reach = run.Members.Reach;
        bool[] isFound = new bool[run.Members.Count];
        bool reachesAll = reach.MayStop(sender);
        Queue<int> senders = new([sender]);

        for (int member = 0; reachesAll && member < run.Members.Count; member++)
        {
            earliest = Tag.Later(earliest, Above(run, member));
        }

        while (senders.TryDequeue(out int from))
        {
            foreach (int channel in reach.PublishedBy(from))
            {
                foreach (Hearer hearer in reach.HearersOf(channel))
                {
                    if (isFound[hearer.Member] || !run.Members.States[hearer.Member].Receives)
                    {
                        continue;
                    }

                    isFound[hearer.Member] = true;
                    earliest = Tag.Later(earliest, Above(run, hearer.Member));

                    if (run.Members.States[hearer.Member].Sends)
                    {
                        senders.Enqueue(hearer.Member);
                    }
                }
            }
        }

        return earliest;
    }

    // Rev of lock-time 5.3: the last grant, until more than that is ever shown to a member.
    private static Tag Above(RunState run, int member)
        => run.Members[member].Life == MemberLife.Resigned
            ? Tag.Zero
            : run.Members.States[member].Now + Delay.OneRound;
}
