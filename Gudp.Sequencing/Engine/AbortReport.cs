using System.Text;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;

namespace Gudp.Sequencing.Engine;

/// <summary>What is left of a run that was aborted: who was lost, how far everybody was, who waited for whom.</summary>
internal static class AbortReport
{
    internal static string Of(RunState run, Member lost)
    {
        StringBuilder report = new();
        report.Append($"The run was aborted because \"{lost.Name}\" was lost at {run.Members.StateOf(lost).Now}.\n");

        foreach (Member member in run.Members.All)
        {
            MemberState state = run.Members.StateOf(member);
            report.Append($"{member.Ordinal} \"{member.Name}\" {run.Members.Report(member.Ordinal)} at {state.Now}, ");
            report.Append($"step {member.Step}, {member.Digest.Grants} grants, digest {member.Digest.Value:x16}");

            if (state.IsWaiting)
            {
                report.Append($", waits for {state.Request.Mode} {state.Request.Target}");
            }

            if (member.Waits.Root is { Kind: not WaitKind.None } root)
            {
                report.Append($" because of \"{run.Members[root.Member].Name}\" ({root.Kind})");
            }

            report.Append('\n');
        }

        foreach (ExternalFact fact in run.ExternalFacts)
        {
            report.Append($"{fact.Kind} \"{fact.Member}\" {fact.Tag}\n");
        }

        return report.ToString();
    }
}
