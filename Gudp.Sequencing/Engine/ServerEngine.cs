// The sequence server as a state machine without clock, threads or sockets: frames of members go in, frames to members
// come out, in an order that depends only on the order in which frames went in. What a member is granted does not
// depend even on that (lock-time theorem 4).
//
// Every bound moves because a commit was applied or a member left; a grant moves none, because a member that is
// granted had already been counted as having come that far. One pass over all members after a change is therefore
// complete; debug builds run it twice and look.
//
// Always true:
//   - a commit is applied whole or not at all, and each step once;
//   - no message is queued at or before the last grant of its receiver;
//   - a grant is below the member's bound, and never before its last one;
//   - the bound E of a member never falls.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using Gudp.Core;
using Gudp.Sequencing.Config;
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

/// <summary>Something from outside that changed the run: a loss seen by the transport (lock-time 8.4).</summary>
internal readonly record struct ExternalFact(string Member, CrashPolicy Effect, Tag Tag);

internal sealed class ServerEngine
{
    private const ulong Epoch = 1;

    private readonly RunLayout _layout;
    private readonly MemberTable _members;
    private readonly BoundTable _bounds;
    private readonly Tag[] _lastEarliest;
    private readonly Dictionary<long, Member> _memberOfLink = [];
    private readonly FrameWriter _writer = new();
    private readonly Queue<Outgoing> _outgoing = new();
    private readonly List<ExternalFact> _facts = [];

    private bool _hasChanged;
    private long _published;

    internal ServerEngine(RunLayout layout)
    {
        _layout = layout;
        _members = new MemberTable(layout);
        _bounds = new BoundTable(layout.Members.Length);
        _lastEarliest = new Tag[layout.Members.Length];
    }

    internal RunPhase Phase { get; private set; }

    /// <summary>Of the whole run, once it has ended.</summary>
    internal ulong RunDigest { get; private set; }

    /// <summary>Steps that came a second time and were dropped.</summary>
    internal long DuplicateSteps { get; private set; }

    /// <summary>Frames that were refused with an error.</summary>
    internal long Refusals { get; private set; }

    /// <summary>Passes of the rule over all members.</summary>
    internal long Evaluations { get; private set; }

    /// <summary>What came from outside; a run with none of it can be repeated exactly.</summary>
    internal IReadOnlyList<ExternalFact> ExternalFacts => _facts;

    internal MemberTable Members => _members;

    /// <summary>Takes one message of a member, whatever is in it. Follow with <see cref="Evaluate"/>.</summary>
    internal void HandleMessage(long link, ReadOnlySpan<byte> message, Instant now)
    {
        FrameReader reader = new(message);
        long before = Refusals;

        // What follows a refused frame is not looked at, so that one message never makes more than one answer of it.
        while (Refusals == before && Frame.TryNext(ref reader, out Frame frame))
        {
            HandleFrame(link, in frame, now);
        }

        if (Refusals == before && reader.IsMalformed)
        {
            Refuse(link, SequencingError.BadFrame, "The bytes are not a frame.", 0);
        }
    }

    /// <summary>The connection of a member is gone (lock-time 8.4). Follow with <see cref="Evaluate"/>.</summary>
    internal void HandleLinkLost(long link, Instant now)
    {
        if (!_memberOfLink.Remove(link, out Member? member))
        {
            return;
        }

        member.Link = null;

        if (member.Life == MemberLife.Joining)
        {
            member.Life = MemberLife.Absent;
            return;
        }

        if (member.Life != MemberLife.Live || Phase != RunPhase.Running)
        {
            return;
        }

        CrashPolicy policy = member.Layout.CrashPolicy;
        member.Life = MemberLife.Lost;
        member.RunningSince = _members.States[member.Ordinal].IsWaiting ? member.RunningSince : now;
        _facts.Add(new ExternalFact(member.Layout.Name, policy, _members.States[member.Ordinal].Now));
        _hasChanged = true;

        if (policy == CrashPolicy.Resign)
        {
            Resign(member);
        }
        else if (policy == CrashPolicy.Abort)
        {
            Abort(member);
        }
    }

    /// <summary>Grants whatever can be granted. Once per turn is enough, however many messages were handled.</summary>
    internal void Evaluate(Instant now)
    {
        if (Phase == RunPhase.Gathering && _members.AreAll(MemberLife.Joining))
        {
            Start(now);
        }

        if (Phase != RunPhase.Running || !_hasChanged)
        {
            return;
        }

        _hasChanged = false;
        ComputeBounds();

        foreach (Member member in _members.All)
        {
            ref MemberState state = ref _members.States[member.Ordinal];

            if (member.Life != MemberLife.Live || !state.IsWaiting)
            {
                continue;
            }

            Tag bound = _bounds.Bound[member.Ordinal];

            if (AdvanceRule.IsGrantable(in state, bound, out Tag grant))
            {
                Invariant.Require(!state.Receives || bound > grant, "A grant is below the bound.");
                Advance(member, ref state, grant, now);
            }
        }

        NoteBlockers();
        AssertInvariants();
    }

    /// <summary>The next message to a member, in the order the engine made them. The taker releases it.</summary>
    internal bool TryTakeOutgoing(out Outgoing outgoing) => _outgoing.TryDequeue(out outgoing);

    /// <summary>
    /// The member at whose door the wait of another one ends, as of the last evaluation: it computes, or is lost.
    /// </summary>
    /// <returns>Null if <paramref name="name"/> is unknown or does not wait.</returns>
    internal string? BlockedBy(string name)
    {
        int ordinal = _layout.OrdinalOf(name);

        if (ordinal < 0 || !_members.States[ordinal].IsWaiting || _members.All[ordinal].Blocker == BoundTable.Nobody)
        {
            return null;
        }

        return _layout.Members[_members.All[ordinal].Blocker].Name;
    }

    /// <summary>The digest of a member as the server counts it.</summary>
    internal Digest DigestOf(int ordinal) => _members.All[ordinal].Digest;

    private void HandleFrame(long link, in Frame frame, Instant now)
    {
        switch (frame.Type)
        {
            case FrameType.Hello:
                HandleHello(link, in frame);
                break;
            case FrameType.Commit:
                HandleCommit(link, in frame, now);
                break;
            case FrameType.Heartbeat when !HeartbeatFrame.TryRead(frame.Body, out _):
                Refuse(link, SequencingError.BadFrame, "The heartbeat is malformed.", 0);
                break;
            default:
                // Types of later versions, and those that only a server sends, mean nothing here.
                break;
        }
    }

    private void HandleHello(long link, in Frame frame)
    {
        if (!HelloFrame.TryRead(frame.Body, out HelloFrame hello))
        {
            Reject(link, SequencingError.BadFrame, "The hello is malformed.");
            return;
        }

        SequencingError error = HelloCheck.Check(hello, _layout, out string detail);
        Member? member = error == SequencingError.None ? _members.All[_layout.OrdinalOf(hello.Name)] : null;

        if (member is not null && (member.Life != MemberLife.Absent || _memberOfLink.ContainsKey(link)))
        {
            error = SequencingError.NameTaken;
            detail = $"\"{hello.Name}\" is here already, or this connection has another name.";
        }

        if (error != SequencingError.None)
        {
            Reject(link, error, detail);
            return;
        }

        member!.Life = MemberLife.Joining;
        member.Link = link;
        member.Session++;
        _memberOfLink.Add(link, member);

        new WelcomeFrame(member.Ordinal, Tag.Zero, Tag.Zero, _layout.ConfigHash).Write(_writer, Epoch, member.Session);
        Send(link);
    }

    private void HandleCommit(long link, in Frame frame, Instant now)
    {
        FrameReader reader = new(frame.Body);
        ulong step = reader.ReadNumber();

        if (!_memberOfLink.TryGetValue(link, out Member? member) || reader.IsMalformed)
        {
            SequencingError unknown = member is null ? SequencingError.NotJoined : SequencingError.BadFrame;
            Refuse(link, unknown, "A commit comes from a member, after its hello.", step);
            return;
        }

        if (frame.Epoch != Epoch || frame.Session != member.Session)
        {
            Refuse(link, SequencingError.StaleEpoch, "The frame is of another server or session.", step);
            return;
        }

        if (step <= member.Step)
        {
            DuplicateSteps++;
            return;
        }

        ReadOnlySpan<byte> elements = reader.ReadRest();
        SequencingError error = Judge(member, step, elements);

        if (error != SequencingError.None)
        {
            Refuse(link, error, $"Step {step} of \"{member.Layout.Name}\" changes nothing.", step);
            return;
        }

        member.Step = step;
        Apply(member, elements, now);
        _hasChanged = true;
    }

    /// <summary>The table of states and elements, clause .</summary>
    private SequencingError Judge(Member member, ulong step, ReadOnlySpan<byte> elements)
    {
        ref readonly MemberState state = ref _members.States[member.Ordinal];

        return (Phase, member.Life) switch
        {
            (RunPhase.Aborted, _) => SequencingError.Stopped,
            (RunPhase.Gathering, _) => SequencingError.NotJoined,
            (_, not MemberLife.Live) => SequencingError.NotJoined,
            _ when step != member.Step + 1 => SequencingError.WrongSequence,
            _ when state.IsWaiting => SequencingError.AlreadyRequesting,
            _ => JudgeElements(member, elements, in state),
        };
    }

    private SequencingError JudgeElements(Member member, ReadOnlySpan<byte> elements, ref readonly MemberState state)
    {
        SequencingError error = CommitCheck.Check(elements, _layout, member, state, out long inboxBytes);

        if (error != SequencingError.None || inboxBytes == 0)
        {
            return error;
        }

        // All of the commit is counted for each receiver its member can reach: exact enough for a limit on memory.
        foreach (Edge edge in _layout.Edges.From(member.Ordinal))
        {
            if (_members.All[edge.To].Inbox.Bytes + inboxBytes > _layout.MaxInboxBytes)
            {
                return SequencingError.InboxLimit;
            }
        }

        return SequencingError.None;
    }

    private void Apply(Member member, ReadOnlySpan<byte> elements, Instant now)
    {
        ref MemberState state = ref _members.States[member.Ordinal];
        CommitReader reader = new(elements, state.Now);

        while (reader.TryNext(out CommitElement element))
        {
            switch (element.Kind)
            {
                case ElementKind.Publication:
                    Publish(member, in element, state.Now);
                    break;
                case ElementKind.Resign:
                    Resign(member);
                    return;
                case ElementKind.Request:
                    state.Request = element.Request;
                    member.WaitingSince = now;
                    break;
                default:
                    CommitCheck.ApplyToTrial(in element, ref state);
                    break;
            }
        }
    }

    private void Publish(Member sender, in CommitElement element, Tag sent)
    {
        int index = sender.Layout.Interests[element.Interest].Channel;
        ChannelLayout channel = _layout.Channels[index];
        DeliveryKey key = new(element.Tag + channel.MinimumLatency, sent, sender.Ordinal, ++sender.SubSequence, 0);
        Letter? letter = null;
        _published++;

        foreach (Subscriber subscriber in channel.Subscribers)
        {
            ref MemberState receiver = ref _members.States[subscriber.Member];

            if (!receiver.Receives)
            {
                continue;
            }

            Invariant.Require(key.Arrival > receiver.Now, "Nothing arrives at or before a grant.");

            letter ??= new Letter(index, element.Payload);
            ArrivalQueue inbox = _members.All[subscriber.Member].Inbox;
            inbox.Add(in key, letter, subscriber.InterestId, subscriber.Wakes);
            receiver.Head = inbox.Head;
        }
    }

    private void Start(Instant now)
    {
        Phase = RunPhase.Running;

        foreach (Member member in _members.All)
        {
            member.Life = MemberLife.Live;
            member.RunningSince = now;

            // The roster by ordinal, so that the member can name the senders of its messages (clause ).
            foreach (Member other in _members.All)
            {
                new PeerEventFrame(other.Layout.Name, PeerEventKind.Joined, Tag.Zero)
                    .Write(_writer, Epoch, member.Session);
            }

            WriteGrant(member, Tag.Zero, 0, GrantFlags.None);
            Send(member);
        }
    }

    private void ComputeBounds()
    {
        AdvanceRule.Bounds(_members.States, _layout.Edges, _bounds);
        Evaluations++;

        for (int ordinal = 0; ordinal < _lastEarliest.Length; ordinal++)
        {
            Invariant.Require(_bounds.Earliest[ordinal] >= _lastEarliest[ordinal], "The bound E never falls.");
            _lastEarliest[ordinal] = _bounds.Earliest[ordinal];
        }
    }

    private void Advance(Member member, ref MemberState state, Tag grant, Instant now)
    {
        Invariant.Require(grant >= state.Now, "Grants never go back.");

        int count = WriteBatch(member, state.Now, grant);
        GrantFlags flags = grant == Tag.Infinity ? GrantFlags.Final : GrantFlags.None;
        member.Digest.AddGrant(grant, count, flags == GrantFlags.Final);

        if (member.Blocker != BoundTable.Nobody)
        {
            WriteHealth(member, grant, now);
            member.Blocker = BoundTable.Nobody;
        }

        state.Now = grant;
        state.Request = default;
        state.Head = member.Inbox.Head;
        member.RunningSince = now;

        WriteGrant(member, grant, count, flags);
        Send(member);
    }

    private int WriteBatch(Member member, Tag lastGrant, Tag grant)
    {
        int count = 0;
        bool isOpen = false;

        while (member.Inbox.TryTake(grant, out DeliveryKey key, out Letter letter, out int interest))
        {
            if (!isOpen)
            {
                _writer.BeginFrame(FrameType.Deliver, Epoch, member.Session);
                isOpen = true;
            }

            new DeliveryRecord(key, interest, letter.Payload).Write(_writer, lastGrant);
            member.Digest.AddDelivery(in key, _layout.Channels[letter.Channel].Key, letter.Payload);
            letter.Release();
            count++;

            if (_writer.Length >= RunLayout.DeliverBytes)
            {
                _writer.EndFrame();
                Send(member);
                isOpen = false;
            }
        }

        if (isOpen)
        {
            _writer.EndFrame();
        }

        return count;
    }

    private void WriteGrant(Member member, Tag tag, int count, GrantFlags flags)
        => new GrantFrame(member.Step, member.Step, tag, count, tag, flags, member.Digest.Value)
            .Write(_writer, Epoch, member.Session);

    private void WriteHealth(Member member, Tag grant, Instant now)
    {
        ReadOnlySpan<HealthEntry> chain =
        [
            new(member.Layout.Name, ReportedState.Waiting, grant, Milliseconds(now, member.WaitingSince)),
            new(
                _layout.Members[member.Blocker].Name, member.BlockerState, member.BlockerTag,
                Milliseconds(now, member.BlockerSince)),
        ];

        HealthFrame.Write(_writer, Epoch, member.Session, chain);
    }

    private void NoteBlockers()
    {
        foreach (Member member in _members.All)
        {
            if (member.Life == MemberLife.Live && _members.States[member.Ordinal].IsWaiting)
            {
                Member root = _members.All[_members.RootOf(member.Ordinal, _bounds)];
                member.Blocker = root.Ordinal;
                member.BlockerState = _members.Report(root.Ordinal);
                member.BlockerTag = _members.States[root.Ordinal].Now;
                member.BlockerSince = root.RunningSince;
            }
        }
    }

    private void Resign(Member member)
    {
        ref MemberState state = ref _members.States[member.Ordinal];
        state.Sends = false;
        state.Receives = false;
        state.Request = default;
        state.Head = Tag.Top;
        member.Life = MemberLife.Resigned;
        member.Blocker = BoundTable.Nobody;
        member.Inbox.Clear();

        if (_members.AreAll(MemberLife.Resigned))
        {
            End();
        }
    }

    private void End()
    {
        Phase = RunPhase.Ended;
        RunDigest = Digest.OfRun(Array.ConvertAll(_members.All, member => member.Digest));

        foreach (Member member in _members.All)
        {
            new EndFrame((ulong)_published, RunDigest).Write(_writer, Epoch, member.Session);
            Send(member);
        }
    }

    private void Abort(Member lost)
    {
        Phase = RunPhase.Aborted;

        foreach (Member member in _members.All)
        {
            Tag at = _members.States[member.Ordinal].Now;
            new RefusalFrame(
                SequencingError.Stopped, $"\"{lost.Layout.Name}\" was lost; your last grant is {at}.", member.Step)
                .Write(_writer, FrameType.Error, Epoch, member.Session);
            Send(member);
        }
    }

    private void Reject(long link, SequencingError error, string detail)
    {
        Refusals++;
        new RefusalFrame(error, detail, 0).Write(_writer, FrameType.Reject, Epoch, 0);
        Send(link);
    }

    private void Refuse(long link, SequencingError error, string detail, ulong step)
    {
        Refusals++;
        ulong session = _memberOfLink.TryGetValue(link, out Member? member) ? member.Session : 0;
        new RefusalFrame(error, detail, step).Write(_writer, FrameType.Error, Epoch, session);
        Send(link);
    }

    private void Send(Member member)
    {
        if (member.Link is long link)
        {
            Send(link);
        }

        _writer.Clear();
    }

    private void Send(long link)
    {
        _outgoing.Enqueue(new Outgoing(link, _writer.Written));
        _writer.Clear();
    }

    private static ulong Milliseconds(Instant now, Instant since)
        => (ulong)Math.Max(0, (now - since).TotalMilliseconds);

    [Conditional("DEBUG")]
    private void AssertInvariants()
    {
        if (Phase != RunPhase.Running)
        {
            return;
        }

        AdvanceRule.Bounds(_members.States, _layout.Edges, _bounds);

        foreach (Member member in _members.All)
        {
            MemberState state = _members.States[member.Ordinal];
            int ordinal = member.Ordinal;
            Invariant.Require(_bounds.Earliest[ordinal] == _lastEarliest[ordinal], "A grant moves no bound.");
            Invariant.Require(member.Inbox.Head > state.Now, "The inbox starts after the last grant.");
            Invariant.Require(member.Inbox.Head == state.Head, "The rule sees the inbox as it is.");
            Invariant.Require(
                member.Life != MemberLife.Live || !state.IsWaiting
                || !AdvanceRule.IsGrantable(in state, _bounds.Bound[ordinal], out _),
                "One pass grants all that can be granted.");
        }
    }
}
