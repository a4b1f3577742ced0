// Members that are still to come and that the run does not wait for (lock-time 8.2): as soon as one of policy Resign is
// what keeps somebody from a grant, or from the end, the run goes on without it, and that is recorded.

using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Engine;

internal sealed class Absences(RunState run, Departures departures)
{
    /// <summary>Takes out one absent member that is waited for.</summary>
    /// <returns>False if there is none: nothing has changed.</returns>
    internal bool TryGoOnWithoutOne()
    {
        if (run.Phase != RunPhase.Running || !TryFind(out Member? absent))
        {
            return false;
        }

        departures.Remove(absent);
        return true;
    }

    private bool TryFind([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Member? absent)
    {
        absent = null;
        bool isAnybodyLeft = false;

        foreach (Member member in run.Members.All)
        {
            if (IsDispensable(member))
            {
                absent ??= member;
            }
            else
            {
                isAnybodyLeft |= member.Life != MemberLife.Resigned;
            }
        }

        // Nobody dispensable, or it is all that the end waits for.
        return absent is not null && (!isAnybodyLeft || TryFindRoot(out absent));
    }

    private bool TryFindRoot([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Member? absent)
    {
        absent = null;

        foreach (Member member in run.Members.All)
        {
            if (member.Life == MemberLife.Live && run.Members.StateOf(member).IsWaiting)
            {
                WaitRoot root = member.Waits.Root;

                if (root.Member != BoundTable.Nobody && IsDispensable(run.Members[root.Member]))
                {
                    absent = run.Members[root.Member];
                    return true;
                }
            }
        }

        return false;
    }

    // Whoever joins at the stop or later cannot come any more, whatever its policy.
    private bool IsDispensable(Member member)
        => member.Life == MemberLife.Absent
            && (member.Layout.CrashPolicy == CrashPolicy.Resign || member.Join >= run.Limits.Stop);
}
