using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>
/// Executes a system on the real engines: every frame up, every frame down and every turn of a member moves when the
/// schedule says so, connections break, processes die and come back, and others come late.
/// </summary>
internal sealed class EnginePlayer
{
    private const int MostTurns = 200_000;
    private const int RootsEvery = 150;

    // Clause Q-1.6.
    private const long LatestTime = (1L << 62) - 1;

    private readonly RuleLinks _links;
    private readonly RuleSystem _system;
    private readonly IRuleSchedule _schedule;
    private readonly List<RuleSeat> _seats = [];
    private readonly HashSet<MemberDeclaration> _expected = [];

    // Connections that the server still believes in, and what is under way on them.
    private readonly List<(RuleSeat Seat, RuleLink Link)> _ghosts = [];
    private readonly RuleFacts? _facts;
    private readonly bool _comesFromOutside;
    private bool _isStopped;
    private bool[] _movable = [];
    private long _turnsOfRoots;

    private EnginePlayer(RuleSystem system, IRuleSchedule schedule, RuleFacts? facts)
    {
        _facts = facts;
        _comesFromOutside = facts is null && system.Habits[0].Features.HasFlag(RuleFeatures.Losses);
        _links = new RuleLinks(system.Config);
        _system = system;
        _schedule = schedule;
        RuleScript[] scripts = system.Scripts();

        for (int i = 0; i < scripts.Length; i++)
        {
            MemberOptions options = new(
                MemberOptions.From(system.Config, system.Config.Roster[i].Name, _links.Layout.ConfigHash))
            {
                RunId = system.Config.RunId,
                ConfigHash = _links.Layout.ConfigHash,
                History = system.Habits[i].History,
            };
            Add(options, scripts[i]);

            if (options.Join == Tag.Zero)
            {
                Connect(_seats[^1]);
            }
        }

        // Who was there is there from the beginning.
        foreach (RuleSeat seat in _seats.Where(seat => seat.Engine is null && CanConnect(seat) && facts is not null))
        {
            Connect(seat);
        }

        foreach (RuleNewcomer observer in system.Observers)
        {
            MemberOptions options = new(observer.Declaration) { Observes = true, History = observer.Habits.History };
            Add(options, new RuleScript(observer.Declaration, observer.Habits, system.Seed));
        }
    }

    private ServerEngine Server => _links.Server;

    /// <param name="system">Who plays.</param>
    /// <param name="schedule">In which order.</param>
    /// <param name="facts">What comes from outside; null: what the schedule says.</param>
    /// <exception cref="RuleBrokenException">A member was refused, nobody goes on, or digests differ.</exception>
    internal static RuleHistory Play(RuleSystem system, IRuleSchedule schedule, RuleFacts? facts = null)
    {
        EnginePlayer player = new(system, schedule, facts);
        ServerEngine server = player.Server;

        for (int turns = 0; server.Phase != RunPhase.Aborted && player.MoveOnce(); turns++)
        {
            RuleBrokenException.Require(turns < MostTurns, "A run ends.");
        }

        RuleHistory history = player.Read();

        foreach (RuleSeat seat in player._seats.Where(seat => seat.Engine is not null))
        {
            RuleBrokenException.Require(
                history.IsAborted || seat.Engine!.RunDigest == server.RunDigest || seat.Options.Observes || seat.IsGone,
                $"{seat.Key} and the server agree on what happened.");
            RuleBrokenException.Require(
                history.IsAborted || seat.Options.Observes || seat.IsGone
                || seat.Engine!.CommitDigest == server.Members[seat.Engine.Ordinal].CommitDigest.Value,
                $"{seat.Key} and the server agree on what was said.");
            history.Add(seat.Key, seat.Script);
        }

        if (!history.IsAborted)
        {
            RuleOracle.Require(server.Run, player._seats);
        }

        return history;
    }

    private RuleHistory Read()
    {
        RuleFacts facts = new(_isStopped && _comesFromOutside ? Server.Run.Limits.Stop : _facts?.Stop);

        foreach (RuleSeat seat in _seats)
        {
            if (seat.LostAt != default)
            {
                facts.Lost.Add(seat.Key, seat.LostAt);
            }
            else if (!_seats.Exists(other => other.Key == seat.Key && other.Engine is not null))
            {
                facts.Missing.Add(seat.Key);
            }
        }

        return new RuleHistory
        {
            RunDigest = Server.RunDigest,
            IsAborted = Server.Phase == RunPhase.Aborted,
            Facts = facts,
            Removed = [.. Server.ExternalFacts.Where(fact => fact.Kind == ExternalFactKind.Removed)
                .Select(fact => _seats.First(seat => seat.IsNamed(fact)).Key)],
        };
    }

    private void Add(MemberOptions options, RuleScript script) => _seats.Add(new RuleSeat(options, script));

    private void Connect(RuleSeat seat)
    {
        seat.Engine = new MemberEngine(seat.Options);
        seat.Link = _links.Open();

        // Before the run can go on without it, or stop.
        if (seat.Options.Join > Tag.Zero && !seat.Options.Observes)
        {
            RuleLinks.Send(seat.Engine, seat.Link);
            _links.Hand(seat.Link);
        }
    }

    /// <returns>False: nothing is left to be moved.</returns>
    private bool MoveOnce()
    {
        Array.Resize(ref _movable, _seats.Count + _ghosts.Count);

        for (int i = 0; i < _movable.Length; i++)
        {
            _movable[i] = i >= _seats.Count || _seats[i].CanMove || CanConnect(_seats[i]);
        }

        if (!_movable.Contains(true))
        {
            return MoveServer();
        }

        int picked = _schedule.Pick(_movable);

        if (picked >= _seats.Count)
        {
            MoveGhost(picked - _seats.Count);
            return true;
        }

        Move(_seats[picked]);
        TakeFromOutside();
        CheckRoots();
        return true;
    }

    private bool MoveServer()
    {
        SetBarrier(Tag.Top);
        Evaluate();
        bool isMoving = _seats.Exists(seat => seat.CanMove || CanConnect(seat));

        // An execution that was aborted says nothing of who would have come later.
        if (!isMoving && Server.Phase == RunPhase.Running && _facts is { Missing.Count: > 0 })
        {
            _facts.Missing.Clear();
            isMoving = _seats.Exists(CanConnect);
        }

        RuleBrokenException.Require(
            isMoving || Server.Phase is RunPhase.Ended or RunPhase.Aborted,
            $"If all wait somebody can be granted.\n{string.Join('\n', _seats.Select(Describe))}");
        return isMoving;
    }

    private string Describe(RuleSeat seat)
        => $"{seat.Key} {(seat.Engine is null ? "is missing" : $"{seat.Engine.Phase} {seat.IsGone} {seat.LostAt}")}: "
            + $"{_links.WhoBlocks(seat.Name)}";

    // An operator's stop, in the first execution some time, and then from the beginning at the tag it had.
    private void TakeFromOutside()
    {
        bool isNow = _facts is null ? _comesFromOutside && _schedule.Stops : _facts.Stop is not null;

        if (isNow && !_isStopped && Server.Phase == RunPhase.Running && (_facts is not null || CanStop()))
        {
            _isStopped = true;
            _links.Stop(_facts?.Stop);
            _links.Evaluate();
        }
    }

    // The tag alone says all, unless somebody has left after it, or stands at the end of all times (Q-20.4).
    private bool CanStop()
    {
        Tag latest = Tag.Zero;
        Tag latestOfAll = Tag.Zero;

        foreach (Member member in Server.Members.All)
        {
            Tag now = Server.Members.StateOf(member).Now;
            latest = member.Life == MemberLife.Resigned || now.IsInfinite ? latest : Tag.Later(latest, now);
            latestOfAll = Tag.Later(latestOfAll, now);
        }

        return latestOfAll == latest;
    }

    private void LoseThoseOfTheFacts()
    {
        foreach (RuleSeat seat in _facts is { Lost.Count: > 0 } ? _seats : [])
        {
            if (!seat.IsGone && _facts!.Lost.TryGetValue(seat.Key, out (ulong Step, ulong Grants) at)
                && Server.Members.Find(seat.Name) is { } member && (member.Step, member.GrantsSent) == at)
            {
                LoseForGood(seat);
            }
        }
    }

    private void LoseForGood(RuleSeat seat)
    {
        Member member = Server.Members[seat.Engine!.Ordinal];
        seat.IsGone = true;
        seat.LostAt = (member.Step, member.GrantsSent);
        _links.Lose(seat.Link!);
        Evaluate();
    }

    private void Evaluate()
    {
        LoseThoseOfTheFacts();
        _links.Evaluate();
        LoseThoseOfTheFacts();
    }

    private bool CanConnect(RuleSeat seat)
    {
        if (seat.Engine is not null || _facts?.Missing.Contains(seat.Key) == true)
        {
            return false;
        }

        return seat.Options.Observes
            ? Server.Phase is RunPhase.Running or RunPhase.Ended
            : Server.Members.Find(seat.Name) is { Life: MemberLife.Absent } member && seat.Is(member.Layout)
                && member.Join < Server.Run.Limits.Stop;
    }

    private void Move(RuleSeat seat)
    {
        if (seat.Engine is null)
        {
            Connect(seat);
            return;
        }

        if (seat.Link!.IsClosed && seat.Engine.RunDigest is null)
        {
            Cut(seat, isSeen: true);
            return;
        }

        bool takesFirst = !seat.HasSaid || _schedule.TakesGrantFirst;

        if (seat.IsAnswerDue && takesFirst)
        {
            Answer(seat);
        }
        else if (seat.Link.Down.Count > 0 && takesFirst)
        {
            TakeDown(seat);
        }
        else
        {
            MoveUp(seat);
        }

        Break(seat);
    }

    private void TakeDown(RuleSeat seat)
    {
        MemberEngine member = seat.Engine!;
        member.HandleMessage(seat.Link!.Down.Dequeue());

        // Who has resigned may find its name taken by another one, and who joins at the stop never comes (Q-12.9).
        seat.IsGone = (member.Error == SequencingError.StaleEpoch && seat.HasResigned)
            || (member.Error is SequencingError.Stopped or SequencingError.StaleEpoch
                && seat.Options.Join >= Server.Run.Limits.Stop);
        RuleBrokenException.Require(
            member.Error == SequencingError.None || seat.IsGone,
            $"{seat.Key}: {member.Error}, {member.ErrorDetail}");

        if (member.TryTakeGrant(out Grant grant))
        {
            seat.Taken = grant;
        }
    }

    private void MoveUp(RuleSeat seat)
    {
        RuleLink link = seat.Link!;

        if (link.Up.Count == 0 || _schedule.Delays)
        {
            bool wasSaid = RuleLinks.Send(seat.Engine!, link);

            if (wasSaid && _schedule.Delays)
            {
                return;
            }
        }

        if (link.Up.Count > 0)
        {
            _links.Hand(link);
        }

        if (_schedule.Barrier is long ticks)
        {
            SetBarrier(ticks < 0 ? Tag.Top : Server.Run.Bounds.Floor + Delay.Ticks(ticks));
        }

        LoseThoseOfTheFacts();

        if (_schedule.Evaluates)
        {
            Evaluate();
        }
    }

    private void MoveGhost(int index)
    {
        (RuleSeat seat, RuleLink link) = _ghosts[index];

        if (link.Up.Count > 0)
        {
            _links.Hand(link);
        }
        else
        {
            _ghosts.RemoveAt(index);
            _links.Lose(link);
        }

        Evaluate();
    }

    private void Break(RuleSeat seat)
    {
        if (seat.IsGone)
        {
            return;
        }

        if (seat.IsFragile)
        {
            if (_comesFromOutside && _schedule.Loses && seat.Engine!.Phase != MemberPhase.Joining
                && Server.Phase == RunPhase.Running)
            {
                LoseForGood(seat);
            }

            return;
        }

        RuleBreak what = _schedule.Break;

        if (what == RuleBreak.None || seat.Options.Observes || Server.Phase != RunPhase.Running
            || seat.Engine!.RunDigest is not null)
        {
            return;
        }

        bool isSeen = what is RuleBreak.Cut or RuleBreak.Kill || !seat.Engine.IsWelcome;
        bool isAnswered = seat.Engine.Phase is MemberPhase.Running or MemberPhase.Waiting && !seat.Engine.IsFinal;

        if (what is RuleBreak.Kill or RuleBreak.KillUnseen && seat.Ticket is not null && isAnswered)
        {
            Detach(seat, isSeen);
            seat.Taken = null;
            bool isRead = ResumeTicket.TryParse(seat.Ticket.ToArray(), out ResumeTicket? ticket);
            RuleBrokenException.Require(isRead, "A ticket is read as it was written.");
            seat.Engine = new MemberEngine(ticket!);
            seat.IsBack = true;
        }
        else
        {
            Cut(seat, isSeen);
        }
    }

    private void Cut(RuleSeat seat, bool isSeen)
    {
        Detach(seat, isSeen);
        RuleBrokenException.Require(seat.Engine!.TryResume(), $"{seat.Key} can go on.");
    }

    private void Detach(RuleSeat seat, bool isSeen)
    {
        RuleLink old = seat.Link!;
        seat.Link = _links.Open();

        if (isSeen)
        {
            _links.Lose(old);
            Evaluate();
        }
        else
        {
            _ghosts.Add((seat, old));
        }
    }

    private void SetBarrier(Tag barrier)
    {
        RunState run = Server.Run;
        run.Limits = run.Limits with { Barrier = barrier };
        run.HasChanged = true;
    }

    private void CheckRoots()
    {
        if (_links.Turns >= _turnsOfRoots + RootsEvery && Server.Phase == RunPhase.Running)
        {
            _turnsOfRoots = _links.Turns;
            Evaluate();
            RuleRoots.Require(Server.Run, _links.WhoBlocks);
        }
    }

    private void Answer(RuleSeat seat)
    {
        if (seat.Taken is not Grant grant)
        {
            // The same as before it died.
            seat.IsBack = false;
            Say(seat, seat.Steps[^1]);
            return;
        }

        seat.Taken = null;
        RuleStep step = new(grant);
        RuleDelivery[] batch = [.. grant.Messages.Select(message => new RuleDelivery(
            message.Arrival, message.SendTag, message.Sender, message.SubSequence, message.Channel, message.Payload))];

        foreach (RuleAction action in seat.Script.Answer(
            new RuleGrant(grant.Tag, grant.IsFinal, batch) { Snapshot = grant.Snapshot }))
        {
            step.Said.Add(action);
            step.Flushed.Add(_schedule.Splits && !seat.IsFragile && action.Verb is not (RuleVerb.Request or RuleVerb.Resign));
        }

        seat.Steps.Add(step);
        seat.Ticket = seat.Engine!.IsAtSequencePoint ? seat.Engine.CreateTicket() : null;
        Say(seat, step);
    }

    private void Say(RuleSeat seat, RuleStep step)
    {
        MemberEngine member = seat.Engine!;

        for (int i = 0; i < step.Said.Count; i++)
        {
            RuleAction action = step.Said[i];

            if (action.Verb == RuleVerb.None)
            {
                continue;
            }

            if (action.Verb == RuleVerb.Publish && action.Tag is null)
            {
                step.Said[i] = action = action with { Tag = member.EarliestPublication };
            }

            // Of one that takes up sending when others have come to the end of time.
            if (action.Verb == RuleVerb.Publish && action.Tag!.Value.Time > LatestTime)
            {
                step.Said[i] = default;
                continue;
            }

            SequencingError error = Say(member, in action);
            RuleBrokenException.Require(error == SequencingError.None, $"{seat.Key}: {action} is {error}.");

            if (step.Flushed[i])
            {
                RuleBrokenException.Require(member.Flush() == SequencingError.None, "What was said can be sent.");
            }

            if (action.Newcomer is { } newcomer && _expected.Add(newcomer.Declaration))
            {
                Expect(newcomer);
            }
        }
    }

    private void Expect(RuleNewcomer newcomer)
    {
        MemberOptions options = new(newcomer.Declaration)
        {
            RunId = _system.Config.RunId,
            History = newcomer.Habits.History,
        };

        Add(options, new RuleScript(newcomer.Declaration, newcomer.Habits, _system.Seed));
    }

    private static SequencingError Say(MemberEngine member, in RuleAction action) => action.Verb switch
    {
        RuleVerb.Publish => member.Publish(action.Channel, action.Payload.Span, action.Tag),
        RuleVerb.Promise => member.Promise(action.Tag!.Value),
        RuleVerb.Lookahead => member.SetLookahead(action.Lookahead),
        RuleVerb.Roles => member.SetRoles(action.Sends, action.Receives),
        RuleVerb.Interest => member.SetInterest(action.Channel, action.IsOn),
        RuleVerb.Stop => member.StopAt(action.Tag!.Value),
        RuleVerb.Admit => member.Admit(action.Newcomer!.Declaration),
        RuleVerb.Snapshot => member.Snapshot("state", action.Payload.Span),
        RuleVerb.Request => member.Request(action.Request.Mode, action.Request.Target, action.Request.Grid),
        _ => member.Resign(),
    };
}
