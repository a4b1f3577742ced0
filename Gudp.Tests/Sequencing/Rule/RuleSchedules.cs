using Gudp.Core;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>Who gets its turn next. Nothing of what it says may be seen in a history.</summary>
internal interface IRuleSchedule
{
    /// <summary>Which of those that can move moves.</summary>
    /// <param name="movable">By ordinal; at least one is true.</param>
    int Pick(ReadOnlySpan<bool> movable);

    /// <summary>Whether it takes its grant before what it said earlier moves on; both can.</summary>
    bool TakesGrantFirst { get; }

    /// <summary>Whether the server looks what it can grant, or waits for more to come.</summary>
    bool Evaluates { get; }

    /// <summary>Whether a member sends what it said so far before it says more.</summary>
    bool Splits { get; }

    /// <summary>Whether a message stays under way for a while after it was said.</summary>
    bool Delays => false;

    /// <summary>What breaks now.</summary>
    RuleBreak Break => RuleBreak.None;

    /// <summary>Whether a member that may be lost for good is lost now.</summary>
    bool Loses => false;

    /// <summary>Whether an operator ends the run now.</summary>
    bool Stops => false;

    /// <summary>How many ticks above the floor a barrier comes up now: null none, -1 the one there is goes.</summary>
    long? Barrier { get; }
}

/// <summary>What may happen to a connection or a process between any two messages.</summary>
internal enum RuleBreak
{
    None,

    /// <summary>The connection breaks, and the server notices.</summary>
    Cut,

    /// <summary>The connection breaks; the server notices late, or never.</summary>
    CutUnseen,

    /// <summary>The process dies, and another one begins with what it saved.</summary>
    Kill,

    KillUnseen,
}

/// <summary>
/// Turns by chance. Two in three schedules have favourites, which change now and then: one member runs far ahead of the
/// others, or is left behind for long, which turns drawn one by one hardly ever bring about.
/// </summary>
internal sealed class RandomSchedule : IRuleSchedule
{
    private readonly Prng _draws;
    private readonly ulong[] _ranks = new ulong[64];
    private readonly bool _hasFavourites;
    private readonly bool _hasBarriers;
    private readonly int _breakChance;

    internal RandomSchedule(ulong seed)
    {
        _draws = new Prng(seed);
        _hasFavourites = seed % 3 != 0;
        _hasBarriers = seed % 2 == 0;
        _breakChance = (seed % 5) switch
        {
            1 => 5_000,
            2 => 30_000,
            4 => 100_000,
            _ => 0,
        };

        for (int member = 0; member < _ranks.Length; member++)
        {
            _ranks[member] = _draws.NextUInt64();
        }
    }

    public bool TakesGrantFirst => _draws.NextChance(500_000);

    public bool Evaluates => _draws.NextChance(750_000);

    public bool Splits => _draws.NextChance(200_000);

    public bool Delays => _breakChance > 0 && _draws.NextChance(400_000);

    public RuleBreak Break => _draws.NextChance(_breakChance)
        ? (RuleBreak)_draws.NextBetween((long)RuleBreak.Cut, (long)RuleBreak.KillUnseen)
        : RuleBreak.None;

    public bool Loses => _draws.NextChance(10_000);

    public bool Stops => _draws.NextChance(500);

    public long? Barrier => !_hasBarriers || !_draws.NextChance(50_000) ? null : _draws.NextBelow(8) - 1;

    public int Pick(ReadOnlySpan<bool> movable)
    {
        if (_hasFavourites)
        {
            if (_draws.NextChance(30_000))
            {
                _ranks[(int)_draws.NextBelow(movable.Length)] = _draws.NextUInt64();
            }

            return Best(movable);
        }

        int picked;

        do
        {
            picked = (int)_draws.NextBelow(movable.Length);
        }
        while (!movable[picked]);

        return picked;
    }

    private int Best(ReadOnlySpan<bool> movable)
    {
        int best = movable.IndexOf(true);

        for (int member = best + 1; member < movable.Length; member++)
        {
            best = movable[member] && _ranks[member] > _ranks[best] ? member : best;
        }

        return best;
    }
}

/// <summary>Turns in one order, again and again.</summary>
internal sealed class OrderedSchedule(int[] order) : IRuleSchedule
{
    private int _turn;

    public bool TakesGrantFirst => true;

    public bool Evaluates => true;

    public bool Splits => false;

    public long? Barrier => null;

    public int Pick(ReadOnlySpan<bool> movable)
    {
        int picked;

        do
        {
            picked = order[_turn++ % order.Length];
        }
        while (!movable[picked]);

        return picked;
    }

    internal static IEnumerable<int[]> All(int[] members)
    {
        if (members.Length <= 1)
        {
            yield return members;
            yield break;
        }

        foreach (int first in members)
        {
            foreach (int[] rest in All([.. members.Where(other => other != first)]))
            {
                yield return [first, .. rest];
            }
        }
    }
}

/// <summary>Everybody in turn, but one member does nothing after its k-th turn until nobody else can do anything.</summary>
internal sealed class StallSchedule(int member, int afterTurns) : IRuleSchedule
{
    private int _turns;
    private int _last = -1;
    private bool _isOver;

    /// <summary>Whether the others ran dry during the stall: it was in the run, and it is over.</summary>
    internal bool HasStalled => _isOver;

    public bool TakesGrantFirst => true;

    public bool Evaluates => true;

    public bool Splits => false;

    public long? Barrier => null;

    public int Pick(ReadOnlySpan<bool> movable)
    {
        for (int step = 1; step <= movable.Length; step++)
        {
            int next = (_last + step) % movable.Length;
            bool isStalled = next == member && _turns == afterTurns && !_isOver;

            if (movable[next] && !isStalled)
            {
                _last = next;
                _turns += next == member ? 1 : 0;
                return next;
            }
        }

        _isOver = true;
        _last = member;
        _turns++;
        return member;
    }
}
