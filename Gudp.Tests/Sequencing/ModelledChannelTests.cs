using System.Text;
using Gudp.Sequencing;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>Channels with a network inside, policies and ties, as the server carries them out (lock-time 6.3, 7.1, 17).</summary>
[TestFixture]
public sealed class ModelledChannelTests
{
    private const int Messages = 400;

    [Test]
    public void The_same_seed_is_the_same_network_and_another_seed_another_one()
    {
        List<string> first = Play(Bad(seed: 7), "r");
        List<string> again = Play(Bad(seed: 7), "r");
        List<string> other = Play(Bad(seed: 8), "r");

        Assert.That(again, Is.EqualTo(first));
        Assert.That(other, Is.Not.EqualTo(first));
    }

    // Clauses: shares are within what chance allows, copies are counted apart, nothing is early.
    [Test]
    public void Messages_are_lost_doubled_and_late_in_the_shares_that_were_declared()
    {
        List<string> got = Play(Bad(seed: 7), "r");

        int doubles = got.Count - got.Distinct().Count();
        int lost = Messages - got.Select(entry => entry.Split('@')[0]).Distinct().Count();
        Assert.That(lost, Is.InRange(Messages / 20, Messages / 4));
        Assert.That(got, Has.Count.GreaterThan(Messages - lost));
        Assert.That(doubles, Is.LessThan(got.Count));
        Assert.That(got.Select(LateBy), Is.All.InRange(5, 20));
        Assert.That(got.Select(LateBy).Distinct().Count(), Is.GreaterThan(8));
    }

    [Test]
    public void A_channel_that_scatters_gives_each_receiver_times_of_its_own()
    {
        SequencingConfig together = Bad(seed: 7);
        SequencingConfig apart = Bad(seed: 7, scatter: true);

        Assert.That(Play(together, "r").Intersect(Play(together, "q")).Count(), Is.GreaterThan(Messages / 2));
        Assert.That(Play(apart, "r").Intersect(Play(apart, "q")).Count(), Is.LessThan(Messages / 4));
    }

    // Clause: server and member count and hash the same; the grant is where it would be anyway.
    [TestCase("all", "0 1 2 3 4")]
    [TestCase("none", "")]
    [TestCase("latest", "4")]
    [TestCase("newest 2", "3 4")]
    [TestCase("oldest 2", "0 1")]
    public void A_policy_thins_the_batch_and_leaves_the_grant(string policy, string kept)
    {
        SingleProcessRun run = new(Kept(policy));
        run.Settle();
        run["r"].TryTakeGrant(out _);

        for (int i = 0; i < 5; i++)
        {
            run["s"].Publish("x", Encoding.UTF8.GetBytes($"{i}"), 5);
        }

        run["s"].Request(AdvanceMode.To, 9);
        run["r"].Request(AdvanceMode.Next, 7);
        run.Settle();

        Assert.That(run["r"].TryTakeGrant(out Grant grant), run["r"].ErrorDetail);
        Assert.That(grant.Tag, Is.EqualTo(new Tag(5, 0)));
        Assert.That(Texts(grant), Is.EqualTo(kept));
        Assert.That(run.Server.Counters.MessagesDropped, Is.EqualTo(5 - grant.Messages.Count));
        Assert.That(grant.Digest, Is.EqualTo(run.Server.DigestOf(run["r"].Ordinal).Value));
    }

    [Test]
    public void A_policy_of_the_channel_holds_where_the_member_has_none()
    {
        SequencingConfig config = new()
        {
            Roster = [new MemberDeclaration("s") { Publish = ["x"] }, new MemberDeclaration("r") { Subscribe = ["x"] }],
            Channels = [new ChannelDeclaration("x") { Policy = BufferPolicy.Latest }],
        };

        SingleProcessRun run = new(config);
        run.Settle();

        Assert.That(run.Server.Members.Find("r")!.Layout.Interests[0].Policy, Is.EqualTo(BufferPolicy.Latest));
        Assert.That(run["r"].Error, Is.EqualTo(SequencingError.None));
    }

    // Clause.
    [Test]
    public void Seeded_ties_reorder_publishers_and_change_neither_the_count_nor_what_members_say()
    {
        List<string> orders = [];
        HashSet<(long Ties, ulong Said)> rest = [];

        foreach (ulong? seed in (ulong?[])[null, 1, 2, 3, 4, 5])
        {
            SingleProcessRun run = new(Tied(seed));
            run.Settle();
            run["r"].TryTakeGrant(out _);

            foreach (string name in (string[])["c", "a", "b"])
            {
                run[name].Publish("x", Encoding.UTF8.GetBytes($"{name}1"), 5);
                run[name].Publish("x", Encoding.UTF8.GetBytes($"{name}2"), 5);
                run[name].Request(AdvanceMode.To, 9);
            }

            run["r"].Request(AdvanceMode.To, 5);
            run.Settle();

            Assert.That(run["r"].TryTakeGrant(out Grant grant));
            string order = Texts(grant);
            orders.Add(order);
            rest.Add((run.Server.Counters.Ties, run.Server.Members.Find("a")!.CommitDigest.Value));
            Assert.That("abc".All(name => order.IndexOf($"{name}1", StringComparison.Ordinal) + 3
                == order.IndexOf($"{name}2", StringComparison.Ordinal)), order);
        }

        Assert.That(orders[0], Is.EqualTo("a1 a2 b1 b2 c1 c2"));
        Assert.That(orders.Distinct().Count(), Is.GreaterThan(2));
        Assert.That(rest, Has.Count.EqualTo(1));
        Assert.That(rest.Single().Ties, Is.EqualTo(2));
    }

    [Test]
    public void What_members_see_is_in_the_one_hash_and_the_rest_in_the_other()
    {
        SequencingConfig plain = Tied(null);
        SequencingConfig tied = Tied(5);
        SequencingConfig kept = Kept("latest");

        Assert.That(tied.ComputeHash(), Is.EqualTo(plain.ComputeHash()));
        Assert.That(tied.ComputeSettingsHash(), Is.Not.EqualTo(plain.ComputeSettingsHash()));
        Assert.That(kept.ComputeHash(), Is.Not.EqualTo(Kept("all").ComputeHash()));
        Assert.That(kept.ComputeSettingsHash(), Is.EqualTo(Kept("all").ComputeSettingsHash()));
    }

    [Test]
    public void A_member_is_told_both_hashes()
    {
        SequencingConfig config = Tied(5);
        SingleProcessRun run = new(config);
        run.Settle();

        Assert.That(run["a"].ConfigHash, Is.EqualTo(config.ComputeHash()));
        Assert.That(run["a"].SettingsHash, Is.EqualTo(config.ComputeSettingsHash()));
    }

    /// <summary>One publication at each tick; what the receiver got, as "number@arrival".</summary>
    private static List<string> Play(SequencingConfig config, string receiver)
    {
        SingleProcessRun run = new(config);
        run.Settle();
        run[receiver].TryTakeGrant(out _);

        for (int i = 1; i <= Messages; i++)
        {
            run["s"].Publish("x", Encoding.UTF8.GetBytes($"{i}"), i);
        }

        run["s"].Request(AdvanceMode.To, 1_000);
        run[receiver].Request(AdvanceMode.To, 900);
        run.Settle();
        Assert.That(run[receiver].TryTakeGrant(out Grant grant), run[receiver].ErrorDetail);
        return [.. grant.Messages.Select(m => $"{Encoding.UTF8.GetString(m.Payload.Span)}@{m.Arrival}")];
    }

    private static long LateBy(string entry)
    {
        string[] parts = entry.Split('@');
        return long.Parse(parts[1]) - long.Parse(parts[0]);
    }

    private static string Texts(Grant grant)
        => string.Join(' ', grant.Messages.Select(message => Encoding.UTF8.GetString(message.Payload.Span)));

    private static SequencingConfig Bad(ulong seed, bool scatter = false) => new()
    {
        Roster =
        [
            new MemberDeclaration("s") { Publish = ["x"] },
            new MemberDeclaration("r") { Subscribe = ["x"] },
            new MemberDeclaration("q") { Subscribe = ["x"] },
        ],
        Channels =
        [
            new ChannelDeclaration("x")
            {
                Latency = LatencyModel.Uniform(5, 20),
                Scatter = scatter,
                SenderLossPpm = 50_000,
                ReceiverLossPpm = 50_000,
                SenderDuplicatePpm = 50_000,
                ReceiverDuplicatePpm = 50_000,
            },
        ],
        Seed = seed,
    };

    private static SequencingConfig Kept(string policy) => new()
    {
        Roster =
        [
            new MemberDeclaration("s") { Publish = ["x"] },
            new MemberDeclaration("r")
            {
                Subscribe = ["x"],
                Policies = new Dictionary<string, BufferPolicy>
                {
                    ["x"] = policy switch
                    {
                        "none" => BufferPolicy.None,
                        "latest" => BufferPolicy.Latest,
                        "newest 2" => BufferPolicy.Newest(2),
                        "oldest 2" => BufferPolicy.Oldest(2),
                        _ => BufferPolicy.All,
                    },
                },
            },
        ],
    };

    private static SequencingConfig Tied(ulong? seed) => new()
    {
        Roster =
        [
            new MemberDeclaration("a") { Publish = ["x"] },
            new MemberDeclaration("b") { Publish = ["x"] },
            new MemberDeclaration("c") { Publish = ["x"] },
            new MemberDeclaration("r") { Subscribe = ["x"] },
        ],
        TieSeed = seed,
    };
}
