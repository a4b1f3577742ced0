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
