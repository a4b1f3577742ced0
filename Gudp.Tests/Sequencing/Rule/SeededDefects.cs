using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>
/// The nine defects of lock-time section 22, each a rule that looks right until the right schedule comes; and more
/// that were thought of since. Each is planted into <see cref="RuleRun"/> for one schedule.
/// </summary>
internal static class SeededDefects
{
    /// <summary>By name: makes the defective rule for a schedule of so many members.</summary>
    internal static IReadOnlyDictionary<string, Func<ulong, int, RuleSeams>> All { get; } =
        new Dictionary<string, Func<ulong, int, RuleSeams>>
        {
            [">= for >"] = (_, _) => new GrantsAtTheBound(),
            ["tie by arrival"] = (_, _) => new TiesByReceipt(),
            ["draw in arrival order"] = (_, _) => new DrawsInOrder(),
            ["message on its way to the server ignored"] = (_, _) => new IgnoresWhatIsOnItsWay(),
            ["lookahead shrink without promise"] = (_, _) => new ShrinksWithoutPromise(),
            ["batch by receive order"] = (_, _) => new BatchesByReceipt(),
            ["ordinals by connection order"] = (schedule, members) => new OrdinalsByConnection(schedule, members),
            ["forced grant on timeout"] = (_, _) => new GrantsAfterATime(),
            ["non-waking edges ignored in B"] = (_, _) => new HeedsWakingEdgesOnly(),
            ["waking ignored in E"] = (_, _) => new IgnoresWaking(),
            ["links a tick too long"] = (_, _) => new AddsALink(),
        };

    private sealed class GrantsAtTheBound : RuleSeams
    {
        internal override bool IsGrantable(
            in MemberState member, Tag bound, in RunLimits limits, int looks, out Tag grant)
        {
            grant = AdvanceRule.GrantOf(in member, limits.Stop);
            return bound >= grant && grant < limits.Barrier;
        }
    }

    /// <summary>Counts messages as they come in.</summary>
    private abstract class CountsReceipts : RuleSeams, IComparer<DeliveryKey>
    {
        private readonly Dictionary<(int Publisher, long SubSequence, byte Copy), int> _receipts = [];

        public virtual int Compare(DeliveryKey x, DeliveryKey y) => ReceiptOf(x).CompareTo(ReceiptOf(y));

        internal override void OnReceived(in DeliveryKey key)
            => _receipts.TryAdd((key.Publisher, key.SubSequence, key.Copy), _receipts.Count);

        private int ReceiptOf(DeliveryKey key) => _receipts[(key.Publisher, key.SubSequence, key.Copy)];
    }

    private sealed class TiesByReceipt : CountsReceipts
    {
        internal override IComparer<DeliveryKey>? Order => this;

        public override int Compare(DeliveryKey x, DeliveryKey y)
            => x.Arrival != y.Arrival ? x.Arrival.CompareTo(y.Arrival) : base.Compare(x, y);
    }

    private sealed class BatchesByReceipt : CountsReceipts
    {
        internal override void Arrange(List<(DeliveryKey Key, RuleDelivery Delivery)> batch)
            => batch.Sort((left, right) => Compare(left.Key, right.Key));
    }

    /// <summary>The n-th message has the n-th draw, whoever sent it.</summary>
    private sealed class DrawsInOrder : RuleSeams
    {
        private ulong _draws;

        internal override PublicationPlan Plan(ChannelModel channel, ulong seed, MessageIdentity message, Tag nominal)
            => new(channel, seed + ++_draws, default, nominal);
    }

    /// <summary>A member counts as waiting from its request on, though what it said before has not come yet.</summary>
    private sealed class IgnoresWhatIsOnItsWay : RuleSeams
    {
        internal override bool Judges => false;

        internal override bool RequestsOvertake => true;
    }

    private sealed class ShrinksWithoutPromise : RuleSeams
    {
        internal override void ChangeLookahead(ref MemberState member, Delay lookahead)
            => member.Lookahead = lookahead;
    }

    private sealed class OrdinalsByConnection : RuleSeams
    {
        private readonly int[] _numbers;

        internal OrdinalsByConnection(ulong schedule, int members)
        {
            Prng draws = new(schedule);
            _numbers = [.. Enumerable.Range(0, members).OrderBy(_ => draws.NextUInt64())];
        }

        internal override int NumberOf(int member) => _numbers[member];
    }

    private sealed class GrantsAfterATime : RuleSeams
    {
        private const int Patience = 20;

        internal override bool IsGrantable(
            in MemberState member, Tag bound, in RunLimits limits, int looks, out Tag grant)
            => base.IsGrantable(in member, bound, in limits, looks, out grant)
            || (looks >= Patience && grant < limits.Barrier);
    }

    private sealed class HeedsWakingEdgesOnly : RuleSeams
    {
        internal override void Bounds(ReadOnlySpan<MemberState> members, Reach reach, Tag stop, BoundTable table)
        {
            base.Bounds(members, reach, stop, table);

            for (int member = 0; member < members.Length; member++)
            {
                table.Bound[member] = table.StopBound;

                foreach (Heard heard in members[member].Receives ? reach.HeardBy(member) : [])
                {
                    Tag arrival = heard.Wakes
                        ? table.ChannelEarliest[heard.Channel] + reach.LinkOf(heard.Channel)
                        : Tag.Top;
                    table.Bound[member] = Tag.Earlier(table.Bound[member], arrival);
                }
            }
        }
    }

    /// <summary>Whoever waits for the next message is believed to say nothing before its target.</summary>
    private sealed class IgnoresWaking : RuleSeams
    {
        internal override void Bounds(ReadOnlySpan<MemberState> members, Reach reach, Tag stop, BoundTable table)
        {
            MemberState[] deaf = members.ToArray();

            for (int member = 0; member < deaf.Length; member++)
            {
                Tag target = AdvanceRule.GrantOf(in members[member], Tag.Top);
                deaf[member].Request = deaf[member].Request.Mode == AdvanceMode.Next
                    ? new AdvanceRequest(AdvanceMode.To, target, default)
                    : deaf[member].Request;
            }

            base.Bounds(deaf, reach, stop, table);
        }
    }

    /// <summary>Every link is believed to be a tick longer than it is.</summary>
    private sealed class AddsALink : RuleSeams
    {
        internal override bool IsGrantable(
            in MemberState member, Tag bound, in RunLimits limits, int looks, out Tag grant)
            => base.IsGrantable(in member, bound + Delay.Ticks(1), in limits, looks, out grant);
    }
}
