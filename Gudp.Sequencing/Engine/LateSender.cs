// Where a member that becomes a sender late may first be heard (lock-time 5.3, clause ): not below the run's floor,
// because what lies there is final, and above all that those it reaches have been granted, because nothing may arrive
// there any more. Reaching goes on through members that receive and may speak: what wakes one of them makes it speak. Who
// may stop the run reaches everybody, who may admit others all receivers, and who leaves those that hear of it.

using System.Collections.Generic;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Engine;

internal ref struct LateSender
{
    private readonly RunState _run;
    private readonly bool[] _isFound;
    private readonly Queue<int> _speakers;
    private Tag _earliest;

    private LateSender(RunState run, int sender)
    {
        _run = run;
        _isFound = new bool[run.Members.Count];
        _speakers = new Queue<int>([sender]);
        _earliest = run.Floor;
    }

    private readonly Reach Reach => _run.Members.Reach;

    /// <summary>The smallest F that is safe for the member now.</summary>
    internal static Tag Earliest(RunState run, int sender)
    {
        LateSender search = new(run, sender);

        while (search._speakers.TryDequeue(out int from))
        {
            search.Follow(from, isSender: from == sender || run.Members.States[from].Sends);
        }

        return search._earliest;
    }

    private void Follow(int from, bool isSender)
    {
        if (Reach.System != BoundTable.Nobody)
        {
            FollowChannel(Reach.System);
        }

        if (!isSender)
        {
            return;
        }

        for (int member = 0; Reach.MayStop(from) && member < _run.Members.Count; member++)
        {
            _earliest = Tag.Later(_earliest, Above(member));
        }

        for (int member = 0; Reach.MaySponsor(from) && member < _run.Members.Count; member++)
        {
            Find(member);
        }

        foreach (int channel in Reach.PublishedBy(from))
        {
            FollowChannel(channel);
        }
    }

    private void FollowChannel(int channel)
    {
        foreach (Hearer hearer in Reach.HearersOf(channel))
        {
            Find(hearer.Member);
        }
    }

    private void Find(int member)
    {
        ref readonly MemberState state = ref _run.Members.States[member];

        if (_isFound[member] || !state.Receives)
        {
            return;
        }

        _isFound[member] = true;
        _earliest = Tag.Later(_earliest, Above(member));

        if (state.Sends || Reach.System != BoundTable.Nobody)
        {
            _speakers.Enqueue(member);
        }
    }

    // Rev of lock-time 5.3: the last grant, until more than that is ever shown to a member.
    private readonly Tag Above(int member)
        => _run.Members[member].Life == MemberLife.Resigned
            ? Tag.Zero
            : _run.Members.States[member].Now + Delay.OneRound;
}
