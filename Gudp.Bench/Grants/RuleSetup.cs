using Gudp.Sequencing;
using Gudp.Sequencing.Time;

namespace Gudp.Bench.Grants;

/// <summary>Who hears whom.</summary>
public enum RunShape
{
    /// <summary>All publish to one channel and hear it.</summary>
    OneChannel,

    /// <summary>Each has a channel of its own, which its two neighbours hear.</summary>
    Ring,

    /// <summary>Each has a channel of its own, which all others hear.</summary>
    Mesh,
}

/// <summary>What the members wait for.</summary>
public enum RunWaits
{
    /// <summary>All but one for a tag.</summary>
    To,

    /// <summary>All but one for the next message, on a grid.</summary>
    Next,
}

/// <summary>Members of whom all but one wait, to pass the rule over.</summary>
internal sealed class RuleSetup
{
    private readonly BoundTable _table = new();
    private readonly MemberState[] _members;
    private readonly Reach _reach = new();
    private readonly RunShape _shape;

    internal RuleSetup(RunShape shape, RunWaits waits, int members)
    {
        _shape = shape;
        int channels = shape == RunShape.OneChannel ? 1 : members;

        for (int channel = 0; channel < channels; channel++)
        {
            _reach.AddChannel(Delay.Ticks(channel % 3));
        }

        for (int member = 0; member < members; member++)
        {
            int own = channels == 1 ? 0 : member;
            (int, int, bool)[] heard = [.. Enumerable.Range(0, channels)
                .Where(channel => Hears(member, channel, members)).Select(channel => (channel, channel, true))];
            _reach.AddMember([own], heard, mayStop: false);
        }

        _members = [.. Enumerable.Range(0, members).Select(member => StateOf(member, waits))];
        Bounds();
    }

    /// <summary>One pass.</summary>
    internal bool Bounds()
    {
        AdvanceRule.Bounds(_members, _reach, Tag.Top, _table);
        return _table.Floor < Tag.Top;
    }

    private static MemberState StateOf(int member, RunWaits waits) => new()
    {
        Sends = true,
        Receives = true,
        Lookahead = Delay.Of(member % 4, 1),
        Now = member % 7,
        Head = Tag.Top,
        Request = member == 0 ? default : waits == RunWaits.To
            ? new AdvanceRequest(AdvanceMode.To, 100 + (member % 11), default)
            : new AdvanceRequest(AdvanceMode.Next, 100 + (member % 11), new Grid(5)),
    };

    private bool Hears(int member, int channel, int members) => _shape switch
    {
        RunShape.OneChannel => true,
        RunShape.Ring => channel == (member + 1) % members || channel == (member + members - 1) % members,
        _ => channel != member,
    };
}
