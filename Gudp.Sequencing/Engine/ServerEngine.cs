// The sequence server as a state machine without clock, threads or sockets: frames of members go in, frames to members
// come out, in an order that depends only on the order in which frames went in. What a member is granted does not
// depend even on that (lock-time theorem 4).
//
// The engine only says whose turn it is: Admission, Commits, Departures and Grants do the work, each on the one
// RunState, and what they have to tell goes through the one Outbox.
//
// Always true:
//   - a commit is applied whole or not at all, and each step once;
//   - no message is queued at or before the last grant of its receiver;
//   - a message of a member gets at most one refusal.

using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using Gudp.Core;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

internal sealed class ServerEngine
{
    // Whoever asks does so once to a message; an answer is many times as long as its question.
    private const int MaxQuestions = 8;

    private readonly RunState _run;
    private readonly Outbox _outbox;
    private readonly Waits _waits;
    private readonly Barriers _barriers;
    private readonly Grants _grants;
    private readonly Sessions _sessions;
    private readonly Suspensions _suspensions;
    private readonly Admission _admission;
    private readonly HeldHellos _held;
    private readonly Departures _departures;
    private readonly Absences _absences;
    private readonly Newcomers _newcomers;
    private readonly Observers _observers;
    private readonly Commits _commits;
    private readonly Operators _operators;
    private readonly Roles _roles;
    private readonly Peeks _peeks;
    private readonly Batches _batches;
    private readonly LogReaders _readers;
    private readonly AwaitedJoins _awaited;

    /// <param name="layout">The run.</param>
    /// <param name="secrets">Where the tokens of sessions come from; nothing in the run depends on them.</param>
    internal ServerEngine(RunLayout layout, ISecretSource secrets)
    {
        _run = new RunState(layout);
        _outbox = new Outbox(_run.Tally);
        Postings postings = new(_run);
        SystemNews news = new(_run, postings);
        _waits = new Waits(_run, _outbox);
        _barriers = new Barriers(_run);
        _batches = new Batches(_run, _outbox);
        _sessions = new Sessions(_run, _outbox, secrets);
        _newcomers = new Newcomers(_run, _sessions, postings);
        _grants = new Grants(_run, _outbox, _waits, _barriers, new Cutting(_batches, news, _newcomers));
        _suspensions = new Suspensions(_run, _outbox);
        _observers = new Observers(_run, _outbox, _sessions, _batches);
        _held = new HeldHellos(_run);
        _admission = new Admission(_run, _outbox, _sessions, _grants, new Doors(_newcomers, _observers, _held));
        _departures = new Departures(_run, _outbox, news);
        _absences = new Absences(_run, _departures);
        _roles = new Roles(_run);
        _peeks = new Peeks(_run, _outbox);
        _readers = new LogReaders(_run, _outbox);
        _awaited = new AwaitedJoins(_run);
        _commits = new Commits(_run, _outbox, _departures, _roles, postings);
        _operators = new Operators(_run, _outbox, _waits, _admission, _barriers);
    }

    /// <summary>For tests and records: everything the engine knows.</summary>
    internal RunState Run => _run;

    internal RunPhase Phase => _run.Phase;

    /// <inheritdoc cref="RunState.RunDigest"/>
    internal ulong RunDigest => _run.RunDigest;

    /// <inheritdoc cref="Outbox.Refusals"/>
    internal long Refusals => _outbox.Refusals;

    /// <inheritdoc cref="Grants.Evaluations"/>
    internal long Evaluations => _grants.Evaluations;

    /// <summary>Everything that is counted, as of now.</summary>
    internal RunCounters Counters => _run.Tally.Read(_run);

    /// <inheritdoc cref="RunState.IsInfluenced"/>
    internal bool IsInfluenced => _run.IsInfluenced;

    /// <inheritdoc cref="RunState.ExternalFacts"/>
    internal IReadOnlyList<ExternalFact> ExternalFacts => _run.ExternalFacts;

    internal MemberTable Members => _run.Members;

    /// <summary>Takes one message of a member, whatever is in it. Follow with <see cref="Evaluate"/>.</summary>
    internal void HandleMessage(long link, ReadOnlySpan<byte> message, Instant now)
    {
        FrameReader reader = new(message);
        long before = Refusals;
        _run.Recorder?.At(now);

        if (_sessions.MemberOf(link) is Member member)
        {
            member.Waits.LastHeard = now;
        }

        // What follows a refused frame is not looked at, so that one message never makes more than one answer of it.
        for (int questions = 0; Refusals == before && Frame.TryNext(ref reader, out Frame frame);)
        {
            questions += IsQuestion(frame.Type) ? 1 : 0;

            if (questions > MaxQuestions)
            {
                Refuse(link, SequencingError.TooLarge, $"A message holds at most {MaxQuestions} questions.");
            }
            else
            {
                HandleFrame(link, in frame, now);
            }
        }

        if (Refusals == before && reader.IsMalformed)
        {
            RefuseBadFrame(link, "The bytes are not a frame.");
        }
    }

    /// <summary>That link was closed from this end: it does not read, or cannot be served.</summary>
    internal void NoteGivenUp() => _run.Tally[RunCount.LinksGivenUp]++;

    /// <summary>A message still came over such a link.</summary>
    internal void NoteIgnored() => _run.Tally[RunCount.MessagesIgnored]++;

    /// <summary>That link may act as an operator (clause ).</summary>
    internal void AllowOperator(long link) => _operators.Allow(link);

    /// <summary>The connection of a member is gone (lock-time 8.4). Follow with <see cref="Evaluate"/>.</summary>
    internal void HandleLinkLost(long link, Instant now)
    {
        _operators.Forget(link);
        _readers.Forget(link);
        _held.Forget(link);
        _run.Recorder?.At(now);

        if (_sessions.Forget(link) is Member member)
        {
            _departures.Lose(member, now);
        }
    }

    /// <summary>Grants whatever can be granted. Once per turn is enough, however many messages were handled.</summary>
    internal void Evaluate(Instant now)
    {
        _run.Recorder?.At(now);
        _admission.StartIfComplete(now);

        do
        {
            _grants.Evaluate(now);
            _departures.EndIfOver();
        }
        while (_absences.TryGoOnWithoutOne() || _admission.TryJudgeHeld(now));

        _observers.Evaluate();
        _awaited.Hold();
        _readers.Answer(now);
    }

    /// <summary>Writes the run down from here on; before anybody has joined.</summary>
    internal void Record(RunRecordWriter writer) => _run.Recorder = new RunRecorder(_run, writer);

    /// <summary>Nothing more is written down; the writer is the caller's again.</summary>
    internal void EndRecord() => _run.Recorder = null;

    /// <summary>When <see cref="HandleTimeout"/> wants to be called.</summary>
    internal Instant NextDeadline => Instant.Earlier(
        Instant.Earlier(_grants.NextDeadline, _waits.NextDeadline),
        Instant.Earlier(
            Instant.Earlier(_readers.NextDeadline, _held.NextDeadline),
            _run.Recorder?.NextDeadline ?? Instant.Never));

    /// <summary>
    /// A grant is due by the wall, a wait has become long, or a hello has waited. Follow with <see cref="Evaluate"/>.
    /// </summary>
    internal void HandleTimeout(Instant now)
    {
        _grants.HandleTimeout(now);
        _waits.HandleTimeout(now);
        _readers.HandleTimeout(now);
        _run.Recorder?.HandleTimeout(now);
    }

    /// <summary>How the run stands, as of now.</summary>
    internal RunStatus ReadStatus(Instant now) => _operators.ReadStatus(now);

    /// <inheritdoc cref="Waits.ReadBlocked"/>
    internal BlockedTime[] ReadBlocked(Instant now) => _waits.ReadBlocked(now);

    /// <inheritdoc cref="Waits.TryTakeReport"/>
    internal bool TryTakeReport([NotNullWhen(true)] out WaitReport? report) => _waits.TryTakeReport(out report);

    /// <summary>The chain of a member's wait, as of now.</summary>
    /// <returns>Null if the name is unknown or does not wait.</returns>
    internal WaitReport? WhoBlocks(string name, Instant now)
        => _run.Members.Find(name) is Member member ? _waits.Report(member, now) : null;

    /// <summary>An operator takes the role to receive from a member. Follow with <see cref="Evaluate"/>.</summary>
    /// <returns>False if there is no such member in the run.</returns>
    internal bool WithdrawReceiver(string name)
    {
        Member? member = _run.Phase == RunPhase.Running ? _run.Members.Find(name) : null;

        if (member is null || member.Life is not (MemberLife.Live or MemberLife.Lost))
        {
            return false;
        }

        _roles.Withdraw(member);
        return true;
    }

    /// <inheritdoc cref="Outbox.TryTake"/>
    internal bool TryTakeOutgoing(out Outgoing outgoing) => _outbox.TryTake(out outgoing);

    /// <inheritdoc cref="Waits.BlockedBy"/>
    internal string? BlockedBy(string name) => _waits.BlockedBy(name);

    /// <summary>The digest of a member as the server counts it.</summary>
    internal Digest DigestOf(int ordinal) => _run.Members[ordinal].Digest;

    private void HandleFrame(long link, in Frame frame, Instant now)
    {
        switch (frame.Type)
        {
            case FrameType.Hello:
                _admission.HandleHello(link, in frame, now);
                break;
            case FrameType.Commit:
                _commits.Handle(link, _sessions.MemberOf(link), in frame, now);
                break;
            case FrameType.Peek:
                _peeks.Handle(link, _sessions.MemberOf(link), in frame);
                break;
            case FrameType.WhoBlocks:
                _operators.HandleWhoBlocks(link, MemberAt(link), in frame, now);
                break;
            case FrameType.Suspend:
                _suspensions.Handle(link, _sessions.MemberOf(link), in frame);
                break;
            case FrameType.Barrier or FrameType.Stop or FrameType.Start or FrameType.StatusQuery:
                _operators.Handle(link, _sessions.MemberOf(link), in frame, now);
                break;
            case FrameType.Fetch:
                HandleFetch(link, in frame);
                break;
            case FrameType.Heartbeat when !HeartbeatFrame.TryRead(frame.Body, out _):
                RefuseBadFrame(link, "The heartbeat is malformed.");
                break;
            default:
                // Types of later versions, and those that only a server sends, mean nothing here.
                _run.Tally[RunCount.FramesIgnored] += frame.Type == FrameType.Heartbeat ? 0 : 1;
                break;
        }
    }

    // The log is open to members, and to those who may look at the run.
    private void HandleFetch(long link, in Frame frame)
    {
        Member? member = _sessions.MemberOf(link);

        if (member is not null || _operators.IsAllowed(link, null, 0))
        {
            _readers.Handle(link, member, in frame);
        }
    }

    // An observer has no waits that anybody counts.
    private Member? MemberAt(long link)
        => _sessions.MemberOf(link) is { IsObserver: false } member ? member : null;

    // Frames that are answered each, whatever was asked before.
    private static bool IsQuestion(FrameType type)
        => type is FrameType.Peek or FrameType.WhoBlocks or FrameType.Barrier or FrameType.Stop or FrameType.Start
            or FrameType.StatusQuery;

    private void RefuseBadFrame(long link, string detail) => Refuse(link, SequencingError.BadFrame, detail);

    private void Refuse(long link, SequencingError error, string detail)
        => _outbox.Refuse(link, error, detail, (0, _sessions.MemberOf(link)?.Session ?? 0));
}
