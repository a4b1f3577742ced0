using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>
/// Executes a system on the bare rule. Grants wait for their members and commits for the server in queues, one pair per
/// member, which move when the schedule says so.
/// </summary>
internal sealed class RulePlayer
{
    private const int MostTurns = 200_000;

    private readonly RuleRun _run;
    private readonly IRuleSchedule _schedule;
    private readonly RuleScript[] _scripts;
    private readonly Queue<(RuleAction Action, Tag Said)>[] _up;
    private readonly bool[] _movable;

    private RulePlayer(RuleSystem system, IRuleSchedule schedule, RuleRun run)
    {
        _run = run;
        _schedule = schedule;
        RuleScript[] scripts = system.Scripts();
        _scripts = [.. Enumerable.Range(0, run.Count).Select(
            ordinal => scripts[system.Config.Roster.ToList().FindIndex(m => m.Name == run.NameOf(ordinal))])];
        _up = Array.ConvertAll(_scripts, _ => new Queue<(RuleAction, Tag)>());
        _movable = new bool[_scripts.Length];
    }

    /// <exception cref="RuleBrokenException">A promise of the rule was broken.</exception>
    internal static RuleHistory Play(
        RuleSystem system, IRuleSchedule schedule, RuleSeams? seams = null, bool comparesBounds = false)
    {
        RulePlayer player = new(
            system, schedule, new RuleRun(system.Config, seams) { ComparesBounds = comparesBounds });

        for (int turns = 0; !player._run.HasEnded; turns++)
        {
            RuleBrokenException.Require(turns < MostTurns, "A run ends.");
            player.MoveOnce();
        }

        RuleHistory history = new();

        for (int ordinal = 0; ordinal < player._scripts.Length; ordinal++)
        {
            history.Add(player._run.NameOf(ordinal), player._scripts[ordinal]);
        }

        return history;
    }

    private void MoveOnce()
    {
        for (int member = 0; member < _movable.Length; member++)
        {
            _movable[member] = _run.Granted[member].Count > 0 || _up[member].Count > 0;
        }

        if (!_movable.Contains(true))
        {
            // All is said: without a barrier somebody goes on now.
            _run.Limits = _run.Limits with { Barrier = Tag.Top };
            RuleBrokenException.Require(_run.Evaluate() > 0, "If all wait somebody can be granted.");
            return;
        }

        int picked = _schedule.Pick(_movable);
        bool mayTake = _run.Granted[picked].Count > 0;

        if (mayTake && (_up[picked].Count == 0 || _schedule.TakesGrantFirst))
        {
            Answer(picked);
            return;
        }

        (RuleAction action, Tag said) = _up[picked].Dequeue();
        Say(picked, in action, said);
        MoveBarrier();

        if (_schedule.Evaluates)
        {
            _run.Evaluate();
        }
    }

    private void Answer(int member)
    {
        RuleGrant grant = _run.Granted[member].Dequeue();

        foreach (RuleAction action in _scripts[member].Answer(grant))
        {
            if (action.Verb == RuleVerb.Request && _run.RequestsOvertake)
            {
                Say(member, in action, grant.Tag);
            }
            else
            {
                _up[member].Enqueue((action, grant.Tag));
            }
        }
    }

    private void Say(int member, in RuleAction action, Tag said)
    {
        SequencingError error = _run.Apply(member, in action, said);
        RuleBrokenException.Require(error == SequencingError.None, $"{action} is {error}.");
    }

    private void MoveBarrier()
    {
        if (_schedule.Barrier is long ticks)
        {
            Tag barrier = ticks < 0 ? Tag.Top : _run.Floor + Delay.Ticks(ticks);
            _run.Limits = _run.Limits with { Barrier = barrier };
        }
    }
}
