using System;

namespace Gudp.Messaging.Lanes;

/// <summary>Lanes of one priority: ranks from <see cref="Start"/> up to and without <see cref="End"/>.</summary>
internal struct LaneLevel
{
    internal int Number;
    internal int Start;
    internal int End;
    internal int Heaviest;
}

/// <summary>
/// The order in which a plan's lanes are looked at: the control lane, then by falling priority, then by number. The same for
/// all sessions of an endpoint, and never changed.
/// </summary>
internal sealed class LaneRanks
{
    // The share of the heaviest lane of a level: about a packet.
    private const int FullShare = SendSchedule.FullShare;

    internal LaneRanks(LanePlan plan, int lanes)
    {
        int[] order = new int[lanes];

        for (int lane = 0; lane < order.Length; lane++)
        {
            order[lane] = lane;
        }

        Array.Sort(order, (one, other) => CompareLanes(one, other, plan));
        RankOf = new byte[order.Length];
        LaneAt = new byte[order.Length];
        ShareAt = new int[order.Length];
        LevelAt = new byte[order.Length];
        LaneLevel[] levels = new LaneLevel[order.Length];
        int count = 0;

        for (int rank = 0; rank < order.Length; rank++)
        {
            bool isNew = rank <= 1 || plan[order[rank]].Priority != plan[order[rank - 1]].Priority;

            if (isNew)
            {
                levels[count] = new LaneLevel { Number = count, Start = rank };
                count++;
            }

            levels[count - 1].End = rank + 1;
            levels[count - 1].Heaviest = Math.Max(levels[count - 1].Heaviest, plan[order[rank]].Weight);
            RankOf[order[rank]] = (byte)rank;
            LaneAt[rank] = (byte)order[rank];
            LevelAt[rank] = (byte)(count - 1);
        }

        Levels = levels[..count];

        for (int rank = 0; rank < order.Length; rank++)
        {
            ShareAt[rank] = Math.Max(1, FullShare * plan[order[rank]].Weight / Levels[LevelAt[rank]].Heaviest);
        }
    }

    /// <summary>By lane.</summary>
    internal byte[] RankOf { get; }

    /// <summary>By rank, as all below.</summary>
    internal byte[] LaneAt { get; }

    /// <summary>Bytes a lane may write when it is its turn.</summary>
    internal int[] ShareAt { get; }

    /// <summary>Index into <see cref="Levels"/>.</summary>
    internal byte[] LevelAt { get; }

    /// <summary>By falling priority.</summary>
    internal LaneLevel[] Levels { get; }

    /// <summary>By level, a new array: whose turn it is at first.</summary>
    internal byte[] FirstCursors() => Array.ConvertAll(Levels, static level => (byte)level.Start);

    private static int CompareLanes(int one, int other, LanePlan plan)
    {
        if (one == 0 || other == 0)
        {
            return one.CompareTo(other);
        }

        int byPriority = plan[other].Priority.CompareTo(plan[one].Priority);
        return byPriority != 0 ? byPriority : one.CompareTo(other);
    }
}
