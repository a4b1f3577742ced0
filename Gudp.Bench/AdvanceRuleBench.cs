using System.Linq;
using BenchmarkDotNet.Attributes;
using Gudp.Sequencing;
using Gudp.Sequencing.Time;

namespace Gudp.Bench;

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

/// <summary>One pass of the rule over all members: what a server pays for each turn in which something changed.</summary>
[MemoryDiagnoser]
public class AdvanceRuleBench
{
    private readonly BoundTable _table = new();
    private MemberState[] _members = null!;
    private Reach _reach = null!;

    [Params(2, 32, 1024)]
    public int Members { get; set; }

    [Params(RunShape.OneChannel, RunShape.Ring, RunShape.Mesh)]
    public RunShape Shape { get; set; }

    [Params(RunWaits.To, RunWaits.Next)]
    public RunWaits Waits { get; set; }

    [GlobalSetup]
    public void Build()
    {
        _reach = new Reach();
        int channels = Shape == RunShape.OneChannel ? 1 : Members;

        for (int channel = 0; channel < channels; channel++)
        {
            _reach.AddChannel(Delay.Ticks(channel % 3));
        }

        for (int member = 0; member < Members; member++)
        {
            int own = channels == 1 ? 0 : member;
            (int, int, bool)[] heard = [.. Enumerable.Range(0, channels)
                .Where(channel => Hears(member, channel)).Select(channel => (channel, channel, true))];
            _reach.AddMember([own], heard, mayStop: false);
        }

        _members = [.. Enumerable.Range(0, Members).Select(StateOf)];
        Bounds();
    }

    [Benchmark]
    public bool Bounds()
    {
        AdvanceRule.Bounds(_members, _reach, Tag.Top, _table);
        return _table.Floor < Tag.Top;
    }

    private bool Hears(int member, int channel) => Shape switch
    {
        RunShape.OneChannel => true,
        RunShape.Ring => channel == (member + 1) % Members || channel == (member + Members - 1) % Members,
        _ => channel != member,
    };

    private MemberState StateOf(int member) => new()
    {
        Sends = true,
        Receives = true,
        Lookahead = Delay.Of(member % 4, 1),
        Now = member % 7,
        Head = Tag.Top,
        Request = member == 0 ? default : Waits == RunWaits.To
            ? new AdvanceRequest(AdvanceMode.To, 100 + (member % 11), default)
            : new AdvanceRequest(AdvanceMode.Next, 100 + (member % 11), new Grid(5)),
    };
}
