using Gudp.Sequencing;
using Gudp.Sequencing.Channels;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>
/// The places of <see cref="RuleRun"/> where a defect can be planted (<see cref="SeededDefects"/>). As it stands it is
/// the rule itself, and takes everything it can from the production code.
/// </summary>
internal class RuleSeams
{
    /// <summary>Of inboxes; null for the keys' own.</summary>
    internal virtual IComparer<DeliveryKey>? Order => null;

    /// <summary>Whether what a member says is checked when it reaches the server.</summary>
    internal virtual bool Judges => true;

    /// <summary>Whether a request is looked at before what was said ahead of it has come.</summary>
    internal virtual bool RequestsOvertake => false;

    internal virtual void Bounds(ReadOnlySpan<MemberState> members, Reach reach, Tag stop, BoundTable table)
        => AdvanceRule.Bounds(members, reach, stop, table);

    /// <param name="member">Waiting.</param>
    /// <param name="bound">Its B.</param>
    /// <param name="limits">Of the run.</param>
    /// <param name="looks">How often it was looked at since it asked.</param>
    /// <param name="grant">G.</param>
    internal virtual bool IsGrantable(
        in MemberState member, Tag bound, in RunLimits limits, int looks, out Tag grant)
        => AdvanceRule.IsGrantable(in member, bound, in limits, out grant);

    internal virtual void ChangeLookahead(ref MemberState member, Delay lookahead)
    {
        member.Promise = member.EarliestPublication;
        member.Lookahead = lookahead;
    }

    internal virtual PublicationPlan Plan(ChannelModel channel, ulong seed, MessageIdentity message, Tag nominal)
        => new(channel, seed, message, nominal);

    /// <summary>The publisher's number in keys.</summary>
    internal virtual int NumberOf(int member) => member;

    /// <summary>A message came into an inbox.</summary>
    internal virtual void OnReceived(in DeliveryKey key)
    {
    }

    /// <summary>A batch was cut.</summary>
    internal virtual void Arrange(List<(DeliveryKey Key, RuleDelivery Delivery)> batch)
    {
    }
}
