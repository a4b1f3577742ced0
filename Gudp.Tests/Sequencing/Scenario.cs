using System.Globalization;
using System.Text;
using Gudp.Sequencing;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>What can execute a row: the engines, or the bare rule.</summary>
internal interface IScenarioRun
{
    bool HasEnded { get; }

    /// <summary>Does what the words say, and all that follows from it.</summary>
    /// <returns>The error, or what was seen; mostly nothing.</returns>
    string Act(string[] words);

    /// <summary>Takes the grants there are: "name tag [batch]".</summary>
    void Collect(List<string> outcomes);
}

/// <summary>One row of <see cref="ScenarioTests"/>.</summary>
public sealed record Scenario(string Number, string Setup, params string[] Steps)
{
    /// <summary>Takes every step, and holds what came of it against the row.</summary>
    internal void Play(IScenarioRun run)
    {
        foreach (string step in Steps)
        {
            string[] halves = step.Split("=>", StringSplitOptions.TrimEntries);
            List<string> outcomes = [];

            foreach (string action in halves[0].Split(';', StringSplitOptions.TrimEntries))
            {
                string outcome = run.Act(action.Split(' '));

                if (outcome.Length > 0)
                {
                    outcomes.Add(outcome);
                }

                run.Collect(outcomes);
            }

            if (run.HasEnded)
            {
                outcomes.Add("end");
            }

            string[] expected = halves[1].Split(',', StringSplitOptions.RemoveEmptyEntries);
            Assert.That(outcomes, Is.EquivalentTo(Rejoin(expected)), $"{Number}: {step}");
        }
    }

    internal static string Describe(Tag tag, bool isFinal, string batch)
        => $"{tag}{(isFinal ? " final" : "")}{(batch.Length > 0 ? $" [{batch}]" : "")}";

    // Tags contain commas too; a piece that closes a bracket it did not open belongs to the one before.
    private static List<string> Rejoin(string[] pieces)
    {
        List<string> joined = [];
        StringBuilder current = new();

        foreach (string piece in pieces)
        {
            current.Append(current.Length == 0 ? piece.TrimStart() : "," + piece);
            string text = current.ToString();

            if (text.Count(c => c == '(') == text.Count(c => c == ')') && text.Contains('[') == text.Contains(']'))
            {
                joined.Add(text.Trim());
                current.Clear();
            }
        }

        return joined;
    }

    // "5", "5+1" with an offset, "5+1/2" with a least step.
    internal static Grid ParseGrid(string text)
    {
        string[] parts = text.Split('+', '/');
        long[] numbers = [.. parts.Select(part => long.Parse(part, CultureInfo.InvariantCulture))];
        return new Grid(numbers[0], numbers.Length > 1 ? numbers[1] : 0, numbers.Length > 2 ? numbers[2] : 0);
    }

    internal static Tag ParseTag(string text)
    {
        if (text == "INF")
        {
            return Tag.Infinity;
        }

        string[] parts = text.Trim('(', ')').Split(',');
        return new Tag(
            long.Parse(parts[0], CultureInfo.InvariantCulture),
            parts.Length > 1 ? uint.Parse(parts[1], CultureInfo.InvariantCulture) : 0);
    }

    internal SequencingConfig Configure()
    {
        string[] words = Setup.Split(' ');
        string[] members = [.. words.Where(word => word.Contains('('))];
        string[] names = [.. members.Select(word => word[..word.IndexOf('(')])];
        bool isRing = words.Contains("ring");
        bool hasSelf = words.Contains("self");
        string rounds = words.FirstOrDefault(
            word => word.StartsWith("rounds=", StringComparison.Ordinal), "rounds=10000")[7..];
        string link = words.FirstOrDefault(word => word.StartsWith("link=", StringComparison.Ordinal), "link=0")[5..];

        List<MemberDeclaration> roster = [];
        List<ChannelDeclaration> channels = [];

        for (int i = 0; i < members.Length; i++)
        {
            string[] traits = members[i][(names[i].Length + 1)..^1].Split(',');
            string lookahead = traits.FirstOrDefault(t => t.StartsWith("L=", StringComparison.Ordinal), "L=r1")[2..];
            bool sends = traits.Contains("S");
            bool receives = traits.Contains("R");
            int before = (i + members.Length - 1) % members.Length;
            string? only = traits.FirstOrDefault(t => t.StartsWith("hears=", StringComparison.Ordinal))?[6..];
            var heard = names.Where((name, j) => only is not null ? name == only
                : isRing ? j == before : j != i || hasSelf);

            channels.Add(new ChannelDeclaration($"from/{names[i]}")
            {
                MinimumLatency = Delay.Ticks(long.Parse(link, CultureInfo.InvariantCulture)),
            });

            roster.Add(new MemberDeclaration(names[i])
            {
                Sends = sends,
                Receives = receives,
                Lookahead = lookahead == "r1"
                    ? Delay.OneRound
                    : Delay.Ticks(long.Parse(lookahead, CultureInfo.InvariantCulture)),
                Publish = sends ? [$"from/{names[i]}"] : [],
                Subscribe = receives || traits.Contains("subscribed") ? [.. heard.Select(name => $"from/{name}")] : [],
                MayStop = traits.Contains("stops"),
                MayPeek = traits.Contains("peeks"),
            });
        }

        return new SequencingConfig
        {
            Roster = roster,
            Channels = channels,
            MaxRounds = uint.Parse(rounds, CultureInfo.InvariantCulture),
        };
    }
}
