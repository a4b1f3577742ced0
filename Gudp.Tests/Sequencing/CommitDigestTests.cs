using System.Buffers.Binary;
using System.Text;
using Gudp.Sequencing;
using Gudp.Sequencing.Members;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>Clauses: what a member said, and what it said of its own state.</summary>
[TestFixture]
public sealed class CommitDigestTests
{
    [Test]
    public void A_publication_has_its_record()
    {
        CommitDigest digest = new("a");
        ulong start = XxHash64.Hash(0, [.. "gudp-cd/1"u8, 0, (byte)'a']);
        CommitElement element = new() { Kind = ElementKind.Publication, Tag = new Tag(7, 2), Payload = "hi"u8 };
        ulong channel = Digest.ChannelKey("o");

        Assert.That(digest.Value, Is.EqualTo(start));
        digest.AddPublication(new Tag(5, 1), channel, in element, 3);

        byte[] record =
        [
            1, .. Little(5), .. Little(1, 4), .. Little(3), .. Little((long)channel), .. Little(7), .. Little(2, 4),
            .. Little(2, 4), .. "hi"u8,
        ];
        Assert.That(digest.Value, Is.EqualTo(XxHash64.Hash(start, record)));
        Assert.That(digest.Count, Is.EqualTo(1));
    }

    [Test]
    public void A_request_has_its_record()
    {
        CommitDigest digest = new("a");
        ulong start = digest.Value;

        digest.AddRequest(5, new AdvanceRequest(AdvanceMode.Next, Tag.EndOf(9), new Grid(4, 3, 2)));

        byte[] record =
        [
            9, .. Little(5), .. Little(0, 4), 2, .. Little(9), .. Little(-1, 4), .. Little(4), .. Little(3), .. Little(2),
        ];
        Assert.That(digest.Value, Is.EqualTo(XxHash64.Hash(start, record)));
    }

    [Test]
    public void A_state_checksum_has_its_record_and_is_in_no_digest()
    {
        StateChecksums checksums = new("a");
        ulong start = XxHash64.Hash(0, [.. "gudp-sc/1"u8, 0, (byte)'a']);

        checksums.Add(new Tag(5, 1), 77);

        Assert.That(checksums.Value, Is.EqualTo(XxHash64.Hash(start, [.. Little(5), .. Little(1, 4), .. Little(77)])));
        Assert.That((checksums.Last, checksums.LastTag), Is.EqualTo((77UL, new Tag(5, 1))));
    }

    // Commit boundaries, and what was delivered, are not part of it; the network of a channel is not what is said.
    [Test]
    public void What_a_member_said_counts_and_neither_how_often_it_flushed_nor_what_it_was_told()
    {
        (ulong Said, ulong Told) whole = Play(flushes: false, text: "m", checksum: 1);
        (ulong Said, ulong Told) split = Play(flushes: true, text: "m", checksum: 1);
        (ulong Said, ulong Told) summed = Play(flushes: false, text: "m", checksum: 2);
        (ulong Said, ulong Told) other = Play(flushes: false, text: "n", checksum: 1);

        Assert.That(split, Is.EqualTo(whole));
        Assert.That(summed, Is.EqualTo(whole));
        Assert.That(other.Said, Is.Not.EqualTo(whole.Said));
    }

    private static (ulong Said, ulong Told) Play(bool flushes, string text, ulong checksum)
    {
        SequencingConfig config = new()
        {
            Roster = [new MemberDeclaration("a") { Publish = ["x"] }, new MemberDeclaration("b") { Subscribe = ["x"] }],
        };
        SingleProcessRun run = new(config);
        run.Settle();
        run["a"].Publish("x", Encoding.UTF8.GetBytes(text), 5);

        if (flushes)
        {
            run["a"].Flush();
        }

        run["a"].Publish("x", "second"u8, 6);
        run["a"].Checksum(checksum);
        run["a"].Request(AdvanceMode.To, 9);
        run["b"].Request(AdvanceMode.To, 7);
        run.Settle();

        Member said = run.Server.Members.Find("a")!;
        Assert.That((said.Checksums.Last, said.Checksums.Count), Is.EqualTo((checksum, 1L)));
        Assert.That(run["a"].CommitDigest, Is.EqualTo(said.CommitDigest.Value));
        return (said.CommitDigest.Value, run["b"].Digest);
    }

    private static byte[] Little(long value, int bytes = 8)
    {
        byte[] all = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(all, value);
        return all[..bytes];
    }
}
