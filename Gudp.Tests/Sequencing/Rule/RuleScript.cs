using System.Text;
using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>
/// A member whose every act is a function of what it was granted so far. It says only what it may, so a refusal is an
/// error of the run, and it says it to whatever executes it: the bare rule or the engine.
/// </summary>
internal sealed class RuleScript(MemberDeclaration self, RuleHabits habits, ulong seed)
{
    // Above it members say nothing more within the same time, so that time goes on.
    private const uint BusyRounds = 6;

    private readonly bool[] _isOff = new bool[self.Subscribe.Count + self.SubscribeQuietly.Count];
    private int _admitted;
    private ulong _history = XxHash64.Hash(seed, Encoding.UTF8.GetBytes(self.Name));
    private bool _hasStayed;
    private Prng _draws = new(0);

    private MemberState _state = new()
    {
        Sends = self.Sends,
        Receives = self.Receives,
        Lookahead = self.Lookahead,
    };

    /// <summary>Of each grant so far: its tag, and a value of everything up to and with it.</summary>
    internal List<(Tag Tag, ulong Value)> History { get; } = [];

    /// <summary>How often it did what, for the test of the test.</summary>
    internal SortedDictionary<string, int> Deeds { get; } = new(StringComparer.Ordinal);

    /// <summary>Messages it was given.</summary>
    internal long Deliveries { get; private set; }

    /// <summary>Takes a grant; says what it publishes, promises and changes, and asks or resigns.</summary>
    internal List<RuleAction> Answer(RuleGrant grant)
    {
        List<RuleAction> said = [];
        Decide(grant, said);

        foreach (RuleAction action in said)
        {
            Count(action.Verb == RuleVerb.Request ? $"{action.Request.Mode}" : $"{action.Verb}");
            Count(action.Request.Grid.IsNone ? "no grid" : "grid");
        }

        Count(grant.IsFinal && !grant.Tag.IsInfinite ? "stopped" : grant.IsFinal ? "quiescent" : "goes on");
        Count(grant.Batch.Count > 1 ? "several messages" : "at most one");
        return said;
    }

    private void Count(string deed) => Deeds[deed] = Deeds.GetValueOrDefault(deed) + 1;

    private void Decide(RuleGrant grant, List<RuleAction> said)
    {
        Note(grant);
        _draws = new Prng(_history);
        _state.Now = grant.Tag;

        if (grant.IsFinal || grant.Tag.Time >= habits.Until)
        {
            said.Add(new RuleAction(RuleVerb.Resign));
            return;
        }

        if (_state.Sends)
        {
            Speak(said);
        }

        Change(said);
        said.Add(new RuleAction(RuleVerb.Request) { Request = DrawRequest() });
    }

    private void Note(RuleGrant grant)
    {
        Mix((ulong)grant.Tag.Time);
        Mix(grant.Tag.Round + (grant.IsFinal ? 1UL << 40 : 0));

        foreach (RuleDelivery delivery in grant.Batch)
        {
            Mix((ulong)delivery.Arrival.Time);
            Mix(((ulong)delivery.Arrival.Round << 32) | delivery.Sent.Round);
            Mix((ulong)delivery.Sent.Time);
            Mix((ulong)delivery.SubSequence);
            Mix(XxHash64.Hash(1, Encoding.UTF8.GetBytes(delivery.Sender)));
            Mix(XxHash64.Hash(2, Encoding.UTF8.GetBytes(delivery.Channel)));
            Mix(XxHash64.Hash(3, delivery.Payload.Span));
        }

        if (grant.Snapshot is SequenceSnapshot snapshot)
        {
            Mix((ulong)snapshot.Tag.Time);
            Mix(XxHash64.Hash(4, snapshot.Payload.Span));
            Count("starts from a snapshot");
        }

        Deliveries += grant.Batch.Count;
        History.Add((grant.Tag, _history));
    }

    private void Mix(ulong value)
    {
        _history = (_history ^ value) * 0x9E37_79B9_7F4A_7C15;
        _history ^= _history >> 32;
    }

    private void Speak(List<RuleAction> said)
    {
        for (long count = _draws.NextBelow(4); count > 0 && _state.Now.Round < BusyRounds; count--)
        {
            if (self.Publish.Count > 0)
            {
                said.Add(new RuleAction(RuleVerb.Publish)
                {
                    Channel = self.Publish[(int)_draws.NextBelow(self.Publish.Count)],
                    Tag = DrawTag(),
                    Payload = BitConverter.GetBytes(_history ^ (ulong)count),
                });
            }
        }

        Admit(said);

        if (_draws.NextChance(100_000))
        {
            _state.Promise = _state.EarliestPublication + Delay.Ticks(_draws.NextBelow(5));
            said.Add(new RuleAction(RuleVerb.Promise) { Tag = _state.Promise });
        }

        if (_draws.NextChance(habits.LookaheadChance))
        {
            _state.Promise = _state.EarliestPublication;
            _state.Lookahead = RuleSystem.DrawLookahead(_draws);
            said.Add(new RuleAction(RuleVerb.Lookahead) { Lookahead = _state.Lookahead });
        }
    }

    private void Admit(List<RuleAction> said)
    {
        if (_admitted < habits.Admits.Count && _draws.NextChance(150_000))
        {
            RuleNewcomer newcomer = habits.Admits[_admitted++];
            Tag join = _state.EarliestPublication + Delay.Ticks(_draws.NextBelow(6));

            // Now and then where another sponsor may have the same thought.
            join = _draws.NextChance(500_000) ? new Tag(((join.Time / 5) + 1) * 5, 0) : join;
            MemberDeclaration declaration = RuleComings.Joining(newcomer.Declaration, join);
            said.Add(new RuleAction(RuleVerb.Admit) { Newcomer = newcomer with { Declaration = declaration } });
        }
    }

    // Null where only the server knows how early it may be: a member that took up sending late.
    private Tag? DrawTag() => habits.Features.HasFlag(RuleFeatures.LateSenders)
        ? null
        : _state.EarliestPublication + Delay.Ticks(Math.Max(0, _draws.NextBelow(6) - 2));

    private void Change(List<RuleAction> said)
    {
        bool sent = _state.Sends;

        if (_draws.NextChance(habits.SnapshotChance))
        {
            said.Add(new RuleAction(RuleVerb.Snapshot) { Payload = BitConverter.GetBytes(_history) });
        }

        if (habits.Features.HasFlag(RuleFeatures.Roles) && _draws.NextChance(80_000))
        {
            bool mayReceive = _isOff.Length > 0;
            bool maySend = _state.Sends || (self.Sends && habits.Features.HasFlag(RuleFeatures.LateSenders));
            _state.Receives = mayReceive && (!_state.Receives || _draws.NextChance(300_000));
            _state.Sends = maySend && _draws.NextChance(_state.Sends ? 900_000 : 500_000);
            said.Add(new RuleAction(RuleVerb.Roles) { Sends = _state.Sends, Receives = _state.Receives });
        }

        if (habits.Features.HasFlag(RuleFeatures.Interests) && _isOff.Length > 0 && _draws.NextChance(80_000))
        {
            int interest = (int)_draws.NextBelow(_isOff.Length);
            _isOff[interest] = !_isOff[interest];
            string channel = self.Subscribe.Concat(self.SubscribeQuietly).ElementAt(interest);
            said.Add(new RuleAction(RuleVerb.Interest) { Channel = channel, IsOn = !_isOff[interest] });
        }

        // Whoever has just given up sending may not stop the run any more.
        if (sent && _state.Sends && _draws.NextChance(habits.StopChance))
        {
            Tag stop = _state.EarliestPublication + Delay.Ticks(_draws.NextBelow(10));
            said.Add(new RuleAction(RuleVerb.Stop) { Tag = stop });
        }
    }

    private AdvanceRequest DrawRequest()
    {
        Tag now = _state.Now;

        // The tag it has already; never twice, so that time goes on.
        if (!_hasStayed && _draws.NextChance(40_000))
        {
            _hasStayed = true;
            return new AdvanceRequest(AdvanceMode.To, now, default);
        }

        _hasStayed = false;
        AdvanceMode mode = _draws.NextChance(habits.ToChance) ? AdvanceMode.To : AdvanceMode.Next;
        Tag target = now.Time + _draws.NextBetween(1, habits.Stride);

        switch (_draws.NextBelow(8))
        {
            case 0:
                return new AdvanceRequest(mode, Tag.EndOf(target.Time), default);
            case 1 when now.Round < BusyRounds:
                return new AdvanceRequest(mode, now with { Round = now.Round + 1 }, default);
            case 2 when _draws.NextChance(50_000):
                return new AdvanceRequest(AdvanceMode.Next, Tag.Infinity, default);
            default:
                return new AdvanceRequest(mode, target, DrawGrid());
        }
    }

    private Grid DrawGrid() => _draws.NextChance(habits.GridChance)
        ? new Grid(_draws.NextBetween(1, 4), _draws.NextBelow(3), _draws.NextBelow(3))
        : default;
}
