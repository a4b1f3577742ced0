using System.Globalization;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Tools.Network;

namespace Gudp.Tools.Demo;

/// <summary>What server and members of a flock must agree on before they meet.</summary>
internal static class FlockRun
{
    // Long enough that a busy machine is not taken for a dead process.
    private const int HeartbeatsPerNotice = 6;
    private static readonly TimeSpan KillNotice = TimeSpan.FromSeconds(3);

    /// <summary>
    /// A member publishes its step one tick ahead: with that promise nobody waits for a member that waits itself.
    /// </summary>
    internal static Delay Lookahead { get; } = Delay.Ticks(1);

    /// <summary>Names sort as numbers do, so that a member's ordinal is its number.</summary>
    internal static string NameOf(int member) => string.Create(CultureInfo.InvariantCulture, $"m{member:D2}");

    /// <summary>One channel per member: it publishes its share there, and all others read it.</summary>
    internal static string ChannelOf(int member) => $"flock/{NameOf(member)}";

    /// <param name="members">Size of the roster.</param>
    /// <param name="expendable">
    /// In a run in which processes are killed, the member it goes on without; all others are waited for. Null: whoever is
    /// lost ends the run.
    /// </param>
    internal static SequencingConfig Config(int members, int? expendable = null) => new()
    {
        Roster = [.. Enumerable.Range(0, members).Select(member => Declaration(member, members, expendable))],
    };

    /// <summary>How the flock's messages travel.</summary>
    /// <param name="expendable">As for <see cref="Config"/>: where processes are killed, that is noticed soon.</param>
    internal static MessagingConfig Messaging(int? expendable)
    {
        MessagingConfig config = ToolConfig.Lockstep;

        return expendable is null ? config : config with
        {
            Core = config.Core with
            {
                Connections = config.Core.Connections with
                {
                    IdleTimeout = KillNotice,
                    UnfinishedTimeout = KillNotice,
                    HeartbeatStart = KillNotice / HeartbeatsPerNotice,
                    HeartbeatInterval = KillNotice / HeartbeatsPerNotice,
                },
            },
        };
    }

    private static MemberDeclaration Declaration(int member, int members, int? expendable) => new(NameOf(member))
    {
        Lookahead = Lookahead,
        Publish = [ChannelOf(member)],
        Subscribe = [.. Enumerable.Range(0, members).Where(other => other != member).Select(ChannelOf)],
        SubscribeQuietly = expendable is null ? [] : [SystemEvent.Channel],
        CrashPolicy = expendable is null ? CrashPolicy.Abort
            : expendable == member ? CrashPolicy.Resign
            : CrashPolicy.Stall,
    };
}
