using System.Text;
using Gudp.Sequencing;
using Gudp.Sequencing.Time;

namespace Gudp.Tests.Sequencing.Rule;

/// <summary>Executes rows on the bare rule: what they say of tags and batches, and nothing of frames.</summary>
internal sealed class RuleScenario : IScenarioRun
{
    private readonly RuleRun _run;

    internal RuleScenario(SequencingConfig config)
    {
        _run = new RuleRun(config) { ComparesBounds = true };

        foreach (Queue<RuleGrant> granted in _run.Granted)
        {
            granted.Dequeue();
        }
    }

    public bool HasEnded => _run.HasEnded;

    public string Act(string[] words)
    {
        SequencingError error = SequencingError.None;

        switch (words[1])
        {
            case "withdraws":
                _run.Withdraw(_run.OrdinalOf(words[2]));
                break;
            case "barrier":
                Tag barrier = words[2] == "off" ? Tag.Top : Scenario.ParseTag(words[2]);
                _run.Limits = _run.Limits with { Barrier = barrier };
                break;
            case "flushes":
                break;
            default:
                int member = _run.OrdinalOf(words[0]);
                error = _run.Apply(member, Parse(words), _run.NowOf(member));
                break;
        }

        _run.Evaluate();
        return error == SequencingError.None ? "" : $"!{error}";
    }

    public void Collect(List<string> outcomes)
    {
        for (int member = 0; member < _run.Count; member++)
        {
            while (_run.Granted[member].TryDequeue(out RuleGrant? grant))
            {
                string batch = string.Join(' ', grant.Batch.Select(
                    message => $"{Encoding.UTF8.GetString(message.Payload.Span)}@{message.Arrival}"));
                outcomes.Add($"{_run.NameOf(member)} {Scenario.Describe(grant.Tag, grant.IsFinal, batch)}");
            }
        }
    }

    private static RuleAction Parse(string[] words)
    {
        Tag? tag = words.Length > 2 && words[1] is "promises" or "stops" ? Scenario.ParseTag(words[2]) : null;

        return words[1] switch
        {
            "To" or "Next" or "EndOf" => new RuleAction(RuleVerb.Request) { Request = ParseRequest(words) },
            "sends" => new RuleAction(RuleVerb.Publish)
            {
                Channel = $"from/{words[0]}",
                Payload = Encoding.UTF8.GetBytes(words[2]),
                Tag = words.Length > 4 ? Scenario.ParseTag(words[4]) : null,
            },
            "promises" => new RuleAction(RuleVerb.Promise) { Tag = tag },
            "stops" => new RuleAction(RuleVerb.Stop) { Tag = tag },
            "lookahead" => new RuleAction(RuleVerb.Lookahead)
            {
                Lookahead = Delay.Ticks(Scenario.ParseTag(words[2]).Time),
            },
            "roles" => new RuleAction(RuleVerb.Roles)
            {
                Sends = words[2].Contains('S'),
                Receives = words[2].Contains('R'),
            },
            "resigns" => new RuleAction(RuleVerb.Resign),
            _ => throw new ArgumentException($"No such action: {words[1]}"),
        };
    }

    private static AdvanceRequest ParseRequest(string[] words)
    {
        Tag target = Scenario.ParseTag(words[2]);
        Grid grid = words.Length > 4 ? Scenario.ParseGrid(words[4]) : default;

        return words[1] switch
        {
            "To" => new AdvanceRequest(AdvanceMode.To, target, grid),
            "Next" => new AdvanceRequest(AdvanceMode.Next, target, grid),
            _ => new AdvanceRequest(AdvanceMode.To, Tag.EndOf(target.Time), grid),
        };
    }
}
