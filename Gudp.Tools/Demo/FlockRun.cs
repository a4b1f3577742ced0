using System.Globalization;
using Gudp.Sequencing;

namespace Gudp.Tools.Demo;

/// <summary>What server and members of a flock must agree on before they meet.</summary>
internal static class FlockRun
{
    /// <summary>
    /// A member publishes its step one tick ahead: with that promise nobody waits for a member that waits itself.
    /// </summary>
    internal static Delay Lookahead { get; } = Delay.Ticks(1);

    /// <summary>Names sort as numbers do, so that a member's ordinal is its number.</summary>
    internal static string NameOf(int member) => string.Create(CultureInfo.InvariantCulture, $"m{member:D2}");

    /// <summary>One channel per member: it publishes its share there, and all others read it.</summary>
    internal static string ChannelOf(int member) => $"flock/{NameOf(member)}";

    internal static SequencingConfig Config(int members) => new()
    {
        Roster = [.. Enumerable.Range(0, members).Select(member => Declaration(member, members))],
    };

    private static MemberDeclaration Declaration(int member, int members) => new(NameOf(member))
    {
        Lookahead = Lookahead,
        Publish = [ChannelOf(member)],
        Subscribe = [.. Enumerable.Range(0, members).Where(other => other != member).Select(ChannelOf)],
        CrashPolicy = CrashPolicy.Abort,
    };
}
