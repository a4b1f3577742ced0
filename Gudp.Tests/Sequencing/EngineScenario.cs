using System.Text;
using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>Executes rows on the engines; after each action everything that can move has moved.</summary>
internal sealed class EngineScenario : IScenarioRun
{
    private readonly SingleProcessRun _run;

    internal EngineScenario(SequencingConfig config)
    {
        _run = new SingleProcessRun(config);
        _run.Settle();

        foreach (MemberEngine member in _run.Members)
        {
            Assert.That(member.TryTakeGrant(out Grant start) && start.Tag == Tag.Zero, $"{member.Name} starts");
        }
    }

    public bool HasEnded => _run.Server.Phase == RunPhase.Ended;

    public string Act(string[] words)
    {
        string outcome = ActOrSay(words);
        _run.Settle();
        return outcome;
    }

    public void Collect(List<string> outcomes)
    {
        foreach (var member in _run.Members)
        {
            Assert.That(member.Error, Is.EqualTo(SequencingError.None), member.ErrorDetail);

            if (member.TryTakeGrant(out Grant grant))
            {
                string batch = Describe(grant.Messages);
                outcomes.Add($"{member.Name} {Scenario.Describe(grant.Tag, grant.IsFinal, batch)}");
            }
        }
    }

    /// <summary>What is no plain call of one member: its outcome is a text of its own.</summary>
    private string ActOrSay(string[] words)
    {
        switch (words[1])
        {
            case "withdraws":
                Assert.That(_run.WithdrawReceiver(words[2]));
                return "";
            case "echoes":
                return Echo(_run[words[0]], _run[words[2]]);
            case "peeks":
                (Tag, ulong) before = (_run[words[0]].Now, _run[words[0]].Digest);
                Assert.That(_run[words[0]].Peek(), Is.EqualTo(SequencingError.None));
                _run.Settle();
                Assert.That((_run[words[0]].Now, _run[words[0]].Digest), Is.EqualTo(before));
                return $"{words[0]} sees [{Describe(_run[words[0]].Peeked!)}]";
            case "To" or "Next" when words.Length > 4 && words[4] == "0":
                // A grid without a period cannot even be made.
                Assert.That(() => Scenario.ParseGrid(words[4]), Throws.TypeOf<ArgumentOutOfRangeException>());
                return "!no such grid";
            default:
                SequencingError error = Say(_run[words[0]], words);
                return error == SequencingError.None ? "" : $"!{error}";
        }
    }

    /// <summary>Two members answer each other within one time until the server has enough.</summary>
    private string Echo(MemberEngine first, MemberEngine second)
    {
        first.Publish($"from/{first.Name}", "ball"u8, null);
        first.Request(AdvanceMode.Next, 100);
        second.Request(AdvanceMode.Next, 100);

        for (int turn = 0; turn < 1_000; turn++)
        {
            _run.Settle();

            foreach (MemberEngine member in (MemberEngine[])[first, second])
            {
                if (member.Error != SequencingError.None)
                {
                    int loopAt = member.ErrorDetail.IndexOf("on and on", StringComparison.Ordinal);
                    string loop = member.ErrorDetail[loopAt..];
                    _run.Members.Remove(member);
                    return $"!{member.Error} {loop.Replace(',', ';')}";
                }

                if (member.TryTakeGrant(out _))
                {
                    member.Publish($"from/{member.Name}", "ball"u8, null);
                    member.Request(AdvanceMode.Next, 100);
                }
            }
        }

        return "no end";
    }

    private static string Describe(IReadOnlyList<SequencedMessage> messages)
        => string.Join(' ', messages.Select(m => $"{Encoding.UTF8.GetString(m.Payload.Span)}@{m.Arrival}"));

    private static SequencingError Say(MemberEngine member, string[] words)
    {
        Grid grid = words.Length > 4 && words[3] == "grid" ? Scenario.ParseGrid(words[4]) : default;

        return words[1] switch
        {
            "To" => member.Request(AdvanceMode.To, Scenario.ParseTag(words[2]), grid),
            "Next" => member.Request(AdvanceMode.Next, Scenario.ParseTag(words[2]), grid),
            "EndOf" => member.Request(AdvanceMode.To, Tag.EndOf(Scenario.ParseTag(words[2]).Time), grid),
            "sends" => member.Publish(
                $"from/{words[0]}", Encoding.UTF8.GetBytes(words[2]), words.Length > 4 ? Scenario.ParseTag(words[4]) : null),
            "promises" => member.Promise(Scenario.ParseTag(words[2])),
            "lookahead" => member.SetLookahead(Delay.Ticks(Scenario.ParseTag(words[2]).Time)),
            "flushes" => member.Flush(),
            "roles" => member.SetRoles(words[2].Contains('S'), words[2].Contains('R')),
            "stops" => member.StopAt(Scenario.ParseTag(words[2])),
            "resigns" => member.Resign(),
            _ => throw new ArgumentException($"No such action: {words[1]}"),
        };
    }
}
