using System;
using System.Text;
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
            : hello.RunId != run.Layout.RunId ? $"Run {hello.RunId:x32} was given; this is another one." : "";

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

        bool isBesideRoster = hello.Join == JoinKind.Earliest || hello.Observes;

        (SequencingError error, detail) = hello switch
        {
            _ when run.Phase == RunPhase.Aborted => (SequencingError.Stopped, "The run was aborted."),

            _ when isBesideRoster && IsSame(hello.ConfigHash, layout) => (SequencingError.None, ""),

            _ when member is null && !isBesideRoster => (SequencingError.NotDeclared, $"\"{hello.Name}\" is not in the roster."),

            _ when (hello.Flags & ~RoleBits.Known) != 0 => (
                SequencingError.NotDeclared, $"Flags {hello.Flags} were given; this server knows {RoleBits.Known}."),

            _ when !IsSame(hello.ConfigHash, layout) => (SequencingError.ConfigMismatch,
                $"The member's configuration is {hello.ConfigHash:x16}, the server's is {layout.ConfigHash:x16}."),

            _ when Differences(hello, member!.Layout) is { Length: > 0 } differences => (SequencingError.ConfigMismatch,
                $"\"{hello.Name}\" differs from its declaration: {differences}"),

            _ when member.Life is MemberLife.Absent or MemberLife.Resigned && member.IsTooLate(run.Limits.Stop) => (SequencingError.Stopped,
                $"The run stops at {run.Limits.Stop}, before \"{hello.Name}\" joins at {member.Layout.Join}."),

            _ => (SequencingError.None, ""),
        };

        return error;
    }

    private static bool IsSame(ulong hash, RunLayout layout) => hash == 0 || hash == layout.ConfigHash;

    /// <summary>All that differs, in one sentence each; empty if nothing does. Short enough for a reject.</summary>
    private static string Differences(HelloFrame hello, MemberLayout member)
    {
        StringBuilder all = new();
        JoinKind join = member.Join > Tag.Zero ? JoinKind.At : JoinKind.Start;

        if (hello.Flags != member.RoleBits)
        {
            all.Append($"roles {hello.Flags} were given, {member.RoleBits} are declared; ");
        }

        if (hello.Lookahead != member.Lookahead)
        {
            all.Append($"look-ahead {hello.Lookahead} was given, {member.Lookahead} is declared; ");
        }

        if (hello.Join != join || hello.JoinTag != member.Join)
        {
            all.Append($"join {hello.JoinTag} was given, {member.Join} is declared; ");
        }

        if (FirstOther(hello, member) is string channel)
        {
            all.Append(
                $"{hello.Interests.Length} channels were given, {member.Interests.Length} are declared, and the first that "
                + $"differs is \"{channel}\"; ");
        }

        return all.ToString().TrimEnd(' ', ';');
    }

    private static string? FirstOther(HelloFrame hello, MemberLayout member)
    {
        int both = Math.Min(hello.Interests.Length, member.Interests.Length);

        for (int i = 0; i < both; i++)
        {
            DeclaredInterest given = hello.Interests[i];
            Interest declared = member.Interests[i];

            if (given.Name != declared.Name || given.Bits != declared.Bits || given.Policy != declared.Policy)
            {
                return given.Name;
            }
        }

        return hello.Interests.Length > both ? hello.Interests[both].Name
            : member.Interests.Length > both ? member.Interests[both].Name
            : null;
    }
}
