using System;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Wire;

namespace Gudp.Sequencing.Engine;

/// <summary>Judges a hello against the run's layout (lock-time 8.1, clause Q-2).</summary>
internal static class HelloCheck
{
    internal static SequencingError Check(HelloFrame hello, RunState run, out string detail)
    {
        RunLayout layout = run.Layout;
        Member? member = run.Members.Find(hello.Name);

        (SequencingError error, detail) = hello switch
        {
            _ when hello.Version != RunLayout.ProtocolVersion => (SequencingError.ConfigMismatch,
                $"Version {hello.Version} was given; this server speaks {RunLayout.ProtocolVersion}."),

            _ when hello.RunId != layout.RunId => (SequencingError.ConfigMismatch, "This is another run."),

            _ when member is null => (SequencingError.NotDeclared, $"\"{hello.Name}\" is not in the roster."),

            _ when !hello.IsPlainJoin || hello.TokenBytes > 0 || (hello.Flags & ~RoleBits.Known) != 0 => (
                SequencingError.NotDeclared, "Joins other than at the start are not offered by this server."),

            _ when hello.ConfigHash != 0 && hello.ConfigHash != layout.ConfigHash => (SequencingError.ConfigMismatch,
                $"The member's configuration is {hello.ConfigHash:x16}, the server's is {layout.ConfigHash:x16}."),

            _ when !IsAsDeclared(hello, member.Layout) => (SequencingError.ConfigMismatch,
                $"Roles, look-ahead or channels of \"{hello.Name}\" differ from the server's roster."),

            _ => (SequencingError.None, ""),
        };

        return error;
    }

    private static bool IsAsDeclared(HelloFrame hello, MemberLayout member)
    {
        bool isSame = hello.Flags == member.RoleBits
            && hello.Lookahead == member.Lookahead
            && hello.Interests.Length == member.Interests.Length;

        for (int i = 0; isSame && i < member.Interests.Length; i++)
        {
            isSame = hello.Interests[i].Name == member.Interests[i].Name
                && hello.Interests[i].Bits == member.Interests[i].Bits;
        }

        return isSame;
    }
}
