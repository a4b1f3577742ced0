// What every member must have been granted and given, from all that all members said in the whole run: known only when
// it is over, and without any bound, inbox, heap or log. With all messages at hand a grant is its definition:
//
//   To(T)     q(T)
//   Next(T)   q(min(T, the first waking arrival after the last grant))
//
// cut to the stop, with everything that arrives after the last grant and not after this one, once.

using Gudp.Sequencing;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Log;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;

namespace Gudp.Tests.Sequencing.Rule;

internal sealed class RuleOracle
{
    private readonly RunState _run;
    private readonly IComparer<DeliveryKey> _order;
    private readonly List<(DeliveryKey Key, int Channel, byte[] Payload)> _nominal = [];
    private readonly List<(Tag Tag, int Publisher, byte[] Payload)> _snapshots = [];

    private RuleOracle(RunState run, IReadOnlyList<RuleSeat> seats)
    {
        _run = run;
        _order = TieOrder.Of(run.Layout.TieSeed) ?? (IComparer<DeliveryKey>)Comparer<DeliveryKey>.Default;

        foreach (RuleSeat seat in seats.Where(seat => seat.Engine is not null && !seat.Options.Observes))
        {
            Collect(seat);
        }

        _nominal.Sort((left, right) => _order.Compare(left.Key, right.Key));
        CompareWithLog();
    }

    /// <exception cref="RuleBrokenException">Somebody was granted or given something else.</exception>
    internal static void Require(RunState run, IReadOnlyList<RuleSeat> seats)
    {
        RuleOracle oracle = new(run, seats);

        foreach (RuleSeat seat in seats.Where(seat => seat.Engine is not null))
        {
            new Reader(oracle, seat).Read();
        }
    }

    private void Collect(RuleSeat seat)
    {
        Member member = _run.Members[seat.Engine!.Ordinal];
        long number = 0;

        foreach (RuleStep step in seat.Steps)
        {
            foreach (RuleAction action in step.Said)
            {
                // A fragile one makes one commit at each sequence point.
                bool isApplied = !seat.IsFragile || seat.Steps.IndexOf(step) < (int)member.Step;

                if (action.Verb == RuleVerb.Snapshot && isApplied)
                {
                    _snapshots.Add((step.Grant.Tag, member.Ordinal, action.Payload.ToArray()));
                }

                // Of one that was taken out only what it could say.
                number += action.Verb is RuleVerb.Publish or RuleVerb.Admit ? 1 : 0;

                if (action.Verb == RuleVerb.Publish && number <= member.SubSequence)
                {
                    Publish(member, step.Grant.Tag, number, in action);
                }
            }
        }
    }

    private void Publish(Member member, Tag sent, long number, in RuleAction action)
    {
        RuleBrokenException.Require(_run.Channels.TryFind(action.Channel, out int channel), "Channels are known.");
        PublicationPlan plan = _run.Channels[channel].Model.Plan(
            _run.Layout.Seed, member.Digest.NameHash, number, action.Tag!.Value);

        if (!plan.IsLost)
        {
            _nominal.Add((
                new DeliveryKey(plan.Nominal, sent, member.Ordinal, number, 0), channel, action.Payload.ToArray()));
        }
    }

    // News and admissions are the server's words: they are taken from its log. All else must stand in it, in order.
    private void CompareWithLog()
    {
        List<(DeliveryKey Key, int Channel, byte[] Payload)> all = [];
        int next = 0;

        for (long number = 1; _run.Log.TryReadNext(number, out SealedMessage message); number = message.Number + 1)
        {
            DeliveryKey key = message.Key;
            int channel = message.Letter.Channel;
            RuleBrokenException.Require(message.Number == number, "Numbers are dense.");
            RuleBrokenException.Require(
                channel == _run.Members.Reach.System || (next < _nominal.Count && _nominal[next++].Key == key),
                $"{key} was published, and is number {number}.");
            all.Add((key, channel, message.Letter.Payload.ToArray()));
        }

        RuleBrokenException.Require(next == _nominal.Count, "The log has all that was published.");
        _nominal.Clear();
        _nominal.AddRange(all);
    }

    private sealed class Reader
    {
        private readonly RuleOracle _oracle;
        private readonly RuleSeat _seat;
        private readonly Dictionary<int, (Interest Interest, bool IsOn)> _interests = [];
        private readonly List<(DeliveryKey Key, int Channel, byte[] Payload)> _arrivals = [];
        private readonly Dictionary<(int, long), long> _numbers = [];
        private bool _receives;
        private Tag _now;
        private AdvanceRequest _request;

        internal Reader(RuleOracle oracle, RuleSeat seat)
        {
            _oracle = oracle;
            _seat = seat;
            RunState run = oracle._run;
            _receives = seat.Options.Receives;

            foreach (DeclaredInterest interest in RunLayout.InterestsOf(seat.Options))
            {
                if (interest.Bits.HasFlag(InterestBits.Subscribe) && run.Channels.TryFind(interest.Name, out int channel))
                {
                    _interests[channel] = (new Interest(channel, interest.Name, interest.Bits) { Policy = interest.Policy }, true);
                }
            }

            ulong name = Digest.ChannelKey(seat.Name);
            long number = 0;

            foreach ((DeliveryKey key, int channel, byte[] payload) in oracle._nominal)
            {
                _numbers[(key.Publisher, key.SubSequence)] = ++number;

                if (_interests.ContainsKey(channel))
                {
                    Take(key, channel, payload, name);
                }
            }

            _arrivals.Sort((left, right) => oracle._order.Compare(left.Key, right.Key));
        }

        internal void Read()
        {
            foreach (RuleStep step in _seat.Steps)
            {
                Tag tag = step == _seat.Steps[0]
                    ? Tag.Earlier(_seat.Options.Join, _oracle._run.Limits.Stop)
                    : Expected();
                Require(step.Grant.Tag == tag, $"is granted {step.Grant.Tag}, not {tag}");
                Require(
                    step.Grant.IsFinal == (tag.IsInfinite || tag == _oracle._run.Limits.Stop), $"{tag} is final or not");
                Compare(step.Grant, step == _seat.Steps[0] ? Past(step.Grant) : Between(_now, tag));
                _now = tag;
                Hear(step);
            }
        }

        private void Take(in DeliveryKey nominal, int channel, byte[] payload, ulong name)
        {
            RunState run = _oracle._run;
            ReceiverPlan plan = _seat.Options.Observes
                ? new ReceiverPlan(true, nominal.Arrival, false, default)
                : run.Channels[channel].Model.PlanNominal(
                    run.Layout.Seed, run.Members[nominal.Publisher].Digest.NameHash, nominal.SubSequence,
                    nominal.Arrival).For(name);

            if (plan.Arrives)
            {
                _arrivals.Add((nominal with { Arrival = plan.Arrival }, channel, payload));
            }

            if (plan.IsDoubled)
            {
                _arrivals.Add((nominal with { Arrival = plan.DoubleArrival, Copy = 1 }, channel, payload));
            }
        }

        private Tag Expected()
        {
            Tag target = _request.Target;

            foreach ((DeliveryKey key, int channel, _) in _request.Mode == AdvanceMode.Next && _receives ? _arrivals : [])
            {
                (Interest interest, bool isOn) = _interests[channel];

                if (key.Arrival > _now && isOn && interest.Bits.HasFlag(InterestBits.Wake))
                {
                    target = Tag.Earlier(target, key.Arrival);
                    break;
                }
            }

            return Tag.Earlier(_request.Grid.Next(target, _now), _oracle._run.Limits.Stop);
        }

        private List<(DeliveryKey Key, int Channel, byte[] Payload)> Between(Tag after, Tag until)
            => _receives
                ? _arrivals.FindAll(m => m.Key.Arrival > after && m.Key.Arrival <= until && _interests[m.Channel].IsOn)
                : [];

        private List<(DeliveryKey Key, int Channel, byte[] Payload)> Past(Grant grant)
        {
            Tag join = grant.Tag;
            HistoryStart from = _seat.Options.History;
            List<(DeliveryKey Key, int Channel, byte[] Payload)> past =
                _arrivals.FindAll(message => message.Key.Arrival <= join);

            if (!_receives || (join == Tag.Zero && !_seat.Options.Observes))
            {
                return [];
            }

            switch (from.Kind)
            {
                case HistoryKind.Last:
                    return past.FindAll(message => past.FindAll(m => m.Channel == message.Channel)
                        .TakeLast(from.Count).Contains(message));
                case HistoryKind.Tag:
                    return past.FindAll(message => message.Key.Arrival >= from.Tag);
                case HistoryKind.Number:
                    return past.FindAll(m => _numbers[(m.Key.Publisher, m.Key.SubSequence)] >= from.Number);
                case HistoryKind.Snapshot:
                    var latest = _oracle._snapshots.Where(state => state.Tag < join).OrderBy(state => state.Tag)
                        .ThenBy(state => state.Publisher).LastOrDefault((new Tag(long.MinValue, 0), 0, []));
                    Require(
                        (grant.Snapshot?.Payload.ToArray() ?? []).AsSpan().SequenceEqual(latest.Item3),
                        $"starts from the state of {latest.Item1}, not {grant.Snapshot?.Tag}");
                    return past.FindAll(message => message.Key.Arrival > latest.Item1);
                default:
                    return [];
            }
        }

        private void Compare(Grant grant, List<(DeliveryKey Key, int Channel, byte[] Payload)> batch)
        {
            foreach ((Interest interest, _) in _interests.Values)
            {
                while (batch.Count(message => message.Channel == interest.Channel) > interest.Policy.Count)
                {
                    batch.RemoveAt(interest.Policy.IsNewest
                        ? batch.FindIndex(message => message.Channel == interest.Channel)
                        : batch.FindLastIndex(message => message.Channel == interest.Channel));
                }
            }

            Require(
                grant.Messages.Count == batch.Count,
                $"gets {grant.Messages.Count} messages at {grant.Tag}, not {batch.Count}");

            for (int i = 0; i < batch.Count; i++)
            {
                SequencedMessage given = grant.Messages[i];
                DeliveryKey key = new(
                    given.Arrival, given.SendTag, given.SenderOrdinal, given.SubSequence, given.Copy);
                Require(
                    key == batch[i].Key && given.Payload.Span.SequenceEqual(batch[i].Payload)
                    && given.Sender == _oracle._run.Members[key.Publisher].Name,
                    $"gets {key} at {grant.Tag}, not {batch[i].Key}");
            }
        }

        private void Hear(RuleStep step)
        {
            foreach (RuleAction action in step.Said)
            {
                switch (action.Verb)
                {
                    case RuleVerb.Roles:
                        _receives = action.Receives;
                        break;
                    case RuleVerb.Interest:
                        _oracle._run.Channels.TryFind(action.Channel, out int channel);
                        _interests[channel] = (_interests[channel].Interest, action.IsOn);
                        break;
                    case RuleVerb.Request:
                        _request = action.Request;
                        break;
                    default:
                        break;
                }
            }
        }

        private void Require(bool holds, string what) => RuleBrokenException.Require(holds, $"{_seat.Key} {what}.");
    }
}
