using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>
/// Executes a system on the real engines: every frame up, every frame down and every turn of a member moves when the
/// schedule says so.
/// </summary>
internal sealed class EnginePlayer
{
    private const int MostTurns = 200_000;

    private readonly SingleProcessRun _run;
    private readonly IRuleSchedule _schedule;
    private readonly RuleScript[] _scripts;
    private readonly Grant?[] _taken;
    private readonly bool[] _movable;

    private EnginePlayer(RuleSystem system, IRuleSchedule schedule)
    {
        _run = new SingleProcessRun(system.Config);
        _schedule = schedule;
        _scripts = system.Scripts();
        _taken = new Grant?[_scripts.Length];
        _movable = new bool[_scripts.Length];
    }

    /// <exception cref="RuleBrokenException">A member was refused, nobody goes on, or digests differ.</exception>
    internal static RuleHistory Play(RuleSystem system, IRuleSchedule schedule)
    {
        EnginePlayer player = new(system, schedule);
        ServerEngine server = player._run.Server;

        for (int turns = 0; server.Phase != RunPhase.Ended; turns++)
        {
            RuleBrokenException.Require(turns < MostTurns, "A run ends.");
            player.MoveOnce();
        }

        player._run.Evaluate();
        player._run.Settle();
        RuleBrokenException.Require(
            player._run.Members.TrueForAll(member => member.RunDigest == server.RunDigest),
            "The members and the server agree on what happened.");
        RuleBrokenException.Require(
            player._run.Members.TrueForAll(
                member => member.CommitDigest == server.Members.Find(member.Name)!.CommitDigest.Value),
            "The members and the server agree on what was said.");
        RuleHistory history = new() { RunDigest = server.RunDigest };

        for (int link = 0; link < player._scripts.Length; link++)
        {
            history.Add(player._run.Members[link].Name, player._scripts[link]);
        }

        return history;
    }

    private void MoveOnce()
    {
        for (int link = 0; link < _movable.Length; link++)
        {
            _movable[link] = _taken[link] is not null || _run.Down[link].Count > 0 || HasSaid(link);
        }

        if (!_movable.Contains(true))
        {
            SetBarrier(Tag.Top);
            _run.Evaluate();
            RuleBrokenException.Require(
                _run.Down.Values.Any(queue => queue.Count > 0), "If all wait somebody can be granted.");
            return;
        }

        int picked = _schedule.Pick(_movable);

        if (_taken[picked] is not null && (!HasSaid(picked) || _schedule.TakesGrantFirst))
        {
            Answer(picked);
        }
        else if (_run.Down[picked].Count > 0 && (!HasSaid(picked) || _schedule.TakesGrantFirst))
        {
            TakeDown(picked);
        }
        else
        {
            MoveUp(picked);
        }
    }

    private bool HasSaid(int link) => _run.Members[link].TryPeekOutgoing(out _);

    private void TakeDown(int link)
    {
        _run.MoveDown(link);
        MemberEngine member = _run.Members[link];
        RuleBrokenException.Require(
            member.Error == SequencingError.None, $"{member.Name}: {member.Error}, {member.ErrorDetail}");

        if (member.TryTakeGrant(out Grant grant))
        {
            _taken[link] = grant;
        }
    }

    private void MoveUp(int link)
    {
        _run.Hand(link);

        if (_schedule.Barrier is long ticks)
        {
            SetBarrier(ticks < 0 ? Tag.Top : _run.Server.Run.Bounds.Floor + Delay.Ticks(ticks));
        }

        if (_schedule.Evaluates)
        {
            _run.Evaluate();
        }
    }

    private void SetBarrier(Tag barrier)
    {
        RunState run = _run.Server.Run;
        run.Limits = run.Limits with { Barrier = barrier };
        run.HasChanged = true;
    }

    private void Answer(int link)
    {
        MemberEngine member = _run.Members[link];
        Grant grant = _taken[link]!;
        _taken[link] = null;
        RuleDelivery[] batch = [.. grant.Messages.Select(message => new RuleDelivery(
            message.Arrival, message.SendTag, message.Sender, message.SubSequence, message.Channel, message.Payload))];

        foreach (RuleAction action in _scripts[link].Answer(new RuleGrant(grant.Tag, grant.IsFinal, batch)))
        {
            SequencingError error = Say(member, in action);
            RuleBrokenException.Require(error == SequencingError.None, $"{action} is {error}.");

            if (_schedule.Splits && action.Verb is not (RuleVerb.Request or RuleVerb.Resign))
            {
                RuleBrokenException.Require(member.Flush() == SequencingError.None, "What was said can be sent.");
            }
        }
    }

    private static SequencingError Say(MemberEngine member, in RuleAction action) => action.Verb switch
    {
        RuleVerb.Publish => member.Publish(action.Channel, action.Payload.Span, action.Tag),
        RuleVerb.Promise => member.Promise(action.Tag!.Value),
        RuleVerb.Lookahead => member.SetLookahead(action.Lookahead),
        RuleVerb.Roles => member.SetRoles(action.Sends, action.Receives),
        RuleVerb.Interest => member.SetInterest(action.Channel, action.IsOn),
        RuleVerb.Stop => member.StopAt(action.Tag!.Value),
        RuleVerb.Request => member.Request(action.Request.Mode, action.Request.Target, action.Request.Grid),
        _ => member.Resign(),
    };
}
