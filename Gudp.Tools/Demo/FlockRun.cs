using System.Globalization;
using Gudp.Sequencing;

namespace Gudp.Tools.Demo;

/// <summary>What server and members of a flock must agree on before they meet.</summary>
internal static class FlockRun
{
    /// <summary>The one channel: every member publishes its share there and reads the others'.</summary>
    internal const string Channel = "flock";

    /// <summary>
    /// A member publishes its step one tick ahead: with that promise no member waits for another that is itself waiting.
    /// </summary>
    internal static Delay Lookahead { get; } = Delay.Ticks(1);

    /// <summary>Names sort as numbers do, so that a member's ordinal is its number.</summary>
    internal static string NameOf(int member) => string.Create(CultureInfo.InvariantCulture, $"member-{member:D2}");

    internal static SequencingConfig Config(int members) => new()
    {
        Roster = [.. Enumerable.Range(0, members).Select(Declaration)],
    };

    private static MemberDeclaration Declaration(int member) => new(NameOf(member))
    {
        Lookahead = Lookahead,
        Publish = [Channel],
        Subscribe = [Channel],
        CrashPolicy = CrashPolicy.Abort,
    };
}
