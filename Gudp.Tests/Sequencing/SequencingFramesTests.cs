using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

[TestFixture]
public sealed class SequencingFramesTests
{
    [Test]
    public void Tags_keep_their_value_as_distances()
    {
        Tag[] tags = [Tag.Zero, new(0, 5), new(7, 0), new(7, 3), Tag.EndOf(7), new(1L << 61, 9), new(-4, 2)];

        foreach (Tag low in tags)
        {
            foreach (Tag high in tags.Where(tag => tag >= low))
            {
                FrameWriter writer = new();
                writer.WriteDistance(low, high);
                writer.WriteDistanceBack(high, low);
                FrameReader reader = new(writer.Written);

                Assert.That(reader.ReadDistance(low), Is.EqualTo(high));
                Assert.That(reader.ReadDistanceBack(high), Is.EqualTo(low));
                Assert.That(reader.IsComplete);
            }
        }
    }

    [Test]
    public void A_grant_has_its_bytes()
    {
        FrameWriter writer = new();
        new GrantFrame(1, 1, new Tag(7, 2), 3, new Tag(7, 2), GrantFlags.Final, 0x0102030405060708).Write(writer, 1, 2);

        Assert.That(Convert.ToHexString(writer.Written), Is.EqualTo(
            "84" + "01" + "02" + "8000001E" + "01" + "01" + "000000000000000702" + "03" + "000000000000000702" + "01"
            + "0102030405060708"));
    }

    [Test]
    public void Every_frame_comes_back_as_it_was_written()
    {
        WelcomeFrame welcome = new(3, 5, Tag.Zero, new Tag(1, 2), 77) { AppliedStep = 6, DurableStep = 4 };
        RefusalFrame refusal = new(SequencingError.NameTaken, "taken", 9);
        GrantFrame grant = new(4, 4, Tag.Infinity, 2, Tag.Infinity, GrantFlags.Final, 99);
        PeerEventFrame peerEvent = new("plant", PeerEventKind.Joined, Tag.Zero);
        EndFrame end = new(12, 34);
        HeartbeatFrame heartbeat = new(1, new Tag(2, 3), 4);

        FrameWriter writer = new();
        welcome.Write(writer, 1, 1);
        refusal.Write(writer, FrameType.Reject, 1, 1);
        grant.Write(writer, 1, 1);
        peerEvent.Write(writer, 1, 1);
        end.Write(writer, 1, 1);
        heartbeat.Write(writer, 1, 1);
        FrameReader message = new(writer.Written);

        Assert.That(WelcomeFrame.TryRead(Body(ref message), out WelcomeFrame readWelcome) && readWelcome == welcome);
        Assert.That(RefusalFrame.TryRead(Body(ref message), out RefusalFrame readRefusal) && readRefusal == refusal);
        Assert.That(GrantFrame.TryRead(Body(ref message), out GrantFrame readGrant) && readGrant == grant);
        Assert.That(PeerEventFrame.TryRead(Body(ref message), out PeerEventFrame readEvent) && readEvent == peerEvent);
        Assert.That(EndFrame.TryRead(Body(ref message), out EndFrame readEnd) && readEnd == end);
        Assert.That(HeartbeatFrame.TryRead(Body(ref message), out HeartbeatFrame readBeat) && readBeat == heartbeat);
        Assert.That(message.IsComplete);
    }

    private static readonly AdvanceRequest[] Requests =
    [
        new(AdvanceMode.To, new Tag(9, 3), default),
        new(AdvanceMode.To, Tag.EndOf(9), default),
        new(AdvanceMode.Next, Tag.Infinity, default),
        new(AdvanceMode.Next, new Tag(9, 0), new Grid(5, 3, 1)),
    ];

    [TestCaseSource(nameof(Requests))]
    public void A_request_comes_back_as_it_was_written(object boxed)
    {
        AdvanceRequest request = (AdvanceRequest)boxed;
        FrameWriter writer = new();
        CommitElements.WritePublication(writer, 2, 5, new Tag(6, 1), "hello"u8);
        CommitElements.WritePromise(writer, 5, Tag.Infinity);
        CommitElements.WriteLookahead(writer, Delay.Of(3, 1));
        CommitElements.WriteRequest(writer, 5, request);
        CommitElements.WriteDigest(writer, 42);

        CommitReader reader = new(writer.Written, 5);

        Assert.That(reader.TryNext(out CommitElement publication) && publication.Payload.SequenceEqual("hello"u8));
        Assert.That(publication.Tag, Is.EqualTo(new Tag(6, 1)));
        Assert.That(reader.TryNext(out CommitElement promise) && promise.Tag == Tag.Infinity);
        Assert.That(reader.TryNext(out CommitElement lookahead) && lookahead.Lookahead == Delay.Of(3, 1));
        Assert.That(reader.TryNext(out CommitElement asked) && asked.Request == request);
        Assert.That(reader.TryNext(out CommitElement digest) && digest.Digest == 42);
        Assert.That(!reader.TryNext(out _) && !reader.IsMalformed);
    }

    [Test]
    public void Elements_out_of_order_are_malformed()
    {
        FrameWriter writer = new();
        CommitElements.WritePromise(writer, 0, 5);
        CommitElements.WritePublication(writer, 0, 0, 5, "x"u8);
        CommitReader reader = new(writer.Written, 0);

        Assert.That(reader.TryNext(out _));
        Assert.That(reader.TryNext(out _), Is.False);
        Assert.That(reader.IsMalformed);
    }

    [Test]
    public void No_bytes_make_a_reader_throw([Range(1, 50)] int seed)
    {
        Prng draws = new((ulong)seed);

        for (int i = 0; i < 2_000; i++)
        {
            byte[] bytes = new byte[draws.NextBelow(80)];

            for (int at = 0; at < bytes.Length; at++)
            {
                // Small values are likelier to get past the first numbers.
                bytes[at] = (byte)(draws.NextChance(700_000) ? draws.NextBelow(12) : draws.NextBelow(256));
            }

            Assert.That(() => ReadEverything(bytes), Throws.Nothing);
        }
    }

    private static void ReadEverything(ReadOnlySpan<byte> bytes)
    {
        HelloFrame.TryRead(new Frame(FrameType.Hello, 1, 1, bytes), out _);
        WelcomeFrame.TryRead(bytes, out _);
        RefusalFrame.TryRead(bytes, out _);
        GrantFrame.TryRead(bytes, out _);
        HealthFrame.TryRead(bytes, out _, out _, []);
        HealthFrame.TryReadReleased(bytes, out _, out _, out _);
        WhoBlocksFrame.TryRead(bytes, out _);
        PeerEventFrame.TryRead(bytes, out _);
        EndFrame.TryRead(bytes, out _);
        HeartbeatFrame.TryRead(bytes, out _);

        FrameReader message = new(bytes);

        while (Frame.TryNext(ref message, out _))
        {
        }

        CommitReader commit = new(bytes, new Tag(5, 1));

        while (commit.TryNext(out _))
        {
        }

        FrameReader records = new(bytes);

        while (!records.IsAtEnd)
        {
            DeliveryRecord.Read(ref records, new Tag(5, 1));
        }
    }

    private static ReadOnlySpan<byte> Body(ref FrameReader message)
    {
        Assert.That(Frame.TryNext(ref message, out Frame frame));
        Assert.That((frame.Epoch, frame.Session), Is.EqualTo((1UL, 1UL)));
        return frame.Body;
    }
}
