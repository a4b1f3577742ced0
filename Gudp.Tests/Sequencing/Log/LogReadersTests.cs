using Gudp.Core;
using Gudp.Sequencing;
using Gudp.Sequencing.Engine;
using Gudp.Sequencing.Time;
using Gudp.Sequencing.Wire;
using NUnit.Framework;

namespace Gudp.Tests.Sequencing.Log;

/// <summary>What a server answers to those who read its log (clauses ).</summary>
[TestFixture]
public sealed class LogReadersTests
{
    private const long Reader = 77;

    [Test]
    public void A_fetch_gets_the_numbers_asked_for_and_no_others()
    {
        SingleProcessRun run = Filled(10);

        List<Answer> answers = Fetch(run, first: 4, count: 3);

        Assert.That(answers.SelectMany(answer => answer.Numbers), Is.EqualTo((long[])[4, 5, 6]));
        Assert.That(answers[^1].Next, Is.EqualTo(7));
    }

    [Test]
    public void Names_come_before_the_first_messages_and_not_again()
    {
        SingleProcessRun run = Filled(4);

        int first = NamesIn(Ask(run, new FetchFrame(1, 2, 0, 0)));
        int second = NamesIn(Ask(run, new FetchFrame(3, 2, 1, 1)));

        Assert.That((first, second), Is.EqualTo((2, 0)));
    }

    // H93: never silent.
    [Test]
    public void H93_below_the_oldest_kept_the_answer_is_trimmed_with_the_first_number()
    {
        SingleProcessRun run = Filled(40, new() { LogMessages = 10, Roster = Roster });

        List<byte[]> answer = Ask(run, new FetchFrame(5, 10, 0, 0));

        Assert.That(FramesOf(answer).Select(frame => frame.Type), Is.EqualTo((FrameType[])[FrameType.Trimmed]));
        Assert.That(TrimmedFrame.TryRead(FramesOf(answer)[0].Body, out TrimmedFrame trimmed), Is.True);
        Assert.That(trimmed.First, Is.EqualTo(run.Server.Run.Log.First).And.GreaterThan(25));
        Assert.That(run.Server.Counters.LogQuestionsTrimmed, Is.EqualTo(1));
    }

    [Test]
    public void Zero_asks_for_the_oldest_kept()
    {
        SingleProcessRun run = Filled(40, new() { LogMessages = 10, Roster = Roster });

        List<Answer> answers = Fetch(run, first: 0, count: 100);

        Assert.That(answers.SelectMany(answer => answer.Numbers).First(), Is.EqualTo(run.Server.Run.Log.First));
    }

    [Test]
    public void A_fetch_beyond_the_end_waits_and_is_answered_when_something_becomes_final()
    {
        SingleProcessRun run = Filled(3);
        List<byte[]> told = Ask(run, new FetchFrame(4, 10, 1, 1));

        Publish(run, 2);
        List<byte[]> answer = Taken(run);

        Assert.That(FramesOf(told).Select(frame => frame.Type), Is.EqualTo((FrameType[])[FrameType.Heartbeat]));
        Assert.That(AnswersIn(answer).SelectMany(one => one.Numbers), Is.EqualTo((long[])[4]).Or.EqualTo((long[])[4, 5]));
    }

    // S-E2: who waits is told again how far the log is.
    [Test]
    public void A_reader_that_waits_gets_heartbeats()
    {
        SingleProcessRun run = Filled(3);
        Ask(run, new FetchFrame(4, 10, 1, 1));

        run.Pass(TimeSpan.FromSeconds(1.1));
        List<Frame1> frames = FramesOf(Taken(run));

        Assert.That(frames.Select(frame => frame.Type), Does.Contain(FrameType.Heartbeat));
        Assert.That(HeartbeatFrame.TryRead(frames[^1].Body, out HeartbeatFrame heartbeat), Is.True);
        Assert.That(heartbeat.NextNumber, Is.EqualTo(4));
        Assert.That(heartbeat.Floor, Is.EqualTo(run.Server.Run.Log.Floor));
    }

    // S-E3: the end has the last number, and what is before it is still served.
    [Test]
    public void After_the_end_a_fetch_of_the_next_number_gets_the_end_and_older_ones_are_still_served()
    {
        SingleProcessRun run = Filled(5);
        run["a"].Resign();
        run.Settle();

        List<byte[]> end = Ask(run, new FetchFrame(6, 10, 1, 1));
        List<Answer> again = Fetch(run, first: 2, count: 3);

        Assert.That(EndFrame.TryRead(FramesOf(end)[0].Body, out EndFrame frame), Is.True);
        Assert.That(frame.LastNumber, Is.EqualTo(5));
        Assert.That(frame.RunDigest, Is.EqualTo(run.Server.RunDigest));
        Assert.That(again.SelectMany(answer => answer.Numbers), Is.EqualTo((long[])[2, 3, 4]));
    }

    [Test]
    public void S_E14_a_large_message_between_small_ones_keeps_its_place_and_an_answer_has_a_limit()
    {
        SingleProcessRun run = Filled(0);

        foreach (int bytes in (int[])[1, 1 << 20, 1, 1 << 20, 1])
        {
            run["a"].Publish("x", new byte[bytes], null);
        }

        run["a"].Request(AdvanceMode.To, new Tag(1_000, 0));
        run.Settle();
        List<Answer> first = Fetch(run, first: 1, count: 5);
        List<Answer> second = Fetch(run, first: first[^1].Next, count: 5);
        List<Answer> third = Fetch(run, first: second[^1].Next, count: 5);

        Assert.That(first.SelectMany(answer => answer.Sizes), Is.EqualTo((int[])[1, 1 << 20]));
        Assert.That(second.SelectMany(answer => answer.Sizes), Is.EqualTo((int[])[1, 1 << 20]));
        Assert.That(third.SelectMany(answer => answer.Sizes), Is.EqualTo((int[])[1]));
    }

    [Test]
    public void A_link_that_may_not_operate_is_refused()
    {
        SingleProcessRun run = Filled(3);

        run.Inject(Reader, FetchOf(new FetchFrame(1, 10, 0, 0)));

        Assert.That(RefusalFrame.TryRead(FramesOf(Taken(run))[0].Body, out RefusalFrame refusal), Is.True);
        Assert.That(refusal.Error, Is.EqualTo(SequencingError.NotAllowed));
    }

    [TestCase(new byte[0], SequencingError.BadFrame)]
    [TestCase(new byte[] { 0, 1, 1, 0 }, SequencingError.BadFrame)]
    [TestCase(new byte[] { 1, 1, 1, 0, 0 }, SequencingError.NotDeclared)]
    public void A_malformed_or_foreign_fetch_is_refused(byte[] body, SequencingError expected)
    {
        SingleProcessRun run = Filled(3);
        run.Server.AllowOperator(Reader);
        FrameWriter writer = new();
        writer.BeginFrame(FrameType.Fetch, 0, 0);
        writer.WriteBytes(body);
        writer.EndFrame();

        run.Inject(Reader, writer.Written.ToArray());

        Assert.That(RefusalFrame.TryRead(FramesOf(Taken(run))[0].Body, out RefusalFrame refusal), Is.True);
        Assert.That(refusal.Error, Is.EqualTo(expected));
    }

    [Test]
    public void A_link_has_one_question_and_none_when_it_is_gone()
    {
        SingleProcessRun run = Filled(3);
        Ask(run, new FetchFrame(4, 10, 1, 1));
        Ask(run, new FetchFrame(4, 10, 1, 1));
        run.Server.HandleLinkLost(Reader, run.Now);

        Publish(run, 2);

        Assert.That(Taken(run), Is.Empty);
    }

    private static readonly List<MemberDeclaration> Roster = [new("a") { Publish = ["x"], Lookahead = Delay.Ticks(1) }];

    private static SingleProcessRun Filled(int messages, SequencingConfig? config = null)
    {
        SingleProcessRun run = new(config ?? new() { Roster = Roster });
        run.Settle();
        run["a"].TryTakeGrant(out _);
        Publish(run, messages);
        return run;
    }

    private static void Publish(SingleProcessRun run, int messages)
    {
        for (int i = 0; i < messages; i++)
        {
            run["a"].Publish("x", [(byte)i], null);
            run["a"].Request(AdvanceMode.To, run["a"].Now + Delay.Ticks(3));
            run.Settle();
            run["a"].TryTakeGrant(out _);
        }
    }

    private static byte[] FetchOf(in FetchFrame fetch)
    {
        FrameWriter writer = new();
        fetch.Write(writer);
        return writer.Written.ToArray();
    }

    private static List<byte[]> Ask(SingleProcessRun run, in FetchFrame fetch)
    {
        run.Server.AllowOperator(Reader);
        run.Inject(Reader, FetchOf(fetch));
        return Taken(run);
    }

    private static List<Answer> Fetch(SingleProcessRun run, long first, long count)
        => AnswersIn(Ask(run, new FetchFrame(first, count, 1, 1)));

    private static List<byte[]> Taken(SingleProcessRun run)
    {
        List<byte[]> taken = [.. run.Down.GetValueOrDefault(Reader) ?? []];
        run.Down.Remove(Reader);
        return taken;
    }

    private static int NamesIn(List<byte[]> messages)
        => FramesOf(messages).Count(frame => frame.Type is FrameType.PeerEvent or FrameType.ChannelName);

    private static List<Frame1> FramesOf(List<byte[]> messages)
    {
        List<Frame1> frames = [];

        foreach (byte[] message in messages)
        {
            FrameReader reader = new(message);

            while (Frame.TryNext(ref reader, out Frame frame))
            {
                frames.Add(new Frame1(frame.Type, frame.Body.ToArray()));
            }
        }

        return frames;
    }

    private static List<Answer> AnswersIn(List<byte[]> messages)
    {
        List<Answer> answers = [];

        foreach (Frame1 frame in FramesOf(messages).Where(frame => frame.Type == FrameType.Log))
        {
            FrameReader reader = new(frame.Body);
            long before = LogRecord.ReadFirst(ref reader) - 1;
            List<long> numbers = [];
            List<int> sizes = [];
            long next;

            while (LogRecord.TryRead(ref reader, before, out LogRecord record, out next))
            {
                before = record.Number;
                numbers.Add(record.Number);
                sizes.Add(record.Payload.Length);
            }

            Assert.That(reader.IsComplete, Is.True);
            answers.Add(new Answer(numbers, sizes, next));
        }

        return answers;
    }

    private sealed record Frame1(FrameType Type, byte[] Body);

    private sealed record Answer(List<long> Numbers, List<int> Sizes, long Next);
}
