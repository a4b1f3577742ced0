using System;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

/// <summary>Judges a hello against the run's layout (lock-time 8.1, clause Q-2).</summary>
internal static class HelloCheck
{
    /// <summary>Whether it is meant for this run at all.</summary>
    internal static SequencingError CheckRun(HelloFrame hello, RunState run, out string detail)
    {
        detail = hello.Version != RunLayout.ProtocolVersion
            ? $"Version {hello.Version} was given; this server speaks {RunLayout.ProtocolVersion}."
            : hello.RunId != run.Layout.RunId ? "This is another run." : "";

        return detail.Length > 0 ? SequencingError.ConfigMismatch : SequencingError.None;
    }

    /// <summary>Whether somebody who comes for the first time is whom the run waits for.</summary>
    internal static SequencingError Check(HelloFrame hello, RunState run, out string detail)
    {
        RunLayout layout = run.Layout;
        Member? member = run.Members.Find(hello.Name);

        if (CheckRun(hello, run, out detail) is var foreign and not SequencingError.None)
        {
            return foreign;
        }

        (SequencingError error, detail) = hello switch
        {
            _ when hello.Join == JoinKind.Earliest && !hello.Observes
                && (hello.ConfigHash == 0 || hello.ConfigHash == layout.ConfigHash) => (SequencingError.None, ""),

            _ when member is null => (SequencingError.NotDeclared, $"\"{hello.Name}\" is not in the roster."),

            _ when (hello.Flags & ~RoleBits.Known) != 0 => (
                SequencingError.NotDeclared, "Joins other than at the start are not offered by this server."),

            _ when hello.ConfigHash != 0 && hello.ConfigHash != layout.ConfigHash => (SequencingError.ConfigMismatch,
                $"The member's configuration is {hello.ConfigHash:x16}, the server's is {layout.ConfigHash:x16}."),

            _ when !IsAsDeclared(hello, member.Layout) => (SequencingError.ConfigMismatch,
                $"Roles, look-ahead or channels of \"{hello.Name}\" differ from the server's roster."),

            _ when member.Life == MemberLife.Absent && member.Layout.Join >= run.Limits.Stop => (SequencingError.Stopped,
                $"The run stops at {run.Limits.Stop}, before \"{hello.Name}\" joins at {member.Layout.Join}."),

            _ => (SequencingError.None, ""),
        };

        return error;
    }

    private static bool IsAsDeclared(HelloFrame hello, MemberLayout member)
    {
        bool isSame = hello.Flags == member.RoleBits
            && hello.Lookahead == member.Lookahead
            && hello.JoinTag == member.Join
            && hello.Join == (member.Join > Tag.Zero ? JoinKind.At : JoinKind.Start)
            && hello.Interests.Length == member.Interests.Length;

        for (int i = 0; isSame && i < member.Interests.Length; i++)
        {
            isSame = hello.Interests[i].Name == member.Interests[i].Name
                && hello.Interests[i].Bits == member.Interests[i].Bits
                && hello.Interests[i].Policy == member.Interests[i].Policy;
        }

        return isSame;
    }
}
