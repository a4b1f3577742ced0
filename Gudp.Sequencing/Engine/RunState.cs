// Everything a sequence server knows of its run. What it grants and delivers is a function of the configuration, of the
// commits it applied and of the external facts it noted, and of nothing else: no clock, no thread, no order of links.
//
// Always true:
//   - the stop only falls, and is above every grant but the final ones;
//   - a fact is noted before what it changes.

using System.Collections.Generic;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Log;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal enum RunPhase : byte
{
    /// <summary>Members are missing; time stands at its start.</summary>
    Gathering,

    /// <summary>Members advance.</summary>
    Running,

    /// <summary>Everybody has resigned.</summary>
    Ended,

    /// <summary>A member whose loss ends the run was lost.</summary>
    Aborted,
}

internal sealed class RunState
{
    // What a busy run uses again and again; more goes back to the system's pool.
    private const long MaxIdleLetterBytes = 16L << 20;

    /// <summary>Facts that are kept in memory, the first ones; the record has all of them.</summary>
    internal const int MaxFacts = 4_096;

    private readonly List<ExternalFact> _facts = [];

    internal RunState(RunLayout layout)
    {
        Layout = layout;
        Snapshots = new SnapshotStore(layout.SnapshotBytes);
        Log = new SealedLog(layout.LogLimits, TieOrder.Of(layout.TieSeed));
        Members = new MemberTable(layout.ConfigHash, TieOrder.Of(layout.TieSeed));
        Limits = RunLimits.None with { Stop = layout.StopTag ?? Tag.Top };

        foreach (ChannelLayout channel in layout.Channels)
        {
            AddChannel(channel);
        }

        Members.Reach.System = Channels.TryFind(SystemEvent.Channel, out int system) ? system : BoundTable.Nobody;

        foreach (MemberLayout member in layout.Members)
        {
            Members.Add(member);
            Unsettled ??= member.MaySponsor ? new Unsettled() : null;
        }
    }

    /// <summary>What the run was configured with; members and channels that came later stand only in the tables.</summary>
    internal RunLayout Layout { get; }

    internal ChannelTable Channels { get; } = new();

    internal MemberTable Members { get; }

    /// <summary>Admissions of sponsors that are not decided yet.</summary>
    internal List<AdmissionOrder> Admissions { get; } = [];

    /// <summary>Kept for whom a sponsor may admit; null if the run has none.</summary>
    internal Unsettled? Unsettled { get; }

    /// <summary>As of the last evaluation.</summary>
    internal BoundTable Bounds { get; } = new();

    internal RunPhase Phase { get; set; }

    internal RunLimits Limits { get; set; }

    /// <summary>An operator said that the run may start; see <see cref="SequencingConfig.StartsOnCommand"/>.</summary>
    internal bool IsStartAsked { get; set; }

    /// <summary>Something happened since the last evaluation that may let a member go on.</summary>
    internal bool HasChanged { get; set; }

    /// <summary>A member became a sender late: bounds that held for the others may be lower than they were.</summary>
    internal bool HasLateSender { get; set; }

    /// <summary>The latest nominal arrival of all that was published.</summary>
    internal Tag LatestArrival { get; set; }

    /// <summary>
    /// W of lock-time 7.3 as of the last evaluation, but never above what comes next after everything published: no
    /// message is sealed later for it, and a member that takes up sending when nobody else does still can.
    /// </summary>
    internal Tag Floor => Tag.Earlier(Bounds.Floor, LatestArrival + Delay.OneRound);

    /// <summary>What members publish again and again within one time.</summary>
    internal RoundLedger Rounds { get; } = new();

    internal LetterPool Letters { get; } = new(MaxIdleLetterBytes);

    /// <summary>What is counted over the whole run.</summary>
    internal RunTally Tally { get; } = new();

    /// <summary>Messages that the simulated network lost at their sender (lock-time 17).</summary>
    internal long Lost { get; set; }

    /// <summary>Messages published over the whole run.</summary>
    internal long Published { get; set; }

    /// <summary>What was published, as one numbered list (lock-time 7.3).</summary>
    internal SealedLog Log { get; }

    /// <summary>States that members published for those who join late (lock-time 10).</summary>
    internal SnapshotStore Snapshots { get; }

    /// <summary>Writes the run down; null if nobody asked for a record.</summary>
    internal RunRecorder? Recorder { get; set; }

    /// <summary>Of the whole run, once it has ended.</summary>
    internal ulong RunDigest { get; set; }

    /// <summary>Of a run that was aborted; else null.</summary>
    internal string? AbortReport { get; set; }

    /// <summary>What came from outside; a run with none of it can be repeated exactly.</summary>
    internal IReadOnlyList<ExternalFact> ExternalFacts => _facts;

    /// <summary>How many came from outside, kept or not.</summary>
    internal long ExternalFactCount { get; private set; }

    /// <summary>Something came from outside that a run with the same commits would not have had.</summary>
    internal bool IsInfluenced { get; private set; }

    /// <summary>A channel of the configuration, or one that a later member brought; everywhere with the same index.</summary>
    internal void AddChannel(ChannelLayout channel)
    {
        Channels.Add(channel, Members.Reach);
        Log.AddChannel(channel.Retention);
    }

    internal void Note(in ExternalFact fact)
    {
        Recorder?.AddFact(in fact);
        ExternalFactCount++;

        // Members can make them as often as they like: they come and go, or are stopped.
        if (_facts.Count < MaxFacts)
        {
            _facts.Add(fact);
        }

        IsInfluenced |= fact.Influences;
        HasChanged = true;
    }
}
