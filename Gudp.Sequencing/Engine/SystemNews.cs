// What the system channel tells (lock-time 8.3): who joined late, who left. Each is a message of the member it is about,
// with the smallest arrival that member could still have published at, so it is as final as a publication.

using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class SystemNews(RunState run, Postings postings)
{
    private readonly FrameWriter _writer = new();

    /// <summary>The member had its first grant, after the start.</summary>
    internal void TellJoined(Member member)
        => Tell(member, SystemEventKind.Joined, 0, run.Members.StateOf(member).EarliestPublication);

    /// <summary>The member leaves; its state is still what it was.</summary>
    internal void TellLeaving(Member member, SystemEventKind kind)
    {
        MemberState state = run.Members.StateOf(member);
        Tag arrival = state.EarliestPublication;

        // Of one that was taken out while it waited: its E then, which is recorded with the fact.
        if (kind == SystemEventKind.Lost)
        {
            arrival = Tag.Later(arrival, run.Bounds.EarliestOf(member.Ordinal));
        }

        Tell(member, kind, member.SubSequence + 1, arrival);
    }

    // As for what members publish: a difference of tags must fit a wire integer (clause ).
    private bool IsInReach(int channel, Tag arrival)
        => (arrival + run.Channels[channel].Model.Latency.Maximum).Time <= CommitCheck.MaxPublicationTime;

    // Number 0 comes before the first publication of a member, and the one after its last is not taken: news change
    // nobody's numbering.
    private void Tell(Member about, SystemEventKind kind, long number, Tag arrival)
    {
        int channel = run.Members.Reach.System;
        Tag at = run.Members.StateOf(about).Now;

        // What arrives at the stop itself is in everybody's last batch, whether the stop is known by now or not.
        if (channel == BoundTable.Nobody || arrival > run.Limits.Stop || !IsInReach(channel, arrival))
        {
            return;
        }

        _writer.Clear();
        new SystemEvent(kind, about.Name, at).Write(_writer);
        postings.Post(about, channel, new Posting(arrival, at, number), _writer.Written);
    }
}
