using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Records;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Records;

/// <summary>The record that a server writes of its run (lock-time 19).</summary>
[TestFixture]
public sealed class ServerRecordTests
{
    private const int Until = 60;

    private static SequencingConfig Config => FlippedPlay.Config;

    [Test]
    public void It_holds_every_grant_with_the_members_own_digest_and_ends_with_the_run()
    {
        using Played played = Play([0, 1, 2], flip: null);

        using RunRecord record = played.Read();

        Assert.That(record.IsComplete, Is.True);
        Assert.That(record.RunDigest, Is.EqualTo(played.Run.Server.RunDigest));
        Assert.That(record.Members.Select(member => member.Name), Is.EqualTo((string[])["p", "q", "r"]));
        Assert.That(record.Members.Select(member => member.LastDigest), Is.EqualTo(played.Digests));
        Assert.That(record.Members.Select(member => member.FirstGrant), Is.All.Zero);
        Assert.That(record.Head.ConfigHash, Is.EqualTo(Config.ComputeHash()));
        Assert.That(record.Head.OtherHash, Is.EqualTo(Config.ComputeSettingsHash()));
        Assert.That(ConfigurationLines.Of(record.Head.Configuration), Is.Not.Empty);
    }

    [Test]
    public void It_says_who_waited_for_whom_and_how_long()
    {
        using Played played = Play([0, 1, 2], flip: null);

        using RunRecord record = played.Read();
        List<RecordedGrant> waited = [.. record.ReadGrants().Select(batch => batch.Grant)
            .Where(grant => grant.WaitedBecause != WaitKind.None)];

        Assert.That(waited, Is.Not.Empty);
        Assert.That(waited.Select(grant => grant.WaitedMilliseconds), Is.All.Positive);
        Assert.That(waited.Select(grant => grant.WaitedFor), Is.All.Not.Null);
    }

    [Test]
    public void Grants_are_read_in_the_order_in_which_they_were_recorded()
    {
        using Played played = Play([0, 1, 2], flip: null);

        using RunRecord record = played.Read();
        RecordedBatch[] all = [.. record.ReadGrants()];

        Assert.That(all, Has.Length.EqualTo(record.Grants));
        Assert.That(all.Select(batch => batch.Grant.WallMilliseconds), Is.Ordered);
        Assert.That(all.Select(batch => batch.Messages.Count), Is.EqualTo(all.Select(batch => batch.Grant.Count)));
    }

    // The 100 of 100 of the issue: both runs are real ones, and both records the server's.
    [Test]
    public void A_flipped_byte_is_named_as_member_grant_and_record_in_100_of_100_runs()
    {
        List<string> missed = [];

        for (int number = 1; number <= 100; number++)
        {
            string flipper = number % 2 == 0 ? "p" : "q";
            int message = 1 + (number / 2 % 20);
            using Played left = Play([0, 1, 2], flip: null);
            using Played right = Play([1, 2, 0], (flipper, message));
            using RunRecord a = left.Read();
            using RunRecord b = right.Read();

            MemberDifference? first = RunDifference.Between(a, b).First;

            bool isNamed = first is { Kind: GrantDifferenceKind.Payload, LeftMessage: { } of }
                && of.Key.SubSequence == message
                && of.Key.Publisher == a.Members.First(member => member.Name == flipper).Ordinal
                && first.PayloadOffset == message % 8
                && first.Tag == FirstArrival(a, flipper, message, first.Member);

            if (!isNamed)
            {
                missed.Add($"{number}: {flipper} {message}: {first?.Kind} {first?.Member} {first?.Tag}");
            }
        }

        Assert.That(missed, Is.Empty);
    }

    [Test]
    public void A_member_that_says_something_else_after_the_same_deliveries_is_named_by_its_commit_digest()
    {
        using Played left = Play([0, 1, 2], flip: null);
        using Played right = Play([0, 1, 2], ("q", 5));
        using RunRecord a = left.Read();
        using RunRecord b = right.Read();

        RunDifference difference = RunDifference.Between(a, b);

        Assert.That(difference.Commits.Select(commit => commit.Member), Does.Contain("q"));
    }

    [Test]
    public void A_disk_that_fails_ends_the_record_and_not_the_run()
    {
        using Played good = Play([0, 1, 2], flip: null);
        using Played bad = Play([0, 1, 2], flip: null, new FullDisk(100));

        Assert.That(bad.Writer.Failure, Is.InstanceOf<IOException>());
        Assert.That(bad.Run.Server.RunDigest, Is.EqualTo(good.Run.Server.RunDigest));
    }

    [Test]
    public void What_was_said_is_flushed_when_the_run_has_been_quiet_for_a_second()
    {
        SingleProcessRun run = new(Config);
        using MemoryStream stream = new();
        using RunRecordWriter writer = new(stream, new RunRecordHead());
        run.Server.Record(writer);
        run.Settle();
        long before = stream.Length;

        run.Server.HandleTimeout(run.Server.NextDeadline);

        Assert.That(stream.Length, Is.GreaterThan(before));
    }

    private static Tag FirstArrival(RunRecord record, string sender, int number, string receiver)
    {
        int publisher = record.Members.First(member => member.Name == sender).Ordinal;
        int member = record.Members.First(one => one.Name == receiver).Ordinal;
        return record.ReadGrants().First(batch => batch.Grant.Member == member
            && batch.Messages.Any(message => message.Key.Publisher == publisher
                && message.Key.SubSequence == number)).Grant.Tag;
    }

    private static Played Play(int[] order, (string Member, int Number)? flip, Stream? target = null)
    {
        RunLayout layout = new(Config);
        SingleProcessRun run = new(layout, Config);
        MemoryStream memory = new();
        RunRecordWriter writer = new(target ?? memory, RunRecording.HeadOf(layout, Config, int.MaxValue));
        run.Server.Record(writer);
        FlippedPlay.Play(run, order, Until, flip);
        return new Played(run, writer, memory);
    }

    private sealed record Played(SingleProcessRun Run, RunRecordWriter Writer, MemoryStream Memory) : IDisposable
    {
        internal IEnumerable<ulong> Digests => Run.Members.Select(member => member.Digest);

        internal RunRecord Read() => new(new MemoryStream(Memory.ToArray()));

        public void Dispose() => Writer.Dispose();
    }

    private sealed class FullDisk(long room) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Length + buffer.Length > room)
            {
                throw new IOException("No space left on the device.");
            }

            base.Write(buffer);
        }
    }
}
