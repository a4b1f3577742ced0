using System.Text;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing;

/// <summary>Everything a server knows of its run, as text: equal before and after what must have changed nothing.</summary>
internal static class RunDump
{
    internal static string Of(ServerEngine server)
    {
        RunState run = server.Run;
        StringBuilder dump = new();
        dump.AppendLine($"{run.Phase} {run.Limits.Stop} {run.Limits.Barrier} {run.Published} {run.LatestArrival}");
        dump.AppendLine($"{run.RunDigest} {run.HasChanged} {run.HasLateSender} {string.Join(';', run.ExternalFacts)}");

        foreach (Member member in run.Members.All)
        {
            MemberState state = run.Members.StateOf(member);
            dump.Append($"{member.Name} {member.Life} {member.Link} {member.Session} {member.Step} {member.SubSequence} ");
            dump.Append($"S{state.Sends} R{state.Receives} L{state.Lookahead} N{state.Now} F{state.Promise} ");
            dump.Append($"{state.Request.Mode} {state.Request.Target} {state.Request.Grid.Period} H{state.Head} ");
            dump.Append($"D{member.Digest.Value:x} {member.Digest.Grants} C{member.CommitDigest.Value:x} ");
            dump.Append($"K{member.Checksums.Value:x} Q{member.Inbox.Count} {member.Inbox.Bytes} {member.DeafUntil} ");
            dump.AppendLine(string.Join(',', member.Subscriptions.Wakes.ToArray()));
        }

        return dump.ToString();
    }
}
