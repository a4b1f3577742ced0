using Gudp.Bench.Messages;
using Gudp.Messaging;
using Gudp.Messaging.Wire;
using Gudp.Tests.House;
using NUnit.Framework;

namespace Gudp.Tests.Bench;

/// <summary>The table of docs/README.md is that of the wire format, and the format's is that of the code.</summary>
[TestFixture]
public sealed class WireOverheadTests
{
    // Of four bytes as a number on the wire.
    private const long Typical = 1 << 20;
    private const int Lane = 3;

    [Test]
    public void The_head_of_a_frame_is_what_the_writer_takes()
    {
        Assert.That(LaneFrameWriter.DataOverhead(Lane, Typical, withOpen: false), Is.EqualTo(WireOverhead.LaneFrame));
        Assert.That(LaneFrameWriter.MessageOverhead(Lane, Typical, withOpen: false), Is.EqualTo(WireOverhead.MessageFrame));
    }

    // 17 bytes of the packet and 8 of the frame leave 1,427 for 41 messages with 2 bytes of head and the begin of one more.
    [Test]
    public void Small_messages_of_an_ordered_lane_share_the_head_of_a_frame()
        => Assert.That(
            WireOverhead.PerMessage(LaneMode.OrderedReliable, 32), Is.EqualTo((34.0 * 1_452 / 1_427) - 32).Within(1e-9));

    // 35 messages of 41 bytes fill all 1,435 bytes.
    [Test]
    public void Each_message_of_another_lane_has_a_head_of_its_own()
    {
        Assert.That(WireOverhead.PerMessage(LaneMode.Unreliable, 32), Is.EqualTo(9 + (17.0 / 35)).Within(1e-9));
        Assert.That(WireOverhead.PerMessage(LaneMode.Unreliable, 1_024), Is.EqualTo(9 + 17).Within(1e-9));
    }

    [Test]
    public void Fragments_cost_more_than_a_stream_and_less_than_a_packet_each()
    {
        double stream = WireOverhead.PerMessage(LaneMode.OrderedReliable, 16_384);
        double fragments = WireOverhead.PerMessage(LaneMode.UnorderedReliable, 16_384);

        Assert.That(fragments, Is.GreaterThan(stream).And.LessThan(2 * stream));
    }

    [Test]
    public void The_readme_of_the_documents_shows_the_table()
        => Assert.That(
            File.ReadAllText(Repository.PathOf("docs", "README.md")), Does.Contain(MessagesTables.Format().ToMarkdown()));
}
