using Gudp.Sequencing;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Records;

/// <summary>The record that a member writes for itself (docs/protocol/record.md).</summary>
[TestFixture]
public sealed class MemberRecordTests
{
    [Test]
    public void Its_record_has_its_grants_and_batches_and_is_complete_when_the_run_has_ended()
    {
        using RunRecord record = new(Play(30, out ulong digest, out ulong runDigest));

        Assert.That(record.Head.RecordedBy, Is.EqualTo(1));
        Assert.That(record.RunDigest, Is.EqualTo(runDigest));
        Assert.That(record.Members[1].LastDigest, Is.EqualTo(digest));
        Assert.That(record.Members[1].Deliveries, Is.EqualTo(30));
        Assert.That(record.Members[0].EndGrant, Is.EqualTo(record.Members[0].FirstGrant), "only its own");
        Assert.That(record.ReadGrants().Select(batch => batch.Grant.Index), Is.EqualTo(Enumerable.Range(0, 32)));
    }

    [Test]
    public void Two_records_of_the_same_member_are_equal_and_of_another_run_are_not()
    {
        using RunRecord first = new(Play(30, out _, out _));
        using RunRecord second = new(Play(30, out _, out _));
        using RunRecord other = new(Play(29, out _, out _));

        Assert.That(RunDifference.Between(first, second).IsEqual, Is.True);
        Assert.That(RunDifference.Between(first, other).First!.Member, Is.EqualTo("b"));
    }

    // A view makes no grant, and is recorded all the same.
    [Test]
    public void Grants_that_are_looked_at_in_place_stand_in_it_too()
    {
        KeptStream stream = new();
        SequenceHost host = new(Config());
        SequenceClient a = host.Join("a");
        SequenceClient b = host.Join(Options(host, stream));
        b.WaitForGrant(Timeout.InfiniteTimeSpan);
        a.WaitForGrant(Timeout.InfiniteTimeSpan);

        for (int i = 1; i <= 6; i++)
        {
            a.Publish("x", [(byte)i]);
            a.RequestTo(i + 1);
            b.RequestTo(i);
            Tag at = i % 3 == 0 ? b.WaitForGrant(Timeout.InfiniteTimeSpan).Tag : b.ReadGrant(Timeout.InfiniteTimeSpan).Tag;
            Assert.That(at.Time, Is.EqualTo(i));
            a.WaitForGrant(Timeout.InfiniteTimeSpan);
        }

        b.Dispose();
        Assert.That(b.RecordFailure, Is.Null);
        using RunRecord record = new(new MemoryStream(stream.Written));
        Assert.That(record.ReadGrants().Select(batch => batch.Grant.Index), Is.EqualTo(Enumerable.Range(0, 7)));
        Assert.That(record.Members[1].Deliveries, Is.GreaterThan(3));
    }

    [Test]
    public void An_observer_has_one_too()
    {
        KeptStream stream = new();
        SequenceHost host = new(Config());
        SequenceClient a = host.Join("a");
        SequenceClient b = host.Join("b");
        a.WaitForGrant(Timeout.InfiniteTimeSpan);
        b.WaitForGrant(Timeout.InfiniteTimeSpan);
        a.RequestTo(5);
        b.RequestTo(5);
        SequenceClient eye = host.Join(new MemberOptions("eye")
        {
            Subscribe = ["x"],
            Observes = true,
            ConfigHash = host.ConfigHash,
            Recording = new RunRecording { Stream = stream },
        });

        eye.WaitForGrant(Timeout.InfiniteTimeSpan);
        eye.AdvanceTo(4, Timeout.InfiniteTimeSpan);
        ulong digest = eye.Digest;
        eye.Dispose();

        Assert.That(eye.RecordFailure, Is.Null);
        using RunRecord record = new(new MemoryStream(stream.Written));
        Assert.That(record.Members.Single(member => member.Name == "eye").LastDigest, Is.EqualTo(digest));
    }

    [Test]
    public void A_file_that_cannot_be_made_takes_no_grant_away()
    {
        SequenceHost host = new(Config());
        host.Join("a");
        SequenceClient b = host.Join(new MemberOptions(Options(host, Stream.Null))
        {
            Recording = new RunRecording { Path = Path.Combine(Path.GetTempPath(), "no such folder here", "b.rec") },
        });

        Grant start = b.WaitForGrant(Timeout.InfiniteTimeSpan);

        Assert.That(start.Tag, Is.EqualTo(Tag.Zero));
        Assert.That(b.RecordFailure, Is.InstanceOf<IOException>());
    }

    // Two grants that nobody took: the record ends, and the run goes on.
    [Test]
    public void A_grant_that_was_never_taken_ends_the_record_and_not_the_run()
    {
        SequenceHost host = new(Config());
        SequenceClient a = host.Join("a");
        SequenceClient b = host.Join(Options(host, new KeptStream()));
        b.WaitForGrant(Timeout.InfiniteTimeSpan);
        a.RequestTo(100);

        for (int i = 1; i <= 3; i++)
        {
            b.RequestTo(i);
            b.WhoBlocks(TimeSpan.Zero + TimeSpan.FromSeconds(1));
            host.Turn();
            b.WhoBlocks(TimeSpan.FromSeconds(1));
        }

        List<long> taken = [];

        while (b.TryTakeGrant(out Grant? grant))
        {
            taken.Add(grant.Tag.Time);
        }

        Assert.That(taken, Is.EqualTo((long[])[2, 3]));
        Assert.That(b.RecordFailure, Is.InstanceOf<InvalidOperationException>());
    }

    private static SequencingConfig Config() => new()
    {
        Roster = [new("a") { Publish = ["x"], Lookahead = Delay.Ticks(1) }, new("b") { Subscribe = ["x"] }],
    };

    private static MemberOptions Options(SequenceHost host, Stream stream) => new("b")
    {
        Subscribe = ["x"],
        ConfigHash = host.ConfigHash,
        Recording = new RunRecording { Stream = stream },
    };

    private static MemoryStream Play(int messages, out ulong digest, out ulong runDigest)
    {
        KeptStream stream = new();
        SequenceHost host = new(new SequencingConfig
        {
            Roster = [new("a") { Publish = ["x"], Lookahead = Delay.Ticks(1) }, new("b") { Subscribe = ["x"] }],
        });
        host.Add("a", async a =>
        {
            for (int i = 1; i <= messages; i++)
            {
                a.Publish("x", BitConverter.GetBytes(i));
                await a.AdvanceToAsync(i);
            }

            await a.ResignAsync();
        });
        SequenceClient b = host.Join(new MemberOptions("b")
        {
            Subscribe = ["x"],
            ConfigHash = host.ConfigHash,
            Recording = new RunRecording { Stream = stream },
        });
        b.WaitForGrant(Timeout.InfiniteTimeSpan);

        for (int i = 1; i <= messages + 1; i++)
        {
            b.AdvanceTo(i, Timeout.InfiniteTimeSpan);
        }

        b.Resign(Timeout.InfiniteTimeSpan);
        b.WaitForEnd(Timeout.InfiniteTimeSpan);
        (digest, runDigest) = (b.Digest, host.RunDigest);
        b.Dispose();
        Assert.That(b.RecordFailure, Is.Null);
        return new MemoryStream(stream.Written);
    }

    /// <summary>What was written outlives the writer.</summary>
    private sealed class KeptStream : MemoryStream
    {
        internal byte[] Written { get; private set; } = [];

        protected override void Dispose(bool disposing)
        {
            Written = disposing ? ToArray() : Written;
            base.Dispose(disposing);
        }
    }
}
