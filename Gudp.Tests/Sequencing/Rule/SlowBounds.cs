// E and B once more, straight from the definition in lock-time 3.2 and written as differently as possible: over edges
// instead of channels, by repeating until nothing changes instead of in order of size. It starts above every solution;
// as each step strictly increases there is only one, so that it is reached from above as from below.

using Gudp.Sequencing;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing.Rule;

internal sealed class SlowBounds
{
    private readonly List<(int From, int To, Delay Link, bool Wakes)> _edges = [];
    private readonly MemberState[] _states;
    private readonly bool _everybodyCounts;
    private readonly Tag _stop;
    private readonly Tag _undecided;
    private readonly Tag _stopBound = Tag.Top;

    private SlowBounds(ReadOnlySpan<MemberState> states, Reach reach, Tag stop)
    {
        _states = states.ToArray();
        _stop = stop;
        _undecided = reach.Undecided;
        _everybodyCounts = reach.System >= 0;
        Earliest = Array.ConvertAll(_states, _ => Tag.Top);

        for (int from = 0; from < states.Length; from++)
        {
            AddEdges(from, reach);
        }

        Solve();

        for (int member = 0; member < states.Length; member++)
        {
            _stopBound = reach.MayStop(member) && Earliest[member] < _stopBound ? Earliest[member] : _stopBound;
        }

        Bound = [.. Enumerable.Range(0, states.Length).Select(BoundOf)];
    }

    internal Tag[] Earliest { get; }

    internal Tag[] Bound { get; }

    /// <summary>Rounds it took until nothing changed.</summary>
    internal int Rounds { get; private set; }

    internal static SlowBounds Of(ReadOnlySpan<MemberState> states, Reach reach, Tag stop) => new(states, reach, stop);

    internal void RequireEqual(BoundTable table)
    {
        for (int member = 0; member < _states.Length; member++)
        {
            RuleBrokenException.Require(
                Earliest[member] == table.Earliest[member],
                $"E of {member} is {Earliest[member]}, not {table.Earliest[member]}: {_states[member]}");
            RuleBrokenException.Require(
                Bound[member] == table.Bound[member],
                $"B of {member} is {Bound[member]}, not {table.Bound[member]}: {_states[member]}");
        }

        RuleBrokenException.Require(table.Floor == Earliest.Append(_undecided).Min(), "W is the least E.");
        RuleBrokenException.Require(table.StopBound == _stopBound, "A stop is at least the least E of who may stop.");
    }

    private void AddEdges(int from, Reach reach)
    {
        // Everybody speaks on the system channel, and sponsors to all that receive; the others where they declared it.
        int[] published = [
            .. _states[from].Sends ? reach.PublishedBy(from).ToArray() : [],
            .. _everybodyCounts ? new[] { reach.System } : []];

        for (int to = 0; to < _states.Length; to++)
        {
            foreach (Heard heard in reach.HeardBy(to))
            {
                if (published.Contains(heard.Channel))
                {
                    _edges.Add((from, to, reach.LinkOf(heard.Channel), heard.Wakes));
                }
            }

            if (_states[from].Sends && reach.MaySponsor(from))
            {
                _edges.Add((from, to, Delay.None, true));
            }
        }
    }

    private void Solve()
    {
        for (bool hasChanged = true; hasChanged; Rounds++)
        {
            hasChanged = false;

            for (int member = 0; member < _states.Length; member++)
            {
                Tag earliest = EarliestOf(member);
                hasChanged |= earliest != Earliest[member];
                Earliest[member] = earliest;
            }
        }
    }

    private Tag EarliestOf(int member)
    {
        MemberState state = _states[member];

        if (!state.Sends && (!_everybodyCounts || state.IsOut))
        {
            return Tag.Top;
        }

        Tag act = state.Now;

        if (state.Request.Mode == AdvanceMode.To)
        {
            act = state.Request.Grid.Next(state.Request.Target, state.Now);
        }
        else if (state.Request.Mode == AdvanceMode.Next)
        {
            Tag first = state.Receives ? Arrivals(member, isWaking: true).Append(state.Head).Min() : state.Head;
            act = state.Request.Grid.Next(first < state.Request.Target ? first : state.Request.Target, state.Now);
        }

        // Whoever is at the stop, or will be there, has nothing more to say.
        if (act >= _stop)
        {
            return Tag.Top;
        }

        Tag spoken = (act > state.Now ? act : state.Now) + state.Lookahead;
        return spoken > state.Promise ? spoken : state.Promise;
    }

    private Tag BoundOf(int member)
    {
        Tag bound = _states[member].Receives ? Arrivals(member, isWaking: false).Append(Tag.Top).Min() : Tag.Top;
        return bound < _stopBound ? bound : _stopBound;
    }

    private IEnumerable<Tag> Arrivals(int member, bool isWaking)
    {
        yield return _undecided;

        foreach ((int from, int to, Delay link, bool wakes) in _edges)
        {
            if (to == member && (wakes || !isWaking))
            {
                yield return Earliest[from] + link;
            }
        }
    }
}
