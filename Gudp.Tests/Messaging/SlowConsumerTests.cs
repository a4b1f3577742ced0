using Gudp.Core;
using Gudp.Messaging;
using Gudp.Messaging.Status;
using NUnit.Framework;

namespace Gudp.Tests.Messaging;

/// <summary>R11, D-13.3: who does not read is found, named, told at growing stages, and at the last one dealt with.</summary>
[TestFixture]
public sealed class SlowConsumerTests
{
    private const int LimitSteps = 20;

    private static readonly MessagingConfig Watching = new()
    {
        SlowConsumerLimit = TimeSpan.FromMilliseconds(LimitSteps),
        LaneRingBytes = 64 * 1024,
    };

    [Test]
    public void R11_an_application_that_does_not_read_is_told_at_each_stage()
    {
        using SessionPair pair = SessionPair.Opened(config: Watching);
        pair.Client.Peer.TrySend(new byte[100], new SendOptions { Lane = 3 });
        List<int> stages = [];

        for (int step = 0; step < 15 * LimitSteps; step++)
        {
            pair.Step();

            if (pair.Server.Peer.SlowConsumer is { } report && (stages.Count == 0 || stages[^1] != report.Stage))
            {
                stages.Add(report.Stage);
            }
        }

        Assert.That(stages, Is.EqualTo(new[] { 1, 3, 6, 10 }));
        Assert.That(pair.Server.Peer.ReadCounters().SlowStages, Is.EqualTo(4));
        Assert.That(pair.Server.CloseReason, Is.Null);
        Assert.That(
            pair.Server.Peer.SlowConsumer!.ToString(),
            Does.Match("^lane 3: this application has not read for 0\\.2 s; [0-9]+ bytes wait$"));
    }

    [Test]
    public void R11_a_peer_that_gives_no_credit_is_told_to_the_sender()
    {
        using SessionPair pair = SessionPair.Opened(config: Watching);
        RunUntilFull(pair);

        pair.Run(4 * LimitSteps);

        SlowConsumerReport report = pair.Client.Peer.SlowConsumer!;
        Assert.That(report.Who, Is.EqualTo(SlowParty.PeerApplication));
        Assert.That(report.Lane, Is.EqualTo(1));
        Assert.That(report.Waited, Is.AtLeast(Watching.SlowConsumerLimit));
        Assert.That(report.Bytes, Is.Positive);
    }

    [Test]
    public void R11_who_reads_again_is_slow_no_more_and_the_stages_begin_anew()
    {
        using SessionPair pair = SessionPair.Opened(config: Watching);
        pair.Client.Peer.TrySend(new byte[100]);
        pair.Run(5 * LimitSteps);
        SlowConsumerReport? before = pair.Server.Peer.SlowConsumer;

        ReadAll(pair.Server.Peer);
        pair.Run(2 * LimitSteps);
        SlowConsumerReport? after = pair.Server.Peer.SlowConsumer;
        pair.Client.Peer.TrySend(new byte[100]);
        pair.Run((2 * LimitSteps) + 5);

        Assert.That(before?.Stage, Is.EqualTo(3));
        Assert.That(after, Is.Null);
        Assert.That(pair.Server.Peer.SlowConsumer?.Stage, Is.EqualTo(1));
    }

    [Test]
    public void R11_a_reader_just_fast_enough_is_never_slow()
    {
        using SessionPair pair = SessionPair.Opened(config: Watching);

        for (int round = 0; round < 50; round++)
        {
            pair.Client.Peer.TrySend(new byte[5_000]);
            pair.Run(LimitSteps - 5);
            ReadAll(pair.Server.Peer);
        }

        Assert.That(pair.Server.Peer.ReadCounters().SlowStages, Is.Zero);
        Assert.That(pair.Client.Peer.ReadCounters().SlowStages, Is.Zero);
    }

    [Test]
    public void R11_a_message_that_arrives_slowly_is_not_its_readers_fault()
    {
        PathModel thin = new() { PacketsPerStep = 1, FrameBytes = 64, MostDelaySteps = 3 };
        using SessionPair pair = SessionPair.Opened(path: thin, config: Watching);
        pair.Client.Peer.TrySend(new byte[8_000]);

        pair.Run(6 * LimitSteps);

        Assert.That(pair.Server.Peer.TryReceive(out _), Is.False);
        Assert.That(pair.Server.Peer.ReadCounters().SlowStages, Is.Zero);
    }

    [Test]
    public void R11_at_ten_times_the_limit_the_rule_may_be_to_disconnect()
    {
        using SessionPair pair = SessionPair.Opened(config: Watching with { WhenSlow = SlowPolicy.Disconnect });
        pair.Client.Peer.TrySend(new byte[100]);

        pair.Run(10 * LimitSteps);
        CloseReason? before = pair.Server.CloseReason;
        pair.Run(2 * LimitSteps);

        Assert.That(before, Is.Null);
        Assert.That(pair.Server.CloseReason!.Code, Is.EqualTo(CloseCode.SlowConsumer));
        Assert.That(pair.Server.CloseReason.Detail, Does.Contain("this application has not read"));
    }

    [Test]
    public void R11_a_sink_is_told()
    {
        RecordingSink sink = new();
        using SessionPair pair = SessionPair.Opened(config: Watching, clientSink: sink);
        RunUntilFull(pair);

        pair.Run(4 * LimitSteps);

        Assert.That(sink.Changes, Has.Member(PeerChange.Slow));
    }

    [Test]
    public void R11_a_limit_of_zero_looks_for_nobody()
    {
        using SessionPair pair = SessionPair.Opened(config: Watching with { SlowConsumerLimit = TimeSpan.Zero });
        pair.Client.Peer.TrySend(new byte[100]);

        pair.Run(20 * LimitSteps);

        Assert.That(pair.Server.Peer.ReadCounters().SlowStages, Is.Zero);
        Assert.That(pair.Server.Session.NextDeadline, Is.EqualTo(Instant.Never));
    }

    [Test]
    public void R11_an_idle_session_has_no_deadline()
    {
        using SessionPair pair = SessionPair.Opened(config: Watching);
        pair.Client.Peer.TrySend(new byte[100]);
        pair.Run(5);
        ReadAll(pair.Server.Peer);

        pair.Run(4 * LimitSteps);

        Assert.That(pair.Server.Session.NextDeadline, Is.EqualTo(Instant.Never));
        Assert.That(pair.Client.Session.NextDeadline, Is.EqualTo(Instant.Never));
    }

    [Test]
    public void R20_what_a_stalled_peer_holds_is_bounded_and_comes_back_when_it_is_given_up()
    {
        MessagingConfig config = Watching with { WhenSlow = SlowPolicy.Disconnect };
        using SessionPair pair = SessionPair.Opened(config: config);
        RunUntilFull(pair);
        long held = pair.Client.Memory.UsedBytes;

        pair.RunUntil(() => pair.Client.CloseReason is not null, 20 * LimitSteps);
        pair.End();
        pair.Server.Peer.Dispose();

        Assert.That(held, Is.Positive.And.AtMost(config.PeerMemoryBytes));
        Assert.That(pair.Client.CloseReason!.Code, Is.EqualTo(CloseCode.SlowConsumer));
        Assert.That(pair.Client.Memory.UsedBytes, Is.Zero);
        Assert.That(pair.Server.Memory.UsedBytes, Is.Zero);
    }

    private static void RunUntilFull(SessionPair pair)
    {
        while (pair.Client.Peer.TrySend(new byte[4_000]) == SendStatus.Accepted)
        {
            pair.Step();
        }
    }

    private static void ReadAll(Peer peer)
    {
        while (peer.TryReceive(out ReceivedMessage message))
        {
            message.Dispose();
        }
    }
}
