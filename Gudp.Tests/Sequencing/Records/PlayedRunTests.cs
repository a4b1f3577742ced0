using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Records;
using Gudp.Sequencing.Time;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Records;

/// <summary>Runs of server and members, recorded from what the members were granted, and compared.</summary>
[TestFixture]
public sealed class PlayedRunTests
{
    private const int Until = 150;

    [Test]
    public void The_same_run_in_another_order_of_turns_is_equal()
    {
        using RunRecord left = Play([0, 1, 2], flip: null);
        using RunRecord right = Play([2, 1, 0], flip: null);

        RunDifference difference = RunDifference.Between(left, right);

        Assert.That(left.Grants, Is.GreaterThan(100));
        Assert.That(difference.IsEqual, Is.True, string.Join('\n', difference.Summary));
    }

    // The message is named where it first arrives, and who sent it.
    [Test]
    public void A_byte_that_one_member_sent_otherwise_is_named_with_its_sender([Range(1, 20)] int number)
    {
        string flipper = number % 2 == 0 ? "p" : "q";
        using RunRecord left = Play([0, 1, 2], flip: null);
        using RunRecord right = Play([1, 2, 0], (flipper, number));

        RunDifference difference = RunDifference.Between(left, right);

        Assert.That(difference.First!.Kind, Is.EqualTo(GrantDifferenceKind.Payload));
        Assert.That(difference.First.PayloadOffset, Is.EqualTo(number % 8));
        Assert.That(difference.First.LeftMessage!.Key.SubSequence, Is.EqualTo(number));
        Assert.That(difference.Summary[1], Does.Contain($"by \"{flipper}\""));
        Assert.That(difference.Members.Select(one => one.Tag), Is.All.GreaterThanOrEqualTo(difference.First.Tag));
    }

    private static RunRecord Play(int[] order, (string Member, int Number)? flip)
    {
        RunLayout layout = new(FlippedPlay.Config);
        SingleProcessRun run = new(layout, FlippedPlay.Config);
        MemoryStream stream = new();
        RunRecordWriter writer = new(stream, new RunRecordHead
        {
            ConfigHash = layout.ConfigHash,
            Configuration = ConfigurationText.Of(FlippedPlay.Config),
        });
        writer.AddChannel(0, "c");
        writer.AddChannel(1, "d");

        for (int i = 0; i < run.Members.Count; i++)
        {
            writer.AddMember(i, run.Members[i].Name);
        }

        int[] grants = new int[run.Members.Count];
        FlippedPlay.Play(run, order, Until, flip, (i, grant) => Record(writer, i, grants[i]++, grant));
        writer.Complete(run.Members[0].RunDigest ?? 0);
        return new RunRecord(stream);
    }

    private static void Record(RunRecordWriter writer, int member, int index, Grant grant)
    {
        foreach (SequencedMessage message in grant.Messages)
        {
            MessageKey key = new(message.Arrival, message.SendTag, message.SenderOrdinal, message.SubSequence, 0);
            writer.AddDelivery(key, message.Channel == "c" ? 0 : 1, message.Payload.Span);
        }

        writer.AddGrant(new RecordedGrant(member, index, grant.Tag, grant.Digest)
        {
            Flags = grant.IsFinal ? (byte)1 : (byte)0,
        });
    }
}
