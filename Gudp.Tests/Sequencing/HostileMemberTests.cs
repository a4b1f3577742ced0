using Gudp.Core;
using Gudp.Core.Simulation;
using Gudp.Messaging;
using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using Gudp.Tests.World;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>Members that mean harm cost the server a bounded amount, and the others nothing.</summary>
[TestFixture]
public sealed class HostileMemberTests
{
    private const long Stranger = 99;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    [Test]
    public void A_message_of_a_thousand_wrong_frames_is_answered_once()
    {
        SingleProcessRun run = new(Config());
        byte[] emptyHello = [(byte)FrameType.Hello, 0, 0, 0];

        run.Inject(Stranger, [.. Enumerable.Repeat(emptyHello, 1_000).SelectMany(frame => frame)]);

        Assert.That(run.Down[Stranger], Has.Count.EqualTo(1));
        Assert.That(run.Server.Refusals, Is.EqualTo(1));
    }

    [Test]
    public void A_hello_cannot_order_memory_for_more_channels_than_a_member_may_have()
    {
        FrameWriter body = new();
        body.WriteNumber(RunLayout.ProtocolVersion);
        body.WriteBytes(new byte[16]);
        body.WriteText("a");
        body.WriteBlock([]);
        body.WriteUInt64(0);
        body.WriteNumber(0);
        body.WriteDelay(Delay.OneRound);
        body.WriteNumber(SequencingRules.MaxInterests + 1);
        body.WriteBytes(new byte[(3 * (SequencingRules.MaxInterests + 1)) + 2]);

        bool isRead = HelloFrame.TryRead(new Frame(FrameType.Hello, 0, 0, body.Written), out HelloFrame hello);

        Assert.That(isRead, Is.False);
        Assert.That(hello.Interests, Is.Empty);
    }

    [TestCase(1, 10_000)]
    [TestCase(1_000, 0)]
    public void A_sender_that_never_asks_cannot_fill_an_inbox(int messages, int payloadBytes)
    {
        SequencingConfig config = Config();
        SingleProcessRun run = new(config);
        run.Settle();
        SequencingError error = SequencingError.None;
        byte[] payload = new byte[payloadBytes];

        for (ulong step = 1; error == SequencingError.None && step < 100; step++)
        {
            FrameWriter writer = new();
            writer.BeginFrame(FrameType.Commit, 1, 1);
            writer.WriteNumber(step);

            for (int i = 0; i < messages; i++)
            {
                CommitElements.WritePublication(writer, 0, 0, 5, payload);
            }

            writer.EndFrame();
            run.Down[0].Clear();
            run.Inject(0, writer.Written.ToArray());
            error = ErrorOf(run.Down[0]);
        }

        ArrivalQueue inbox = run.Server.Members.All[1].Inbox;
        Assert.That(error, Is.EqualTo(SequencingError.InboxLimit));
        Assert.That(inbox.Bytes, Is.InRange(config.MaxInboxBytes / 4, config.MaxInboxBytes));
        Assert.That(inbox.Bytes, Is.EqualTo(inbox.Count * (payloadBytes + 64L)));
    }

    [Test]
    public void A_member_that_never_reads_is_closed_and_the_run_goes_on_without_it()
    {
        using SimWorld world = new(1);
        world.Network.DefaultLink = new LinkModel { Delay = TimeSpan.FromMilliseconds(5) };
        Node home = world.AddNode();
        Node node = world.AddNode();
        using SequenceServer server = new(home.Daemon, home.Host.Address.WithPort(7000), Config(), Messaging);
        using MessageEndpoint endpoint = new(node.Daemon, node.Host.Address, Messaging);
        using Peer silent = endpoint.Connect(server.LocalAddress);
        byte[] unknownMember = HelloOf(new string('z', 255));

        // It asks and asks, and takes none of the answers.
        world.RunUntil(
            () =>
            {
                for (int i = 0; i < 100 && silent.TrySend(unknownMember) == SendStatus.Accepted; i++)
                {
                }

                return silent.Status.IsFinal;
            },
            Limit);

        Assert.That(silent.CloseReason!.Code, Is.EqualTo(CloseCode.CreditExceeded));
        Assert.That(home.Daemon.Fault, Is.Null);
        Assert.That(server.Refusals, Is.LessThan(100_000));
        Assert.That(server.ReadCounters().LinksGivenUp, Is.EqualTo(1));
    }

    private static MessagingConfig Messaging => new()
    {
        Core = SimWorld.Plain,
        LaneRingBytes = 64 * 1024,
        MaxMessageBytes = 128 * 1024,
    };

    private static SequencingConfig Config() => new()
    {
        Roster =
        [
            new MemberDeclaration("a") { Publish = ["x"], CrashPolicy = CrashPolicy.Resign },
            new MemberDeclaration("b") { Subscribe = ["x"] },
        ],
        MaxPayloadBytes = 10_000,
        MaxInboxBytes = 100_000,
    };

    private static byte[] HelloOf(string name)
    {
        FrameWriter writer = new();
        HelloFrame.Write(writer, default, 0, new MemberDeclaration(name), []);
        return writer.Written.ToArray();
    }

    private static SequencingError ErrorOf(Queue<byte[]> answers)
    {
        if (!answers.TryPeek(out byte[]? message))
        {
            return SequencingError.None;
        }

        FrameReader reader = new(message);
        return Frame.TryNext(ref reader, out Frame frame) && RefusalFrame.TryRead(frame.Body, out RefusalFrame refusal)
            ? refusal.Error
            : SequencingError.None;
    }
}
