// What is asked and told from beside the run (lock-time 12, 14): who waits for whom, how the run stands, hold, step,
// stop, start. Nobody needs to be a member for that, but the link must be one that may; a member may always ask for its
// own wait.
//
// Barriers only delay. A stop changes content: it enters the run as an external fact, above all grants given.

using System.Collections.Generic;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class Operators(RunState run, Outbox outbox, Waits waits, Admission admission, Barriers barriers)
{
    private readonly StatusView _status = new(run, outbox, barriers, admission.Grants.Pacer);
    private readonly HashSet<long> _allowed = [];

    /// <summary>The link may look at the run and hold it.</summary>
    internal void Allow(long link) => _allowed.Add(link);

    internal void Forget(long link) => _allowed.Remove(link);

    /// <summary>Clause .</summary>
    internal void HandleWhoBlocks(long link, Member? from, in Frame frame, Instant now)
    {
        if (!WhoBlocksFrame.TryRead(frame.Body, out WhoBlocksFrame question))
        {
            Refuse(link, from, SequencingError.BadFrame, 0, "The question is malformed.");
            return;
        }

        if (from?.Name != question.Name && !IsAllowed(link, from, question.Request))
        {
            return;
        }

        run.Tally[RunCount.OperatorRequests] += from?.Name == question.Name ? 0 : 1;
        TakeIn(now);
        ulong session = from?.Session ?? 0;

        if (question.Name.Length > 0)
        {
            Member? member = run.Members.Find(question.Name);
            Begin(question.Request, session, HealthPurpose.Answer, member is not null && waits.IsWaiting(member) ? 1 : 0);

            if (member is not null)
            {
                waits.TryWriteChain(member, now);
            }
        }
        else
        {
            WriteAll(link, question.Request, session, now);
        }

        outbox.Writer.EndFrame();
        outbox.Send(link);
    }

    /// <summary>Clauses: what is not a question for waits. Each is answered with the status.</summary>
    internal void Handle(long link, Member? from, in Frame frame, Instant now)
    {
        (SequencingError error, ulong request, string detail) = Read(in frame, out Command command);

        if (error == SequencingError.None && !IsAllowed(link, from, request))
        {
            return;
        }

        if (error == SequencingError.None)
        {
            (error, detail) = Apply(in command);
        }

        if (error != SequencingError.None)
        {
            Refuse(link, from, error, request, detail);
            return;
        }

        run.Tally[RunCount.OperatorRequests]++;
        TakeIn(now);
        _status.Write(request, command.First, from?.Session ?? 0, now);
        outbox.Send(link);
    }

    // What this turn has brought so far counts in the answer: who asked for the start is told that it has started.
    private void TakeIn(Instant now)
    {
        admission.StartIfComplete(now);
        admission.Grants.Evaluate(now);
    }

    /// <inheritdoc cref="StatusView.Read"/>
    internal RunStatus ReadStatus(Instant now) => _status.Read(now);

    private static (SequencingError Error, ulong Request, string Detail) Read(in Frame frame, out Command command)
    {
        BarrierFrame barrier = default;
        StopFrame stop = default;
        StartFrame start = default;
        StatusQueryFrame query = default;
        bool isRead = frame.Type switch
        {
            FrameType.Barrier => BarrierFrame.TryRead(frame.Body, out barrier),
            FrameType.Stop => StopFrame.TryRead(frame.Body, out stop),
            FrameType.Start => StartFrame.TryRead(frame.Body, out start),
            _ => StatusQueryFrame.TryRead(frame.Body, out query),
        };
        command = new Command(frame.Type, barrier, stop, query.First);
        ulong request = barrier.Request + stop.Request + start.Request + query.Request;
        return isRead
            ? (SequencingError.None, request, "")
            : (SequencingError.BadFrame, request, "The operator's frame is malformed.");
    }

    private (SequencingError Error, string Detail) Apply(in Command command)
    {
        switch (command.Type)
        {
            case FrameType.Barrier when command.Barrier.Action == BarrierAction.Clear:
                barriers.Clear(command.Barrier.Operator);
                break;
            case FrameType.Barrier when !TryHold(command.Barrier):
                return (SequencingError.TooLarge, $"At most {Barriers.MaxBarriers} operators hold a run.");
            case FrameType.Stop:
                return Stop(command.Stop);
            case FrameType.Start:
                run.IsStartAsked = true;
                break;
            default:
                break;
        }

        return (SequencingError.None, "");
    }

    private bool TryHold(in BarrierFrame barrier) => barrier.Action == BarrierAction.Set
        ? barriers.TrySet(barrier.Operator, barrier.Tag)
        : barriers.TryAddSteps(barrier.Operator, barrier.Steps);

    /// <summary>Clause: X above every N, or at the tag given if that is above them too.</summary>
    private (SequencingError Error, string Detail) Stop(in StopFrame stop)
    {
        Tag latest = Tag.Zero;

        foreach (Member member in run.Members.All)
        {
            Tag now = run.Members.StateOf(member).Now;
            latest = member.Life == MemberLife.Resigned || now.IsInfinite ? latest : Tag.Later(latest, now);
        }

        Tag earliest = latest + Delay.OneRound;
        Tag at = stop.At ?? earliest;

        if (at < earliest)
        {
            return (
                SequencingError.PastTag,
                $"The stop {at} was given; members have come to {latest}, the run can end at {earliest} or later.");
        }

        if (run.Phase is RunPhase.Gathering or RunPhase.Running && at < run.Limits.Stop)
        {
            run.Note(new ExternalFact(ExternalFactKind.StopSet, stop.Operator, at));
            run.Limits = run.Limits with { Stop = at };
        }

        return (SequencingError.None, "");
    }

    /// <summary>Everybody that waits, one chain to a frame, a message full of frames after the other.</summary>
    private void WriteAll(long link, ulong request, ulong session, Instant now)
    {
        foreach (Member member in run.Members.All)
        {
            if (!waits.IsWaiting(member))
            {
                continue;
            }

            Begin(request, session, HealthPurpose.PartOfAnswer, 1);
            waits.TryWriteChain(member, now);
            outbox.Writer.EndFrame();

            if (outbox.Writer.Length >= RunLayout.DeliverBytes)
            {
                outbox.Send(link);
            }
        }

        Begin(request, session, HealthPurpose.Answer, 0);
    }

    private void Begin(ulong request, ulong session, HealthPurpose purpose, int chains)
        => HealthFrame.Begin(outbox.Writer, Outbox.Epoch, session, (purpose, request, chains));

    /// <summary>Whether the link may; it is told so if it may not.</summary>
    internal bool IsAllowed(long link, Member? from, ulong request)
    {
        if (_allowed.Contains(link))
        {
            return true;
        }

        Refuse(
            link, from, SequencingError.NotAllowed, request,
            $"The run takes such calls from {run.Layout.Operators} (SequencingConfig.Operators).");
        return false;
    }

    private void Refuse(long link, Member? from, SequencingError error, ulong request, string detail)
        => outbox.Refuse(link, error, detail, (request, from?.Session ?? 0));

    /// <summary>What a frame says; only the part of its type counts.</summary>
    private readonly record struct Command(FrameType Type, BarrierFrame Barrier, StopFrame Stop, int First);
}
