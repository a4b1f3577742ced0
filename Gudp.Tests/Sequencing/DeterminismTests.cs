using System.Text;
using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>A member whose every act is a function of what it was granted so far.</summary>
internal sealed class ScriptedMember(MemberEngine engine, MemberDeclaration declaration, ulong seed, long until)
{
    private ulong _state = XxHash64.Hash(seed, Encoding.UTF8.GetBytes(declaration.Name));

    internal List<string> History { get; } = [];

    internal bool IsDone => engine.Phase == MemberPhase.Resigned;

    /// <summary>Takes a grant if there is one, and then publishes, promises and asks.</summary>
    internal bool Act()
    {
        Assert.That(engine.Error, Is.EqualTo(SequencingError.None), engine.ErrorDetail);

        if (!engine.TryTakeGrant(out Grant grant))
        {
            return false;
        }

        string batch = string.Join(' ', grant.Messages.Select(m => $"{m.Sender}/{m.SubSequence}@{m.Arrival}"));
        string entry = $"{grant.Tag}:{batch}";
        History.Add(entry);
        _state = XxHash64.Hash(_state, Encoding.UTF8.GetBytes(entry));
        Prng draws = new(_state);

        if (grant.IsFinal || grant.Tag.Time >= until)
        {
            Expect(engine.Resign());
            return true;
        }

        if (declaration.Sends)
        {
            Speak(grant, draws);
        }

        Change(draws);
        Ask(grant.Tag, draws);
        return true;
    }

    private static void Expect(SequencingError error) => Assert.That(error, Is.EqualTo(SequencingError.None));

    private void Speak(Grant grant, Prng draws)
    {
        for (long count = draws.NextBelow(3); count > 0 && grant.Tag.Round < 6; count--)
        {
            string channel = declaration.Publish[(int)draws.NextBelow(declaration.Publish.Count)];
            Tag at = engine.EarliestPublication + Delay.Ticks(draws.NextBelow(4));
            Expect(engine.Publish(channel, BitConverter.GetBytes(draws.NextUInt64()), at));
        }

        if (draws.NextChance(100_000))
        {
            Expect(engine.Promise(engine.EarliestPublication + Delay.Ticks(draws.NextBelow(5))));
        }

        if (draws.NextChance(50_000))
        {
            Delay lookahead = draws.NextChance(500_000) ? Delay.OneRound : Delay.Ticks(draws.NextBetween(1, 5));
            Expect(engine.SetLookahead(lookahead));
        }
    }

    private void Change(Prng draws)
    {
        if (draws.NextChance(100_000) && declaration.Subscribe.Count > 0)
        {
            string channel = declaration.Subscribe[(int)draws.NextBelow(declaration.Subscribe.Count)];
            Expect(engine.SetInterest(channel, draws.NextChance(700_000)));
        }

        if (draws.NextChance(50_000) && declaration.Receives)
        {
            Expect(engine.SetRoles(declaration.Sends, draws.NextChance(700_000)));
        }

        if (draws.NextChance(200_000))
        {
            Expect(engine.Checksum(_state));
        }
    }

    private void Ask(Tag now, Prng draws)
    {
        Tag target = now.Time + draws.NextBetween(1, 8);
        Grid grid = draws.NextChance(200_000)
            ? new Grid(draws.NextBetween(1, 4), draws.NextBelow(3), draws.NextBelow(3))
            : default;

        Expect(draws.NextBelow(4) switch
        {
            0 => engine.Request(AdvanceMode.To, target, grid),
            1 => engine.Request(AdvanceMode.To, Tag.EndOf(target.Time)),
            _ => engine.Request(AdvanceMode.Next, target, grid),
        });
    }
}

/// <summary>Whatever the order in which messages and members get their turn, there is one history.</summary>
[TestFixture]
public sealed class DeterminismTests
{
    private static readonly SequencingConfig Mixed = new()
    {
        Roster =
        [
            new MemberDeclaration("plant") { Publish = ["state"], Subscribe = ["control"], Lookahead = Delay.Ticks(3) },
            new MemberDeclaration("pilot") { Publish = ["control", "log"], Subscribe = ["state"] },
            new MemberDeclaration("wind") { Publish = ["weather"], Lookahead = Delay.Ticks(1) },
            new MemberDeclaration("judge")
            {
                Publish = ["control"],
                Subscribe = ["state", "weather"],
                SubscribeQuietly = ["log"],
                Lookahead = Delay.Rounds(2),
            },
            new MemberDeclaration("screen") { Subscribe = ["state", "weather", "log", "control"] },
        ],
        Channels = [new ChannelDeclaration("weather") { MinimumLatency = Delay.Ticks(2) }],
    };

    [Test]
    public void All_120_orders_of_who_acts_next_give_one_history()
    {
        HashSet<string> histories = [];

        foreach (int[] order in Orders([0, 1, 2, 3, 4]))
        {
            histories.Add(Play(Mixed, seed: 1, draws =>
            {
                int turn = 0;
                return () => order[turn++ % order.Length];
            }, scheduleSeed: 0));
        }

        Assert.That(histories, Has.Count.EqualTo(1));
    }

    [Test]
    public void Random_schedules_give_one_history([Range(1, 200)] int seed)
    {
        SequencingConfig config = Draw(new Prng((ulong)seed));
        string first = Play(config, (ulong)seed, RandomTurns(config), scheduleSeed: 1);

        for (ulong schedule = 2; schedule <= 5; schedule++)
        {
            Assert.That(Play(config, (ulong)seed, RandomTurns(config), schedule), Is.EqualTo(first));
        }
    }

    internal static Func<Prng, Func<int>> RandomTurns(SequencingConfig config)
        => draws => () => (int)draws.NextBelow(config.Roster.Count);

    internal static SequencingConfig Draw(Prng draws)
    {
        string[] channels = ["c0", "c1", "c2", "c3"];
        List<MemberDeclaration> roster = [];

        for (long i = draws.NextBetween(2, 6); i > 0; i--)
        {
            string[] Some(int chance) => [.. channels.Where(_ => draws.NextChance(chance))];
            string[] heard = Some(500_000);

            roster.Add(new MemberDeclaration($"m{draws.NextBelow(1_000_000)}-{i}")
            {
                Publish = Some(400_000),
                Subscribe = heard,
                SubscribeQuietly = [.. Some(200_000).Except(heard)],
                Lookahead = draws.NextChance(400_000)
                    ? Delay.Rounds((uint)draws.NextBetween(1, 3))
                    : Delay.Of(draws.NextBetween(1, 6), (uint)draws.NextBelow(2)),
            });
        }

        return new SequencingConfig
        {
            Roster = roster,
            Channels = [new ChannelDeclaration("c1") { MinimumLatency = Delay.Ticks(draws.NextBelow(4)) }],
        };
    }

    internal static string Play(
        SequencingConfig config, ulong seed, Func<Prng, Func<int>> makeTurns, ulong scheduleSeed)
    {
        SingleProcessRun run = new(config);
        ScriptedMember[] members =
            [.. run.Members.Select((engine, i) => new ScriptedMember(engine, config.Roster[i], seed, until: 60))];
        Prng draws = new(scheduleSeed);
        Func<int> nextTurn = makeTurns(draws);
        int idle = 0;

        while (!Array.TrueForAll(members, member => member.IsDone) || run.Server.Phase != RunPhase.Ended)
        {
            int turn = nextTurn();
            bool moved = draws.NextBelow(3) switch
            {
                0 => run.MoveUp(turn),
                1 => run.MoveDown(turn),
                _ => members[turn].Act(),
            };

            idle = moved ? 0 : idle + 1;
            Assert.That(idle, Is.LessThan(10_000), "Nobody moves: a deadlock.");
        }

        run.Settle();
        Assert.That(run.Members.ConvertAll(member => member.RunDigest), Is.All.EqualTo(run.Server.RunDigest));

        string histories = string.Join('\n', members.Select(member => string.Join(';', member.History)));
        return $"{run.Server.RunDigest:x16}\n{histories}";
    }

    private static IEnumerable<int[]> Orders(int[] all)
    {
        if (all.Length <= 1)
        {
            yield return all;
            yield break;
        }

        foreach (int first in all)
        {
            foreach (int[] rest in Orders([.. all.Where(other => other != first)]))
            {
                yield return [first, .. rest];
            }
        }
    }
}
