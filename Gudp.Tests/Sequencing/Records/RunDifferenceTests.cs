using System.Text.Json;
using Gudp.Sequencing;
using Gudp.Sequencing.Records;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Records;

/// <summary>Where two records differ (docs/protocol/record.md, R-4 and R-5).</summary>
[TestFixture]
public sealed class RunDifferenceTests
{
    private const int Members = 4;
    private const int Grants = 60;
    private const int Messages = 5;

    [Test]
    public void Equal_runs_are_equal_whatever_the_clock_says()
    {
        using RunRecord left = RecordedRun.Of(Members, Grants, Messages).Open();
        RecordedRun slow = new() { Pace = 1_000 };
        slow.Members.AddRange(RecordedRun.Of(Members, Grants, Messages).Members);
        using RunRecord right = slow.Open();

        RunDifference difference = RunDifference.Between(left, right);

        Assert.That(difference.IsEqual, Is.True);
        Assert.That(difference.First, Is.Null);
        Assert.That(difference.Summary[0], Is.EqualTo("equal in every grant and message"));
    }

    [Test]
    public void One_flipped_byte_is_named_as_member_grant_and_record_in_100_of_100_runs([Range(0, 99)] int seed)
    {
        Random random = new(seed);
        using RunRecord left = RecordedRun.Of(Members, Grants, Messages).Open();
        RecordedRun flipped = RecordedRun.Of(Members, Grants, Messages);
        int member = random.Next(Members);
        int grant = random.Next(1, Grants + 1);
        int place = random.Next(Messages);
        byte[] payload = flipped.Members[member].Grants[grant].Messages[place].Payload;
        int at = random.Next(payload.Length);
        payload[at] ^= (byte)(1 << random.Next(8));
        using RunRecord right = flipped.Open();

        RunDifference difference = RunDifference.Between(left, right);

        Assert.That(difference.IsEqual, Is.False);
        Assert.That(difference.Members, Has.Count.EqualTo(1));
        Assert.That(difference.First!.Member, Is.EqualTo($"m{member}"));
        Assert.That(difference.First.Ordinal, Is.EqualTo(member));
        Assert.That(difference.First.Grant, Is.EqualTo(grant));
        Assert.That(difference.First.Tag, Is.EqualTo((Tag)(10 * grant)));
        Assert.That(difference.First.Kind, Is.EqualTo(GrantDifferenceKind.Payload));
        Assert.That(difference.First.Record, Is.EqualTo(place));
        Assert.That(difference.First.PayloadOffset, Is.EqualTo(at));
    }

    //
    [TestCase(GrantDifferenceKind.MissingMessage)]
    [TestCase(GrantDifferenceKind.ExtraMessage)]
    [TestCase(GrantDifferenceKind.Order)]
    [TestCase(GrantDifferenceKind.Key)]
    [TestCase(GrantDifferenceKind.Channel)]
    [TestCase(GrantDifferenceKind.Length)]
    public void What_differs_is_told(GrantDifferenceKind kind)
    {
        RecordedRun one = RecordedRun.Of(Members, Grants, Messages);
        RecordedRun other = RecordedRun.Of(Members, Grants, Messages);
        List<ScriptedMessage> batch = other.Members[2].Grants[31].Messages;
        ScriptedMessage third = batch[3];

        switch (kind)
        {
            case GrantDifferenceKind.MissingMessage:
                batch.RemoveAt(3);
                break;
            case GrantDifferenceKind.ExtraMessage:
                batch.Insert(3, third with { Key = third.Key with { Copy = 1, Arrival = 305 } });
                break;
            case GrantDifferenceKind.Order:
                (batch[3], batch[4]) = (batch[4], batch[3]);
                break;
            case GrantDifferenceKind.Key:
                batch[3] = third with { Key = third.Key with { SendTag = 299 } };
                break;
            case GrantDifferenceKind.Channel:
                batch[3] = third with { Channel = 0 };
                break;
            default:
                batch[3] = third with { Payload = [1] };
                break;
        }

        MemberDifference found = FirstOf(one, other);

        Assert.That(found.Kind, Is.EqualTo(kind));
        Assert.That((found.Member, found.Grant, found.Record), Is.EqualTo(("m2", 31L, 3)));
        Assert.That(found.LeftMessage is null, Is.EqualTo(kind == GrantDifferenceKind.ExtraMessage));
        Assert.That(found.RightMessage is null, Is.EqualTo(kind == GrantDifferenceKind.MissingMessage));
    }

    [Test]
    public void The_last_message_of_a_batch_is_missed_as_well()
    {
        RecordedRun other = RecordedRun.Of(Members, Grants, Messages);
        other.Members[0].Grants[7].Messages.RemoveAt(Messages - 1);

        MemberDifference found = FirstOf(RecordedRun.Of(Members, Grants, Messages), other);

        Assert.That(found.Kind, Is.EqualTo(GrantDifferenceKind.MissingMessage));
        Assert.That(found.Record, Is.EqualTo(Messages - 1));
    }

    [Test]
    public void A_grant_at_another_tag_is_told_and_not_the_messages_that_follow_from_it()
    {
        RecordedRun other = RecordedRun.Of(Members, Grants, Messages);
        ScriptedGrant grant = other.Members[1].Grants[9];
        ScriptedMessage later = grant.Messages[4] with { Key = grant.Messages[4].Key with { Arrival = 94 } };
        other.Members[1].Grants[9] = grant with { Tag = 95, Messages = [.. grant.Messages, later] };

        MemberDifference found = FirstOf(RecordedRun.Of(Members, Grants, Messages), other);

        Assert.That(found.Kind, Is.EqualTo(GrantDifferenceKind.Tag));
        Assert.That(found.Record, Is.Null);
        Assert.That((found.Left!.Value.Tag, found.Right!.Value.Tag), Is.EqualTo(((Tag)90, (Tag)95)));
        Assert.That(found.Tag, Is.EqualTo((Tag)90));
    }

    [Test]
    public void An_end_that_comes_in_one_run_only_is_told()
    {
        RecordedRun other = RecordedRun.Of(Members, Grants, Messages);
        other.Members[3].Grants[Grants] = other.Members[3].Grants[Grants] with { Flags = 0 };

        MemberDifference found = FirstOf(RecordedRun.Of(Members, Grants, Messages), other);

        Assert.That(found.Kind, Is.EqualTo(GrantDifferenceKind.Final));
        Assert.That(found.Grant, Is.EqualTo(Grants));
    }

    // Flags that tell of circumstances: late, replayed.
    [Test]
    public void A_late_grant_is_no_difference()
    {
        RecordedRun other = RecordedRun.Of(Members, Grants, Messages);
        other.Members[3].Grants[5] = other.Members[3].Grants[5] with { Flags = 2 };
        using RunRecord left = RecordedRun.Of(Members, Grants, Messages).Open();
        using RunRecord right = other.Open();

        Assert.That(RunDifference.Between(left, right).IsEqual, Is.True);
    }

    //
    [Test]
    public void A_record_that_ends_earlier_differs_in_the_grant_it_does_not_have()
    {
        RecordedRun other = new() { IsComplete = false };
        other.Members.AddRange(RecordedRun.Of(Members, Grants, Messages).Members);
        other.Members[2].Grants.RemoveRange(41, Grants - 40);
        using RunRecord left = RecordedRun.Of(Members, Grants, Messages).Open();
        using RunRecord right = other.Open();

        RunDifference difference = RunDifference.Between(left, right);

        Assert.That(difference.First!.Kind, Is.EqualTo(GrantDifferenceKind.MissingGrant));
        Assert.That((difference.First.Member, difference.First.Grant), Is.EqualTo(("m2", 41L)));
        Assert.That(difference.First.Right, Is.Null);
        Assert.That(difference.Summary, Has.Some.Contains("left before the end of the run"));
    }

    //
    [Test]
    public void Of_several_members_the_earliest_tag_is_first()
    {
        RecordedRun other = RecordedRun.Of(Members, Grants, Messages);
        other.Members[0].Grants[20].Messages[0].Payload[0] ^= 1;
        other.Members[3].Grants[11].Messages[2].Payload[5] ^= 1;
        other.Members[1].Grants[11].Messages[4].Payload[1] ^= 1;
        using RunRecord left = RecordedRun.Of(Members, Grants, Messages).Open();
        using RunRecord right = other.Open();

        RunDifference difference = RunDifference.Between(left, right);

        Assert.That(difference.Members.Select(one => one.Member), Is.EqualTo(new[] { "m1", "m3", "m0" }));
        Assert.That(difference.Summary, Has.Some.EqualTo(
            "  member \"m0\" (0), grant 20 at 200, record 0 of the batch: the payload differs from byte 0 on"));
    }

    [TestCase(true, true, "A")]
    [TestCase(true, false, "A")]
    [TestCase(false, true, "B")]
    [TestCase(false, false, "B")]
    public void A_member_that_only_one_run_has_is_named_with_the_side_that_has_it(bool isLeft, bool hasGrants, string side)
    {
        RecordedRun more = RecordedRun.Of(3, Grants, Messages);
        more.Members.Add(("m3", hasGrants ? [new ScriptedGrant(Tag.Zero, [])] : []));
        using RunRecord one = more.Open();
        using RunRecord other = RecordedRun.Of(3, Grants, Messages).Open();

        RunDifference difference = isLeft ? RunDifference.Between(one, other) : RunDifference.Between(other, one);

        Assert.That(difference.Members.Select(member => (member.Member, member.Kind)),
            Is.EqualTo(new[] { ("m3", GrantDifferenceKind.MissingMember) }));
        Assert.That(difference.IsEqual, Is.False);
        Assert.That(difference.Summary[0], Is.EqualTo(
            $"different: member \"m3\" (3), grant 0 at {Tag.Zero}, only {side} has this member"));
    }

    //
    [Test]
    public void The_record_of_a_member_is_compared_for_this_member_only()
    {
        RecordedRun own = RecordedRun.Of(Members, Grants, Messages, new RunRecordHead
        {
            ConfigHash = RecordedRun.ConfigHash,
            RecordedBy = 2,
        });
        RecordedRun alone = new() { Head = own.Head };
        alone.Members.AddRange(own.Members.Select((one, i) => (one.Name, i == 2 ? one.Grants : [])));
        using RunRecord left = RecordedRun.Of(Members, Grants, Messages).Open();
        using RunRecord right = alone.Open();

        Assert.That(RunDifference.Between(left, right).Members, Is.Empty);
        Assert.That(RunDifference.Between(right, left).Members, Is.Empty);
    }

    [Test]
    public void Payloads_of_which_only_the_hash_is_kept_are_compared_by_it()
    {
        RunRecordHead hashed = new() { ConfigHash = RecordedRun.ConfigHash, KeepPayloadBytes = 0 };
        RecordedRun other = RecordedRun.Of(Members, Grants, Messages, hashed);
        using RunRecord left = RecordedRun.Of(Members, Grants, Messages).Open();
        using (RunRecord same = other.Open())
        {
            Assert.That(RunDifference.Between(left, same).Members, Is.Empty);
        }

        other.Members[1].Grants[4].Messages[2].Payload[3] ^= 1;
        using RunRecord right = other.Open();
        MemberDifference found = RunDifference.Between(left, right).First!;

        Assert.That((found.Grant, found.Record, found.PayloadOffset), Is.EqualTo((4L, 2, (long?)null)));
        Assert.That(found.Kind, Is.EqualTo(GrantDifferenceKind.Payload));
    }

    //
    [Test]
    public void Runs_of_different_configurations_are_compared_batch_by_batch()
    {
        RunRecordHead head = new() { ConfigHash = 1, Configuration = "max rounds = 5\npace = 2\n" };
        RecordedRun other = RecordedRun.Of(Members, Grants, Messages, head);
        other.Members[2].Grants[17].Messages[1].Payload[2] ^= 4;
        using RunRecord left = RecordedRun.Of(Members, Grants, Messages).Open();
        using RunRecord right = other.Open();

        RunDifference difference = RunDifference.Between(left, right);

        Assert.That(difference.HasSameConfigHash, Is.False);
        Assert.That(difference.Members, Has.Count.EqualTo(1));
        Assert.That((difference.First!.Member, difference.First.Grant), Is.EqualTo(("m2", 17L)));
        Assert.That(difference.Configuration, Is.EqualTo(new ConfigurationDifference[]
        {
            new("max rounds", "10000", "5"), new("pace", null, "2"), new("ties", "none", null),
        }));
    }

    //
    [Test]
    public void Commits_and_states_are_told_apart_from_deliveries()
    {
        RecordedRun other = RecordedRun.Of(Members, Grants, Messages);

        for (int i = 12; i <= Grants; i++)
        {
            ScriptedGrant grant = other.Members[1].Grants[i];
            other.Members[1].Grants[i] = grant with { Commit = grant.Commit + 1, State = grant.State + 1 };
        }

        other.Members[2].Grants[14].Messages[0].Payload[0] ^= 1;
        other.Members[2].Grants[16] = other.Members[2].Grants[16] with { State = 1 };
        using RunRecord left = RecordedRun.Of(Members, Grants, Messages).Open();
        using RunRecord right = other.Open();

        RunDifference difference = RunDifference.Between(left, right);

        Assert.That(difference.Commits, Is.EqualTo(new[]
        {
            new ChecksumDifference("m1", 12, 120, 1012, 1013) { AfterEqualDeliveries = true },
        }));
        Assert.That(difference.States, Is.EqualTo(new[]
        {
            new ChecksumDifference("m1", 12, 120, 12, 13) { AfterEqualDeliveries = true },
            new ChecksumDifference("m2", 16, 160, 16, 1),
        }));
        Assert.That(difference.Members.Select(one => one.Member), Is.EqualTo(new[] { "m2" }));
    }

    //
    [Test]
    public void Runs_with_different_tie_seeds_are_compared_by_what_members_did()
    {
        RecordedRun other = RecordedRun.Of(Members, Grants, Messages);
        List<ScriptedMessage> batch = other.Members[2].Grants[3].Messages;
        (batch[0], batch[1]) = (batch[1], batch[0]);
        using RunRecord left = RecordedRun.Of(Members, Grants, Messages).Open();

        using (RunRecord independent = other.Open())
        {
            Assert.That(RunDifference.Between(left, independent).IsEqual, Is.False);
            Assert.That(RunDifference.BetweenTieSeeds(left, independent).IsEqual, Is.True);
        }

        other.Members[2].Grants[4] = other.Members[2].Grants[4] with { Commit = 1 };
        using RunRecord dependent = other.Open();
        RunDifference difference = RunDifference.BetweenTieSeeds(left, dependent);

        Assert.That(difference.IsEqual, Is.False);
        Assert.That(difference.Members, Is.Empty);
        Assert.That(difference.Commits.Select(one => (one.Member, one.Grant)), Is.EqualTo(new[] { ("m2", 4L) }));
    }

    //
    [Test]
    public void Facts_are_listed_and_are_no_difference()
    {
        RecordedRun one = RecordedRun.Of(1, 2, 1);
        one.Facts.Add(new RecordedFact("m0", "suspended", 3, 17));
        one.Facts.Add(new RecordedFact("m0", "operator stop", 9, 20));
        RecordedRun other = RecordedRun.Of(1, 2, 1);
        other.Facts.Add(new RecordedFact("m0", "suspended", 3, 5_000));
        using RunRecord left = one.Open();
        using RunRecord right = other.Open();

        RunDifference difference = RunDifference.Between(left, right);

        Assert.That(difference.Facts, Is.EqualTo(new FactDifference[]
        {
            new(new RecordedFact("m0", "operator stop", 9, 0), IsLeft: true),
        }));
        Assert.That(difference.IsEqual, Is.True);
    }

    //
    [Test]
    public void A_run_that_something_from_outside_has_changed_is_called_influenced()
    {
        RecordedRun lost = RecordedRun.Of(1, 2, 1);
        lost.Facts.Add(new RecordedFact("m0", "Lost", 3, 17));
        lost.Facts.Add(new RecordedFact("m0", "LeftOut", 3, 17));
        lost.Facts.Add(new RecordedFact("m0", "12", 3, 17));
        RecordedRun removed = RecordedRun.Of(1, 2, 1);
        removed.Facts.Add(new RecordedFact("m0", "Removed", 3, 17));
        using RunRecord left = lost.Open();
        using RunRecord right = removed.Open();

        IReadOnlyList<string> summary = RunDifference.Between(left, right).Summary;

        Assert.That((left.IsInfluenced, right.IsInfluenced), Is.EqualTo((false, true)));
        Assert.That(summary[^2], Does.Not.Contain("influenced"));
        Assert.That(summary[^1], Does.EndWith(", influenced from outside"));
    }

    //
    [Test]
    public void The_report_holds_both_runs_the_difference_and_the_20_records_before_it()
    {
        RecordedRun other = RecordedRun.Of(Members, Grants, Messages);
        other.Members[1].Grants[40].Messages[3].Payload[9] ^= 0x80;
        using RunRecord left = RecordedRun.Of(Members, Grants, Messages).Open();
        using RunRecord right = other.Open();
        using MemoryStream stream = new();

        RunDifference.Between(left, right).WriteReport(stream);

        using JsonDocument report = JsonDocument.Parse(stream.ToArray());
        JsonElement root = report.RootElement;
        Assert.That(root.GetProperty("report").GetString(), Is.EqualTo("gudp-desync/1"));
        Assert.That(root.GetProperty("equal").GetBoolean(), Is.False);
        Assert.That(root.GetProperty("left").GetProperty("members").GetArrayLength(), Is.EqualTo(Members));
        Assert.That(root.GetProperty("right").GetProperty("configuration")[0].GetString(),
            Is.EqualTo("max rounds = 10000"));
        Assert.That(root.GetProperty("right").GetProperty("version").GetString(), Is.EqualTo("gudp 0.1.0"));
        JsonElement first = root.GetProperty("first");
        Assert.That(first.GetProperty("what").GetString(), Is.EqualTo("payload"));
        Assert.That(first.GetProperty("grant").GetInt32(), Is.EqualTo(40));
        Assert.That(first.GetProperty("record").GetInt32(), Is.EqualTo(3));
        Assert.That(first.GetProperty("payloadOffset").GetInt32(), Is.EqualTo(9));
        Assert.That(first.GetProperty("left").GetProperty("digest").GetString(),
            Is.EqualTo(left.DigestOf(1, 40).ToString("x16")));
        Assert.That(first.GetProperty("rightMessage").GetProperty("payload").GetString(),
            Is.EqualTo(Convert.ToHexStringLower(other.Members[1].Grants[40].Messages[3].Payload)));

        // Three messages of this grant, then 39, 38 and 37 with six records each, as far as 20 reach.
        (int Grant, int? Record)[] before = [.. root.GetProperty("before").EnumerateArray().Select(one => (
            one.GetProperty("grant").GetInt32(),
            one.TryGetProperty("record", out JsonElement record) ? record.GetInt32() : (int?)null))];
        Assert.That(before, Has.Length.EqualTo(20));
        Assert.That(before[^1], Is.EqualTo((40, (int?)2)));
        Assert.That(before[^4], Is.EqualTo((39, (int?)null)));
        Assert.That(before[0], Is.EqualTo((37, (int?)1)));
    }

    [Test]
    public void The_summary_shows_the_byte_in_both_payloads()
    {
        RecordedRun other = RecordedRun.Of(2, 3, 1);
        other.Members[1].Grants[2].Messages[0].Payload[3] = 0xff;
        using RunRecord left = RecordedRun.Of(2, 3, 1).Open();
        using RunRecord right = other.Open();

        IReadOnlyList<string> summary = RunDifference.Between(left, right).Summary;

        Assert.That(summary[0], Is.EqualTo("different: member \"m1\" (1), grant 2 at 20, record 0 of the batch: "
            + "the payload differs from byte 3 on"));
        Assert.That(summary[1], Is.EqualTo("  A: arrival 20, sent at 10 by \"m0\" (0) as its number 2, "
            + "channel \"state\", 16 bytes: 00 00 00 [01] 00 00 00 02 00 00 00 00 .."));
        Assert.That(summary[2], Does.EndWith("00 00 00 [ff] 00 00 00 02 00 00 00 00 .."));
    }

    // What a defective recorder would leave behind.
    [Test]
    public void Digests_that_differ_alone_are_told_as_such()
    {
        using RunRecord left = OneGrant(digest: 7);
        using RunRecord right = OneGrant(digest: 8);

        Assert.That(RunDifference.Between(left, right).First!.Kind, Is.EqualTo(GrantDifferenceKind.Digest));

        static RunRecord OneGrant(ulong digest)
        {
            MemoryStream stream = new();
            RunRecordWriter writer = new(stream, new RunRecordHead());
            writer.AddMember(0, "p");
            writer.AddGrant(new RecordedGrant(0, 0, Tag.Zero, digest));
            writer.Complete(0);
            return new RunRecord(stream);
        }
    }

    [Test]
    public void A_configuration_is_the_same_text_in_whatever_order_it_is_declared()
    {
        SequencingConfig one = new()
        {
            Roster = [new("b") { Publish = ["y", "x"] }, new("a\n") { Subscribe = ["x"], Lookahead = Delay.Ticks(5) }],
            Channels = [new("x") { MinimumLatency = Delay.Ticks(2) }],
        };
        SequencingConfig other = new()
        {
            Roster = [one.Roster[1], new("b") { Publish = ["x", "y"], CrashPolicy = CrashPolicy.Resign }],
            Channels = one.Channels,
        };

        List<ConfigurationDifference> found =
            ConfigurationLines.Compare(ConfigurationText.Of(one), ConfigurationText.Of(other));

        Assert.That(found, Is.EqualTo(new ConfigurationDifference[]
        {
            new("member \"b\" crash policy", "Stall", "Resign"),
        }));
        Assert.That(ConfigurationText.Of(one), Does.Contain("member \"a\\n\" lookahead = 5 ticks\n")
            .And.Contain("member \"b\" publishes = \"x\" \"y\"\n"));
    }

    private static MemberDifference FirstOf(RecordedRun one, RecordedRun other)
    {
        using RunRecord left = one.Open();
        using RunRecord right = other.Open();
        RunDifference difference = RunDifference.Between(left, right);

        Assert.That(difference.Members, Has.Count.EqualTo(1));
        return difference.First!;
    }
}
