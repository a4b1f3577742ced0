using System.Reflection;
using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Config;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing;

/// <summary>
/// Hostile input is always counted: every error code of lock-time section 20 is brought about once, and its public count
/// is one higher afterwards.
/// </summary>
[TestFixture]
public sealed class RefusalCountTests
{
    private const long Stranger = 99;
    private const long Operator = 98;

    private static readonly (SequencingError Error, Action<SingleProcessRun> Cause)[] AtServer =
    [
        (SequencingError.PastTag, run =>
        {
            run.Server.AllowOperator(Operator);
            run.Inject(Operator, Frame(writer => new StopFrame(1, "o", Tag.Zero).Write(writer)));
        }),
        (SequencingError.AlreadyRequesting, run =>
        {
            run["a"].Request(AdvanceMode.To, 9);
            run.Settle();
            run.Inject(0, Commit(2, 1, writer => Publish(writer, 20)));
        }),
        (SequencingError.LookaheadViolation, run => run.Inject(0, Commit(1, 1, writer => Publish(writer, 12)))),
        (SequencingError.NotASender, run => run.Inject(2, Commit(1, 1, writer => CommitElements.WritePromise(writer, 0, 5)))),
        (SequencingError.UnknownChannel, run => run.Inject(
            0, Commit(1, 1, writer => CommitElements.WritePublication(writer, 9, 0, 20, "m"u8)))),
        (SequencingError.NotDeclared, run => run.Inject(Stranger, HelloOf(new MemberOptions("nobody")))),
        (SequencingError.ConfigMismatch, run => run.Inject(Stranger, HelloOf(MemberOptions.From(Config(), "a", 5)))),
        (SequencingError.NameTaken, run =>
        {
            run["a"].Request(AdvanceMode.To, 9);
            run.Settle();
            run.Inject(Stranger, HelloOf(MemberOptions.From(Config(), "a", run.Server.Run.Layout.ConfigHash)));
        }),
        (SequencingError.NotJoined, run => run.Inject(Stranger, Commit(1, 1, writer => Publish(writer, 20)))),
        (SequencingError.RoundLimit, run => run.Inject(0, Commit(1, 1, writer => Publish(writer, new Tag(20, 31))))),
        (SequencingError.Overflow, run => run.Inject(0, Commit(1, 1, writer => Publish(writer, (1L << 62) - 3)))),
        (SequencingError.Trimmed, run =>
        {
            FillLog(run);
            run.Inject(Stranger, HelloOf(new MemberOptions("eye") { Subscribe = ["state"], Observes = true, Join = 1 }));
        }),
        (SequencingError.WrongSequence, run => run.Inject(0, Commit(3, 1, writer => Publish(writer, 20)))),
        (SequencingError.StaleEpoch, run => run.Inject(0, Commit(1, 2, writer => Publish(writer, 20)))),
        (SequencingError.DigestMismatch, run => run.Inject(
            0, Commit(1, 1, writer => CommitElements.WriteDigest(writer, 1)))),
        (SequencingError.InboxLimit, run => run.Inject(0, Commit(1, 1, writer =>
        {
            for (int i = 0; i < 1_000; i++)
            {
                CommitElements.WritePublication(writer, 1, 0, 20, new byte[100]);
            }
        }))),
        (SequencingError.Stopped, run =>
        {
            run.Server.AllowOperator(Operator);
            run.Inject(Operator, Frame(writer => new StopFrame(1, "o", null).Write(writer)));
            AskAll(run, 50);
            run.Inject(0, Commit(2, 1, writer => Publish(writer, 90)));
        }),
        (SequencingError.TooLarge, run => run.Inject(
            0, Commit(1, 1, writer => CommitElements.WritePublication(writer, 1, 0, 20, new byte[101])))),
        (SequencingError.BadFrame, run => run.Inject(Stranger, [(byte)FrameType.Hello, 0, 0, 0])),
        (SequencingError.NotAllowed, run => run.Inject(Stranger, Frame(writer => new StatusQueryFrame(1, 0).Write(writer)))),
    ];

    private static IEnumerable<SequencingError> ServerErrors() => AtServer.Select(row => row.Error);

    [Test]
    public void Every_error_has_a_row_here_or_is_found_by_the_other_end()
        => Assert.That(
            ServerErrors().Concat([SequencingError.None, SequencingError.Diverged, SequencingError.ConnectionLost]),
            Is.EquivalentTo(Enum.GetValues<SequencingError>()));

    [TestCaseSource(nameof(ServerErrors))]
    public void What_the_server_refuses_is_counted_by_its_error(SequencingError error)
    {
        SingleProcessRun run = new(Config());
        run.Settle();
        RunCounters before = run.Server.ReadStatus(run.Now).Counters;

        Array.Find(AtServer, row => row.Error == error).Cause(run);

        RunCounters after = run.Server.ReadStatus(run.Now).Counters;
        Assert.That(before.RefusedTotal, Is.Zero);
        Assert.That((after.RefusedTotal, after.Refused(error)), Is.EqualTo((1, 1)), after.ToText());
        Assert.That(after.RefusedTotal, Is.EqualTo(run.Server.Refusals));
    }

    [Test]
    public void A_member_that_does_something_else_than_before_it_died_counts_that_it_diverged()
    {
        SingleProcessRun run = new(Config());
        run.Settle();
        run["a"].TryTakeGrant(out _);
        ResumeTicket ticket = run["a"].CreateTicket();
        run["a"].Publish("state", "m"u8, null);
        run["a"].Flush();
        run["a"].Request(AdvanceMode.To, 9);
        run.Settle();
        run.Lose(0);
        run.Down[0].Clear();
        run.Members[0] = new MemberEngine(ticket);
        run.Settle();

        run["a"].Request(AdvanceMode.To, 9);

        Assert.That(run["a"].Error, Is.EqualTo(SequencingError.Diverged), run["a"].ErrorDetail);
        Assert.That(run["a"].Tally.Read().Refused(SequencingError.Diverged), Is.EqualTo(1));
    }

    [Test]
    public void A_client_counts_its_refused_calls_and_the_end_of_its_connection()
    {
        SequenceHost host = new(Config());
        SequenceClient first = host.Join("a");
        host.Join("b");
        host.Join("c");
        first.WaitForGrant(Timeout.InfiniteTimeSpan);
        ResumeTicket ticket = first.CreateTicket();

        Assert.That(() => first.Publish("nowhere", "m"), Throws.TypeOf<SequencingException>());
        host.Resume(ticket);
        host.Run();
        Assert.That(() => first.TryTakeGrant(out _), Throws.TypeOf<SequencingException>());

        ClientCounters counters = first.ReadCounters();
        Assert.That(counters.Refused(SequencingError.UnknownChannel), Is.EqualTo(1));
        Assert.That(counters.Refused(SequencingError.ConnectionLost), Is.EqualTo(1));
        Assert.That(counters.RefusedTotal, Is.EqualTo(2));
        Assert.That(host.ReadCounters().SessionsResumed, Is.EqualTo(1));
    }

    [Test]
    public void Members_operators_and_readers_count_what_they_do_not_accept_and_what_means_nothing()
    {
        byte[] foreign = Frame(writer => new HeartbeatFrame(1, Tag.Zero, 0).Write(writer, 7, 7));
        byte[] unknown = [0xF7, 0, 0, 0];
        MemberEngine member = new(MemberOptions.From(Config(), "a"));
        OperatorEngine asker = new("o");
        LogFollower follower = new(HistoryStart.FromNumber(0));
        asker.AskStatus();

        foreach (byte[] message in (byte[][])[foreign, unknown, [1, 2, 3]])
        {
            member.HandleMessage(message);
            asker.HandleMessage(message);
            follower.HandleMessage(message);
        }

        // A heartbeat means nothing to an operator, and is what a reader waits for.
        ClientCounters[] all = [member.Tally.Read(), asker.Tally.Read(), follower.Tally.Read()];
        Assert.That(all.Select(one => one.FramesIgnored), Is.EqualTo(new[] { 2, 2, 1 }));
        Assert.That(all.Select(one => one.Refused(SequencingError.BadFrame)), Is.All.EqualTo(1));
    }

    [Test]
    public void Frames_of_unknown_types_are_counted_and_change_nothing()
    {
        SingleProcessRun run = new(Config());
        run.Settle();
        string before = RunDump.Of(run.Server);

        run.Inject(0, [0x70, 0, 0, 0, (byte)FrameType.Grant, 0, 0, 0]);

        Assert.That(run.Server.Counters.FramesIgnored, Is.EqualTo(2));
        Assert.That(RunDump.Of(run.Server), Is.EqualTo(before));
    }

    [Test]
    public void What_the_simulated_network_does_adds_up()
    {
        SequencingConfig config = new()
        {
            Roster = [new MemberDeclaration("a") { Publish = ["x"] }, new MemberDeclaration("b") { Subscribe = ["x"] }],
            Channels =
            [
                new ChannelDeclaration("x")
                {
                    SenderLossPpm = 100_000, ReceiverLossPpm = 200_000, ReceiverDuplicatePpm = 300_000,
                },
            ],
        };
        SingleProcessRun run = new(config);
        run.Settle();

        for (int i = 1; i <= 500; i++)
        {
            run["a"].Publish("x", "m"u8, i);
        }

        AskAll(run, 1_000);

        RunCounters counters = run.Server.Counters;
        Assert.That(counters.MessagesPublished, Is.EqualTo(500));
        Assert.That(counters.MessagesLostBySender, Is.InRange(20, 100));
        Assert.That(counters.MessagesLostByReceiver, Is.InRange(40, 150));
        Assert.That(counters.MessagesDuplicated, Is.InRange(60, 200));
        Assert.That(
            counters.MessagesDelivered,
            Is.EqualTo(500 - counters.MessagesLostBySender - counters.MessagesLostByReceiver + counters.MessagesDuplicated));
    }

    [Test]
    public void Every_counter_has_a_row_in_its_table()
    {
        Assert.That(NamesOf<RunCounters>(), Is.EquivalentTo(PlainRows(RunCounters.Table)));
        Assert.That(NamesOf<ClientCounters>(), Is.EquivalentTo(PlainRows(ClientCounters.Table)));
        Assert.That(
            RunCounters.Table.Rows.Select(row => row.Name).Take((int)RunCount.FirstRefused),
            Is.EqualTo(Enum.GetNames<RunCount>()[..^1]));
        Assert.That((int)RunCount.FirstRefused + SequenceCounts.LocalError, Is.LessThan(SequenceCounts.Places));
    }

    [Test]
    public void The_status_carries_every_count()
    {
        SequenceCounts counts = default;

        for (int i = 0; i < (int)RunCount.FirstRefused + SequenceCounts.LocalError; i++)
        {
            counts[i] = 1_000 + i;
        }

        RunStatus status = new([]) { Counters = new RunCounters(in counts) };
        FrameWriter writer = new();
        StatusFrame.WriteHead(writer, 1, status);
        writer.WriteBytes([0, 0, 0]);

        RunStatus? read = StatusFrame.Read(writer.Written, [], out _, out _);

        Assert.That(read!.Counters, Is.EqualTo(status.Counters));
    }

    private static IEnumerable<string> NamesOf<T>() => typeof(T)
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Select(property => property.Name)
        .Where(name => name is not ("RefusedTotal" or "Item"));

    private static IEnumerable<string> PlainRows<T>(CounterTable<T> table)
        where T : struct
        => table.Rows.Select(row => row.Name).Where(name => !name.Contains('.'));

    private static void FillLog(SingleProcessRun run)
    {
        for (int i = 0; i < 40; i++)
        {
            run["a"].Publish("state", "m"u8, 20 + i);
        }

        AskAll(run, 90);
    }

    private static void AskAll(SingleProcessRun run, Tag target)
    {
        foreach (MemberEngine member in run.Members)
        {
            member.TryTakeGrant(out _);
            member.Request(AdvanceMode.To, target);
        }

        run.Settle();
    }

    private static SequencingConfig Config() => new()
    {
        Roster =
        [
            new MemberDeclaration("a")
            {
                Publish = ["state"],
                Subscribe = ["control"],
                Lookahead = Delay.Ticks(15),
                MayStop = true,
            },
            new MemberDeclaration("b") { Publish = ["control"], Subscribe = ["state"] },
            new MemberDeclaration("c") { Subscribe = ["state"], Sends = false },
        ],
        Channels = [new ChannelDeclaration("state") { Latency = LatencyModel.Uniform(0, 5) }],
        MaxRounds = 30,
        MaxPayloadBytes = 100,
        MaxInboxBytes = 66_000,
        LogMessages = 10,
    };

    private static void Publish(FrameWriter writer, Tag at) => CommitElements.WritePublication(writer, 1, 0, at, "m"u8);

    private static byte[] HelloOf(MemberOptions options)
    {
        Assert.That(new MemberEngine(options).TryPeekOutgoing(out ReadOnlySpan<byte> hello));
        return hello.ToArray();
    }

    private static byte[] Commit(ulong step, ulong session, Action<FrameWriter> say) => Frame(writer =>
    {
        writer.BeginFrame(FrameType.Commit, 1, session);
        writer.WriteNumber(step);
        say(writer);
        writer.EndFrame();
    });

    private static byte[] Frame(Action<FrameWriter> write)
    {
        FrameWriter writer = new();
        write(writer);
        return writer.Written.ToArray();
    }
}
