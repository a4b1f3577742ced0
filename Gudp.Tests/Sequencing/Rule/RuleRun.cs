// The bare rule of lock-time section 3 in memory: no frames, no commits, no engine. What is production code in it are
// the parts under test (AdvanceRule, Reach, MemberState, ArrivalQueue, DeliveryKey) and the dice of the network.
//
// Always true, and looked at:
//   - no message arrives at or before its receiver's last grant, and grants never decrease;
//   - the bound E of a member never falls, unless somebody took up sending late;
//   - the grant a waiting member may expect never rises;
//   - if all wait and there is no barrier, everybody with the smallest grant gets it, in one pass (theorem 2).

using System.Text;
using Gudp.Sequencing;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing.Rule;

internal sealed class RuleRun
{
    private readonly RuleSeams _seams;
    private readonly ulong _networkSeed;
    private readonly MemberDeclaration[] _members;
    private readonly ulong[] _nameHashes;
    private readonly string[] _channels;
    private readonly ChannelModel[] _models;
    private readonly MemberState[] _states;
    private readonly RuleInbox[] _inboxes;
    private readonly bool[] _isLive;

    // Whoever did not receive at its last grant was told nothing about what is at or before it.
    private readonly bool[] _receivedAtGrant;
    private readonly long[] _subSequences;
    private readonly Tag[] _lastEarliest;
    private readonly Tag[] _lastExpected;
    private readonly int[] _looks;
    private readonly Reach _reach = new();
    private readonly BoundTable _table = new();
    private readonly List<(int Member, Tag Grant)> _ready = [];
    private bool _hasLateSender;
    private long _evaluations;

    internal RuleRun(SequencingConfig config, RuleSeams? seams = null)
    {
        _seams = seams ?? new RuleSeams();
        _networkSeed = config.Seed;
        Limits = RunLimits.None with { Stop = config.StopTag ?? Tag.Top };
        IComparer<DeliveryKey>? order = _seams.Order ?? TieOrder.Of(config.TieSeed);
        _members = [.. config.Roster.OrderBy(member => member.Name, StringComparer.Ordinal)];
        _nameHashes = [.. _members.Select(member => HashOf(member.Name))];
        _channels = [.. config.Channels.Select(channel => channel.Name)
            .Union(_members.SelectMany(member => member.Publish.Concat(HeardBy(member))))];
        _models = Array.ConvertAll(_channels, name => DeclarationOf(config, name).Compile(HashOf(name)));
        BufferPolicy[] policies = Array.ConvertAll(_channels, name => DeclarationOf(config, name).Policy);
        _inboxes = Array.ConvertAll(_members, member => new RuleInbox(_channels, policies, member, order));
        _states = Array.ConvertAll(_members, StateOf);
        _isLive = Array.ConvertAll(_members, _ => true);
        _receivedAtGrant = Array.ConvertAll(_members, member => member.Receives);
        _subSequences = new long[_members.Length];
        _lastEarliest = new Tag[_members.Length];
        _lastExpected = new Tag[_members.Length];
        _looks = new int[_members.Length];
        Granted = Array.ConvertAll(_members, _ => new Queue<RuleGrant>([RuleGrant.Start]));
        AddEdges();
    }

    /// <summary>By ordinal: what was granted and not taken yet.</summary>
    internal Queue<RuleGrant>[] Granted { get; }

    internal RunLimits Limits { get; set; }

    /// <summary>Whether every now and then the bounds are held against a second computation of them.</summary>
    internal bool ComparesBounds { get; init; }

    internal int Count => _members.Length;

    internal Tag Floor => _table.Floor;

    internal bool HasEnded => !_isLive.Contains(true);

    internal bool RequestsOvertake => _seams.RequestsOvertake;

    internal int OrdinalOf(string name) => Array.FindIndex(_members, member => member.Name == name);

    internal string NameOf(int ordinal) => _members[ordinal].Name;

    internal Tag NowOf(int ordinal) => _states[ordinal].Now;

    /// <summary>One thing a member said reaches the server.</summary>
    /// <param name="member">Its ordinal.</param>
    /// <param name="action">What it said.</param>
    /// <param name="said">Its last grant when it said so.</param>
    /// <returns>Why not, and then nothing has changed.</returns>
    internal SequencingError Apply(int member, in RuleAction action, Tag said)
    {
        SequencingError error = _seams.Judges ? Judge(member, in action) : SequencingError.None;

        if (error != SequencingError.None)
        {
            return error;
        }

        ref MemberState state = ref _states[member];

        switch (action.Verb)
        {
            case RuleVerb.Publish:
                Publish(member, in action, said);
                break;
            case RuleVerb.Promise:
                state.Promise = Tag.Later(state.Promise, action.Tag!.Value);
                break;
            case RuleVerb.Lookahead:
                _seams.ChangeLookahead(ref state, action.Lookahead);
                break;
            case RuleVerb.Roles:
                SetRoles(member, action.Sends, action.Receives);
                break;
            case RuleVerb.Interest:
                _inboxes[member].Switch(Array.IndexOf(_channels, action.Channel), action.IsOn, ref state);
                break;
            case RuleVerb.Stop:
                Limits = Limits with { Stop = Tag.Earlier(Limits.Stop, action.Tag!.Value) };
                break;
            case RuleVerb.Request:
                state.Request = action.Request;
                _looks[member] = 0;
                _lastExpected[member] = Tag.Top;
                break;
            case RuleVerb.Resign:
                state = state with { Sends = false, Receives = false, Request = default, Head = Tag.Top };
                _isLive[member] = false;
                break;
        }

        return SequencingError.None;
    }

    /// <summary>An operator takes the role to receive from a member, which may be waiting.</summary>
    internal void Withdraw(int member) => SetRoles(member, _states[member].Sends, receives: false);

    /// <summary>Grants what can be granted, until nothing more can.</summary>
    internal int Evaluate()
    {
        int granted = 0;

        while (FindReady(isFirst: granted == 0))
        {
            RuleBrokenException.Require(granted == 0, "One pass grants all that can be granted.");
            granted += _ready.Count;

            foreach ((int member, Tag grant) in _ready)
            {
                Advance(member, grant);
            }
        }

        return granted;
    }

    private static IEnumerable<string> HeardBy(MemberDeclaration member)
        => member.Subscribe.Concat(member.SubscribeQuietly);

    private static ChannelDeclaration DeclarationOf(SequencingConfig config, string name)
        => config.Channels.FirstOrDefault(channel => channel.Name == name) ?? new ChannelDeclaration(name);

    private static ulong HashOf(string name) => XxHash64.Hash(0, Encoding.UTF8.GetBytes(name));

    private static MemberState StateOf(MemberDeclaration member) => new()
    {
        Sends = member.Sends,
        Receives = member.Receives,
        Lookahead = member.Lookahead,
        Head = Tag.Top,
    };

    private void AddEdges()
    {
        foreach (ChannelModel model in _models)
        {
            _reach.AddChannel(model.Latency.Minimum);
        }

        foreach (MemberDeclaration member in _members)
        {
            _reach.AddMember(
                [.. member.Publish.Select(name => Array.IndexOf(_channels, name))],
                [.. HeardBy(member).Select(name => Array.IndexOf(_channels, name))
                    .Select(channel => (channel, channel, member.Subscribe.Contains(_channels[channel])))],
                member.MayStop);
        }
    }

    private SequencingError Judge(int member, in RuleAction action)
    {
        ref readonly MemberState state = ref _states[member];
        bool isFinished = state.Now.IsInfinite || state.Now >= Limits.Stop;

        return action.Verb switch
        {
            _ when !_isLive[member] => SequencingError.NotJoined,
            _ when state.IsWaiting => SequencingError.AlreadyRequesting,
            RuleVerb.Request when action.Request.Target < state.Now => SequencingError.PastTag,
            not RuleVerb.Resign when isFinished => SequencingError.Stopped,
            RuleVerb.Publish or RuleVerb.Promise or RuleVerb.Lookahead or RuleVerb.Stop when !state.Sends
                => SequencingError.NotASender,
            RuleVerb.Publish or RuleVerb.Stop when action.Tag < state.EarliestPublication
                => SequencingError.LookaheadViolation,
            _ => SequencingError.None,
        };
    }

    private void SetRoles(int member, bool sends, bool receives)
    {
        ref MemberState state = ref _states[member];

        if (sends && !state.Sends)
        {
            // Above everything final, and above whatever anybody was granted; finer answers need the graph.
            _hasLateSender = true;
            _seams.Bounds(_states, _reach, Limits.Stop, _table);
            state.Promise = Tag.Later(state.EarliestPublication, _table.Floor);

            foreach (MemberState other in _states)
            {
                state.Promise = Tag.Later(state.Promise, other.Now + Delay.OneRound);
            }
        }

        state.Sends = sends;
        state.Receives = receives;
        _inboxes[member].Sort(ref state);
    }

    private void Publish(int sender, in RuleAction action, Tag said)
    {
        int channel = Array.IndexOf(_channels, action.Channel);
        Tag tag = action.Tag ?? _states[sender].EarliestPublication;
        long subSequence = ++_subSequences[sender];
        MessageIdentity identity = new(_nameHashes[sender], subSequence, _models[channel].Key);
        Tag nominal = tag + _models[channel].Latency.Minimum;
        PublicationPlan plan = _seams.Plan(_models[channel], _networkSeed, identity, nominal);
        DeliveryKey key = new(plan.Nominal, said, _seams.NumberOf(sender), subSequence, 0);
        Letter letter = new(channel, action.Payload.Span);

        foreach (Hearer hearer in _reach.HearersOf(channel))
        {
            ReceiverPlan fate = plan.For(_nameHashes[hearer.Member]);

            if (fate.Arrives)
            {
                Put(hearer.Member, key with { Arrival = fate.Arrival }, letter);
            }

            if (fate.IsDoubled)
            {
                Put(hearer.Member, key with { Arrival = fate.DoubleArrival, Copy = 1 }, letter);
            }
        }
    }

    private void Put(int receiver, in DeliveryKey key, Letter letter)
    {
        ref MemberState state = ref _states[receiver];

        if (key.Arrival > state.Now)
        {
            if (_isLive[receiver])
            {
                _seams.OnReceived(in key);
                _inboxes[receiver].Add(in key, letter, ref state);
            }

            return;
        }

        RuleBrokenException.Require(
            !state.Receives || !_receivedAtGrant[receiver],
            $"{key} is too late for {NameOf(receiver)} at {state.Now}.");
    }

    private bool FindReady(bool isFirst)
    {
        _seams.Bounds(_states, _reach, Limits.Stop, _table);
        CheckBounds();
        _ready.Clear();
        bool allWait = Limits.Barrier == Tag.Top;
        Tag least = Tag.Top;

        for (int member = 0; member < Count; member++)
        {
            ref readonly MemberState state = ref _states[member];
            allWait &= !_isLive[member] || state.IsWaiting;

            if (!state.IsWaiting)
            {
                continue;
            }

            _looks[member] += isFirst ? 1 : 0;

            if (_seams.IsGrantable(in state, _table.Bound[member], Limits, _looks[member], out Tag grant))
            {
                _ready.Add((member, grant));
            }

            RuleBrokenException.Require(grant <= _lastExpected[member], "The grant of a waiting member never rises.");
            _lastExpected[member] = grant;
            least = Tag.Earlier(least, grant);
        }

        if (allWait && !HasEnded)
        {
            CheckProgress(least);
        }

        return _ready.Count > 0;
    }

    private void CheckProgress(Tag least)
    {
        for (int member = 0; member < Count; member++)
        {
            bool isFirst = _states[member].IsWaiting && _lastExpected[member] == least;
            RuleBrokenException.Require(
                !isFirst || _ready.Contains((member, least)), $"{NameOf(member)} waits for {least}: a deadlock.");
        }
    }

    private void CheckBounds()
    {
        for (int member = 0; member < Count; member++)
        {
            RuleBrokenException.Require(
                _hasLateSender || _table.Earliest[member] >= _lastEarliest[member], "The bound E never falls.");
            _lastEarliest[member] = _table.Earliest[member];
        }

        if (ComparesBounds && ++_evaluations % 16 == 0)
        {
            SlowBounds.Of(_states, _reach, Limits.Stop).RequireEqual(_table);
        }
    }

    private void Advance(int member, Tag grant)
    {
        ref MemberState state = ref _states[member];
        RuleBrokenException.Require(grant >= state.Now, "Grants never decrease.");
        List<(DeliveryKey Key, RuleDelivery Delivery)> batch = [];

        foreach ((DeliveryKey key, Letter letter) in _inboxes[member].Take(grant, ref state))
        {
            int sender = Enumerable.Range(0, Count).First(ordinal => _seams.NumberOf(ordinal) == key.Publisher);
            batch.Add((key, new RuleDelivery(
                key.Arrival, key.Sent, NameOf(sender), key.SubSequence, _channels[letter.Channel],
                letter.Payload.ToArray())));
        }

        _seams.Arrange(batch);
        state.Now = grant;
        state.Request = default;
        _receivedAtGrant[member] = state.Receives;
        Granted[member].Enqueue(
            new RuleGrant(grant, grant == Tag.Infinity || grant == Limits.Stop, [.. batch.Select(m => m.Delivery)]));
    }
}
